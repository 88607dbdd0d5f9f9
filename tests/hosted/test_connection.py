"""What the client does with a server that is slow, broken or hostile: exact faults over real sockets."""

from __future__ import annotations

import asyncio
import json
import ssl
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qverify_desktop.domain.connections import Policy
from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.hosted import connection as connecting
from qverify_desktop.hosted.connection import Asked, checked_address, retry_after, tried
from qverify_desktop.hosted.refusals import refusal, said
from qverify_desktop.hosted.server_events import MOST_DATA, ServerEvent, read_events
from tests.hosted.answering import answering, connected, plain
from tests.hosted_service.certificates import Certificates, trap


async def test_a_redirect_is_not_followed() -> None:
    async with (
        answering(lambda _: plain("302 Found", b"", "location: http://127.0.0.1:1/")) as server,
        connected() as connection,
    ):
        answer = await connection.ask(Asked("GET", server.url))
    assert answer.status == 302 and len(server.asked) == 1


async def test_an_answer_over_the_cap_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connecting, "MOST_ANSWER_BYTES", 1000)
    async with answering(lambda _: plain("200 OK", b"x" * 100_000)) as server, connected() as connection:
        with pytest.raises(HostedFailure, match="larger than any"):
            await connection.ask(Asked("GET", server.url))


@pytest.mark.parametrize("body", [b"<html>", b"[1]", b"null", b"[" * 100_000, b'{"a":'])
async def test_what_is_no_object_is_no_answer(body: bytes) -> None:
    async with answering(lambda _: plain("200 OK", body)) as server, connected() as connection:
        answer = await connection.ask(Asked("GET", server.url))
        with pytest.raises(HostedFailure, match="no answer"):
            answer.json()


async def test_it_is_tried_again_until_it_answers() -> None:
    left = [plain("503 Unavailable"), None, plain("429 Slow", b"{}", "retry-after: 1"), plain("200 OK")]
    async with answering(lambda _: left.pop(0)) as server, connected() as connection:
        began = time.monotonic()
        answer = await tried(lambda: connection.ask(Asked("GET", server.url)), 30)
    assert answer.status == 200 and len(server.asked) == 4
    assert time.monotonic() - began >= 1, "the time that the service named was not kept"


async def test_it_is_not_tried_beyond_its_deadline() -> None:
    async with (
        answering(lambda _: plain("503 Unavailable", b"{}", "retry-after: 3600")) as server,
        connected() as connection,
    ):
        with pytest.raises(HostedFailure) as raised:
            await tried(lambda: connection.ask(Asked("GET", server.url)), 5)
    assert (raised.value.status, raised.value.wait_s, raised.value.again) == (503, 3600, True)
    assert len(server.asked) == 1


async def test_what_a_try_does_not_better_is_answered_at_once() -> None:
    async with answering(lambda _: plain("403 Forbidden")) as server, connected() as connection:
        assert (await tried(lambda: connection.ask(Asked("GET", server.url)))).status == 403
    assert len(server.asked) == 1


async def test_a_certificate_that_nobody_trusts_is_refused_and_a_set_authority_trusted(tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificates.cert, certificates.key)
    async with answering(lambda _: plain("200 OK"), tls) as server:
        async with connected() as connection:
            with pytest.raises(
                HostedFailure, match="not one that this machine trusts, so nothing was sent"
            ) as raised:
                await connection.ask(Asked("GET", server.url))
            assert not raised.value.again and server.asked == []
        async with connected(ca_file=str(certificates.ca)) as connection:
            assert (await connection.ask(Asked("GET", server.url))).status == 200
    # The certificate is for other names.
    async with (
        answering(lambda _: plain("200 OK"), tls, "127.0.0.2") as server,
        connected(ca_file=str(certificates.ca)) as connection,
    ):
        with pytest.raises(HostedFailure, match="not one that this machine trusts"):
            await connection.ask(Asked("GET", server.url))
    assert server.asked == []


@pytest.mark.parametrize("kind", ["unknown", "expired", "host"])
async def test_a_bad_certificate_hears_nothing(kind: str, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path / "certificates")
    with trap(certificates.bad(kind)) as caught:
        async with connected(ca_file=str(certificates.ca)) as connection:
            asked = Asked("GET", f"{caught.url}/v1/account", {"authorization": "Bearer secret"})
            with pytest.raises(HostedFailure, match="not one that this machine trusts") as raised:
                await connection.ask(asked)
        assert not caught.heard and not raised.value.again


@pytest.mark.parametrize("said_", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"], ids=["cut", "no TLS"])
async def test_a_handshake_that_fails_says_nothing_about_certificates(said_: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(said_)
        writer.close()

    listening = await asyncio.start_server(answer, "127.0.0.1", 0)
    words = "No secure connection" if said_ else r"was cut|can't be reached"
    async with listening, connected() as connection:
        with pytest.raises(HostedFailure, match=words) as raised:
            await connection.ask(Asked("GET", f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"))
    assert raised.value.again and "certificate" not in raised.value.sentence


async def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("none")
    async with connected(ca_file=str(tmp_path / "ca.pem")) as connection:
        with pytest.raises(BadInput, match="hosted_ca_file"):
            await connection.ask(Asked("GET", "https://127.0.0.1:1"))


async def test_the_proxy_of_the_settings_is_used() -> None:
    async with (
        answering(lambda _: plain("200 OK", b'{"by": "proxy"}')) as proxy,
        connected(proxy=proxy.url) as connection,
    ):
        answer = await connection.ask(Asked("GET", "http://127.0.0.1:1/v1/service"))
    assert answer.json() == {"by": "proxy"}
    assert proxy.asked[0].line == "GET http://127.0.0.1:1/v1/service HTTP/1.1"


async def test_tls_through_a_proxy_says_no_more_than_the_host() -> None:
    async with answering(lambda _: plain("403 Forbidden")) as proxy, connected(proxy=proxy.url) as connection:
        asked = Asked("GET", "https://hosted.example/v1/account", {"authorization": "Bearer secret"})
        with pytest.raises(HostedFailure, match="proxy did not let"):
            await connection.ask(asked)
    assert proxy.asked[0].line == "CONNECT hosted.example:443 HTTP/1.1"
    assert "authorization" not in proxy.asked[0].headers


@pytest.mark.parametrize("policy", [Policy(air_gap=True), Policy(off=frozenset(["allow_hosted"]))])
async def test_the_gate_is_asked_before_anything_is_opened(policy: Policy) -> None:
    async with answering(lambda _: plain("200 OK")) as server, connected(policy) as connection:
        with pytest.raises(HostedFailure, match="nothing was sent to the hosted service"):
            await connection.ask(Asked("GET", server.url))
    assert server.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hosted.example",
        "https://me:secret@hosted.example",
        "ftp://127.0.0.1",
        "https://",
        "http://[",
        "file:///etc",
    ],
)
def test_addresses_that_are_never_used(url: str) -> None:
    with pytest.raises(BadInput) as raised:
        checked_address(url, plain_http=True)
    assert "secret" not in raised.value.sentence


def test_plain_http_is_for_tests_on_this_machine_only() -> None:
    assert checked_address("http://127.0.0.1:8080", plain_http=True) == "127.0.0.1"
    with pytest.raises(BadInput):
        checked_address("http://127.0.0.1:8080")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("3", 3),
        ("-1", 0),
        ("nan", 0),
        ("inf", 0),
        ("", 0),
        ("later", 0),
        ("99999999", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
    ],
)
def test_retry_after(text: str, seconds: float) -> None:
    assert retry_after({"retry-after": text}) == seconds


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
async def test_server_sent_events_however_they_are_cut(end: bytes) -> None:
    stream = end.join(
        [
            b"\xef\xbb\xbf: hello",
            b"id: 1",
            b"event: state",
            b"data: a",
            b"data:b",
            b"",
            b"data",
            b"",
            b"id: 2",
            b"data: c",
            b"",
            b"data: unfinished",
        ]
    )
    whole = [ServerEvent("1", "state", "a\nb"), ServerEvent("1", "message", ""), ServerEvent("2", "message", "c")]
    assert [one async for one in read_events(pieces(stream + end))] == whole
    for size in (1, 2, 3, 7):
        parts = [stream[at : at + size] for at in range(0, len(stream), size)]
        assert [one async for one in read_events(pieces(*parts, end))] == whole, size


@pytest.mark.parametrize(
    "line", [b"data: " + b"x" * 70_000, (b"data: " + b"x" * 60_000 + b"\n") * (MOST_DATA // 60_000 + 1)]
)
async def test_events_without_end_are_not_read_on(line: bytes) -> None:
    with pytest.raises(HostedFailure, match="told more, or a longer event, than any should be"):
        async for _ in read_events(pieces(line)):
            pass


async def test_an_id_that_could_forge_a_header_is_not_kept() -> None:
    events = [
        one async for one in read_events(pieces(b"id: 1\ndata: a\n\nid: 2\x00\ndata: b\n\nid: \xc3\xbc\ndata: c\n\n"))
    ]
    assert [one.id for one in events] == ["1", "1", "1"]


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (401, "token-expired", "does not take this sign-in any more"),
        (403, "scope-missing", "may not do that"),
        (403, "quota-exhausted", "no room"),
        (409, "diverged", "two histories of one log"),
        (409, "key-changed", "another signing key"),
        (413, "too-large", "larger than the hosted service takes"),
        (422, "bundle-invalid", "refused it"),
        (429, "rate-limited", "asks to wait"),
        (500, "internal", "failed. What arrived there is kept"),
        (599, "", "failed. What arrived there is kept"),
        (418, "", "did not understand"),
    ],
)
def test_each_refusal_has_its_sentence(status: int, kind: str, words: str) -> None:
    body = json.dumps({"type": f"urn:qverify:problem:{kind}", "detail": "Because."}).encode()
    error = refusal(status, body)
    assert words in error.sentence and error.sentence.endswith("It says: Because.") and error.remedy
    assert error.status == status and error.again == (status in (429, 500, 599))


def test_words_of_the_service_are_one_bounded_printable_line() -> None:
    assert said("a\x1b[31m\nb\u202e" + "c" * 10_000).startswith("a [31m b ccc")
    assert len(said("x" * 10_000)) == 200
    assert said(None) == said(["x"]) == ""
    error = refusal(500, b'{"detail": "' + b"\\u0000" * 50 + b'"}')
    assert error.sentence == refusal(500).sentence
