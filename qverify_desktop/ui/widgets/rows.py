"""Lists of rows: a status shape, a title with a remark at its right, a second line. One model, one delegate, one view."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from PySide6.QtCore import QEvent, QItemSelectionModel, QModelIndex, QObject, QRect, QSize, Qt, Signal
from PySide6.QtGui import QHelpEvent, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QToolTip,
    QWidget,
)

from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.filtered import VALUE, FilteredModel, Index, KeepSelection
from qverify_desktop.ui.widgets.spinner import Turning

__all__ = ["ROW", "VALUE", "Row", "RowDelegate", "RowList", "RowModel"]

#: What is painted of a value.
ROW = VALUE + 1

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """What is painted of a value.

    ``icon`` and ``token`` are the status shape and its colour; ``remark`` stands right, ``detail`` below (in lists of
    single lines: behind the title), ``lead`` before the icon. ``spoken`` is the accessible text (made of the others when
    empty), ``place`` the tooltip. ``code`` sets the title in the code font; ``muted`` greys the row out. ``path`` cuts a
    too long detail in the middle.
    """

    icon: str
    token: str
    title: str
    remark: str = ""
    detail: str = ""
    spoken: str = ""
    place: str = ""
    badge: str = ""
    badge_tone: str = ""
    badge_icon: str = ""
    lead: str = ""
    code: bool = False
    muted: bool = False
    strong: bool = True
    path: bool = False
    remark_token: str = "text-muted"

    def words(self) -> str:
        """What a screen reader says."""
        parts = (self.lead, self.title, self.badge, self.remark, self.detail)
        return painting.one_line(self.spoken or ", ".join(part for part in parts if part))


class RowModel(FilteredModel[T]):
    """Values of one kind; ``shown`` says how each is painted, ``key`` identifies it through time.

    ``text`` is what a filter looks into; without it: title, badge, remark and detail.
    """

    def __init__(
        self,
        shown: Callable[[T], Row],
        key: Callable[[T], Hashable],
        text: Callable[[T], str] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(key, text or self._row_text, parent)
        self._row = shown

    def _row_text(self, value: T) -> str:
        row = self._row(value)
        return "\n".join((row.lead, row.title, row.badge, row.remark, row.detail))

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        value = self.value_at(index.row())
        if role == VALUE:
            return value
        if role == ROW:
            return self._row(value)
        if role == Qt.ItemDataRole.DisplayRole:
            return painting.one_line(self._row(value).title)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._row(value).words()
        return self._row(value).place or None if role == Qt.ItemDataRole.ToolTipRole else None


class RowDelegate(QStyledItemDelegate):
    """Paints a ``Row``. ``height`` is a name of the token table ``row``: rich has two lines, the others one."""

    def __init__(
        self, theme: Theme, height: str = "rich", parent: QObject | None = None, *, lines: bool = True
    ) -> None:
        """``lines`` draws the 1 px line below each row of a rich list."""
        super().__init__(parent)
        self._theme = theme
        self._height = int(tokens()["row"][height])
        self._rich = height == "rich"
        self._lines = lines and self._rich

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(self._theme.px(120), self._theme.px(self._height))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: Row = index.data(ROW)
        if row is None:
            return
        rect: QRect = option.rect
        painter.save()
        if self._lines:
            painting.underline(painter, self._theme, rect)
        painting.row_background(painter, self._theme, option)
        px = self._theme.px
        inner = rect.adjusted(px(16 if self._rich else 12), 0, -px(16 if self._rich else 12), 0)
        (self._paint_rich if self._rich else self._paint_line)(painter, inner, row)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painting.ring(painter, self._theme, rect)
        painter.restore()

    def helpEvent(
        self, event: QHelpEvent, view: QAbstractItemView, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """A row that is cut and has no tooltip of its own shows all of its words."""
        row: Row | None = index.data(ROW)
        if row is None or row.place or event.type() is not QEvent.Type.ToolTip:
            return super().helpEvent(event, view, option, index)
        px, role = self._theme.px, self._title(row)[0]
        first = painting.width_of(self._theme, row.title, role) + painting.width_of(self._theme, row.remark, "small")
        first += painting.badge_width(self._theme, row.badge, row.badge_icon) + px(8) if row.badge else 0
        second = painting.width_of(self._theme, row.detail, "small")
        needed = max(first + px(12), second) if self._rich else first + second + px(20)
        fits = needed <= view.viewport().width() - px(60)
        QToolTip.showText(event.globalPos(), "" if fits else row.words(), view)
        return True

    def _title(self, row: Row) -> tuple[str, str]:
        role = "code" if row.code else "strong" if row.strong else "body"
        return role, "text-disabled" if row.muted else "text"

    def _paint_rich(self, painter: QPainter, rect: QRect, row: Row) -> None:
        theme, px = self._theme, self._theme.px
        top, left = rect.top() + px(8), rect.left()
        icon_token = "text-disabled" if row.muted else row.token
        painting.icon(painter, theme, row.icon, icon_token, left, rect.top() + (rect.height() - px(16)) / 2)
        left += px(28)
        first = QRect(left, top, rect.right() + 1 - left, px(20))
        right = self._remark(painter, first, row)
        self._title_and_badge(painter, first.adjusted(0, 0, -right, 0), row)
        second = QRect(left, top + px(21), rect.right() + 1 - left, px(18))
        token = "text-disabled" if row.muted else "text-muted"
        painting.text(painter, theme, second, row.detail, "small", token, elide=self._elide(row))

    def _paint_line(self, painter: QPainter, rect: QRect, row: Row) -> None:
        theme, px = self._theme, self._theme.px
        left = rect.left()
        muted = "text-disabled" if row.muted else "text-muted"
        if row.lead:
            width = max(painting.width_of(theme, row.lead, "code"), painting.width_of(theme, "00,000", "code"))
            box = QRect(left, rect.top(), width, rect.height())
            painting.text(painter, theme, box, row.lead, "code", muted, painting.RIGHT)
            left += width + px(8)
        icon_token = "text-disabled" if row.muted else row.token
        painting.icon(painter, theme, row.icon, icon_token, left, rect.top() + (rect.height() - px(16)) / 2)
        left += px(24) if row.icon else 0
        line = QRect(left, rect.top(), rect.right() + 1 - left, rect.height())
        line.adjust(0, 0, -self._remark(painter, line, row), 0)
        used = self._title_and_badge(painter, line, row)
        rest = line.adjusted(used + px(8), 0, 0, 0)
        painting.text(painter, theme, rest, row.detail, "small", muted, elide=self._elide(row))

    def _elide(self, row: Row) -> Qt.TextElideMode:
        return painting.MIDDLE if row.path else painting.END

    def _remark(self, painter: QPainter, line: QRect, row: Row) -> int:
        """Draw the remark at the right; answers what it takes of the line. It never takes more than half."""
        if not row.remark:
            return 0
        width = min(painting.width_of(self._theme, row.remark, "small"), line.width() // 2)
        box = QRect(line.right() + 1 - width, line.top(), width, line.height())
        token = "text-disabled" if row.muted else row.remark_token
        painting.text(painter, self._theme, box, row.remark, "small", token, painting.RIGHT)
        return width + self._theme.px(12)

    def _title_and_badge(self, painter: QPainter, line: QRect, row: Row) -> int:
        theme, px = self._theme, self._theme.px
        role, token = self._title(row)
        wanted = painting.badge_width(theme, row.badge, row.badge_icon) if row.badge else 0
        # Without room for a whole badge there is none: the title says more than a cut word.
        if not wanted or line.width() - wanted < px(80):
            return painting.text(painter, theme, line, row.title, role, token, elide=painting.MIDDLE)
        space = line.adjusted(0, 0, -wanted - px(8), 0)
        used = painting.text(painter, theme, space, row.title, role, token, elide=painting.MIDDLE) + px(8)
        middle = line.top() + line.height() // 2
        return used + painting.badge(
            painter, theme, line.left() + used, middle, row.badge, row.badge_tone, row.badge_icon, wanted
        )


class RowList(QTableView):
    """A list of rows. ``chosen`` gives the value that became current (``None`` when none is), ``opened`` the value on which
    Enter was pressed or that was double-clicked.

    It is a table of one column, because ``QListView`` lays out all of its rows at once.
    """

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(
        self,
        theme: Theme,
        model: RowModel[Any],
        name: str,
        parent: QWidget | None = None,
        *,
        height: str = "rich",
        plain: bool = True,
        lines: bool = True,
    ) -> None:
        """``name`` is its accessible name; ``height`` a name of the token table ``row``; ``plain`` draws no frame."""
        super().__init__(parent)
        self._theme, self._height = theme, int(tokens()["row"][height])
        self.setProperty("plain", "true" if plain else "false")
        self.setAccessibleName(name)
        self.rows = model
        self.setModel(model)
        self.setItemDelegate(RowDelegate(theme, height, self, lines=lines))
        self.setShowGrid(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.horizontalHeader().hide()
        self.horizontalHeader().setMinimumSectionSize(1)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setMinimumSectionSize(1)
        self.setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_Hover)
        self._keep = KeepSelection(self, model)
        self._keep.lost.connect(self._lose)
        self._turning = Turning(self.viewport())
        self.doubleClicked.connect(self._open)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self.verticalHeader().setDefaultSectionSize(self._theme.px(self._height))

    def height_of_all(self) -> int:
        """Pixels that all rows take, for a list that does not scroll by itself."""
        return self.rows.rowCount() * self._theme.px(self._height) + 2 * self.frameWidth()

    def value(self) -> Any:
        """The current value or ``None``."""
        index = self.currentIndex()
        return self.rows.value_of(index)

    def choose(self, key: Hashable) -> bool:
        """Make the value with this key current and selected; answers whether it is shown."""
        row = self.rows.row_of(key)
        if row < 0:
            return False
        index = self.rows.index(row, 0)
        self.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.scrollTo(index)
        return True

    def choose_first(self) -> None:
        """Choose the first value unless one is chosen."""
        if not self.currentIndex().isValid() and self.rows.rowCount():
            self.choose(self.rows.key_at(0))

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self.chosen.emit(self.rows.value_of(current))

    def moveCursor(self, action: QAbstractItemView.CursorAction, modifiers: Qt.KeyboardModifier) -> QModelIndex:
        """Home and End go to the first and last row, as in a list."""
        rows = self.rows.rowCount()
        if action is QAbstractItemView.CursorAction.MoveHome and rows:
            return self.rows.index(0, 0)
        if action is QAbstractItemView.CursorAction.MoveEnd and rows:
            return self.rows.index(rows - 1, 0)
        return super().moveCursor(action, modifiers)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if (
            event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            and not event.modifiers() & Qt.KeyboardModifier.ControlModifier
        ):
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        self._turning.after_paint()

    def _lose(self) -> None:
        self.chosen.emit(None)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(self.rows.value_of(index))
