"""Progress on a terminal: finished stages as lines, the stage that goes on as a bar below them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from qverify_desktop.domain.progress import STAGE_TITLES, EventKind, RunEvent, Stage
from qverify_desktop.terminal.output import clean


class BarProgress:
    """A context that draws on standard error. Text of the repository is never read as markup."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
            console=self._console,
            transient=True,
        )
        self._tasks: dict[Stage, TaskID] = {}
        self._began: dict[Stage, int] = {}

    def __enter__(self) -> BarProgress:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """The bar is gone inside, so that a person can be asked something."""
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def tell(self, event: RunEvent) -> None:
        if event.kind is EventKind.STATUS and event.status is not None:
            self._print(f"{event.run}: {event.status.value}", "bold")
        elif event.kind is EventKind.LOG:
            self._print(f"    {event.text}", "dim")
        elif event.stage is None:
            return
        elif event.kind is EventKind.STAGE_STARTED:
            self._began[event.stage] = event.at_ms
            self._task(event.stage)
        elif event.kind is EventKind.PROGRESS:
            self._progress.update(
                self._task(event.stage), completed=event.done, total=event.total, detail=clean(event.text)[:60]
            )
        elif event.kind is EventKind.STAGE_FINISHED:
            task = self._tasks.pop(event.stage, None)
            if task is not None:
                self._progress.remove_task(task)
            seconds = (event.at_ms - self._began.get(event.stage, event.at_ms)) / 1000
            self._print(f"  ✓ {STAGE_TITLES[event.stage]}: {event.text} ({seconds:.1f} s)", "green")

    def _task(self, stage: Stage) -> TaskID:
        if stage not in self._tasks:
            self._tasks[stage] = self._progress.add_task(STAGE_TITLES[stage], total=None, detail="")
        return self._tasks[stage]

    def _print(self, text: str, style: str) -> None:
        self._progress.console.print(Text(clean(text), style=style))
