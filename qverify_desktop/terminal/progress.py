"""A run's progress where there is no bar to draw."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from qverify_desktop.domain.progress import STAGE_TITLES, EventKind, RunEvent
from qverify_desktop.terminal.output import QUIET_SECONDS, note


class Progress(Protocol):
    """Takes a run's events in their order. Nothing is drawn inside ``paused``."""

    def tell(self, event: RunEvent) -> None: ...

    def paused(self) -> AbstractContextManager[None]: ...


class PlainProgress:
    """One line a stage and, where a stage takes long, one every few seconds."""

    def __init__(self) -> None:
        self._began: dict[str, int] = {}
        self._last = 0.0

    def paused(self) -> AbstractContextManager[None]:
        """Lines are no bar: nothing is drawn between them."""
        return nullcontext()

    def tell(self, event: RunEvent) -> None:
        line = self._line(event)
        if line:
            note(line)

    def _line(self, event: RunEvent) -> str:
        title = STAGE_TITLES[event.stage] if event.stage else ""
        if event.kind is EventKind.STATUS and event.status is not None:
            return f"{event.run}: {event.status.value}"
        if event.kind is EventKind.STAGE_STARTED and event.stage:
            self._began[event.stage] = event.at_ms
            return f"  {title} …"
        if event.kind is EventKind.STAGE_FINISHED and event.stage:
            return f"  {title}: {event.text}{_took(event, self._began)}"
        if event.kind is EventKind.LOG:
            return f"    {event.text}"
        now = time.monotonic()
        if event.kind is EventKind.PROGRESS and (now - self._last > QUIET_SECONDS):
            self._last = now
            return f"    {title}: {event.done} of {event.total} {event.text}".rstrip()
        return ""


def _took(event: RunEvent, began: Mapping[str, int]) -> str:
    if event.stage is None or event.stage not in began:
        return ""
    return f" ({(event.at_ms - began[event.stage]) / 1000:.1f} s)"
