"""What the options of all commands are made with. Reading a command line must not import what the command needs."""

from __future__ import annotations

import argparse
import importlib
from typing import Any


def command(commands: Any, name: str, help: str, run: str, module: str = "commands") -> argparse.ArgumentParser:
    """A sub-command whose function ``run`` of ``module`` is imported when it is called."""
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help, description=help)

    def call(options: argparse.Namespace) -> int:
        answer: int = getattr(importlib.import_module(f"qverify_desktop.cli.{module}"), run)(options)
        return answer

    parser.set_defaults(run=call)
    parser.add_argument("--json", action="store_true", help="print one JSON document on standard output")
    return parser


def add_passphrase(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--passphrase-fd",
        type=int,
        metavar="N",
        help="read the passphrase of the key file from this open file descriptor (default: the file that "
        "QVERIFY_PASSPHRASE_FILE names, else a prompt)",
    )
