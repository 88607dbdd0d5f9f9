"""What docstrings state without an example, where it can be checked in one way: raises, inverse of, sorted, never negative,
idempotent. Each statement becomes examples with plain inputs inside the documented types; a statement with a condition that
a program can't read becomes none."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from qverify_desktop.domain.project import Parameter, PromiseRelation, Target
from qverify_desktop.languages.examples.domain import is_text
from qverify_desktop.languages.python.examples import Example
from qverify_desktop.languages.python.passages import Passage

#: Inputs that every function of such a type must take: lower-case words, because alphabets are often all that is meant.
_INPUTS: Mapping[str, tuple[str, ...]] = {
    "str": ("'abc'", "'hello'", "'xyz'", "'zzyzx'", "'quickbrownfox'"),
    "int": ("1", "2", "7", "42"),
    "bytes": ("b'abc'", "b'hello'"),
    "list": ("[3, 1, 2]", "[2, 2, 1]", "[5, 4, 3, 2, 1]"),
}
_LIST = re.compile(r"^(?:typing\.)?(?:[Ll]ist|[Ss]equence|[Ii]terable)\[(?:int|float)\]$")
_RAISES = re.compile(
    r"(?i)(?:^|[\s:(])(?:rais(?:es?|ing)\s+(?:an?\s+)?|:raises?\s+|)[`:~!]{0,3}(?P<error>[A-Z]\w{0,60}(?:Error|Exception))`{0,2}:?\s+"
    r"(?:is raised\s+)?(?:if|when|for)\s+(?:the\s+)?(?P<condition>[^.;\n]{1,80}?)\s*\.?\s*$"
)
_MADE_WITH = (
    r"(?:encoded|encrypted|compressed|escaped|quoted|serialized|packed|produced|returned|created|transformed|converted)\s+"
    r"(?:with|by|using|from)\s+(?:the\s+)?"
)
_BACK = re.compile(
    r"(?i)\b(?:de(?:code|crypt|compress|serialize)|unescape|unquote|unpack|revers|invers|restor|original|opposite)"
)
_SORTED = re.compile(
    r"(?i)\breturns?\b[^.]{0,40}\b(?:sorted\s+list|list\s+sorted|sorted\s+copy|sorted)(?:\s+in\s+(?:ascending|increasing)\s+order)?\s*(?:\.|$)"
    r"|\breturns?\b[^.]{0,60}\bin\s+(?:ascending|increasing)\s+order\s*(?:\.|$)"
)
_UNLESS = re.compile(
    r"(?i)\b(?:by|descending|decreasing|reverse\w*|if|when|unless|except|key|lexicographic\w*|otherwise|depending)\b"
)
_NEVER_NEGATIVE = re.compile(r"(?i)\b(?:is\s+never\s+negative|never\s+returns?\s+(?:a\s+)?negative)\b")
_IDEMPOTENT = re.compile(r"(?i)\b(?:is|are)\s+idempotent\b")


def stated_examples(passage: Passage, callable_names: Callable[[str], Target | None]) -> Iterator[Example]:
    """Examples of every statement in a function's own docstring. ``callable_names`` finds a function of the module."""
    owner = passage.owner
    if owner is None or owner.callee != "function" or "." in owner.symbol or owner.is_async:
        return
    for index, line in enumerate(passage.lines):
        yield from _raises(owner, line, index)
        yield from _inverse(owner, passage, line, index, callable_names)
        yield from _shaped(owner, line, index)


def _raises(owner: Target, line: str, index: int) -> Iterator[Example]:
    match = _RAISES.search(line)
    required = _required(owner)
    if match is None or len(required) > 1:
        return
    for parameter in owner.parameters:
        values = _offending(parameter, match.group("condition"))
        if values and (not required or required == [parameter]) and not parameter.kind.startswith("var_"):
            named = f"{parameter.name}=" if parameter not in required else ""
            for value in values:
                call = f"{owner.symbol}({named}{value})"
                yield Example(call, match.group("error"), PromiseRelation.RAISES, "stated", index, index)


def _offending(parameter: Parameter, condition: str) -> tuple[str, ...]:
    """Values for which the condition on the parameter holds; empty where it says anything else."""
    name = rf"[`'\"*]{{0,2}}{re.escape(parameter.name)}[`'\"*]{{0,2}}"
    whole = parameter.annotation in ("int", "float", "")

    def says(words: str) -> re.Match[str] | None:
        return re.fullmatch(rf"(?i){name}\s+{words}", condition.strip())

    if whole and says(r"(?:is\s+)?(?:negative|less\s+than\s+(?:0|zero))|<\s*0"):
        return ("-1", "-7")
    if whole and says(
        r"(?:is\s+)?(?:not\s+positive|less\s+than\s+or\s+equal\s+to\s+(?:0|zero)|not\s+greater\s+than\s+(?:0|zero))|<=\s*0"
    ):
        return ("0", "-1")
    if whole and says(r"(?:is\s+)?(?:zero|equal\s+to\s+(?:0|zero))|==\s*0"):
        return ("0",)
    if says(r"is\s+None"):
        return ("None",)
    if parameter.annotation == "str" and says(r"is\s+(?:empty|an\s+empty\s+string)"):
        return ("''",)
    if re.match(r"(?:typing\.)?[Ll]ist\b", parameter.annotation) and says(r"is\s+(?:empty|an\s+empty\s+list)"):
        return ("[]",)
    if says(r"is\s+not\s+(?:an?\s+)?(?:str|string)"):
        return ("3",)
    if says(r"is\s+not\s+(?:an?\s+)?(?:int|integer|number)"):
        return ("'a'",)
    bound = says(r"(?:is\s+)?(?:greater\s+than|larger\s+than|above|>)\s*(-?\d{1,9})")
    if whole and bound:
        return (str(int(bound.group(1)) + 1),)
    bound = says(r"(?:is\s+)?(?:less\s+than|smaller\s+than|below|<)\s*(-?\d{1,9})")
    return (str(int(bound.group(1)) - 1),) if whole and bound else ()


def _inverse(
    owner: Target, passage: Passage, line: str, index: int, callable_names: Callable[[str], Target | None]
) -> Iterator[Example]:
    match = re.search(
        rf"(?i)(?:{_MADE_WITH}|\b(?:inverse|reverse|opposite)\s+of\s+)[`'\"]{{0,2}}([A-Za-z_]\w{{0,80}})\b", line
    )
    there = callable_names(match.group(1)) if match else None
    if there is None or there == owner or not _BACK.search(f"{owner.symbol} {' '.join(passage.lines)}"):
        return
    if len(_required(owner)) != 1 or len(_required(there)) != 1 or there.is_async or there.callee != "function":
        return
    for value in _INPUTS.get(_type_of(there), ()):
        yield Example(
            f"{owner.symbol}({there.symbol}({value}))", value, PromiseRelation.EQUALS, "inverse of", index, index
        )


def _shaped(owner: Target, line: str, index: int) -> Iterator[Example]:
    required = _required(owner)
    if len(required) != 1:
        return
    values = _INPUTS["list"] if _LIST.match(required[0].annotation) else ()
    if values and _SORTED.search(line) and not _UNLESS.search(line):
        for value in values:
            call = f"{owner.symbol}({value})"
            yield Example(f"list({call}) == sorted({call})", "True", PromiseRelation.EQUALS, "stated", index, index)
    values = _INPUTS.get(_type_of(owner), values)
    if _NEVER_NEGATIVE.search(line) and not _UNLESS.search(line):
        for value in values:
            yield Example(f"({owner.symbol}({value}) >= 0)", "True", PromiseRelation.EQUALS, "stated", index, index)
    if _IDEMPOTENT.search(line) and not _UNLESS.search(line):
        for value in values:
            call = f"{owner.symbol}({value})"
            again = f"{owner.symbol}({call}) == {call}"
            yield Example(again, "True", PromiseRelation.EQUALS, "stated", index, index)


def _required(target: Target) -> list[Parameter]:
    return [item for item in target.parameters if item.default is None and not item.kind.startswith("var_")]


def _type_of(target: Target) -> str:
    """Type of the one required parameter: declared, or text where the documentation calls it so."""
    (parameter,) = _required(target)
    position = target.parameters.index(parameter)
    if parameter.annotation:
        return parameter.annotation if parameter.annotation in _INPUTS else ""
    return "str" if is_text(target, position) else ""
