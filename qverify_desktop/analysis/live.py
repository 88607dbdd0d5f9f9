"""What a model writes, told to a person while it does. Nothing of this is evidence: the answer is, when it is whole."""

from __future__ import annotations

import time
from collections.abc import Callable

from qverify_desktop.analysis.ports import Reporter
from qverify_desktop.domain.progress import Stage

#: Seconds between two things that are told, and characters of the end of an answer that are.
EVERY_S = 0.1
MOST = 4_000


class Live:
    """The text for one target as it grows; a ``domain.question.Hear``. Pieces may come from any thread, one after the other."""

    def __init__(self, reporter: Reporter, target: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._reporter = reporter
        self._target = target
        self._clock = clock
        self._text = ""
        self._told_at = -EVERY_S

    def __call__(self, piece: str) -> None:
        """One more piece; an empty one says that the answer begins anew."""
        self._text = (self._text + piece)[-MOST:] if piece else ""
        if self._text and self._clock() - self._told_at >= EVERY_S:
            self._tell()

    def over(self) -> None:
        """Nothing more comes: the last of it is told, and that it is over."""
        if self._text:
            self._tell(over=True)
        self._text = ""

    def _tell(self, *, over: bool = False) -> None:
        self._told_at = self._clock()
        self._reporter.writing(Stage.GENERATE, self._target, self._text, over=over)
