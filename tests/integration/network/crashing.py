"""An engine in which something unexpected goes wrong at the worst place: ``crashing.py REPOSITORY DIAGNOSTICS SERVER``.

Standard input holds, as JSON, the ``key`` of the environment, a ``file_key`` of the key file and its ``passphrase``. The file is opened,
its key sent to the server, and then the error's message holds all three, as an error of a library may. The crash report is written by
the same code as ever; then the diagnostics are saved. Whatever is told meanwhile is printed.
"""

from __future__ import annotations

import asyncio
import json
import sys

from qverify_desktop.composition import open_engine
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.question import Question
from qverify_desktop.domain.results import AnalysisRequest
from tests.model_servers.server import MODEL


async def main(source: str, diagnostics: str, server: str, key: str, file_key: str, passphrase: str) -> None:
    engine = await open_engine()
    try:
        await engine.ask("keys_unlock", passphrase=passphrase)
        print(await engine.ask("keys"))
        services = engine._parts.services  # type: ignore[union-attr]
        asked = [{"role": "user", "content": "Write a test."}]
        print(await services.gateway.complete(Question(asked, "leak", 64, MODEL, server)))

        def fail(*_: object, **__: object) -> None:
            headers = {"authorization": f"Bearer {key}", "x-api-key": file_key}
            raise RuntimeError(f"401 for a request with {headers}; opened with {passphrase!r}")

        services.repositories.take_snapshot = fail
        run = await engine.start(AnalysisRequest(source))  # type: ignore[union-attr]
        try:
            async for event in engine.watch(run):
                print(event)
        except QVerifyError as error:
            print(error)
        reports = await engine.ask("crash_reports")
        print(reports)
        assert reports
        await engine.ask("diagnostics_save", path=diagnostics)
    finally:
        await engine.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:4], **json.load(sys.stdin)))
