"""An event loop in a thread of its own for the model library.

The library computes and imports for up to 0.6 seconds at a time on the loop that it runs on, which the window's loop must
never do (no stall above 50 ms).
"""

from __future__ import annotations

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class SeparateLoop:
    """Runs coroutines on a loop in a daemon thread, which starts with the first of them and ends with ``close``."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = asyncio.Event()

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result; cancelling the caller cancels the coroutine over there."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._running()))

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._stop = asyncio.Event()
                work = (self._loop, self._stop)
                self._thread = threading.Thread(target=_serve, args=work, name="model library", daemon=True)
                self._thread.start()
                # A daemon thread that is cut off in mid-flight at the interpreter's exit complains on standard error.
                atexit.register(self.close)
            return self._loop

    def close(self, timeout_s: float = 2.0) -> None:
        """Cancel what still runs and end the thread. Blocking, up to ``timeout_s``; the next ``run`` starts anew."""
        with self._starting:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is not None and thread is not None:
            atexit.unregister(self.close)
            loop.call_soon_threadsafe(self._stop.set)
            thread.join(timeout_s)


def _serve(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    async def until_stopped() -> None:
        await stop.wait()

    # The runner cancels what is left and closes the loop.
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(until_stopped())
