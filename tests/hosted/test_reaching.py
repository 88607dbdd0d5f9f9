"""How the service is reached: through a proxy of the settings, at an issuer of the settings, and again after the network was gone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import HostedFailure
from tests.hosted.doing import client_of, desktop, finished_run, outcome, ready, signed_in, until
from tests.hosted_service import issuer as issuing
from tests.hosted_service.issuer import Issuer
from tests.hosted_service.listening import bound, serving
from tests.hosted_service.service import HostedService


@dataclass
class Proxy:
    """A forward proxy that lets tunnels through (RFC 9110, section 9.3.6). ``asked`` are the first lines that came."""

    url: str = ""
    asked: list[str] = field(default_factory=list)
    heard: bytearray = field(default_factory=bytearray)


@asynccontextmanager
async def tunnelling() -> AsyncIterator[Proxy]:
    proxy = Proxy()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                proxy.heard += piece
                writer.write(piece)
                await writer.drain()
        writer.close()

    async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        proxy.heard += head
        line = head.split(b"\r\n")[0].decode()
        proxy.asked.append(line)
        method, target, _ = line.split(" ")
        if method != "CONNECT":
            writer.close()
            return
        host, _, port = target.rpartition(":")
        onward = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(passed(reader, onward[1]), passed(onward[0], writer), return_exceptions=True)

    listening = await asyncio.start_server(attend, "127.0.0.1", 0)
    proxy.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield proxy
    finally:
        listening.close()


def set_also(home: Path, **settings: str) -> None:
    with (home / "settings.toml").open("a", encoding="utf-8") as file:
        for name, value in settings.items():
            file.write(f'{name} = "{value}"\n')


async def test_everything_goes_through_the_proxy_and_it_hears_nothing_but_hosts(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    async with tunnelling() as proxy:
        set_also(home, hosted_proxy=proxy.url)
        async with desktop(home) as engine:
            await signed_in(engine, hosted)
            sent = await outcome(engine, await finished_run(engine, tmp_path / "source"))
            tokens = await client_of(engine).session.tokens()
        assert sent["state"] == "done", sent
        ports = {one.partition(" ")[2].partition(" ")[0] for one in proxy.asked}
        wanted = (hosted.url, hosted.issuer.url, hosted.storage)
        assert ports == {one.removeprefix("https://") for one in wanted}, "the service, its sign-in and its storage"
        assert all(one.startswith("CONNECT ") for one in proxy.asked)
        assert tokens is not None and tokens.access.encode() not in proxy.heard
        assert sent["run"].encode() not in proxy.heard and len(proxy.heard) > 10_000


async def test_a_proxy_that_is_gone_is_said_and_nothing_goes_around_it(home: Path, hosted: HostedService) -> None:
    set_also(home, hosted_proxy="http://127.0.0.1:9")
    async with desktop(home) as engine:
        client = client_of(engine)
        with pytest.raises(HostedFailure, match="can't be reached|proxy did not let") as raised:  # noqa: RUF043
            await client.call("GET", "/v1/service", signed=False, deadline_s=2)
    assert raised.value.again


async def test_the_issuer_of_the_settings_is_used_in_place_of_the_one_that_the_service_names(
    home: Path, hosted: HostedService
) -> None:
    listener = bound()
    other = Issuer(f"https://127.0.0.1:{listener.getsockname()[1]}")
    set_also(home, hosted_issuer=other.url, hosted_client=issuing.CLIENT_ID)
    with serving(issuing.application(other), hosted.certificates, listener):
        async with desktop(home) as engine:
            view = await engine.ask("hosted_sign_in")
            assert view["address"].startswith(other.url)
            other.decide(view["code"])
            while view["state"] == "waiting":
                view = await engine.ask("hosted_sign_in_watch", after=view["version"])
            assert view["state"] == "done" and (await engine.ask("hosted_status"))["issuer"] == other.url
            # The service takes tokens of its own issuer only, and says so.
            with pytest.raises(HostedFailure, match="does not take this sign-in any more"):
                await engine.ask("hosted_usage")
    assert hosted.issuer.asked == {}


async def test_an_issuer_that_calls_itself_otherwise_is_not_used(home: Path, hosted: HostedService) -> None:
    set_also(home, hosted_issuer=f"{hosted.issuer.url}/")
    async with desktop(home) as engine:
        with pytest.raises(HostedFailure, match="names itself otherwise"):
            await engine.ask("hosted_sign_in")


async def test_a_network_that_is_lost_and_comes_back(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        await client_of(engine).facts()
        for number in range(len(hosted.replicas)):
            hosted.kill(number)
        queued = await engine.ask("hosted_send", run=run)
        waiting = await until(engine, queued["export"], "running", stage="waiting")
        assert waiting["next_at"] and ("was cut" in waiting["sentence"] or "can't be reached" in waiting["sentence"])
        for number in range(len(hosted.replicas)):
            hosted.start(number)
        await engine.ask("hosted_resume", export=queued["export"])
        sent = await until(engine, queued["export"], "done", "failed")
    assert sent["state"] == "done", sent
    assert hosted.rows("select state from imports") == [("accepted",)]
