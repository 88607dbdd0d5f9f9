"""The engine as another process of the same user sees it: every call is one connection to the owner's control socket."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.progress import RunEvent, RunSummary
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import transport, wire
from qverify_desktop.engine.messages import PROTOCOL, OwnerGone, line_of, receive, send_line


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

    async def watch(self, run: str, attend: bool = False) -> AsyncIterator[RunEvent]:
        async for event in self._stream("watch", run=run, attend=attend):
            try:
                told = wire.event_from_json(event)
            except (ValueError, KeyError, TypeError) as error:
                raise QVerifyError("The other QVerify process told an event that can't be read.") from error
            yield told

    async def changes(self) -> AsyncIterator[str]:
        async for run in self._stream("changes"):
            yield str(run)

    async def hand_over(self, sources: Sequence[str]) -> bool:
        return bool(await self._call("hand_over", sources=list(sources)))

    async def _stream(self, method: str, **params: Any) -> AsyncIterator[Any]:
        """Events until the owner's last word."""
        reader, writer = await self._connect()
        with contextlib.closing(writer):
            await _request(writer, method, params)
            while True:
                message = await receive(reader)
                if "event" not in message:
                    _result_of(message)
                    return
                yield message["event"]

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
        self,
        bundle: Path,
        *,
        public_key: str = "",
        known_checkpoint: Path | None = None,
        tsa_certificates: Sequence[Path] = (),
        witnesses: Sequence[str] = (),
    ) -> dict[str, Any]:
        known = _absolute(known_checkpoint) if known_checkpoint else ""
        report: dict[str, Any] = await self._call(
            "verify",
            bundle=_absolute(bundle),
            public_key=public_key,
            known_checkpoint=known,
            tsa_certificates=[_absolute(file) for file in tsa_certificates],
            witnesses=list(witnesses),
        )
        return report

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = await self._call("runtimes", action=action, names=names)
        return answer

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = await self._call("doctor", fix=fix)
        return answer

    async def ask(self, question: str, /, **params: Any) -> Any:
        return await self._call("ask", question=question, params=params)

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
        await _request(writer, method, params)
        return _result_of(await receive(reader))


async def _request(writer: asyncio.StreamWriter, method: str, params: Mapping[str, Any]) -> None:
    line = line_of({"v": PROTOCOL, "method": method, "params": params})
    if len(line) > transport.REQUEST_BYTES:
        raise BadInput("The request is too long.")
    try:
        await send_line(writer, line)
    except OSError as error:
        raise OwnerGone(
            "The QVerify process that owns the state folder hung up. What its runs finished is recorded.",
            "Ask again.",
        ) from error


def _absolute(path: Path) -> str:
    """The owner's working folder is another one."""
    return str(path.absolute())


def _result_of(message: Mapping[str, Any]) -> Any:
    if "error" in message:
        raise wire.error_from_json(message["error"])
    return message.get("result")
