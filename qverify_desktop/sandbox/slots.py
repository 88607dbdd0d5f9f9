"""How many containers run side by side: a semaphore whose number may be changed while it is used."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from types import TracebackType


class Slots:
    """``async with`` waits for a free slot, first come first served. For one event loop; not for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def set_most(self, most: int) -> None:
        """From now on so many. Those above a lower number keep their slots to their end."""
        self._most = most
        self._wake()

    async def __aenter__(self) -> None:
        if self._taken < self._most and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                with contextlib.suppress(ValueError):
                    self._waiting.remove(turn)
            else:
                # The slot was given in the moment of the cancellation.
                self._give_back()
            raise

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()

    def _give_back(self) -> None:
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._taken < self._most and self._waiting:
            turn = self._waiting.popleft()
            if turn.cancelled():
                continue
            self._taken += 1
            turn.set_result(None)
