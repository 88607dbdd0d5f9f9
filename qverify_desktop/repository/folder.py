"""Reads a folder on the disk without changing it and without following a link out of it."""

# Names are bytes here, because a name need not be text, and pathlib knows only text.
# ruff: noqa: PTH110, PTH116, PTH119

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository import stopping
from qverify_desktop.repository.workspace import (
    MOST_FILE_BYTES,
    MOST_FILES,
    TreeWriter,
    name_problem,
    printable,
    refuse_oversize,
    too_large,
)

#: Folders that tools fill by themselves: never source, often large.
CACHES = frozenset(
    b".venv node_modules __pycache__ .mypy_cache .pytest_cache .ruff_cache .tox .nox .hypothesis .hg .svn .gradle .eggs".split()
)
_CACHE_REASON = "A folder of installed packages or caches, left out with everything in it."
_SPECIAL = (
    (stat.S_ISFIFO, "It is a named pipe, not a file, so it was left out."),
    (stat.S_ISSOCK, "It is a socket, not a file, so it was left out."),
    (stat.S_ISCHR, "It is a device, not a file, so it was left out."),
    (stat.S_ISBLK, "It is a device, not a file, so it was left out."),
)
_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
_O_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


class TooLarge(Exception):
    """A file is, or grew, over the limit while it was read."""


class FolderReader:
    """Opens files below a root step by step, refusing links on the way (``O_NOFOLLOW`` on every part)."""

    def __init__(self, root: Path) -> None:
        self._root = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        self._parts: list[bytes] = []
        self._open: list[int] = []

    def __enter__(self) -> FolderReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave(0)
        os.close(self._root)

    def facts(self, path: bytes) -> os.stat_result:
        """``lstat`` of a path. Raises ``OSError``."""
        parent, name = self._parent(path)
        return os.stat(name, dir_fd=parent, follow_symlinks=False)

    def link_target(self, path: bytes) -> bytes:
        """Target of a symbolic link. Raises ``OSError``."""
        parent, name = self._parent(path)
        return os.readlink(name, dir_fd=parent)

    def read(self, path: bytes, most: int = MOST_FILE_BYTES) -> tuple[bytes, os.stat_result]:
        """Content and facts of a regular file, both of the file that was opened. Raises ``OSError`` or ``TooLarge``."""
        parent, name = self._parent(path)
        descriptor = os.open(name, os.O_RDONLY | _O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(errno.ENOENT, "replaced while it was read")
            content = os.read(descriptor, min(facts.st_size, most) + 1)
            if len(content) != facts.st_size:
                parts = [content]
                size = len(content)
                while size <= most and (part := os.read(descriptor, 1 << 20)):
                    parts.append(part)
                    size += len(part)
                content = b"".join(parts)
            if len(content) > most:
                raise TooLarge(len(content))
            return content, facts
        finally:
            os.close(descriptor)

    def _parent(self, path: bytes) -> tuple[int, bytes]:
        *parts, name = path.split(b"/")
        same = 0
        while same < min(len(parts), len(self._parts)) and parts[same] == self._parts[same]:
            same += 1
        self._leave(same)
        for part in parts[same:]:
            above = self._open[-1] if self._open else self._root
            self._open.append(os.open(part, os.O_RDONLY | os.O_DIRECTORY | _O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above))
            self._parts.append(part)
        return (self._open[-1] if self._open else self._root), name

    def _leave(self, depth: int) -> None:
        while len(self._open) > depth:
            os.close(self._open.pop())
            self._parts.pop()


def is_cache(folder: bytes) -> bool:
    """Whether a folder (path on the disk) is a cache: by its name, or a virtual environment by its ``pyvenv.cfg``."""
    return os.path.basename(folder) in CACHES or os.path.exists(folder + b"/pyvenv.cfg")


def walk(root: Path, skip: Callable[[bytes, str], None], leave_out: Path) -> Iterator[bytes]:
    """Paths of everything below ``root`` that is no folder, without caches, ``.git`` and the folder ``leave_out``.

    Stops quietly after more files than are analysed, so that a dropped ``/`` does not walk for an hour.
    """
    base = os.fsencode(root)
    avoided = _identity(os.fsencode(leave_out))
    waiting = [b""]
    found = 0
    while waiting:
        stopping.check()
        folder = waiting.pop()
        where = base + b"/" + folder if folder else base
        try:
            with os.scandir(where) as listing:
                children = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            skip(folder, f"This folder can't be read ({error.strerror}), so it was left out with everything in it.")
            continue
        inner = []
        for child in children:
            path = folder + b"/" + child.name if folder else child.name
            if child.name == b".git":
                continue
            if not child.is_dir(follow_symlinks=False):
                found += 1
                yield path
            elif is_cache(child.path):
                skip(path, _CACHE_REASON)
            elif _identity(child.path) != avoided:
                inner.append(path)
        waiting.extend(reversed(inner))
        if found > MOST_FILES:
            return


def _identity(path: bytes) -> tuple[int, int] | None:
    try:
        facts = os.stat(path)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino


def without_caches(root: Path, paths: Iterable[bytes], skip: Callable[[bytes, str], None]) -> Iterator[bytes]:
    """Leave out untracked paths that lie in a cache folder; each such folder is reported once."""
    base = os.fsencode(root)
    known: dict[bytes, bool] = {b"": False}
    for path in paths:
        folder = b""
        for part in path.split(b"/")[:-1]:
            folder = folder + b"/" + part if folder else part
            if folder not in known:
                known[folder] = is_cache(base + b"/" + folder)
            if known[folder]:
                skip(folder, _CACHE_REASON)
                break
        else:
            yield path


def copy_paths(root: Path, paths: Iterable[bytes], writer: TreeWriter) -> set[bytes]:
    """Copy these paths of ``root`` into the snapshot; answers those that are not there (any more).

    Raises ``BadInput`` when the folder itself can't be opened.
    """
    gone: set[bytes] = set()
    wanted = []
    for path in sorted(set(paths)):
        problem = name_problem(path)
        if problem:
            writer.skip(path, problem)
        else:
            wanted.append(path)
    try:
        opened = FolderReader(root)
    except OSError as error:
        raise BadInput(
            f"The folder {printable(os.fsencode(root))} can't be read ({error.strerror}). Nothing was changed.",
            "Check its permissions.",
        ) from error
    with opened as reader:
        seen = _look(reader, wanted, writer, gone)
        refuse_oversize(
            {
                path: facts.st_size
                for path, facts in seen.items()
                if stat.S_ISREG(facts.st_mode) and facts.st_size <= MOST_FILE_BYTES
            }
        )
        for path, facts in seen.items():
            stopping.check()
            try:
                _copy_one(reader, path, facts, writer)
            except TooLarge as error:
                writer.skip(path, too_large(int(error.args[0])))
            except _Gone:
                gone.add(path)
    return gone


class _Gone(Exception):
    """There is no such file any more."""


def _look(
    reader: FolderReader, paths: list[bytes], writer: TreeWriter, gone: set[bytes]
) -> dict[bytes, os.stat_result]:
    """Facts of every path that can be copied as a file or a link; the others are noted."""
    seen: dict[bytes, os.stat_result] = {}
    for path in paths:
        stopping.check()
        try:
            facts = reader.facts(path)
        except OSError as error:
            if error.errno in _GONE:
                gone.add(path)
            else:
                writer.skip(path, _unreadable(error))
            continue
        special = next((reason for is_special, reason in _SPECIAL if is_special(facts.st_mode)), "")
        if special:
            writer.skip(path, special)
        elif stat.S_ISDIR(facts.st_mode):
            gone.add(path)
        else:
            seen[path] = facts
    return seen


def _unreadable(error: OSError) -> str:
    return f"It can't be read ({error.strerror}), so it was left out."


def _copy_one(reader: FolderReader, path: bytes, facts: os.stat_result, writer: TreeWriter) -> None:
    try:
        if stat.S_ISLNK(facts.st_mode):
            writer.add_link(path, reader.link_target(path))
            return
        if facts.st_size > MOST_FILE_BYTES:
            raise TooLarge(facts.st_size)
        content, facts = reader.read(path)
    except OSError as error:
        if error.errno in (*_GONE, errno.EINVAL):
            raise _Gone from error
        writer.skip(path, _unreadable(error))
        return
    writer.add_file(path, content, executable=bool(facts.st_mode & stat.S_IXUSR))
