"""Whose container is it: the state folder that owns it and the process that started it, as container labels."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OWNER = "qverify.owner"
RUN = "qverify.run"
JOB = "qverify.job"
#: Seconds of the monotonic clock, which all processes since one boot share and nobody sets.
DEADLINE = "qverify.deadline"
PID = "qverify.pid"
BORN = "qverify.born"
BOOT = "qverify.boot"


@dataclass(frozen=True)
class Owner:
    """A state folder as the owner of containers: ``id`` goes into their label, ``inbox`` holds what is shown to sandboxes without an engine."""

    id: str
    inbox: Path

    @classmethod
    def of(cls, home: Path) -> Owner:
        """The owner for the state folder ``home``: a digest of machine and absolute path, the same at every start."""
        resolved = home.resolve()
        words = f"qverify\0{_machine()}\0".encode() + os.fsencode(resolved)
        return cls(hashlib.sha256(words).hexdigest()[:32], resolved / "sandbox" / "inbox")


@dataclass(frozen=True)
class Process:
    """A process told apart from a later one with the same number: by the kernel's boot id and its start time.

    ``born`` is the start time in clock ticks since boot (proc(5), ``/proc/PID/stat`` field 22); it and ``boot`` are empty
    where the system has no such thing.
    """

    pid: int
    born: str
    boot: str

    @classmethod
    def current(cls) -> Process:
        return cls(os.getpid(), _born(os.getpid()), boot_id())

    @classmethod
    def from_labels(cls, labels: Mapping[str, str]) -> Process | None:
        """The process named by a container's labels, ``None`` where they name none."""
        pid = labels.get(PID, "")
        if not pid.isdecimal():
            return None
        return cls(int(pid), labels.get(BORN, ""), labels.get(BOOT, ""))

    def labels(self) -> dict[str, str]:
        return {PID: str(self.pid), BORN: self.born, BOOT: self.boot}

    def alive(self) -> bool:
        """Whether it still runs. Where the system can't say, only this very process counts as alive: a state folder is
        owned by one process at a time."""
        if self.boot != boot_id():
            return False
        if self.pid == os.getpid():
            return self.born == _born(self.pid)
        if sys.platform == "win32":
            return False
        if self.born:
            return _born(self.pid) == self.born
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except OSError:
            return True
        return True


def boot_id() -> str:
    """The kernel's random id of this boot (Linux: ``/proc/sys/kernel/random/boot_id``), empty elsewhere."""
    return _read("/proc/sys/kernel/random/boot_id")


def _born(pid: int) -> str:
    # The command's name, field 2, may hold blanks and parentheses: count from the last parenthesis.
    fields = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in ("Z", "X"):
        return ""
    return fields[19]


def _machine() -> str:
    return _read("/etc/machine-id")


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
