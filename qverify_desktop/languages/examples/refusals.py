"""What documentation says is refused: ``@throws IllegalArgumentException if n is negative``, ``:raises``, ``@exception``.

Only functions of one parameter, only conditions that a value without any knowledge of the code can meet, and only those that are
read to their end: "if n is negative or odd" says something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.values.value import Items, Nothing, Number, Text, Value

_TAG = re.compile(
    r"^\s{0,20}@(?:throws|exception)\s+\{?(?P<error>[A-Za-z_][\w.]{0,100}?)\}?\s+-?\s{0,3}(?:is thrown\s+)?(?:if|when)\s+(?P<condition>.+)$"
)
_NEXT = re.compile(r"^\s{0,20}@[A-Za-z]")
_MARKS = re.compile(r"[`'\"*\[\]]|\{@code|\}|<[^<>]{1,20}>")
_MOST_LINES = 4

_WHOLE = re.compile(
    r"(?i)^(?:u?int(?:eger)?(?:8|16|32|64)?|long|short|number|double|float|i\d+|u\d+|isize|usize|bigint)$"
)
_TEXT = re.compile(r"(?i)^(?:java\.lang\.)?(?:string|charsequence|str|&str)$")
_ROW = re.compile(r"(?i)^(?:.{1,80}\[\]|(?:array|list|collection|iterable|set|vec)\b.{0,80})$")
_NULLABLE = re.compile(r"^(?!(?:int|long|short|byte|double|float|boolean|char)$)[A-Z]|\[\]$|^string$|^object$")
#: Words that name the one parameter by what it is.
_GIVEN = r"(?:the\s+)?(?:(?:input|given|specified|supplied|provided|passed)\s+)?"
_NOUNS = r"(?:value|argument|parameter|input|number|string|text|array|list|collection|sequence)"
_SMALL: Mapping[str, tuple[str, ...]] = {
    r"(?:is\s+)?(?:negative|less\s+than\s+(?:0|zero)|<\s*0)": ("-1", "-7"),
    r"(?:is\s+)?(?:not\s+positive|less\s+than\s+or\s+equal\s+to\s+(?:0|zero)|<=\s*0|less\s+than\s+(?:1|one)|<\s*1)": (
        "0",
        "-1",
    ),
    r"(?:is\s+)?(?:zero|equal\s+to\s+(?:0|zero)|==?=?\s*0)": ("0",),
}


@dataclass(frozen=True)
class Refusal:
    """``argument`` is refused with ``error``, by the words of the lines from ``start`` to ``end``."""

    error: str
    argument: Value
    start: int
    end: int


def refusals(lines: Sequence[str], owner: Target) -> Iterator[Refusal]:
    """Every refusal that can be tried."""
    if len(owner.parameters) != 1 or owner.parameters[0].kind.startswith("var_"):
        return
    for index, line in enumerate(lines):
        match = _TAG.match(line)
        if match is None:
            continue
        end, condition = index, match["condition"]
        while (
            end + 1 < len(lines)
            and end - index < _MOST_LINES
            and lines[end + 1].strip()
            and not _NEXT.match(lines[end + 1])
        ):
            end += 1
            condition += f" {lines[end].strip()}"
        plain = " ".join(_MARKS.sub(" ", condition).split()).rstrip(" .;")
        for value in _offending(owner.parameters[0], plain):
            yield Refusal(match["error"], value, index, end)


def _offending(parameter: Parameter, condition: str) -> Sequence[Value]:
    """Values of the parameter's type for which the condition holds; none where it says anything else."""
    name = re.escape(parameter.name)
    subject = re.fullmatch(rf"(?i){_GIVEN}(?:(?:{_NOUNS}\s+)?{name}|{_NOUNS})\s+(?P<says>.{{1,60}})", condition)
    if subject is None:
        return ()
    says, kind = subject["says"], parameter.annotation.strip().rstrip("?")
    if _WHOLE.match(kind) and not kind.lower().startswith(("u", "&")):
        for words, values in _SMALL.items():
            if re.fullmatch(rf"(?i){words}", says):
                return [Number(value, True) for value in values]
    found: list[Value] = []
    either = re.fullmatch(r"(?i)is\s+(?:null\s+or\s+empty|empty\s+or\s+null)", says)
    if (either or re.fullmatch(r"(?i)is\s+null", says)) and _NULLABLE.search(kind):
        found.append(Nothing())
    if either or re.fullmatch(r"(?i)is\s+(?:empty|an\s+empty\s+(?:string|array|list|collection))", says):
        found += [Text("")] if _TEXT.match(kind) else [Items(())] if _ROW.match(kind) else []
    return found
