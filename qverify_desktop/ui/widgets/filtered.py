"""The model below every list and table: values of one kind, filtered and sorted in slices, changed as little as possible.

A selection stays whatever happens: rows are inserted and removed where few differ, moved where only their order
differs, and after a reset ``KeepSelection`` (every view of this package has one) finds the selected values again by key.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from PySide6.QtCore import (
    QAbstractTableModel,
    QItemSelection,
    QItemSelectionModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)
from PySide6.QtWidgets import QAbstractItemView

from qverify_desktop.ui.widgets.filter_field import EVERYTHING, Filter
from qverify_desktop.ui.widgets.slices import STEP, Slices, sort_in_steps

Index = QModelIndex | QPersistentModelIndex
#: The value of a row as Qt gives it: a dictionary comes as a copy. ``model.value_of(index)`` gives the value itself.
VALUE = Qt.ItemDataRole.UserRole
#: Up to so many values are filtered and sorted at once, so that a short list does not flicker.
AT_ONCE = 2000
#: More separate changes than this are cheaper as a reset.
MOST_RANGES = 64
#: Lists longer than this are not compared value by value.
MOST_COMPARED = 20_000

T = TypeVar("T")
Range = tuple[int, int]


class FilteredModel(QAbstractTableModel, Generic[T]):
    """Values with a filter, a predicate and an order.

    ``key`` identifies a value through time (an id); ``text`` gives what the filter's words are looked for in. ``arranged``
    is emitted with the numbers of shown and of all values after anything of it changed.
    """

    arranged = Signal(int, int)

    def __init__(self, key: Callable[[T], Hashable], text: Callable[[T], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._key, self._text = key, text
        self._values: Sequence[T] = ()
        self._texts: list[str] = []
        self._shown: list[T] = []
        self._keys: list[Hashable] = []
        self._filter = EVERYTHING
        self._accepts: Callable[[T], bool] | None = None
        self._sort_key: Callable[[T], Any] | None = None
        self._descending = False
        self._next: tuple[list[T], list[Hashable]] = ([], [])
        self._slices = Slices(self)

    # What a page does

    def fill(self, values: Sequence[T]) -> None:
        """Show these values. What is selected stays selected if it is still among them."""
        self._values, self._texts = values, []
        self._arrange()

    def set_filter(self, wanted: Filter) -> None:
        """Show values whose text matches; connect it to ``FilterField.filtered``."""
        if wanted != self._filter:
            self._filter = wanted
            self._arrange()

    def set_accepts(self, accepts: Callable[[T], bool] | None) -> None:
        """Show only values for which ``accepts`` is true (chips); ``None`` shows all. It must be quick."""
        self._accepts = accepts
        self._arrange()

    def sort_by(self, key: Callable[[T], Any] | None, descending: bool = False) -> None:
        """Stable; values whose key is ``None`` come last. ``None`` for the order that they were filled in."""
        self._sort_key, self._descending = key, descending
        self._arrange()

    def finish(self) -> None:
        """Filter and sort to the end now."""
        self._slices.finish()

    @property
    def values(self) -> Sequence[T]:
        """All values, shown or not."""
        return self._values

    @property
    def shown(self) -> Sequence[T]:
        """The values that are shown, in their order."""
        return self._shown

    def value_at(self, row: int) -> T:
        return self._shown[row]

    def value_of(self, index: Index) -> T | None:
        """The value at an index, ``None`` at an invalid one."""
        return self._shown[index.row()] if index.isValid() else None

    def key_at(self, row: int) -> Hashable:
        return self._keys[row]

    def row_of(self, key: Hashable) -> int:
        """The row of a value by its key, -1 when it is not shown."""
        try:
            return self._keys.index(key)
        except ValueError:
            return -1

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Subclasses answer the other roles."""
        return self._shown[index.row()] if role == VALUE and index.isValid() else None

    # How

    def _arrange(self) -> None:
        self._slices.run(self._arrangement(), self._take, now=len(self._values) <= AT_ONCE)

    def _arrangement(self) -> Iterator[None]:
        values: Sequence[T] = self._values
        if not self._filter.empty or self._accepts is not None:
            chosen: list[T] = []
            yield from self._choose(values, chosen)
            values = chosen
        if self._sort_key is not None:
            ordered: list[T] = []
            yield from sort_in_steps(values, self._sort_key, self._descending, ordered)
            values = ordered
        keys: list[Hashable] = []
        for start in range(0, len(values), STEP):
            keys.extend(map(self._key, values[start : start + STEP]))
            yield
        self._next = (list(values), keys)

    def _choose(self, values: Sequence[T], into: list[T]) -> Iterator[None]:
        accepts, matches = self._accepts, self._filter.matches_lower
        for start in range(0, len(values), STEP):
            part: Sequence[T] = values[start : start + STEP]
            if not self._filter.empty:
                while len(self._texts) < start + len(part):
                    self._texts.append(self._text(values[len(self._texts)]).casefold())
                texts = self._texts[start : start + len(part)]
                part = [value for value, text in zip(part, texts, strict=True) if matches(text)]
            into.extend(part if accepts is None else filter(accepts, part))
            yield

    def _take(self) -> None:
        (values, keys), self._next = self._next, ([], [])
        before = len(self._keys)
        if keys == self._keys:
            self._change(values)
        elif not before or (len(keys) > before and keys[:before] == self._keys):
            self._change(values[:before])
            self._insert([(before, len(keys))], values, keys)
        elif not self._take_changes(values, keys):
            self.beginResetModel()
            self._shown, self._keys = values, keys
            self.endResetModel()
        self.arranged.emit(len(self._shown), len(self._values))

    def _take_changes(self, values: list[T], keys: list[Hashable]) -> bool:
        """Insert, remove or move rows; answers whether it could."""
        if max(len(keys), len(self._keys)) > MOST_COMPARED:
            return False
        places = {key: place for place, key in enumerate(keys)}
        old = set(self._keys)
        if len(places) != len(keys) or len(old) != len(self._keys):
            return False
        gone = ranges([key not in places for key in self._keys])
        new = ranges([key not in old for key in keys])
        if len(gone) + len(new) > MOST_RANGES:
            return False
        for first, end in reversed(gone):
            self.beginRemoveRows(QModelIndex(), first, end - 1)
            del self._shown[first:end], self._keys[first:end]
            self.endRemoveRows()
        staying = [key for key in keys if key in old]
        if staying != self._keys:
            self._move(staying)
        by_key = dict(zip(keys, values, strict=True))
        self._change([by_key[key] for key in self._keys])
        self._insert(new, values, keys)
        return True

    def _insert(self, new: Sequence[Range], values: list[T], keys: list[Hashable]) -> None:
        for first, end in new:
            self.beginInsertRows(QModelIndex(), first, end - 1)
            self._shown[first:first] = values[first:end]
            self._keys[first:first] = keys[first:end]
            self.endInsertRows()

    def _move(self, keys: list[Hashable]) -> None:
        self.layoutAboutToBeChanged.emit()
        before = self._keys
        places = {key: place for place, key in enumerate(keys)}
        by_key = dict(zip(before, self._shown, strict=True))
        self._shown, self._keys = [by_key[key] for key in keys], keys
        for index in self.persistentIndexList():
            self.changePersistentIndex(index, self.index(places[before[index.row()]], index.column()))
        self.layoutChanged.emit()

    def _change(self, values: list[T]) -> None:
        """Take new values for the same keys."""
        if len(values) > MOST_COMPARED:
            changed = [(0, len(values))] if values else []
        else:
            changed = ranges([a is not b and a != b for a, b in zip(self._shown, values, strict=True)])
        self._shown[: len(values)] = values
        last = self.columnCount() - 1
        for first, end in changed:
            self.dataChanged.emit(self.index(first, 0), self.index(end - 1, last))


def ranges(flags: Sequence[bool]) -> list[Range]:
    """Where flags are true, as (first, end) of each stretch."""
    found: list[Range] = []
    first = -1
    for place, flag in enumerate([*flags, False]):
        if flag and first < 0:
            first = place
        elif not flag and first >= 0:
            found.append((first, place))
            first = -1
    return found


class KeepSelection(QObject):
    """Selects the same values again after the model of a view was reset. It lives as long as the view.

    Where the current value is filtered away with few others, its neighbour takes its place; after a reset nothing
    does and ``lost`` is emitted.
    """

    lost = Signal()

    def __init__(self, view: QAbstractItemView, model: FilteredModel[Any]) -> None:
        super().__init__(view)
        self._view, self._model = view, model
        self._selected: list[Hashable] = []
        self._current: Hashable | None = None
        self._offset = 0
        model.modelAboutToBeReset.connect(self._note)
        model.modelReset.connect(self._restore)
        model.rowsRemoved.connect(self._follow)

    def _follow(self) -> None:
        """The row that became current because its neighbour was removed is selected too."""
        selection = self._view.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        if selection.currentIndex().isValid() and not selection.hasSelection():
            selection.select(selection.currentIndex(), flags.ClearAndSelect | flags.Rows)

    def _note(self) -> None:
        selection = self._view.selectionModel()
        current = selection.currentIndex()
        self._current = self._model.key_at(current.row()) if current.isValid() else None
        self._selected = [self._model.key_at(index.row()) for index in selection.selectedRows()]
        self._offset = self._view.verticalScrollBar().value()

    def _restore(self) -> None:
        selection = self._view.selectionModel()
        flags = QItemSelectionModel.SelectionFlag
        chosen = QItemSelection()
        last = self._model.columnCount() - 1
        for key in self._selected:
            row = self._model.row_of(key)
            if row >= 0:
                chosen.select(self._model.index(row, 0), self._model.index(row, last))
        row = self._model.row_of(self._current) if self._current is not None else -1
        if row >= 0:
            selection.setCurrentIndex(self._model.index(row, 0), flags.NoUpdate)
        if not chosen.isEmpty():
            selection.select(chosen, flags.ClearAndSelect)
        self._view.verticalScrollBar().setValue(self._offset)
        if row >= 0:
            self._view.scrollTo(self._model.index(row, 0))
        elif self._current is not None:
            self.lost.emit()
