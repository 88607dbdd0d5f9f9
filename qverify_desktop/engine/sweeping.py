"""Containers that nobody waits for are swept away while the engine is open."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

#: Seconds between sweeps.
SWEEP_SECONDS = 600.0

#: Seconds that the end of the application waits for a sweep that has begun.
_PATIENCE_S = 15


class Sweeping:
    """``sweep`` is called again and again from ``start`` on, in the running loop, until ``close``."""

    def __init__(self, sweep: Callable[[], Awaitable[int]]) -> None:
        self._sweep = sweep
        self._task: asyncio.Task[None] | None = None
        self._first = asyncio.Event()

    def start(self) -> None:
        """Begin, where it has not begun."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._for_ever(), name="sweep")

    async def once(self) -> None:
        """Before the first container of this process: those of a dead owner are gone."""
        self.start()
        await self._first.wait()

    async def close(self) -> None:
        """End; a sweep that has begun is waited for, at most so long."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE_S):
                await self._first.wait()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _for_ever(self) -> None:
        while True:
            # An engine that can't be swept can't run tests either; the run says so in its own words.
            with contextlib.suppress(Exception):
                await self._sweep()
            self._first.set()
            await asyncio.sleep(SWEEP_SECONDS)
