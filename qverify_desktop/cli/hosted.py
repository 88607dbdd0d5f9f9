"""``qverify hosted``: signing in, sending a run's evidence, the queue, analyses that the service runs, plan and invoices."""

from __future__ import annotations

import argparse
import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.cli.commands import _ask, _engine, _in_loop
from qverify_desktop.cli.questions import can_ask, typed_line
from qverify_desktop.cli.watching import Listing, watched
from qverify_desktop.domain.errors import BadInput, HostedFailure, QVerifyError
from qverify_desktop.engine.messages import OwnerGone
from qverify_desktop.terminal.hosted import HostedScreen
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

STOPPED = 130
EXPORTS = Listing("hosted_exports", "exports", "export")
ENDED = ("done", "failed", "cancelled")


def hosted(options: argparse.Namespace) -> int:
    """One of the actions."""
    return _ACTIONS[options.action](options)


def _sign_in(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, _: Screen) -> int:
        screen = HostedScreen(options.json)
        store, passphrase = await _place(engine, options)
        view = await engine.ask("hosted_sign_in", store=store, passphrase=passphrase)
        screen.print_code(view)
        try:
            while view["state"] == "waiting":
                view = await engine.ask("hosted_sign_in_watch", after=view["version"])
        except BaseException:
            await engine.ask("hosted_sign_in_cancel")
            raise
        if view["state"] != "done":
            raise HostedFailure(view["sentence"] or "Nobody is signed in.", view["remedy"])
        screen.print_status(await engine.ask("hosted_status"), view["sentence"])
        return 0

    return _ask(options, ask)


async def _place(engine: AnyEngine, options: argparse.Namespace) -> tuple[str, str]:
    """Where the sign-in is kept, and the passphrase where that is a key file that is not open."""
    from qverify_desktop import passphrases

    view = await engine.ask("keys")
    store = options.store or view["usual"]
    if store not in ("keyring", "file"):
        raise BadInput(
            "There is no keyring here, so the sign-in would be gone when this command ends. Nobody was signed in.",
            "Keep it in a file that a passphrase opens: qverify hosted sign-in --store file",
        )
    if store != "file" or view["file"] == "open":
        return store, ""
    if options.passphrase_fd is not None:
        return store, await asyncio.to_thread(passphrases.of_descriptor, options.passphrase_fd)
    is_new = view["file"] == "none"
    prompt = passphrases.new_of_prompt if is_new else passphrases.of_prompt
    given = await asyncio.to_thread(passphrases.of_named_file)
    words = "Passphrase for the new key file: " if is_new else "Passphrase of the key file: "
    return store, given or await asyncio.to_thread(prompt, words)


async def _open(engine: AnyEngine, options: argparse.Namespace) -> None:
    """The sign-in may lie in a key file that has to be opened first."""
    if (await engine.ask("hosted_status"))["locked"]:
        from qverify_desktop.cli.keys import open_key_file

        await open_key_file(engine, Screen(options.json), options.passphrase_fd)


def _sign_out(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        await _open(engine, options)
        screen.print_told(await engine.ask("hosted_sign_out"))
        return 0

    return _ask(options, ask)


def _status(options: argparse.Namespace) -> int:
    """What is known here, and what the service itself says of the sign-in where it can be asked."""

    async def ask(engine: AnyEngine, _: Screen) -> int:
        await _open(engine, options)
        status = await engine.ask("hosted_status")
        account, problem = None, ""
        if status["signed_in"] and not status["closed"]:
            try:
                account = await engine.ask("hosted_account")
            except QVerifyError as error:
                problem = f"{error.sentence} {error.remedy}".strip()
                # A sign-in that the service takes no more may be gone now.
                status = await engine.ask("hosted_status")
        HostedScreen(options.json).print_status(status, account=account, problem=problem)
        return 0 if status["signed_in"] else 3

    return _ask(options, ask)


def _regions(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, _: Screen) -> int:
        await _open(engine, options)
        if options.choose:
            await engine.ask("hosted_choose_region", region=options.choose)
        HostedScreen(options.json).print_regions(await engine.ask("hosted_regions"))
        return 0

    return _ask(options, ask)


def _usage(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, _: Screen) -> int:
        await _open(engine, options)
        HostedScreen(options.json).print_usage(await engine.ask("hosted_usage"))
        return 0

    return _ask(options, ask)


# Sending


def _send(options: argparse.Namespace) -> int:
    """Show what would leave, ask, queue it, and follow it. Ctrl+C leaves it in the queue."""

    async def begin(engine: AnyEngine, screen: HostedScreen) -> list[str]:
        await _open(engine, options)
        what = _what(options)
        leaving = await engine.ask("hosted_leaving", **what)
        screen.print_leaving(leaving)
        if leaving["refusal"]:
            raise BadInput(leaving["refusal"], leaving["remedy"])
        if not options.yes:
            await _agreed(f"Send this to {leaving['host'] or 'the hosted service'}? [y/n] ")
        sent = await engine.ask("hosted_send", **what)
        return [sent["export"]]

    return _in_loop(_followed(options, begin))


def _what(options: argparse.Namespace) -> dict[str, str]:
    """A run with how much of it, or the file of a bundle, which is sent as it is. Raises ``BadInput``."""
    file = Path(options.name).expanduser()
    if not (file.is_file() or file.name.endswith(".zip")):
        return {"run": options.name, "contents": options.content or "full"}
    if options.content:
        raise BadInput(
            "A bundle that came as a file is sent as it is. Nothing was sent.",
            "Leave --content out, or name the run.",
        )
    return {"bundle": os.path.abspath(file)}  # noqa: PTH100 - a link stays a link


def _queue(options: argparse.Namespace) -> int:
    """List the queue; with an option change one entry, with --wait follow all that is on its way."""

    async def begin(engine: AnyEngine, screen: HostedScreen) -> list[str]:
        await _open(engine, options)
        for name, question in (("pause", "hosted_pause"), ("resume", "hosted_resume"), ("drop", "hosted_drop")):
            if wanted := getattr(options, name):
                await engine.ask(question, export=wanted)
        found = (await engine.ask("hosted_exports"))["exports"]
        if options.wait:
            for one in found:
                if one["state"] not in ("done", "running"):
                    await engine.ask("hosted_resume", export=one["export"])
            return [one["export"] for one in found if one["state"] != "done"]
        screen.print_exports(found)
        return []

    return _in_loop(_followed(options, begin, quiet=not options.wait))


async def _agreed(question: str) -> None:
    """Raises ``BadInput`` unless the person says yes."""
    if not can_ask():
        raise BadInput("There is no terminal to ask on, so nothing was sent.", "Say it with --yes.")
    if (await typed_line(question)).lower() not in ("y", "yes"):
        raise BadInput("Nothing was sent.")


async def _followed(
    options: argparse.Namespace, begin: Callable[[AnyEngine, HostedScreen], Awaitable[list[str]]], quiet: bool = False
) -> int:
    """Begin and follow to the end. Where the process that has the engine ends, this one takes over the queue and goes on."""
    screen = HostedScreen(options.json)
    wanted: list[str] | None = None
    while True:
        try:
            async with _engine() as engine:
                if wanted is None:
                    wanted = await begin(engine, screen)
                if not wanted:
                    return 0
                if getattr(options, "no_wait", False):
                    return screen.print_queued(await _of(engine, wanted))
                found = await watched(engine, EXPORTS, wanted, screen.tell)
                ended = await _of(engine, wanted) if found is None else found
                break
        except OwnerGone:
            screen.note("The process that sent it ended; going on here.")
    if not quiet or options.json:
        screen.print_exports(ended)
    if found is None:
        screen.note("It stays in the queue and goes on when QVerify runs: qverify hosted queue --wait")
        return STOPPED
    left = [one for one in ended if one["state"] != "done"]
    if left and not options.json:
        raise HostedFailure(left[0]["sentence"], left[0]["remedy"])
    return 4 if left else 0


async def _of(engine: AnyEngine, wanted: list[str]) -> list[dict[str, Any]]:
    return [one for one in (await engine.ask("hosted_exports"))["exports"] if one["export"] in wanted]


# Analyses


def _analyze(options: argparse.Namespace) -> int:
    """Have the service analyse a commit, and follow it. Ctrl+C leaves it going on there."""
    name = options.name
    # What is on this machine is meant from where the command was typed, not from where the engine runs.
    source = os.path.abspath(Path(name).expanduser()) if Path(name).expanduser().exists() else name  # noqa: PTH100

    async def ask(engine: AnyEngine, _: Screen) -> int:
        screen = HostedScreen(options.json)
        await _open(engine, options)
        found = await engine.ask("hosted_source", source=source)
        commit = options.commit or found["commit"]
        screen.print_source(found, commit)
        if found["refusal"]:
            raise BadInput(found["refusal"], found["remedy"])
        if not options.yes:
            await _agreed("Have the hosted service clone and analyse this? [y/n] ")
        one = await engine.ask(
            "hosted_analyze",
            source=source,
            commit=commit,
            scope=options.scope,
            model=options.model,
            label=options.label,
            budget_micro=_micro(options.budget),
        )
        event = ""
        while not options.no_wait and one["state"] not in ENDED:
            screen.tell_analysis(one)
            told = await engine.ask("hosted_analysis_watch", id=one["id"], after=event)
            one, event = told["analysis"], told["event"]
        screen.print_analyses([one])
        if one["state"] == "done":
            screen.note(f"Its evidence: qverify hosted bundle {one['id']}")
        return 4 if one["state"] in ("failed", "cancelled") else 1 if one["suspected_defects"] else 0

    return _ask(options, ask)


def _analyses(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, _: Screen) -> int:
        await _open(engine, options)
        if options.cancel:
            await engine.ask("hosted_analysis_cancel", id=options.cancel)
        HostedScreen(options.json).print_analyses(await engine.ask("hosted_analyses"))
        return 0

    return _ask(options, ask)


def _bundle(options: argparse.Namespace) -> int:
    """Fetch and verify the bundle of an analysis."""
    path = os.path.abspath(Path(options.out or f"{options.name}.qvevidence.zip").expanduser())  # noqa: PTH100

    async def ask(engine: AnyEngine, _: Screen) -> int:
        await _open(engine, options)
        view = await engine.ask("hosted_analysis_bundle", id=options.name, path=path)
        HostedScreen(options.json).print_bundle(view)
        return 0

    return _ask(options, ask)


def _micro(text: str) -> int:
    """Millionths of the unit of money. Raises ``BadInput``."""
    from decimal import Decimal, InvalidOperation

    try:
        amount = Decimal(text or "0")
        sound = amount.is_finite() and 0 <= amount <= 10**6
    except InvalidOperation:
        sound = False
    if not sound:
        raise BadInput(f"The budget {text!r} is no amount of money.", "Give it like --budget 2.50")
    return int(amount * 10**6)


_ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {
    "sign-in": _sign_in,
    "sign-out": _sign_out,
    "status": _status,
    "regions": _regions,
    "send": _send,
    "queue": _queue,
    "usage": _usage,
    "analyze": _analyze,
    "analyses": _analyses,
    "bundle": _bundle,
}
