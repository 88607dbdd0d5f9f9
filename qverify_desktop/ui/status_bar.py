"""The status bar: health, Docker and network at the left; running analysis, log and zoom at the right. Each opens its page."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import GAP
from qverify_desktop.ui.widgets.painting import one_line


class StatusButton(QPushButton):
    """A few words with an icon that open a page."""

    def __init__(self, theme: Theme, run: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("status")
        self._theme, self._icon = theme, ("", "text-muted")
        self.clicked.connect(lambda: run())
        theme.changed.connect(self._draw)
        self.hide()

    def say(self, text: str, icon: str = "", token: str = "text-muted", tip: str = "") -> None:
        """Empty text hides it. It may hold a repository's name, so it stays on one line and no letter of it is a mnemonic."""
        text = one_line(text)
        self.setText(text.replace("&", "&&"))
        self.setAccessibleName(text)
        self.setToolTip(tip)
        self._icon = (icon, token)
        self.setVisible(bool(text))
        self._draw()

    def _draw(self) -> None:
        if self._icon[0]:
            self.setIcon(self._theme.icon(*self._icon, size=12, room=GAP))
            self.setIconSize(QSize(self._theme.px(12 + GAP), self._theme.px(12)))


class StatusBar(QWidget):
    """28 px at the foot of the window. ``open_page`` is called with a page's name."""

    def __init__(self, theme: Theme, open_page: Callable[[str], object], open_running: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName("statusbar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._theme = theme
        self.health = StatusButton(theme, lambda: open_page("environment"))
        self.network = StatusButton(theme, lambda: open_page("settings"))
        self.running = StatusButton(theme, open_running)
        self.log = StatusButton(theme, lambda: open_page("evidence"))
        self.zoom = StatusButton(theme, lambda: open_page("settings"))
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 0, 8, 0)
        layout.setSpacing(4)
        for button in (self.health, self.network):
            layout.addWidget(button)
        layout.addStretch(1)
        for button in (self.running, self.log, self.zoom):
            layout.addWidget(button)
        theme.changed.connect(self._measure)
        self._measure()
        self.health.say(tr("Starting"), "ring-arc", "accent-text")

    def _measure(self) -> None:
        self.setFixedHeight(self._theme.px(tokens()["layout"]["status-bar"]))
        self.zoom.say(f"{round(self._theme.zoom * 100)} %", tip=tr("Zoom: Ctrl and plus or minus"))
