"""One job under bubblewrap from its first process to its last: a blocking life, run in one thread, aborted from any other.

What ends it ends everything in it: the sandbox has a process name space of its own, whose first process dies with ``bwrap``
(``--die-with-parent``), and a name space whose first process is dead has none (pid_namespaces(7)).
"""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError, SandboxFailure
from qverify_desktop.domain.execution import Execution, Job, JobResult
from qverify_desktop.sandbox import entry, seccomp
from qverify_desktop.sandbox.artefacts import ARCHIVE_OVERHEAD
from qverify_desktop.sandbox.bubblewrap_command import HOST_PATH, Bind, Held, command, is_root
from qverify_desktop.sandbox.bubblewrap_entry import OVERLAY
from qverify_desktop.sandbox.cgroups import Cgroup
from qverify_desktop.sandbox.inbox import write_overlay
from qverify_desktop.sandbox.owner import Owner, Process
from qverify_desktop.sandbox.reaper import inbox_name
from qverify_desktop.sandbox.returned import job_result
from qverify_desktop.sandbox.roots import Root
from qverify_desktop.sandbox.stream import CHUNK_BYTES, CappedBytes, CappedOutput, Sink
from qverify_desktop.sandbox.syscalls import ARCHITECTURES

KILL_TIMEOUT_S = 60.0
DRAIN_TIMEOUT_S = 30.0
#: Exit code of a process that a kill ended: 128 and the signal's number, as container engines count.
KILLED = 137


class BubblewrapFlight:
    """The life of one sandbox. ``go`` blocks until nothing of it is left; ``abort`` ends it early."""

    def __init__(
        self, owner: Owner, job: Job, root: Root, held: Held, source: Path, run: str, dependencies: Path | None
    ) -> None:
        self.job_id = uuid.uuid4().hex
        self._owner = owner
        self._job = job
        self._root = root
        self._held = held
        self._source = source
        self._run = run
        self._dependencies = dependencies
        self._name = inbox_name(Process.current(), self.job_id)
        self._lock = threading.Lock()
        self._aborted = False
        self._process: subprocess.Popen[bytes] | None = None

    def go(self) -> JobResult:
        """Run the job. Raises ``SandboxFailure``, ``MissingPrerequisite`` or ``BadInput``."""
        begun = time.monotonic()
        with self._inbox() as binds, self._cgroup() as group:
            result = self._fly(binds, group, begun)
        self._stop_if_aborted()
        return result

    def abort(self) -> None:
        """Kill the sandbox if it runs; ``go`` then ends by itself. Never raises."""
        with self._lock:
            self._aborted = True
            if self._process is not None:
                _kill(self._process)

    @contextlib.contextmanager
    def _inbox(self) -> Iterator[list[Bind]]:
        binds = [Bind(self._root.folder, "/"), Bind(self._source.resolve(), entry.SOURCE)]
        if self._dependencies is not None:
            binds.append(Bind(self._dependencies.resolve(), entry.DEPENDENCIES))
        for bind in binds:
            if not bind.source.is_dir():
                raise SandboxFailure(
                    f"The folder {bind.source} does not exist, so no sandbox could be started. Nothing that was recorded is lost.",
                    f"When it is there again, run `qverify resume {self._run}`.",
                )
        if not self._job.overlay:
            yield binds
            return
        folder = self._owner.inbox / self._name
        try:
            try:
                write_overlay(folder, self._job.overlay)
            except OSError as error:
                raise self._no_room("The state folder can't be written", error) from error
            yield [*binds, Bind(folder, OVERLAY)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _cgroup(self) -> Iterator[Cgroup]:
        group = Cgroup(self._held.places, self._name)
        limits = self._job.limits
        try:
            group.make(limits.memory_bytes, limits.pids)
        except OSError as error:
            raise SandboxFailure(
                f"No control group could be made for the sandbox ({error.strerror or error}). Nothing that was recorded is lost.",
                f"Start QVerify again and run `qverify resume {self._run}`.",
            ) from error
        try:
            yield group
        finally:
            group.remove()

    def _fly(self, binds: list[Bind], group: Cgroup, begun: float) -> JobResult:
        limits = self._job.limits
        output = CappedOutput(limits.output_bytes)
        returned = CappedBytes(limits.artefact_bytes + ARCHIVE_OVERHEAD)
        with self._started(binds) as process:
            assert process.stdin is not None and process.stdout is not None and process.stderr is not None
            flooded = threading.Event()

            def end_a_flood() -> None:
                if not flooded.is_set() and (returned.overflown or output.total > limits.flood_bytes):
                    flooded.set()
                    _kill(process)

            readers = [
                _Reader(process.stdout, returned.write, end_a_flood),
                _Reader(process.stderr, output.write, end_a_flood),
            ]
            started = time.monotonic()
            try:
                self._let_go(process, process.stdin, group)
                timed_out = self._wait(process)
                drained = all(reader.join(DRAIN_TIMEOUT_S) for reader in readers)
            finally:
                _kill(process)
                process.wait(KILL_TIMEOUT_S)
        ended = time.monotonic()
        code = KILLED if timed_out or process.returncode < 0 else process.returncode
        self._refuse_failed_start(code, timed_out, returned, output)
        execution = Execution(
            purpose=self._job.purpose,
            container=f"bwrap-{self.job_id}",
            image=self._root.image.reference,
            image_digest=self._root.image.digest,
            argv=self._job.argv,
            exit_code=code,
            duration_ms=round((ended - begun) * 1000),
            timed_out=timed_out,
            oom_killed=group.killed_for_memory,
            output_truncated=output.truncated,
            network=False,
            container_ms=round((ended - started) * 1000),
        )
        return job_result(execution, output, returned, drained=drained, flooded=flooded.is_set(), limits=limits)

    @contextlib.contextmanager
    def _started(self, binds: list[Bind]) -> Iterator[subprocess.Popen[bytes]]:
        filter_file = _in_memory(seccomp.program(ARCHITECTURES[platform.machine()]))
        try:
            words = command(self._job, binds, self._root.env, self._held, seccomp=filter_file, root=is_root())
            with self._lock:
                self._stop_if_aborted()
                self._process = process = self._open(words, filter_file)
        finally:
            os.close(filter_file)
        with process:
            yield process

    def _open(self, words: list[str], filter_file: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
                cwd="/",
                env={"PATH": HOST_PATH, "LC_ALL": "C"},
                pass_fds=[filter_file],
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError):
                raise BadInput(f"The command can't be given to a sandbox ({error}).") from error
            raise self._no_room("No process could be started for the sandbox", error) from error

    def _let_go(self, process: subprocess.Popen[bytes], stdin: IO[bytes], group: Cgroup) -> None:
        """The shell waits for its control groups, so that nothing ever runs outside of them."""
        try:
            group.join(process.pid)
            stdin.write(b"go\n")
            stdin.close()
        except OSError as error:
            self._stop_if_aborted()
            raise SandboxFailure(
                f"The sandbox could not be put under its limits ({error.strerror or error}). Nothing of the repository ran.",
                f"Start QVerify again and run `qverify resume {self._run}`.",
            ) from error

    def _wait(self, process: subprocess.Popen[bytes]) -> bool:
        """Wait for the sandbox's end and kill it at its time-out; whether the time-out passed."""
        try:
            process.wait(self._job.limits.timeout_s)
        except subprocess.TimeoutExpired:
            _kill(process)
            process.wait(KILL_TIMEOUT_S)
            return True
        return False

    def _refuse_failed_start(self, code: int, timed_out: bool, returned: CappedBytes, output: CappedOutput) -> None:
        """Raises ``SandboxFailure`` where bwrap, or a program before it, said why there is no sandbox. The first bytes of
        ``returned`` are written before any code of the repository runs, so that none can claim this."""
        self._stop_if_aborted()
        if timed_out or returned.total or code in (0, entry.NOT_LAID_OUT, KILLED):
            return
        words = " ".join(output.text().split())[:300].rstrip(" .") or f"exit status {code}"
        raise SandboxFailure(
            f"bubblewrap could not make the sandbox: {words}. Nothing that was recorded is lost.",
            f"See what `qverify doctor` says, then run `qverify resume {self._run}`.",
        )

    def _stop_if_aborted(self) -> None:
        if self._aborted:
            raise SandboxFailure(
                "The sandbox was stopped before this job ended. Nothing that was recorded is lost.",
                f"Run `qverify resume {self._run}`.",
            )

    def _no_room(self, what: str, error: OSError) -> QVerifyError:
        return MissingPrerequisite(
            f"{what} ({error.strerror or error}). Nothing that was recorded is lost.",
            f"Free some space or make it writable, and run `qverify resume {self._run}`.",
        )


class _Reader:
    """A thread that reads a pipe to its end and never stops before: a full pipe would hold what writes into it. ``watch`` is
    called after each piece."""

    def __init__(self, pipe: IO[bytes], sink: Sink, watch: Callable[[], None]) -> None:
        self._watch = watch
        self._pipe = pipe
        self._sink: Callable[[memoryview], None] = sink
        self._thread = threading.Thread(target=self._drain, name="sandbox-pipe", daemon=True)
        self._thread.start()

    def _drain(self) -> None:
        buffer = bytearray(CHUNK_BYTES)
        view = memoryview(buffer)
        with contextlib.suppress(OSError, ValueError):
            while count := os.readv(self._pipe.fileno(), [buffer]):
                self._sink(view[:count])
                self._watch()

    def join(self, timeout: float) -> bool:
        """Wait for the end of the pipe at most ``timeout`` seconds; whether it came."""
        self._thread.join(timeout)
        return not self._thread.is_alive()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill ``bwrap``, and what it has just made and not yet bound to its own life: that is still in its process group."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _in_memory(content: bytes) -> int:
    """An open file that holds ``content`` and has no name."""
    file = os.memfd_create("qverify-seccomp")
    os.write(file, content)
    os.lseek(file, 0, os.SEEK_SET)
    return file
