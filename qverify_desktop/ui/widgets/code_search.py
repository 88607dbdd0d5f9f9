"""Search in the text of a code view: all places of some words, found in slices."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterator

from PySide6.QtCore import QObject

from qverify_desktop.ui.widgets.code_text import ShownText
from qverify_desktop.ui.widgets.slices import Slices

#: Texts up to so many characters are searched at once, so that the count does not flicker while one types.
AT_ONCE = 200_000
#: Lines that are searched between two steps.
STEP = 500


class TextSearch(QObject):
    """``hits`` are the places of the wanted words, as offsets in the text, in order. Upper and lower case are the same."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.wanted = ""
        self.hits: list[int] = []
        self._slices = Slices(self)

    def run(self, wanted: str, text: ShownText, then: Callable[[], None]) -> None:
        """Find all places, then call ``then``; empty words find nothing."""
        self.wanted, self.hits = wanted, []
        if wanted:
            self._slices.run(self._find(wanted, text, self.hits), then, now=len(text.text) <= AT_ONCE)
        else:
            self._slices.stop()
            then()

    def clear(self) -> None:
        self._slices.stop()
        self.wanted, self.hits = "", []

    def finish(self) -> None:
        """Find the rest now."""
        self._slices.finish()

    def between(self, start: int, end: int) -> list[int]:
        """The hits that begin in this part of the text."""
        return self.hits[bisect_left(self.hits, start) : bisect_left(self.hits, end)]

    @staticmethod
    def _find(wanted: str, text: ShownText, into: list[int]) -> Iterator[None]:
        pattern = re.compile(re.escape(wanted), re.IGNORECASE)
        total = len(text.lines)
        for first in range(0, total, STEP):
            start, end = text.start_of(first), text.start_of(min(total, first + STEP))
            into.extend(found.start() for found in pattern.finditer(text.text, start, end))
            yield
