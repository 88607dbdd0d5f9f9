"""Snapshots packed once for an engine that can't mount folders of this machine."""

from __future__ import annotations

import shutil
import tempfile
import threading
import uuid
from pathlib import Path
from typing import IO

from qverify_desktop.sandbox.owner import Owner, Process
from qverify_desktop.sandbox.parcel import pack_tree
from qverify_desktop.sandbox.reaper import inbox_name

#: Packed trees kept at a time: the snapshots of runs that go on side by side, and their packages.
MOST_KEPT = 4


class Sources:
    """Packed folders by path, made when first asked for. Folders of a run never change, so neither do their archives.

    They lie in the inbox of ``owner``, where a sweep finds what a killed process left.
    """

    def __init__(self, owner: Owner) -> None:
        self._folder = owner.inbox / inbox_name(Process.current(), f"packed-{uuid.uuid4().hex}")
        self._packed: dict[Path, Path] = {}
        self._lock = threading.Lock()

    def packed(self, folder: Path) -> IO[bytes]:
        """The archive of ``folder``, opened at its begin; the caller closes it. Raises ``OSError``."""
        with self._lock:
            place = self._packed.get(folder)
            if place is None:
                place = self._pack(folder)
            return place.open("rb")

    def _pack(self, folder: Path) -> Path:
        while len(self._packed) >= MOST_KEPT:
            oldest = next(iter(self._packed))
            self._packed.pop(oldest).unlink()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as target:
            try:
                pack_tree(folder.resolve(), target)
            except BaseException:
                Path(target.name).unlink()
                raise
        self._packed[folder] = Path(target.name)
        return self._packed[folder]

    def close(self) -> None:
        """Remove every archive."""
        with self._lock:
            self._packed.clear()
            shutil.rmtree(self._folder, ignore_errors=True)
