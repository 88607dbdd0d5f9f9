"""A process of its own for ``test_pause``: an analysis that pauses in its step ``work``. Says on standard output how far it is.

``pausing`` keeps the step open after the pause was asked for; ``paused`` ends it and tells when the run rests.
"""

import asyncio
import sys
from pathlib import Path

from qverify_desktop.domain.results import AnalysisRequest
from tests.engine.house import ScriptedAnalysis, follow, house


async def main(home: Path, source: str, state: str) -> None:
    reached, go = asyncio.Event(), asyncio.Event()

    async def hook(step: str) -> None:
        if step == "work":
            reached.set()
            await go.wait()

    async with house(home, ScriptedAnalysis(hook)) as engine:
        run = await engine.start(AnalysisRequest(source))
        await reached.wait()
        await engine.ask("run_pause", run=run)
        if state == "paused":
            go.set()
            await follow(engine, run)
        print(run, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3]))
