"""A list left and what is chosen in it right, with a splitter that is remembered. Where both have no room, one at a time."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QSplitter, QVBoxLayout, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import Button, holder, row

#: Below this width at 100 % only one of both is shown.
NARROW = 640
#: Narrowest and widest list that the window chooses by itself, and its share of the width.
LEAST, MOST, SHARE = 264, 456, 0.34


class MasterDetail(QWidget):
    """``master`` and ``detail`` are panes of F6. ``returned`` asks for the focus in the list (Esc in the detail, or Back);
    ``turned`` says that other panes are shown than before."""

    returned = Signal()
    turned = Signal()

    def __init__(
        self, theme: Theme, preferences: Preferences, name: str, master: QWidget, detail: QWidget, least: int = LEAST
    ) -> None:
        """``name`` is the page's: its splitter is remembered under it. ``least`` is the list's narrowest width at 100 %."""
        super().__init__()
        self._theme, self._preferences, self._name = theme, preferences, f"splitter.{name}"
        self._least = least
        self.master = master
        self.narrow = False
        self._placed = False
        self.back = Button(
            theme, tr("Back to the list"), self._return, kind="ghost", icon="chevron-left", size="small"
        )
        self._bar = holder(row(self.back, None, margins=(12, 6, 12, 0)))
        self._bar.hide()
        self.detail = QWidget()
        self.detail.setObjectName("surface")
        layout = QVBoxLayout(self.detail)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        layout.addWidget(detail, 1)
        for pane in (master, self.detail):
            pane.setProperty("pane", True)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(master)
        self.splitter.addWidget(self.detail)
        self.splitter.setStretchFactor(0, 0)
        self.splitter.setStretchFactor(1, 1)
        self.splitter.splitterMoved.connect(self._remember)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.splitter)
        theme.changed.connect(self._measure)
        self._measure()

    @property
    def only_detail(self) -> bool:
        """Whether the detail stands alone."""
        return self.narrow and not self.detail.isHidden()

    def show_detail(self) -> None:
        """What was chosen is wanted: in a narrow window it takes the place of the list."""
        if self.narrow:
            self.master.hide()
            self.detail.show()
            self.turned.emit()

    def show_master(self) -> None:
        if self.narrow:
            self.detail.hide()
            self.master.show()
            self.turned.emit()

    def _return(self) -> None:
        self.show_master()
        self.returned.emit()

    def _remember(self) -> None:
        if not self.narrow:
            self._preferences.set(self._name, self.splitter.sizes())

    def _measure(self) -> None:
        self.master.setMinimumWidth(self._theme.px(self._least))
        self._fit()

    def _fit(self) -> None:
        narrow = self.width() < self._theme.px(NARROW)
        if narrow != self.narrow:
            self.narrow = narrow
            self._bar.setVisible(narrow)
            self.master.show()
            self.detail.setVisible(not narrow)
            if narrow and self.detail.isAncestorOf(QApplication.focusWidget() or self):
                self.show_detail()
            self.turned.emit()
        kept = self._preferences.numbers(self._name)
        if not narrow and len(kept) != 2:
            px, width = self._theme.px, self.width()
            list_width = max(px(LEAST), min(px(MOST), int(width * SHARE)))
            self.splitter.setSizes([list_width, width - list_width])
        elif not narrow and not self._placed and self.isVisible():
            self._placed = True
            self.splitter.setSizes(kept)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        focus = QApplication.focusWidget()
        if event.key() == Qt.Key.Key_Escape and focus is not None and self.detail.isAncestorOf(focus):
            self._return()
        else:
            super().keyPressEvent(event)
