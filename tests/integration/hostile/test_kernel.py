"""What the kernel lets the sandbox's user do: system calls, capabilities, ``/proc``, ``/sys``, ``/dev``, resource limits."""

import pytest

from qverify_desktop.domain.execution import MIB, Limits
from qverify_desktop.sandbox.limits import OPEN_FILES, SHM_BYTES, USER
from tests.integration.hostile.conftest import Facts

pytestmark = pytest.mark.docker


async def test_no_namespace_can_be_made_or_entered(facts: Facts) -> None:
    """Attack: a user namespace in which one is root, and others with it. Limit: seccomp, which refuses ``unshare``, ``clone``
    with a namespace's flag and ``setns`` (EPERM), and ``clone3``, whose flags it can't read (ENOSYS).

    Flags: clone(2), ``CLONE_NEW*``.
    """
    found = await facts(
        """
import os
from probe import hand_back, system_call
flags = {"mount": 0x20000, "cgroup": 0x2000000, "uts": 0x4000000, "ipc": 0x8000000, "user": 0x10000000,
         "pid": 0x20000000, "net": 0x40000000, "user and mount": 0x10020000}
parent = os.getpid()
def clone(flag):
    answer = system_call("clone", flag | 17, 0, 0, 0, 0)
    if os.getpid() != parent:
        os._exit(0)
    return answer
hand_back({
    "unshare": {name: system_call("unshare", flag) for name, flag in {**flags, "time": 0x80}.items()},
    "clone": {name: clone(flag) for name, flag in flags.items()},
    "setns": system_call("setns", -1, 0),
    "clone3": system_call("clone3", 0, 0),
})
"""
    )
    assert found["unshare"] == dict.fromkeys(found["unshare"], "EPERM")
    assert found["clone"] == dict.fromkeys(found["clone"], "EPERM")
    assert (found["setns"], found["clone3"]) == ("EPERM", "ENOSYS")


async def test_calls_that_an_ordinary_user_may_make_elsewhere_are_filtered(facts: Facts) -> None:
    """Attack: the kernel's attack surface that needs no privilege. Limit: seccomp: EPERM where the kernel itself would answer
    EFAULT, EINVAL, EBADF or success. ``userfaultfd`` is asked for with UFFD_USER_MODE_ONLY (1), which needs no privilege."""
    found = await facts(
        """
from probe import hand_back, system_call
hand_back({
    "keyctl": system_call("keyctl", 0, -3, 0),
    "add_key": system_call("add_key", b"user", b"name", b"x", 1, -2),
    "request_key": system_call("request_key", b"user", b"name", 0, -2),
    "bpf": system_call("bpf", 0, 0, 0),
    "perf_event_open": system_call("perf_event_open", 0, 0, -1, -1, 0),
    "userfaultfd": system_call("userfaultfd", 1),
    "open_by_handle_at": system_call("open_by_handle_at", -1, 0, 0),
    "name_to_handle_at": system_call("name_to_handle_at", -100, b"/src", 0, 0, 0),
    "personality": system_call("personality", 0x0040000),
    "quotactl": system_call("quotactl", 0, 0, 0, 0),
    "fsopen": system_call("fsopen", b"tmpfs", 0),
    "fanotify_init": system_call("fanotify_init", 0x200, 0),
})
"""
    )
    assert found == dict.fromkeys(found, "EPERM")


async def test_a_32_bit_call_ends_its_process(facts: Facts) -> None:
    """Attack: enter the kernel by the door of 32-bit programs (``int 0x80``), whose calls have other numbers and hide their
    arguments. Limit: the profile has no second architecture (SIGSYS). Only x86_64 has that door; elsewhere the case can't be made.
    """
    found = await facts(
        r"""
import ctypes, mmap, os, platform
from probe import hand_back
# mov eax, 20 (getpid of the 32-bit table); int 0x80; ret
code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
ended = None
if platform.machine() == "x86_64":
    if (child := os.fork()) == 0:
        os._exit(0 if enter() == os.getpid() else 1)
    ended = os.waitpid(child, 0)[1]
hand_back({"machine": platform.machine(), "ended": ended})
"""
    )
    # SIGSYS from the filter; SIGSEGV where the kernel was built without that door.
    assert found["machine"] != "x86_64" or found["ended"] in (31, 11)


async def test_calls_of_the_administrator_are_refused(facts: Facts) -> None:
    """Attack: mount, load, reboot, set the clock, make devices, read the kernel's log, become somebody else. Limit: no
    capability at all (and seccomp before it): EPERM. ``iopl`` and ``ioperm`` exist on x86 only (ENOSYS elsewhere)."""
    found = await facts(
        """
import os
from probe import attempt, hand_back, system_call
hand_back({
    "mount": system_call("mount", b"none", b"/work", b"tmpfs", 0, 0),
    "bind mount": system_call("mount", b"/tmp", b"/work", b"", 0x1000, 0),
    "remount the source writable": system_call("mount", b"none", b"/src", b"", 0x1020, 0),
    "umount": system_call("umount2", b"/src", 0),
    "open_tree": system_call("open_tree", -100, b"/src", 1),
    "move_mount": system_call("move_mount", -100, b"/src", -100, b"/work", 0),
    "mount_setattr": system_call("mount_setattr", -100, b"/src", 0, b"\\0" * 32, 32),
    "pivot_root": system_call("pivot_root", b"/work", b"/work"),
    "chroot": system_call("chroot", b"/work"),
    "the kernel's log": system_call("syslog", 3, b" " * 100, 100),
    "init_module": system_call("init_module", 0, 0, b""),
    "finit_module": system_call("finit_module", 0, b"", 0),
    "kexec_load": system_call("kexec_load", 0, 0, 0, 0),
    "reboot": system_call("reboot", 0, 0, 0, 0),
    "swapon": system_call("swapon", b"/work/module.py", 0),
    "acct": system_call("acct", b"/work/module.py"),
    "sethostname": system_call("sethostname", b"x", 1),
    "settimeofday": system_call("settimeofday", b"\\0" * 16, 0),
    "clock_settime": system_call("clock_settime", 0, b"\\0" * 16),
    "character device": system_call("mknodat", -100, b"/work/null", 0o20666, 0x103),
    "block device": system_call("mknodat", -100, b"/work/disk", 0o60666, 0x800),
    "iopl": system_call("iopl", 3),
    "ioperm": system_call("ioperm", 0x80, 1, 1),
    "setuid": attempt(lambda: os.setuid(0)),
    "setgid": attempt(lambda: os.setgid(0)),
    "setgroups": attempt(lambda: os.setgroups([0])),
    "chown": attempt(lambda: os.chown("/work/module.py", 0, 0)),
    "real time": attempt(lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))),
})
"""
    )
    assert {found.pop("iopl"), found.pop("ioperm")} <= {"EPERM", "ENOSYS"}
    assert found == dict.fromkeys(found, "EPERM")


async def test_the_user_has_no_capability_and_gets_none(facts: Facts) -> None:
    """Attack: gain privilege through a set-user-id program. Limit: ``no-new-privileges``: ``su`` starts and stays the
    sandbox's user; capabilities are zero in every set, and seccomp filters (mode 2)."""
    found = await facts(
        """
import os, subprocess, time
from probe import hand_back, status
privileged = [path for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib", "/opt")
              for path in (entry.path for entry in os.scandir(folder) if entry.is_file()) if os.stat(path).st_mode & 0o6000]
su = subprocess.Popen(["/usr/bin/su"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
said = su.stdout.read(9)
inside = status(su.pid)
su.stdin.close()
su.wait()
hand_back({"privileged": privileged, "said": said.decode(), "su": inside, "own": status(), "first": status(1),
           "user": [os.getuid(), os.geteuid(), os.getgid(), os.getegid(), os.getgroups()]})
"""
    )
    assert "/usr/bin/su" in found["privileged"], "the case is real only with a set-user-id program in the image"
    assert (found["said"], found["su"]["Name"]) == ("Password:", "su")
    for process in ("su", "own", "first"):
        lines = found[process]
        assert {lines[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
        assert (lines["NoNewPrivs"], lines["Seccomp"]) == ("1", "2")
        assert lines["Uid"].split() == lines["Gid"].split() == [str(USER)] * 4
    assert found["user"] == [USER, USER, USER, USER, [USER]]


async def test_the_kernel_s_files_are_read_only_or_hidden(facts: Facts) -> None:
    """Attack: turn a knob of the host in ``/proc`` or ``/sys``, read its memory or log. Limit: read-only mounts (EROFS), masked
    paths (empty) and no capability (EACCES)."""
    found = await facts(
        """
import os
from probe import attempt, hand_back
def flags(path):
    lines = [line.split() for line in open("/proc/self/mountinfo")]
    return [line[5].split(",")[0] for line in lines if line[4] == path]
def write(path):
    return attempt(lambda: os.close(os.open(path, os.O_WRONLY)))
def read(path):
    return attempt(lambda: os.read(os.open(path, os.O_RDONLY), 100))
cgroups = [folder + "/" + name for folder, _, names in os.walk("/sys/fs/cgroup") for name in names]
hand_back({
    "mounts": {path: flags(path) for path in ("/", "/sys", "/proc/sys", "/proc/irq", "/proc/bus", "/src")},
    "writes": {path: write(path) for path in (
        "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/hostname", "/proc/sys/vm/drop_caches", "/proc/sys/net/ipv4/ip_forward",
        "/proc/irq/default_smp_affinity", "/sys/kernel/mm/ksm/run", "/sys/power/state", "/sys/kernel/uevent_helper")},
    "sysrq": attempt(lambda: os.open("/proc/sysrq-trigger", os.O_WRONLY)),
    "cgroups": sorted({write(path) for path in cgroups}),
    "cgroup folder": attempt(lambda: os.mkdir("/sys/fs/cgroup/x")),
    "reads": {path: read(path) for path in ("/proc/kmsg", "/dev/kmsg", "/proc/kcore", "/dev/mem", "/etc/shadow", "/proc/1/mem")},
    "addresses": sorted({line.split()[0].strip("0") for line in open("/proc/kallsyms")}) if os.path.exists("/proc/kallsyms") else [""],
    "hidden": {path: len(os.listdir(path)) for path in ("/proc/acpi", "/sys/firmware")
               if os.path.exists(path)},
    "empty": {path: len(open(path).read()) for path in ("/proc/keys", "/proc/timer_list", "/proc/sched_debug")
              if attempt(lambda: open(path)) == "allowed"},
})
"""
    )
    assert found["mounts"].pop("/proc/irq") in ([], ["ro"])
    assert found["mounts"] == {path: ["ro"] for path in found["mounts"]}
    # EACCES: the file belongs to root; ENOENT: this kernel has none.
    assert set(found["writes"].values()) <= {"EROFS", "EACCES", "ENOENT"}
    assert found["writes"]["/proc/sys/kernel/core_pattern"] in ("EROFS", "EACCES")
    assert found["sysrq"] in ("EROFS", "EACCES", "ENOENT")
    assert set(found["cgroups"]) <= {"EROFS", "EACCES"}
    assert found["cgroup folder"] in ("EROFS", "EACCES")
    # EIO: the first page of a process is not mapped. Its memory is the sandbox's own (see the case with a debugger).
    assert found["reads"].pop("/proc/1/mem") in ("EIO", "EACCES")
    # ``/dev/null`` covers what the engine masks.
    assert set(found["reads"].values()) <= {"EACCES", "EPERM", "ENOENT", "allowed"}
    assert found["reads"]["/proc/kmsg"] in ("EACCES", "EPERM")
    assert found["reads"]["/etc/shadow"] == "EACCES"
    assert found["reads"]["/dev/kmsg"] == found["reads"]["/dev/mem"] == "ENOENT"
    assert found["addresses"] == [""]
    assert set(found["hidden"].values()) <= {0}
    assert set(found["empty"].values()) <= {0}


async def test_only_harmless_devices_are_there(facts: Facts) -> None:
    """Attack: read a disk or a terminal of the host through ``/dev``. Limit: the engine's own ``/dev``, and its device list."""
    found = await facts(
        """
import os, stat
from probe import hand_back
kinds = {stat.S_IFCHR: "character", stat.S_IFBLK: "block"}
nodes = {name: kinds.get(stat.S_IFMT(os.lstat("/dev/" + name).st_mode)) for name in os.listdir("/dev")}
hand_back({"devices": sorted(name for name, kind in nodes.items() if kind), "block": [n for n in nodes if nodes[n] == "block"],
           "terminals": os.listdir("/dev/pts"), "others": sorted(name for name, kind in nodes.items() if not kind),
           "list": open("/sys/fs/cgroup/devices/devices.list").read() if os.path.exists("/sys/fs/cgroup/devices") else ""})
"""
    )
    assert found["devices"] == ["full", "null", "random", "tty", "urandom", "zero"]
    assert found["block"] == []
    assert found["terminals"] == ["ptmx"]
    assert set(found["others"]) <= {"core", "fd", "mqueue", "ptmx", "pts", "shm", "stderr", "stdin", "stdout"}
    # cgroup v1 shows its list (v2 has a program in its place): no block device may be more than made.
    assert not [line for line in found["list"].splitlines() if line.startswith("b") and line != "b *:* m"]
    assert "a *:* rwm" not in found["list"]


async def test_the_resource_limits(facts: Facts) -> None:
    """Attack: raise a limit, leave a core dump. Limit: ``Ulimits`` are hard (EPERM); a core dump has no byte."""
    found = await facts(
        """
import os, resource, signal
from probe import hand_back
names = {"NOFILE": resource.RLIMIT_NOFILE, "CORE": resource.RLIMIT_CORE, "FSIZE": resource.RLIMIT_FSIZE}
def raised(number):
    try:
        resource.setrlimit(number, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (ValueError, OSError) as error:
        return "refused"
if (child := os.fork()) == 0:
    os.abort()
_, ended = os.waitpid(child, 0)
handles = []
try:
    while True:
        handles.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    open_files = handles[-1] + 1
for handle in handles:
    os.close(handle)
shm = os.statvfs("/dev/shm")
hand_back({"limits": {name: resource.getrlimit(number) for name, number in names.items()},
           "raised": {name: raised(number) for name, number in names.items()}, "dumped": os.WCOREDUMP(ended),
           "signal": os.WTERMSIG(ended) == signal.SIGABRT, "files": sorted(os.listdir("/work")), "open files": open_files,
           "shm": shm.f_blocks * shm.f_frsize})
"""
    )
    file_bytes = Limits().file_bytes
    assert found["limits"] == {"NOFILE": [OPEN_FILES] * 2, "CORE": [0, 0], "FSIZE": [file_bytes] * 2}
    assert found["raised"] == dict.fromkeys(("NOFILE", "CORE", "FSIZE"), "refused")
    assert (found["signal"], found["dumped"]) == (True, False)
    assert found["files"] == ["module.py", "probe.py"]
    assert found["open files"] == OPEN_FILES
    assert found["shm"] == SHM_BYTES == 64 * MIB
