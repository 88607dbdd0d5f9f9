"""Files of the state folder that are the person's alone (0600), and never there half."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path


def create_private(path: Path, content: bytes) -> None:
    """Create ``path`` with 0600 in one step: it is never there half, never wider, and an existing file stays as it is.

    Raises ``FileExistsError`` when it is there already.
    """
    temporary = _written(path, content)
    try:
        if sys.platform == "win32":
            temporary.rename(path)  # fails where the name is taken, as link does elsewhere
        else:
            os.link(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def replace_private(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file: after a power cut there is the old one or the new one. Raises ``OSError``."""
    temporary = _written(path, content)
    try:
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path.parent)


def _written(path: Path, content: bytes) -> Path:
    """A file beside ``path``, made with 0600 so that nobody else can read it for a moment, and on the disk."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    """The new name is on the disk too."""
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
