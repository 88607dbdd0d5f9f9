"""The commands that show sums: what models took, how repositories went from run to run; as text, JSON or a CSV file."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from qverify_desktop.cli.commands import _ask
from qverify_desktop.engine.delivery import write_for_person
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine


def usage(options: argparse.Namespace) -> int:
    """What models took, by the ledger; with ``--csv`` into a file."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        if options.csv:
            table = await engine.ask("model_usage_csv", by=options.by)
            await asyncio.to_thread(write_for_person, Path(options.csv), table.encode("utf-8"))
            screen.print_written("csv", os.path.abspath(options.csv))  # noqa: PTH100, ASYNC240
        elif options.by == "call":
            screen.print_calls(await engine.ask("model_calls"))
        else:
            screen.print_usage(await engine.ask("model_usage", by=options.by))
        return 0

    return _ask(options, ask)


def trend(options: argparse.Namespace) -> int:
    """How a repository went from run to run, or all of them; with ``--csv`` into a file."""
    source = _named(options.source)

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        if options.csv:
            table = await engine.ask("repository_trend_csv", source=source)
            await asyncio.to_thread(write_for_person, Path(options.csv), table.encode("utf-8"))
            screen.print_written("csv", os.path.abspath(options.csv))  # noqa: PTH100, ASYNC240
        else:
            screen.print_trends(await engine.ask("repository_trend", source=source), whole=bool(source))
        return 0

    return _ask(options, ask)


def _named(text: str) -> str:
    """A repository as its runs name it. Unlike one to be analysed it need not be there any more."""
    if not text or "://" in text or (":" in text.split("/", 1)[0] and not Path(text).exists()):
        return text
    return os.path.abspath(Path(text).expanduser())  # noqa: PTH100 - a link stays a link
