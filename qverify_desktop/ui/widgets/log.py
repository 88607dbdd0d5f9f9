"""The log of a run: a million lines, loaded where one looks, live at its end, searched, copied."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QSizePolicy, QWidget

from qverify_desktop.domain.log_views import LogLine, LogPage
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets.basics import Button, IconButton, column, frame, label, row
from qverify_desktop.ui.widgets.code_text import shown_in_row
from qverify_desktop.ui.widgets.find_field import FindField
from qverify_desktop.ui.widgets.line_table import search_pattern
from qverify_desktop.ui.widgets.log_model import PAGE, Fetch, LogModel, as_copied
from qverify_desktop.ui.widgets.log_table import LogTable
from qverify_desktop.ui.widgets.slices import STEP, Slices

#: More lines than these are not copied at once.
MOST_COPIED = 20_000


class LogView(QWidget):
    """A header with search, Follow and Copy above the lines.

    ``fetch(start, limit)`` asks for lines; their answer is given to ``show_page`` (or ``fetch_failed``) when it comes.
    ``answer(words)`` asks who knows the whole log where words stand; the answer is given to ``show_hits``. Without it the
    search looks at the lines that are known. ``found`` carries the place of the chosen hit and how many there are,
    ``copied`` how many lines were copied, ``refused`` a sentence why not.
    """

    found = Signal(int, int)
    follow_changed = Signal(bool)
    copied = Signal(int)
    refused = Signal(str)

    def __init__(
        self,
        theme: Theme,
        fetch: Fetch,
        answer: Callable[[str], object] | None = None,
        title: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._theme, self._answer = theme, answer
        self._hits: list[int] = []
        self._wanted = ""
        self._all_searched = True
        self._fresh: list[LogLine] = []
        self._copying: list[tuple[int, int]] = []
        self._slices = Slices(self)
        self._tick = QTimer(self, interval=int(tokens()["motion"]["progress-tick"]), singleShot=True)
        self._tick.timeout.connect(self.flush)
        self.table = LogTable(theme)
        self.model = LogModel(fetch, self.table.rows_in_view, self)
        self.table.setProperty("plain", "true")
        self.table.setModel(self.model)
        self.table.copy_wanted.connect(self.copy_selected)
        self.table.scrolled.connect(self.model.want_visible)
        self.table.follow_changed.connect(self._follow_changed)
        self.model.loaded.connect(self._loaded)
        self._build(title or tr("Log"))
        theme.changed.connect(self._restyle)
        self._restyle()

    def _build(self, title: str) -> None:
        theme = self._theme
        self.field = FindField(theme, tr("Find in the log"))
        self.field.setProperty("scale", "small")
        self.field.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.field.wanted.connect(self.search)
        self.field.next_wanted.connect(self.search_next)
        self.field.previous_wanted.connect(self.search_previous)
        self.field.left.connect(self.table.setFocus)
        self.follow = Button(theme, tr("Follow"), icon="arrow-right", size="small")
        self.follow.setCheckable(True)
        self.follow.setChecked(True)
        self.follow.setToolTip(tr("Keep the newest lines in view"))
        self.follow.clicked.connect(self.table.set_following)
        self.copy = IconButton(theme, "copy", tr("Copy the selected lines"), self.copy_selected, token="text-muted")
        self._head = frame("band")
        self._head.setLayout(
            row(label(title, "heading"), None, self.field, self.follow, self.copy, margins=(16, 4, 12, 4))
        )
        self._head.layout().setStretchFactor(self.field, 1)  # type: ignore[union-attr]
        self.setLayout(column(self._head, self.table, gap=0))
        self.setFocusProxy(self.table)

    # What a page does

    def show_log(self, total: int, *, follow: bool = False) -> None:
        """Another log, of so many lines. ``follow`` begins at its end and stays there."""
        self._tick.stop()
        self._fresh, self._copying = [], []
        self._slices.stop()
        self.table.forget_width()
        self.table.set_following(follow)
        self.model.show_log(total)
        self._hits = []
        self.search(self._wanted)

    def show_page(self, page: LogPage) -> None:
        """Lines that ``fetch`` asked for."""
        self.model.show_page(page)

    def fetch_failed(self, start: int) -> None:
        """Lines from there on could not be read; they are asked for again when one scrolls to them."""
        self._copying = []
        self.model.fetch_failed(start)

    def append(self, lines: Sequence[LogLine]) -> None:
        """Lines that were just written; they appear at the next tick (250 ms)."""
        self._fresh.extend(lines)
        if not self._tick.isActive():
            self._tick.start()

    def flush(self) -> None:
        """Show lines that were appended, now."""
        fresh, self._fresh = self._fresh, []
        self.model.append(fresh)

    def set_live(self, live: bool) -> None:
        """Whether lines may still come; a log that is complete has nothing to follow."""
        self.follow.setVisible(live)

    # Search

    def search(self, wanted: str) -> None:
        """Mark these words wherever they stand and choose the first line from here on that has them. Empty ends it."""
        self._wanted = wanted
        self._slices.stop()
        self._hits, self._all_searched = [], True
        self.table.lines.pattern = search_pattern(wanted)
        self.table.viewport().update()
        if not wanted:
            self._tell_hits()
        elif self._answer is not None:
            self._answer(wanted)
        else:
            hits: list[int] = []
            self._slices.run(self._look_through(hits), lambda: self._take_known(wanted, hits))

    def show_hits(self, wanted: str, rows: Sequence[int], complete: bool = True) -> None:
        """The answer to a search: places of lines, from 0. One that comes too late is dropped; ``complete`` is false when
        there may be more."""
        if wanted == self._wanted:
            self._hits, self._all_searched = sorted(rows), complete
            self._choose_first()

    def search_next(self) -> None:
        """The next line that has the words, after the last the first."""
        self._choose_hit(bisect_right(self._hits, self._current()))

    def search_previous(self) -> None:
        self._choose_hit(bisect_left(self._hits, self._current()) - 1)

    def _look_through(self, into: list[int]) -> Iterator[None]:
        pattern = self.table.lines.pattern
        known = self.model.known()
        for start in range(0, len(known), STEP):
            for place, one in known[start : start + STEP]:
                if pattern is not None and pattern.search(shown_in_row(one["text"])):
                    into.append(place)
            yield

    def _take_known(self, wanted: str, hits: list[int]) -> None:
        self.show_hits(wanted, hits, self.model.complete)

    def _choose_first(self) -> None:
        current = self.table.currentIndex()
        first = current.row() if current.isValid() else self.table.rows_in_view()[0]
        if self._hits:
            self._choose_hit(bisect_left(self._hits, first))
        else:
            self._tell_hits()

    def _choose_hit(self, which: int) -> None:
        if self._hits:
            self.table.choose(self._hits[which % len(self._hits)])
            self._tell_hits()

    def _current(self) -> int:
        return self.table.currentIndex().row()

    def _tell_hits(self) -> None:
        at = bisect_left(self._hits, self._current())
        chosen = at + 1 if at < len(self._hits) and self._hits[at] == self._current() else 0
        self.field.say_count(chosen, len(self._hits), not self._all_searched)
        self.found.emit(chosen, len(self._hits))

    def _loaded(self, start: int, lines: list[LogLine]) -> None:
        pattern = self.table.lines.pattern
        if pattern is not None and not self._slices.busy:
            before = len(self._hits)
            for place, one in enumerate(lines, start):
                if pattern.search(shown_in_row(one["text"])):
                    at = bisect_left(self._hits, place)
                    if at == len(self._hits) or self._hits[at] != place:
                        insort(self._hits, place)
            if len(self._hits) != before:
                self._tell_hits()
        if self._copying:
            self._copy_when_known()

    # Copy

    def copy_selected(self) -> None:
        """Put the selected lines on the clipboard. Lines that are not known are read first."""
        stretches = self.table.selected_rows()
        count = sum(last - first + 1 for first, last in stretches)
        if not count:
            self.refused.emit(tr("No line is selected. Select the lines to copy first."))
        elif count > MOST_COPIED:
            self.refused.emit(
                tr(
                    "{n} lines are too many to copy at once. Select up to {most}.",
                    n=f"{count:,}",
                    most=f"{MOST_COPIED:,}",
                )
            )
        else:
            self._copying = stretches
            self._copy_when_known()

    def _copy_when_known(self) -> None:
        rows = [place for first, last in self._copying for place in range(first, last + 1)]
        lines = [self.model.line_at(place) for place in rows]
        missing = sorted({place // PAGE for place, one in zip(rows, lines, strict=True) if one is None})
        if missing:
            self.model.want(missing)
            return
        self._copying = []
        QGuiApplication.clipboard().setText("\n".join(as_copied(one) for one in lines if one is not None))
        self.copied.emit(len(lines))

    def _follow_changed(self, on: bool) -> None:
        self.follow.setChecked(on)
        self.follow_changed.emit(on)

    def _restyle(self) -> None:
        self.field.setMinimumWidth(self._theme.px(96))
        self.field.setMaximumWidth(self._theme.px(240))
