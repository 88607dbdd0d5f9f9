"""The command line, or without a command the window, with a witness: each body of an analysis step that really begins is noted in a
file."""

import os
import sys
from collections.abc import Awaitable, Callable
from typing import Any

if len(sys.argv) > 1:
    from qverify_desktop.cli import main
else:
    # Before anything that Qt's own import hook can't read.
    from qverify_desktop.app import main

from qverify_desktop.analysis.steps import StepContext, Steps

_step = Steps.step


async def step(self: Steps, name: str, kind: Any, body: Callable[[StepContext], Awaitable[Any]]) -> Any:
    async def noted(context: StepContext) -> Any:
        descriptor = os.open(os.environ["WITNESS"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.write(descriptor, f"{self.run} {name}\n".encode())
        os.close(descriptor)
        return await body(context)

    return await _step(self, name, kind, noted)


if __name__ == "__main__":
    Steps.step = step  # type: ignore[method-assign]
    sys.exit(main(sys.argv[1:]))
