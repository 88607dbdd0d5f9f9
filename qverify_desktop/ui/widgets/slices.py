"""Long work on the GUI thread, done a few milliseconds at a time between events, so that the loop is never held."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

#: A slice ends at the first step after this many milliseconds.
BUDGET_MS = 8
#: Values that work does between two steps; a step must take far less than a slice.
STEP = 500
#: Values that are sorted at once.
CHUNK = 4000

T = TypeVar("T")


class Slices(QObject):
    """Runs one piece of work: an iterator that gives ``None`` after each step. A new piece takes the place of the old one."""

    busy_changed = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._work: Iterator[None] | None = None
        self._then: Callable[[], None] | None = None
        self._timer = QTimer(self, interval=0)
        self._timer.timeout.connect(self._slice)

    @property
    def busy(self) -> bool:
        return self._work is not None

    def run(self, work: Iterator[None], then: Callable[[], None], *, now: bool = False) -> None:
        """Do ``work``, then call ``then``; ``now`` does all of it before it returns (short work, no flicker)."""
        was = self.busy
        self._work, self._then = work, then
        if now:
            self.finish()
            return
        self._timer.start()
        if not was:
            self.busy_changed.emit(True)

    def stop(self) -> None:
        """Forget the work; ``then`` is not called."""
        was, self._work, self._then = self.busy, None, None
        self._timer.stop()
        if was:
            self.busy_changed.emit(False)

    def finish(self) -> None:
        """Do the rest now."""
        if self._work is not None:
            for _ in self._work:
                pass
            self._end()

    def _slice(self) -> None:
        if self._work is None:
            self._timer.stop()
            return
        until = time.perf_counter() + BUDGET_MS / 1000
        for _ in self._work:
            if time.perf_counter() >= until:
                return
        self._end()

    def _end(self) -> None:
        then, running = self._then, self._timer.isActive()
        self._work, self._then = None, None
        self._timer.stop()
        if running:
            self.busy_changed.emit(False)
        if then is not None:
            then()


def sort_in_steps(values: Sequence[T], key: Callable[[T], Any], descending: bool, into: list[T]) -> Iterator[None]:
    """A stable sort of ``values`` into ``into``. ``None`` keys come last, whatever the direction."""
    known: list[T] = []
    unknown: list[T] = []
    for start in range(0, len(values), STEP):
        for value in values[start : start + STEP]:
            (unknown if key(value) is None else known).append(value)
        yield
    chunks: list[list[T]] = []
    for start in range(0, len(known), CHUNK):
        chunks.append(sorted(known[start : start + CHUNK], key=key, reverse=descending))
        yield
    if len(chunks) == 1:
        into.extend(chunks[0])
    else:
        for number, value in enumerate(heapq.merge(*chunks, key=key, reverse=descending)):
            into.append(value)
            if number % STEP == 0:
                yield
    into.extend(unknown)
