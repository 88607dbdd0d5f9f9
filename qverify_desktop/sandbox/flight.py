"""One job from its create to its removal: a blocking life, run in one thread and aborted from any other."""

from __future__ import annotations

import contextlib
import datetime
import os
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docker.errors import APIError, NotFound

from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError, SandboxFailure
from qverify_desktop.domain.execution import Execution, Job, JobResult, RuntimeImage
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.artefacts import ARCHIVE_OVERHEAD, read_artefacts
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, Connections, failure, is_read_timeout
from qverify_desktop.sandbox.inbox import write_overlay
from qverify_desktop.sandbox.limits import USER, host_config
from qverify_desktop.sandbox.owner import DEADLINE, JOB, OWNER, RUN, Owner, Process
from qverify_desktop.sandbox.reaper import inbox_name
from qverify_desktop.sandbox.stream import STDERR, STDOUT, CappedBytes, CappedOutput, Demultiplexer, Pump

#: Seconds from a job's own time-out to the deadline on its label, for create, kill and removal on a busy machine.
GRACE_S = 300
KILL_TIMEOUT_S = 60
DRAIN_TIMEOUT_S = 30.0


class Flight:
    """The life of one container. ``go`` blocks until the container is gone; ``abort`` ends it early."""

    def __init__(
        self,
        connections: Connections,
        owner: Owner,
        job: Job,
        image: RuntimeImage,
        source: Path,
        run: str,
        dependencies: Path | None,
    ) -> None:
        self.job_id = uuid.uuid4().hex
        self._connections = connections
        self._owner = owner
        self._job = job
        self._image = image
        self._source = source
        self._run = run
        self._dependencies = dependencies
        self._process = Process.current()
        # Named by us and not by the engine, so that it can be removed even where the answer to its create got lost.
        self._name = f"qverify-{self.job_id}"
        self._aborted = threading.Event()
        self._started = threading.Event()
        #: Set where the container could not be removed because the engine was away; the reaper's to remove later.
        self.abandoned = False

    def go(self) -> JobResult:
        """Run the job. Raises ``SandboxFailure``, ``MissingPrerequisite`` or ``BadInput``."""
        begun = time.monotonic()
        try:
            with self._inbox() as mounts, self._container(mounts) as container:
                result = self._fly(container, begun)
            self._stop_if_aborted()
        except ENGINE_ERRORS as error:
            if self._aborted.is_set():
                raise self._interrupted() from error
            raise failure(error, self._run, self._image.reference) from error
        return result

    def abort(self) -> None:
        """Kill the container if it runs, on a connection of its own; ``go`` then ends by itself. Never raises."""
        self._aborted.set()
        if self._started.is_set():
            with contextlib.suppress(*ENGINE_ERRORS):
                self._kill()

    @contextlib.contextmanager
    def _inbox(self) -> Iterator[dict[str, Path]]:
        mounts = {entry.SOURCE: self._source.resolve()}
        if self._dependencies is not None:
            mounts[entry.DEPENDENCIES] = self._dependencies.resolve()
        certificates = entry.host_certificates(os.environ) if self._job.network else None
        if certificates is not None:
            mounts[entry.CERTIFICATES] = certificates
        if not self._job.overlay:
            yield mounts
            return
        folder = self._owner.inbox / inbox_name(self._process, self.job_id)
        try:
            try:
                write_overlay(folder, self._job.overlay)
            except OSError as error:
                raise MissingPrerequisite(
                    f"The state folder can't be written ({error.strerror or error}). Nothing that was recorded is lost.",
                    f"Free some space or make it writable, and run `qverify resume {self._run}`.",
                ) from error
            yield mounts | {entry.OVERLAY: folder}
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _container(self, mounts: dict[str, Path]) -> Iterator[str]:
        self._stop_if_aborted()
        client = self._connections.client()
        try:
            created = client.create_container_from_config(self._config(mounts), self._name)  # type: ignore[no-untyped-call]
            yield created["Id"]
        except BaseException:
            # The first error says what happened; a removal that fails as well is the reaper's.
            with contextlib.suppress(*ENGINE_ERRORS):
                self._remove()
            raise
        # An engine that can't remove the container is going down, and may have killed the code itself: no result then.
        self._remove()

    def _config(self, mounts: dict[str, Path]) -> dict[str, Any]:
        job = self._job
        return {
            "Image": self._image.digest,
            "Hostname": "sandbox",
            "User": f"{USER}:{USER}",
            "WorkingDir": entry.WORK,
            "Entrypoint": entry.entrypoint(),
            "Cmd": list(job.argv),
            "Env": entry.environment(job.env, certificates=entry.CERTIFICATES in mounts),
            "AttachStdin": False,
            "AttachStdout": True,
            "AttachStderr": True,
            "OpenStdin": False,
            "Tty": False,
            "Healthcheck": {"Test": ["NONE"]},
            "Labels": {
                OWNER: self._owner.id,
                RUN: self._run,
                JOB: self.job_id,
                DEADLINE: str(int(time.time()) + job.limits.timeout_s + GRACE_S),
                **self._process.labels(),
            },
            "HostConfig": host_config(job.limits, mounts, network=job.network),
        }

    def _fly(self, container: str, begun: float) -> JobResult:
        limits = self._job.limits
        output = CappedOutput(limits.output_bytes)
        returned = CappedBytes(limits.artefact_bytes + ARCHIVE_OVERHEAD)
        client = self._connections.client()
        attached = client.attach_socket(container, {"stdout": 1, "stderr": 1, "stream": 1})
        pump = Pump(attached, Demultiplexer({STDOUT: returned.write, STDERR: output.write}))
        try:
            self._stop_if_aborted()
            client.start(container)
            self._started.set()
            if self._aborted.is_set():
                self._kill()
            timed_out = self._wait(container)
            drained = pump.join(DRAIN_TIMEOUT_S)
            state = client.inspect_container(container)["State"]
        finally:
            pump.close()
        execution = Execution(
            purpose=self._job.purpose,
            container=container,
            image=self._image.reference,
            image_digest=self._image.digest,
            argv=self._job.argv,
            exit_code=int(state["ExitCode"]),
            duration_ms=round((time.monotonic() - begun) * 1000),
            timed_out=timed_out,
            oom_killed=bool(state["OOMKilled"]),
            output_truncated=output.truncated,
            network=self._job.network,
            container_ms=_lifetime_ms(state),
        )
        return _result(execution, output, returned, drained=drained, cap=limits.artefact_bytes)

    def _wait(self, container: str) -> bool:
        """Wait for the container's end and kill it at its time-out; whether the time-out passed."""
        client = self._connections.client()
        try:
            client.wait(container, timeout=self._job.limits.timeout_s)
        except ENGINE_ERRORS as error:
            if not is_read_timeout(error):
                raise
        else:
            return False
        self._kill()
        client.wait(container, timeout=KILL_TIMEOUT_S)
        return True

    def _kill(self) -> None:
        killer = self._connections.fresh(KILL_TIMEOUT_S)
        try:
            killer.kill(self._name)
        except APIError as error:
            # 404 and 409: it ended by itself in this moment.
            if error.status_code not in (404, 409):
                raise
        finally:
            self._connections.discard(killer)

    def _remove(self) -> None:
        try:
            self._connections.client().remove_container(self._name, v=True, force=True)
        except NotFound:
            return
        except ENGINE_ERRORS:
            self.abandoned = True
            raise

    def _stop_if_aborted(self) -> None:
        if self._aborted.is_set():
            raise self._interrupted()

    def _interrupted(self) -> QVerifyError:
        return SandboxFailure(
            "The sandbox was stopped before this job ended. Nothing that was recorded is lost.",
            f"Run `qverify resume {self._run}`.",
        )


def _result(
    execution: Execution, output: CappedOutput, returned: CappedBytes, *, drained: bool, cap: int
) -> JobResult:
    content = returned.content()
    if execution.timed_out:
        problem = "The command ran into its time limit and was killed."
    elif returned.overflown:
        problem = f"The artefacts hold more than {cap} bytes, so none was taken."
    elif not drained:
        problem = "The sandbox ended, but its output could not be read to the end."
    elif bytes(content[: len(entry.READY)]) != entry.READY:
        problem = (
            "The snapshot could not be laid out in the sandbox's work folder (too large for it, or not readable)."
        )
    elif len(content) == len(entry.READY):
        problem = "The command was killed before its artefacts could be handed back."
    else:
        artefacts = read_artefacts(content[len(entry.READY) :], cap)
        return JobResult(execution, output.text(), artefacts.files, artefacts.problem)
    return JobResult(execution, output.text(), {}, problem)


def _lifetime_ms(state: dict[str, Any]) -> int:
    try:
        started = datetime.datetime.fromisoformat(state["StartedAt"])
        finished = datetime.datetime.fromisoformat(state["FinishedAt"])
    except ValueError:
        return 0
    return max(0, round((finished - started).total_seconds() * 1000))
