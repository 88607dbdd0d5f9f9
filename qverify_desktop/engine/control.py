"""The engine's face over the control socket: the owner serves it, a second command or window attaches to it.

One request a connection, as a line of JSON: ``{"v": 1, "method": "runs", "params": {}}``. The answer is one line,
``{"result": …}`` or ``{"error": {"kind", "sentence", "remedy"}}``; ``watch`` sends lines ``{"event": …}`` before it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.progress import RunEvent, RunSummary
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import transport, wire
from qverify_desktop.engine.api import EngineApi

PROTOCOL = 1
#: Seconds that a connection may take to say what it wants, and connections served at once.
REQUEST_SECONDS = 10.0
CONNECTIONS = 64
#: Seconds that a reader of events may take for one line before it is let go.
SLOW_READER_SECONDS = 30.0


class ControlServer:
    """Serves an ``EngineApi`` to processes of the same user. Bad input is answered with an error, never a crash."""

    def __init__(self, engine: EngineApi, home: Path) -> None:
        self._engine = engine
        self._home = home
        self._listener: transport.Listener | None = None
        self._tasks: set[asyncio.Task[None]] = set()
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
        }

    async def open(self) -> None:
        """Raises ``OSError`` when no private place for the socket can be had."""
        self._listener = await transport.serve(self._home, self._handle)

    async def close(self) -> None:
        """Stop listening and let go of everyone who is connected."""
        if self._listener is not None:
            await self._listener.close()
            self._listener = None
        tasks = [task for task in self._tasks if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._tasks) >= CONNECTIONS:
            return
        self._tasks.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, TimeoutError):
            pass
        finally:
            self._tasks.discard(task)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                line = await reader.readline()
        except ValueError:
            await _send(writer, {"error": wire.error_to_json(BadInput("The request is too long."))})
            return
        if not line:
            return
        try:
            method, params = _read_request(line)
            if method == "watch":
                await self._watch(reader, writer, _run_of(params))
                answer: dict[str, Any] = {"result": None}
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
        await _send(writer, answer)

    async def _watch(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, run: str) -> None:
        """Stream events; a peer that hangs up ends the stream even while the run is silent."""
        events = self._engine.watch(run)
        gone = asyncio.ensure_future(reader.read(1))
        following: asyncio.Future[RunEvent] | None = None
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
                await _send(writer, {"event": wire.event_to_json(event)})
        finally:
            for waiting in (gone, following):
                if waiting is not None and not waiting.done():
                    waiting.cancel()
                    with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                        await waiting
            close = getattr(events, "aclose", None)
            if close is not None:
                await close()

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
        )

    async def _runtimes(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        names = params.get("names", [])
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise BadInput("The names of runtimes must be a list of texts.")
        return await self._engine.runtimes(_text(params, "action"), names)

    async def _doctor(self, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await self._engine.doctor(params.get("fix") is True)


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


def _text(params: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = params.get(name, default)
    if not isinstance(value, str) or "\0" in value or len(value) > 4096:
        raise BadInput(f"The field {name} is missing or no text.")
    return value


def _run_of(params: Mapping[str, Any]) -> str:
    return _text(params, "run")


async def _send(writer: asyncio.StreamWriter, message: Mapping[str, Any]) -> None:
    writer.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    async with asyncio.timeout(SLOW_READER_SECONDS):
        await writer.drain()


async def _next(events: AsyncIterator[RunEvent]) -> RunEvent:
    return await events.__anext__()


class OwnerGone(QVerifyError):
    """The process that owns the state folder ended while it was asked."""


class RemoteEngine:
    """``EngineApi`` of the process that owns the state folder."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def ping(self) -> int:
        """Process id of the owner. Raises ``OSError`` when nobody listens."""
        reader, writer = await transport.connect(self._home)
        with contextlib.closing(writer):
            answer = await self._ask(reader, writer, "ping", {})
        return int(answer["pid"])

    async def start(self, request: AnalysisRequest) -> str:
        return str(await self._call("start", request=wire.request_to_json(request)))

    async def watch(self, run: str) -> AsyncIterator[RunEvent]:
        reader, writer = await self._connect()
        with contextlib.closing(writer):
            await _send(writer, {"v": PROTOCOL, "method": "watch", "params": {"run": run}})
            while True:
                message = await _receive(reader)
                if "event" not in message:
                    _result_of(message)
                    return
                try:
                    yield wire.event_from_json(message["event"])
                except (ValueError, KeyError, TypeError) as error:
                    raise QVerifyError("The other QVerify process told an event that can't be read.") from error

    async def cancel(self, run: str) -> None:
        await self._call("cancel", run=run)

    async def resume(self, run: str) -> None:
        await self._call("resume", run=run)

    async def runs(self) -> list[RunSummary]:
        return [wire.summary_from_json(value) for value in await self._call("runs")]

    async def show(self, run: str) -> dict[str, Any]:
        document: dict[str, Any] = await self._call("show", run=run)
        return document

    async def export(self, run: str, format: str, path: Path) -> Path:
        return Path(str(await self._call("export", run=run, format=format, path=_absolute(path))))

    async def verify(
        self, bundle: Path, *, public_key: str = "", known_checkpoint: Path | None = None
    ) -> dict[str, Any]:
        known = _absolute(known_checkpoint) if known_checkpoint else ""
        report: dict[str, Any] = await self._call(
            "verify", bundle=_absolute(bundle), public_key=public_key, known_checkpoint=known
        )
        return report

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = await self._call("runtimes", action=action, names=names)
        return answer

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = await self._call("doctor", fix=fix)
        return answer

    def live(self) -> list[str]:
        """Runs of this process: none."""
        return []

    async def drain(self) -> None:
        """Nothing of ours runs here; the owner's runs are the owner's."""

    async def close(self) -> None:
        """The owner stays open; only this side lets go (connections live for one call)."""

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        try:
            return await transport.connect(self._home)
        except OSError as error:
            raise OwnerGone(
                "The QVerify process that owned the state folder has ended. What its runs finished is recorded.",
                "Ask again; an interrupted run goes on with: qverify resume RUN",
            ) from error

    async def _call(self, method: str, **params: Any) -> Any:
        reader, writer = await self._connect()
        with contextlib.closing(writer):
            return await self._ask(reader, writer, method, params)

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, method: str, params: Mapping[str, Any]
    ) -> Any:
        await _send(writer, {"v": PROTOCOL, "method": method, "params": params})
        return _result_of(await _receive(reader))


def _absolute(path: Path) -> str:
    """The owner's working folder is another one."""
    return str(path.absolute())


async def _receive(reader: asyncio.StreamReader) -> dict[str, Any]:
    try:
        line = await reader.readline()
    except (ValueError, ConnectionError) as error:
        raise OwnerGone("The other QVerify process broke off its answer.", "Ask again.") from error
    if not line.endswith(b"\n"):
        raise OwnerGone(
            "The QVerify process that worked on this has ended. What was finished is recorded.",
            "An interrupted run goes on with: qverify resume RUN",
        )
    try:
        message = json.loads(line)
    except ValueError as error:
        raise QVerifyError("The other QVerify process answered with something that is no JSON.") from error
    if not isinstance(message, dict):
        raise QVerifyError("The other QVerify process answered with something that is no answer.")
    return message


def _result_of(message: Mapping[str, Any]) -> Any:
    if "error" in message:
        raise wire.error_from_json(message["error"])
    return message.get("result")
