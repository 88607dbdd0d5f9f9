"""Every flag of a bubblewrap sandbox in one place: the programs that lead to it, its mounts, limits and environment.

The order of programs: a shell that waits until its control groups are made, then where this process is root ``unshare`` and
``setpriv`` (the sandbox is an ordinary user for the kernel too, so that no file of root is its own), ``prlimit``, ``bwrap``,
inside it a shell for the one limit that counts by name space, and the entry (``bubblewrap_entry.py``).
"""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.domain.execution import Job, Limits
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.bubblewrap_entry import entrypoint, environment
from qverify_desktop.sandbox.cgroups import Places
from qverify_desktop.sandbox.limits import OPEN_FILES, SHM_BYTES, USER
from qverify_desktop.sandbox.syscalls import ARCHITECTURES

#: Where programs of the host are looked for; a person's own PATH names none that runs here.
HOST_PATH = "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/bin"
#: Since this version the kernel counts RLIMIT_NPROC by user name space (commit 21d1c5e386bc).
COUNTS_BY_NAMESPACE = (5, 14)

#: Waits for a line on standard input; at the end of it (the process that asked is gone) nothing is begun.
_WAIT = 'read -r go && exec "$@"'

# In a mount name space of its own: the sources, bound where another user can reach them whatever stands above them.
_STAGE = """
stage=$1; shift
mount -n -t tmpfs -o mode=0711,nosuid,nodev,size=64k qverify "$stage" || exit 1
while [ "$1" != -- ]; do
    mkdir "$stage/$1" && mount -n --bind "$2" "$stage/$1" || exit 1
    shift 2
done
shift
exec "$@"
"""

# dash knows -p, bash -u.
_LIMIT_PROCESSES = '{ ulimit -p "$1" 2>/dev/null || ulimit -u "$1"; } && shift && exec "$@"'


@dataclass(frozen=True)
class Held:
    """Which limits hold on this machine beyond those that always do (time, output, artefacts, files, folders in memory)."""

    places: Places
    kernel: tuple[int, int]

    @property
    def processes(self) -> bool:
        """Whether the number of processes is limited at all."""
        return self.places.holds_processes or self.kernel >= COUNTS_BY_NAMESPACE

    @property
    def sentence(self) -> str:
        """What stands in every report of a run that was made so."""
        group = f"a control group (version {self.places.version})"
        memory = f"by {group}" if self.places.holds_memory else "for each process by itself (RLIMIT_DATA), not in all"
        processes = f"by {group}" if self.places.holds_processes else "by RLIMIT_NPROC"
        return (
            "Reduced isolation: bubblewrap instead of a container engine; own name spaces, no network, a read-only root, a "
            f"filter of system calls. Memory was limited {memory}, processes {processes}; processor time was not limited."
        )


def kernel_version(release: str | None = None) -> tuple[int, int]:
    """Major and minor number out of uname's release, (0, 0) where it has none."""
    words = (release or platform.release()).split(".")
    try:
        return int(words[0]), int(words[1].split("-")[0])
    except (ValueError, IndexError):
        return (0, 0)


def programs(*, root: bool) -> list[str]:
    """Programs of the host that a run needs."""
    return ["sh", "bwrap", "prlimit", *(["unshare", "mount", "mkdir", "setpriv"] if root else [])]


def missing_program(*, root: bool) -> str:
    """The first of ``programs`` that is not there, empty where all are."""
    return next((name for name in programs(root=root) if shutil.which(name, path=HOST_PATH) is None), "")


def is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def known_architecture() -> bool:
    return platform.machine() in ARCHITECTURES


@dataclass(frozen=True)
class Bind:
    """A folder of the host and where the sandbox has it, read-only."""

    source: Path
    target: str


def command(
    job: Job,
    binds: Sequence[Bind],
    image_env: Mapping[str, str],
    held: Held,
    *,
    seccomp: int,
    root: bool,
) -> list[str]:
    """The whole command of one job; the first of ``binds`` is the root file system. ``seccomp`` is an open file."""
    stage = _stage_for([bind.source for bind in binds])
    seen = [Bind(Path(stage) / str(n), b.target) for n, b in enumerate(binds)] if root else binds
    inside = _inside(job, held)
    return [
        _program("sh"), "-c", _WAIT, "qverify-sandbox",
        *(_staged(stage, binds) if root else ()),
        *_limited(job.limits, held),
        _program("bwrap"), *_flags(seen, environment(image_env, job.env), job.limits, seccomp),
        "--", *inside,
    ]  # fmt: skip


def probe() -> list[str]:
    """A command that ends with 0 where sandboxes can be made: a program of the host, in name spaces of its own. Nothing of a
    repository ever runs so."""
    spaces = [_program("bwrap"), *_NAMESPACES, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
    lowered = _staged("/mnt", ()) if is_root() else []
    return [*lowered, *spaces, "--size", "4096", "--perms", "0700", "--tmpfs", "/tmp", "--", _program("true")]  # noqa: S108


_HIDDEN = (
    "acpi", "asound", "interrupts", "kallsyms", "kcore", "keys", "key-users", "latency_stats", "sched_debug", "scsi",
    "sysrq-trigger", "timer_list", "timer_stats",
)  # fmt: skip

_NAMESPACES = (
    "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
    "--die-with-parent", "--new-session", "--cap-drop", "ALL",
    "--uid", str(USER), "--gid", str(USER), "--hostname", "sandbox",
)  # fmt: skip


def _flags(binds: Sequence[Bind], env: Mapping[str, str], limits: Limits, seccomp: int) -> list[str]:
    words = [*_NAMESPACES]
    for bind in binds[:1]:
        words += ["--ro-bind", str(bind.source), "/"]
    words += ["--proc", "/proc", *_hidden(), "--dev", "/dev"]
    words += ["--size", str(SHM_BYTES), "--perms", "0700", "--tmpfs", "/dev/shm"]  # noqa: S108
    # bwrap's own /dev is a folder in memory without a limit.
    words += ["--remount-ro", "/dev"]
    words += ["--size", str(limits.tmp_bytes), "--perms", "0700", "--tmpfs", "/tmp"]  # noqa: S108
    words += ["--size", str(limits.work_bytes), "--perms", "0700", "--tmpfs", entry.WORK]
    for bind in binds[1:]:
        words += ["--ro-bind", str(bind.source), bind.target]
    words += ["--clearenv"]
    for name, value in env.items():
        words += ["--setenv", name, value]
    return [*words, "--chdir", entry.WORK, "--seccomp", str(seccomp)]


def _hidden() -> list[str]:
    """What container engines hide below ``/proc`` (OCI runtime specification, ``linux.maskedPaths``, as Docker fills it): what
    the kernel says there of keys, timers and devices belongs to the whole machine."""
    words = []
    for name in _HIDDEN:
        path = Path("/proc") / name
        if path.is_dir():
            words += ["--size", "4096", "--perms", "0555", "--tmpfs", str(path), "--remount-ro", str(path)]
        elif path.exists():
            words += ["--ro-bind", "/dev/null", str(path)]
    return words


def _inside(job: Job, held: Held) -> list[str]:
    words = [*entrypoint(), *job.argv]
    if held.places.holds_processes:
        return words
    return ["/bin/sh", "-c", _LIMIT_PROCESSES, "qverify", str(job.limits.pids), *words]


def _limited(limits: Limits, held: Held) -> list[str]:
    chosen = {"nofile": OPEN_FILES, "core": 0, "fsize": limits.file_bytes}
    if not held.places.holds_memory:
        chosen["data"] = limits.memory_bytes
    return [_program("prlimit"), *(f"--{name}={value}:{value}" for name, value in chosen.items()), "--"]


def _staged(stage: str, binds: Sequence[Bind]) -> list[str]:
    pairs = [word for n, bind in enumerate(binds) for word in (str(n), str(bind.source))]
    return [
        _program("unshare"), "--mount", "--propagation", "private", "--",
        _program("sh"), "-c", _STAGE, "qverify-stage", stage, *pairs,
        "--", _program("setpriv"), f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--",
    ]  # fmt: skip


def _stage_for(sources: Sequence[Path]) -> str:
    """A folder of every Linux (Filesystem Hierarchy Standard 3.0) that none of the sources lies in."""
    for stage in ("/mnt", "/media", "/srv", "/opt"):
        if Path(stage).is_dir() and not any(source.is_relative_to(stage) for source in sources):
            return stage
    return "/mnt"


def _program(name: str) -> str:
    return shutil.which(name, path=HOST_PATH) or name
