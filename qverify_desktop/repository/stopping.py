"""The stop flag of the work that goes on in this thread: whoever waits for git or copies files looks at it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from contextvars import ContextVar

from qverify_desktop.domain.errors import Cancelled

_FLAG: ContextVar[threading.Event | None] = ContextVar("stop", default=None)


@contextlib.contextmanager
def stoppable(stop: threading.Event | None) -> Iterator[None]:
    """Everything inside, in this thread, ends with ``Cancelled`` soon after ``stop`` is set."""
    token = _FLAG.set(stop)
    try:
        yield
    finally:
        _FLAG.reset(token)


def flag() -> threading.Event | None:
    """The flag itself, for a thread that watches over this one's work."""
    return _FLAG.get()


def check() -> None:
    """Raises ``Cancelled`` when this thread's work is to stop."""
    stop = _FLAG.get()
    if stop is not None and stop.is_set():
        raise Cancelled("Reading the repository was stopped. Nothing was changed.")
