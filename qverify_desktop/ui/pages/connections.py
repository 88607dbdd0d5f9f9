"""The table of connections with its switches: which purpose may open which connection, by whom, to where and when."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox, QGridLayout, QLabel, QWidget

from qverify_desktop.domain.connections import TABLE, Closed, Connection
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import IconLabel, column, label, set_property


class ConnectionsTable(QWidget):
    """A row for each connection of ``domain.connections``, as the settings have it. ``changed`` hears of settings that a switch here
    has changed."""

    def __init__(self, desk: Desk, changed: Callable[[SettingsView], None]) -> None:
        super().__init__()
        self._desk = desk
        self._changed = changed
        self._filling = False
        self.switches: dict[str, QCheckBox] = {}
        self._rows: list[tuple[Connection, IconLabel, QLabel]] = []
        self._problem = label("", "small", "danger", wrap=True)
        self._problem.hide()
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(1, 1)
        grid.addWidget(IconLabel(desk.theme, "lock"), 0, 0, Qt.AlignmentFlag.AlignTop)
        never = label(tr("Never have a network, whatever is set."), "small", "muted", wrap=True)
        grid.addLayout(column(label(tr("Tests"), "strong"), never, gap=0), 0, 1)
        for at, row in enumerate(TABLE, 1):
            self._add(grid, at, row)
        self.setLayout(column(grid, self._problem, gap=12))

    def _add(self, grid: QGridLayout, at: int, row: Connection) -> None:
        icon, state = IconLabel(self._desk.theme, "globe"), label("", "small", wrap=True)
        self._rows.append((row, icon, state))
        words = (
            f"{tr(row.when)}.",
            tr("Opened by: {who}. To: {where}.", who=tr(row.who), where=tr(row.where)),
            tr("What goes over it: {sends}.", sends=tr(row.sends)),
        )
        told = [label(one, "small", "muted", wrap=True) for one in words]
        grid.addWidget(icon, at, 0, Qt.AlignmentFlag.AlignTop)
        grid.addLayout(column(label(tr(row.title), "strong", wrap=True), *told, state, gap=0), at, 1)
        if not row.switch:
            return
        box = QCheckBox()
        set_property(box, "bare", "true")
        box.setAccessibleName(tr(row.title))
        box.setAccessibleDescription(" ".join(words))
        box.toggled.connect(partial(self._toggled, row.switch))
        self.switches[row.switch] = box
        grid.addWidget(box, at, 2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)

    def show_settings(self, settings: SettingsView) -> None:
        """Show every row as the settings have it."""
        self._filling = True
        for row, icon, state in self._rows:
            on = settings["switches"].get(row.switch, True)
            if row.switch:
                self.switches[row.switch].setChecked(on)
            words = _state(row, on, settings["air_gap"])
            state.setText(words)
            state.setVisible(bool(words))
            stays = not on or row.air_gap is Closed.STAYS or settings["air_gap"]
            icon.show_icon("lock" if stays else "globe", "text-muted")
        self._filling = False

    def _toggled(self, switch: str, on: bool) -> None:
        if self._filling:
            return

        def changed(settings: SettingsView) -> None:
            self._problem.hide()
            self.show_settings(settings)
            self._changed(settings)

        def refused(error: QVerifyError) -> None:
            self._problem.setText(f"{error.sentence} {error.remedy}".strip())
            self._problem.show()
            # What was not changed is shown as it is.
            self._filling = True
            self.switches[switch].setChecked(not on)
            self._filling = False

        self._desk.bridge.ask(
            self, "settings_change", changed, failed=refused, key=f"set-{switch}", changes={switch: on}
        )


def _state(row: Connection, on: bool, air_gap: bool) -> str:
    """What there is to say besides the switch; empty for nothing."""
    if not on:
        return tr("Switched off.")
    if not air_gap or row.air_gap is Closed.STAYS:
        return tr("Stays on this machine.") if row.air_gap is Closed.STAYS else ""
    if row.air_gap is Closed.ALLOWED:
        return tr("The air gap lets only the addresses through that you allowed.")
    return tr("Closed by the air gap.")
