"""A field that searches in what stands below it: words, how many hits, the next and the one before."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QMargins, Qt, QTimer, Signal, SignalInstance
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import IconLabel, label

#: While one types, the search waits this long for the next letter.
DELAY_MS = 120


class Searchable(Protocol):
    """A view that can be searched: ``CodeView``, ``LogView``, ``DiffView``."""

    found: SignalInstance

    def search(self, wanted: str) -> None: ...

    def search_next(self) -> None: ...

    def search_previous(self) -> None: ...


class FindField(QLineEdit):
    """Enter chooses the next hit, Shift+Enter the one before, Escape clears the field; cleared already, it emits ``left``."""

    wanted = Signal(str)
    next_wanted = Signal()
    previous_wanted = Signal()
    left = Signal()

    def __init__(self, theme: Theme, words: str = "", parent: QWidget | None = None) -> None:
        """``words`` stand in the empty field and are its accessible name."""
        super().__init__(parent)
        self._theme = theme
        self.setPlaceholderText(words or tr("Find"))
        self.setAccessibleName(words or tr("Find"))
        # A leading action would keep its size when the zoom changes.
        self._lead = IconLabel(theme, "search", "text-muted")
        self._lead.setParent(self)
        self._lead.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._count = label("", "small", "muted")
        self._count.setParent(self)
        self._count.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._last = ""
        self._timer = QTimer(self, interval=DELAY_MS, singleShot=True)
        self._timer.timeout.connect(self.apply)
        self.textChanged.connect(self._timer.start)
        theme.changed.connect(self._place)
        self._place()

    def serve(self, view: Searchable) -> None:
        """Search in this view and say what it finds."""
        self.wanted.connect(view.search)
        self.next_wanted.connect(view.search_next)
        self.previous_wanted.connect(view.search_previous)
        view.found.connect(self.say_count)

    def apply(self) -> bool:
        """Search now, if the words are others than last time; answers whether they were."""
        self._timer.stop()
        if self.text() == self._last:
            return False
        self._last = self.text()
        self.wanted.emit(self._last)
        if not self._last:
            self.say_count(0, 0)
        return True

    def say_count(self, at: int, total: int, open_end: bool = False) -> None:
        """Say which hit of how many is chosen; ``open_end`` when there may be more."""
        words = ""
        if self.text():
            many = f"{total:,}+" if open_end else f"{total:,}"
            words = tr("{at} of {total}", at=f"{at:,}", total=many) if total or open_end else tr("nothing found")
        self._count.setText(words)
        self.setAccessibleDescription(words)
        self._place()

    def _place(self) -> None:
        space = self._theme.px(8)
        self._lead.move(space, (self.height() - self._lead.height()) // 2)
        self._count.adjustSize()
        shown = bool(self._count.text()) and self.width() > 2 * self._count.width()
        self._count.setVisible(shown)
        self._count.move(self.width() - self._count.width() - space, (self.height() - self._count.height()) // 2)
        margins = QMargins(self._lead.width() + space // 2, 0, self._count.width() + space if shown else 0, 0)
        if self.textMargins() != margins:
            self.setTextMargins(margins)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent) -> bool:
        # Escape in a filled field is ours, whatever shortcut the window has for it.
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape and self.text():
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        back = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not self.apply():
                (self.previous_wanted if back else self.next_wanted).emit()
        elif event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            self.apply()
        elif event.key() in (Qt.Key.Key_Escape, Qt.Key.Key_Down):
            self.apply()
            self.left.emit()
        else:
            super().keyPressEvent(event)
