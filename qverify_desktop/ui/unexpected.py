"""Errors that nobody expected: the details go to a file on this machine, a person gets a sentence that names it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

from qverify_desktop.domain.errors import QVerifyError

Tell = Callable[[QVerifyError], object]
AsError = Callable[[BaseException], QVerifyError]


def install(loop: asyncio.AbstractEventLoop, as_error: AsError, tell: Tell) -> None:
    """From now on errors in slots, callbacks and tasks of the loop are written down and told; the window goes on.

    ``as_error`` writes the details and answers the sentence. The same error is told once in a row.
    """
    last: list[str] = [""]

    def take(error: BaseException) -> None:
        if isinstance(error, KeyboardInterrupt | SystemExit | asyncio.CancelledError):
            return
        told = as_error(error)
        key = f"{type(error).__name__}: {error}"
        if key != last[0]:
            last[0] = key
            tell(told)

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        take(error)

    def handler(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None:
            take(error)

    sys.excepthook = hook
    loop.set_exception_handler(handler)
