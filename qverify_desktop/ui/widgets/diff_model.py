"""Rows of a diff for a view: files that can be folded, and rows that appear while the diff is still being read."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, Signal

from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.widgets.code_text import shown_in_row
from qverify_desktop.ui.widgets.line_table import Index
from qverify_desktop.ui.widgets.slices import Slices
from qverify_desktop.ui.widgets.unified_diff import FileDiff, Kind, UnifiedDiff

#: Diffs up to so many characters are read at once.
AT_ONCE = 40_000
_SIGNS = {Kind.ADDED: "+", Kind.REMOVED: "−"}
_STATUS = {
    "added": later("new file"),
    "deleted": later("deleted"),
    "renamed": later("renamed from {old}"),
    "binary": later("binary"),
}


class DiffRow(NamedTuple):
    """A row as it is painted and spoken. ``place`` counts all rows of the diff, folded ones too."""

    place: int
    kind: Kind
    text: str
    old: int
    new: int
    file: FileDiff
    folded: bool

    @property
    def sign(self) -> str:
        return _SIGNS.get(self.kind, "")


def status_words(file: FileDiff) -> str:
    """What happened to a file, empty for an ordinary change."""
    words = _STATUS.get(file.status)
    return tr(words, old=shown_in_row(file.old_path)) if words else ""


class DiffModel(QAbstractListModel):
    """``read`` is emitted when the whole diff is there."""

    read = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.diff = UnifiedDiff()
        self._folded: set[int] = set()
        self._shown = array("l")
        self._known = 0
        self._slices = Slices(self)

    def show_diff(self, text: str) -> None:
        """Read another diff. Rows come as they are read."""
        self._slices.stop()
        self.beginResetModel()
        self.diff, self._folded, self._shown, self._known = UnifiedDiff(), set(), array("l"), 0
        self.endResetModel()
        self._slices.run(self._read(text), self._finished, now=len(text) <= AT_ONCE)

    def finish(self) -> None:
        """Read the rest now."""
        self._slices.finish()

    @property
    def reading(self) -> bool:
        return self._slices.busy

    def _read(self, text: str) -> Iterator[None]:
        for _ in self.diff.parse(text):
            self._take_new()
            yield

    def _finished(self) -> None:
        self._take_new()
        self.read.emit()

    def _take_new(self) -> None:
        diff, known = self.diff, self._known
        self._known = len(diff)
        new = [
            place
            for place in range(known, len(diff))
            if diff.kinds[place] == Kind.FILE or diff.owners[place] not in self._folded
        ]
        if new:
            self.beginInsertRows(QModelIndex(), len(self._shown), len(self._shown) + len(new) - 1)
            self._shown.extend(new)
            self.endInsertRows()

    # Folding

    def is_folded(self, file: int) -> bool:
        return file in self._folded

    def fold(self, file: int, on: bool) -> None:
        """Hide or show the rows of a file, by its number; its heading stays."""
        if not 0 <= file < len(self.diff.files) or on == (file in self._folded):
            return
        one = self.diff.files[file]
        end = one.end or self._known
        heading = bisect_left(self._shown, one.first)
        rows = end - one.first - 1
        if on:
            self._folded.add(file)
        else:
            self._folded.discard(file)
        if rows > 0 and on:
            self.beginRemoveRows(QModelIndex(), heading + 1, heading + rows)
            del self._shown[heading + 1 : heading + 1 + rows]
            self.endRemoveRows()
        elif rows > 0:
            self.beginInsertRows(QModelIndex(), heading + 1, heading + rows)
            self._shown[heading + 1 : heading + 1] = array("l", range(one.first + 1, end))
            self.endInsertRows()
        index = self.index(heading)
        self.dataChanged.emit(index, index)

    def fold_all(self, on: bool) -> None:
        """Hide or show the rows of all files. The model is reset."""
        self.beginResetModel()
        files = self.diff.files
        self._folded = set(range(len(files))) if on else set()
        self._shown = array("l", (one.first for one in files) if on else range(self._known))
        self.endResetModel()

    def headings(self, first: int, last: int) -> Iterator[int]:
        """The rows from ``first`` to ``last`` that are headings."""
        files = self.diff.files
        begin = bisect_left(files, self.place_of(first), key=lambda one: one.first)
        for one in files[begin:]:
            row = self.row_of(one.first)
            if row > last:
                return
            yield row

    # Places

    def row_of(self, place: int) -> int:
        """The row that shows a place of the diff, -1 while its file is folded."""
        row = bisect_left(self._shown, place)
        return row if row < len(self._shown) and self._shown[row] == place else -1

    def place_of(self, row: int) -> int:
        """The place in the diff of a row, -1 for no row."""
        return self._shown[row] if 0 <= row < len(self._shown) else -1

    def file_of(self, row: int) -> int:
        """The number of the file that a row belongs to, -1 for no row."""
        return self.diff.owners[self._shown[row]] if 0 <= row < len(self._shown) else -1

    def row_at(self, row: int) -> DiffRow:
        """What a row shows."""
        diff, place = self.diff, self._shown[row]
        owner = diff.owners[place]
        return DiffRow(
            place,
            Kind(diff.kinds[place]),
            diff.texts[place],
            diff.old[place],
            diff.new[place],
            diff.files[owner],
            owner in self._folded,
        )

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._shown):
            return None
        row = self.row_at(index.row())
        if role == Qt.ItemDataRole.DisplayRole:
            return shown_in_row(row.file.path if row.kind is Kind.FILE else row.text)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _spoken(row)
        if role == Qt.ItemDataRole.ToolTipRole and row.kind is Kind.FILE:
            return shown_in_row(row.file.path)
        return None


def _spoken(row: DiffRow) -> str:
    text = shown_in_row(row.text)
    if row.kind is Kind.FILE:
        parts = [shown_in_row(row.file.path), status_words(row.file)]
        parts.append(trn("{n} line added", "{n} lines added", row.file.added) if row.file.added else "")
        parts.append(trn("{n} line removed", "{n} lines removed", row.file.removed) if row.file.removed else "")
        parts.append(tr("folded") if row.folded else tr("unfolded"))
        return ", ".join(part for part in parts if part)
    if row.kind is Kind.ADDED:
        return tr("Added, line {line}: {words}", line=f"{row.new:,}", words=text)
    if row.kind is Kind.REMOVED:
        return tr("Removed, line {line}: {words}", line=f"{row.old:,}", words=text)
    return tr("Line {line}: {words}", line=f"{row.new:,}", words=text) if row.kind is Kind.SAME else text
