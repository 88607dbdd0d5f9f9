"""An engine in which something unexpected goes wrong at the worst place: ``crashing.py REPOSITORY DIAGNOSTICS KEY``.

The error's message holds the key, as an error of a library may. The crash report is written by the same code as ever; then the
diagnostics are saved.
"""

from __future__ import annotations

import asyncio
import sys

from qverify_desktop.composition import open_engine
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.results import AnalysisRequest


async def main(source: str, diagnostics: str, key: str) -> None:
    engine = await open_engine()
    try:
        services = engine._parts.services  # type: ignore[union-attr]

        def fail(*_: object, **__: object) -> None:
            raise RuntimeError(f"401 for a request with 'authorization': 'Bearer {key}'")

        services.repositories.take_snapshot = fail
        run = await engine.start(AnalysisRequest(source))  # type: ignore[union-attr]
        try:
            async for _ in engine.watch(run):
                pass
        except QVerifyError as error:
            print(error)
        reports = await engine.ask("crash_reports")
        print(len(reports), "crash reports")
        assert reports
        await engine.ask("diagnostics_save", path=diagnostics)
    finally:
        await engine.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4]))
