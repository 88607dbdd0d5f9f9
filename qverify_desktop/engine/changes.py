"""Who shows a list of runs is told which of them changed; names are coalesced, so that a slow reader costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable


class _Reader:
    """Names that wait for one reader; the same name waits once."""

    def __init__(self) -> None:
        self.waiting: dict[str, None] = {}
        self.news = asyncio.Event()


class Changes:
    """Made inside the running loop and used in it only."""

    def __init__(self, left: Callable[[], None] | None = None) -> None:
        """``left`` is called when a reader went away."""
        self._readers: set[_Reader] = set()
        self._left = left

    @property
    def read(self) -> bool:
        """Whether anybody reads: then a window is open, here or in another process."""
        return bool(self._readers)

    def tell(self, run: str) -> None:
        """A run's listing changed; empty for the list of repositories. Never blocks."""
        for reader in self._readers:
            reader.waiting[run] = None
            reader.news.set()

    async def watch(self) -> AsyncIterator[str]:
        """Names from now on, for ever. The first is empty and comes at once: a list that is read after it misses nothing."""
        reader = _Reader()
        reader.waiting[""] = None
        reader.news.set()
        self._readers.add(reader)
        try:
            while True:
                await reader.news.wait()
                reader.news.clear()
                waiting, reader.waiting = reader.waiting, {}
                for run in waiting:
                    yield run
        finally:
            self._readers.discard(reader)
            if self._left is not None:
                self._left()
