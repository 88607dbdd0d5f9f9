"""The life of runs in the owning process: queued, running, and each of the ways to end, told to bus and database."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from qverify_desktop.analysis.services import Checkpoints, Services
from qverify_desktop.domain.errors import BadInput, Cancelled, MissingPrerequisite, QVerifyError
from qverify_desktop.domain.report import Seal, Supplement
from qverify_desktop.domain.results import AnalysisRequest, RunResult
from qverify_desktop.engine import crash, wire
from qverify_desktop.engine.bus import BusReporter, EventBus
from qverify_desktop.engine.delivery import deliver
from qverify_desktop.engine.durable import Body, Checkpointed, DurableRuns, Interrupted
from qverify_desktop.engine.events import ENDED, EventKind, RunStatus, RunSummary, Stage

#: Analyses that run at the same time; each uses several containers by itself.
PARALLEL = 1


class RunRecords(Protocol):
    """What the runner keeps about runs (room ``storage``); blocking, called in threads."""

    def create(self, run: str, request_json: str, started_at: str) -> None: ...

    def set_status(self, run: str, status: RunStatus, stage: str = "", sentence: str = "") -> None: ...

    def finish(self, run: str, result: RunResult) -> None: ...

    def request(self, run: str) -> str: ...

    def get(self, run: str) -> RunSummary | None: ...

    def find(self, prefix: str) -> list[str]: ...

    def list(self) -> list[RunSummary]: ...


Analyze = Callable[[str, AnalysisRequest, Services, Checkpoints, BusReporter], Awaitable[RunResult]]


class Runner:
    """Runs analyses one after the other, each a task of its own that ends in exactly one last status."""

    def __init__(
        self,
        home: Path,
        services: Services,
        records: RunRecords,
        bus: EventBus,
        analyze: Analyze,
        before_first: Callable[[], Awaitable[None]],
        supplement: Callable[[RunResult, Seal], Supplement],
    ) -> None:
        self._home = home
        self._services = services
        self._records = records
        self._bus = bus
        self._analyze = analyze
        self._before_first = before_first
        self._supplement = supplement
        body: Body = self._body
        self._durable = DurableRuns(home, body, self._tell)
        self._slots = asyncio.Semaphore(PARALLEL)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._cancelled: set[str] = set()
        self._paused: set[str] = set()
        #: Runs that wait for their turn: nothing of them runs yet.
        self._waiting: set[str] = set()
        self._beginning: set[str] = set()
        self._reporters: dict[str, BusReporter] = {}
        #: Why a run ended that did not finish, while this process lives.
        self.failures: dict[str, QVerifyError] = {}

    def is_live(self, run: str) -> bool:
        return run in self._tasks

    def live(self) -> list[str]:
        return list(self._tasks)

    async def start(self, run: str, request: AnalysisRequest) -> None:
        """Record a new run and set it going."""
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        await asyncio.to_thread(self._records.create, run, wire.request_key(request), now)
        self._set_going(run)

    async def go_on(self, run: str, why: str) -> None:
        """Set a run going again from its last finished step; ``why`` is a line for whoever watches. Twice is once."""
        if run in self._tasks or run in self._beginning:
            return
        self._beginning.add(run)
        try:
            await asyncio.to_thread(self._records.set_status, run, RunStatus.QUEUED)
            self._set_going(run)
        finally:
            self._beginning.discard(run)
        self._bus.publish(run, EventKind.LOG, stage=Stage.INTAKE, text=why)

    async def cancel(self, run: str) -> None:
        """Stop a run in whatever phase it is and wait until it has stopped."""
        task = self._tasks.get(run)
        if task is None:
            return
        if run not in self._cancelled:
            self._cancelled.add(run)
            task.cancel()
        await asyncio.wait({task})

    def pause(self, run: str) -> bool:
        """Begin no further step of a run; one that waits for its turn pauses at once. Answers whether it was going on."""
        task = self._tasks.get(run)
        if task is None or run in self._cancelled:
            return False
        if run in self._waiting:
            self._paused.add(run)
            task.cancel()
            return True
        if not self._durable.pause(run):
            return False
        self._paused.add(run)
        self._tell(run, "The run pauses after the step that is running.")
        return True

    async def take_back_pause(self, run: str) -> bool:
        """For a live run: answers whether it goes on. False when its pause has come; then it has ended."""
        task = self._tasks.get(run)
        if task is None:
            return False
        if run not in self._paused:
            return True
        if self._durable.take_back_pause(run):
            self._paused.discard(run)
            self._tell(run, "The run does not pause.")
            return True
        await asyncio.wait({task})
        return False

    def stage(self, run: str) -> str:
        """The stage in which a run is, empty when it is in none."""
        reporter = self._reporters.get(run)
        return reporter.stage.value if reporter is not None and reporter.stage is not None else ""

    async def drain(self) -> None:
        """Wait until nothing runs any more."""
        while self._tasks:
            await asyncio.wait(set(self._tasks.values()))

    async def interrupt(self) -> None:
        """Stop everything; each run can be gone on with by the next process."""
        tasks = dict(self._tasks)
        for run, task in tasks.items():
            if run not in self._cancelled:
                task.cancel()
        if tasks:
            await asyncio.wait(set(tasks.values()))

    async def close(self) -> None:
        """After ``interrupt``: take the durable engine down."""
        await self._durable.close()

    def _set_going(self, run: str) -> None:
        self.failures.pop(run, None)
        self._cancelled.discard(run)
        self._paused.discard(run)
        self._waiting.add(run)
        self._bus.begin(run)
        self._bus.publish(run, EventKind.STATUS, status=RunStatus.QUEUED)
        task = asyncio.get_running_loop().create_task(self._live(run), name=f"run {run}")
        self._tasks[run] = task

    async def _live(self, run: str) -> None:
        status, sentence = RunStatus.FAILED, ""
        try:
            async with self._slots:
                await self._told(run, RunStatus.RUNNING)
                await self._before_first()
                self._waiting.discard(run)
                await self._durable.execute(run)
            status = RunStatus.FINISHED
        except (asyncio.CancelledError, Interrupted):
            status, failure = self._stopped(run)
            sentence = self._failed(run, failure)
        except BadInput as error:
            sentence = self._failed(run, error)
        except QVerifyError as error:
            status, sentence = RunStatus.INTERRUPTED, self._failed(run, error)
        except Exception as error:  # noqa: BLE001 - every run ends in a status, whatever went wrong
            told = crash.as_error(error, self._home)
            # A disk that is full or read-only is mended and the run gone on with; a bug would only meet itself again.
            status = RunStatus.INTERRUPTED if isinstance(told, MissingPrerequisite) else RunStatus.FAILED
            sentence = self._failed(run, told)
        finally:
            await asyncio.shield(self._end(run, status, sentence))

    def _stopped(self, run: str) -> tuple[RunStatus, QVerifyError]:
        remedy = f"Go on with: qverify resume {run}"
        if run in self._cancelled:
            return RunStatus.CANCELLED, Cancelled("The run was cancelled. What it finished is recorded.", remedy)
        if run in self._paused:
            return RunStatus.PAUSED, QVerifyError("The run is paused. What it finished is recorded.", remedy)
        return RunStatus.INTERRUPTED, QVerifyError("The run was interrupted. What it finished is recorded.", remedy)

    def _failed(self, run: str, error: QVerifyError) -> str:
        self.failures[run] = error
        return str(error)

    async def _end(self, run: str, status: RunStatus, sentence: str) -> None:
        try:
            if status is not RunStatus.FINISHED:
                reporter = self._reporters.get(run)
                stage = reporter.stage.value if reporter and reporter.stage else ""
                await asyncio.to_thread(self._records.set_status, run, status, stage, sentence)
            if status in (RunStatus.FINISHED, RunStatus.FAILED):
                # Results are in the store and the evidence; the copy of the repository was only there to work on.
                await asyncio.to_thread(shutil.rmtree, self._services.workspace / run, ignore_errors=True)
        except Exception as error:  # noqa: BLE001 - a full disk must not keep the watchers waiting
            crash.write(error, self._home)
        finally:
            self._tasks.pop(run, None)
            self._waiting.discard(run)
            self._reporters.pop(run, None)
            self._bus.publish(run, EventKind.STATUS, status=status, text=sentence)

    async def _told(self, run: str, status: RunStatus) -> None:
        await asyncio.to_thread(self._records.set_status, run, status)
        self._bus.publish(run, EventKind.STATUS, status=status)

    async def _body(self, run: str, checkpoints: Checkpointed) -> str:
        """What is durable: the analysis, then its files. Writing these again after a crash gives the same ones."""
        text = await asyncio.to_thread(self._records.request, run)
        request = wire.request_from_json(json.loads(text))
        reporter = BusReporter(self._bus, run)
        self._reporters[run] = reporter
        result = await self._analyze(run, request, self._services, checkpoints, reporter)
        delivery = await asyncio.to_thread(deliver, result, self._services.journal, self._home, self._supplement)
        for notice in delivery.notices:
            reporter.log(Stage.REPORT, notice)
        await asyncio.to_thread(self._records.finish, run, result)
        return result.verdict.value

    def _tell(self, run: str, text: str) -> None:
        reporter = self._reporters.get(run)
        if reporter is not None:
            reporter.log(reporter.stage or Stage.INTAKE, text)


def left_behind(summaries: list[RunSummary]) -> list[str]:
    """Runs that claim to be going on: when the lock was just taken, the process that worked on them is dead."""
    return [summary.run for summary in summaries if summary.status not in ENDED]
