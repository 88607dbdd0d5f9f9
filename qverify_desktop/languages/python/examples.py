"""Examples as they stand in prose, before they are bound to a target: one call, one expectation, one place."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qverify_desktop.domain.project import PromiseRelation
from qverify_desktop.languages.python.literals import balanced_end, is_literal, literal_at
from qverify_desktop.languages.values.calculation import calculated_at

#: Wording around an example that takes the promise back, or that speaks of another version of the code.
RETRACTED = re.compile(
    r"(?i)\b(wrong|incorrect(?:ly)?|don'?t|do not|never|deprecated|before(?=\s*:)|previously|formerly|used to|buggy|bug"
    r"|bad(?=\s*:)|instead of|rather than|not supported|no longer|unlike|might|may|could|possibl[ey]|approximately"
    r"|roughly|something like|pseudo|currently fails|xfail|fixme|todo|sometimes|depends|random(?:ly)?|old(?=\s*:))\b"
)
#: Values that hold only where and when they were written.
UNSTABLE = re.compile(r"(?i)\bat 0x[0-9a-f]+|\bobject at\b|^<.*\b0x[0-9a-f]+.*>$")


@dataclass(frozen=True)
class Example:
    """``start`` and ``end`` are indices of the passage's lines (inclusive) that hold the example's words."""

    call: str
    expected: str
    relation: PromiseRelation
    form: str
    start: int
    end: int
    setup: tuple[str, ...] = ()


_SPACE = r"[ \t`*]*"
_COMMENT = (
    r"\#+\s*(?:(?:(?:it\s+)?(?:should\s+)?returns?|gives?|evaluates\s+to|results?(?:\s+in)?|output|is|outputs)\b\s*:?"
    r"|[-=]+>|==+|[→➞⟶⇒])"
)
_WORDS = (
    r"(?:returns?|gives?|yields?|evaluates\s+to|equals|results\s+in|is\s+equal\s+to"
    r"|(?:should|must|will|would|shall)\s+(?:return|be|equal|give|evaluate\s+to|result\s+in))"
)
#: (notation's name, what stands between the call and its value). Tried in this order.
_MARKERS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("==>", re.compile(rf"{_SPACE}==+>{_SPACE}")),
    ("=>", re.compile(rf"{_SPACE}=>{_SPACE}")),
    ("==", re.compile(rf"{_SPACE}===?(?![=>]){_SPACE}")),
    ("->", re.compile(rf"{_SPACE}-+>{_SPACE}")),
    ("→", re.compile(rf"{_SPACE}[→➞⟶⇒]{_SPACE}")),
    ("# =>", re.compile(rf"[ \t`;]*{_COMMENT}{_SPACE}", re.IGNORECASE)),
    ("#", re.compile(r"[ \t`;]*\#+[ \t]*")),
    ("=", re.compile(rf"{_SPACE}=(?![=>]){_SPACE}")),
    ("returns", re.compile(rf"{_SPACE}\b{_WORDS}\b:?{_SPACE}", re.IGNORECASE)),
)
_IS = re.compile(rf"{_SPACE}\bis\b{_SPACE}(?=(?:True|False|None)\b)")
_COLON = re.compile(r"[ \t`]*:[ \t]+`?")
_RAISES = re.compile(
    r"[ \t`]*(?:\#+\s*|[-=]+>\s*|[→➞]\s*)?(?:will\s+|should\s+|must\s+)?rais(?:es?|ing)\b[:\s`]*(?:an?\s+)?[`:~!.\w]*?"
    r"\b([A-Z]\w*(?:Error|Exception|Warning|Interrupt|Exit|Iteration))\b"
    r"|[ \t`]*(?:\#+\s*)?(?:[-=]+>|[→➞]|\#)[ \t`]*([A-Z]\w*(?:Error|Exception))\b(?![.(\w])"
)
_CALL = re.compile(r"(?<![\w.'\"\])])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\(")
_MORE = re.compile(r"\.[A-Za-z_]\w*")
_BULLET = re.compile(r"^\s*(?:(?:>>>|\.\.\.|In \[\d+\]:|\$)\s+)?(?:[*+•-]\s+|\d+[.)]\s+|assert\s+)?")
_BOUND = re.compile(r"^\s*(?:>>>\s*)?[A-Za-z_]\w*\s*=\s*$")
_INSIDE = re.compile(
    r"(?:[-+/%=<>\[{&|^~@]|!(?=$)|(?<!\*)\*|(?<=[\w\])])\(|\b(?:not|in|and|or|lambda|await|is|if|else))\s*$"
)
_TYPE_ONLY = re.compile(r"^(?:None|True|False)$")


def call_at(text: str, start: int = 0) -> tuple[int, int] | None:
    """Start and end of the first call expression at or after ``start``, with what hangs on it (``.attr``, ``[0]``)."""
    match = _CALL.search(text, start)
    while match:
        end = balanced_end(text, match.end() - 1)
        if end is not None:
            return match.start(), _extend(text, end)
        match = _CALL.search(text, match.end())
    return None


def _extend(text: str, end: int) -> int:
    while end < len(text):
        more = _MORE.match(text, end)
        if more:
            after = more.end()
            # A full stop that ends a sentence is no attribute.
            if after < len(text) and text[after] == "(":
                closed = balanced_end(text, after)
                if closed is None:
                    return end
                end = closed
                continue
            end = after
            continue
        if text[end] in "[(":
            closed = balanced_end(text, end)
            if closed is None:
                return end
            end = closed
            continue
        return end
    return end


@dataclass(frozen=True)
class Found:
    """An example found in running text: offsets of its first and last character + 1."""

    call: str
    expected: str
    relation: PromiseRelation
    form: str
    start: int
    end: int


def find_in(text: str) -> list[Found]:
    """Every example of the forms ``f(x) == y``, ``->``, ``=>``, ``# => y``, ``returns y`` … in one logical line."""
    found: list[Found] = []
    position = 0
    while True:
        span = call_at(text, position)
        if span is None:
            return found
        start, end = span
        position = max(end, start + 1)
        if not _stands_free(text, start):
            continue
        example = _expectation(text, start, end)
        if example is not None:
            found.append(example)
            position = max(example.end, position)


def _stands_free(text: str, start: int) -> bool:
    before = text[:start]
    bullet = _BULLET.match(before)
    rest = before[bullet.end() :] if bullet else before
    if rest.endswith("`"):
        # Inline code begins here, so nothing before it belongs to the expression.
        return True
    return bool(not rest.strip() or _BOUND.match(rest) or not _INSIDE.search(rest))


def _expectation(text: str, start: int, end: int) -> Found | None:
    call = text[start:end]
    raises = _RAISES.match(text, end)
    if raises:
        name = raises.group(1) or raises.group(2)
        return Found(call, name, PromiseRelation.RAISES, "raises", start, raises.end())
    bound = bool(_BOUND.match(text[:start].rstrip("`")))
    for form, marker in _MARKERS:
        match = marker.match(text, end)
        if match and match.end() > end and not (bound and not form.startswith("#")):
            return _valued(text, call, form, start, match.end())
    match = _IS.match(text, end)
    if match:
        return _valued(text, call, "is", start, match.end())
    match = _COLON.match(text, end)
    if match and not text[:start].strip(" \t`*-+•"):
        return _valued(text, call, ":", start, match.end(), whole_line=True)
    return None


def _valued(text: str, call: str, form: str, start: int, at: int, *, whole_line: bool = False) -> Found | None:
    calculated = calculated_at(text, at)
    literal = (calculated[0].text, calculated[1]) if calculated else literal_at(text, at)
    if literal is None:
        return None
    expected, end = literal
    if not _ends_well(text, end, whole_line):
        return None
    if form in ("->", "→", ":", "=") and _TYPE_ONLY.match(expected) and call.endswith("()"):
        return None
    if form == "#" and not re.fullmatch(r"\s*(?:\(.*\)\s*)?", text[end:]):
        return None
    if form == "=" and not call.endswith(")"):
        return None
    return Found(call, expected, PromiseRelation.EQUALS, form, start, end)


def _ends_well(text: str, end: int, whole_line: bool) -> bool:
    """Whether what follows the value leaves it as it was read: the end, punctuation, or a remark."""
    rest = text[end:].lstrip("`*")
    if not rest.strip():
        return True
    if whole_line:
        return False
    comma = re.match(r"\s*,\s*", rest)
    if comma:
        # ``f(x) -> 1, 2`` may be a tuple.
        after = literal_at(rest, comma.end())
        return after is None
    return bool(
        re.match(r"\s*[;)!?]", rest)
        or re.match(r"\.(?![\w.])", rest)
        or re.match(r"\s*:(?:\s|$)", rest)
        or re.match(r"\s+[(#—–]", rest)
        or re.match(r"\s*(?:\"\"\"|''')\s*$", rest)
        or re.match(r"\s+(?:because|since)\s", rest)
    )


def is_plain(text: str) -> bool:
    """Whether an expected value is a literal that means the same everywhere."""
    return is_literal(text) and not UNSTABLE.search(text)
