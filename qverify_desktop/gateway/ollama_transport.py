"""The guard for managing models: streams of lines may be long but no line may be, and some answers are nothing but a status."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx

from qverify_desktop.gateway.errors import CallFailed
from qverify_desktop.gateway.guard import MOST_ANSWER_BYTES, GuardedTransport
from qverify_desktop.gateway.provider import Endpoint

#: Bytes of a stream of lines in all, and of one of them. Progress at Ollama's pace is 12 MB an hour.
MOST_STREAM_BYTES = 1024 * 1024 * 1024
MOST_LINE_BYTES = 256 * 1024


class ManagingTransport(GuardedTransport):
    """A guard for one request. ``lines``: the answer is a stream of lines that are read as they come."""

    def __init__(self, endpoint: Endpoint, *, lines: bool) -> None:
        most = MOST_STREAM_BYTES if lines else MOST_ANSWER_BYTES
        super().__init__(endpoint.base, local=endpoint.local, most_bytes=most)
        # The guard sees what this one lets through.
        self._inner = _Below(self._inner, self, lines)  # type: ignore[assignment]


class _Below(httpx.AsyncBaseTransport):
    """Between the guard and the wire."""

    def __init__(self, wire: httpx.AsyncBaseTransport, guard: GuardedTransport, lines: bool) -> None:
        self._wire, self._guard, self._lines = wire, guard, lines

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._wire.handle_async_request(request)
        headers = response.headers
        if "content-type" not in headers:
            # A bare status (a blob that was taken, a model that was deleted) is an answer too.
            headers["content-type"] = "application/json"
        assert isinstance(response.stream, httpx.AsyncByteStream)
        stream = _Lines(response.stream, self._guard) if self._lines else response.stream
        return httpx.Response(response.status_code, headers=headers, stream=stream, extensions=response.extensions)

    async def aclose(self) -> None:
        await self._wire.aclose()


class _Lines(httpx.AsyncByteStream):
    """A body none of whose lines is longer than the cap."""

    def __init__(self, inner: httpx.AsyncByteStream, guard: GuardedTransport) -> None:
        self._inner, self._guard = inner, guard

    async def __aiter__(self) -> AsyncIterator[bytes]:
        line = 0
        async for chunk in self._inner:
            line = len(chunk) - chunk.rfind(b"\n") - 1 if b"\n" in chunk else line + len(chunk)
            if line > MOST_LINE_BYTES:
                self._guard.failed = CallFailed("too_large")
                raise httpx.ReadError("over the cap")
            yield chunk

    async def aclose(self) -> None:
        await self._inner.aclose()
