"""What is on its way over a network and remembered over a restart: begun, watched, paused, gone on with, taken off the list.

It belongs to the process that owns the state folder; others watch through ``watch``. What moves, and how, is a subclass's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from qverify_desktop.domain.errors import BadInput, QVerifyError

RUNNING, PAUSED, FAILED, DONE = "running", "paused", "failed", "done"
#: Seconds between two tellings of progress, and of a watcher's patience.
TELL_SECONDS = 0.1
WATCH_SECONDS = 20.0
MOST_FILE_BYTES = 1024 * 1024
MOST_TRANSFERS = 100

#: A sentence, and what to do.
Said = tuple[str, str]


@dataclass(kw_only=True)
class Moving:
    """One thing on its way. ``done`` and ``total`` are bytes; ``sentence`` and ``remedy`` say why it stands still."""

    state: str = RUNNING
    sentence: str = ""
    remedy: str = ""
    done: int = 0
    total: int = 0
    _task: asyncio.Task[None] | None = field(default=None, repr=False)
    _telling: bool = field(default=False, repr=False)

    @property
    def id(self) -> str:
        """Its name in the list, the same for the same thing."""
        raise NotImplementedError


One = TypeVar("One", bound=Moving)


class Transfers(Generic[One]):
    """Made inside the running loop and used in it only. ``file`` holds what is remembered; ``read`` makes one out of an entry of it,
    or raises. One that was running when QVerify ended is paused and says so."""

    #: Words for a person, of the subclass.
    ended: Said = ("QVerify ended while it went on.", "Go on with it.")
    too_many: Said = ("Too many are on their way.", "Take some off the list first.")
    unknown: Said = ("This is not on its way.", "Look at the list again.")

    def __init__(self, file: Path, read: Callable[[Mapping[str, Any]], One]) -> None:
        self._file = file
        self._loop = asyncio.get_running_loop()
        self._transfers: dict[str, One] = {one.id: one for one in _load(file, read)}
        for one in self._transfers.values():
            if one.state == RUNNING:
                one.state, (one.sentence, one.remedy) = PAUSED, self.ended
        self._version = 1
        self._news = asyncio.Event()
        self._closing = False
        self._aside: set[asyncio.Task[Any]] = set()

    # What a subclass says

    async def _carry(self, one: One) -> bool:
        """Do the work; answers whether it is done (else its state was set already). Raises ``QVerifyError``."""
        raise NotImplementedError

    def _begun(self, one: One) -> None:
        """It is about to run (again): forget what was measured before."""

    def _paused(self, one: One) -> Said:
        """What is said of one that a person pauses."""
        raise NotImplementedError

    def _kept(self, one: One) -> dict[str, Any] | None:
        """What is remembered of it over a restart, as JSON; ``None`` for nothing."""
        raise NotImplementedError

    # What all share

    async def watch_version(self, after: int) -> int:
        """The version, as soon as it is another than ``after``; at the latest after some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                while self._version == after and not self._closing:
                    await self._news.wait()
        return self._version

    async def forget(self, transfer: str) -> None:
        """Take it off the list."""
        one = self._find(transfer)
        await self._stop(one)
        self._transfers.pop(one.id, None)
        await self._save()

    async def close(self) -> None:
        """Pause everything, so that the next start can go on with it."""
        self._closing = True
        self._changed()
        for one in tuple(self._transfers.values()):
            if one.state == RUNNING:
                await self._stop(one, *self.ended)

    async def _pause(self, one: One) -> None:
        if one.state == RUNNING:
            await self._stop(one, *self._paused(one))

    async def _begin(self, made: One) -> One:
        """Put it on the list, or find the one that is there, and run it."""
        one = self._transfers.get(made.id)
        if one is None:
            if len(self._transfers) >= MOST_TRANSFERS:
                self._transfers = {key: one for key, one in self._transfers.items() if one.state != DONE}
            if len(self._transfers) >= MOST_TRANSFERS:
                raise BadInput(*self.too_many)
            one = self._transfers[made.id] = made
        elif one.state == RUNNING and one._task is not None:
            return one
        self._run(one)
        await self._save()
        return one

    def _run(self, one: One) -> None:
        if self._closing:
            raise QVerifyError("QVerify is closing.", "Start it again, then try again.")
        one.state, one.sentence, one.remedy = RUNNING, "", ""
        self._begun(one)
        one._task = self._loop.create_task(self._work(one), name=f"transfer {one.id}")
        self._changed()

    async def _work(self, one: One) -> None:
        try:
            if not await self._carry(one):
                return
        except QVerifyError as error:
            one.state, one.sentence, one.remedy = FAILED, error.sentence, error.remedy
        except Exception as error:  # noqa: BLE001 - a transfer that dies silently would stand as running for ever
            one.state, one.sentence, one.remedy = FAILED, f"It failed ({type(error).__name__}).", "Try again."
        else:
            one.state, one.sentence, one.remedy = DONE, "", ""
        finally:
            self._changed()
            await self._save()

    def _tell_soon(self, one: One, tell: Callable[[One], None]) -> None:
        """Have ``tell`` called in the loop, ten times a second at most. From any thread."""
        if not one._telling and not self._loop.is_closed():
            one._telling = True

            def told() -> None:
                one._telling = False
                tell(one)

            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.call_later, TELL_SECONDS, told)

    def _do_aside(self, work: Any) -> None:
        """Begin something that nobody waits for."""
        task = self._loop.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    async def _stop(self, one: One, sentence: str = "", remedy: str = "") -> None:
        task, one._task = one._task, None
        if one.state == RUNNING:
            one.state, one.sentence, one.remedy = PAUSED, sentence, remedy
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._save()
        self._changed()

    def _find(self, transfer: str) -> One:
        one = self._transfers.get(transfer)
        if one is None:
            raise BadInput(*self.unknown)
        return one

    def _changed(self) -> None:
        self._version += 1
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _save(self) -> None:
        kept = [entry for one in self._transfers.values() if (entry := self._kept(one)) is not None]
        # A disk that is full must not end a transfer; it is only not remembered.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_write, self._file, kept)


def _load(file: Path, read: Callable[[Mapping[str, Any]], One]) -> list[One]:
    """What was on its way when QVerify ended; a file that can't be read counts as none."""
    try:
        with file.open("rb") as source:
            entries = json.loads(source.read(MOST_FILE_BYTES))
        return [read(entry) for entry in entries[:MOST_TRANSFERS]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, BadInput):
        return []


def _write(file: Path, entries: list[dict[str, Any]]) -> None:
    """All or nothing."""
    if not entries:
        file.unlink(missing_ok=True)
        return
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            json.dump(entries, target, indent=1)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
