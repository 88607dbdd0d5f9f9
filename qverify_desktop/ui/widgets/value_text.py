"""A value as the program printed it: wraps, can be selected, and marks where it differs from another one."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QResizeEvent, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.code_text import units, with_escapes

#: Rows that are shown at once; more scroll. Longest text that is laid out.
ROWS, LONGEST = 8, 20_000


def difference(a: str, b: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """The parts of two texts, as (start, end), that stand between what they have in common at both ends.

    A part is widened to whole words and numbers: of 73800 and 77400 all five digits differ.
    """
    if a == b:
        return (0, 0), (0, 0)
    start = 0
    while start < min(len(a), len(b)) and a[start] == b[start]:
        start += 1
    end = 0
    while end < min(len(a), len(b)) - start and a[-1 - end] == b[-1 - end]:
        end += 1
    while start and (a[start - 1].isalnum() or a[start - 1] == "_"):
        start -= 1
    while end and (a[len(a) - end].isalnum() or a[len(a) - end] == "_"):
        end -= 1
    return (start, len(a) - end), (start, len(b) - end)


class ValueText(QPlainTextEdit):
    """As high as its text, up to ``ROWS`` lines. Plain text only."""

    def __init__(self, theme: Theme, name: str, parent: QWidget | None = None) -> None:
        """``name`` is its accessible name."""
        super().__init__(parent)
        self._theme = theme
        self._part: tuple[int, int, str] | None = None
        self.setProperty("plain", "true")
        self.setObjectName("value")
        self.setAccessibleName(name)
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(0)
        theme.changed.connect(self._restyle)
        self._restyle()

    def show_value(self, text: str, part: tuple[int, int] | None = None, tone: str = "") -> None:
        """``part`` (in characters) is marked in ``tone``: success or danger."""
        cut = text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
        shown = with_escapes(cut)
        self._part = None
        if part is not None and part[1] <= len(cut):
            start, end = (len(with_escapes(cut[:at])) for at in part)
            if start < end:
                self._part = (units(shown, start), units(shown, end), tone)
        self.setPlainText(shown)
        self._mark()
        self._fit()

    def _mark(self) -> None:
        if self._part is None:
            self.setExtraSelections([])
            return
        start, end, tone = self._part
        cursor = QTextCursor(self.document())
        cursor.setPosition(start)
        cursor.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        look = QTextCharFormat()
        look.setBackground(QColor(self._theme.colour(f"{tone}-bg")))
        look.setForeground(QColor(self._theme.colour(tone)))
        selection = QTextEdit.ExtraSelection()
        selection.cursor, selection.format = cursor, look
        self.setExtraSelections([selection])

    def _restyle(self) -> None:
        self.setFont(self._theme.font("code"))
        self._mark()
        self._fit()

    def _fit(self) -> None:
        rows = max(1, round(self.document().size().height()))
        line = max(self.fontMetrics().lineSpacing(), 1)
        wanted = min(rows, ROWS) * line
        lead = max(0, self._theme.px(tokens()["type"]["code"]["line"]) - line)
        frame = self.height() - self.viewport().height()
        self.setFixedHeight(wanted + lead + max(0, frame))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()
