"""One process owns a state folder: a lock that the kernel lets go of when its holder dies, however it dies."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from qverify_desktop.domain.errors import MissingPrerequisite

LOCK_NAME = "owner.lock"
#: What flock(2) says on a network folder whose server keeps no locks.
_NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


class HomeLock:
    """Advisory lock (flock(2)) on a file in the state folder; the file holds the owner's process id for people."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / LOCK_NAME
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting; ``False`` when another process has it.

        Raises ``MissingPrerequisite`` when the state folder can't be made or written.
        """
        import fcntl

        if self._descriptor is not None:
            return True
        try:
            self._home.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise unusable_home(self._home, error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(descriptor)
            if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            raise unusable_home(self._home, error) from error
        try:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        except OSError as error:
            os.close(descriptor)
            raise unusable_home(self._home, error) from error
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Let go. The file stays: removing it would let two processes hold locks on two files of one name."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def owner(self) -> int | None:
        """Process id that the owner wrote, for a sentence to a person; ``None`` where it can't be read."""
        try:
            text = self._path.read_text(encoding="ascii", errors="replace")[:20].strip()
        except OSError:
            return None
        return int(text) if text.isdigit() else None


def unusable_home(home: Path, error: OSError) -> MissingPrerequisite:
    """The sentence for a state folder that can't be written, by cause."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MissingPrerequisite(
            f"The disk that holds the state folder {home} is full. Nothing that was recorded before is lost.",
            "Make room on it, or point QVERIFY_HOME at a folder on another disk.",
        )
    reason = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _NO_LOCKS:
        return MissingPrerequisite(
            f"The file system that holds the state folder {home} gives no locks ({reason}), so two processes could write into it at once. "
            "Nothing was changed.",
            "Point QVERIFY_HOME at a folder on a disk of this machine, for example: export QVERIFY_HOME=$HOME/qverify",
        )
    return MissingPrerequisite(
        f"The state folder {home} can't be written ({reason}). Nothing was changed.",
        "Point QVERIFY_HOME at a folder you may write, for example: export QVERIFY_HOME=$HOME/qverify",
    )
