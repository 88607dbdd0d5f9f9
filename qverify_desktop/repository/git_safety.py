"""Runs git so that nothing a repository brings along can run: the one door to the git program.

Two rules carry the safety. First, git never works inside a repository that somebody else wrote: it works in a private store
(see ``store``) whose configuration is ours, so hooks, filters, drivers, ``core.fsmonitor``, ``include.path`` and the like of the
repository are never even read. Second, no ``GIT_*`` variable of the calling environment goes through, and the transports are a
closed list (``GIT_ALLOW_PROTOCOL``, which no configuration can widen): files alone, except for the one command that fetches
(``clone``), which also is the only one that gets proxies and the ssh agent.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from qverify_desktop.repository import stopping

#: Ways to another machine, and the one that stays on this.
REMOTE_TRANSPORTS = ("https", "ssh", "git")
FILES_ONLY = ("file",)
TRANSPORTS = (*REMOTE_TRANSPORTS, *FILES_ONLY)

#: What git needs to do its work; everything else stays behind.
_PASSED_ON = (
    "PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
    "SYSTEMROOT", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "PROGRAMDATA", "TEMP", "TMP",
)  # fmt: skip
#: What ssh, a person's credential helper and git's own way through a proxy need besides, to fetch.
_PASSED_ON_TO_FETCH = (
    "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "KRB5CCNAME", "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY", "WAYLAND_DISPLAY", "http_proxy", "https_proxy", "all_proxy", "no_proxy",
    "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
)  # fmt: skip

#: Said again on every command line, because the user's own global configuration may hold them.
_QUIET_CONFIGURATION = (
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.hooksPath=/dev/null",
    "core.pager=cat",
    "core.askPass=",
    "core.editor=false",
    "core.quotePath=true",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
    "submodule.recurse=false",
    "protocol.allow=never",
)

_POLL_S = 0.05
#: How soon a process that is read from is ended, seconds after the stop flag was set.
_STOP_POLL_S = 0.2


def git_program() -> str:
    """Path of the git program. Raises ``MissingPrerequisite`` where there is none."""
    found = shutil.which("git")
    if found is None:
        raise MissingPrerequisite(
            "The program git is not on this machine, so no repository can be read. Nothing was changed.",
            "Install it with: apt-get install --yes git",
        )
    return found


def environment(*, personal: bool, transports: Sequence[str] = FILES_ONLY) -> dict[str, str]:
    """Environment of a git process. ``personal`` keeps the user's own global configuration (credential helper, ignore file);
    ``transports`` are the ways that it may fetch over."""
    names = _PASSED_ON if tuple(transports) == FILES_ONLY else (*_PASSED_ON, *_PASSED_ON_TO_FETCH)
    passed = {name: os.environ[name] for name in names if name in os.environ}
    passed |= {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_ALLOW_PROTOCOL": ":".join(transports),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GCM_INTERACTIVE": "never",
        "SSH_ASKPASS_REQUIRE": "never",
    }
    if not personal:
        passed |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    return passed


def command_line(
    arguments: Sequence[str], *, store: Path | None = None, configuration: Sequence[str] = ()
) -> list[str]:
    """The whole command line: program, quiet configuration, private store, arguments."""
    line = [git_program(), "--no-pager"]
    for setting in (*_QUIET_CONFIGURATION, *configuration):
        line += ["-c", setting]
    if store is not None:
        line.append(f"--git-dir={store}")
    return [*line, *arguments]


@dataclass(frozen=True)
class GitOutput:
    """How one git process ended. ``truncated``: it wrote more than was asked to be kept, and was ended for it."""

    code: int
    output: bytes
    errors: str
    truncated: bool = False


def run_git(
    arguments: Sequence[str],
    *,
    store: Path | None = None,
    cwd: Path | None = None,
    personal: bool = False,
    configuration: Sequence[str] = (),
    extra_environment: dict[str, str] | None = None,
    timeout_s: float = 120,
    most_bytes: int = 512 * 1024 * 1024,
    watch: Callable[[], None] | None = None,
    transports: Sequence[str] = FILES_ONLY,
) -> GitOutput:
    """Run git to its end in a process group of its own, which is killed when time or output run over.

    ``watch`` is called about once a second and may raise to end the process. Raises ``BadInput`` on time-out and
    ``Cancelled`` when the work of this thread is to stop.
    """
    stopping.check()
    line = command_line(arguments, store=store, configuration=configuration)
    where = cwd or store
    variables = environment(personal=personal, transports=transports) | (extra_environment or {})
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            line,
            cwd=where,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        try:
            truncated = _wait(process, output.fileno(), timeout_s, most_bytes, watch)
        finally:
            end_group(process)
        return GitOutput(process.returncode, _content(output.fileno(), most_bytes), _text(errors.fileno()), truncated)


def _wait(
    process: subprocess.Popen[bytes], output: int, timeout_s: float, most_bytes: int, watch: Callable[[], None] | None
) -> bool:
    started = time.monotonic()
    watched = started
    pause = 0.001
    while process.poll() is None:
        stopping.check()
        now = time.monotonic()
        if now - started > timeout_s:
            raise BadInput(
                f"Reading the repository with git took longer than {timeout_s:.0f} seconds and was stopped. Nothing was changed.",
                "Look for a named pipe called .gitignore or .gitattributes in it, or for a slow network, and try again.",
            )
        if os.fstat(output).st_size > most_bytes:
            return True
        if watch is not None and now - watched > 1:
            watched = now
            watch()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
        pause = min(_POLL_S, pause * 2)
    return os.fstat(output).st_size > most_bytes


def _content(descriptor: int, most: int) -> bytes:
    size = min(os.fstat(descriptor).st_size, most)
    os.lseek(descriptor, 0, os.SEEK_SET)
    parts: list[bytes] = []
    while size > 0 and (part := os.read(descriptor, min(size, 1 << 20))):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _text(descriptor: int) -> str:
    return _content(descriptor, 64 * 1024).decode("utf-8", "replace")


def end_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and whatever it started (ssh, index-pack), then collect it."""
    if process.poll() is None:
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        process.kill()
    process.wait()


class ObjectReader:
    """Reads objects of a store one after the other through one ``git cat-file --batch`` (which applies no filters)."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def read(self, object_id: str, most_bytes: int) -> bytes | None:
        """Content of an object, or ``None`` when it is missing or larger than ``most_bytes``."""
        asked, answered = self._process.stdin, self._process.stdout
        if asked is None or answered is None:
            return None
        stopping.check()
        try:
            asked.write(object_id.encode("ascii") + b"\n")
            asked.flush()
            header = answered.readline().split()
        except BrokenPipeError:
            header = []
        if not header:
            raise _ended()
        if len(header) != 3:
            return None
        size = int(header[2])
        if size > most_bytes:
            self._skip(answered.read, size + 1)
            return None
        content = answered.read(size)
        if len(content) != size or answered.read(1) != b"\n":
            # It was ended in the middle; half a file must not pass for a whole one.
            raise _ended()
        return content

    @staticmethod
    def _skip(read: Callable[[int], bytes], size: int) -> None:
        while size > 0 and (part := read(min(size, 1 << 20))):
            size -= len(part)


def _ended() -> QVerifyError:
    """Why ``git cat-file`` is gone: stopped by a person, or by its own trouble."""
    stopping.check()
    return BadInput("The repository's object database can't be read; git stopped on it. Nothing was changed.")


@contextlib.contextmanager
def object_reader(store: Path, timeout_s: float = 900) -> Iterator[ObjectReader]:
    """Open an ``ObjectReader``; its process is ended after ``timeout_s`` at the latest, or when the work is to stop."""
    process = subprocess.Popen(
        command_line(["cat-file", "--batch"], store=store),
        cwd=store,
        env=environment(personal=False),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    done = threading.Event()
    threading.Thread(target=_end_in_time, args=(process, done, stopping.flag(), timeout_s), daemon=True).start()
    try:
        yield ObjectReader(process)
    finally:
        done.set()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        end_group(process)


def _end_in_time(
    process: subprocess.Popen[bytes], done: threading.Event, stop: threading.Event | None, timeout_s: float
) -> None:
    """End the process on time-out or stop: its reader waits in a pipe and can't look."""
    until = time.monotonic() + timeout_s
    while not done.wait(_STOP_POLL_S):
        if time.monotonic() > until or (stop is not None and stop.is_set()):
            end_group(process)
            return
