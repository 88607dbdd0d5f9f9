"""Writes the snapshot's own copy of the tree: regular files and inner links, nothing else."""

# Names are bytes here, because a name need not be text, and pathlib knows only text.
# ruff: noqa: PTH101, PTH102, PTH115, PTH123, PTH211

from __future__ import annotations

import os
import re
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import GIB, MIB
from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.repository.links import refusal
from qverify_desktop.repository.objects import EXECUTABLE, REGULAR, SYMLINK, Entry, object_id

MOST_FILE_BYTES = 50 * MIB
MOST_TOTAL_BYTES = 2 * GIB
MOST_FILES = 200_000

_LFS_POINTER = re.compile(rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v\d+\n")
_LFS_POINTER_BYTES = 1024


def printable(path: bytes) -> str:
    """A path for a person and for JSON: bytes that are no UTF-8 stand escaped."""
    return path.decode("utf-8", "backslashreplace")


def name_problem(path: bytes) -> str:
    """Why a path can't be part of a snapshot, as a sentence; empty when it can."""
    if len(path) > 3000:
        return "Its path is longer than a file system can hold, so it was left out."
    for part in path.split(b"/"):
        if part in (b"", b".", b"..") or b"\0" in part:
            return "Its name would leave the snapshot, so it was left out."
        if part.rstrip(b" .").lower() in (b".git", b"git~1"):
            return "Files of git itself are not part of a snapshot."
        if len(part) > 255:
            return "Its name is longer than a file system can hold."
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return "Its name is not valid UTF-8, so it was left out; the name is shown escaped."
    return ""


def too_large(size: int) -> str:
    """The sentence for one file over the limit."""
    return f"It has {size / MIB:.0f} MiB; files over {MOST_FILE_BYTES // MIB} MiB are left out."


def refuse_oversize(sizes: dict[bytes, int]) -> None:
    """Raise ``BadInput`` when the files that would be copied are too many or too large together."""
    if len(sizes) > MOST_FILES:
        raise BadInput(
            f"The repository has {len(sizes):,} files; more than {MOST_FILES:,} are not analysed. Nothing was changed.",
            _advice(dict.fromkeys(sizes, 1), "files"),
        )
    total = sum(sizes.values())
    if total > MOST_TOTAL_BYTES:
        raise BadInput(
            f"The repository has {total / GIB:.1f} GiB in files of up to {MOST_FILE_BYTES // MIB} MiB; "
            f"more than {MOST_TOTAL_BYTES // GIB} GiB are not analysed. Nothing was changed.",
            _advice(sizes, "bytes"),
        )


def _advice(weights: dict[bytes, int], unit: str) -> str:
    heads: dict[bytes, int] = {}
    for path, weight in weights.items():
        head = path.split(b"/", 1)[0]
        heads[head] = heads.get(head, 0) + weight
    largest = sorted(heads, key=lambda head: (-heads[head], head))[:3]
    named = ", ".join(
        f"{printable(head)} ({heads[head]:,} files)"
        if unit == "files"
        else f"{printable(head)} ({heads[head] / MIB:,.0f} MiB)"
        for head in largest
    )
    return f"The largest parts are {named}: name them in .gitignore, or analyse a subfolder."


class TreeWriter:
    """Collects files and links of one snapshot below ``root`` and knows their git entries.

    Links are written last, so that no file can ever be written through one.
    """

    def __init__(self, root: Path) -> None:
        self.root = os.fsencode(root)
        self.entries: dict[bytes, Entry] = {}
        self.skipped: dict[bytes, str] = {}
        self.lfs_pointers: list[bytes] = []
        self.total_bytes = 0
        self._links: dict[bytes, bytes] = {}
        self._folders: set[bytes] = {b""}
        root.mkdir(parents=True)
        root.chmod(0o755)

    def skip(self, path: bytes, reason: str) -> None:
        """Note that a path was left out."""
        self.skipped.setdefault(path, reason)

    def add_file(self, path: bytes, content: bytes, *, executable: bool) -> None:
        """Write one regular file; what is hashed is what is written."""
        problem = name_problem(path) or self._make_folder(path)
        if problem:
            self.skip(path, problem)
            return
        if self.total_bytes + len(content) > MOST_TOTAL_BYTES:
            raise BadInput(
                f"The repository has more than {MOST_TOTAL_BYTES // GIB} GiB, which is not analysed. Nothing was changed.",
                "Name large folders in .gitignore, or analyse a subfolder.",
            )
        target = self.root + b"/" + path
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
        try:
            descriptor = os.open(target, flags, 0o600)
        except (FileExistsError, IsADirectoryError):
            self.skip(path, "Another entry of the repository has the same name, so it was left out.")
            return
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            os.fchmod(descriptor, 0o755 if executable else 0o644)
        self.total_bytes += len(content)
        self.entries[path] = Entry(EXECUTABLE if executable else REGULAR, object_id("blob", content))
        if len(content) <= _LFS_POINTER_BYTES and _LFS_POINTER.match(content):
            self.lfs_pointers.append(path)

    def add_link(self, path: bytes, target: bytes) -> None:
        """Note a symbolic link; ``finish`` decides on it when all links are known."""
        self._links[path] = target

    def finish(self) -> None:
        """Write the links that stay inside the tree, refuse the others. Once they are decided, this does nothing more."""
        links, self._links = self._links, {}
        for path, target in sorted(links.items()):
            problem = name_problem(path) or refusal(path, links)
            if not problem and (not target or b"\0" in target or not _is_utf8(target)):
                problem = "The target of this symbolic link is not valid UTF-8, so it was left out."
            problem = problem or self._make_folder(path)
            if problem:
                self.skip(path, problem)
                continue
            try:
                os.symlink(target, self.root + b"/" + path)
            except FileExistsError:
                self.skip(path, "Another entry of the repository has the same name, so it was left out.")
                continue
            self.entries[path] = Entry(SYMLINK, object_id("blob", target))

    def content(self, path: bytes) -> bytes:
        """What was written at ``path`` (a link's target for a link)."""
        where = self.root + b"/" + path
        if self.entries[path].mode == SYMLINK:
            return os.readlink(where)
        with open(where, "rb") as file:
            return file.read()

    def notes(self) -> tuple[SkippedPath, ...]:
        """Everything that was left out, in order."""
        return tuple(SkippedPath(printable(path), reason) for path, reason in sorted(self.skipped.items()))

    def _make_folder(self, path: bytes) -> str:
        parent = path.rpartition(b"/")[0]
        if parent in self._folders:
            return ""
        built = b""
        for part in parent.split(b"/"):
            built = built + b"/" + part if built else part
            if built in self._folders:
                continue
            where = self.root + b"/" + built
            try:
                os.mkdir(where)
            except FileExistsError:
                return "Another entry of the repository has the name of its folder, so it was left out."
            os.chmod(where, 0o755)  # noqa: S103 (the container's user has to read it)
            self._folders.add(built)
        return ""


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
