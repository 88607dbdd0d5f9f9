"""The commands that need the engine: each opens it (or attaches to the process that has it), asks, prints, answers."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.cli.questions import Answering, can_ask, with_policy
from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.domain.errors import BadInput, Cancelled, QVerifyError
from qverify_desktop.domain.execution import SandboxKind
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import BUDGETS, SEEDS, TARGETS, TIME_BUDGETS, AnalysisRequest
from qverify_desktop.terminal.screen import Screen

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine


def analyze(options: argparse.Namespace) -> int:
    """Analyse, watch, print; the exit code is the verdict's."""
    request = _request(options)

    async def begin(engine: AnyEngine) -> str:
        if request.model != "none":
            await _open_key_file(engine, options)
        return await engine.start(request if options.json else await with_policy(engine, request))

    return _in_loop(_run_to_its_end(Screen(options.json), begin))


def preview(options: argparse.Namespace) -> int:
    """What a model would be sent first about one function or several; nothing is sent, run or kept."""
    try:
        scope = Scope.parse(options.scope)
    except ValueError as error:
        raise BadInput(str(error)) from error
    request = AnalysisRequest(
        _source(options.source), scope, options.model, options.api_base, cloud=_cloud(options).value
    )

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        from qverify_desktop.engine.wire import request_to_json

        asked = request_to_json(request)
        views = [await engine.ask("model_preview", request=asked, target=one) for one in options.target or [""]]
        screen.print_previews(views, names=options.targets)
        return 0

    return _ask(options, ask)


def resume(options: argparse.Namespace) -> int:
    """Go on with a run, watch, print; the exit code is the verdict's."""

    async def begin(engine: AnyEngine) -> str:
        await _open_key_file(engine, options)
        await engine.resume(options.name)
        return str((await engine.show(options.name))["run"])

    return _in_loop(_run_to_its_end(Screen(options.json), begin))


async def _open_key_file(engine: AnyEngine, options: argparse.Namespace) -> None:
    from qverify_desktop.cli.keys import open_key_file

    await open_key_file(engine, Screen(options.json), options.passphrase_fd)


def runs(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        screen.print_runs(await engine.runs())
        return 0

    return _ask(options, ask)


def show(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        screen.print_document(await engine.show(options.name))
        return 0

    return _ask(options, ask)


def watch(options: argparse.Namespace) -> int:
    """Follow a run that goes on in another process; Ctrl-C stops following, not the run."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        await _follow(engine, options.name, screen)
        document = await _ended(engine, options.name)
        screen.print_document(document)
        return int(document["exit_code"])

    return _ask(options, ask)


def cancel(options: argparse.Namespace) -> int:
    async def ask(engine: AnyEngine, screen: Screen) -> int:
        await engine.cancel(options.name)
        screen.print_status(await _ended(engine, options.name))
        return 0

    return _ask(options, ask)


def replay(options: argparse.Namespace) -> int:
    """0 where the judgement is the same, 1 where it differs."""

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        screen.note(f"Replaying {options.name}; no model is asked.")
        view = await engine.ask("run_replay", run=options.name)
        screen.print_replay(view)
        return 0 if view["same"] else 1

    return _ask(options, ask)


def export(options: argparse.Namespace) -> int:
    disclosure = Disclosure(options.disclose)
    if disclosure is not Disclosure.FULL and options.format != "evidence":
        raise BadInput(
            f"--disclose {disclosure.value} is for evidence bundles; nothing was written.",
            "Give --format evidence with it.",
        )
    format = disclosure.bundle_format if options.format == "evidence" else options.format

    async def ask(engine: AnyEngine, screen: Screen) -> int:
        path = await engine.export(options.name, format, Path(os.path.abspath(options.output)))  # noqa: PTH100, ASYNC240
        screen.print_written(options.format, str(path))
        return 0

    return _ask(options, ask)


def runtimes(options: argparse.Namespace) -> int:
    """Needs Docker, but no state: works while another process owns the state folder."""
    from qverify_desktop.composition import build_machine, home_folder

    async def ask() -> int:
        machine = build_machine(home_folder())
        screen = Screen(options.json)
        try:
            answers = await machine.runtimes(options.action, options.names, screen.note)
        finally:
            await machine.close()
        screen.print_runtimes(answers)
        return 0 if options.action == "list" or all(one["ready"] for one in answers) else 3

    return _in_loop(ask())


def doctor(options: argparse.Namespace) -> int:
    """Works where everything is broken: no Docker, a read-only state folder."""
    from qverify_desktop.composition import build_machine, home_folder

    async def ask() -> int:
        machine = build_machine(home_folder())
        try:
            checks = await machine.doctor(options.fix)
        finally:
            await machine.close()
        Screen(options.json).print_checks(checks)
        return 3 if any(check["state"] == "blocking" for check in checks) else 0

    return _in_loop(ask())


def _request(options: argparse.Namespace) -> AnalysisRequest:
    try:
        scope = Scope.parse(options.scope)
    except ValueError as error:
        raise BadInput(str(error)) from error
    for name, number, (least, most) in (
        ("--max-targets", options.max_targets, TARGETS),
        ("--seed", options.seed, SEEDS),
        ("--time-budget", options.time_budget, TIME_BUDGETS),
    ):
        if number < least:
            raise BadInput(f"{name} must be at least {least}.")
        if number > most:
            raise BadInput(f"{name} must be at most {most}.")
    return AnalysisRequest(
        source=_source(options.source),
        scope=scope,
        model=options.model or "none",
        api_base=options.api_base,
        max_targets=options.max_targets,
        seed=options.seed,
        allow_install=options.allow_install,
        out=os.path.abspath(options.out) if options.out else "",  # noqa: PTH100 - a link stays a link
        budget_microusd=_budget(options.budget),
        packages=str(Path(options.packages).resolve()) if options.packages else "",
        sandbox=_sandbox(options.sandbox),
        time_budget_s=options.time_budget,
        fresh=options.fresh,
        cloud=_cloud(options).value,
    )


def _cloud(options: argparse.Namespace) -> CloudPolicy:
    if options.cloud:
        return CloudPolicy.ALLOWED
    return CloudPolicy.LOCAL_ONLY if options.local_only else CloudPolicy.UNDECIDED


def _sandbox(chosen: str) -> str:
    """The option, or this command's environment; another process that has the engine knows only its own."""
    named = chosen or os.environ.get("QVERIFY_SANDBOX", "").strip()
    if named not in ("", *SandboxKind):
        raise BadInput(f"QVERIFY_SANDBOX names no sandbox: {named[:40]!r}.", "Choose docker or bubblewrap.")
    return named


def _budget(text: str) -> int:
    """US dollars as typed (``2``, ``0.50``) in millionths; 0, no limit, for nothing. Raises ``BadInput``."""
    if not text:
        return 0
    try:
        amount = int(Decimal(text) * 1_000_000)
    except (InvalidOperation, OverflowError, ValueError):
        amount = 0
    if not max(1, BUDGETS[0]) <= amount <= BUDGETS[1]:
        most = BUDGETS[1] // 1_000_000
        raise BadInput(
            f"--budget must be an amount of US dollars above 0, at most {most}.",
            "Write it as 0.50 or 2, or leave it out for no limit.",
        )
    return amount


def _source(text: str) -> str:
    """A folder as an absolute path, a URL (or git's ``user@host:path``) as it is. Raises ``BadInput``."""
    if not text.strip():
        raise BadInput("No folder and no URL was given.", "Name the folder to analyse; the one you are in is a dot.")
    path = Path(text).expanduser()
    if path.is_dir():
        return os.path.abspath(path)  # noqa: PTH100 - a link stays a link
    if "://" in text or (":" in text.split("/", 1)[0] and not path.exists()):
        return text
    if path.exists():
        # A git bundle, or something that the intake refuses with its own sentence.
        return os.path.abspath(path)  # noqa: PTH100
    raise BadInput(f"There is no folder {text}.", "Name a folder that exists, or the URL of a git repository.")


def _in_loop(work: Coroutine[Any, Any, int]) -> int:
    try:
        return asyncio.run(work)
    except asyncio.CancelledError:
        # A signal asked this process to end; everything was closed in order.
        return 128 + signal.SIGTERM


def _ask(options: argparse.Namespace, ask: Callable[[AnyEngine, Screen], Awaitable[int]]) -> int:
    """Ask the engine and print. An owner that ends between two questions leaves the folder to us: then it is asked again, here.
    What is asked so may be asked twice."""
    from qverify_desktop.engine.messages import OwnerGone

    async def asked() -> int:
        with contextlib.suppress(OwnerGone):
            async with _engine() as engine:
                return await ask(engine, Screen(options.json))
        async with _engine() as engine:
            return await ask(engine, Screen(options.json))

    return _in_loop(asked())


@asynccontextmanager
async def _engine() -> AsyncIterator[AnyEngine]:
    """The engine of this state folder; SIGTERM and SIGHUP close it in order (runs can be gone on with)."""
    from qverify_desktop.composition import home_folder, open_engine

    this = asyncio.current_task()
    if this is not None:
        for number in (signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, this.cancel)
    engine = await open_engine(home_folder())
    try:
        await _tell_doubts(engine)
        yield engine
    finally:
        await engine.close()


async def _tell_doubts(engine: AnyEngine) -> None:
    """Once, by whoever comes first: calls that were open when QVerify ended before."""
    from qverify_desktop.engine.messages import OwnerGone

    found = {"calls": 0}
    # An owner of an older version does not know the question; one that ends now has told it, or its next one will.
    with contextlib.suppress(BadInput, OwnerGone):
        found = await engine.ask("calls_in_doubt")
    if found["calls"]:
        Screen(as_json=False).note(doubts_sentence(found))


def doubts_sentence(found: Mapping[str, Any]) -> str:
    """Which calls are in doubt, and where to see them."""
    calls, where = found["calls"], ", ".join(sorted(found["where"]))
    told = f"{calls} call to {where} was" if calls == 1 else f"{calls} calls to {where} were"
    return (
        f"{told} open when QVerify ended and may have been charged; budgets count it so. See: qverify usage --by call"
    )


async def _run_to_its_end(screen: Screen, begin: Callable[[AnyEngine], Awaitable[str]]) -> int:
    """Begin a run and follow it. The first Ctrl-C cancels it, the second ends this process at once."""
    async with _engine() as engine:
        run = await begin(engine)
        canceller = _Canceller(engine, run, screen)
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, canceller.interrupt)
        await _follow(engine, run, screen)
        document = await _ended(engine, run)
        if screen.as_json or "error" not in document:
            screen.print_document(document)
        if "error" in document:
            screen.print_error(document["error"])
        others = engine.live()
        if others:
            screen.note(f"Waiting for {len(others)} more that another command started here: {', '.join(others)}")
            asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)
            await engine.drain()
        return int(document["exit_code"])


async def _follow(engine: AnyEngine, run: str, screen: Screen) -> None:
    """Show a run's events to its end, or to the end of the process that it goes on in."""
    from qverify_desktop.engine.messages import OwnerGone

    attend = can_ask() and not screen.as_json
    with screen.progress() as progress:
        async with contextlib.aclosing(Answering(engine, run, progress.paused)) as answering:
            with contextlib.suppress(OwnerGone):
                async for event in engine.watch(run, attend):
                    progress.tell(event)
                    if attend:
                        answering.hear(event)


async def _ended(engine: AnyEngine, run: str) -> dict[str, Any]:
    """The run's document. An owner that we had attached to may end right after its last run: then the folder is ours."""
    from qverify_desktop.engine.messages import OwnerGone

    try:
        return await engine.show(run)
    except OwnerGone:
        async with _engine() as own:
            return await own.show(run)


class _Canceller:
    """What Ctrl-C means while a run goes on."""

    def __init__(self, engine: AnyEngine, run: str, screen: Screen) -> None:
        self._engine = engine
        self._run = run
        self._screen = screen
        self._task: asyncio.Task[None] | None = None

    def interrupt(self) -> None:
        if self._task is not None:
            # The next start sweeps up the containers that this leaves.
            os._exit(130)
        self._screen.note(f"Cancelling {self._run} … (Ctrl-C again quits at once)")
        self._task = asyncio.get_running_loop().create_task(self._cancel())

    async def _cancel(self) -> None:
        try:
            await self._engine.cancel(self._run)
        except QVerifyError as error:
            if not isinstance(error, Cancelled):
                self._screen.note(str(error))
