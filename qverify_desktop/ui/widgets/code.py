"""Source code to read: numbers, colours, coverage, marked ranges, search, a cursor for the keyboard. Nothing can be changed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence

from PySide6.QtCore import QEvent, QRect, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextCursor,
    QTextDocument,
    QWheelEvent,
)
from PySide6.QtWidgets import QMenu, QPlainTextEdit, QWidget

from qverify_desktop.ui.actions import shown_keys
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.code_colours import CodeColours
from qverify_desktop.ui.widgets.code_ground import Ground, Range
from qverify_desktop.ui.widgets.code_search import TextSearch
from qverify_desktop.ui.widgets.code_text import TAB, ShownText, column_of, units
from qverify_desktop.ui.widgets.even_lines import EvenLines
from qverify_desktop.ui.widgets.gutter import Gutter
from qverify_desktop.ui.widgets.line_states import LineState, gap_after, gap_before, words_of
from qverify_desktop.ui.widgets.slices import Slices

#: Lines that are put into the document at once; a longer file comes in pieces between events.
AT_ONCE = 4000
PIECE = 1000
#: Space around the text, pixels at 100 %.
MARGIN = 8
COPY_WITH_RANGE = "Ctrl+Shift+C"
_NO_LIMIT = 16_777_215  # QWIDGETSIZE_MAX


class CodeView(QPlainTextEdit):
    """A source file or a part of one. Lines are numbered as in the file, from ``first_line`` on.

    ``line_changed`` carries the line of the cursor, ``found`` the place of the chosen hit (from 1, 0 for none) and how
    many hits there are; ``marked`` says that text or coverage changed.
    """

    line_changed = Signal(int)
    found = Signal(int, int)
    marked = Signal()

    def __init__(self, theme: Theme, name: str = "", parent: QWidget | None = None) -> None:
        """``name`` is its accessible name."""
        super().__init__(parent)
        self._theme = theme
        self.current_line = 1
        self._file = ""
        self._content = ShownText()
        self._wanted_line = 0
        self._most_rows = 0
        self._filling = Slices(self)
        self._search = TextSearch(self)
        self._ground = Ground(theme, self._search)
        self._layout = self._make_document()
        self._colours = CodeColours(theme, self)
        self.gutter = Gutter(theme, self)
        self.setObjectName("code")
        self.setAccessibleName(name or tr("Source code"))
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        self.setAcceptDrops(False)
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.updateRequest.connect(self._follow_scrolling)
        self.cursorPositionChanged.connect(self._cursor_moved)
        self.horizontalScrollBar().rangeChanged.connect(self._fit)
        theme.changed.connect(self._restyle)
        self._restyle()

    def _make_document(self) -> EvenLines:
        document = QTextDocument(self)
        document.setUndoRedoEnabled(False)
        layout = EvenLines(document)
        document.setDocumentLayout(layout)
        self.setDocument(document)
        return layout

    # What a page does

    def show_code(self, text: str, language: str = "", first_line: int = 1, file: str = "") -> None:
        """Show a text from its top. ``language`` as the engine names it (colours), ``file`` is told when lines are copied."""
        self._filling.stop()
        self._search.clear()
        self._content = self._ground.content = ShownText(text)
        self._ground.first_line = self.current_line = first_line
        self._ground.coverage, self._ground.ranges = {}, ()
        self._file, self._wanted_line = file, 0
        lines = self._content.lines
        self.setPlainText("\n".join(lines[:AT_ONCE]))
        self._place_gutter()
        self._colours.begin(self._content, language)
        self._filling.run(self._fill(lines), self._filled, now=len(lines) <= AT_ONCE)
        self._cursor_moved()
        self.found.emit(0, 0)
        self.marked.emit()

    def show_coverage(self, coverage: Mapping[int, LineState]) -> None:
        """The states of executable lines by line; empty hides the bars."""
        self._ground.coverage = coverage
        self._place_gutter()
        self._say_line()
        self._repaint()
        self.marked.emit()

    def show_ranges(self, ranges: Sequence[Range]) -> None:
        """Tint these parts and no others."""
        self._ground.ranges = tuple(ranges)
        self._say_line()
        self._repaint()

    def go_to_line(self, line: int) -> None:
        """Put the cursor there and bring it into view, with lines around it; a line that is not there is the nearest one."""
        index = max(0, min(line - self.first_line, self.line_count - 1))
        if index < self.document().blockCount():
            self._go_to(index, 0, 0)
        else:
            self._wanted_line = line  # the file is still coming

    def next_gap(self) -> int | None:
        """Go to the next gap in coverage, from the last to the first. Answers its line, ``None`` without a gap."""
        return self._go_to_gap(gap_after(self.coverage, self.current_line))

    def previous_gap(self) -> int | None:
        """Like ``next_gap``, backwards."""
        return self._go_to_gap(gap_before(self.coverage, self.current_line))

    def _go_to_gap(self, line: int | None) -> int | None:
        if line is not None:
            self.go_to_line(line)
        return line

    def search(self, wanted: str) -> None:
        """Mark all places of some words and choose the first from the cursor on; ``found`` follows. Empty ends it."""
        self._search.run(wanted, self._content, self._searched)

    def search_next(self) -> None:
        """Choose the next hit, from the last to the first."""
        self._choose_hit(bisect_right(self._search.hits, self._offset()))

    def search_previous(self) -> None:
        """Choose the hit before, from the first to the last."""
        self._choose_hit(bisect_left(self._search.hits, self._offset()) - 1)

    def select_lines(self, first: int, last: int) -> None:
        """Select whole lines; the cursor is at the end of the one named last."""
        low, high = sorted((first, last))
        document = self.document()
        block, other = (document.findBlockByNumber(line - self.first_line) for line in (low, high))
        if not block.isValid() or not other.isValid():
            return
        places = [block.position(), other.position() + other.length() - 1]
        if last < first:
            places.reverse()
        cursor = self.textCursor()
        cursor.setPosition(places[0])
        cursor.setPosition(places[1], QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def selected_lines(self) -> tuple[int, int]:
        """First and last line of the selection, or twice the current line."""
        cursor, document = self.textCursor(), self.document()
        first, last = document.findBlock(cursor.selectionStart()), document.findBlock(cursor.selectionEnd())
        if last != first and cursor.selectionEnd() == last.position():
            last = last.previous()
        return first.blockNumber() + self.first_line, last.blockNumber() + self.first_line

    def copy_with_range(self) -> None:
        """Copy the selected lines, whole, below a line that says where they stand: ``offset.py:41-48``."""
        first, last = self.selected_lines()
        where = str(first) if first == last else f"{first}-{last}"
        head = f"{self._file}:{where}" if self._file else tr("Lines {range}", range=where)
        lines = self._content.lines[first - self.first_line : last - self.first_line + 1]
        QGuiApplication.clipboard().setText("\n".join((head, *lines)))

    def fit_rows(self, most: int) -> None:
        """Be as high as the text, up to ``most`` lines, instead of scrolling; 0 takes it back."""
        self._most_rows = most
        self.setMinimumHeight(0)
        self.setMaximumHeight(_NO_LIMIT)
        self._fit()

    # What gutter and overview strip ask

    @property
    def coverage(self) -> Mapping[int, LineState]:
        return self._ground.coverage

    @property
    def row_height(self) -> int:
        """Pixels of a line."""
        return self._layout.line_height

    @property
    def first_line(self) -> int:
        return self._ground.first_line

    @property
    def line_count(self) -> int:
        return len(self._content.lines)

    @property
    def last_line(self) -> int:
        return self.first_line + self.line_count - 1

    def rows_on_screen(self) -> Iterator[tuple[int, int]]:
        """(line, top in the viewport) of all lines that are in view."""
        block = self.firstVisibleBlock()
        top = (
            round(self.blockBoundingGeometry(block).translated(self.contentOffset()).top()) if block.isValid() else 0
        )
        for index in range(max(0, block.blockNumber()), min(self.document().blockCount(), self.line_count)):
            if top >= self.viewport().height():
                return
            yield self.first_line + index, top
            top += self.row_height

    def line_at(self, y: int) -> int:
        """The line at a height of the viewport, 0 for none."""
        return next((line for line, top in self.rows_on_screen() if top <= y < top + self.row_height), 0)

    def words_of(self, line: int) -> str:
        """What is said of a line: its coverage and the words of its ranges. Empty when there is nothing to say."""
        state = self.coverage.get(line)
        words = [words_of(line, state)] if state else []
        words += [one.words for one in self._ground.ranges if one.words and one.first <= line <= one.last]
        return " ".join(words)

    def paint_row(self, painter: QPainter, line: int, row: QRect, open_left: bool) -> None:
        """The ground of a line, in the text or, ``open_left`` false, in the gutter."""
        self._ground.paint_row(painter, line, row, line == self.current_line, open_left)

    def finish(self) -> None:
        """Do at once what goes on in slices: filling, colours, search."""
        self._filling.finish()
        self._colours.finish()
        self._search.finish()

    # Events

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        for line, top in self.rows_on_screen():
            row = QRect(0, top, self.viewport().width(), self.row_height)
            self.paint_row(painter, line, row, open_left=True)
            self._ground.paint_marks(painter, self, line, row)
        painter.end()
        super().paintEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_gutter()
        self._colours.show_visible()

    def event(self, event: QEvent) -> bool:
        override = event.type() is QEvent.Type.ShortcutOverride
        if override and isinstance(event, QKeyEvent) and _copies_with_range(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if _copies_with_range(event):
            self.copy_with_range()
        else:
            super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        # QPlainTextEdit would zoom its own font; zoom is the window's.
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
        else:
            super().wheelEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        copy = menu.addAction(f"{tr('Copy')}\t{shown_keys('Ctrl+C')}", self.copy)
        copy.setEnabled(self.textCursor().hasSelection())
        menu.addAction(f"{tr('Copy lines with their place')}\t{shown_keys(COPY_WITH_RANGE)}", self.copy_with_range)
        menu.addSeparator()
        menu.addAction(f"{tr('Select all')}\t{shown_keys('Ctrl+A')}", self.selectAll)
        keyboard = event.reason() is QContextMenuEvent.Reason.Keyboard
        menu.popup(self.viewport().mapToGlobal(self.cursorRect().bottomLeft()) if keyboard else event.globalPos())
        event.accept()

    # How

    def _fill(self, lines: Sequence[str]) -> Iterator[None]:
        for start in range(AT_ONCE, len(lines), PIECE):
            cursor = QTextCursor(self.document())
            cursor.movePosition(QTextCursor.MoveOperation.End)
            cursor.insertText("\n" + "\n".join(lines[start : start + PIECE]))
            yield

    def _filled(self) -> None:
        if self._wanted_line:
            wanted, self._wanted_line = self._wanted_line, 0
            self.go_to_line(wanted)
        self._fit()

    def _go_to(self, index: int, column: int, length: int) -> None:
        """Put the cursor at a place, with so many characters selected; in the middle unless it was well in view."""
        text, block = self._content.lines[index], self.document().findBlockByNumber(index)
        shown = [line - self.first_line for line, _ in self.rows_on_screen()]
        well_in_view = index in shown[2:-3] or (index in shown[:2] and shown[0] == 0)
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + units(text, column))
        cursor.setPosition(block.position() + units(text, column + length), QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)
        if not well_in_view:
            self.centerCursor()

    def _offset(self) -> int:
        """Where the selection begins, as an offset in the shown text."""
        cursor = self.textCursor()
        block = self.document().findBlock(cursor.selectionStart())
        line = self._content.lines[block.blockNumber()]
        within = column_of(line, cursor.selectionStart() - block.position())
        return self._content.start_of(block.blockNumber()) + within

    def _searched(self) -> None:
        hits = self._search.hits
        if hits:
            self._choose_hit(bisect_left(hits, self._offset()))
        else:
            self.found.emit(0, 0)
        self._repaint()

    def _choose_hit(self, which: int) -> None:
        hits = self._search.hits
        if not hits:
            return
        which %= len(hits)
        index, column = self._content.place(hits[which])
        if index < self.document().blockCount():
            self._go_to(index, column, len(self._search.wanted))
        self.found.emit(which + 1, len(hits))

    def _cursor_moved(self) -> None:
        line = self.textCursor().blockNumber() + self.first_line
        moved, self.current_line = line != self.current_line, line
        self._say_line()
        self._repaint()
        if moved:
            self.line_changed.emit(line)

    def _say_line(self) -> None:
        line = self.current_line
        self.setAccessibleDescription(self.words_of(line) or tr("Line {line}", line=f"{line:,}"))

    def _follow_scrolling(self, rect: QRect, dy: int) -> None:
        if dy:
            self._colours.show_visible()
        self.gutter.update()

    def _repaint(self) -> None:
        self.viewport().update()
        self.gutter.update()

    def _place_gutter(self) -> None:
        width = self.gutter.wanted_width()
        if self.viewportMargins().left() != width:
            self.setViewportMargins(width, 0, 0, 0)
        inside = self.viewport().geometry()
        self.gutter.setGeometry(inside.left() - width, inside.top(), width, inside.height())

    def _restyle(self) -> None:
        theme, metrics = self._theme, self._theme.metrics("code")
        self._layout.line_height = theme.px(tokens()["type"]["code"]["line"])
        self._layout.baseline = (self._layout.line_height - metrics.height()) / 2 + metrics.ascent()
        self.setFont(theme.font("code"))
        self.setTabStopDistance(TAB * metrics.horizontalAdvance(" "))
        self.setCursorWidth(max(1, theme.px(2)))
        document = self.document()
        document.setDocumentMargin(theme.px(MARGIN))
        document.markContentsDirty(0, document.characterCount())
        self._place_gutter()
        self._colours.restyle()
        self._fit()
        self._repaint()

    def _fit(self) -> None:
        if not self._most_rows:
            return
        rows = min(self._most_rows, max(1, self.line_count))
        bar = self.horizontalScrollBar()
        height = rows * self.row_height + 2 * self._theme.px(MARGIN) + 2 * self.frameWidth()
        self.setFixedHeight(height + (bar.sizeHint().height() if bar.maximum() > 0 else 0))


def _copies_with_range(event: QKeyEvent) -> bool:
    return QKeySequence(event.keyCombination()) == QKeySequence(COPY_WITH_RANGE)
