"""The event bus: what runs tell, to everyone who watches, also to those who come late."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

from qverify_desktop.engine.changes import Changes
from qverify_desktop.engine.events import ENDED, EventKind, RunEvent, RunStatus, Stage

#: Log lines that a late watcher is told again, and that a slow watcher may have waiting.
LOG_LINES = 500
#: Characters of what a model writes that are handed on at a time.
MOST_WRITING = 4_000
#: Ended runs whose events stay in memory.
ENDED_CHANNELS = 50
#: What shows in a list of runs.
_LISTED = frozenset({EventKind.STATUS, EventKind.STAGE_STARTED, EventKind.INQUIRY})


@dataclass(eq=False)
class _Watcher:
    """Events that wait for one reader. Status and stages are always kept; progress is coalesced; old log lines go.
    ``attends``: it can answer what the run asks."""

    attends: bool = False
    waiting: deque[RunEvent] = field(default_factory=deque)
    logs: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, event: RunEvent) -> None:
        if event.kind is EventKind.WRITING:
            # Whatever else waits: who reads slowly sees fewer steps of it, never older ones.
            _forget(self.waiting, EventKind.WRITING, None)
        if event.kind is EventKind.PROGRESS and self.waiting:
            last = self.waiting[-1]
            if last.kind is EventKind.PROGRESS and last.stage is event.stage:
                self.waiting.pop()
        if event.kind is EventKind.LOG:
            self.logs += 1
            if self.logs > LOG_LINES:
                self._drop_oldest_log()
        self.waiting.append(event)
        self.news.set()

    def _drop_oldest_log(self) -> None:
        if _forget(self.waiting, EventKind.LOG, None):
            self.logs -= 1

    def take(self) -> RunEvent | None:
        if not self.waiting:
            self.news.clear()
            return None
        event = self.waiting.popleft()
        if event.kind is EventKind.LOG:
            self.logs -= 1
        return event


@dataclass(eq=False)
class _Channel:
    """One run's events in this process: the ring that is replayed and the watchers."""

    began: float
    sequence: int = 0
    ring: deque[RunEvent] = field(default_factory=deque)
    logs: int = 0
    watchers: set[_Watcher] = field(default_factory=set)
    ended: bool = False

    def keep(self, event: RunEvent) -> None:
        """Add to the ring; of progress only the last of each stage, of log lines only the newest, of what a model writes only the
        last are kept."""
        if event.kind is EventKind.PROGRESS:
            _forget(self.ring, EventKind.PROGRESS, event.stage)
        elif event.kind is EventKind.WRITING:
            _forget(self.ring, EventKind.WRITING, None)
        elif event.kind is EventKind.LOG:
            self.logs += 1
            if self.logs > LOG_LINES:
                _forget(self.ring, EventKind.LOG, None)
                self.logs -= 1
        self.ring.append(event)


def _forget(events: deque[RunEvent], kind: EventKind, stage: Stage | None) -> bool:
    """Drop the oldest event of a kind, and of a stage where one is named; answers whether there was one."""
    for index, event in enumerate(events):
        if event.kind is kind and (stage is None or event.stage is stage):
            del events[index]
            return True
    return False


class EventBus:
    """Made inside the running loop; ``publish`` may be called from any thread, everything else from the loop's."""

    def __init__(
        self,
        changes: Changes | None = None,
        keep: Callable[[RunEvent], None] | None = None,
        left: Callable[[], None] | None = None,
    ) -> None:
        """``changes`` is told when a run's listing changed; ``keep`` is called with every event and must not block; ``left`` is
        called when somebody who could answer stopped watching."""
        self._loop = asyncio.get_running_loop()
        self._changes = changes
        self._keep = keep
        self._left = left
        self._channels: dict[str, _Channel] = {}

    def begin(self, run: str) -> None:
        """A run is started or gone on with: its events begin anew, its sequence numbers go on."""
        before = self._channels.pop(run, None)
        channel = _Channel(time.monotonic(), sequence=before.sequence if before else 0)
        if before is not None and not before.ended:
            channel.watchers = before.watchers
        self._channels[run] = channel
        self._forget_old()

    def knows(self, run: str) -> bool:
        return run in self._channels

    def attended(self, run: str) -> bool:
        """Whether somebody watches the run who can answer."""
        channel = self._channels.get(run)
        return channel is not None and any(watcher.attends for watcher in channel.watchers)

    def publish(
        self,
        run: str,
        kind: EventKind,
        *,
        stage: Stage | None = None,
        text: str = "",
        done: int = 0,
        total: int = 0,
        status: RunStatus | None = None,
        target: str = "",
    ) -> None:
        """Tell everyone. Never blocks and never raises; events after the run's end are dropped."""
        event = RunEvent(run, 0, kind, stage, text, done, total, status, target=target)
        try:
            inside = asyncio.get_running_loop() is self._loop
        except RuntimeError:
            inside = False
        if inside:
            self._deliver(event)
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: RunEvent) -> None:
        channel = self._channels.get(event.run)
        if channel is None or channel.ended:
            return
        channel.sequence += 1
        at_ms = round((time.monotonic() - channel.began) * 1000)
        numbered = replace(event, sequence=channel.sequence, at_ms=at_ms)
        channel.keep(numbered)
        channel.ended = numbered.status in ENDED
        for watcher in channel.watchers:
            watcher.put(numbered)
        if self._keep is not None:
            self._keep(numbered)
        if self._changes is not None and numbered.kind in _LISTED:
            self._changes.tell(numbered.run)

    async def watch(self, run: str, attend: bool = False) -> AsyncIterator[RunEvent]:
        """The run's events from its first that is still kept to its last; ``attend`` says that the reader can answer what the run
        asks. Raises ``KeyError`` for a run unknown here."""
        channel = self._channels[run]
        watcher = _Watcher(attend)
        for event in channel.ring:
            watcher.put(event)
        channel.watchers.add(watcher)
        try:
            while True:
                event_or_none = watcher.take()
                if event_or_none is None:
                    await watcher.news.wait()
                    continue
                yield event_or_none
                if event_or_none.status in ENDED:
                    return
        finally:
            for known in self._channels.values():
                known.watchers.discard(watcher)
            if attend and self._left is not None:
                self._left()

    def _forget_old(self) -> None:
        ended = [run for run, channel in self._channels.items() if channel.ended]
        for run in ended[: max(0, len(ended) - ENDED_CHANNELS)]:
            del self._channels[run]


class BusReporter:
    """``analysis.ports.Reporter`` of one run, onto the bus; remembers the stage for the list of runs."""

    def __init__(self, bus: EventBus, run: str) -> None:
        self._bus = bus
        self._run = run
        self.stage: Stage | None = None

    def started(self, stage: Stage) -> None:
        self.stage = stage
        self._bus.publish(self._run, EventKind.STAGE_STARTED, stage=stage)

    def finished(self, stage: Stage, text: str) -> None:
        self._bus.publish(self._run, EventKind.STAGE_FINISHED, stage=stage, text=one_line(text))

    def progress(self, stage: Stage, done: int, total: int, text: str = "") -> None:
        self._bus.publish(self._run, EventKind.PROGRESS, stage=stage, done=done, total=total, text=one_line(text))

    def target(self, stage: Stage, target: str, text: str) -> None:
        self._bus.publish(self._run, EventKind.TARGET, stage=stage, text=one_line(text), target=one_line(target))

    def writing(self, stage: Stage, target: str, text: str, *, over: bool) -> None:
        self._bus.publish(
            self._run,
            EventKind.WRITING,
            stage=stage,
            text=some_lines(text),
            done=int(over),
            total=1,
            target=one_line(target),
        )

    def log(self, stage: Stage, text: str) -> None:
        self._bus.publish(self._run, EventKind.LOG, stage=stage, text=one_line(text))


def some_lines(text: str) -> str:
    """The end of a hostile model's text as printable lines."""
    cleaned = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text[-MOST_WRITING:])
    return cleaned.encode("utf-8", "replace").decode()


def one_line(text: str) -> str:
    """Text of a hostile repository as one printable line: no control characters that could move a terminal's cursor."""
    cleaned = "".join(c if c.isprintable() else " " for c in text[:2000])
    return cleaned.encode("utf-8", "replace").decode()[:1000].strip()
