"""What stands behind the text of a code view: tints of gaps, of the current line and of ranges, and search hits.

Painted for the lines in view only. Qt's extra selections would hold a cursor for each of ten thousand missed lines.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter, QTextLine
from PySide6.QtWidgets import QPlainTextEdit

from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.code_search import TextSearch
from qverify_desktop.ui.widgets.code_text import ShownText, units
from qverify_desktop.ui.widgets.line_states import TINTS, LineState


@dataclass(frozen=True)
class Range:
    """Lines, or part of them, that are tinted. ``token`` is a background colour; columns are characters of the file from
    0 in the first and (exclusive) the last line, ``None`` for whole lines; ``words`` say why, for tooltip and screen reader.
    """

    first: int
    last: int
    token: str = "match-bg"
    words: str = ""
    start: int | None = None
    end: int | None = None


class Ground:
    """Paints rows of one code view. Lines are numbers of the file, rows are rectangles in the viewport or the gutter."""

    def __init__(self, theme: Theme, search: TextSearch) -> None:
        self._theme, self._search = theme, search
        self.content = ShownText()
        self.first_line = 1
        self.coverage: Mapping[int, LineState] = {}
        self.ranges: Sequence[Range] = ()

    def paint_row(self, painter: QPainter, line: int, row: QRect, current: bool, open_left: bool) -> None:
        """The tint of a gap or of the current line. A gap that is current gets an outline; text and gutter each draw
        theirs open towards the other."""
        state = self.coverage.get(line)
        tint = TINTS.get(state.state) if state else None
        if tint is None or state is None:
            if current:
                painter.fillRect(row, self._theme.colour("line-current"))
            return
        painter.fillRect(row, self._theme.colour(tint))
        if current:
            wall, colour = max(1, self._theme.px(1)), self._theme.colour(state.state)
            painter.fillRect(QRect(row.left(), row.top(), row.width(), wall), colour)
            painter.fillRect(QRect(row.left(), row.bottom() - wall + 1, row.width(), wall), colour)
            edge = row.right() - wall + 1 if open_left else row.left()
            painter.fillRect(QRect(edge, row.top(), wall, row.height()), colour)

    def paint_marks(self, painter: QPainter, view: QPlainTextEdit, line: int, row: QRect) -> None:
        """Ranges, then search hits."""
        index = line - self.first_line
        for one in self.ranges:
            if one.first <= line <= one.last:
                self._paint_range(painter, view, one, line, row)
        if not self._search.hits:
            return
        start = self.content.start_of(index)
        for hit in self._search.between(start, self.content.start_of(index + 1)):
            column = hit - start
            rect = self._rect_of(view, index, column, column + len(self._search.wanted), row)
            painter.fillRect(rect, self._theme.colour("match-bg"))

    def _paint_range(self, painter: QPainter, view: QPlainTextEdit, one: Range, line: int, row: QRect) -> None:
        colour, index = self._theme.colour(one.token), line - self.first_line
        start, end = 0, len(self.content.lines[index])
        whole = True
        if one.start is not None and line == one.first:
            start, whole = self.content.shown_column(index, one.start), False
        if one.end is not None and line == one.last:
            end, whole = self.content.shown_column(index, one.end), False
        painter.fillRect(QRectF(row) if whole else self._rect_of(view, index, start, end, row), colour)

    def _rect_of(self, view: QPlainTextEdit, index: int, start: int, end: int, row: QRect) -> QRectF:
        """Where characters of a line stand."""
        text, block = self.content.lines[index], view.document().findBlockByNumber(index)
        view.blockBoundingRect(block)  # lays the line out
        line = block.layout().lineAt(0)
        left, right = (_x_of(line, units(text, column)) for column in (start, end))
        return QRectF(left + view.contentOffset().x(), row.top(), right - left, row.height())


def _x_of(line: QTextLine, unit: int) -> float:
    # PySide answers a pair, the place and the unit that it stands before; its stub says ``object``.
    pair = cast("tuple[float, int]", line.cursorToX(unit))
    return pair[0]
