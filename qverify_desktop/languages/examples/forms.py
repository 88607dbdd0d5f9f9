"""Written examples in prose and in the notations that people of every language use: one call, one expectation, one place.

``>>> f(x)`` with its answer below, ``f(x) == y``, ``->``, ``➞``, ``=>``, ``// => y``, ``f(x) returns y``, ``f(x).equals(y)``,
``Input: … Output: …``, ``For n = 3 the output should be 7``. Precision comes first: what can be read in more than one way is
left out, and told apart as ``Unread`` so that a report can say so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qverify_desktop.languages.values.calculation import calculated_at
from qverify_desktop.languages.values.notation import arguments_at, value_at
from qverify_desktop.languages.values.value import Made, Nothing, Value, Word, holds

MOST_LINES_OF_ONE = 14
#: A longer line is no example that a person wrote.
MOST_CHARACTERS = 4_000

#: Wording around an example that takes it back, or that speaks of another version of the code.
RETRACTED = re.compile(
    r"(?i)\b(?:wrong|incorrect(?:ly)?|don'?t|do not|never|deprecated|before(?=\s?:)|previously|formerly|used to|buggy|bug"
    r"|bad(?=\s?:)|instead of|rather than|not supported|no longer|unlike|might|may|could|possibl[ey]|approximately"
    r"|roughly|something like|pseudo|fixme|todo|sometimes|depends|random(?:ly)?|old(?=\s?:)|invalid|throws?|panics?)\b"
)
_SPACE = r"[ \t`*]{0,40}"
_COMMENT = (
    r"(?:\#+|//+|--)[ \t]{0,20}(?:(?:(?:it[ \t]+)?(?:should[ \t]+)?returns?|gives?|evaluates[ \t]+to|results?(?:[ \t]+in)?"
    r"|output|is|outputs|prints)\b[ \t]{0,9}:?|[-=]+>|===?|[→➞⟶⇒])"
)
_SAYS = (
    r"(?:returns?|gives?|yields?|evaluates[ \t]+to|equals|results[ \t]+in|is[ \t]+equal[ \t]+to"
    r"|(?:should|must|will|would|shall)[ \t]+(?:return|be|equal|give|evaluate[ \t]+to|result[ \t]+in))"
)
#: (notation's name, what stands between the call and its value), tried in this order.
_MARKERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("==>", re.compile(rf"{_SPACE}==+>{_SPACE}")),
    ("=>", re.compile(rf"{_SPACE}=>{_SPACE}")),
    ("==", re.compile(rf"{_SPACE}===?(?![=>]){_SPACE}")),
    ("->", re.compile(rf"{_SPACE}-+>{_SPACE}")),
    ("→", re.compile(rf"{_SPACE}[→➞⟶⇒]{_SPACE}")),
    ("equals", re.compile(r"\.equals\(")),
    ("// =>", re.compile(rf"[ \t`;]{{0,40}}{_COMMENT}{_SPACE}", re.IGNORECASE)),
    ("//", re.compile(r"[ \t`;]{0,40}(?:\#+|//+)[ \t]{0,9}")),
    ("=", re.compile(rf"{_SPACE}=(?![=>]){_SPACE}")),
    ("returns", re.compile(rf"{_SPACE}\b{_SAYS}\b:?{_SPACE}", re.IGNORECASE)),
)
_IS = re.compile(rf"{_SPACE}\bis\b{_SPACE}(?=(?:true|false|null|nil|True|False|None)\b)")
_COLON = re.compile(r"[ \t`]{0,9}:[ \t]{1,9}`?")
_PROMPT = re.compile(r"^\s{0,40}(?:>>>|>|\$|jshell>|js>|In \[\d{1,4}\]:)[ \t]")
_CALL = re.compile(r"(?<![\w.'\"\])$])((?:[A-Za-z_$][\w$]{0,80}(?:\.|::)){0,6}[A-Za-z_$][\w$]{0,80})\(")
_BOUND = re.compile(
    r"^\s{0,40}(?:(?:const|let|var|final|auto)\s+)?[\w<>\[\]]{0,40}\s?[A-Za-z_]\w{0,60}\s{0,3}:?=\s{0,3}$"
)
_INSIDE = re.compile(
    r"(?:[-+/%=<>\[{&|^~@!]|\*|(?<=[\w\])])\(|\b(?:not|in|and|or|lambda|await|if|else|new|fn|def|func|function))\s{0,9}$"
)
_BULLET = re.compile(r"^\s{0,80}(?:(?:[*+•-]|\d{1,3}[.)])\s{1,9})?(?:assert\s{1,9})?")


@dataclass(frozen=True)
class Written:
    """An example. ``name`` is the callee as written (``mod.f``); ``None`` where parameters are named instead of called.

    ``arguments`` stand in the order written; ``named`` are those given by name. ``start`` and ``end`` are indices of the
    passage's lines (inclusive).
    """

    name: str | None
    arguments: tuple[Value, ...]
    expected: Value
    form: str
    start: int
    end: int
    named: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True)
class Unread:
    """Words that look like an example of a known function and can't be read in one way only."""

    start: int
    end: int
    name: str


def examples(lines: Sequence[str], known: Callable[[str], bool]) -> Iterator[Written | Unread]:
    """Every example of a callee that ``known`` accepts, in the order of its lines, each line used once."""
    index = 0
    while index < len(lines):
        if len(lines[index]) > MOST_CHARACTERS:
            index += 1
            continue
        prompt = _PROMPT.match(lines[index])
        found, used = (_session if prompt else _sentence)(lines, index, known)
        yield from found
        index += used


def _session(lines: Sequence[str], index: int, known: Callable[[str], bool]) -> tuple[list[Written | Unread], int]:
    """``>>> f(x)`` with its answer on the next line, or on the same."""
    prompt = _PROMPT.match(lines[index])
    code = lines[index][prompt.end() :] if prompt else lines[index]
    span = _call(code, 0, known)
    if span is None:
        return [], 1
    start, name, end = span
    arguments = arguments_at(code, code.index("(", start))
    before = code[:start].strip()
    rest = code[end:].strip().rstrip(";")
    if before in ("", "assert") and rest and not rest.startswith(("#", "//")):
        same = _expectation(code, start, end, name, index)
        return ([same] if same else [Unread(index, index, name)]), 1
    if before or arguments is None:
        return [Unread(index, index, name)], 1
    following = lines[index + 1].strip() if index + 1 < len(lines) else ""
    if not following or _PROMPT.match(lines[index + 1]) or following.startswith((">>>", "...")):
        # No answer is one: a call at a prompt shows nothing where it gives nothing.
        return [], 1
    value = value_at(following)
    if value is None or not _ends(following, value[1]):
        return [Unread(index, index + 1, name)], 2
    return [Written(name, arguments[0], value[0], "prompt", index, index + 1)], 2


def _sentence(lines: Sequence[str], index: int, known: Callable[[str], bool]) -> tuple[list[Written | Unread], int]:
    """Examples of one line, joined with those that follow where its brackets stay open."""
    text, used = lines[index], 1
    span = _call(text, 0, known)
    if span is None and any(known(match.group(1)) for match in _CALL.finditer(text)):
        while span is None and used < MOST_LINES_OF_ONE and index + used < len(lines) and lines[index + used].strip():
            text = f"{text}\n{lines[index + used]}"
            used += 1
            span = _call(text, 0, known)
        if span is None:
            return [], 1
    found: list[Written | Unread] = []
    while span is not None:
        start, name, end = span
        line, last = index + text[:start].count("\n"), index + text[:end].count("\n")
        example = _expectation(text, start, end, name, line) if _stands_free(text, start) else None
        if example is None and last + 1 < len(lines) and not text[end:].strip(" ;`"):
            # ``f(x)`` with ``// => y`` below it.
            below = lines[last + 1].strip()
            if re.match(r"(?:#|//)\s{0,9}(?:[-=]+>|[→➞])", below):
                example = _expectation(f"{text[:end]} {below}", start, end, name, line)
                if example is not None:
                    example = Written(example.name, example.arguments, example.expected, example.form, line, last + 1)
                    used += 1
        if example is not None:
            found.append(example)
            if RETRACTED.search(_remark(text, start, end)):
                found.pop()
        elif _looks_meant(text, start, end) and _stands_free(text, start):
            found.append(Unread(line, last, name))
        span = _call(text, end, known)
    return found, used


def _remark(text: str, start: int, end: int) -> str:
    """The words of the example's lines outside of the call itself and of quotes."""
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    around = text[first:start] + " " + text[end : last if last >= 0 else len(text)]
    return re.sub(r"\"[^\"\n]{0,400}\"|'[^'\n]{0,400}'", " ", around)


def _looks_meant(text: str, start: int, end: int) -> bool:
    """Whether an example was meant: one of its sides can be read, and a sign stands between them."""
    signs = [marker.match(text, end) for form, marker in _MARKERS if form not in ("//", "=", "returns")]
    sign = next((match for match in signs if match), None)
    if sign is None:
        return False
    arguments = arguments_at(text, text.index("(", start))
    given = arguments is not None and arguments[1] == end and not any(holds(one, Word) for one in arguments[0])
    answer = value_at(text, sign.end())
    return given != (answer is not None and not isinstance(answer[0], Word))


def _call(text: str, at: int, known: Callable[[str], bool]) -> tuple[int, str, int] | None:
    """Start, name and end of the first call of a known function at or after ``at``."""
    for match in _CALL.finditer(text, at):
        if known(match.group(1)):
            end = _closed(text, match.end() - 1)
            if end is not None:
                return match.start(), match.group(1), end
    return None


def _closed(text: str, at: int) -> int | None:
    """Offset after the bracket that closes the one at ``at``, strings respected."""
    pairs, stack = {"(": ")", "[": "]", "{": "}"}, []
    while at < len(text):
        character = text[at]
        if character in pairs:
            stack.append(pairs[character])
        elif character in ")]}":
            if stack.pop() != character:
                return None
            if not stack:
                return at + 1
        elif character in "\"'`":
            value = value_at(text, at)
            if value is None:
                return None
            at = value[1]
            continue
        at += 1
    return None


def _stands_free(text: str, start: int) -> bool:
    before = text[text.rfind("\n", 0, start) + 1 : start]
    bullet = _BULLET.match(before)
    rest = before[bullet.end() :] if bullet else before
    return bool(not rest.strip() or rest.endswith("`") or _BOUND.match(rest) or not _INSIDE.search(rest))


def _expectation(text: str, start: int, end: int, name: str, line: int) -> Written | None:
    arguments = arguments_at(text, text.index("(", start))
    if arguments is None or arguments[1] != end:
        return None
    before = text[text.rfind("\n", 0, start) + 1 : start].rstrip("`")
    bound = bool(_BOUND.match(before))
    for form, marker in _MARKERS:
        match = marker.match(text, end)
        if match and match.end() > end and not (bound and not form.startswith("//")):
            return _valued(text, arguments[0], form, name, start, match.end(), line)
    match = _IS.match(text, end)
    if match:
        return _valued(text, arguments[0], "is", name, start, match.end(), line)
    match = _COLON.match(text, end)
    if match and not before.strip(" \t`*-+•"):
        return _valued(text, arguments[0], ":", name, start, match.end(), line)
    return None


def _valued(
    text: str, arguments: tuple[Value, ...], form: str, name: str, start: int, at: int, line: int
) -> Written | None:
    value = calculated_at(text, at) or value_at(text, at)
    # A word without quotes may be a type, a variable, or prose. Inside a wrapper the language decides.
    if value is None or isinstance(value[0], Word):
        return None
    found, end = value
    if form == "equals":
        if text[end : end + 1] != ")":
            return None
        end += 1
    # Call and value in one code span: the span's end is the value's.
    in_one_span = text[end : end + 1] == "`" and "`" not in text[start:end]
    if not in_one_span and not _ends(text, end, whole_line=form == ":"):
        return None
    if form == "//" and text[end:].split("\n")[0].strip():
        return None
    if form in ("->", "→", ":", "=") and isinstance(found, Nothing) and not arguments:
        return None
    return Written(name, arguments, found, form, line, line + text[start:end].count("\n"))


def _ends(text: str, end: int, *, whole_line: bool = False) -> bool:
    """Whether what follows the value leaves it as it was read: the end, punctuation, or a remark."""
    rest = text[end:].split("\n")[0].lstrip("`*")
    if not rest.strip():
        return True
    if whole_line:
        return False
    comma = re.match(r"\s{0,9},\s{0,9}", rest)
    if comma:
        # ``f(x) -> 1, 2`` may be a row.
        after = value_at(rest, comma.end())
        if after is None or isinstance(after[0], Word):
            return True
        return isinstance(after[0], Made) and any(marker.match(rest, after[1]) for _, marker in _MARKERS)
    return bool(re.match(r"\s{0,9}[;)!?]|\.(?![\w.])|\s{0,9}:(?:\s|$)|\s+(?:[(#—–]|//)|\s+(?:because|since)\s", rest))
