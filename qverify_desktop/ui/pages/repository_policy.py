"""The line of a repository's page that says whether its prompts may leave this machine, and changes it."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.views import CloudView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconLabel
from qverify_desktop.ui.widgets.flow import FlowLabel, FlowLayout

_WORDS = {
    CloudPolicy.UNDECIDED: later("Whether prompts with its source may leave this machine is not decided yet."),
    CloudPolicy.ALLOWED: later("Prompts with its source may go to models elsewhere."),
    CloudPolicy.LOCAL_ONLY: later("Prompts with its source stay on this machine."),
}
_ICONS = {CloudPolicy.UNDECIDED: "globe", CloudPolicy.ALLOWED: "send", CloudPolicy.LOCAL_ONLY: "lock"}


class PolicyLine(QWidget):
    """It stays hidden until it is known what was decided. What is pressed holds from the next run on."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.desk = desk
        self.source = ""
        self._icon = IconLabel(desk.theme, "globe", "text-muted")
        self._words = FlowLabel("small", "muted")
        self.allow = self._button(tr("Allow it"), CloudPolicy.ALLOWED)
        self.keep = self._button(tr("Keep them here"), CloudPolicy.LOCAL_ONLY)
        self.setLayout(FlowLayout(self._icon, self._words, self.allow, self.keep, gap=8))
        self.hide()

    def _button(self, text: str, policy: CloudPolicy) -> Button:
        made = Button(self.desk.theme, text, partial(self._decide, policy), kind="link", size="small")
        made.setAccessibleDescription(tr("Holds from the next run of this repository on."))
        return made

    def show_source(self, source: str) -> None:
        """Ask what was decided for it."""
        if source != self.source:
            self.hide()
        self.source = source
        self.desk.bridge.ask(
            self,
            "repository_cloud",
            self._show,
            failed=lambda _: None,
            key="cloud",
            source=source,
            model="none",
            api_base="",
        )

    def words(self) -> str:
        return self._words.text()

    def _show(self, view: CloudView) -> None:
        policy = CloudPolicy(view["cloud"])
        self._icon.show_icon(_ICONS[policy], "text-muted")
        self._words.setText(tr(_WORDS[policy]))
        self.allow.setVisible(policy is not CloudPolicy.ALLOWED)
        self.keep.setVisible(policy is not CloudPolicy.LOCAL_ONLY)
        self.show()

    def _decide(self, policy: CloudPolicy) -> None:
        self.desk.bridge.ask(
            self, "repository_decide", self._decided, failed=self._failed, source=self.source, cloud=policy.value
        )

    def _decided(self, _: object) -> None:
        self.show_source(self.source)

    def _failed(self, error: QVerifyError) -> None:
        self.desk.bridge.problem.emit(error)
        self.show_source(self.source)
