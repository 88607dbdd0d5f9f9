"""Run a piece of work in a process of its own that it may hang, flood, kill or exit, and keep what it reported.

Runs inside the sandbox, with the standard library only. Three processes: this one watches; the *monitor* is the worker's
parent, so that code which kills its parent hits the monitor; the *worker* does the work. Records come through a pipe,
one JSON document a line.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import select
import shutil
import signal
import sys
import time

RECORD_FD = 800
OUTPUT_KEPT = 64 * 1024
OUTPUT_FORWARDED = 256 * 1024
RECORDS_MOST = 56 * 1024 * 1024
RESERVE = 4 * 1024 * 1024
#: Largest file a test may write, which bounds what capturing its output costs.
FILE_MOST = 64 * 1024 * 1024
_PR_SET_CHILD_SUBREAPER = 36


class Journal:
    """Lines appended to a file in ``QV_OUT``, with room set aside so that a full disk does not lose them."""

    def __init__(self, folder, name):
        os.makedirs(folder, exist_ok=True)
        self.path = os.path.join(folder, name)
        self.reserve = os.path.join(folder, ".reserve")
        self.file = open(self.path, "wb", buffering=0)  # noqa: SIM115
        self.written = 0
        self.standing = set(self._neighbours())
        self._set_aside()

    def make_room(self):
        """Where the disk ran full: remove what finished work left beside this folder, and set room aside again.

        For between two pieces of work, when no process of the last one lives any more. Otherwise a test that fills the disk
        in each attempt eats the room set aside in the second, and the next session starts on a full disk.
        """
        room = os.statvfs(self.file.fileno())
        if os.path.exists(self.reserve) and room.f_bavail * room.f_frsize >= RESERVE:
            return
        for path in set(self._neighbours()) - self.standing:
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    os.unlink(path)
        self._set_aside()

    def _neighbours(self):
        parent = os.path.dirname(os.path.abspath(self.path.rpartition(os.sep)[0]))
        return [os.path.join(parent, name) for name in os.listdir(parent)]

    def _set_aside(self):
        try:
            with open(self.reserve, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, RESERVE)
        except OSError:
            pass

    def write(self, line):
        """Append one line of bytes; lines over the cap are dropped."""
        if self.written + len(line) > RECORDS_MOST:
            return
        start = self.written
        try:
            self._append(line, start)
        except OSError:
            self._release()
            try:
                self._append(line, start)
            except OSError:
                self.file.truncate(start)
                self.file.seek(start)
                return
        self.written = start + len(line)

    def record(self, kind, **fields):
        """Append a record of this process's own."""
        fields["kind"] = kind
        self.write(json.dumps(fields).encode() + b"\n")

    def close(self):
        self._release()
        self.file.close()

    def _append(self, line, start):
        self.file.seek(start)
        view = memoryview(line)
        while view:
            view = view[self.file.write(view) :]

    def _release(self):
        with contextlib.suppress(OSError):
            os.unlink(self.reserve)


class End:
    """How the work ended. ``finished``: it said so itself; ``expired``: this process stopped it; ``output``: its tail."""

    def __init__(self, finished, expired, code, output):
        self.finished = finished
        self.expired = expired
        self.code = code
        self.output = output


def become_subreaper():
    """Make orphans of our descendants our children, so that they can be found and ended (prctl(2), Linux 3.4)."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def run(work, on_record, limit):
    """Fork, call ``work(send)`` in the worker, pass each record to ``on_record(document, line)``.

    ``limit()`` answers the ``time.monotonic()`` at which the worker is stopped; it is asked again and again. Answers an
    ``End``. Every process that the work started is gone on return.
    """
    record_r, record_w = os.pipe()
    output_r, output_w = os.pipe()
    life_r, life_w = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    monitor = _fork()
    if monitor == 0:
        os.close(record_r), os.close(output_r), os.close(life_r)
        _monitor(work, record_w, output_w, life_w)
    os.close(record_w), os.close(output_w), os.close(life_w)
    try:
        return _watch(monitor, record_r, output_r, life_r, on_record, limit)
    finally:
        os.close(record_r), os.close(output_r), os.close(life_r)
        end_descendants()


def _monitor(work, record_w, output_w, life_w):
    code = 70
    try:
        os.setsid()
        worker = _fork()
        if worker == 0:
            os.close(life_w)
            _worker(work, record_w, output_w)
        os.close(record_w), os.close(output_w)
        _, status = os.waitpid(worker, 0)
        code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    finally:
        os._exit(code)


def _worker(work, record_w, output_w):
    try:
        os.dup2(output_w, 1)
        os.dup2(output_w, 2)
        os.close(output_w)
        # A high number is out of the way of tests that close what they find.
        channel = fcntl.fcntl(record_w, fcntl.F_DUPFD_CLOEXEC, RECORD_FD)
        os.close(record_w)
        resource.setrlimit(resource.RLIMIT_FSIZE, _no_more_than(resource.RLIMIT_FSIZE, FILE_MOST))
        process = os.getpid()

        def send(kind, **fields):
            if os.getpid() != process:  # a fork of a test must not speak for the run
                return
            fields["kind"] = kind
            view = memoryview(json.dumps(fields).encode("ascii") + b"\n")
            while view:
                view = view[os.write(channel, view) :]

        work(send)
        send("end")
        os._exit(0)
    except BaseException as error:
        try:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
            sys.stderr.flush()
        finally:
            os._exit(71)


def _watch(monitor, record_r, output_r, life_r, on_record, limit):
    buffers = {record_r: bytearray(), output_r: bytearray()}
    state = {"finished": False, "forwarded": 0}
    for descriptor in buffers:
        os.set_blocking(descriptor, False)
    expired = False
    open_ends = {record_r, output_r, life_r}
    while True:
        ready, _, _ = select.select(list(open_ends), [], [], max(0.0, min(0.5, limit() - time.monotonic())))
        for descriptor in ready:
            if descriptor != life_r and not _drain(descriptor, buffers, record_r, on_record, state):
                open_ends.discard(descriptor)
        if life_r in ready or state["finished"]:
            break
        if time.monotonic() >= limit():
            expired = True
            break
    with contextlib.suppress(OSError):
        os.killpg(monitor, signal.SIGKILL)
    _, status = os.waitpid(monitor, 0)
    for descriptor in (record_r, output_r):
        for _ in range(64):
            if not _drain(descriptor, buffers, record_r, on_record, state):
                break
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return End(state["finished"], expired, code, bytes(buffers[output_r]).decode("utf-8", "replace"))


def _drain(descriptor, buffers, record_r, on_record, state):
    """Read what is there; answers whether more may come at once."""
    try:
        data = os.read(descriptor, 1 << 18)
    except BlockingIOError:
        return False
    if not data:
        return False
    buffer = buffers[descriptor]
    buffer += data
    if descriptor != record_r:
        room = OUTPUT_FORWARDED - state["forwarded"]
        if room > 0:
            state["forwarded"] += _forward(data[:room])
        del buffer[:-OUTPUT_KEPT]
        return True
    *lines, rest = bytes(buffer).split(b"\n") if b"\n" in data else [bytes(buffer)]
    for line in lines:
        try:
            document = json.loads(line)
        except ValueError:
            continue
        if isinstance(document, dict):
            if document.get("kind") == "end":
                state["finished"] = True
            on_record(document, line + b"\n")
    if lines:
        buffer[:] = rest
    return True


def _forward(data):
    with contextlib.suppress(OSError):
        os.write(2, data)
    return len(data)


def end_descendants():
    """Kill every process below this one and wait for it, also those that moved to a session of their own."""
    for _ in range(50):
        children = _descendants()
        for process in children:
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            return
        if not children:
            return
        time.sleep(0.02)


def _descendants():
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    parents[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, ValueError, IndexError):
                continue
    found, frontier = set(), {os.getpid()}
    while frontier:
        frontier = {child for child, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return found


def _fork():
    for attempt in range(20):
        try:
            return os.fork()
        except OSError:
            if attempt == 19:
                raise
            end_descendants() if attempt == 0 else time.sleep(0.1)
    return None


def _no_more_than(kind, most):
    _, hard = resource.getrlimit(kind)
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    return soft, hard
