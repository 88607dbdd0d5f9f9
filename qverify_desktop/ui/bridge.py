"""Between the engine (asyncio) and the window (Qt signals). The window knows this and nothing below it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.progress import RunStatus
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.api import EngineApi

ENDED = (RunStatus.FINISHED, RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.INTERRUPTED)


class EngineBridge(QObject):
    """Runs engine calls as tasks of the running loop and tells the window by signals. Never blocks, never raises."""

    ready = Signal(str)
    unavailable = Signal(str)
    run_started = Signal(str)
    run_event = Signal(object)
    document = Signal(object)
    runs = Signal(object)
    verified = Signal(object)
    problem = Signal(str)

    def __init__(self, open_engine: Callable[[], Awaitable[EngineApi]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_engine = open_engine
        self._engine: EngineApi | None = None
        self._opened = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def connect_engine(self) -> None:
        """Open the engine; ``ready`` or ``unavailable`` follows."""
        self._spawn(self._connect())

    def start(self, source: str) -> None:
        """Analyse a folder or URL; ``run_started``, ``event`` … and ``document`` follow."""
        self._spawn(self._start(source))

    def cancel(self, run: str) -> None:
        self._spawn(self._call(lambda engine: engine.cancel(run)))

    def resume(self, run: str) -> None:
        self._spawn(self._resume(run))

    def show(self, run: str) -> None:
        """Ask for a finished run; ``document`` follows."""
        self._spawn(self._show(run))

    def list_runs(self) -> None:
        self._spawn(self._list_runs())

    def verify(self, bundle: str) -> None:
        self._spawn(self._verify(Path(bundle)))

    async def close(self) -> None:
        """End all tasks and close the engine."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._engine is not None:
            await self._engine.close()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except QVerifyError as error:
            self.problem.emit(str(error))

    async def _connect(self) -> None:
        try:
            self._engine = await self._open_engine()
        except QVerifyError as error:
            self.unavailable.emit(str(error))
            return
        self._opened.set()
        self.ready.emit("")

    async def _ready_engine(self) -> EngineApi:
        await self._opened.wait()
        if self._engine is None:
            raise QVerifyError("The engine is not running.", "Start QVerify again.")
        return self._engine

    async def _call(self, action: Callable[[EngineApi], Awaitable[None]]) -> None:
        await action(await self._ready_engine())

    async def _start(self, source: str) -> None:
        engine = await self._ready_engine()
        run = await engine.start(AnalysisRequest(source=source))
        self.run_started.emit(run)
        await self._follow(engine, run)

    async def _resume(self, run: str) -> None:
        engine = await self._ready_engine()
        await engine.resume(run)
        self.run_started.emit(run)
        await self._follow(engine, run)

    async def _follow(self, engine: EngineApi, run: str) -> None:
        status = None
        async for event in engine.watch(run):
            status = event.status or status
            self.run_event.emit(event)
        if status is RunStatus.FINISHED:
            self.document.emit(await engine.show(run))
        self.runs.emit(await engine.runs())

    async def _show(self, run: str) -> None:
        engine = await self._ready_engine()
        self.document.emit(await engine.show(run))

    async def _list_runs(self) -> None:
        engine = await self._ready_engine()
        self.runs.emit(await engine.runs())

    async def _verify(self, bundle: Path) -> None:
        engine = await self._ready_engine()
        self.verified.emit(await engine.verify(bundle))
