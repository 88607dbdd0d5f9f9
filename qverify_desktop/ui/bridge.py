"""Between the engine (asyncio) and the window (Qt signals). The window knows this and nothing below it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeVar

import shiboken6
from PySide6.QtCore import QObject, Signal

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.progress import RunEvent
from qverify_desktop.engine.api import EngineApi
from qverify_desktop.ui.language import tr

T = TypeVar("T")
Failed = Callable[[QVerifyError], None]


class Pending:
    """Work that was asked for; ``cancel`` drops its answer."""

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None
        self.dropped = False

    def cancel(self) -> None:
        self.dropped = True
        if self.task is not None:
            self.task.cancel()


class EngineBridge(QObject):
    """Runs engine calls as tasks of the running loop and hands answers to the widgets that asked. Never blocks or raises.

    An answer whose asker is gone, or that a newer question of the same ``key`` overtook, is dropped.
    """

    ready = Signal()
    unavailable = Signal(object)
    problem = Signal(object)
    changed = Signal(str)
    handed_over = Signal(list)

    def __init__(self, open_engine: Callable[[], Awaitable[EngineApi]], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open_engine = open_engine
        self._engine: EngineApi | None = None
        self._reason: QVerifyError | None = None
        self._opened = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._newest: dict[tuple[int, str], Pending] = {}

    @property
    def is_ready(self) -> bool:
        return self._engine is not None

    def connect_engine(self) -> None:
        """Open the engine; ``ready`` or ``unavailable`` follows."""
        self._spawn(self._connect())

    def ask(
        self,
        asker: QObject,
        question: str,
        then: Callable[[Any], None],
        *,
        failed: Failed | None = None,
        key: str = "",
        **params: Any,
    ) -> Pending:
        """Ask a question of ``docs/questions.md``; ``then`` gets the answer, ``failed`` the error (default: ``problem``)."""
        return self.do(asker, lambda engine: engine.ask(question, **params), then, failed=failed, key=key)

    def do(
        self,
        asker: QObject,
        work: Callable[[EngineApi], Awaitable[T]],
        then: Callable[[T], None] | None = None,
        *,
        failed: Failed | None = None,
        key: str = "",
    ) -> Pending:
        """Do something with the engine as soon as it is there, on behalf of ``asker``."""
        pending = Pending()
        if key:
            older = self._newest.get((id(asker), key))
            if older is not None:
                older.cancel()
            self._newest[id(asker), key] = pending
        pending.task = self._spawn(self._work(pending, asker, work, then, failed))
        return pending

    def watch(self, asker: QObject, run: str, on_event: Callable[[RunEvent], None], key: str = "watch") -> Pending:
        """Follow a run's events, from its first, until it ends or ``cancel``."""
        pending_box: list[Pending] = []

        async def follow(engine: EngineApi) -> None:
            events = engine.watch(run)
            async for event in events:
                if pending_box[0].dropped or not shiboken6.isValid(asker):
                    break
                on_event(event)

        pending = self.do(asker, follow, key=key)
        pending_box.append(pending)
        return pending

    async def close(self) -> None:
        """End all tasks and close the engine."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._engine is not None:
            await self._engine.close()

    async def engine(self) -> EngineApi:
        """The engine, once it is open. Raises ``QVerifyError`` when it could not be opened."""
        await self._opened.wait()
        if self._engine is None:
            if self._reason is not None:
                raise self._reason
            raise QVerifyError(tr("The engine is not running."), tr("Close QVerify and start it again."))
        return self._engine

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _connect(self) -> None:
        try:
            self._engine = await self._open_engine()
        except QVerifyError as error:
            self._reason = error
            self._opened.set()
            self.unavailable.emit(error)
            return
        self._opened.set()
        self.ready.emit()
        # Only the process that owns the state folder is handed folders; any other is a guest of an owner that may end.
        listen = getattr(self._engine, "on_hand_over", None)
        self._spawn(self._follow_changes(self._engine, guest=listen is None))
        if listen is not None:
            listen(self._take_over)

    async def _follow_changes(self, engine: EngineApi, guest: bool) -> None:
        listened = False
        with contextlib.suppress(QVerifyError):
            async for run in engine.changes():
                listened = True
                self.changed.emit(run)
        if guest and listened:
            # The owner has ended. What is asked from now on waits for whoever owns the folder next, perhaps this process.
            self._opened.clear()
            self._engine = None
            await self._connect()

    def _take_over(self, sources: Sequence[str]) -> None:
        self.handed_over.emit(list(sources))

    async def _work(
        self,
        pending: Pending,
        asker: QObject,
        work: Callable[[EngineApi], Awaitable[T]],
        then: Callable[[T], None] | None,
        failed: Failed | None,
    ) -> None:
        try:
            answer = await work(await self.engine())
        except QVerifyError as error:
            if not pending.dropped and shiboken6.isValid(asker):
                (failed or self.problem.emit)(error)
            return
        if then is not None and not pending.dropped and shiboken6.isValid(asker):
            then(answer)
