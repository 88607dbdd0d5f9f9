"""The HTTP transport under the model library: what a hostile or broken server may send is bounded here.

An answer over the size cap is not read on; a web page with status 200 is told apart from an answer; proxies are used for
remote addresses only; what went wrong is kept, because the library on top turns most failures into the same few errors.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from qverify_desktop.gateway.errors import CallFailed

#: Bytes of one answer's body that are read at most. A million tokens of text are about 4 MB.
MOST_ANSWER_BYTES = 8 * 1024 * 1024
#: Bytes of an error's body that are kept for its sentence.
MOST_SAID_BYTES = 4096


class GuardedTransport(httpx.AsyncBaseTransport):
    """A transport for one call. ``failed`` says what went wrong on the wire, ``None`` while nothing did; ``said`` is the beginning
    of an error's body, because libraries put words of their own around it."""

    def __init__(self, base: str, *, local: bool, most_bytes: int = MOST_ANSWER_BYTES) -> None:
        scheme = urlsplit(base).scheme
        # Building a TLS context costs 15 ms and more; for plain HTTP none is needed.
        verify: ssl.SSLContext | bool = httpx.create_ssl_context() if scheme == "https" else False
        proxy = None if local or urllib.request.proxy_bypass(urlsplit(base).hostname or "") else _proxy(scheme)
        self._inner = httpx.AsyncHTTPTransport(verify=verify, trust_env=False, proxy=proxy)
        self._most_bytes = most_bytes
        self.failed: CallFailed | None = None
        self.said = b""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
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
        status = response.status_code
        if status >= 300:
            self.failed = CallFailed("status", status, _retry_after(response.headers.get("retry-after", "")))
        elif "json" not in response.headers.get("content-type", "").lower():
            self.failed = CallFailed("html" if "html" in response.headers.get("content-type", "") else "unreadable")
            await response.aclose()
            raise httpx.DecodingError("no JSON", request=request)
        else:
            self.failed = None
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            status, headers=response.headers, stream=_Capped(response.stream, self), extensions=response.extensions
        )

    async def aclose(self) -> None:
        await self._inner.aclose()


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
