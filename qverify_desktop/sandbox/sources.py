"""Snapshots packed once for an engine that can't mount folders of this machine."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from typing import IO

from qverify_desktop.sandbox.parcel import pack_tree

#: Packed trees kept at a time: the snapshots of runs that go on side by side, and their packages.
MOST_KEPT = 4


class Sources:
    """Packed folders by path, made when first asked for. Folders of a run never change, so neither do their archives."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="qverify-packed-")
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
        with tempfile.NamedTemporaryFile(dir=self._folder.name, delete=False) as target:
            try:
                pack_tree(folder, target)
            except BaseException:
                Path(target.name).unlink()
                raise
        self._packed[folder] = Path(target.name)
        return self._packed[folder]

    def close(self) -> None:
        """Remove every archive."""
        with self._lock:
            self._packed.clear()
            self._folder.cleanup()
