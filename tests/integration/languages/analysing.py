"""A sample project through the whole analysis, with real containers and nobody watching."""

from __future__ import annotations

import asyncio
from pathlib import Path

from qverify_desktop import composition
from qverify_desktop.analysis.services import Direct
from qverify_desktop.analysis.workflow import analyze
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.results import AnalysisRequest, RunResult
from qverify_desktop.engine.lock import HomeLock
from tests.integration.command import qverify

SAMPLES = Path(__file__).parent / "samples"


class Quiet:
    """Nobody watches."""

    def started(self, stage: Stage) -> None: ...

    def finished(self, stage: Stage, text: str) -> None: ...

    def progress(self, stage: Stage, done: int, total: int, text: str = "") -> None: ...

    def target(self, stage: Stage, target: str, text: str) -> None: ...

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None: ...

    def log(self, stage: Stage, text: str) -> None: ...


#: Name of the bundle that ``analysed`` leaves in its state folder.
BUNDLE = "r-sample.qvevidence.zip"


def executed_again(bundle: Path | str, source: Path, home: Path) -> None:
    """A run's bundle on a second machine: a state folder of its own, every test again in the pinned image, all agree."""
    said = qverify(home, "reproduce", str(bundle), "--source", str(source), "--json", timeout=560)
    assert said.code == 0, said.out + said.err
    document = said.document
    assert document["grades"] == ["UNANCHORED", "REPRODUCED"]
    assert document["agree"] == len(document["tests"]) > 1 and document["differ"] == document["not_run"] == 0
    assert {test["verdict"] for test in document["tests"]} == {"accepted", "suspected"}


def analysed(source: Path, home: Path) -> RunResult:
    """The result of an analysis with no model, in a state folder of its own, which holds its bundle afterwards."""

    async def run() -> RunResult:
        lock = HomeLock(home)
        lock.acquire()
        parts = await asyncio.to_thread(composition.build, home, lock)
        try:
            result = await analyze("r-sample", AnalysisRequest(str(source)), parts.services, Direct(), Quiet())
            await asyncio.to_thread(parts.services.journal.bundle, "r-sample", home / BUNDLE)
            return result
        finally:
            await parts.dispose()
            lock.release()

    return asyncio.run(run())
