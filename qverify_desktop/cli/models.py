"""The commands around the models that an Ollama server keeps: list, show, pull, pause, rm, import, recommend."""

from __future__ import annotations

import argparse
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.cli.commands import _ask, _engine, _in_loop
from qverify_desktop.cli.watching import Listing, watched
from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.engine.messages import OwnerGone
from qverify_desktop.terminal.models import ModelScreen
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

ACTIONS = ("list", "show", "pull", "pause", "rm", "import", "recommend")
_NAMED = ("show", "pull", "pause", "rm")
STOPPED = 130
TRANSFERS = Listing("model_transfers", "transfers", "transfer")


def models(options: argparse.Namespace) -> int:
    """One of the actions. Raises ``BadInput`` where it lacks a name or a path."""
    names: list[str] = options.names
    action: str = options.action
    if action in _NAMED and len(names) != 1:
        raise BadInput(f"models {action} takes one name.", f"Type: qverify models {action} qwen2.5-coder:7b")
    if action == "import" and len(names) not in (1, 2):
        raise BadInput(
            "models import takes a GGUF file or a saved folder of models, and a name if you like.",
            "Type: qverify models import model.gguf my-model",
        )
    if action in ("list", "recommend") and names:
        raise BadInput(f"models {action} takes no name.", f"Type: qverify models {action}")
    acts: dict[str, Callable[[argparse.Namespace], int]] = {
        "list": _list,
        "show": _show,
        "pull": _pull,
        "pause": _pause,
        "rm": _remove,
        "import": _import,
        "recommend": _recommend,
    }
    return acts[action](options)


def _list(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        stored = await engine.ask("stored_models", api_base=options.api_base)
        transfers = (await engine.ask("model_transfers"))["transfers"]
        ModelScreen(options.json).print_stored(stored, transfers)
        return 3 if stored["sentence"] and not stored["models"] else 0

    return _ask(options, ask)


def _show(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        ModelScreen(options.json).print_model(
            await engine.ask("model_show", name=options.names[0], api_base=options.api_base)
        )
        return 0

    return _ask(options, ask)


def _remove(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        await engine.ask("model_delete", name=options.names[0], api_base=options.api_base)
        ModelScreen(options.json).print_done(f"Removed: {options.names[0]}", {"removed": options.names[0]})
        return 0

    return _ask(options, ask)


def _pause(options: argparse.Namespace) -> int:
    """Pause what another process has on its way."""
    name = options.names[0]

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        found = [
            one
            for one in (await engine.ask("model_transfers"))["transfers"]
            if name in (one["name"], one["transfer"]) and one["state"] == "running"
        ]
        if not found:
            raise BadInput(f"{name} is not on its way.", "See what is with: qverify models list")
        paused = [await engine.ask("model_pause", transfer=one["transfer"]) for one in found]
        ModelScreen(options.json).print_transfers(paused)
        return 0

    return _ask(options, ask)


def _recommend(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        ModelScreen(options.json).print_recommendation(await engine.ask("model_recommend", api_base=options.api_base))
        return 0

    return _ask(options, ask)


def _pull(options: argparse.Namespace) -> int:
    """Fetch a model, or go on with it. Ctrl+C pauses: what was fetched is kept."""

    async def begin(engine: AnyEngine) -> list[dict[str, Any]]:
        return [
            await engine.ask(
                "model_pull", name=options.names[0], api_base=options.api_base, force=bool(options.force)
            )
        ]

    return _in_loop(_to_the_end(options, begin))


def _import(options: argparse.Namespace) -> int:
    """Bring a model in from files."""
    path = os.path.abspath(Path(options.names[0]).expanduser())  # noqa: PTH100 - a link stays a link
    name = options.names[1] if len(options.names) > 1 else ""

    async def begin(engine: AnyEngine) -> list[dict[str, Any]]:
        begun: list[dict[str, Any]] = await engine.ask(
            "model_import", path=path, name=name, api_base=options.api_base, force=bool(options.force)
        )
        return begun

    return _in_loop(_to_the_end(options, begin))


async def _to_the_end(
    options: argparse.Namespace, begin: Callable[[AnyEngine], Awaitable[list[dict[str, Any]]]]
) -> int:
    """Begin and follow. Where the process that has the engine ends, this one takes over and goes on."""
    screen = ModelScreen(options.json)
    while True:
        try:
            async with _engine() as engine:
                ended, stopped = await _followed(engine, await begin(engine), screen)
                break
        except OwnerGone:
            screen.note("The process that fetched it ended; going on here.")
    if options.json or all(one["state"] == "done" for one in ended):
        screen.print_transfers(ended)
    if stopped:
        screen.note(f"Go on with: qverify models {options.action} {' '.join(options.names)}")
        return STOPPED
    left = [one for one in ended if one["state"] != "done"]
    if left and not options.json:
        again = f"qverify models {options.action} {' '.join(options.names)}"
        remedy = f"Go on all the same with: {again} --force" if left[0]["held"] else left[0]["remedy"]
        raise ModelFailure(f"{left[0]['name']}: {left[0]['sentence']}", remedy)
    return 4 if left else 0


async def _followed(
    engine: AnyEngine, begun: list[dict[str, Any]], screen: ModelScreen
) -> tuple[list[dict[str, Any]], bool]:
    """The transfers as they ended, and whether a person stopped them here."""
    wanted = {one["transfer"] for one in begun}
    with screen.progress() as progress:
        found = await watched(engine, TRANSFERS, wanted, progress.tell)
        if found is not None:
            return found, False
        return [await engine.ask("model_pause", transfer=one) for one in sorted(wanted)], True
