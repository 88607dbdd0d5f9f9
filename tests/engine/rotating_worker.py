"""Rotates the key of a state folder and kills itself at a step: ``python -m tests.engine.rotating_worker HOME STEP``."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qverify_desktop.settings.signing_key import NEXT, SigningKeyStore
from tests.engine.test_signing_keys import Installation


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def then_die(call: Callable[..., Any]) -> Callable[..., Any]:
    def both(*arguments: Any, **named: Any) -> None:
        call(*arguments, **named)
        die()

    return both


def main() -> None:
    home, step = Installation(Path(sys.argv[1])), sys.argv[2]
    if step == "prepare":
        SigningKeyStore._create = die  # type: ignore[method-assign,assignment]
    elif step == "prepared":
        home.journal.change_key = die  # type: ignore[method-assign]
    elif step == "recorded":
        SigningKeyStore.promote = die  # type: ignore[method-assign]
    elif step == "recording":
        # The record's own artefact is put in its place in the middle of the transaction.
        Path.replace = die  # type: ignore[method-assign,assignment]
    elif step == "replace":
        put = Path.replace
        Path.replace = lambda path, to: die() if path.name.endswith(NEXT) else put(path, to)  # type: ignore[method-assign,assignment,return-value]
    else:
        SigningKeyStore.promote = then_die(SigningKeyStore.promote)  # type: ignore[method-assign]
    home.keys.rotate()


if __name__ == "__main__":
    main()
