"""The log's entries in a table that asks only for what is seen: a million entries cost no more than a screenful."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
)

from qverify_desktop.domain.log_views import EventLine, EventPage
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting, words

Index = QModelIndex | QPersistentModelIndex
PAGE = 200
LINE = Qt.ItemDataRole.UserRole
#: Pages that stay in memory.
KEPT = 40
#: Pages that wait to be asked for; older ones have left the view.
WAITING = 4
#: A page is asked for this much later, so that scrolling through a million entries asks for the last place only.
DELAY_MS = 60


class EventModel(QAbstractTableModel):
    """One column of entries. ``fetch(start, limit)`` is called for pages that come into view."""

    def __init__(self, fetch: Callable[[int, int], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self.total = 0
        self._pages: dict[int, list[EventLine]] = {}
        self._asked: set[int] = set()
        self._wanted: list[int] = []
        self._timer = QTimer(self, interval=DELAY_MS, singleShot=True)
        self._timer.timeout.connect(self._ask)

    def begin(self, total: int) -> None:
        """Another log, or another filter over it."""
        self.beginResetModel()
        self.total, self._pages = total, {}
        self._asked.clear()
        self._wanted.clear()
        self.endResetModel()

    def show_page(self, page: EventPage) -> None:
        """An answer to ``fetch``."""
        start = page["start"]
        if page["total"] > self.total:
            self.beginInsertRows(QModelIndex(), self.total, page["total"] - 1)
            self.total = page["total"]
            self.endInsertRows()
        if start % PAGE == 0:
            self._pages[start // PAGE] = page["entries"]
            self._asked.discard(start // PAGE)
            while len(self._pages) > KEPT:
                self._pages.pop(next(iter(self._pages)))
        if page["entries"]:
            self.dataChanged.emit(self.index(start, 0), self.index(start + len(page["entries"]) - 1, 0))

    def grow(self, total: int) -> None:
        """The log got longer."""
        if total > self.total:
            self._pages.pop(self.total // PAGE, None)
            self.beginInsertRows(QModelIndex(), self.total, total - 1)
            self.total = total
            self.endInsertRows()

    def line_at(self, place: int) -> EventLine | None:
        """The entry, when it is in memory; otherwise it is asked for."""
        page = self._pages.get(place // PAGE)
        if page is not None and place % PAGE < len(page):
            return page[place % PAGE]
        number = place // PAGE
        if number not in self._asked:
            # The newest last, each once: many rows of one page must not push out another page that is in view.
            self._wanted = [*(page for page in self._wanted if page != number), number][-WAITING:]
            if not self._timer.isActive():
                self._timer.start()
        return None

    def _ask(self) -> None:
        wanted, self._wanted = dict.fromkeys(self._wanted), []
        for number in wanted:
            if number not in self._pages and number not in self._asked:
                self._asked.add(number)
                self._fetch(number * PAGE, PAGE)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self.total

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (LINE, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        line = self.line_at(index.row())
        if role == LINE:
            return line
        if line is None:
            return tr("Entry {n} is being read", n=index.row())
        return painting.one_line(f"{line['index']}, {words.moment(line['at'])}: {line['words']}")


class EventDelegate(QStyledItemDelegate):
    """Number, clock, words, type."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, px, rect = self._theme, self._theme.px, option.rect
        painter.save()
        painting.underline(painter, theme, rect)
        painting.row_background(painter, theme, option)
        line: EventLine | None = index.data(LINE)
        left = rect.left() + px(8)
        if line is None:
            words_ = QRect(left, rect.top(), rect.width() - px(32), rect.height())
            painting.text(painter, theme, words_, "…", "small", "text-muted")
            painter.restore()
            return
        number, clock = (
            QRect(left, rect.top(), px(56), rect.height()),
            QRect(left + px(68), rect.top(), px(64), rect.height()),
        )
        painting.text(painter, theme, number, f"{line['index']:,}", "small", "text-muted", painting.RIGHT)
        painting.text(painter, theme, clock, words.clock(line["at"]), "small", "text-muted")
        kind = line["type"].replace("_", " ")
        side = painting.width_of(theme, kind, "small") if rect.width() > px(560) else 0
        begin = left + px(136)
        told = QRect(begin, rect.top(), rect.right() - px(24) - side - begin, rect.height())
        painting.text(painter, theme, told, line["words"], "body", "text")
        if side:
            place = QRect(rect.right() - px(16) - side, rect.top(), side, rect.height())
            painting.text(painter, theme, place, kind, "small", "text-muted", painting.RIGHT)
        painter.restore()


class EventTable(QTableView):
    """``chosen`` carries the index in the log of the current entry, or -1."""

    chosen = Signal(int)

    def __init__(self, theme: Theme, model: EventModel) -> None:
        super().__init__()
        self._theme = theme
        self.setModel(model)
        self.setItemDelegate(EventDelegate(theme, self))
        self.setAccessibleName(tr("Entries of the evidence log"))
        self.setProperty("plain", "true")
        self.setShowGrid(False)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.horizontalHeader().hide()
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self._entries = model
        model.dataChanged.connect(self._arrived)
        theme.changed.connect(self._measure)
        self._measure()

    def _measure(self) -> None:
        self.verticalHeader().setMinimumSectionSize(1)
        self.verticalHeader().setDefaultSectionSize(self._theme.px(tokens()["row"]["default"]))

    def choose(self, place: int) -> None:
        """Make the entry at this place current."""
        if 0 <= place < self._entries.total:
            self.setCurrentIndex(self._entries.index(place, 0))

    def currentChanged(self, current: Index, previous: Index) -> None:
        super().currentChanged(current, previous)
        self._tell(current)

    def _arrived(self, first: Index, last: Index) -> None:
        if first.row() <= self.currentIndex().row() <= last.row():
            self._tell(self.currentIndex())

    def _tell(self, current: Index) -> None:
        line: EventLine | None = current.data(LINE) if current.isValid() else None
        self.chosen.emit(line["index"] if line is not None else -1)
