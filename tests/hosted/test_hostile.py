"""A service that means harm, over real sockets: each trick is refused or bounded, and no token comes to lie anywhere."""

from __future__ import annotations

import asyncio
import json
import logging
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.engine import crash
from qverify_desktop.hosted import connection as connecting
from qverify_desktop.hosted import imports, server_events, service
from qverify_desktop.hosted.analyses import Analyses
from qverify_desktop.hosted.connection import Asked, Reach
from qverify_desktop.hosted.downloads import download
from qverify_desktop.hosted.refusals import refusal, words_of
from qverify_desktop.hosted.service import HostedService, Place
from qverify_desktop.hosted.tokens import Tokens, tokens_of
from qverify_desktop.settings.key_file import KeyFile
from qverify_desktop.settings.os_keyring import OsKeyring
from qverify_desktop.settings.secrets import ApiKeys
from tests.hosted.answering import Asking, Server, answering, connected, plain
from tests.hosted.doing import client_of, desktop, finished_run, let_in, outcome
from tests.hosted.test_session import Keyring
from tests.hosted_service.service import HostedService as Standing

ID = "ana_" + "0" * 26
TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0." + "c2lnbmF0dXJl" * 6
REFRESH = "r3fresh" + "Zx9" * 12


class Kept:
    """A vault in memory."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {}

    def secret(self, name: str) -> str:
        return self.held.get(name, "")

    def keep_secrets(self, secrets: Any, store: str = "", passphrase: str = "") -> None:
        self.held |= secrets

    def forget_secrets(self, names: tuple[str, ...]) -> None:
        for name in names:
            self.held.pop(name, None)


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


class Hostile:
    """Answers what a real one would, but for the path that a test gives its own answer to."""

    def __init__(self, path: str, answer: Callable[[Asking], bytes | None]) -> None:
        self.path, self.answer, self.url = path, answer, ""

    def __call__(self, asking: Asking) -> bytes | None:
        path = asking.line.split(" ")[1]
        if self.path in path:
            return self.answer(asking)
        if path == "/v1/service":
            facts = {"issuer": self.url, "client_id": "c", "audience": "a", "cosigner": "k", "name": "n"}
            return plain("200 OK", body(facts))
        if path.startswith("/.well-known"):
            ends = {name: f"{self.url}/{name}" for name in ("device_authorization_endpoint", "token_endpoint")}
            return plain("200 OK", body({"issuer": self.url, **ends}))
        return plain("404 Not Found")


class Client:
    """A client that is signed in at a hostile service."""

    def __init__(self, server: Server, hostile: Hostile) -> None:
        hostile.url = server.url
        self.vault, self.server = Kept(), server
        self.service = HostedService(self.vault, Gate(Policy()), Place((server.url,), reach=Reach(plain_http=True)))
        self.analyses = Analyses(self.service)

    async def __aenter__(self) -> Client:
        now = time.time()
        await self.service.session.keep(Tokens(self.server.url, TOKEN, REFRESH, now + 300, now))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.service.close()


async def refused(path: str, answer: Callable[[Asking], bytes | None], deadline_s: float = 20) -> HostedFailure:
    """What is said where the service answers so to the question after an analysis."""
    hostile = Hostile(path, answer)
    async with answering(hostile) as server, Client(server, hostile) as client:
        with pytest.raises(HostedFailure) as raised:
            async with asyncio.timeout(deadline_s):
                await client.analyses.get(ID)
    assert raised.value.remedy and TOKEN not in f"{raised.value} {raised.value.sentence} {raised.value.problem}"
    return raised.value


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_a_redirect_to_another_host_is_not_followed_and_hears_no_token(status: str) -> None:
    async with answering(lambda _: plain("200 OK")) as thief:
        error = await refused("/v1/analyses", lambda _: plain(status, b"", f"location: {thief.url}/v1/analyses/{ID}"))
    assert "pointed to another address, which is never followed" in error.sentence and thief.asked == []


async def test_html_in_place_of_json() -> None:
    page = b"<html><title>Sign in to the hotel's network</title></html>"
    error = await refused("/v1/analyses", lambda _: plain("200 OK", page, "content-type: text/html"))
    assert "no answer" in error.sentence and "proxy may have answered" in error.remedy
    error = await refused("/v1/analyses", lambda _: plain("403 Forbidden", page))
    assert "hotel" not in error.sentence


@pytest.mark.parametrize("claimed", [10_000_000, 5])
async def test_a_content_length_that_is_wrong(claimed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qverify_desktop.hosted.service.DEADLINE_S", 1)
    head = f"HTTP/1.1 200 OK\r\ncontent-length: {claimed}\r\nconnection: close\r\n\r\n".encode()
    hostile = Hostile("/v1/analyses", lambda _: head + body({"id": ID, "state": "done"}))
    async with answering(hostile) as server, connected() as connection:
        asked = Asked("GET", f"{server.url}/v1/analyses/{ID}")
        if claimed > 1000:
            with pytest.raises(HostedFailure, match="was cut") as raised:
                await connection.ask(asked)
            assert raised.value.again
        else:
            # No more than was announced is taken, and that is no answer.
            with pytest.raises(HostedFailure, match="no answer"):
                (await connection.ask(asked)).json()


async def test_a_huge_answer_costs_no_more_than_the_cap() -> None:
    tracemalloc.start()
    error = await refused("/v1/analyses", lambda _: plain("200 OK", b"[" * (64 << 20)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The server's own copies of what it sends lie in this process too.
    assert "larger than any" in error.sentence and peak < 3 * (64 << 20) + (8 << 20)


async def test_what_is_compressed_without_being_asked_is_not_blown_up() -> None:
    import gzip

    bomb = gzip.compress(b"\0" * (64 << 20))
    assert len(bomb) < connecting.MOST_ANSWER_BYTES
    error = await refused("/v1/analyses", lambda _: plain("200 OK", bomb, "content-encoding: gzip"))
    assert "no answer" in error.sentence


async def test_an_answer_that_drips_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "TRY_S", 1.0)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            writer.close()

    dripping = await asyncio.start_server(drip, "127.0.0.1", 0)
    async with dripping, connected() as connection:
        url = f"http://127.0.0.1:{dripping.sockets[0].getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(HostedFailure, match="did not answer in time"):
            await connection.ask(Asked("GET", url, deadline_s=1))
        with pytest.raises(HostedFailure, match="did not answer in time"):
            async with connection.pieces(Asked("GET", f"{url}/events", deadline_s=1), 0.5) as (_, pieces):
                async with asyncio.timeout(1):
                    async for _ in pieces:
                        pass
        assert time.monotonic() - began < 10


@pytest.mark.parametrize("value", ["99999999999", "1e999", "86401", "Fri, 31 Dec 9999 23:59:59 GMT", "-5"])
async def test_a_retry_after_without_end_is_not_kept(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = Hostile("/v1/analyses", lambda _: plain("503 Busy", b"{}", f"retry-after: {value}"))
    async with answering(hostile) as server, Client(server, hostile) as client:
        began = time.monotonic()
        with pytest.raises(HostedFailure) as raised:
            await client.service.call("GET", f"/v1/analyses/{ID}", deadline_s=3)
    assert raised.value.again and raised.value.wait_s == 0 and time.monotonic() - began < 10


async def test_a_stream_of_events_without_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Events, comments, silence: none holds the queue for good."""
    monkeypatch.setattr(imports, "WATCH_S", 2.0)
    monkeypatch.setattr(service, "SILENCE_S", 0.5)

    async def state() -> str:
        return "checking"

    hostile = Hostile("/nothing", lambda _: None)
    for line, pause in ((b'id: 1\ndata: {"state": "checking"}\n\n', 0.01), (b": still here\n\n", 0.01), (b"", 9)):

        async def attend(
            reader: asyncio.StreamReader,
            writer: asyncio.StreamWriter,
            line: bytes = line,
            pause: float = pause,
            hostile: Hostile = hostile,
        ) -> None:
            try:
                asked = await reader.readuntil(b"\r\n\r\n")
                if b"/events" not in asked:
                    path = asked.split(b" ")[1].decode()
                    writer.write(hostile(Asking(f"GET {path} HTTP/1.1", {}, b"")) or b"")
                else:
                    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
                    while True:
                        writer.write(line)
                        await writer.drain()
                        await asyncio.sleep(pause)
            except (ConnectionError, asyncio.IncompleteReadError):
                pass
            finally:
                writer.close()

        endless = await asyncio.start_server(attend, "127.0.0.1", 0)
        async with endless:
            server = Server(f"http://127.0.0.1:{endless.sockets[0].getsockname()[1]}")
            async with Client(server, hostile) as client:
                began, told = time.monotonic(), []
                with pytest.raises(HostedFailure, match=r"still at work|was cut|did not answer") as raised:
                    await imports.watch(client.service, f"/v1/imports/imp_{'0' * 26}", "", told.append, state)
                assert raised.value.again and time.monotonic() - began < 8, line
            endless.close()


async def test_a_flood_of_small_events_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_events, "MOST_STREAM", 100_000)

    async def flood() -> Any:
        while True:
            yield b"data: x\n\n" * 100

    with pytest.raises(HostedFailure, match="told more"):
        async for _ in server_events.read_events(flood()):
            pass


ADDRESSES = [
    "file:///etc/passwd",
    "http://storage.example/part",
    "http://169.254.169.254/latest/meta-data",
    "https://169.254.169.254/latest/meta-data",
    "https://127.0.0.1:1/part",
    "https://localhost:1/part",
    "https://[::1]:1/part",
    "https://[::ffff:10.0.0.1]/part",
    "https://10.0.0.1/part",
    "https://192.168.1.1/part",
    "https://me:secret@storage.example/part",
    "ftp://storage.example/part",
    "gopher://x",
    "https://",
]


@pytest.mark.parametrize("url", ADDRESSES)
async def test_an_address_of_a_part_or_a_bundle_that_is_never_used(url: str, tmp_path: Path) -> None:
    """The service is on the Internet by what is set; what it names lies elsewhere or further inside."""
    client = HostedService(Kept(), Gate(Policy()), Place(("https://8.8.8.8",)))

    async def call(method: str, path: str, *_: object, **more: object) -> connecting.Answer:
        parts = {"parts": [{"number": 1, "url": url, "headers": {}}]}
        there = {"url": url, "size": 5, "sha256": "0" * 64}
        return connecting.Answer(200, {}, body(there if path.endswith("bundle") else parts))

    client.call = call  # type: ignore[method-assign]
    with pytest.raises(HostedFailure, match="The hosted service named the address") as raised:
        await imports.Imports(client)._addresses("/v1/imports/x", [1])
    assert "secret" not in raised.value.sentence and not raised.value.again
    with pytest.raises(HostedFailure, match="The hosted service named the address"):
        await download(client, lambda: Analyses(client).bundle(ID), tmp_path / "b", lambda done, total: None)
    assert not (tmp_path / "b").exists()
    await client.close()


async def test_an_issuer_that_a_service_names_inside_the_house_is_not_asked() -> None:
    async with answering(lambda _: plain("200 OK")) as inside:
        client = HostedService(Kept(), Gate(Policy()), Place(("https://8.8.8.8",), reach=Reach(plain_http=True)))
        client._facts = {"issuer": inside.url, "client_id": "c", "audience": "a", "cosigner": "k"}
        with pytest.raises(HostedFailure, match="this machine's own"):
            await client.sign_in()
        await client.close()
    assert inside.asked == []


@pytest.mark.parametrize("length", [0, 4, 6, 100_000])
async def test_a_bundle_of_another_length_than_announced(length: int, tmp_path: Path) -> None:
    import hashlib

    def answer(asking: Asking) -> bytes:
        if "/bundle" in asking.line:
            there = {"url": f"{hostile.url}/object", "size": 5, "sha256": hashlib.sha256(b"xxxxx").hexdigest()}
            return plain("200 OK", body(there))
        return plain("200 OK", b"x" * length)

    hostile = Hostile("/", answer)
    plainly = Hostile("/nothing", lambda _: None)

    def both(asking: Asking) -> bytes | None:
        path = asking.line.split(" ")[1]
        return answer(asking) if "/bundle" in path or path == "/object" else plainly(asking)

    async with answering(both) as server, Client(server, hostile) as client:
        plainly.url = server.url
        with pytest.raises(HostedFailure, match=r"not the bundle that|before the bundle was whole"):
            await download(
                client.service, lambda: client.analyses.bundle(ID), tmp_path / "b", lambda done, total: None
            )
        objects = [one for one in server.asked if "/object" in one.line]
        assert objects and all("authorization" not in one.headers for one in objects)


ECHOES = [
    lambda token: {"detail": f"The token {token} is not welcome."},
    lambda token: {"title": f"Authorization: Bearer {token}"},
    lambda token: {"detail": f"It began with {token[:60]}"},
    lambda token: {"type": f"urn:qverify:problem:{token}", "detail": "x"},
    lambda token: {"detail": token.rpartition(".")[2]},
    lambda token: {"detail": "x", "known_checkpoint": {"checkpoint": token}},
    lambda token: {"detail": "x", token: token},
]


@pytest.mark.parametrize("echo", ECHOES)
async def test_a_token_that_is_echoed_is_not_repeated(echo: Callable[[str], dict[str, str]]) -> None:
    error = await refused("/v1/analyses", lambda _: plain("403 Forbidden", body(echo(TOKEN))))
    pieces = (TOKEN[:30], TOKEN[-30:], TOKEN.rpartition(".")[2][:24])
    told = f"{error.sentence} {error.remedy} {error.kind} {error.problem}"
    assert not any(piece in f"{error.sentence} {error.remedy} {error.kind}" for piece in pieces), told
    assert TOKEN not in told


def test_words_without_tokens_stay_as_they_are() -> None:
    for text in (
        "The bundle has 12 events and the plan takes 10.",
        "Ask again at 2026-11-28T15:20:00Z.",
        "announcement-mismatch: run r0mdk400000001 is another one",
        "See https://help.hosted.example/plans/4711/quota.",
    ):
        assert words_of(text) == text
    assert words_of(f"x {REFRESH} y") == "x [left out] y"
    assert words_of(None) == words_of(7) == ""


async def test_no_token_lies_in_a_log_a_crash_report_an_event_or_the_queue(
    home: Path,
    hosted: Standing,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The service and its sign-in echo what they were sent, the client crashes over it, and everything is searched afterwards."""
    caplog.set_level(logging.INFO)
    backend = Keyring()
    keys = ApiKeys({}, keyring=OsKeyring.open(backend), file=KeyFile(home, n=2**10))
    async with desktop(home, keys) as engine:
        await let_in(engine, hosted)
        run = await finished_run(engine, tmp_path / "source")
        client = client_of(engine)
        real, heard, asked = client.connection._once, set[str](), list[str]()

        async def echoing(one: Asked) -> connecting.Answer:
            answer = await real(one)
            asked.append(one.url)
            token = one.headers.get("authorization", "").rpartition(" ")[2]
            if not token or not one.url.endswith("/complete"):
                return answer
            heard.add(token)
            detail = {"detail": f"You sent {token}.", "type": f"urn:qverify:problem:{token}"}
            return connecting.Answer(403, {}, body(detail))

        client.connection._once = echoing  # type: ignore[method-assign]
        sent = await outcome(engine, run)
        assert sent["state"] == "failed" and "You sent [left out]" in sent["sentence"], sent
        tokens = await client.session.tokens()
        assert tokens is not None and heard == {tokens.access}
        # A crash over the same words: its report is cleaned as every one is.
        monkeypatch.setattr(crash, "_clean", [])
        crash.clean_with(keys.without)
        try:
            raise RuntimeError(f"Unexpected answer to Bearer {tokens.access} and {tokens.refresh}")
        except RuntimeError as error:
            report = crash.write(error, home)
        assert report is not None and "Unexpected answer" in Path(report).read_text("utf-8")
        secrets = (tokens.access, tokens.refresh, tokens.access[:40], tokens.access.rpartition(".")[2])
        events = json.dumps((await engine.ask("evidence_log", text=""))["entries"])
        told = json.dumps([await engine.ask("hosted_status"), await engine.ask("hosted_exports")])
    assert not any(one in text for one in secrets for text in (events, told, caplog.text))
    searched = 0
    for file in home.rglob("*"):
        if file.is_file():
            content, searched = file.read_bytes(), searched + 1
            assert not any(one.encode() in content for one in secrets), file
    assert searched > 5
    # Pre-signed addresses are as good as the bundle.
    assert hosted.storage in json.dumps(asked) and "X-Amz-Signature" not in caplog.text


async def test_a_sign_in_that_echoes_the_refresh_token(home: Path, hosted: Standing) -> None:
    hosted.issuer.access_lifetime_s = 1
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        client = client_of(engine)
        tokens = await client.session.tokens()
        assert tokens is not None
        sign_in = await client.sign_in()
        answer = connecting.Answer(400, {}, body({"error": f"no {tokens.refresh}"}))

        async def post(url: str, form: dict[str, str]) -> connecting.Answer:
            return answer

        sign_in._post = post  # type: ignore[method-assign]
        with pytest.raises(HostedFailure) as raised:
            await engine.ask("hosted_usage")
    assert (
        tokens.refresh not in f"{raised.value.sentence} {raised.value.remedy}"
        and "[left out]" in raised.value.sentence
    )


def test_a_refusal_of_a_service_that_points_elsewhere_says_so() -> None:
    assert "never followed" in refusal(307).sentence and not refusal(307).again


def test_an_answer_of_tokens_that_is_none() -> None:
    for answer in (
        {},
        {"access_token": "a b"},
        {"access_token": "x" * 20_000},
        {"access_token": "x", "token_type": "mac"},
    ):
        with pytest.raises(HostedFailure, match="no access that can be used"):
            tokens_of(answer, "https://issuer.example")
    with pytest.raises(BadInput):
        connecting.checked_address("https://user@host.example")
