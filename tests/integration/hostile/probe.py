"""Laid over the snapshot of a hostile job: tries something inside the container and hands back what the kernel answered.

System calls are made by number, past the C library, because that is how an attacker makes them. Numbers: Linux
``arch/x86/entry/syscalls/syscall_64.tbl`` and ``include/uapi/asm-generic/unistd.h`` (aarch64).
"""

import ctypes
import errno
import json
import os
import platform
from collections.abc import Callable

ALLOWED = "allowed"
#: ``PTRACE_ATTACH`` (ptrace(2)).
PTRACE_ATTACH = 16

#: Name: (x86_64, aarch64); None where the architecture has no such call.
NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_setup": (425, 425),
    "iopl": (172, None),
    "ioperm": (173, None),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "mknodat": (259, 33),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "socket": (41, 198),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
}

_LIBC = ctypes.CDLL(None, use_errno=True)
_COLUMN = 0 if platform.machine() == "x86_64" else 1


def system_call(name: str, *arguments: int | bytes) -> str:
    """Make the call; ``ALLOWED`` or the name of the errno. ``ENOSYS`` where this architecture has no such call."""
    number = NUMBERS[name][_COLUMN]
    if number is None:
        return "ENOSYS"
    words = [ctypes.c_long(word) if isinstance(word, int) else ctypes.c_char_p(word) for word in arguments]
    if _LIBC.syscall(ctypes.c_long(number), *words) >= 0:
        return ALLOWED
    return errno.errorcode[ctypes.get_errno()]


def attempt(act: Callable[[], object]) -> str:
    """Do it; ``ALLOWED`` or the name of the errno that it was refused with."""
    try:
        act()
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, repr(error))
    return ALLOWED


def status(pid: int | str = "self") -> dict[str, str]:
    """The fields of ``/proc/PID/status`` (proc(5))."""
    with open(f"/proc/{pid}/status") as file:
        return {name: value.strip() for name, _, value in (line.partition(":") for line in file)}


def hand_back(facts: object) -> None:
    """Give ``facts`` to the test."""
    with open(os.environ["QV_OUT"] + "/facts.json", "w") as file:
        json.dump(facts, file)
