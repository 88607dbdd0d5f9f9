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

SAMPLES = Path(__file__).parent / "samples"


class Quiet:
    """Nobody watches."""

    def started(self, stage: Stage) -> None: ...

    def finished(self, stage: Stage, text: str) -> None: ...

    def progress(self, stage: Stage, done: int, total: int, text: str = "") -> None: ...

    def target(self, stage: Stage, target: str, text: str) -> None: ...

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None: ...

    def log(self, stage: Stage, text: str) -> None: ...


def analysed(source: Path, home: Path) -> RunResult:
    """The result of an analysis with no model, in a state folder of its own."""

    async def run() -> RunResult:
        lock = HomeLock(home)
        lock.acquire()
        parts = await asyncio.to_thread(composition.build, home, lock)
        try:
            return await analyze("r-sample", AnalysisRequest(str(source)), parts.services, Direct(), Quiet())
        finally:
            await parts.dispose()
            lock.release()

    return asyncio.run(run())
