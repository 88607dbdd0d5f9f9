"""What the hosted service itself says of the sign-in, and the choice of its region."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSignalBlocker, Signal
from PySide6.QtWidgets import QComboBox, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.hosted_views import HostedAccountView, RegionView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import column, holder, label, row, set_property


class AccountPart(QWidget):
    """Asked when it is shown. ``changed`` is called once another region was chosen; ``answered`` is emitted with who is signed in as the
    service has it, or with nothing where it can't be asked."""

    answered = Signal(str)

    def __init__(self, desk: Desk, changed: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("clear")
        self._desk, self._changed = desk, changed
        self.told = label("", "small", "muted", wrap=True, select=True)
        self.region = QComboBox()
        self.region.setAccessibleName(tr("Region"))
        self.region.setToolTip(tr("The entry to the service that is tried first"))
        self.region.activated.connect(self._choose)
        self._region = holder(row(label(tr("Region"), "small", "muted"), self.region, None, gap=8))
        self._region.hide()
        self.setLayout(column(self.told, self._region, gap=6))

    def ask(self) -> None:
        self._desk.bridge.ask(self, "hosted_account", self.show_account, failed=self._failed, key="account")

    def show_account(self, account: HostedAccountView) -> None:
        when = words.moment(account["expires_at"])
        self.told.setText(
            tr("Confirmed by the service. This access ends {when} and is renewed by itself.", when=when)
        )
        set_property(self.told, "tone", "muted")
        self._show_regions(account["regions"])
        self.answered.emit(", ".join(one for one in (account["account"], account["organisation"]) if one))

    def _show_regions(self, regions: list[RegionView]) -> None:
        usable = [one for one in regions if not one["refusal"]]
        with QSignalBlocker(self.region):
            self.region.clear()
            for one in usable:
                self.region.addItem(_name(one), one["endpoint"])
            self.region.setCurrentIndex(0)
        # One region is no choice.
        self._region.setVisible(len(usable) > 1)

    def _failed(self, error: QVerifyError) -> None:
        self.told.setText(tr("The service could not be asked: {why}", why=f"{error.sentence} {error.remedy}".strip()))
        set_property(self.told, "tone", "warning")
        self._region.hide()
        self.answered.emit("")

    def _choose(self, _: int) -> None:
        self._desk.bridge.ask(
            self,
            "hosted_choose_region",
            lambda _: self._changed(),
            failed=self._refused,
            key="region",
            region=self.region.currentData(),
        )

    def _refused(self, error: QVerifyError) -> None:
        self._desk.front.tell_error(error)
        self.ask()


def _name(one: RegionView) -> str:
    name = one["title"] or one["id"] or one["host"]
    return name if one["accepts"] else tr("{region} (takes nothing new now)", region=name)
