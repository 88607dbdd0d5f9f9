"""What tests do with an engine and a hosted service: sign in, make a finished run, wait for the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.facade import Engine
from qverify_desktop.engine.hosting import place_of
from qverify_desktop.hosted.service import HostedService as Client
from qverify_desktop.hosted.tokens import tokens_of
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.key_file import KeyFile
from qverify_desktop.settings.secrets import ApiKeys
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.hosted_service.issuer import AUDIENCE, SCOPES, Person, Session
from tests.hosted_service.service import HostedService

#: Seconds for whatever a test waits for.
PATIENCE_S = 40
PASSPHRASE = "a passphrase of a test"


@asynccontextmanager
async def desktop(
    home: Path, keys: ApiKeys | None = None, analysis: ScriptedAnalysis | None = None
) -> AsyncIterator[Engine]:
    """An engine that owns ``home``, with the client that its settings describe."""
    configuration = Configuration.load(home=home)
    keys = keys or ApiKeys({}, file=KeyFile(home, n=2**10))
    gate = Gate(configuration.policy)
    async with house(home, analysis, hosted=Client(keys, gate, place_of(configuration)), keys=keys) as engine:
        yield engine


async def signed_in(
    engine: Any, hosted: HostedService, person: Person | None = None, **params: Any
) -> dict[str, Any]:
    """Sign somebody in, as a person does: the code is confirmed at the issuer."""
    view = await engine.ask("hosted_sign_in", **params)
    hosted.issuer.decide(view["code"], person)
    async with asyncio.timeout(PATIENCE_S):
        while view["state"] == "waiting":
            view = await engine.ask("hosted_sign_in_watch", after=view["version"])
    return dict(view)


async def let_in(engine: Any, hosted: HostedService, store: str = "", passphrase: str = "") -> None:
    """Tokens of the issuer without the code, which takes a person's second or more: for tests of something else."""
    answer = hosted.issuer._answer(Session(Person(), SCOPES, AUDIENCE))
    client = client_of(engine)
    await client.session.keep(tokens_of(answer, hosted.issuer.url), store, passphrase)


def client_of(engine: Any) -> Client:
    """The client of an engine."""
    found = engine._hosted
    assert isinstance(found, Client)
    return found


async def finished_run(engine: Any, folder: Path, **more: Any) -> str:
    """A run over a small folder, to its end."""
    folder.mkdir(exist_ok=True)
    (folder / "one.py").write_text("def one():\n    return 1\n", "utf-8")
    run = await engine.start(AnalysisRequest(str(folder), **more))
    await follow(engine, run)
    return str(run)


@asynccontextmanager
async def ready(home: Path, hosted: HostedService, folder: Path) -> AsyncIterator[tuple[Engine, str]]:
    """An engine where somebody is signed in, and a finished run over ``folder``."""
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        yield engine, await finished_run(engine, folder)


async def outcome(engine: Any, run: str, **params: Any) -> dict[str, Any]:
    """Send a run; the export as it ended."""
    queued = await engine.ask("hosted_send", run=run, **params)
    return await until(engine, queued["export"], "done", "failed")


async def held(engine: Any, hosted: HostedService, run: str, path: str) -> dict[str, Any]:
    """Send a run to a service that fails at ``path`` for good: the export as it waits for tomorrow."""
    hosted.fault("POST", path, times=1000, status=503, retry_after=86_400)
    queued = await engine.ask("hosted_send", run=run)
    return await until(engine, queued["export"], "running", stage="waiting")


async def until(engine: Any, export: str, *states: str, stage: str = "") -> dict[str, Any]:
    """Watch the queue until an export is in one of the states (and that stage)."""
    version = 0
    async with asyncio.timeout(PATIENCE_S):
        while True:
            view = await engine.ask("hosted_exports", after=version)
            version = view["version"]
            one: dict[str, Any] = next(one for one in view["exports"] if one["export"] == export)
            if one["state"] in states and (not stage or one["stage"] == stage):
                return one


def parts_sent(hosted: HostedService) -> int:
    """How many parts of bundles have come to the object storage so far."""
    with httpx.Client(verify=hosted.tls(), trust_env=False) as client:
        return int(client.get(f"{hosted.storage}/_test/faults").json().get("PUT", 0))


def end_faults(hosted: HostedService) -> None:
    """Nothing goes wrong any more."""
    with psycopg.connect(hosted.dsn, autocommit=True) as connection:
        connection.execute("delete from faults")
