"""Durable execution on DBOS and SQLite: a step that was checkpointed never runs again, whatever killed the process.

DBOS is imported in a worker thread on first use (half a second). Its queue and recovery never start work by
themselves: everything left over is parked before ``launch``, and only ``execute`` unparks a run. Nothing but results is
checkpointed: a step or workflow that fails leaves no record, so that going on tries exactly that step again.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
import os
import sqlite3
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from qverify_desktop.domain.errors import QVerifyError, SandboxFailure

#: Changes when steps are added, dropped or renamed; running work of another version is never gone on with.
APPLICATION_VERSION = "analysis-v3"
EXECUTOR = "desktop"
WORKFLOW = "analysis"
DATABASE_NAME = "workflows.db"
#: Seconds one step may take before it counts as hung.
STEP_SECONDS = 6 * 3600.0
#: Seconds to wait before a step that met a failing sandbox engine is tried again.
RETRY_AFTER = (1.0, 4.0, 12.0)
_THREADS = 64


class Checkpointed(Protocol):
    """``analysis.services.Checkpoints``: what a workflow's body runs its steps through."""

    async def step(self, name: str, body: Callable[[], Awaitable[str]]) -> str: ...


Body = Callable[[str, Checkpointed], Awaitable[str]]
OnRetry = Callable[[str, str], None]


class Interrupted(QVerifyError):
    """The run was stopped between or in steps; everything checkpointed stays."""


class _Unrecorded(BaseException):
    """Carries a step's error past DBOS, which records every ``Exception`` as the step's lasting outcome."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


@dataclass(eq=False)
class _Execution:
    """One run that was asked for in this process."""

    outcome: asyncio.Future[str]
    task: asyncio.Task[Any] | None = None
    stopping: bool = False
    pausing: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)


class DurableRuns:
    """Runs ``body`` durably, once per run's name. One instance a process; made and used inside one running loop."""

    def __init__(self, folder: Path, body: Body, on_retry: OnRetry | None = None) -> None:
        self._folder = folder
        self._body = body
        self._on_retry = on_retry
        self._opening = asyncio.Lock()
        self._dbos: Any = None
        self._workflow: Any = None
        self._executions: dict[str, _Execution] = {}

    async def open(self) -> None:
        """Import, migrate and park off the loop's thread, then launch inside the loop. Does nothing the second time."""
        async with self._opening:
            if self._dbos is not None:
                return
            dbos = await asyncio.to_thread(self._prepare)
            dbos.DBOS(
                config={
                    "name": "qverify",
                    "system_database_url": self._url,
                    "application_version": APPLICATION_VERSION,
                    "executor_id": EXECUTOR,
                    "serializer": _serializer(),
                    "enable_otlp": False,
                    "log_level": "ERROR",
                    "max_executor_threads": _THREADS,
                    "notification_listener_polling_interval_sec": 0.25,
                }
            )
            self._workflow = dbos.DBOS.workflow(name=WORKFLOW)(self._make_workflow())
            # The loop that is running now becomes the one on which steps run (about 20 ms once migrated).
            dbos.DBOS.launch()
            self._dbos = dbos

    async def execute(self, run: str) -> str:
        """Start the run or go on with it; answers what ``body`` answered.

        Raises the body's ``QVerifyError``, ``Interrupted`` after ``stop``, or whatever unexpected error ended it. In
        each case the run is parked and ``execute`` may be called again, also by a later process.
        """
        if run in self._executions:
            raise QVerifyError(f"The run {run} is running already.")
        execution = _Execution(asyncio.get_running_loop().create_future())
        self._executions[run] = execution
        try:
            await self.open()
            await self._set_going(run)
            result = await asyncio.shield(execution.outcome)
            await _settled(execution)
            return result
        except BaseException:
            self.stop(run)
            await _settled(execution)
            await self._park(run)
            raise
        finally:
            del self._executions[run]
            execution.over.set()
            if execution.outcome.done() and not execution.outcome.cancelled():
                execution.outcome.exception()

    def stop(self, run: str) -> bool:
        """Stop a run in whatever phase it is: a step that waits is cancelled, so that its sandbox dies; no step begins."""
        execution = self._executions.get(run)
        if execution is None:
            return False
        execution.stopping = True
        if execution.task is not None:
            execution.task.cancel()
        elif not execution.outcome.done():
            execution.outcome.set_exception(Interrupted(f"The run {run} was stopped before it began."))
        return True

    def pause(self, run: str) -> bool:
        """Let the step that is running end and begin no other; the run ends as after ``stop``."""
        execution = self._executions.get(run)
        if execution is None:
            return False
        execution.pausing = True
        return True

    def take_back_pause(self, run: str) -> bool:
        """Answers whether the run goes on; false when its pause has come already."""
        execution = self._executions.get(run)
        if execution is None or execution.stopping:
            return False
        execution.pausing = False
        return True

    async def close(self) -> None:
        """Stop everything that runs, then take DBOS down. The runs stay parked for another process."""
        for run in list(self._executions):
            self.stop(run)
        for execution in list(self._executions.values()):
            await execution.over.wait()
        async with self._opening:
            if self._dbos is None:
                return
            dbos, self._dbos = self._dbos, None
            with ThreadPoolExecutor(1) as own:
                await asyncio.get_running_loop().run_in_executor(
                    own, lambda: dbos.DBOS.destroy(destroy_registry=True)
                )
            # DBOS makes its own pool the loop's default one and shuts it down; leave the loop a living one.
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor())

    @property
    def _url(self) -> str:
        return f"sqlite:///{self._folder / DATABASE_NAME}"

    def _prepare(self) -> Any:
        """Blocking: import DBOS, make the database in WAL, migrate it, park what a dead process left."""
        for name in [name for name in os.environ if name.startswith("DBOS_")]:
            del os.environ[name]
        dbos = importlib.import_module("dbos")
        # A handler that is there first keeps DBOS from logging to standard error.
        logging.getLogger("dbos").addHandler(logging.NullHandler())
        logging.getLogger("dbos").propagate = False
        with contextlib.closing(sqlite3.connect(self._folder / DATABASE_NAME, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
        (self._folder / DATABASE_NAME).chmod(0o600)
        dbos.DBOS.migrate(self._url)
        client = dbos.DBOSClient(system_database_url=self._url, serializer=_serializer())
        try:
            left = client.list_workflows(
                status=["PENDING", "ENQUEUED", "DELAYED"], load_input=False, load_output=False
            )
            if left:
                client.cancel_workflows([workflow.workflow_id for workflow in left])
        finally:
            client.destroy()
        return dbos

    def _make_workflow(self) -> Callable[[str], Awaitable[str]]:
        async def analysis(run: str) -> str:
            execution = self._executions.get(run)
            if execution is None or execution.outcome.done():
                raise asyncio.CancelledError
            execution.task = asyncio.current_task()
            try:
                result = await self._body(run, _Steps(self, run, execution))
            except asyncio.CancelledError:
                _fail(execution, Interrupted(f"The run {run} was stopped. Everything it finished is recorded."))
                raise
            except Exception as error:  # noqa: BLE001 - handed to whoever awaits the run
                _fail(execution, error)
                # Cancelled is the one end that DBOS does not record, so that the run can be gone on with.
                raise asyncio.CancelledError from None
            if not execution.outcome.done():
                execution.outcome.set_result(result)
            return result

        return analysis

    async def _set_going(self, run: str) -> None:
        api = self._dbos.DBOS
        known = await api.get_workflow_status_async(run)
        if known is None:
            with self._dbos.SetWorkflowID(run):
                await api.start_workflow_async(self._workflow, run)
        elif known.status == "SUCCESS":
            execution = self._executions[run]
            execution.outcome.set_result(str(known.output))
        elif known.app_version not in (None, APPLICATION_VERSION):
            raise QVerifyError(
                f"The run {run} was begun by another version of QVerify and can't be gone on with.",
                "Start the analysis again.",
            )
        else:
            await api.resume_workflow_async(run)

    async def _park(self, run: str) -> None:
        if self._dbos is not None:
            await self._dbos.DBOS.cancel_workflow_async(run)

    async def run_step(self, name: str, body: Callable[[], Awaitable[str]]) -> str:
        """One checkpointed step of the workflow that is running."""
        answer = await self._dbos.DBOS.run_step_async(
            {"name": name, "preemptible": True, "timeout_seconds": STEP_SECONDS + 60}, body
        )
        return str(answer)

    def tell_retry(self, run: str, text: str) -> None:
        if self._on_retry is not None:
            self._on_retry(run, text)


class _Steps:
    """Checkpoints of one run."""

    def __init__(self, runs: DurableRuns, run: str, execution: _Execution) -> None:
        self._runs = runs
        self._run = run
        self._execution = execution

    async def step(self, name: str, body: Callable[[], Awaitable[str]]) -> str:
        if self._execution.stopping or self._execution.pausing:
            self._execution.stopping = True
            raise asyncio.CancelledError

        async def unrecorded_on_error() -> str:
            try:
                async with asyncio.timeout(STEP_SECONDS):
                    return await self._patiently(body)
            except TimeoutError:
                hours = STEP_SECONDS / 3600
                raise _Unrecorded(SandboxFailure(f"The step {name} did not end within {hours:.0f} hours.")) from None
            except Exception as error:  # noqa: BLE001 - raised again by ``step``
                raise _Unrecorded(error) from None

        try:
            return await self._runs.run_step(name, unrecorded_on_error)
        except _Unrecorded as carrier:
            failure = carrier.error
        # Outside the handler: the carrier must not become the error's context, which would be a circle.
        raise failure

    async def _patiently(self, body: Callable[[], Awaitable[str]]) -> str:
        """Try again, a few times, where the engine under the sandbox failed (it may be restarting); nothing else."""
        for wait in RETRY_AFTER:
            try:
                return await body()
            except SandboxFailure as failure:
                self._runs.tell_retry(self._run, f"{failure.sentence} Trying again in {wait:.0f} s.")
                await asyncio.sleep(wait)
        return await body()


async def _settled(execution: _Execution) -> None:
    """Wait until DBOS has written the workflow's end (its task includes that), so that nothing is cut off by a close."""
    if execution.task is not None and execution.task is not asyncio.current_task():
        await asyncio.wait({execution.task}, timeout=30)


def _fail(execution: _Execution, error: Exception) -> None:
    if not execution.outcome.done():
        execution.outcome.set_exception(error)


def _serializer() -> Any:
    """JSON instead of DBOS's default, pickle: a workflow database must not be able to run code."""
    return importlib.import_module("dbos").DBOSPortableJSONSerializer()
