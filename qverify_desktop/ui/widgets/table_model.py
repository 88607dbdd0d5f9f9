"""What a table is made of: columns that say how a value is told, and one model for 100,000 values."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QModelIndex, QObject, QRect, Qt
from PySide6.QtGui import QPainter

from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.filtered import VALUE, FilteredModel, Index

T = TypeVar("T")
#: A column's painter: draws a value's cell into the rectangle (already without the cell's padding).
Paint = Callable[[QPainter, QRect, T, Theme], None]
#: Icon and colour token, or nothing.
Icon = tuple[str, str] | None


@dataclass(frozen=True)
class Column(Generic[T]):
    """How one property of a value is told.

    ``title`` is translated already. ``text`` is shown, filtered and spoken. ``sort_key`` makes the column sortable (``None``
    keys come last). ``icon`` stands before the text in its own token, ``token`` colours the text, ``font`` is a type
    token, ``detail`` a second line (rows of 56 px). ``paint`` draws instead of all that; its ``text`` is still spoken.
    ``width`` is in pixels at 100 %; columns with ``stretch`` share the rest by weight, never less than ``width``. The column is
    hidden while the table is narrower than ``from_width``. ``path`` cuts a long text in the middle. ``tip`` is the tooltip;
    without it a text that is cut shows itself.
    """

    title: str
    text: Callable[[T], str]
    sort_key: Callable[[T], Any] | None = None
    right: bool = False
    icon: Callable[[T], Icon] | None = None
    token: Callable[[T], str] | str = "text"
    font: Callable[[T], str] | str = "body"
    detail: Callable[[T], str] | None = None
    badge: Callable[[T], str] | None = None
    paint: Paint[T] | None = None
    tip: Callable[[T], str] | None = None
    width: int = 96
    stretch: int = 0
    from_width: int = 0
    path: bool = False
    searched: bool = True

    def token_of(self, value: T) -> str:
        return self.token if isinstance(self.token, str) else self.token(value)

    def font_of(self, value: T) -> str:
        return self.font if isinstance(self.font, str) else self.font(value)


class TableModel(FilteredModel[T]):
    """Values in columns. ``key`` identifies a value through time; a filter looks into all columns that are ``searched``."""

    def __init__(
        self,
        columns: Sequence[Column[T]],
        key: Callable[[T], Hashable],
        text: Callable[[T], str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(key, text or self._row_text, parent)
        self.columns = tuple(columns)

    def _row_text(self, value: T) -> str:
        parts: list[str] = []
        for column in self.columns:
            if column.searched:
                parts.append(column.text(value))
                if column.detail is not None:
                    parts.append(column.detail(value))
        return "\n".join(parts)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        column = self.columns[section]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return column.title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return (painting.RIGHT if column.right else painting.LEFT) | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        value = self.value_at(index.row())
        if role == VALUE:
            return value
        column = self.columns[index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return painting.one_line(column.text(value))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(column, value)
        if role == Qt.ItemDataRole.ToolTipRole and column.tip is not None:
            return painting.one_line(column.tip(value)) or None
        return None

    def _spoken(self, column: Column[T], value: T) -> str:
        parts = [
            column.text(value),
            column.badge(value) if column.badge else "",
            column.detail(value) if column.detail else "",
        ]
        return painting.one_line(", ".join(part for part in parts if part))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Called by the header; -1 for the order that values were filled in."""
        key = self.columns[column].sort_key if 0 <= column < len(self.columns) else None
        self.sort_by(key, order is Qt.SortOrder.DescendingOrder)
