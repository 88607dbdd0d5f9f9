"""Options of the commands about the log as such: checkpoints and the key that signs them."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any


def add_log(commands: Any, command: Callable[..., argparse.ArgumentParser]) -> None:
    """``command`` makes a sub-command of ``commands`` whose function is imported when it is called."""
    parser = command(
        commands,
        "checkpoint",
        "Show a signed checkpoint of the log, to be kept elsewhere.",
        "checkpoint",
        "cli_evidence",
    )
    parser.add_argument(
        "name", nargs="?", default="", metavar="RUN", help="the one that closes a run (default: the newest)"
    )
    parser.add_argument(
        "--qr",
        default="",
        metavar="FILE",
        help="write it as a QR code (FILE.svg), or draw that in place of the text (-)",
    )
    parser.add_argument(
        "--ask-again",
        action="store_true",
        help="have those in the settings confirm it who did not or would not so far",
    )
    parser = command(
        commands, "signing-key", "Show, rotate or revoke the key that signs the log.", "signing_key", "cli_evidence"
    )
    parser.add_argument(
        "action",
        choices=("show", "rotate", "revoke"),
        help="rotate lets a new key sign; revoke says that a key may be in other hands, and replaces it where it is the one in use",
    )
    parser.add_argument(
        "key", nargs="?", default="", metavar="KEY", help="revoke: a key before (default: the one in use)"
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="one line that goes into the log")
