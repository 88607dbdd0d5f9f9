"""The field that filters a list, and the words that a person types into it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QMargins, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import IconLabel, label

#: A list follows the typing this much later.
DELAY_MS = 120
_WORD = re.compile(r'(!?)(?:"([^"]*)"?|(\S+))')


@dataclass(frozen=True)
class Filter:
    """All words must stand in a text and none of the others, in any case. ``!word`` leaves out, ``"two words"`` belong together."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> Filter:
        wanted: list[str] = []
        unwanted: list[str] = []
        for no, quoted, plain in _WORD.findall(text):
            word = (quoted or plain).casefold()
            if (no and not word) or word == "!":
                continue
            (unwanted if no else wanted).append(word)
        return cls(tuple(w for w in wanted if w), tuple(unwanted))

    @property
    def empty(self) -> bool:
        """Whether every text matches."""
        return not self.wanted and not self.unwanted

    def matches(self, text: str) -> bool:
        return self.matches_lower(text.casefold())

    def matches_lower(self, text: str) -> bool:
        """For a text that was prepared with ``casefold``."""
        return all(word in text for word in self.wanted) and not any(word in text for word in self.unwanted)


EVERYTHING = Filter()


class FilterField(QLineEdit):
    """A field with the filter's icon. ``filtered`` gives the ``Filter`` a moment after typing; Esc empties the field.

    ``say_count(shown, total)`` writes "61 of 64" into its right end; connect a model's ``arranged`` to it. Esc in an
    empty field and Down are passed on as ``left``, so that a page can put the focus into its list.
    """

    filtered = Signal(object)
    left = Signal()

    def __init__(
        self, theme: Theme, placeholder: str = "", parent: QWidget | None = None, *, icon: str = "filter"
    ) -> None:
        super().__init__(parent)
        self._theme = theme
        self._counts = (0, 0)
        self._last = EVERYTHING
        words = placeholder or tr("Filter")
        self.setPlaceholderText(words)
        self.setAccessibleName(words)
        self.setToolTip(tr('All words must match; !word leaves out; "two words" belong together.'))
        # A leading action would keep its size when the zoom changes.
        self._lead = IconLabel(theme, icon, "text-muted")
        self._lead.setParent(self)
        self._lead.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._count = label("", "small", "muted")
        self._count.setParent(self)
        self._count.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._timer = QTimer(self, interval=DELAY_MS, singleShot=True)
        self._timer.timeout.connect(self.apply)
        self.textChanged.connect(self._typed)
        theme.changed.connect(self._place)
        self._place()

    @property
    def filter(self) -> Filter:
        """What is typed now."""
        return Filter.parse(self.text())

    def apply(self) -> None:
        """Emit ``filtered`` now if the filter is another one than last time."""
        self._timer.stop()
        wanted = self.filter
        if wanted != self._last:
            self._last = wanted
            self.filtered.emit(wanted)

    def say_count(self, shown: int, total: int) -> None:
        """Say how many of how many are shown; nothing while all are."""
        self._counts = (shown, total)
        words = tr("{shown} of {total}", shown=f"{shown:,}", total=f"{total:,}") if shown != total else ""
        self._count.setText(words)
        self.setAccessibleDescription(words)
        self._place()

    def _typed(self) -> None:
        self._timer.start()

    def _place(self) -> None:
        space = self._theme.px(8)
        self._lead.move(space, (self.height() - self._lead.height()) // 2)
        self._count.adjustSize()
        shown = bool(self._count.text()) and self.width() > 3 * self._count.width()
        self._count.setVisible(shown)
        self._count.move(self.width() - self._count.width() - space, (self.height() - self._count.height()) // 2)
        margins = QMargins(self._lead.width() + space // 2, 0, self._count.width() + space if shown else 0, 0)
        if self.textMargins() != margins:
            self.setTextMargins(margins)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def event(self, event: QEvent) -> bool:
        # Esc in a filled field is ours, whatever shortcut the window has for it.
        if isinstance(event, QKeyEvent) and event.type() is QEvent.Type.ShortcutOverride and self._clears(event):
            event.accept()
            return True
        return super().event(event)

    def _clears(self, event: QKeyEvent) -> bool:
        return event.key() == Qt.Key.Key_Escape and bool(self.text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._clears(event):
            self.clear()
            self.apply()
        elif event.key() == Qt.Key.Key_Down:
            self.apply()
            self.left.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.apply()
        else:
            super().keyPressEvent(event)
