"""Lines of a log of any length: pages are asked for as they come into view, and the ones that were seen last are kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, Qt, QTimer, Signal

from qverify_desktop.domain.log_views import LogLine, LogPage
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.widgets.code_text import shown_in_row
from qverify_desktop.ui.widgets.line_table import Index

#: Lines of a page, and how many pages are kept and asked for at a time.
PAGE = 500
KEPT = 100
ASKED_AT_ONCE = 4
#: While one drags the scroll bar, pages are asked for this often.
ASK_MS = 30
LINE = Qt.ItemDataRole.UserRole
#: Asks for ``limit`` lines from ``start`` on; the answer comes later, as ``show_page``.
Fetch = Callable[[int, int], object]


def clock(at_ms: int) -> str:
    """Time since the run was started, ``m:ss.mmm``."""
    minutes, rest = divmod(max(0, at_ms), 60_000)
    return f"{minutes}:{rest // 1000:02}.{rest % 1000:03}"


def as_copied(line: LogLine) -> str:
    """A line as it is copied: plain text, without what would hide in a terminal."""
    return f"{clock(line['at_ms'])} {shown_in_row(line['stage'])} {shown_in_row(line['text'])}"


class LogModel(QAbstractListModel):
    """Rows count from 0 and are places in the log. ``loaded`` carries the first row and the lines that became known."""

    loaded = Signal(int, list)

    def __init__(self, fetch: Fetch, in_view: Callable[[], tuple[int, int]], parent: QObject | None = None) -> None:
        """``in_view`` answers the first and last row that are seen."""
        super().__init__(parent)
        self._fetch, self._in_view = fetch, in_view
        self._total = 0
        self._pages: OrderedDict[int, dict[int, LogLine]] = OrderedDict()
        self._asked: set[int] = set()
        self._wanted: list[int] = []
        self._first_number: int | None = None
        self._timer = QTimer(self, interval=ASK_MS, singleShot=True)
        self._timer.timeout.connect(self._ask)

    # Lines

    def show_log(self, total: int) -> None:
        """Another log, of so many lines, none of which is known yet."""
        self.beginResetModel()
        self._total = total
        self._pages.clear()
        self._asked.clear()
        self._wanted.clear()
        self._first_number = None
        self.endResetModel()
        self.want_visible()

    def show_page(self, page: LogPage) -> None:
        """Lines that were asked for. The log may have grown meanwhile."""
        start, lines = page["start"], page["lines"]
        self._asked.discard(start // PAGE)
        if lines and self._first_number is None:
            self._first_number = lines[0]["number"] - start
        self._grow(page["total"])
        self._keep(start, lines)
        if lines:  # nothing, where lines should be, is asked for again when one scrolls there, and not at once
            self.want_visible()

    def fetch_failed(self, start: int) -> None:
        """The page could not be read; it is asked for again when it comes into view."""
        self._asked.discard(start // PAGE)

    def append(self, lines: Sequence[LogLine]) -> None:
        """Lines that were just written. Ones that are known already are known by their number."""
        if not lines:
            return
        if self._first_number is None:
            self._first_number = lines[0]["number"] - self._total
        start = lines[0]["number"] - self._first_number
        if start < 0:
            return
        self._grow(start + len(lines))
        self._keep(start, lines)

    def line_at(self, row: int) -> LogLine | None:
        """``None`` while it is not known."""
        page = self._pages.get(row // PAGE)
        return page.get(row) if page is not None else None

    def known(self) -> list[tuple[int, LogLine]]:
        """All lines that are known, with their rows, in order."""
        return [(row, line) for _, page in sorted(self._pages.items()) for row, line in sorted(page.items())]

    @property
    def complete(self) -> bool:
        """Whether every line is known."""
        return sum(map(len, self._pages.values())) >= self._total

    # Asking

    def want(self, pages: Sequence[int]) -> None:
        """Ask for these pages too, wherever one looks."""
        self._wanted = [*pages]
        self._ask()

    def want_visible(self) -> None:
        """Ask, a moment later, for what is in view and not known."""
        if not self._timer.isActive():
            self._timer.start()

    def _ask(self) -> None:
        first, last = self._in_view()
        pages = [first // PAGE, last // PAGE] if last >= first else []
        pages += [page for page in self._wanted if page not in pages]
        near = [pages[0] - 1, pages[-1] + 1] if pages and not self._wanted else []
        for page in (*pages, *near):
            if len(self._asked) >= ASKED_AT_ONCE:
                return
            if page not in self._asked and self._lacks(page):
                self._asked.add(page)
                start = self._first_unknown(page)
                self._fetch(start, (page + 1) * PAGE - start)
        self._wanted = [page for page in self._wanted if self._lacks(page)]

    def _lacks(self, page: int) -> bool:
        whole = min(PAGE, self._total - page * PAGE)
        return page >= 0 and whole > 0 and len(self._pages.get(page, ())) < whole

    def _first_unknown(self, page: int) -> int:
        known, start = self._pages.get(page, {}), page * PAGE
        return next(row for row in range(start, start + PAGE) if row not in known)

    # Keeping

    def _grow(self, total: int) -> None:
        if total > self._total:
            self.beginInsertRows(QModelIndex(), self._total, total - 1)
            self._total = total
            self.endInsertRows()

    def _keep(self, start: int, lines: Sequence[LogLine]) -> None:
        if not lines:
            return
        for row, line in enumerate(lines, start):
            self._pages.setdefault(row // PAGE, {})[row] = line
        end = start + len(lines) - 1
        for page in range(start // PAGE, end // PAGE + 1):
            self._pages.move_to_end(page)
        first, last = self._in_view()
        shown = {first // PAGE, last // PAGE}
        while len(self._pages) > KEPT:
            oldest = next(page for page in self._pages if page not in shown)
            del self._pages[oldest]
        self.dataChanged.emit(self.index(start), self.index(end))
        self.loaded.emit(start, list(lines))

    # Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else self._total

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role not in (LINE, Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return None
        line = self.line_at(index.row())
        if role == LINE:
            return line
        if line is None:
            return tr("Line {line} is being read.", line=f"{index.row() + 1:,}")
        if role == Qt.ItemDataRole.DisplayRole:
            return shown_in_row(line["text"])
        parts = (f"{line['number']:,}", clock(line["at_ms"]), shown_in_row(line["stage"]), shown_in_row(line["text"]))
        return ", ".join(part for part in parts if part)
