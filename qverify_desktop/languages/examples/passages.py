"""Where a repository speaks in languages with doc comments: comments above definitions, and documentation files."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Snapshot, Target
from qverify_desktop.languages.files import read_text

MOST_DOC_FILES = 300
MOST_BYTES = 1024 * 1024
_DOC_SUFFIXES = (".md", ".rst", ".txt", ".markdown", ".adoc")
_DOC_FOLDERS = ("docs/", "doc/")
#: Files that speak of other versions, of other projects, or of no code at all.
_NOT_ABOUT_NOW = re.compile(
    r"(?i)^(change|history|news|release|migrat|upgrad|licen[cs]e|copying|notice|authors|contribut|security|todo|roadmap"
    r"|require|constraints|manifest|credits|whats_?new|sources|cmakelists|top_level|dependency_links)"
)


@dataclass(frozen=True)
class Passage:
    """A piece of prose. ``lines`` are as a reader sees them; line ``i`` stands at ``first + i`` of ``file``.

    ``raw`` are the lines of the file itself. ``owner`` is the target that the passage describes; ``None`` in a
    documentation file, where a call must name its function.
    """

    file: str
    raw: tuple[str, ...]
    lines: tuple[str, ...]
    first: int
    owner: Target | None = None

    def words(self, start: int, end: int) -> str:
        """The file's text from line ``start`` to ``end`` (indices into ``lines``, inclusive), verbatim, trimmed."""
        return "\n".join(self.raw[self.first - 1 + start : self.first + end]).strip()


def documentation(snapshot: Snapshot) -> Iterator[Passage]:
    """Prose files at the root and below the documentation folders that speak of the code as it is now, in name order."""
    for path in documentation_files(snapshot.files):
        text = read_text(snapshot.root, path, MOST_BYTES)
        if text:
            lines = tuple(line.rstrip("\r") for line in text.split("\n"))
            yield Passage(path, lines, lines, 1)


def documentation_files(files: Sequence[str]) -> list[str]:
    """Their paths, at most ``MOST_DOC_FILES``."""
    found = []
    for path in sorted(files):
        name = path.rpartition("/")[2]
        in_place = "/" not in path or path.lower().startswith(_DOC_FOLDERS)
        if in_place and name.lower().endswith(_DOC_SUFFIXES) and not _NOT_ABOUT_NOW.match(name):
            found.append(path)
    return found[:MOST_DOC_FILES]
