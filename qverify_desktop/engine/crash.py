"""Unexpected errors: the traceback goes to a file, a person gets a sentence that names it."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError


def as_error(error: BaseException, home: Path | None) -> QVerifyError:
    """A ``QVerifyError`` for anything: full and read-only disks by their own sentence, the rest with a crash file."""
    if isinstance(error, QVerifyError):
        return error
    known = _known(error, home)
    if known is not None:
        return known
    path = write(error, home)
    where = f"The details are in {path}" if path else "No file could be written with the details"
    return QVerifyError(
        f"Something unexpected went wrong inside QVerify ({type(error).__name__}). What was finished before is recorded.",
        f"{where}; please report it.",
    )


#: What takes this installation's keys out of a report: an error of a library may quote the request that it failed on.
_clean: list[Callable[[str], str]] = []


def clean_with(clean: Callable[[str], str]) -> None:
    """From now on reports are written as ``clean`` answers them. Of the process, as the handlers of what nobody expected are."""
    _clean[:] = [clean]


def write(error: BaseException, home: Path | None) -> Path | None:
    """Write the traceback below ``home``/crashes, or to the folder for temporary files; ``None`` where neither works."""
    text = _cleaned("".join(traceback.format_exception(error)))
    name = f"crash-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.txt"
    folders = [home / "crashes"] if home is not None else []
    for folder in [*folders, Path(tempfile.gettempdir())]:
        with contextlib.suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8", errors="replace") as file:
                file.write(text)
            return folder / name
    return None


def _cleaned(text: str) -> str:
    for clean in _clean:
        try:
            text = clean(text)
        except Exception:  # noqa: BLE001  (a keyring that fails now must not cost the report its places)
            text = "".join(
                line for line in text.splitlines(keepends=True) if line.startswith(("  File ", "Traceback"))
            )
    return text


def _known(error: BaseException, home: Path | None) -> QVerifyError | None:
    for seen in _chain(error):
        if isinstance(seen, OSError) and seen.errno in (errno.ENOSPC, errno.EDQUOT):
            return _full(home)
        if isinstance(seen, OSError) and seen.errno == errno.EROFS:
            return _read_only(home)
        if isinstance(seen, sqlite3.Error):
            if "disk is full" in str(seen):
                return _full(home)
            if "readonly" in str(seen) or "unable to open database file" in str(seen):
                return _read_only(home)
    return None


def _chain(error: BaseException) -> list[BaseException]:
    """The error, what it came of, and so on; a circle ends the walk."""
    chain: list[BaseException] = []
    seen: BaseException | None = error
    while seen is not None and all(seen is not one for one in chain):
        chain.append(seen)
        seen = seen.__cause__ or seen.__context__ or getattr(seen, "orig", None)
    return chain


def _full(home: Path | None) -> QVerifyError:
    return MissingPrerequisite(
        f"The disk that holds {home or 'the state folder'} is full. What was recorded before is safe.",
        "Make room on it, or point QVERIFY_HOME at a folder on another disk, and try again.",
    )


def _read_only(home: Path | None) -> QVerifyError:
    return MissingPrerequisite(
        f"The state folder {home or ''} can't be written. What was recorded before is safe.",
        "Point QVERIFY_HOME at a folder you may write, for example: export QVERIFY_HOME=$HOME/qverify",
    )
