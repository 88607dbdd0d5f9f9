"""Examples that name the parameters instead of writing a call: ``Input: arr = [4, 4], k = 2`` with ``Output: [4, 4]``,
and ``For s = "ab", c = "a", the result should be "b"``. Read only in the docstring of a function whose parameters are
exactly the ones named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from qverify_desktop.domain.project import Parameter, PromiseRelation, Target
from qverify_desktop.languages.python.examples import Example
from qverify_desktop.languages.python.literals import literal_at
from qverify_desktop.languages.python.passages import Passage

_INPUT = re.compile(r"(?i)^[\s*`-]*(?:sample\s+)?input\s*:\s*(.*)$")
_OUTPUT = re.compile(r"(?i)^[\s*`-]*(?:sample\s+|expected\s+)?output\s*:\s*`?(.*)$")
_FOR = re.compile(
    r"(?i)^[\s*`-]*(?:for|with|if|given)\s+(.*?)[,:]?\s+.*?\b(?:result|output|answer)\s+(?:should|must|will|would)\s+be:?\s*`?"
)
_ASSIGNED = re.compile(r"\s*,?\s*`?([A-Za-z_]\w*)\s*[=:]\s*")
_MOST_INPUT_LINES = 12


def named_examples(passage: Passage) -> Iterator[Example]:
    """Examples of both notations in a function's own docstring."""
    owner = passage.owner
    if owner is None or owner.callee != "function" or "." in owner.symbol:
        return
    for index, line in enumerate(passage.lines):
        example = _sentence(owner, line, index) or _input_output(owner, passage.lines, index)
        if example is not None:
            yield example


def _sentence(owner: Target, line: str, index: int) -> Example | None:
    opening = re.match(r"(?i)^[\s*`-]*(?:for|with|given)\s+", line)
    closing = re.search(r"(?i)\b(?:result|output|answer)\s+(?:should|must|will|would)\s+be:?\s*`?", line)
    if not opening or not closing:
        return None
    read = _assignments(owner, line[: closing.start()], opening.end())
    value = literal_at(line, closing.end())
    if read is None or value is None or not _closed(line, value[1]):
        return None
    between = line[read[1] : closing.start()]
    if re.match(r"\s*[=:+*/-]|\s*(?:or|and)\b", between):
        return None
    return _example(owner, read[0], value[0], "for … the result should be", index, index)


def _input_output(owner: Target, lines: Sequence[str], index: int) -> Example | None:
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
        answer, last = lines[end + 1], end + 1
    value = literal_at(answer, len(answer) - len(answer.lstrip()))
    if value is None or not _closed(answer, value[1]):
        return None
    arguments = _arguments(owner, given)
    return _example(owner, arguments, value[0], "Input/Output", index, last) if arguments is not None else None


def _arguments(owner: Target, given: str) -> list[tuple[str, str]] | None:
    read = _assignments(owner, given, 0)
    if read is not None and not given[read[1] :].strip(" \n`.;,"):
        return read[0]
    required = _required(owner.parameters)
    single = literal_at(given, 0)
    if single is not None and len(owner.parameters) == len(required) == 1 and not given[single[1] :].strip(" \n`.;"):
        return [(required[0], single[0])]
    return None


def _assignments(owner: Target, text: str, start: int) -> tuple[list[tuple[str, str]], int] | None:
    """Each parameter of ``owner`` with its literal, from ``name = literal, …`` at ``start``, and where that ends."""
    found: list[tuple[str, str]] = []
    position = start
    while match := _ASSIGNED.match(text, position):
        value = literal_at(text, match.end())
        if value is None:
            break
        found.append((match.group(1), value[0]))
        position = value[1] + len(text[value[1] :]) - len(text[value[1] :].lstrip("`"))
        conjunction = re.match(r"\s+and\s+(?=[A-Za-z_]\w*\s*=)", text[position:])
        if conjunction:
            position += conjunction.end()
    names = [name for name, _ in found]
    known = {parameter.name for parameter in owner.parameters}
    if not found or len(set(names)) != len(names) or not set(names) <= known:
        return None
    if not set(_required(owner.parameters)) <= set(names):
        return None
    return found, position


def _required(parameters: Sequence[Parameter]) -> list[str]:
    return [item.name for item in parameters if item.default is None and not item.kind.startswith("var_")]


def _closed(text: str, end: int) -> bool:
    rest = text[end:].lstrip("`*")
    return bool(not rest.strip() or re.match(r"\.(?![\w.])|\s*[;!]|\s*\(|\s+#|,\s*(?![\[\]({'\"\d-])", rest))


def _example(
    owner: Target, arguments: Sequence[tuple[str, str]], expected: str, form: str, start: int, end: int
) -> Example | None:
    order = {parameter.name: position for position, parameter in enumerate(owner.parameters)}
    keyword_only = {parameter.name for parameter in owner.parameters if parameter.kind == "keyword_only"}
    given = sorted(arguments, key=lambda item: order[item[0]])
    positional = [name for name, _ in given] == [item.name for item in owner.parameters[: len(given)]]
    written = [value if positional and name not in keyword_only else f"{name}={value}" for name, value in given]
    return Example(f"{owner.symbol}({', '.join(written)})", expected, PromiseRelation.EQUALS, form, start, end)
