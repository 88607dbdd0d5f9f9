"""What generated test files of every language have in common: the words above each test, its name, its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from qverify_desktop.domain.testing import GeneratedTest, Label

HEADER = "Tests written by QVerify Desktop. The comment above each test says what it rests on."
_MOST_QUOTED = 160
#: Characters of a name in a file's name; file systems take 255 bytes in all.
MOST_NAME = 120


def by_path(tests: Sequence[GeneratedTest]) -> dict[str, list[GeneratedTest]]:
    """Tests of each file in their order; a test that occurs twice is written once."""
    grouped: dict[str, list[GeneratedTest]] = {}
    for test in tests:
        group = grouped.setdefault(test.path, [])
        if all(other.name != test.name for other in group):
            group.append(test)
    return grouped


def comment(test: GeneratedTest, mark: str = "//") -> list[str]:
    """The label, and the quoted words on one line: nothing in them can end the comment."""
    if test.label is Label.SPECIFICATION and test.quote is not None:
        words = one_line(test.quote.text)
        shown = words if len(words) <= _MOST_QUOTED else f"{words[: _MOST_QUOTED - 1]}…"
        return [f"{mark} {test.label.value}, {one_line(test.quote.file)}:{test.quote.line}", f"{mark}   {shown}"]
    return [f"{mark} {test.label.value}: what the code does today"]


def one_line(text: str) -> str:
    """Text that can stand in a line comment: no line break of any kind, no control character, no bidirectional override."""
    unsafe = r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]"
    return " ".join(re.sub(unsafe, " ", text).replace("*/", "* /").split())


def file_stem(name: str) -> str:
    """A module's name as a part of a file's name."""
    plain = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "module"
    if len(plain) > MOST_NAME:
        plain = f"{plain[:MOST_NAME]}_{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    return plain


def identifier(symbol: str) -> str:
    """A symbol as a part of a function's name."""
    return re.sub(r"\W", "_", symbol.replace(".", "_"), flags=re.ASCII).strip("_") or "value"
