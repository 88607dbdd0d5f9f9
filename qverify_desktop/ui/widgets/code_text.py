"""Text of unknown origin as lines that can be shown: what would hide or turn the text around stands as an escape.

Qt counts columns in UTF-16 units, Python in characters; ``units`` is the way from one to the other.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate

#: Longest line that is laid out whole; a generated file may have megabytes in one line.
LONGEST = 2000
TAB = 4
#: Control, direction and invisible characters (those of "Trojan Source", CVE-2021-42574, among them), lone surrogates.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e007f]"
)
_WIDE = re.compile("[\U00010000-\U0010ffff]")


def with_escapes(text: str) -> str:
    """Hidden characters as escapes; line feeds and tabs stay."""
    return _HIDDEN.sub(lambda found: ascii(found[0])[1:-1], text)


def to_lines(text: str) -> list[str]:
    """The lines of a file as Python and coverage count them (ended by LF, CR LF or CR), as they are."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if len(lines) > 1 and not lines[-1]:
        lines.pop()
    return lines


def shown(line: str) -> str:
    """One line as it is shown: with escapes, cut with a mark when it is longer than ``LONGEST``."""
    rest = len(line) - LONGEST
    return with_escapes(line) if rest <= 0 else f"{with_escapes(line[:LONGEST])} … +{rest:,}"


def shown_in_row(line: str) -> str:
    """The same for a row of a list, which has one line and no tab stops."""
    told = shown(line)
    return told.expandtabs(TAB).replace("\n", "\\n") if "\t" in told or "\n" in told else told


def shown_lines(text: str) -> list[str]:
    """All lines of a file as they are shown."""
    lines = to_lines(with_escapes_but_ends(text))
    return [line if len(line) <= LONGEST else shown(line) for line in lines]


def with_escapes_but_ends(text: str) -> str:
    """``with_escapes`` with line ends made LF before."""
    return with_escapes(text.replace("\r\n", "\n").replace("\r", "\n"))


def shown_column(line: str, column: int) -> int:
    """Where a column of the original line (in characters, from 0) stands in the shown one."""
    return len(shown(line)) if column >= LONGEST else len(with_escapes(line[:column]))


def units(line: str, column: int) -> int:
    """The UTF-16 units of the first ``column`` characters."""
    part = line[:column]
    return len(part) if part.isascii() else len(part) + len(_WIDE.findall(part))


def column_of(line: str, count: int) -> int:
    """The characters that the first ``count`` UTF-16 units make: the way back from ``units``."""
    if line.isascii():
        return min(count, len(line))
    seen = 0
    for column, character in enumerate(line):
        if seen >= count:
            return column
        seen += 2 if ord(character) > 0xFFFF else 1
    return len(line)


class ShownText:
    """A file as a code view shows it: its lines, the text that they make together, and the ways between places in it.

    Lines are counted from 0 here; a column is in characters of the shown line.
    """

    def __init__(self, source: str = "") -> None:
        self._source = source
        self.lines = shown_lines(source)
        self.text = "\n".join(self.lines)
        self._starts = list(accumulate((len(line) + 1 for line in self.lines), initial=0))

    @cached_property
    def _original(self) -> list[str]:
        return to_lines(self._source)

    def place(self, offset: int) -> tuple[int, int]:
        """Line and column of a place in ``text``."""
        line = bisect_right(self._starts, offset) - 1
        return line, offset - self._starts[line]

    def start_of(self, line: int) -> int:
        """Where a line begins in ``text``; the line after the last begins after its end."""
        return self._starts[line]

    def shown_column(self, line: int, column: int) -> int:
        """The column of the shown line for a column of the line in the file."""
        return shown_column(self._original[line], column)
