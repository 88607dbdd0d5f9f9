"""An engine over real storage, journal, repository and DBOS; only the analysis is a scripted one, and no sandbox is used."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qverify_desktop.analysis.ports import Evidence, Sandbox
from qverify_desktop.analysis.services import Checkpoints, Services
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.analysis.workflow import RESULT_STEP
from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.results import AnalysisRequest, RunResult, Verdict
from qverify_desktop.engine.anchoring import Anchoring
from qverify_desktop.engine.bus import BusReporter
from qverify_desktop.engine.events import RunEvent
from qverify_desktop.engine.facade import Engine
from qverify_desktop.engine.lock import HomeLock
from qverify_desktop.engine.parts import Parts
from qverify_desktop.engine.signing_keys import SigningKeys, signer_of
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.ollama_models import OllamaModels
from qverify_desktop.hosted.service import HostedService
from qverify_desktop.languages.base import Language
from qverify_desktop.repository.intake import Repositories
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.key_file import KeyFile
from qverify_desktop.settings.secrets import ApiKeys
from qverify_desktop.settings.signing_key import KEY_FILE, SigningKeyStore
from qverify_desktop.storage.anchors import AnchorStore
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.runs import RunStore

Hook = Callable[[str], Awaitable[None]]


async def nothing(_step: str) -> None:
    """The hook that does nothing."""


class Halt:
    """Stops an analysis in a step until it is let through."""

    def __init__(self, step: str = "work") -> None:
        self.step = step
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def __call__(self, step: str) -> None:
        if step == self.step:
            self.reached.set()
            await self.open.wait()


class NoMachine:
    """A machine with nothing on it that notes its sweeps."""

    def __init__(self) -> None:
        self.sweeps = 0

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        return []

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        return []

    async def sweep(self) -> int:
        self.sweeps += 1
        return 0

    async def close(self) -> None:
        await asyncio.sleep(0)


class ScriptedAnalysis:
    """Three recorded steps: a real snapshot, work, result. ``hook`` is awaited inside each; ``began`` notes the starts."""

    def __init__(self, hook: Hook = nothing, found: Callable[[RunResult], RunResult] = lambda result: result) -> None:
        """``found`` makes the result richer."""
        #: Recorded by the step ``work``.
        self.evidence: list[Evidence] = []
        self.hook = hook
        self.found = found
        self.began: list[str] = []

    async def __call__(
        self, run: str, request: AnalysisRequest, services: Services, checkpoints: Checkpoints, reporter: BusReporter
    ) -> RunResult:
        steps = Steps(run, request, services, checkpoints, reporter)

        async def opening(context: StepContext) -> str:
            context.record("run_opened", {"application": "test"})
            return "2026-01-01T00:00:00Z"

        await steps.step("open", str, opening)
        reporter.started(Stage.INTAKE)

        async def intake(context: StepContext) -> Snapshot:
            await self._in("intake")
            return await in_stoppable_thread(
                lambda stop: services.repositories.take_snapshot(request.source, steps.folder, stop)
            )

        snapshot = await steps.step("intake", Snapshot, intake)
        reporter.finished(Stage.INTAKE, "done")
        reporter.started(Stage.JUDGE)

        async def work(context: StepContext) -> int:
            await self._in("work")
            for one in self.evidence:
                context.record(one.type, one.data, one.blobs)
            return 1

        await steps.step("work", int, work)
        reporter.finished(Stage.JUDGE, "done")

        async def conclude(context: StepContext) -> RunResult:
            await self._in("result")
            return self.found(
                RunResult(
                    run,
                    request,
                    Verdict.NOTHING_SUSPECTED,
                    "Nothing is suspected.",
                    snapshot.origin,
                    snapshot.commit,
                    snapshot.tree,
                    files={"tests/test_generated.py": "def test_one():\n    assert 1 + 1 == 2\n"},
                )
            )

        result = await steps.step(RESULT_STEP, RunResult, conclude)

        async def closing(context: StepContext) -> bool:
            context.record("run_closed", {"outcome": result.verdict.value})
            return True

        await steps.step("close", bool, closing)
        await asyncio.to_thread(services.journal.checkpoint, run)
        return result

    async def _in(self, step: str) -> None:
        self.began.append(step)
        await self.hook(step)


@asynccontextmanager
async def house(
    home: Path,
    analysis: ScriptedAnalysis | None = None,
    machine: NoMachine | None = None,
    languages: tuple[Language, ...] = (),
    hosted: HostedService | None = None,
    keys: ApiKeys | None = None,
    sandbox: Any = None,
) -> AsyncIterator[Engine]:
    """An engine that owns ``home``; the settings in it say who confirms checkpoints."""
    lock = HomeLock(home)
    assert lock.acquire(), "somebody owns the folder"
    database = Database(home / "qverify.db")
    artefacts = ArtefactStore(home / "artefacts")
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32).private_bytes_raw()
    gateway = ModelGateway(ApiKeys({}))
    configuration = Configuration.load(home=home)
    # One gate for all, as in the application: what closes it closes it for the hosted service too.
    gate = hosted._gate if hosted is not None else Gate(configuration.policy)
    anchoring = Anchoring(home, AnchorStore(database), gate, configuration)
    store = SigningKeyStore(home, keyring=False)
    rotated = (home / KEY_FILE).exists()
    signer = signer_of(home, store, database) if rotated else Signer("qverify.local/test", key, "unprotected key")
    journal = EvidenceJournal(database, artefacts, signer, wanted=anchoring.wanted)
    rooms = Services(
        repositories=Repositories(),
        sandbox=cast(Sandbox, sandbox),
        journal=journal,
        artefacts=artefacts,
        gateway=gateway,
        languages=languages,
        workspace=home / "workspace",
    )

    models = OllamaModels(gateway.ollama)

    async def dispose() -> None:
        await asyncio.to_thread(models.close)
        await asyncio.to_thread(database.close)

    def apply(changed: Configuration) -> None:
        gateway.set_air_gap(changed.air_gap)
        gate.policy = changed.policy
        anchoring.apply(changed)

    parts = Parts(
        home,
        lock,
        rooms,
        RunStore(database),
        machine or NoMachine(),
        analysis or ScriptedAnalysis(),
        dispose,
        database,
        keys or ApiKeys({}, file=KeyFile(home, n=2**10)),
        apply,
        models=models,
        anchoring=anchoring,
        signing_keys=SigningKeys(home, journal, database, lambda: store),
        hosted=hosted,
    )
    engine = await Engine.open(parts)
    try:
        yield engine
    finally:
        await engine.close()


async def follow(engine: Any, run: str) -> list[RunEvent]:
    """All events of a run, to its end."""
    async with asyncio.timeout(60):
        return [event async for event in engine.watch(run)]
