"""The system calls that code in a bubblewrap sandbox can't make: a filter for seccomp(2) in classic BPF.

It follows the default profile of container engines in what it refuses (kernel modules, mounts, name spaces, tracing,
keys, other processes' memory, io_uring …), written as a list of what is denied; calls newer than the table are answered
as a kernel without them would (ENOSYS). The program is what ``bwrap --seccomp`` reads: ``struct sock_filter`` of
include/uapi/linux/filter.h, over ``struct seccomp_data`` of include/uapi/linux/seccomp.h.
"""

from __future__ import annotations

import errno
import struct
import sys
from collections.abc import Iterable, Sequence

from qverify_desktop.sandbox.syscalls import LAST_KNOWN, Architecture

#: Refused with EPERM, whatever their arguments.
DENIED = (
    # File systems, and files reached around their paths.
    "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick",
    "mount_setattr", "statmount", "listmount", "quotactl", "quotactl_fd", "swapon", "swapoff", "sysfs", "ustat",
    "nfsservctl", "name_to_handle_at", "open_by_handle_at", "fanotify_init",
    # Name spaces.
    "unshare", "setns",
    # Other processes.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    # Keys, which know no name space.
    "add_key", "request_key", "keyctl",
    # The kernel itself and the machine.
    "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "query_module",
    "get_kernel_syms", "reboot", "acct", "syslog", "_sysctl", "lookup_dcookie", "lsm_set_self_attr", "uselib", "vhangup",
    "iopl", "ioperm", "modify_ldt", "settimeofday", "clock_settime", "clock_adjtime",
    # Memory of other nodes.
    "mbind", "migrate_pages", "move_pages", "get_mempolicy", "set_mempolicy", "set_mempolicy_home_node",
)  # fmt: skip

#: Answered with ENOSYS: its flags lie in memory that a filter can't read, and programs then fall back to ``clone``.
ABSENT = ("clone3",)

#: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET (include/uapi/linux/sched.h).
NEW_NAMESPACES = 0x7E020000
#: AF_UNIX, AF_INET, AF_INET6.
FAMILIES = (1, 2, 10)
#: PER_LINUX, PER_LINUX32, each with UNAME26, and the question for the present one.
PERSONALITIES = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)
#: Requests that put characters into a terminal's input: TIOCSTI, TIOCLINUX.
TERMINAL_INPUT = (0x5412, 0x541C)

# include/uapi/linux/bpf_common.h: class, mode and operation of an instruction.
_LOAD_WORD = 0x20
_JUMP_EQUAL = 0x15
_JUMP_GREATER = 0x25
_JUMP_BITS = 0x45
_RETURN = 0x06

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_NUMBER = 0
_ARCHITECTURE = 4
#: ``args[0]`` lies at 16, each takes 8 bytes; every value compared here has 32 bits, as the kernel takes it.
_ARGUMENTS = 16 + (0 if sys.byteorder == "little" else 4)

Instruction = tuple[int, int, int, int]


def program(architecture: Architecture) -> bytes:
    """The filter of ``architecture``. Calls under another one end the process."""
    numbers = architecture.numbers
    code: list[Instruction] = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, architecture.audit),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD_WORD, 0, 0, _NUMBER),
    ]
    if architecture.foreign_bit:
        code += _unless(_JUMP_BITS, architecture.foreign_bit, errno.EPERM)
    code += _unless(_JUMP_GREATER, LAST_KNOWN, errno.ENOSYS)
    for name in DENIED:
        if name in numbers:
            code += _unless(_JUMP_EQUAL, numbers[name], errno.EPERM)
    for name in ABSENT:
        code += _unless(_JUMP_EQUAL, numbers[name], errno.ENOSYS)
    code += _looked_into(numbers["clone"], 0, _unless(_JUMP_BITS, NEW_NAMESPACES, errno.EPERM))
    code += _looked_into(numbers["personality"], 0, _only(PERSONALITIES, errno.EPERM))
    # As a kernel answers that knows no such family: programs that would like a netlink socket then do without.
    for name in ("socket", "socketpair"):
        code += _looked_into(numbers[name], 0, _only(FAMILIES, errno.EAFNOSUPPORT))
    refusals = [_unless(_JUMP_EQUAL, request, errno.EPERM) for request in TERMINAL_INPUT]
    code += _looked_into(numbers["ioctl"], 1, [step for steps in refusals for step in steps])
    code.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in code)


def _unless(jump: int, value: int, number: int) -> list[Instruction]:
    """Return the error ``number`` where the loaded word compares so with ``value``."""
    return [(jump, 0, 1, value), (_RETURN, 0, 0, _ERRNO | number)]


def _only(values: Iterable[int], number: int) -> list[Instruction]:
    """Return the error ``number`` unless the loaded word is one of ``values``."""
    wanted = tuple(values)
    checks = [(_JUMP_EQUAL, len(wanted) - place, 0, value) for place, value in enumerate(wanted)]
    return [*checks, (_RETURN, 0, 0, _ERRNO | number)]


def _looked_into(number: int, argument: int, checks: Sequence[Instruction]) -> list[Instruction]:
    """``checks`` over an argument of the call ``number``; a call that passes them is allowed, other calls go on."""
    return [
        (_JUMP_EQUAL, 0, len(checks) + 2, number),
        (_LOAD_WORD, 0, 0, _ARGUMENTS + 8 * argument),
        *checks,
        (_RETURN, 0, 0, _ALLOW),
    ]
