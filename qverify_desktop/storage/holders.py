"""Which processes on one database are alive: each holds a lock on a file that the kernel lets go of when it dies."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from qverify_desktop.storage.database import Database, unusable

_NAME = re.compile(r"[0-9a-f]{32}")


class Holder:
    """This process (or one part of it) under a name that is never given again, so that no re-used process id is taken for it.

    Raises ``MissingPrerequisite`` when the folder beside the database can't be written.
    """

    def __init__(self, database: Database) -> None:
        import fcntl

        self._folder = database.path.with_name(database.path.name + "-holders")
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            while True:
                self.name = secrets.token_hex(16)
                flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                self._descriptor = os.open(self._path(self.name), flags, 0o600)
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)
                if self._path(self.name).exists():  # another process may have swept it before the lock was there
                    break
                os.close(self._descriptor)
            self.sweep()
        except OSError as error:
            raise unusable(database.path, error.strerror or str(error)) from error

    def alive(self, name: str) -> bool:
        """Whether the holder of that name still runs. A name that can't be one is nobody's."""
        import fcntl

        if name == self.name:
            return True
        if not _NAME.fullmatch(name):
            return False
        try:
            descriptor = os.open(self._path(name), os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        except OSError:
            return True  # what can't be looked at is not declared dead
        try:
            # Shared, so that two who look at once do not take each other for the holder.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def sweep(self) -> None:
        """Remove the files of the dead. Names are used once, so a file that is gone says the same as one without a lock."""
        for path in self._folder.iterdir():
            if _NAME.fullmatch(path.name) and not self.alive(path.name):
                path.unlink(missing_ok=True)

    def close(self) -> None:
        """Be dead."""
        if self._descriptor >= 0:
            self._path(self.name).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    def _path(self, name: str) -> Path:
        return self._folder / name
