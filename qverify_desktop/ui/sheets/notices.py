"""Everything that was told in toasts, newest first, to be read and copied in peace."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import IconLabel, label
from qverify_desktop.ui.widgets.sheet import Sheet
from qverify_desktop.ui.widgets.toast import ICONS, Toasts

SHOWN = 100


class NoticeSheet(Sheet):
    """One row per notice."""

    def __init__(self, theme: Theme, toasts: Toasts) -> None:
        super().__init__(theme, tr("Notices"))
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(12)
        grid.setColumnStretch(1, 1)
        top = Qt.AlignmentFlag.AlignTop
        for at, told in enumerate(reversed(toasts.notices[-SHOWN:])):
            icon, token = ICONS[told.notice.kind]
            clock = datetime.fromtimestamp(told.at).strftime("%H:%M")
            grid.addWidget(IconLabel(theme, icon, token, words=told.notice.kind), at, 0, top)
            grid.addWidget(label(told.notice.text, wrap=True, select=True), at, 1)
            grid.addWidget(label(clock, "small", "muted"), at, 2, top)
        self.body.addLayout(grid)
        if not toasts.notices:
            self.body.addWidget(label(tr("Nothing was told yet."), "body", "muted"))
        self.body.addStretch(1)
