"""Reading files of a snapshot, which are hostile: no links, no devices, no more than was asked for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from qverify_desktop.domain.project import SkippedPath


def read_bytes(root: str, path: str, most: int) -> bytes | SkippedPath:
    """The content of a regular file of at most ``most`` bytes; symbolic links are not followed."""
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return SkippedPath(path, "Its name is not valid UTF-8.")
    try:
        descriptor = os.open(Path(root, path), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (OSError, ValueError):
        return SkippedPath(path, "It can't be opened as a regular file.")
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return SkippedPath(path, "It is not a regular file.")
    with os.fdopen(descriptor, "rb") as file:
        try:
            content = file.read(most + 1)
        except OSError:
            return SkippedPath(path, "It can't be read.")
    if len(content) > most:
        return SkippedPath(path, f"It is larger than {most} bytes.")
    return content


def read_text(root: str, path: str, most: int) -> str:
    """The text of a file in UTF-8; empty where it can't be read or is not text."""
    content = read_bytes(root, path, most)
    if isinstance(content, SkippedPath) or b"\0" in content:
        return ""
    return content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace")
