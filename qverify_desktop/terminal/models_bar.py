"""Models on their way, on a terminal: a bar each below the lines that were said."""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from qverify_desktop.terminal.output import clean


class BarTransfers:
    """A context that draws on standard error: bytes, speed and what is left of each model."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=Console(stderr=True, highlight=False),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> BarTransfers:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def tell(self, transfer: Mapping[str, Any]) -> None:
        name = transfer["transfer"]
        if name not in self._tasks:
            self._tasks[name] = self._progress.add_task(clean(transfer["name"])[:40], total=None, detail="")
        total = transfer["total"] or None
        self._progress.update(
            self._tasks[name], completed=transfer["done"], total=total, detail=clean(transfer["status"])[:30]
        )
