"""A unified diff (as ``git diff`` or ``diff -u`` write it) as rows of files, parsed in small steps."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

#: Lines between two steps.
STEP = 500
_HUNK = re.compile(r"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@")
_OCTAL = re.compile(r"((?:\\[0-3][0-7]{2})+)|\\(.)")
_QUOTED = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Kind(IntEnum):
    """What a row is. A note is a remark that belongs to no side: a mode, "No newline at end of file"."""

    FILE = 0
    HUNK = 1
    SAME = 2
    ADDED = 3
    REMOVED = 4
    NOTE = 5


@dataclass
class FileDiff:
    """One file. Its heading is row ``first``, its last row stands before ``end``. ``status`` is changed, added, deleted,
    renamed or binary; ``old_path`` is another than ``path`` when it was renamed."""

    path: str
    first: int
    old_path: str = ""
    status: str = "changed"
    end: int = 0
    added: int = 0
    removed: int = 0


class UnifiedDiff:
    """Rows and files; both grow while ``parse`` runs. Numbers of lines count from 1, 0 where a side has no such line."""

    def __init__(self) -> None:
        self.files: list[FileDiff] = []
        self.kinds = bytearray()
        self.texts: list[str] = []
        self.old = array("l")
        self.new = array("l")
        self.owners = array("l")
        self.largest_number = 0
        self.longest_text = ""
        self._left = (0, 0)
        self._at = (0, 0)
        self._binary = False
        self._paths_named = False

    def __len__(self) -> int:
        return len(self.texts)

    def parse(self, text: str) -> Iterator[None]:
        """Read it all; what is no diff is left out."""
        lines = text.split("\n")
        if lines and not lines[-1]:
            lines.pop()
        for start in range(0, len(lines), STEP):
            for line in lines[start : start + STEP]:
                self._read(line)
            if self.files:
                self.files[-1].end = len(self)
            yield

    def _read(self, line: str) -> None:
        if any(self._left) and self._read_in_hunk(line):
            return
        found = _HUNK.match(line)
        if found and self.files:
            self._at = (int(found[1]), int(found[3]))
            self._left = (int(found[2] or 1), int(found[4] or 1))
            self._add(Kind.HUNK, line)
        elif line.startswith("diff --git "):
            self._open(_path_of_header(line[len("diff --git ") :]))
        elif line.startswith("--- ") and not self._binary:
            self._read_old_path(_path_of(line[4:]))
        elif line.startswith("+++ ") and self.files and not self._binary:
            self._read_new_path(_path_of(line[4:]))
        elif self.files and not self._binary:
            self._read_header(line)

    def _read_in_hunk(self, line: str) -> bool:
        """A line of a hunk; answers whether it is one. Only the hunk's own counts tell: a removed line may look like a header."""
        (old_left, new_left), (old, new) = self._left, self._at
        sign, file = line[:1], self.files[-1]
        if sign == "+" and new_left:
            self._add(Kind.ADDED, line[1:], new=new)
            file.added += 1
            self._left, self._at = (old_left, new_left - 1), (old, new + 1)
        elif sign == "-" and old_left:
            self._add(Kind.REMOVED, line[1:], old=old)
            file.removed += 1
            self._left, self._at = (old_left - 1, new_left), (old + 1, new)
        elif sign in (" ", "") and old_left and new_left:
            self._add(Kind.SAME, line[1:], old, new)
            self._left, self._at = (old_left - 1, new_left - 1), (old + 1, new + 1)
        elif sign == "\\":
            self._add(Kind.NOTE, line[1:].strip())
        else:
            self._left = (0, 0)
            return False
        return True

    def _read_old_path(self, path: str) -> None:
        """``---`` belongs to the file that ``diff --git`` opened, or opens one where there was none."""
        if not self.files or self._paths_named:
            self._open(path)
        self._paths_named = True
        file = self.files[-1]
        if path:
            file.old_path = path
        elif file.status == "changed":
            file.status = "added"

    def _read_new_path(self, path: str) -> None:
        file = self.files[-1]
        if path:
            file.path = path
            if file.status == "changed" and file.old_path != path:
                file.status = "renamed"
        else:
            file.path, file.status = file.old_path or file.path, "deleted"

    def _read_header(self, line: str) -> None:
        file = self.files[-1]
        if line.startswith("new file mode"):
            file.status = "added"
        elif line.startswith("deleted file mode"):
            file.status = "deleted"
        elif line.startswith("rename from "):
            file.old_path, file.status = _unquoted(line[len("rename from ") :]), "renamed"
        elif line.startswith("rename to "):
            file.path = _unquoted(line[len("rename to ") :])
        elif line.startswith(("Binary files ", "GIT binary patch")):
            file.status, self._binary = "binary", True
        elif line.startswith(("old mode", "new mode")):
            self._add(Kind.NOTE, line)
        elif line.startswith("\\"):
            self._add(Kind.NOTE, line[1:].strip())

    def _open(self, path: str) -> None:
        if self.files:
            self.files[-1].end = len(self)
        self.files.append(FileDiff(path, len(self), path))
        self._left, self._binary, self._paths_named = (0, 0), False, False
        self._add(Kind.FILE, "")

    def _add(self, kind: Kind, text: str, old: int = 0, new: int = 0) -> None:
        self.kinds.append(kind)
        self.texts.append(text)
        self.old.append(old)
        self.new.append(new)
        self.owners.append(len(self.files) - 1)
        self.largest_number = max(self.largest_number, old, new)
        if len(text) > len(self.longest_text):
            self.longest_text = text


def _path_of(text: str) -> str:
    """The path of a ``---`` or ``+++`` line, empty for ``/dev/null``."""
    path = _unquoted(text) if text.startswith('"') else text.split("\t")[0]
    if path == "/dev/null":
        return ""
    return path[2:] if path[:2] in ("a/", "b/") else path


def _path_of_header(text: str) -> str:
    """The path of ``diff --git a/PATH b/PATH``. It may hold blanks, so two equal halves are looked for first."""
    half = (len(text) - 5) // 2
    if text[2 : 2 + half] == text[5 + half :]:
        return text[2 : 2 + half]
    return _path_of(text[text.rfind(' "b/') + 1 :] if text.endswith('"') else text[text.rfind(" b/") + 1 :])


def _unquoted(text: str) -> str:
    """A path that git quoted as a C string, with bytes in octal."""
    if len(text) < 2 or not text.startswith('"'):
        return text
    inner = text[1 : text.rfind('"')] if text.rfind('"') else text[1:]
    return _OCTAL.sub(_unescape, inner)


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        return bytes(int(one, 8) for one in found[1].split("\\")[1:]).decode("utf-8", "replace")
    return _QUOTED.get(found[2], found[2])
