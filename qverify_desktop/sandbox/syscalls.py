"""Numbers of the system calls that the seccomp filter names, for the two architectures that it knows.

Sources: Linux 6.11, ``arch/x86/entry/syscalls/syscall_64.tbl`` (x86_64) and ``include/uapi/asm-generic/unistd.h``
(aarch64). A number once given is never given again; where the generic table has no such call, there is none on aarch64.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: The last number that the filter's author has looked at: ``mseal`` of Linux 6.10, the same on both.
LAST_KNOWN = 462

_BOTH: Mapping[str, int] = {
    "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "clone3": 435, "pidfd_getfd": 438, "process_madvise": 440, "mount_setattr": 442, "quotactl_fd": 443,
    "set_mempolicy_home_node": 450, "statmount": 457, "listmount": 458, "lsm_set_self_attr": 460,
}  # fmt: skip

_X86_64: Mapping[str, int] = {
    "ioctl": 16, "socket": 41, "socketpair": 53, "clone": 56, "ptrace": 101, "syslog": 103, "uselib": 134,
    "personality": 135, "ustat": 136, "sysfs": 139, "vhangup": 153, "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156,
    "chroot": 161, "acct": 163, "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168,
    "reboot": 169, "iopl": 172, "ioperm": 173, "create_module": 174, "init_module": 175, "delete_module": 176,
    "get_kernel_syms": 177, "query_module": 178, "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212,
    "clock_settime": 227, "mbind": 237, "set_mempolicy": 238, "get_mempolicy": 239, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "migrate_pages": 256, "unshare": 272, "move_pages": 279, "perf_event_open": 298,
    "fanotify_init": 300, "name_to_handle_at": 303, "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308,
    "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312, "finit_module": 313, "kexec_file_load": 320,
    "bpf": 321, "userfaultfd": 323,
}  # fmt: skip

_AARCH64: Mapping[str, int] = {
    "lookup_dcookie": 18, "ioctl": 29, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42, "chroot": 51,
    "vhangup": 58, "quotactl": 60, "acct": 89, "personality": 92, "unshare": 97, "kexec_load": 104, "init_module": 105,
    "delete_module": 106, "clock_settime": 112, "syslog": 116, "ptrace": 117, "reboot": 142, "settimeofday": 170,
    "socket": 198, "socketpair": 199, "add_key": 217, "request_key": 218, "keyctl": 219, "clone": 220, "swapon": 224,
    "swapoff": 225, "mbind": 235, "get_mempolicy": 236, "set_mempolicy": 237, "migrate_pages": 238, "move_pages": 239,
    "perf_event_open": 241, "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265,
    "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
    "finit_module": 273, "bpf": 280, "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip


@dataclass(frozen=True)
class Architecture:
    """One architecture as seccomp sees it: ``audit`` is its ``AUDIT_ARCH_…`` (include/uapi/linux/audit.h), ``foreign_bit``
    the bit of the number that marks calls of a second ABI (x32), 0 where there is none."""

    machine: str
    audit: int
    numbers: Mapping[str, int]
    foreign_bit: int = 0


#: By the name that uname(2) answers.
ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture("x86_64", 0xC000003E, {**_X86_64, **_BOTH}, foreign_bit=0x40000000),
    "aarch64": Architecture("aarch64", 0xC00000B7, {**_AARCH64, **_BOTH}),
}
