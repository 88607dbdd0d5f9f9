"""Blocking work in a thread that ends when the task that waits for it is cancelled."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")


async def in_stoppable_thread(work: Callable[[threading.Event], Answer]) -> Answer:
    """Run ``work`` in a thread. On cancellation its flag is set, and the thread has ended when ``CancelledError`` goes on.

    A thread that is only abandoned would go on writing beside whoever comes next, and keep the process from ending.
    """
    stop = threading.Event()
    working = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        while not working.done():
            try:
                await asyncio.wait({working})
            except asyncio.CancelledError:
                continue
        if not working.cancelled():
            working.exception()
        raise
