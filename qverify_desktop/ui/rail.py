"""The left rail: pages, pinned repositories, environment and settings at its foot. Narrow windows get icons only."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QPushButton, QVBoxLayout, QWidget

from qverify_desktop.domain.views import RepositoryView
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.pages import FOOT, RAIL, TABS
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import IconButton, IconLabel, label, row
from qverify_desktop.ui.widgets.words import Look, look_of_run

#: Pinned repositories that are shown.
PINNED = 8
NEVER = Look("ring-dashed", "text-muted", later("Not analyzed yet"))


class RailButton(QPushButton):
    """Checkable, not exclusive by Qt: assistive tools can't press an exclusive button that is checked already."""

    def __init__(self, theme: Theme, text: str, icon: str, token: str = "text-muted") -> None:
        super().__init__(text)
        self.setObjectName("rail")
        self.setCheckable(True)
        self.setAccessibleName(text)
        self._theme, self._words, self._icon, self._token = theme, text, icon, token
        self.remark = ""
        self._narrow = False
        theme.changed.connect(self._draw)
        self._draw()

    def set_narrow(self, narrow: bool) -> None:
        self._narrow = narrow
        self._draw()

    def set_remark(self, remark: str) -> None:
        """A few words at the right end, such as ``1 running``."""
        if remark != self.remark:
            self.remark = remark
            self.setAccessibleDescription(remark)
            self._draw()

    def _draw(self) -> None:
        self.setText("" if self._narrow else f"  {self._words}")
        self.setToolTip(f"{self._words} {self.remark}".strip() if self._narrow else "")
        self.setIcon(self._theme.icon(self._icon, self._token))
        self.setIconSize(QSize(self._theme.px(16), self._theme.px(16)))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = QPainter(self)
        px = self._theme.px
        if self.isChecked():
            painter.fillRect(0, px(6), px(2), self.height() - px(12), self._theme.colour("accent-text"))
        if self.remark and not self._narrow:
            painter.setFont(self._theme.font("caption"))
            painter.setPen(self._theme.colour("text-muted"))
            width = painter.fontMetrics().horizontalAdvance(self.remark)
            base = (self.height() + painter.fontMetrics().ascent() - painter.fontMetrics().descent()) // 2
            painter.drawText(self.width() - width - px(8), base, self.remark)


class Rail(QFrame):
    """``wanted`` carries a page's name, ``repository_wanted`` the source of a pinned repository."""

    wanted = Signal(str)
    menu_wanted = Signal()
    repository_wanted = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("rail")
        self.setAccessibleName(tr("Navigation"))
        self._theme = theme
        self._narrow = False
        self._buttons: dict[str, RailButton] = {}
        self._pinned: list[RailButton] = []
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 12, 8, 12)
        layout.setSpacing(2)
        self._mark = IconLabel(theme, "shield-check", "accent-text", 20)
        self._name = label("QVerify", "heading")
        self.menu = IconButton(theme, "dots", tr("Menu"), self.menu_wanted.emit, token="text-muted")
        layout.addLayout(row(self._mark, self._name, None, self.menu, margins=(8, 0, 0, 8)))
        for name, entry in RAIL.items():
            if name not in FOOT:
                self._last = self._button(name, tr(entry.title), entry.icon)
                layout.addWidget(self._last)
        self._heading = label(tr("Pinned"), "caption", "muted")
        self._heading.setContentsMargins(8, 16, 0, 4)
        layout.addWidget(self._heading)
        self._place = QVBoxLayout()
        self._place.setSpacing(2)
        layout.addLayout(self._place)
        layout.addStretch(1)
        for name in FOOT:
            layout.addWidget(self._button(name, tr(RAIL[name].title), RAIL[name].icon))
        self.show_pinned([])
        self.set_narrow(False)
        theme.changed.connect(lambda: self.set_narrow(self._narrow))

    def _button(self, name: str, text: str, icon: str) -> RailButton:
        made = self._buttons[name] = RailButton(self._theme, text, icon)
        made.clicked.connect(lambda: self._press(name))
        return made

    def _press(self, name: str) -> None:
        self._buttons[name].setChecked(True)
        self.wanted.emit(name)

    def set_narrow(self, narrow: bool) -> None:
        """Icons only, or icons and words."""
        self._narrow = narrow
        layout = tokens()["layout"]
        self.setFixedWidth(self._theme.px(layout["rail-collapsed" if narrow else "rail"]))
        self._name.setVisible(not narrow)
        self._mark.setVisible(not narrow)
        self._heading.setVisible(not narrow and bool(self._pinned))
        for button in self._buttons.values():
            button.set_narrow(narrow)
        for button in self._pinned:
            button.setVisible(not narrow)

    def show_place(self, page: str) -> None:
        """Mark where the window is; the tabs of a run belong to Runs."""
        page = "runs" if page in TABS else page
        for name, button in self._buttons.items():
            button.setChecked(name == page)

    def set_remark(self, page: str, remark: str) -> None:
        self._buttons[page].set_remark(remark)

    def show_pinned(self, repositories: Sequence[RepositoryView]) -> None:
        """Pinned repositories with the shape of their last verdict."""
        for button in self._pinned:
            self._place.removeWidget(button)
            button.deleteLater()
        self._pinned = []
        for repository in repositories[:PINNED]:
            look = look_of_run(repository["last"]) if repository["last"] else NEVER
            button = RailButton(self._theme, repository["name"], look.icon, look.token)
            button.setCheckable(False)
            button.setToolTip(repository["source"])
            button.setAccessibleDescription(look.text())
            source = repository["source"]
            button.clicked.connect(lambda _=False, source=source: self.repository_wanted.emit(source))
            button.setVisible(not self._narrow)
            self._place.addWidget(button)
            # The keyboard meets them where they stand, not when they were made.
            QWidget.setTabOrder(self._pinned[-1] if self._pinned else self._last, button)
            self._pinned.append(button)
        self._heading.setVisible(not self._narrow and bool(self._pinned))
