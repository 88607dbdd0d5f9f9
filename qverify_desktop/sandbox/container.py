"""One container from its create to its removal. Blocking: every call has a time-out and belongs to one thread at a time,
but for ``kill``."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from docker.errors import APIError, NotFound

from qverify_desktop.domain.errors import SandboxFailure
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, Connections, is_read_timeout
from qverify_desktop.sandbox.limits import DOCKER, HOST_NAME, USER, Dialect, host_config
from qverify_desktop.sandbox.owner import DEADLINE, JOB, OWNER, RUN, Owner, Process
from qverify_desktop.sandbox.parcel import framed, job_parcel
from qverify_desktop.sandbox.sources import Sources
from qverify_desktop.sandbox.stream import (
    STDERR,
    STDOUT,
    CappedBytes,
    CappedOutput,
    Demultiplexer,
    Pump,
    Sender,
    hang_up,
)

#: Seconds from a job's own time-out to the deadline on its label, for create, kill and removal on a busy machine.
GRACE_S = 300
#: Seconds that a started container may wait for its job's turn.
WAIT_S = 3600
KILL_TIMEOUT_S = 60
DRAIN_TIMEOUT_S = 30.0
LAST_WORDS_S = 1.0
#: Seconds without any progress until sending to the container is given up. A job's own time is the least where it is longer,
#: because a container that still lays out its snapshot does not read yet.
SEND_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Assignment:
    """What a container is made for: one job over one snapshot, for one run of one owner. ``runtime`` is the engine's runtime
    to ask for, empty for its default."""

    owner: Owner
    job: Job
    image: RuntimeImage
    source: Path
    run: str
    dependencies: Path | None = None
    runtime: str = ""
    dialect: Dialect = DOCKER


@dataclass(frozen=True)
class Ended:
    """How a container ended: the engine's ``State``, whether the time-out passed, whether it was killed for what it wrote,
    whether the streams were read to their end, and how long it lived from the parcel's arrival, in milliseconds."""

    state: dict[str, Any]
    timed_out: bool
    flooded: bool
    drained: bool
    container_ms: int


class Container:
    """A container for ``assignment``. ``sources`` is ``None`` where the engine can mount folders of this machine."""

    def __init__(self, connections: Connections, assignment: Assignment, sources: Sources | None) -> None:
        self.key = uuid.uuid4().hex
        #: The engine's id, empty until it is created.
        self.id = ""
        # Named by us and not by the engine, so that it can be removed even where the answer to its create got lost.
        self._name = f"qverify-{self.key}"
        self._connections = connections
        self._assignment = assignment
        self._sources = sources
        self._attached: Any = None
        self._started = threading.Event()

    @property
    def started(self) -> bool:
        return self._started.is_set()

    def create(self) -> None:
        """Create and attach. Raises one of ``ENGINE_ERRORS``."""
        client = self._connections.client()
        created = client.create_container_from_config(self._config(), self._name)  # type: ignore[no-untyped-call]
        self.id = created["Id"]
        wanted = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        self._attached = client.attach_socket(self.id, wanted)

    def start(self) -> None:
        """Start it; it lays out its work folder and then waits for the parcel. Raises one of ``ENGINE_ERRORS``."""
        self._connections.client().start(self.id)
        self._started.set()
        if self._sources is not None:
            self._stream(self._sources, self._assignment.source)
            if self._assignment.dependencies is not None:
                self._stream(self._sources, self._assignment.dependencies)

    def _stream(self, sources: Sources, folder: Path) -> None:
        with self._packed(sources, folder) as packed:
            size = os.fstat(packed.fileno()).st_size
            sender = Sender(self._attached, SEND_TIMEOUT_S, self._ended)
            sender.send(b"%d\n" % size)
            while piece := packed.read(1024 * 1024):
                # A work folder too small ends the container; what happened is read from its exit status.
                if not sender.send(piece):
                    return
            sender.send(b"\n")

    def _packed(self, sources: Sources, folder: Path) -> IO[bytes]:
        try:
            return sources.packed(folder)
        except OSError as error:
            if error.errno == errno.ENOSPC:
                raise
            raise SandboxFailure(
                f"The folder {folder} can't be packed for the sandbox ({error.strerror or error}). "
                "Nothing that was recorded is lost.",
                f"When it can be read again, run `qverify resume {self._assignment.run}`.",
            ) from error

    def work(self, output: CappedOutput, returned: CappedBytes) -> Ended:
        """Hand in the parcel, read what comes back into ``output`` and ``returned``, and wait for the end.

        Raises one of ``ENGINE_ERRORS``, or ``SandboxFailure`` where the container died before it took the parcel.
        """
        begun = time.monotonic()
        job = self._assignment.job
        sender = Sender(self._attached, max(SEND_TIMEOUT_S, job.limits.timeout_s), self._ended)
        sent = sender.send(framed(job_parcel(job, self._certificates())))
        flooded = threading.Event()

        def end_a_flood() -> None:
            if flooded.is_set() or not (returned.overflown or output.total > job.limits.flood_bytes):
                return
            flooded.set()
            # Beside the reading, which must go on: the engine can't kill a container that nobody reads.
            threading.Thread(target=self._kill_quietly, name="sandbox-flood", daemon=True).start()

        pump = Pump(self._attached, Demultiplexer({STDOUT: returned.write, STDERR: output.write}, watch=end_a_flood))
        try:
            timed_out = self._wait(job.limits.timeout_s)
            passed_ms = round((time.monotonic() - begun) * 1000)
            # The engine may hold the connection of a container that ended before it took all; there is nothing more to come.
            drained = pump.join(DRAIN_TIMEOUT_S if sent else LAST_WORDS_S) or not sent
            state = self._connections.client().inspect_container(self.id)["State"]
        finally:
            pump.close()
        code = int(state["ExitCode"])
        cut_off = code == entry.NOT_DELIVERED and not returned.total
        if not timed_out and (cut_off or (not sent and code != entry.NOT_LAID_OUT)):
            raise SandboxFailure(
                "The sandbox's container ended before its job reached it. Nothing that was recorded is lost.",
                f"Run `qverify resume {self._assignment.run}`.",
            )
        return Ended(state, timed_out, flooded.is_set(), drained, min(passed_ms, _lifetime_ms(state)))

    def kill(self) -> bool:
        """Kill it on a connection of its own, from any thread; false where it had ended by itself. Raises one of
        ``ENGINE_ERRORS``."""
        killer = self._connections.fresh(KILL_TIMEOUT_S)
        try:
            killer.kill(self._name)
        except APIError as error:
            # 404 and 409: it does not run any more.
            if error.status_code not in (404, 409):
                raise
            return False
        finally:
            self._connections.discard(killer)
        return True

    def _kill_quietly(self) -> None:
        # Its time limit ends it where this does not.
        with contextlib.suppress(*ENGINE_ERRORS):
            self.kill()

    def remove(self) -> None:
        """Remove it, running or not. Raises one of ``ENGINE_ERRORS``."""
        if self._attached is not None:
            # A socket that nobody reads would hold up the engine's kill.
            hang_up(self._attached)
            self._attached = None
        with contextlib.suppress(NotFound):
            self._connections.client().remove_container(self._name, v=True, force=True)

    def _wait(self, timeout_s: int) -> bool:
        """Wait for the container's end and kill it at its time-out; whether the time-out passed."""
        client = self._connections.client()
        try:
            client.wait(self.id, timeout=timeout_s)
        except ENGINE_ERRORS as error:
            if not is_read_timeout(error):
                raise
        else:
            return False
        # It may have ended long ago, and a network that drops idle connections kept that from us.
        killed = self.kill()
        client.wait(self.id, timeout=KILL_TIMEOUT_S)
        return killed

    def _ended(self) -> bool:
        return not self._connections.client().inspect_container(self.id)["State"]["Running"]

    def _certificates(self) -> bytes | None:
        path = entry.host_certificates(os.environ) if self._assignment.job.network else None
        return path.read_bytes() if path is not None else None

    def _config(self) -> dict[str, Any]:
        of = self._assignment
        job = of.job
        mounts = {entry.SOURCE: of.source.resolve()}
        if of.dependencies is not None:
            mounts[entry.DEPENDENCIES] = of.dependencies.resolve()
        streamed = self._sources is not None
        host = host_config(job.limits, mounts, network=job.network, streamed=streamed, dialect=of.dialect)
        if of.runtime:
            host["Runtime"] = of.runtime
        return {
            "Image": of.image.digest,
            "Hostname": HOST_NAME,
            "User": f"{USER}:{USER}",
            "WorkingDir": entry.WORK,
            "Entrypoint": entry.entrypoint(entry.STREAMED if streamed else entry.MOUNTED),
            "Cmd": [],
            "Env": [f"{name}={value}" for name, value in entry.environment().items()],
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
            "OpenStdin": True,
            "StdinOnce": True,
            "Tty": False,
            "Healthcheck": {"Test": ["NONE"]},
            "Labels": {
                OWNER: of.owner.id,
                RUN: of.run,
                JOB: self.key,
                DEADLINE: str(int(time.monotonic()) + WAIT_S + job.limits.timeout_s + GRACE_S),
                **Process.current().labels(),
            },
            "HostConfig": host,
        }


def _lifetime_ms(state: dict[str, Any]) -> int:
    try:
        started = datetime.datetime.fromisoformat(state["StartedAt"])
        finished = datetime.datetime.fromisoformat(state["FinishedAt"])
    except ValueError:
        return 0
    return max(0, round((finished - started).total_seconds() * 1000))
