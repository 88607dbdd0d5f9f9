"""A control group for one sandbox, where this process may make one: version 1 (controllers memory and pids) or version 2.

Sources: Linux ``Documentation/admin-guide/cgroup-v1/memory.rst``, ``cgroup-v1/pids.rst``, ``admin-guide/cgroup-v2.rst``.
Which of the limits can be had differs from machine to machine, so it is tried, not guessed.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MOUNTS = Path("/sys/fs/cgroup")
MEMORY = "memory"
PIDS = "pids"
#: Begins the name of every group made here; the process and the job follow.
PREFIX = "qverify_"


@dataclass(frozen=True)
class Places:
    """Folders in which a group can be made, by controller. ``version`` is 0 where there are none."""

    version: int
    folders: Mapping[str, Path]

    @property
    def holds_memory(self) -> bool:
        return MEMORY in self.folders

    @property
    def holds_processes(self) -> bool:
        return PIDS in self.folders


def find_places(own: str | None = None, mounts: Path = MOUNTS) -> Places:
    """Where this process may make groups. ``own`` is the text of ``/proc/self/cgroup`` (cgroups(7))."""
    if own is None:
        own = _read(Path("/proc/self/cgroup"))
    paths = [line.split(":", 2) for line in own.splitlines() if line.count(":") >= 2]
    first: dict[str, Path] = {}
    for number, controllers, path in paths:
        for name in controllers.split(",") if number != "0" else ():
            folder = mounts / name / path.lstrip("/")
            if name in (MEMORY, PIDS) and _can_make(folder, name):
                first[name] = folder
    if first:
        return Places(1, first)
    unified = next((path for number, _, path in paths if number == "0"), None)
    if unified is None:
        return Places(0, {})
    own_folder = mounts / unified.lstrip("/")
    # A group with processes in it can't hand controllers down (the "no internal processes" rule): the one above may.
    for folder in (own_folder, own_folder.parent):
        if folder == mounts.parent:
            continue
        handed_down = _read(folder / "cgroup.subtree_control").split()
        found = [name for name in (MEMORY, PIDS) if name in handed_down]
        if found and _can_make(folder, "", f"{found[0]}.max"):
            return Places(2, dict.fromkeys(found, folder))
    return Places(0, {})


class Cgroup:
    """The groups of one sandbox: made, joined, asked, and removed with all that is still in them."""

    def __init__(self, places: Places, name: str) -> None:
        self._version = places.version
        self._folders = {controller: folder / f"{PREFIX}{name}" for controller, folder in places.folders.items()}

    def make(self, memory_bytes: int, pids: int) -> None:
        """Make the groups with these limits; swap is none. Raises ``OSError``, with nothing left of it."""
        try:
            for folder in set(self._folders.values()):
                folder.mkdir()
            if MEMORY in self._folders:
                self._limit_memory(self._folders[MEMORY], memory_bytes)
            if PIDS in self._folders:
                (self._folders[PIDS] / "pids.max").write_text(str(pids))
        except OSError:
            self.remove()
            raise

    def _limit_memory(self, folder: Path, memory_bytes: int) -> None:
        first, swap, most = (
            ("memory.max", "memory.swap.max", 0)
            if self._version == 2
            else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes", memory_bytes)
        )
        (folder / first).write_text(str(memory_bytes))
        if (folder / swap).exists():
            (folder / swap).write_text(str(most))

    def join(self, pid: int) -> None:
        """Put a process in; its children follow. Raises ``OSError``."""
        for folder in set(self._folders.values()):
            (folder / "cgroup.procs").write_text(str(pid))

    @property
    def killed_for_memory(self) -> bool:
        """Whether the kernel killed something in it for want of memory."""
        if MEMORY not in self._folders:
            return False
        name = "memory.events" if self._version == 2 else "memory.oom_control"
        words = dict(line.split()[:2] for line in _read(self._folders[MEMORY] / name).splitlines() if " " in line)
        return words.get("oom_kill", "0") != "0"

    def remove(self) -> None:
        """Kill what is left inside and remove the groups. Never raises; what stays is the next sweep's."""
        for folder in set(self._folders.values()):
            _remove(folder)


def leftover(places: Places) -> Iterator[Path]:
    """Every group that this application made there, in use or not."""
    for folder in set(places.folders.values()):
        with contextlib.suppress(OSError):
            yield from folder.glob(f"{PREFIX}*")


def _remove(folder: Path) -> None:
    # A process leaves its group when its parent has been told of its end, a moment after a kill.
    for attempt in range(50):
        try:
            folder.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError:
            if attempt == 0:
                _kill(folder)
            time.sleep(0.02)


def _kill(folder: Path) -> None:
    for word in _read(folder / "cgroup.procs").split():
        # A number that means nobody here is 0; -1 and the like would mean everybody.
        if word.isdecimal() and int(word) > 1 and int(word) != os.getpid():
            with contextlib.suppress(OSError):
                os.kill(int(word), signal.SIGKILL)


def remove_leftover(folder: Path) -> bool:
    """Remove a group of ``leftover`` whose process is dead; whether it is gone."""
    _remove(folder)
    return not folder.exists()


def _can_make(folder: Path, controller: str, needed: str = "") -> bool:
    """Whether a group can be made there, and has the controller's files."""
    probe = folder / f"{PREFIX}probe-{os.getpid()}-{time.monotonic_ns()}"
    try:
        probe.mkdir()
    except OSError:
        return False
    try:
        return (probe / (needed or {MEMORY: "memory.limit_in_bytes", PIDS: "pids.max"}[controller])).exists()
    finally:
        with contextlib.suppress(OSError):
            probe.rmdir()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
