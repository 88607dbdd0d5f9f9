"""``qverify reproduce``: execute somebody else's bundle again, and say for each test whether it ends as the evidence says."""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.cli.commands import _engine, _in_loop, _source
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.engine.messages import OwnerGone
from qverify_desktop.terminal.reproduction import ReproductionProgress, print_reproduction

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

#: Exit code of a command that Ctrl+C ended.
STOPPED = 130


def reproduce(options: argparse.Namespace) -> int:
    """0 reproduced, 1 differs or the bundle is not whole, 3 an image is missing, 4 not everything was executed in the pinned image."""
    asked = {
        "bundle": _absolute(options.bundle),
        "source": _source(options.source) if options.source else "",
        "public_key": options.public_key,
        "known_checkpoint": _absolute(options.known_checkpoint) if options.known_checkpoint else "",
        "other_image": bool(options.other_image),
        "allow_install": bool(options.allow_install),
        "packages": _absolute(options.packages) if options.packages else "",
        "sandbox": options.sandbox,
    }
    return _in_loop(_to_its_end(options, asked))


async def _to_its_end(options: argparse.Namespace, asked: dict[str, Any]) -> int:
    try:
        async with _engine() as engine:
            view = await _followed(engine, asked)
    except OwnerGone as error:
        raise QVerifyError("The process that executed it ended. What it did is recorded.", "Begin again.") from error
    return await asyncio.to_thread(_answered, options, view)


def _answered(options: argparse.Namespace, view: dict[str, Any]) -> int:
    from qverify_desktop.engine.reproduction_view import document_of, exit_code_of

    error = view["error"]
    if error:
        kinds: dict[int, type[QVerifyError]] = {2: BadInput, 3: MissingPrerequisite}
        raise kinds.get(int(error.get("exit_code", 4)), QVerifyError)(error["sentence"], error.get("remedy", ""))
    for target, field in ((options.out, "bundle"), (options.report, "report")):
        if target and view["record"][field]:
            _copy(Path(view["record"][field]), Path(_absolute(target)))
            view["record"][field] = _absolute(target)
    print_reproduction(document_of(view), options.json)  # type: ignore[arg-type]
    if view["state"] == "stopped":
        return STOPPED
    return exit_code_of(view)  # type: ignore[arg-type]


async def _followed(engine: AnyEngine, asked: dict[str, Any]) -> dict[str, Any]:
    """The view as it ended; Ctrl+C stops it and its containers."""
    view: dict[str, Any] = await engine.ask("reproduce", **asked)
    progress, stop = ReproductionProgress(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    try:
        while view["state"] == "running":
            progress.tell(view)
            asking = asyncio.ensure_future(engine.ask("reproduction", id=view["id"], after=view["version"]))
            stopping = asyncio.ensure_future(stop.wait())
            try:
                await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
            if stop.is_set():
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                view = await engine.ask("reproduction_stop", id=view["id"])
                break
            view = await asking
        return view
    finally:
        loop.remove_signal_handler(signal.SIGINT)


def _absolute(text: str) -> str:
    return os.path.abspath(Path(text).expanduser())  # noqa: PTH100 - a link stays a link


def _copy(kept: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(kept, target)
    except OSError as error:
        raise BadInput(
            f"The file {target} can't be written ({error.strerror}). The record is kept at {kept}.",
            "Name another file.",
        ) from error
