"""The HTTP transport under the model library: what a hostile or broken server may send is bounded here.

An answer over the size cap is not read on; a web page with status 200 is told apart from an answer; proxies are used for
remote addresses only; what went wrong is kept, because the library on top turns most failures into the same few errors.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import ssl
import urllib.request
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from qverify_desktop.domain.question import Hear
from qverify_desktop.gateway.errors import CallFailed
from qverify_desktop.gateway.streams import Fold

#: Bytes of one answer's body that are read at most. A million tokens of text are about 4 MB.
MOST_ANSWER_BYTES = 8 * 1024 * 1024
#: Bytes of an error's body that are kept for its sentence.
MOST_SAID_BYTES = 4096
#: Seconds that the end of a stream's connection is waited for after the end of the answer.
LINGER_S = 0.1


class GuardedTransport(httpx.AsyncBaseTransport):
    """A transport for one call. ``failed`` says what went wrong on the wire, ``None`` while nothing did; ``said`` is the beginning
    of an error's body, because libraries put words of their own around it. With a ``fold`` the answer is asked for as a stream, told
    to ``hear`` as it comes, and handed up as the plain answer that it amounts to."""

    def __init__(
        self,
        base: str,
        *,
        local: bool,
        most_bytes: int = MOST_ANSWER_BYTES,
        fold: Fold | None = None,
        hear: Hear | None = None,
    ) -> None:
        scheme = urlsplit(base).scheme
        verify: ssl.SSLContext | bool = _tls() if scheme == "https" else False
        proxy = None if local or urllib.request.proxy_bypass(urlsplit(base).hostname or "") else _proxy(scheme)
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, proxy=proxy)
        self._most_bytes = most_bytes
        self._fold = fold
        self._hear = hear
        self._used = False
        #: Called when the request goes out.
        self.sending: Callable[[], None] = lambda: None
        self.failed: CallFailed | None = None
        self.said = b""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self._used:
            # The library asks again by itself after a 422.
            raise httpx.ReadError("one request for each call", request=request)
        self._used = True
        if self._fold is not None:
            request = _asking(request, self._fold)
        self.sending()
        try:
            response = await self._inner.handle_async_request(request)
        except httpx.TimeoutException:
            self.failed = CallFailed("timeout")
            raise
        except (httpx.ConnectError, httpx.ProxyError) as error:
            self.failed = CallFailed("unreachable")
            raise _final(error, request) from None
        except httpx.TransportError as error:
            self.failed = CallFailed("cut")
            raise _final(error, request) from None
        status, kind = response.status_code, response.headers.get("content-type", "").lower()
        folded = self._fold is not None and status < 300 and any(one in kind for one in self._fold.kinds)
        if status >= 300:
            self.failed = CallFailed("status", status, _retry_after(response.headers.get("retry-after", "")))
        elif not folded and "json" not in kind:
            self.failed = CallFailed("html" if "html" in kind else "unreadable")
            await response.aclose()
            raise httpx.DecodingError("no JSON", request=request)
        else:
            self.failed = None
        assert isinstance(response.stream, httpx.AsyncByteStream)
        stream: httpx.AsyncByteStream = _Capped(response.stream, self)
        headers = response.headers
        if folded and self._fold is not None:
            stream = _Folded(stream, self._fold, self)
            headers = httpx.Headers({"content-type": "application/json"})
        return httpx.Response(status, headers=headers, stream=stream, extensions=response.extensions)

    def hear(self, piece: str) -> None:
        """Tell what came to whoever listens."""
        if piece and self._hear is not None:
            self._hear(piece)

    async def aclose(self) -> None:
        await self._inner.aclose()


@functools.cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes 15 ms and more."""
    return httpx.create_ssl_context()


def _final(error: httpx.TransportError, request: httpx.Request | None = None) -> httpx.TransportError:
    """An error that the model library does not take for an invitation: a connection that was refused or cut it tries once more,
    with a client of its own that knows neither this guard nor the air gap, and the second answer is paid as well."""
    return httpx.ReadError(str(error), request=request)


class _Capped(httpx.AsyncByteStream):
    """A body that stops at the cap. Compressed bodies are counted as sent; httpx inflates at most 1000 to 1 on top, so
    the client asks for no compression at all."""

    def __init__(self, inner: httpx.AsyncByteStream, guard: GuardedTransport) -> None:
        self._inner = inner
        self._guard = guard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        count = 0
        try:
            async for chunk in self._inner:
                count += len(chunk)
                if self._guard.failed is not None and len(self._guard.said) < MOST_SAID_BYTES:
                    self._guard.said += chunk[:MOST_SAID_BYTES]
                if count > self._guard._most_bytes:
                    self._guard.failed = CallFailed("too_large")
                    raise httpx.ReadError("over the cap")
                yield chunk
        except httpx.TimeoutException:
            self._guard.failed = CallFailed("timeout")
            raise
        except httpx.TransportError as error:
            if self._guard.failed is None or self._guard.failed.kind == "status":
                self._guard.failed = CallFailed("cut")
            raise _final(error) from None

    async def aclose(self) -> None:
        await self._inner.aclose()


class _Folded(httpx.AsyncByteStream):
    """A stream as the plain answer. It is read until the answer is whole: some servers keep the connection open after it, and get
    only ``LINGER_S`` for a proper end."""

    def __init__(self, inner: httpx.AsyncByteStream, fold: Fold, guard: GuardedTransport) -> None:
        self._inner = inner
        self._fold = fold
        self._guard = guard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            chunks = aiter(self._inner)
            async for chunk in chunks:
                self._guard.hear(self._fold.feed(chunk))
                if self._fold.ended:
                    break
            else:
                self._guard.hear(self._fold.close())
            answer = json.dumps(self._fold.answer()).encode()
            with contextlib.suppress(TimeoutError, httpx.TransportError):
                async with asyncio.timeout(LINGER_S):
                    async for _ in chunks:
                        pass
            yield answer
        except CallFailed as failed:
            self._guard.failed = failed
            raise httpx.ReadError("no whole answer") from None

    async def aclose(self) -> None:
        await self._inner.aclose()


def _asking(request: httpx.Request, fold: Fold) -> httpx.Request:
    """The request, asking for a stream."""
    body = json.dumps(json.loads(request.content) | fold.asked).encode()
    headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"content-length"]
    return httpx.Request(request.method, request.url, headers=headers, content=body, extensions=request.extensions)


def _proxy(scheme: str) -> str | None:
    proxies = urllib.request.getproxies()
    return proxies.get(scheme) or proxies.get("all")


def _retry_after(text: str) -> float:
    """Seconds of ``Retry-After`` in both forms (RFC 9110, section 10.2.3)."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return seconds if 0 <= seconds <= 86_400 else 0.0
