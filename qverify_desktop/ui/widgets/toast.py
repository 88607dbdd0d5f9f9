"""Toasts at the bottom right: at most three, six seconds each unless looked at; all are kept in the list of notices."""

from __future__ import annotations

import time
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Notice
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import Button, IconButton, IconLabel, label

MOST = 3
#: Notices that are kept for the list.
KEPT = 200
WIDTH = 420
ICONS = {
    "info": ("circle-info", "info"),
    "success": ("circle-check", "success"),
    "warning": ("triangle-alert", "warning"),
    "danger": ("square-x", "danger"),
}


@dataclass(frozen=True)
class Told:
    """A notice with the time it was told (seconds since the epoch)."""

    notice: Notice
    at: float


class Toast(QFrame):
    """One notice."""

    gone = Signal()

    def __init__(self, theme: Theme, notice: Notice, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setAccessibleName(notice.text)
        icon, token = ICONS[notice.kind]
        self._layout = layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(IconLabel(theme, icon, token), 0, Qt.AlignmentFlag.AlignTop)
        words = label(notice.text, wrap=True, select=True)
        words.setMinimumWidth(theme.px(160))
        layout.addWidget(words, 1)
        if notice.act and callable(notice.run):
            self._run = notice.run
            layout.addWidget(Button(theme, notice.act, self._act, kind="link"))
        layout.addWidget(IconButton(theme, "x", tr("Close this notice"), self.gone.emit, token="text-muted"))
        stays = tokens()["motion"]["toast-stay"] * (2 if notice.kind in ("warning", "danger") else 1)
        self._timer = QTimer(self, interval=stays, singleShot=True)
        self._timer.timeout.connect(self._leave_unless_used)
        self._timer.start()

    def _act(self) -> None:
        self.gone.emit()
        self._run()

    def enterEvent(self, event: QEnterEvent) -> None:
        self._timer.stop()
        super().enterEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._timer.start()
        super().leaveEvent(event)

    def height_for(self, width: int) -> int:
        """How high it must be at a width."""
        return self._layout.totalHeightForWidth(width)

    def _leave_unless_used(self) -> None:
        focus = self.window().focusWidget()
        if focus is not None and self.isAncestorOf(focus):
            self._timer.start()
        else:
            self.gone.emit()


class Toasts(QObject):
    """Shows notices over a window and keeps the last of them."""

    told = Signal()

    def __init__(self, theme: Theme, window: QWidget, above: int) -> None:
        """``above`` is the height of the status bar that toasts stay clear of."""
        super().__init__(window)
        self._theme, self._window, self._above = theme, window, above
        self.notices: list[Told] = []
        self.shown: list[Toast] = []
        window.installEventFilter(self)

    def show_notice(self, notice: Notice) -> None:
        self.notices = [*self.notices[-KEPT + 1 :], Told(notice, time.time())]
        self.told.emit()
        while len(self.shown) >= MOST:
            self._remove(self.shown[0])
        toast = Toast(self._theme, notice, self._window)
        toast.gone.connect(lambda: self._remove(toast))
        self.shown.append(toast)
        toast.show()
        self._place()
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._window, notice.text))

    def _remove(self, toast: Toast) -> None:
        if toast in self.shown:
            self.shown.remove(toast)
            toast.hide()
            toast.deleteLater()
            self._place()

    def _place(self) -> None:
        bottom = self._window.height() - self._theme.px(self._above) - 16
        width = min(self._theme.px(WIDTH), self._window.width() - 32)
        for toast in reversed(self.shown):
            height = max(toast.height_for(width), self._theme.px(40))
            bottom -= height
            toast.setGeometry(self._window.width() - width - 16, bottom, width, height)
            toast.raise_()
            bottom -= 8

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() is QEvent.Type.Resize and self.shown:
            self._place()
        return False
