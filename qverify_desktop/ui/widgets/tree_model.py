"""The model of a tree of values in groups (files, targets, tests): grouped and filtered in slices, told only when painted."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt, Signal

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.filter_field import EVERYTHING, Filter
from qverify_desktop.ui.widgets.filtered import AT_ONCE, VALUE, Index
from qverify_desktop.ui.widgets.slices import STEP, Slices

#: What is painted of a row, and the path of a group (``None`` at a leaf).
NODE = VALUE + 1
PATH = VALUE + 2

#: A group with more leaves is divided into parts of so many.
MOST_LEAVES = 1000
_SHIFT = 32

T = TypeVar("T")
Path = tuple[str, ...]
Tally = Mapping[str, int]


@dataclass(frozen=True)
class Count:
    """A remark at the right of a row: "6 kept", "1 defect"."""

    text: str
    token: str = "text-muted"


@dataclass(frozen=True)
class Node:
    """What is painted of a group or a leaf. ``spoken`` is the accessible text (made of title and counts when empty),
    ``place`` the tooltip. ``muted`` greys it out, ``code`` sets the title in the code font."""

    title: str
    icon: str = ""
    token: str = "text-muted"
    counts: tuple[Count, ...] = ()
    code: bool = True
    muted: bool = False
    spoken: str = ""
    place: str = ""

    def words(self) -> str:
        """What a screen reader says."""
        return painting.one_line(self.spoken or ", ".join([self.title, *(count.text for count in self.counts)]))


@dataclass(eq=False, slots=True)
class _Group(Generic[T]):
    """A group with what is shown of it: groups first, then leaves. ``number`` is its place in the model's table.

    ``span`` is set on a part of a group that has too many leaves: the first and the last of them, counted from 1.
    """

    number: int
    parent: int
    row: int
    path: Path
    groups: list[_Group[T]] = field(default_factory=list)
    leaves: list[T] = field(default_factory=list)
    tally: dict[str, int] = field(default_factory=dict)
    span: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.groups) + len(self.leaves)


class _Forest(Generic[T]):
    """Groups by number; number 0 is the root. ``places`` finds a leaf by its key: the number of its group and its place in it.

    Both are packed into one number, because 100,000 small objects would keep the garbage collector busy.
    """

    def __init__(self) -> None:
        self.groups: list[_Group[T]] = [_Group(0, -1, 0, ())]
        self.by_path: dict[Path, _Group[T]] = {(): self.groups[0]}
        self.places: dict[Hashable, int] = {}

    def group(self, path: Path) -> _Group[T]:
        found = self.by_path.get(path)
        if found is None:
            parent = self.group(path[:-1])
            found = _Group(len(self.groups), parent.number, len(parent.groups), path)
            parent.groups.append(found)
            self.groups.append(found)
            self.by_path[path] = found
        return found

    def add(self, key: Hashable, path: Path, status: str, value: T) -> None:
        group = self.group(path)
        self.places[key] = group.number << _SHIFT | len(group.leaves)
        group.leaves.append(value)
        while True:
            group.tally[status] = group.tally.get(status, 0) + 1
            if group.parent < 0:
                return
            group = self.groups[group.parent]

    def split(self, key: Callable[[T], Hashable], status: Callable[[T], str]) -> Iterator[None]:
        """Divide groups with very many leaves, because a view lays out all rows of a group when it is opened."""
        for group in [group for group in self.groups if len(group.leaves) > MOST_LEAVES]:
            leaves, group.leaves = group.leaves, []
            for start in range(0, len(leaves), MOST_LEAVES):
                values = leaves[start : start + MOST_LEAVES]
                part = self.group((*group.path, f"{start + 1}"))
                part.span = (start + 1, start + len(values))
                part.leaves = values
                for place, value in enumerate(values):
                    self.places[key(value)] = part.number << _SHIFT | place
                    part.tally[status(value)] = part.tally.get(status(value), 0) + 1
                yield

    def same_shape(self, other: _Forest[T]) -> bool:
        return self.places == other.places and list(self.by_path) == list(other.by_path)


class TreeModel(QAbstractItemModel, Generic[T]):
    """Values (leaves) in groups.

    ``leaf`` tells a value, ``key`` identifies it through time, ``group`` gives the names of the groups that it stands in
    (file, symbol), ``status`` the word that ``set_statuses`` and the tallies go by. ``told_group`` tells a group by its path
    and by how many shown leaves of each status are below it. ``text`` is what a filter looks into; without it the path and
    the title. Groups stand in the order of their first value. ``arranged`` gives the numbers of shown and of all values.
    """

    arranged = Signal(int, int)

    def __init__(
        self,
        leaf: Callable[[T], Node],
        key: Callable[[T], Hashable],
        group: Callable[[T], Path],
        told_group: Callable[[Path, Tally], Node],
        status: Callable[[T], str],
        text: Callable[[T], str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._leaf, self._key, self._group, self._told_group, self._status = leaf, key, group, told_group, status
        self._text = text or self._own_text
        self._values: Sequence[T] = ()
        self._texts: list[str] = []
        self._filter = EVERYTHING
        self._statuses: frozenset[str] | None = None
        self._forest: _Forest[T] = _Forest()
        self._next: _Forest[T] = _Forest()
        self._slices = Slices(self)

    # What a page does

    def fill(self, values: Sequence[T]) -> None:
        """Show these values."""
        self._values, self._texts = values, []
        self._arrange()

    def set_filter(self, wanted: Filter) -> None:
        """Show leaves whose text matches, with their groups; connect it to ``FilterField.filtered``."""
        if wanted != self._filter:
            self._filter = wanted
            self._arrange()

    def set_statuses(self, statuses: frozenset[str] | None) -> None:
        """Show only leaves of these statuses; ``None`` shows all."""
        if statuses != self._statuses:
            self._statuses = statuses
            self._arrange()

    def regroup(self, group: Callable[[T], Path], told_group: Callable[[Path, Tally], Node]) -> None:
        """Stand in other groups from now on."""
        self._group, self._told_group, self._texts = group, told_group, []
        self._arrange()

    def finish(self) -> None:
        """Group and filter to the end now."""
        self._slices.finish()

    @property
    def filtering(self) -> bool:
        """Whether a filter's words choose among the leaves."""
        return not self._filter.empty

    @property
    def values(self) -> Sequence[T]:
        """All values, shown or not."""
        return self._values

    @property
    def shown_count(self) -> int:
        return len(self._forest.places)

    def shown(self) -> Iterator[T]:
        """The leaves that are shown, from top to bottom."""
        return self._below(self._forest.groups[0])

    def _below(self, group: _Group[T]) -> Iterator[T]:
        for inner in group.groups:
            yield from self._below(inner)
        yield from group.leaves

    def index_of(self, key: Hashable) -> QModelIndex:
        """Where a leaf stands by its value's key; invalid when it is not shown."""
        place = self._forest.places.get(key)
        if place is None:
            return QModelIndex()
        number, leaf = place >> _SHIFT, place & ((1 << _SHIFT) - 1)
        return self.createIndex(len(self._forest.groups[number].groups) + leaf, 0, number)

    def index_of_group(self, path: Path) -> QModelIndex:
        """Where a group stands; invalid when it is not shown."""
        group = self._forest.by_path.get(path)
        return self.createIndex(group.row, 0, group.parent) if group and group.number else QModelIndex()

    def value_of(self, index: Index) -> T | None:
        """The value of a leaf, ``None`` at a group."""
        if not index.isValid() or self._at(index) is not None:
            return None
        parent = self._forest.groups[index.internalId()]
        return parent.leaves[index.row() - len(parent.groups)]

    def path_of(self, index: Index) -> Path | None:
        """The path of a group, ``None`` at a leaf."""
        group = self._at(index) if index.isValid() else None
        return group.path if group is not None else None

    def key_of(self, value: T) -> Hashable:
        return self._key(value)

    # Qt: an index carries the number of its parent group

    def _at(self, index: Index) -> _Group[T] | None:
        """The group at an index, ``None`` for a leaf."""
        if not index.isValid():
            return self._forest.groups[0]
        groups = self._forest.groups[index.internalId()].groups
        return groups[index.row()] if index.row() < len(groups) else None

    def index(self, row: int, column: int, parent: Index = QModelIndex()) -> QModelIndex:  # noqa: B008
        group = self._at(parent)
        if group is None or column != 0 or not 0 <= row < len(group):
            return QModelIndex()
        return self.createIndex(row, 0, group.number)

    def parent(self, index: Index = QModelIndex()) -> Any:  # noqa: B008
        if not index.isValid() or index.internalId() == 0:
            return QModelIndex()
        group = self._forest.groups[index.internalId()]
        return self.createIndex(group.row, 0, group.parent)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        group = self._at(parent) if parent.column() <= 0 else None
        return len(group) if group is not None else 0

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 1

    def hasChildren(self, parent: Index = QModelIndex()) -> bool:  # noqa: B008
        return self._at(parent) is not None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid():
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemNeverHasChildren if self._at(index) is None else flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role in (PATH, VALUE):
            return self.path_of(index) if role == PATH else self.value_of(index)
        group, value = self._at(index), self.value_of(index)
        if group is not None:
            return self._told(self._node_of(group), role)
        return self._told(self._leaf(value), role) if value is not None else None

    def _node_of(self, group: _Group[T]) -> Node:
        if group.span is None:
            return self._told_group(group.path, group.tally)
        first, last = group.span
        return Node(tr("{first} to {last}", first=f"{first:,}", last=f"{last:,}"), "dots", code=False)

    @staticmethod
    def _told(node: Node, role: int) -> Any:
        if role == NODE:
            return node
        if role == Qt.ItemDataRole.DisplayRole:
            return painting.one_line(node.title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return node.words()
        return painting.one_line(node.place) or None if role == Qt.ItemDataRole.ToolTipRole else None

    # How

    def _own_text(self, value: T) -> str:
        return "\n".join([*self._group(value), self._leaf(value).title])

    def _arrange(self) -> None:
        self._slices.run(self._arrangement(), self._take, now=len(self._values) <= AT_ONCE)

    def _arrangement(self) -> Iterator[None]:
        forest: _Forest[T] = _Forest()
        values, matches = self._values, self._filter.matches_lower
        key, group, status = self._key, self._group, self._status
        for start in range(0, len(values), STEP):
            part = values[start : start + STEP]
            if self.filtering:
                while len(self._texts) < start + len(part):
                    self._texts.append(self._text(values[len(self._texts)]).casefold())
                texts = self._texts[start : start + len(part)]
                part = [value for value, text in zip(part, texts, strict=True) if matches(text)]
            for value in part:
                word = status(value)
                if self._statuses is None or word in self._statuses:
                    forest.add(key(value), group(value), word, value)
            yield
        yield from forest.split(key, status)
        self._next = forest

    def _take(self) -> None:
        forest, self._next = self._next, _Forest()
        if forest.same_shape(self._forest):
            before, self._forest = self._forest, forest
            self._tell_changes(before)
        else:
            self.beginResetModel()
            self._forest = forest
            self.endResetModel()
        self.arranged.emit(self.shown_count, len(self._values))

    def _tell_changes(self, before: _Forest[T]) -> None:
        for old, new in zip(before.groups, self._forest.groups, strict=True):
            if new.number and old.tally != new.tally:
                changed = self.createIndex(new.row, 0, new.parent)
                self.dataChanged.emit(changed, changed)
            if new.leaves and any(a is not b and a != b for a, b in zip(old.leaves, new.leaves, strict=True)):
                first, last = len(new.groups), len(new) - 1
                self.dataChanged.emit(self.createIndex(first, 0, new.number), self.createIndex(last, 0, new.number))
