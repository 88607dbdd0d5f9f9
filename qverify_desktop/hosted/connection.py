"""HTTP to the hosted service, its sign-in and its object storage: TLS, proxy, gate, bounds, deadlines and tries again.

Whatever comes back is untrusted: bodies are cut at a cap, redirects are not followed, and no credential goes to an address that
the service merely names.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import ssl
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.domain.network import is_loopback
from qverify_desktop.hosted.refusals import refusal

# Their lines name addresses, and a pre-signed one is as good as what lies there.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

T = TypeVar("T")
#: Bytes of an answer that are read at most.
MOST_ANSWER_BYTES = 1024 * 1024
#: Seconds for one request, and for the whole of its tries where nothing else is said.
TIMEOUT = httpx.Timeout(30.0, connect=10.0)
DEADLINE_S = 90.0
#: First pause before another try and the longest, in seconds; each is drawn at random from nothing up to it, so that many clients
#: that were cut off together don't come back together.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 20.0
#: Answers after which the same request may help.
PASSING = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True)
class Reach:
    """How the service is reached: a ``proxy`` (empty: the environment's), authorities besides the usual ones (``ca_file``, PEM), and
    whether plain http to this machine is allowed, which is for tests."""

    proxy: str = ""
    ca_file: str = ""
    plain_http: bool = False


@dataclass(frozen=True)
class Answer:
    """A whole answer; ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """The body as an object. Raises ``HostedFailure``."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise HostedFailure(
                "The hosted service answered with something that is no answer. Nothing here was changed.",
                "Check the service's address in the settings; a proxy may have answered instead.",
                status=self.status,
            )
        return value


@dataclass
class Asked:
    """One request. ``body`` gives the pieces of a content of ``length`` bytes, anew for every try; without one, ``content`` is sent."""

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None
    body: Callable[[], AsyncIterator[bytes]] | None = None
    length: int = 0
    deadline_s: float = DEADLINE_S


async def tried(attempt: Callable[[], Awaitable[T]], deadline_s: float = DEADLINE_S) -> T:
    """What ``attempt`` answers, tried again after failures that may pass, until the deadline. Raises its last ``HostedFailure``."""
    until, pause = time.monotonic() + deadline_s, FIRST_PAUSE_S
    while True:
        try:
            return await attempt()
        except HostedFailure as failure:
            wait = failure.wait_s or random.uniform(0, pause)  # noqa: S311 - jitter, no secret
            pause = min(LONGEST_PAUSE_S, pause * 2)
            if not failure.again or time.monotonic() + wait >= until:
                raise
            await asyncio.sleep(wait)


class Connection:
    """One pool of connections for one way to reach the service; ``close`` ends it."""

    def __init__(self, reach: Reach, gate: Gate) -> None:
        self._reach = reach
        self._gate = gate
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def close(self) -> None:
        clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            await client.aclose()

    async def ask(self, asked: Asked) -> Answer:
        """Send it once. Answers whatever has a status that no further try would better. Raises ``HostedFailure`` where nothing usable
        came (``again`` says whether it may pass), ``BadInput`` for an address that may not be used."""
        self.check(asked.url)
        try:
            async with asyncio.timeout(asked.deadline_s):
                answer = await self._once(asked)
        except (httpx.TransportError, TimeoutError, ssl.SSLError) as error:
            raise _unreachable(error, asked.url) from None
        if answer.status in PASSING:
            raise refusal(answer.status, answer.body, wait_s=retry_after(answer.headers))
        return answer

    @contextlib.asynccontextmanager
    async def pieces(self, asked: Asked, silence_s: float) -> AsyncIterator[tuple[Answer, AsyncIterator[bytes]]]:
        """The body in pieces, as it comes, until nothing comes for ``silence_s``; a body that is an error is read whole. How long the
        whole may take is the caller's. Raises like ``ask``; there is one try only."""
        self.check(asked.url)
        try:
            request = self._request(asked, silence_s)
            response: httpx.Response | None = None
            try:
                async with asyncio.timeout(asked.deadline_s):
                    response = await self._client(asked.url).send(request, stream=True)
                    whole = None if response.status_code == 200 else await _bounded(response, MOST_ANSWER_BYTES)
                answer = _answer(asked, response, whole or b"")
                yield answer, response.aiter_raw() if whole is None else _nothing()
            finally:
                if response is not None:
                    await response.aclose()
        except (httpx.TransportError, TimeoutError, ssl.SSLError) as error:
            raise _unreachable(error, asked.url) from None

    def check(self, url: str) -> str:
        """The host of an address that may be connected to. Raises ``BadInput`` for one that is not TLS, ``HostedFailure`` for one that
        the gate refuses."""
        host = checked_address(url, self._reach.plain_http)
        closed = self._gate.refusal(Purpose.HOSTED, host)
        if closed is not None:
            raise HostedFailure(closed.sentence, closed.remedy)
        return host

    def goes_direct(self, url: str) -> bool:
        """Whether no proxy stands between."""
        return self._is_direct(url) or not (self._reach.proxy or _environment_proxy())

    async def _once(self, asked: Asked) -> Answer:
        response = await self._client(asked.url).send(self._request(asked), stream=True)
        try:
            body = await _bounded(response, MOST_ANSWER_BYTES)
        finally:
            await response.aclose()
        return _answer(asked, response, body)

    def _request(self, asked: Asked, read_s: float = 30.0) -> httpx.Request:
        # Nothing compressed is asked for: what is counted is what is read.
        headers = {"accept-encoding": "identity", "user-agent": "qverify-desktop", **asked.headers}
        timeout = httpx.Timeout(read_s, connect=TIMEOUT.connect, write=TIMEOUT.write, pool=TIMEOUT.pool)
        content: bytes | AsyncIterator[bytes] | None = asked.content
        if asked.body is not None:
            # Said beforehand: object storage takes no body of unknown length.
            headers["content-length"] = str(asked.length)
            content = asked.body()
        client = self._client(asked.url)
        return client.build_request(asked.method, asked.url, headers=headers, content=content, timeout=timeout)

    def _client(self, url: str) -> httpx.AsyncClient:
        direct = self._is_direct(url)
        if direct not in self._clients:
            proxy = None if direct else (self._reach.proxy or _environment_proxy() or None)
            self._clients[direct] = httpx.AsyncClient(
                verify=_tls(self._reach.ca_file),
                proxy=proxy,
                trust_env=False,
                follow_redirects=False,
                timeout=TIMEOUT,
            )
        return self._clients[direct]

    def _is_direct(self, url: str) -> bool:
        host = urlsplit(url).hostname or ""
        return not self._reach.proxy and (is_loopback(host) or bool(urllib.request.proxy_bypass(host)))


def checked_address(url: str, plain_http: bool = False) -> str:
    """The host of an address that may be connected to. Raises ``BadInput``: it has to be https without credentials in it."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  (reading it is what checks it)
        host = parts.hostname or ""
    except ValueError:
        host, parts = "", urlsplit("")
    plain = parts.scheme == "http" and plain_http and is_loopback(host)
    if not host or not (parts.scheme == "https" or plain) or parts.username is not None:
        raise BadInput(
            f"{_shown(url)} is no address of a hosted service: it has to begin with https:// and hold no user name. Nothing was sent.",
            "Correct the addresses of the hosted service in the settings.",
        )
    return host


def retry_after(headers: Mapping[str, str]) -> float:
    """Seconds of ``Retry-After`` in both forms (RFC 9110, section 10.2.3), at most a day; 0 where it says nothing usable."""
    text = headers.get("retry-after", "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return seconds if 0 < seconds <= 86_400 else 0.0


def _environment_proxy() -> str:
    proxies = urllib.request.getproxies()
    return proxies.get("https") or proxies.get("all") or ""


def _tls(ca_file: str) -> ssl.SSLContext:
    context = httpx.create_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        try:
            context.load_verify_locations(cafile=Path(ca_file))
        except (OSError, ssl.SSLError) as error:
            raise BadInput(
                f"The file of certificate authorities {ca_file} can't be used ({error}). Nothing was sent.",
                "Name a PEM file in the settings (hosted_ca_file), or leave it empty.",
            ) from None
    return context


def _answer(asked: Asked, response: httpx.Response, body: bytes) -> Answer:
    """An answer that does not hold the token it was asked with: what is shown, kept or recorded of it can't give the token away."""
    headers = {name.lower(): value for name, value in response.headers.items()}
    token = asked.headers.get("authorization", "").rpartition(" ")[2].encode()
    return Answer(response.status_code, headers, body.replace(token, b"[token]") if token else body)


async def _bounded(response: httpx.Response, most: int) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > most:
            raise HostedFailure(
                "The hosted service's answer is larger than any that it should give, so it was not read on.",
                "Tell whoever runs the service.",
                status=response.status_code,
            )
    return bytes(body)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""


def _unreachable(error: BaseException, url: str) -> HostedFailure:
    host = urlsplit(url).hostname or ""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError) or "CERTIFICATE" in str(error).upper():
        return HostedFailure(
            f"The certificate of {host} is not one that this machine trusts, so nothing was sent to it.",
            "If the service has a certificate of your organisation, name its authority in the settings (hosted_ca_file).",
        )
    # Cut in the middle of the handshake, as by a balancer with nothing behind it, is cut and nothing else.
    if isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return HostedFailure(
            f"No secure connection to {host} came about ({cause.reason or 'TLS'}). Nothing was sent.",
            "A network that asks for a sign-in of its own answers so, and a service that does not speak TLS 1.2.",
            again=True,
        )
    if isinstance(error, httpx.ProxyError):
        return HostedFailure(
            f"The proxy did not let a connection to {host} through.", "Check the proxy in the settings.", again=True
        )
    if isinstance(error, (TimeoutError, httpx.TimeoutException)):
        return HostedFailure(f"{host} did not answer in time. What was sent is kept there.", _LATER, again=True)
    if isinstance(error, httpx.ConnectError):
        return HostedFailure(f"{host} can't be reached. Nothing was sent.", _LATER, again=True)
    return HostedFailure(f"The connection to {host} was cut. What arrived there is kept.", _LATER, again=True)


_LATER = "Try again later; what stands in the queue is tried again by itself."


def _shown(url: str) -> str:
    """An address as it may be repeated: no credentials, no query."""
    return repr(url.partition("?")[0].rpartition("@")[2][:200])
