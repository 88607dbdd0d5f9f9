"""A diff to read: a heading for each file, signs and tints, folding, search. Nothing can be changed."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from PySide6.QtCore import QModelIndex, QRect, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.code_text import shown_in_row
from qverify_desktop.ui.widgets.diff_model import DiffModel, DiffRow, status_words
from qverify_desktop.ui.widgets.line_table import Index, LineDelegate, LineTable, search_pattern
from qverify_desktop.ui.widgets.slices import STEP, Slices
from qverify_desktop.ui.widgets.unified_diff import Kind

_TINTS = {Kind.ADDED: "diff-add-bg", Kind.REMOVED: "diff-del-bg", Kind.HUNK: "line-current"}
_SIGN_TOKENS = {Kind.ADDED: "success", Kind.REMOVED: "danger"}


class DiffView(LineTable):
    """A unified diff. Enter or a click on a heading folds its file, Left and Right fold and unfold from anywhere in it.

    ``counted`` carries how many files, added and removed lines there are; ``file_changed`` the path of the file that
    the current row belongs to; ``found`` the place of the chosen hit and how many there are; ``copied`` how many rows.
    """

    counted = Signal(int, int, int)
    file_changed = Signal(str)
    found = Signal(int, int)
    copied = Signal(int)

    def __init__(self, theme: Theme, name: str = "", parent: QWidget | None = None) -> None:
        """``name`` is its accessible name."""
        self.rows = DiffModel()
        self._hits: list[int] = []
        self._file = -1
        self._pressed = -1
        super().__init__(theme, name or tr("Changes"), parent)
        self.rows.setParent(self)
        self._slices = Slices(self)
        self._lines = DiffDelegate(theme, self)
        self.setItemDelegate(self._lines)
        self.setModel(self.rows)
        self.rows.rowsInserted.connect(self._inserted)
        self.rows.modelReset.connect(self._measure_all)
        self.rows.read.connect(self._read)
        self.copy_wanted.connect(self.copy_selected)

    # What a page does

    def show_diff(self, text: str) -> None:
        """Show another diff from its top; ``counted`` follows when all of it was read."""
        self._slices.stop()
        self._hits, self._file = [], -1
        self.forget_width()
        self.rows.show_diff(text)

    def next_file(self) -> str:
        """Go to the heading of the next file, from the last to the first; answers its path, empty without files."""
        return self._go_to_file(self.rows.file_of(self._row()) + 1)

    def previous_file(self) -> str:
        """Go to the heading of this file or, when one is there, of the file before."""
        file = self.rows.file_of(self._row())
        at_heading = file >= 0 and self.rows.place_of(self._row()) == self.rows.diff.files[file].first
        return self._go_to_file(file - 1 if at_heading or file < 0 else file)

    def go_to_file(self, path: str) -> bool:
        """Go to the heading of a file; answers whether it is part of the diff."""
        found = next((number for number, one in enumerate(self.rows.diff.files) if one.path == path), -1)
        return found >= 0 and bool(self._go_to_file(found))

    def fold_all(self, on: bool) -> None:
        """Show only headings, or everything."""
        files, file = self.rows.diff.files, self.rows.file_of(self._row())
        # The header would give the heights of these rows to whatever stands there after the reset.
        for row in self.rows.headings(0, self.rows.rowCount() - 1):
            self.verticalHeader().resizeSection(row, self.row_height)
        self.rows.fold_all(on)
        if file >= 0:
            self.choose(self.rows.row_of(files[file].first))

    def search(self, wanted: str) -> None:
        """Mark these words and choose the first row from here on that has them; ``found`` follows. Empty ends it."""
        self._slices.stop()
        self._hits = []
        self._lines.pattern = search_pattern(wanted)
        self.viewport().update()
        if not wanted:
            self.found.emit(0, 0)
            return
        self._slices.run(self._look_through(), self._searched)

    def search_next(self) -> None:
        """The next row that has the words, after the last the first. A folded file is unfolded."""
        self._choose_hit(bisect_right(self._hits, self.rows.place_of(self._row())))

    def search_previous(self) -> None:
        self._choose_hit(bisect_left(self._hits, self.rows.place_of(self._row())) - 1)

    def copy_selected(self) -> None:
        """Put the selected rows on the clipboard, with their signs."""
        rows = [self.rows.row_at(row) for first, last in self.selected_rows() for row in range(first, last + 1)]
        if rows:
            QGuiApplication.clipboard().setText("\n".join(_copied(row) for row in rows))
            self.copied.emit(len(rows))

    # How

    def _row(self) -> int:
        return self.currentIndex().row()

    def _go_to_file(self, file: int) -> str:
        files = self.rows.diff.files
        if not files:
            return ""
        one = files[file % len(files)]
        row = self.rows.row_of(one.first)
        self.choose(row)
        self.scrollTo(self.rows.index(row), self.ScrollHint.PositionAtTop)
        return one.path

    def _look_through(self) -> Iterator[None]:
        diff, pattern = self.rows.diff, self._lines.pattern
        for start in range(0, len(diff), STEP):
            for place in range(start, min(len(diff), start + STEP)):
                heading = diff.kinds[place] == Kind.FILE
                text = diff.files[diff.owners[place]].path if heading else diff.texts[place]
                if pattern is not None and pattern.search(shown_in_row(text)):
                    self._hits.append(place)
            yield

    def _searched(self) -> None:
        if self._hits:
            self._choose_hit(bisect_left(self._hits, max(0, self.rows.place_of(self._row()))))
        else:
            self.found.emit(0, 0)

    def _choose_hit(self, which: int) -> None:
        if not self._hits:
            return
        which %= len(self._hits)
        place = self._hits[which]
        if self.rows.row_of(place) < 0:
            self.rows.fold(self.rows.diff.owners[place], False)
        self.choose(self.rows.row_of(place))
        self.found.emit(which + 1, len(self._hits))

    def _inserted(self, parent: QModelIndex, first: int, last: int) -> None:
        height = self._theme.px(tokens()["row"]["comfortable"])
        for row in self.rows.headings(first, last):
            self.verticalHeader().resizeSection(row, height)
        longest = shown_in_row(self.rows.diff.longest_text)
        self.widen(
            self._lines.text_left() + self._theme.metrics("code").horizontalAdvance(longest) + self._theme.px(16)
        )

    def _measure_all(self) -> None:
        if self.rows.rowCount():
            self._inserted(QModelIndex(), 0, self.rows.rowCount() - 1)

    def _read(self) -> None:
        files = self.rows.diff.files
        self.counted.emit(len(files), sum(one.added for one in files), sum(one.removed for one in files))
        self.viewport().update()

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        file = self.rows.file_of(current.row())
        if file != self._file:
            self._file = file
            if file >= 0:
                self.file_changed.emit(self.rows.diff.files[file].path)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        plain = event.button() is Qt.MouseButton.LeftButton and event.modifiers() == Qt.KeyboardModifier.NoModifier
        self._pressed = self.rowAt(event.position().toPoint().y()) if plain else -1

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        row, self._pressed = self._pressed, -1
        if row >= 0 and row == self.rowAt(event.position().toPoint().y()):
            self._turn(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        row, key = self._row(), event.key()
        file = self.rows.file_of(row)
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._turn(row):
            return
        if key == Qt.Key.Key_Left and file >= 0 and not self.horizontalScrollBar().value():
            self.choose(self.rows.row_of(self.rows.diff.files[file].first))
            self.rows.fold(file, True)
        elif key == Qt.Key.Key_Right and file >= 0 and self.rows.is_folded(file):
            self.rows.fold(file, False)
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            bar = self.horizontalScrollBar()
            bar.setValue(bar.value() + self._theme.px(40) * (1 if key == Qt.Key.Key_Right else -1))
        else:
            super().keyPressEvent(event)

    def _turn(self, row: int) -> bool:
        """Fold or unfold the file whose heading this row is; answers whether it is one."""
        file = self.rows.file_of(row)
        if file < 0 or self.rows.place_of(row) != self.rows.diff.files[file].first:
            return False
        self.rows.fold(file, not self.rows.is_folded(file))
        return True

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self.rows.rowCount() and not self.rows.reading:
            painter = QPainter(self.viewport())
            rect = self.viewport().rect().adjusted(self._theme.px(16), 0, -self._theme.px(16), 0)
            painting.text(
                painter, self._theme, rect, tr("Nothing is changed."), "body", "text-muted", painting.CENTRE
            )

    def _restyle(self) -> None:
        super()._restyle()
        self._measure_all()


class DiffDelegate(LineDelegate):
    """Rows: the numbers of both sides, the sign and the text; a heading with what happened to its file."""

    def text_left(self) -> int:
        """Where a line's text begins, before it is scrolled sideways."""
        return self._sign_left() + self._theme.px(20)

    def _number_width(self) -> int:
        largest = max(999, self._view.rows.diff.largest_number if isinstance(self._view, DiffView) else 0)
        return self._theme.metrics("code").horizontalAdvance("0" * len(str(largest))) + 2

    def _sign_left(self) -> int:
        return self._theme.px(8 + 8 + 12) + 2 * self._number_width()

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        model = index.model()
        if not isinstance(model, DiffModel):
            return
        row = model.row_at(index.row())
        painter.save()
        if row.kind is Kind.FILE:
            self._paint_heading(painter, option, row)
        else:
            self._paint_line(painter, option, row)
        self.paint_ring(painter, option, index)
        painter.restore()

    def _paint_line(self, painter: QPainter, option: QStyleOptionViewItem, row: DiffRow) -> None:
        theme, across, number = self._theme, self.across(option), self._number_width()
        whole: QRect = option.rect
        ground = "selection" if self.is_selected(option) else _TINTS.get(row.kind, "surface-sunken")
        painter.fillRect(across, theme.colour(ground))
        left = self._sign_left() if row.kind in (Kind.HUNK, Kind.NOTE) else self.text_left()
        painter.setClipRect(across.adjusted(left, 0, 0, 0))
        token = "text-muted" if row.kind in (Kind.HUNK, Kind.NOTE) else "syntax-text"
        self.paint_code(painter, whole.adjusted(left, 0, 0, 0), shown_in_row(row.text), token)
        painter.setClipping(False)
        for at, line in ((theme.px(8), row.old), (theme.px(16) + number, row.new)):
            if line:
                cell = QRect(at, across.top(), number, across.height())
                painting.text(painter, theme, cell, str(line), "code", "line-number", painting.RIGHT)
        if row.sign:
            cell = across.adjusted(self._sign_left(), 0, 0, 0)
            painting.text(painter, theme, cell, row.sign, "code-strong", _SIGN_TOKENS[row.kind])

    def _paint_heading(self, painter: QPainter, option: QStyleOptionViewItem, row: DiffRow) -> None:
        theme, px, rect, file = self._theme, self._theme.px, self.across(option), row.file
        painter.fillRect(rect, theme.colour("selection" if self.is_selected(option) else "surface"))
        painting.underline(painter, theme, rect)
        if rect.top() > 0:
            painting.underline(painter, theme, QRect(0, rect.top(), rect.width(), 1))
        chevron = "chevron-right" if row.folded else "chevron-down"
        painting.icon(painter, theme, chevron, "text-muted", px(8), rect.top() + (rect.height() - px(16)) / 2)
        right = rect.right() - px(16)
        for count, sign, token in ((file.removed, "−", "danger"), (file.added, "+", "success")):
            if count:
                words = f"{sign}{count:,}"
                width = painting.width_of(theme, words, "small") + px(2)
                cell = QRect(right - width, rect.top(), width, rect.height())
                painting.text(painter, theme, cell, words, "small", token, painting.RIGHT)
                right -= width + px(8)
        status = status_words(file)
        room = right - px(32) - px(8)
        status_width = min(painting.width_of(theme, status, "small") + px(12), room // 2) if status else 0
        name = QRect(px(32), rect.top(), room - status_width, rect.height())
        used = painting.text(
            painter, theme, name, shown_in_row(file.path), "code-strong", "text", painting.LEFT, painting.MIDDLE
        )
        if status:
            cell = QRect(name.left() + used + px(12), rect.top(), status_width - px(12), rect.height())
            painting.text(painter, theme, cell, status, "small", "text-muted", painting.LEFT, painting.MIDDLE)


def _copied(row: DiffRow) -> str:
    if row.kind is Kind.FILE:
        return shown_in_row(row.file.path)
    sign = {Kind.ADDED: "+", Kind.REMOVED: "-", Kind.SAME: " "}.get(row.kind, "")
    return sign + shown_in_row(row.text)
