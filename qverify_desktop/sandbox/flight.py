"""One job from its container's create to its removal: a blocking life in two parts, aborted from any thread.

``prepare`` has the container made and started, waiting for its job; ``perform`` hands the job in and takes what comes
back. Between the two it costs nothing but memory, so the sandbox prepares the next job's container while others work.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from qverify_desktop.domain.errors import QVerifyError, SandboxFailure
from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.sandbox.artefacts import ARCHIVE_OVERHEAD
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, Connections, failure
from qverify_desktop.sandbox.container import Assignment, Container
from qverify_desktop.sandbox.parcel import job_parcel
from qverify_desktop.sandbox.returned import job_result
from qverify_desktop.sandbox.sources import Sources
from qverify_desktop.sandbox.stream import CappedBytes, CappedOutput

T = TypeVar("T")


class Flight:
    """The life of one job's container. ``abort`` ends it early; ``land`` must be called at its end, however it came."""

    def __init__(self, connections: Connections, assignment: Assignment, sources: Sources | None = None) -> None:
        self._assignment = assignment
        self._container = Container(connections, assignment, sources)
        self._aborted = threading.Event()
        #: Whether there may be a container that ``land`` has to remove.
        self.in_the_air = False
        #: Set where the container could not be removed because the engine was away; the reaper's to remove later.
        self.abandoned = False

    @property
    def job_id(self) -> str:
        """What the container's label ``JOB`` says."""
        return self._container.key

    def go(self) -> JobResult:
        """The whole life at once. Raises ``SandboxFailure`` or ``MissingPrerequisite``."""
        try:
            self.prepare()
            return self.perform()
        finally:
            self.land()

    def prepare(self) -> None:
        """Create and start the container. Raises ``SandboxFailure`` or ``MissingPrerequisite``."""
        self._asking(self._prepare)

    def perform(self) -> JobResult:
        """Hand in the job, wait for its end, and remove the container. Raises as ``prepare`` does."""
        return self._asking(self._perform)

    def land(self) -> None:
        """Remove the container where it is still there. Never raises."""
        # The first error says what happened; a removal that fails as well is the reaper's.
        with contextlib.suppress(*ENGINE_ERRORS):
            self._remove()

    def abort(self) -> None:
        """Kill the container if it runs, on a connection of its own; the life then ends by itself. Never raises."""
        self._aborted.set()
        if self._container.started:
            with contextlib.suppress(*ENGINE_ERRORS):
                self._container.kill()

    def _asking(self, work: Callable[[], T]) -> T:
        try:
            result = work()
            self._stop_if_aborted()
        except ENGINE_ERRORS as error:
            if self._aborted.is_set():
                raise self._interrupted() from error
            raise failure(error, self._assignment.run, self._assignment.image.reference) from error
        return result

    def _prepare(self) -> None:
        self._stop_if_aborted()
        # A job that can't be handed in is refused before a container is made for it.
        job_parcel(self._assignment.job)
        self.in_the_air = True
        self._container.create()
        self._stop_if_aborted()
        self._container.start()
        if self._aborted.is_set():
            self._container.kill()

    def _perform(self) -> JobResult:
        self._stop_if_aborted()
        begun = time.monotonic()
        job, image = self._assignment.job, self._assignment.image
        output = CappedOutput(job.limits.output_bytes)
        returned = CappedBytes(job.limits.artefact_bytes + ARCHIVE_OVERHEAD)
        ended = self._container.work(output, returned)
        # An engine that can't remove the container is going down, and may have killed the code itself: no result then.
        self._remove()
        execution = Execution(
            purpose=job.purpose,
            container=self._container.id,
            image=image.reference,
            image_digest=image.digest,
            argv=job.argv,
            exit_code=int(ended.state["ExitCode"]),
            duration_ms=round((time.monotonic() - begun) * 1000),
            timed_out=ended.timed_out,
            oom_killed=bool(ended.state["OOMKilled"]),
            output_truncated=output.truncated,
            network=job.network,
            container_ms=ended.container_ms,
        )
        return job_result(
            execution, output, returned, drained=ended.drained, flooded=ended.flooded, limits=job.limits
        )

    def _remove(self) -> None:
        if not self.in_the_air:
            return
        try:
            self._container.remove()
        except ENGINE_ERRORS:
            self.abandoned = True
            raise
        self.in_the_air = self.abandoned = False

    def _stop_if_aborted(self) -> None:
        if self._aborted.is_set():
            raise self._interrupted()

    def _interrupted(self) -> QVerifyError:
        return SandboxFailure(
            "The sandbox was stopped before this job ended. Nothing that was recorded is lost.",
            f"Run `qverify resume {self._assignment.run}`.",
        )
