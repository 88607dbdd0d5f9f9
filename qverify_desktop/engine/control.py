"""The owner's end of the control socket: one request a connection, answered by the engine (``messages`` has the form)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.engine import transport, wire
from qverify_desktop.engine.api import EngineApi
from qverify_desktop.engine.messages import PROTOCOL, line_of, send, send_line

T = TypeVar("T")
#: Seconds that requests which are being answered are given when the engine closes.
LAST_ANSWERS_SECONDS = 3.0
#: Seconds that a connection may take to say what it wants, and connections served at once.
REQUEST_SECONDS = 10.0
CONNECTIONS = 64
#: What a second start may hand over at once.
MOST_SOURCES = 100


class ControlServer:
    """Serves an ``EngineApi`` to processes of the same user. Bad input is answered with an error, never a crash."""

    def __init__(self, engine: EngineApi, home: Path) -> None:
        self._engine = engine
        self._home = home
        self._listener: transport.Listener | None = None
        self._connected: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._methods: Mapping[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "ping": self._ping,
            "start": self._start,
            "cancel": self._cancel,
            "resume": self._resume,
            "runs": self._runs,
            "show": self._show,
            "export": self._export,
            "verify": self._verify,
            "runtimes": self._runtimes,
            "doctor": self._doctor,
            "ask": self._ask,
            "hand_over": self._hand_over,
        }

    async def open(self) -> None:
        """Raises ``OSError`` when no private place for the socket can be had."""
        self._listener = transport.serve(self._home, self._handle)

    async def close(self) -> None:
        """Stop listening, let answers that are due go out (a run was cancelled, a watched run ended), hang up on everyone."""
        listener, self._listener = self._listener, None
        if listener is None:
            return
        listener.stop()
        if self._answering:
            await asyncio.wait(self._answering, timeout=LAST_ANSWERS_SECONDS)
        await listener.close()

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._connected) >= CONNECTIONS:
            return
        self._connected.add(task)
        try:
            line = await self._asked(reader, writer)
            if line:
                self._answering.add(task)
                await self._answer(line, reader, writer)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._connected.discard(task)
            self._answering.discard(task)

    async def _asked(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        """The request's line; empty where there is none."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await reader.readline()
        except ValueError:
            await send(writer, {"error": wire.error_to_json(BadInput("The request is too long."))})
            return b""

    async def _answer(self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            method, params = _read_request(line)
            if method == "watch":
                watched = self._engine.watch(_run_of(params), params.get("attend") is True)
                events = _told(watched, wire.event_to_json)
                await self._stream(reader, writer, events)
                answer: dict[str, Any] = {"result": None}
            elif method == "changes":
                # A window waits for ever: it is no answer that is due when the engine closes.
                self._answering.discard(asyncio.current_task())
                await self._stream(reader, writer, _told(self._engine.changes(), str))
                answer = {"result": None}
            elif method in self._methods:
                answer = {"result": await self._methods[method](params)}
            else:
                raise BadInput(f"There is no request {method!r}.")
        except QVerifyError as error:
            answer = {"error": wire.error_to_json(error)}
        except (ConnectionError, TimeoutError):
            raise
        except Exception as error:  # noqa: BLE001 - a peer's request must not end the engine, whatever it hit
            answer = {"error": wire.error_to_json(QVerifyError(f"The request failed ({type(error).__name__})."))}
        told = line_of(answer)
        if len(told) > transport.ANSWER_BYTES:
            told = line_of({"error": wire.error_to_json(QVerifyError("The answer is too long to be handed over."))})
        await send_line(writer, told)

    async def _stream(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, events: AsyncGenerator[Any, None]
    ) -> None:
        """Send what comes; a peer that hangs up ends the stream even while nothing comes."""
        gone = asyncio.ensure_future(reader.read(1))
        following: asyncio.Future[Any] | None = None
        try:
            while True:
                following = asyncio.ensure_future(_next(events))
                await asyncio.wait({gone, following}, return_when=asyncio.FIRST_COMPLETED)
                if not following.done():
                    raise ConnectionResetError
                try:
                    event = following.result()
                except StopAsyncIteration:
                    return
                await send(writer, {"event": event})
        finally:
            for waiting in (gone, following):
                if waiting is not None and not waiting.done():
                    waiting.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await waiting
            await events.aclose()

    async def _ping(self, _params: Mapping[str, Any]) -> dict[str, Any]:
        return {"protocol": PROTOCOL, "pid": os.getpid()}

    async def _start(self, params: Mapping[str, Any]) -> str:
        return await self._engine.start(wire.request_from_json(params.get("request")))

    async def _cancel(self, params: Mapping[str, Any]) -> None:
        await self._engine.cancel(_run_of(params))

    async def _resume(self, params: Mapping[str, Any]) -> None:
        await self._engine.resume(_run_of(params))

    async def _runs(self, _params: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [wire.summary_to_json(summary) for summary in await self._engine.runs()]

    async def _show(self, params: Mapping[str, Any]) -> dict[str, Any]:
        return await self._engine.show(_run_of(params))

    async def _export(self, params: Mapping[str, Any]) -> str:
        path = _text(params, "path")
        if not Path(path).is_absolute():
            raise BadInput("The path to write to must be absolute.")
        return str(await self._engine.export(_run_of(params), _text(params, "format"), Path(path)))

    async def _verify(self, params: Mapping[str, Any]) -> dict[str, Any]:
        known = _text(params, "known_checkpoint", "")
        return await self._engine.verify(
            Path(_text(params, "bundle")),
            public_key=_text(params, "public_key", ""),
            known_checkpoint=Path(known) if known else None,
            tsa_certificates=[Path(file) for file in _texts(params, "tsa_certificates")],
            witnesses=_texts(params, "witnesses"),
        )

    async def _runtimes(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await self._engine.runtimes(_text(params, "action"), _texts(params, "names"))

    async def _doctor(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await self._engine.doctor(params.get("fix") is True)

    async def _hand_over(self, params: Mapping[str, Any]) -> bool:
        sources = params.get("sources", [])
        if not isinstance(sources, list) or len(sources) > MOST_SOURCES or not all(map(_is_text, sources)):
            raise BadInput("What is handed over must be a list of folders, addresses and files.")
        return await self._engine.hand_over(sources)

    async def _ask(self, params: Mapping[str, Any]) -> Any:
        asked = params.get("params", {})
        if not isinstance(asked, dict):
            raise BadInput("The parameters of a question must be an object.")
        return await self._engine.ask(_text(params, "question"), **asked)


async def _told(events: AsyncIterator[T], tell: Callable[[T], Any]) -> AsyncGenerator[Any, None]:
    try:
        async for event in events:
            yield tell(event)
    finally:
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()


def _read_request(line: bytes) -> tuple[str, Mapping[str, Any]]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadInput("The request is no line of JSON.") from error
    if not isinstance(request, dict) or request.get("v") != PROTOCOL:
        raise BadInput("The request speaks another version of QVerify.", "Close the other QVerify and try again.")
    method, params = request.get("method"), request.get("params", {})
    if not isinstance(method, str) or not isinstance(params, dict):
        raise BadInput("The request names no method.")
    return method, params


def _texts(params: Mapping[str, Any], name: str) -> list[str]:
    texts = params.get(name, [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadInput(f"The parameter {name} must be a list of texts.")
    return texts


def _text(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = params.get(name, default)
    if not _is_text(value):
        raise BadInput(f"The field {name} is missing or no text.")
    return str(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value and len(value) <= 4096


def _run_of(params: Mapping[str, Any]) -> str:
    return _text(params, "run")


async def _next(events: AsyncGenerator[Any, None]) -> Any:
    return await events.__anext__()
