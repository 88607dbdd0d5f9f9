"""Examples that name the parameters instead of writing a call: ``Input: arr = [4, 4], k = 2`` with ``Output: [4, 4]``, and
``For s = "ab", c = "a", the result should be "b"``. Read only in the comment of a function whose parameters they are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qverify_desktop.languages.examples.forms import Written
from qverify_desktop.languages.values.notation import value_at
from qverify_desktop.languages.values.value import Value, Word, holds

_INPUT = re.compile(r"(?i)^[\s*`-]{0,40}(?:sample\s+)?input\s{0,9}:\s{0,9}(.*)$")
_OUTPUT = re.compile(r"(?i)^[\s*`-]{0,40}(?:sample\s+|expected\s+)?output\s{0,9}:\s{0,9}`?(.*)$")
_OPENING = re.compile(r"(?i)^[\s*`-]{0,40}(?:for|with|given|if)\s+")
_CLOSING = re.compile(r"(?i)\b(?:result|output|answer)\s+(?:should|must|will|would)\s+be:?\s{0,9}`?")
_ASSIGNED = re.compile(r"\s{0,9},?\s{0,9}`?([A-Za-z_]\w{0,80})\s{0,9}[=:]\s{0,9}")
_MOST_INPUT_LINES = 12


def named_examples(lines: Sequence[str], parameters: Sequence[str]) -> Iterator[Written]:
    """Examples of both notations; ``parameters`` are the names of the owner's required parameters, in order."""
    for index, line in enumerate(lines):
        example = _sentence(parameters, line, index) or _input_output(parameters, lines, index)
        if example is not None:
            yield example


def _sentence(parameters: Sequence[str], line: str, index: int) -> Written | None:
    opening, closing = _OPENING.match(line), _CLOSING.search(line)
    if not opening or not closing:
        return None
    read = _assignments(parameters, line[: closing.start()], opening.end())
    value = value_at(line, closing.end())
    if read is None or value is None or holds(value[0], Word) or not _closed(line, value[1]):
        return None
    if re.match(r"\s{0,9}(?:[=:+*/-]|(?:or|and)\b)", line[read[1] : closing.start()]):
        return None
    return Written(None, (), value[0], "for … the result should be", index, index, tuple(read[0]))


def _input_output(parameters: Sequence[str], lines: Sequence[str], index: int) -> Written | None:
    opening = _INPUT.match(lines[index])
    if not opening:
        return None
    end = index + 1
    while end < len(lines) and end - index < _MOST_INPUT_LINES and not _OUTPUT.match(lines[end]):
        if _INPUT.match(lines[end]):
            return None
        end += 1
    closing = _OUTPUT.match(lines[end]) if end < len(lines) else None
    if not closing:
        return None
    given = "\n".join([opening.group(1), *lines[index + 1 : end]]).strip()
    answer, last = closing.group(1), end
    if not answer.strip() and end + 1 < len(lines):
        answer, last = lines[end + 1].strip(), end + 1
    value = value_at(answer)
    if value is None or holds(value[0], Word) or not _closed(answer, value[1]):
        return None
    read = _assignments(parameters, given, 0)
    if read is not None and not given[read[1] :].strip(" \n`.;,"):
        return Written(None, (), value[0], "Input/Output", index, last, tuple(read[0]))
    single = value_at(given)
    if single and len(parameters) == 1 and not holds(single[0], Word) and not given[single[1] :].strip(" \n`.;"):
        return Written(None, (single[0],), value[0], "Input/Output", index, last)
    return None


def _assignments(parameters: Sequence[str], text: str, start: int) -> tuple[list[tuple[str, Value]], int] | None:
    """Each parameter with its value, from ``name = value, …`` at ``start``, and where that ends."""
    found: list[tuple[str, Value]] = []
    at = start
    while match := _ASSIGNED.match(text, at):
        value = value_at(text, match.end())
        if value is None or holds(value[0], Word):
            break
        found.append((match.group(1), value[0]))
        at = value[1] + len(text[value[1] :]) - len(text[value[1] :].lstrip("`"))
        conjunction = re.match(r"\s{1,9}and\s{1,9}(?=[A-Za-z_]\w{0,80}\s{0,9}=)", text[at:])
        if conjunction:
            at += conjunction.end()
    names = [name for name, _ in found]
    if not found or len(set(names)) != len(names) or set(names) != set(parameters):
        return None
    return found, at


def _closed(text: str, end: int) -> bool:
    rest = text[end:].lstrip("`*")
    return bool(
        not rest.strip() or re.match(r"\.(?![\w.])|\s{0,9}[;!]|\s{0,9}\(|\s+#|,\s{0,9}(?![\[\]({'\"\d-])", rest)
    )
