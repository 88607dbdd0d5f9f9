"""The overlay on its way into a container: files written into a private folder that is mounted read-only."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from qverify_desktop.domain.errors import BadInput


def write_overlay(folder: Path, overlay: Mapping[str, bytes]) -> None:
    """Write ``overlay`` (path relative to the work folder, with ``/``) below the new ``folder``.

    Raises ``BadInput`` for a path that is absolute, empty, holds ``..``, or is both a file and a folder. Nothing is ever
    written outside of ``folder``: it is new, so that no symlink can lie in it. The files are readable for the container's
    user; the folder above is private.
    """
    for path in overlay:
        _check(path)
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir()
    folder.chmod(0o755)
    for path, content in overlay.items():
        target = folder / path
        try:
            _make_folders(folder, PurePosixPath(path).parent)
            target.write_bytes(content)
            target.chmod(0o644)
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise BadInput(
                f"A generated file can't be laid over the snapshot: {path!r} is a file and a folder."
            ) from error


def _make_folders(root: Path, relative: PurePosixPath) -> None:
    folder = root
    for part in relative.parts:
        folder /= part
        if not folder.is_dir():
            folder.mkdir()
            folder.chmod(0o755)


def _check(path: str) -> None:
    parts = path.split("/")
    foreign = sys.platform == "win32" and any(character in path for character in ':\\<>"|?*')
    if not all(parts) or "." in parts or ".." in parts or "\0" in path or foreign or not _encodable(path):
        raise BadInput(
            f"A generated file can't be laid over the snapshot: {path!r} is no relative path inside of it."
        )


def _encodable(path: str) -> bool:
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    return True
