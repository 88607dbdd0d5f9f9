"""The system calls that a sandbox may make: a seccomp profile of our own in place of the engine's default.

The default of an older Docker Engine (20.10) lets through two ways past "no network": sockets to the hypervisor
(``AF_VSOCK``, which no network namespace holds) and ``io_uring``, which opens sockets unseen by any filter. It also filters the
32-bit calls by another list, in which ``socketcall`` hides the kind of socket behind a pointer. Later engines shut some of this;
here it is shut whatever the engine is.

The list is what a scan of every call under the default profile of Docker Engine 20.10 showed as allowed for a user with no
capability, without ``io_uring`` and with those calls of Linux 6.5 to 6.13 that only do what an allowed one does already. A call that
is not named fails with EPERM. Format: Docker Engine's seccomp profile (runtime-spec, "Seccomp"), passed as JSON in ``SecurityOpt``.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

_NAMES = """
accept accept4 access adjtimex alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_adjtime
clock_getres clock_gettime clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3
epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit
exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue
futex_wait futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents getdents64
getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom
getresgid getresuid getrlimit getrusage getsid getsockname getsockopt gettid gettimeofday getuid getxattr
getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents
io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self lchown lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek
lsetxattr lstat madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat
mlock mlock2 mlockall mmap modify_ldt mprotect mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend
mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep newfstatat open
openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 poll ppoll prctl pread64 preadv preadv2 prlimit64
process_mrelease pselect6 ptrace pwrite64 pwritev pwritev2 read readahead readlink readlinkat readv recvfrom
recvmmsg recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall rmdir rseq
rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto set_robust_list
set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer setpgid setpriority setregid
setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget
shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range
syncfs sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
timerfd_create timerfd_gettime timerfd_settime times tkill truncate umask uname unlink unlinkat utime utimensat
utimes vfork vmsplice wait4 waitid write writev
"""
ALLOWED = _NAMES.split()

#: clone(2) with any of the flags CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET makes a namespace.
NEW_NAMESPACE = 0x7E020000
#: Linux' ``AF_UNIX``, ``AF_INET``, ``AF_INET6``, ``AF_NETLINK`` (which lists interfaces); this machine may be no Linux. Named one
#: by one: a comparison "is not 40" is passed by a number whose upper half, which the kernel drops, is not zero.
SOCKET_FAMILIES = (1, 2, 10, 16)
#: personality(2): Linux as it is, and the question which one is set.
PERSONALITIES = (0, 0xFFFFFFFF)
ENOSYS = 38


def seccomp_profile() -> str:
    """The profile as JSON, on one line."""
    calls: list[dict[str, Any]] = [
        {"names": ALLOWED, "action": "SCMP_ACT_ALLOW"},
        {
            "names": ["clone"],
            "action": "SCMP_ACT_ALLOW",
            "args": [{"index": 0, "value": NEW_NAMESPACE, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}],
        },
        # Its flags lie behind a pointer. C libraries that hear ENOSYS use clone.
        {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": ENOSYS},
        *(_with_first_argument("socket", family) for family in SOCKET_FAMILIES),
        *(_with_first_argument("personality", persona) for persona in PERSONALITIES),
    ]
    return json.dumps(
        {
            "defaultAction": "SCMP_ACT_ERRNO",
            "defaultErrnoRet": 1,
            # No second architecture: a 32-bit call ends its process (SIGSYS).
            "archMap": [
                {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []},
                {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": []},
            ],
            "syscalls": calls,
        }
    )


def _with_first_argument(name: str, value: int) -> dict[str, Any]:
    return {
        "names": [name],
        "action": "SCMP_ACT_ALLOW",
        "args": [{"index": 0, "value": value, "op": "SCMP_CMP_EQ"}],
    }


def profile_file(folder: Path) -> Path:
    """The profile as a file below ``folder``, for an engine that wants one. Raises ``OSError``."""
    text = seccomp_profile()
    file = folder / f"seccomp-{hashlib.sha256(text.encode()).hexdigest()[:12]}.json"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, delete=False) as written:
            written.write(text)
        Path(written.name).replace(file)
    return file
