"""Documentation that can't be right as it stands: nothing that its examples say can be held against the code.

The words say "an array of non-negative integers" and an example below them hands in ``[-2, -3]``; or a predicate is false in every
example, and its words say only when it is false, so that by its documentation it tells nothing apart.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from qverify_desktop.domain.project import Promise, PromiseRelation, Target
from qverify_desktop.languages.values.notation import arguments_at
from qverify_desktop.languages.values.value import Items, Number, Text, Value, Word, holds, parts

_SIGN = re.compile(
    r"(?i)\b(?:non[- ]?negative|positive)\s+(?:[a-z]{1,20}\s+){0,2}?(?P<what>integers?|ints?|numbers?|floats?|values?|elements?)\b"
)
#: Types that are text in one of the languages.
_TEXT_TYPE = re.compile(
    r"^(?:&(?:'\w+\s+)?)?(?:mut\s+)?(?:str|string|String|std::string::String|CharSequence|java\.lang\.String)\??$"
)

_SAYS_WHEN_FALSE = re.compile(r"(?i)\breturn(?:s|ing)?\s+`{0,2}false`{0,2}\s+(?:if|when|where|for)\b")
_SAYS_WHEN_TRUE = re.compile(r"(?i)\b(?:true|truthy|whether|check(?:s|ed|ing)?|unless|otherwise|else|only if|iff)\b")
#: Examples of one answer that no longer look like chance.
_ALL_FALSE = 2


def doubted(promises: Sequence[Promise], documented: Mapping[str, str]) -> set[str]:
    """Targets whose documentation can't be right; ``documented`` is what it says, by target."""
    answers: dict[str, list[str]] = {}
    for one in promises:
        equals = one.relation is PromiseRelation.EQUALS
        answers.setdefault(one.target, []).append(one.expected.lower() if equals else one.relation.value)
    left = {one.target for one in promises if call_leaves_domain(documented.get(one.target, ""), one.call)}
    return left | {
        target
        for target, said in answers.items()
        if len(said) >= _ALL_FALSE and set(said) == {"false"} and _never_true(documented.get(target, ""))
    }


def _never_true(docstring: str) -> bool:
    return _SAYS_WHEN_FALSE.search(docstring) is not None and _SAYS_WHEN_TRUE.search(docstring) is None


def leaves_domain(docstring: str, arguments: Sequence[Value]) -> bool:
    """Whether one of the values is negative where the words speak of values that are not.

    "Integers" are looked for inside of rows, "an integer" only where the call has a single number.
    """
    plurals = {match.group("what").endswith("s") for match in _SIGN.finditer(docstring)}
    single = [value for value in arguments if isinstance(value, Number)]
    inside = [one for value in arguments if isinstance(value, Items) for one in parts(value)]
    if True in plurals and any(map(_is_negative, inside)):
        return True
    return False in plurals and len(single) == 1 and _is_negative(single[0])


def call_leaves_domain(docstring: str, call: str) -> bool:
    """The same for a call as source text."""
    if not _SIGN.search(docstring) or "(" not in call:
        return False
    read = arguments_at(call, call.index("("))
    return read is not None and leaves_domain(docstring, read[0])


def _is_negative(value: Value) -> bool:
    if isinstance(value, Items):
        return any(map(_is_negative, value.items))
    return isinstance(value, Number) and value.text.startswith("-")


def is_text(target: Target, position: int) -> bool:
    """Whether the parameter at ``position`` is text, by its declared type or by what the documentation calls it."""
    if position >= len(target.parameters):
        return False
    parameter = target.parameters[position]
    if parameter.annotation:
        return bool(_TEXT_TYPE.match(parameter.annotation.strip()))
    name = re.escape(parameter.name)
    says = rf"\b[Ss]trings?\s+(?:called\s+|named\s+|of\s+)?[`'\"]?{name}\b|\b{name}\b[`'\"]?\s+(?:is|:)\s+(?:an?\s+)?[Ss]tring\b"
    return re.search(says, target.docstring) is not None


def unquoted(target: Target, calls: Iterable[Sequence[Value]]) -> frozenset[int]:
    """Positions at which the examples of one passage write text without its quotes, ``is_happy(abc)`` and ``is_happy(aa)``.

    One word alone may be a variable, and beside text in quotes it is one.
    """
    names = {parameter.name for parameter in target.parameters}
    words: dict[int, set[str]] = {}
    quoted: set[int] = set()
    for arguments in calls:
        for position, value in enumerate(arguments):
            if isinstance(value, Word) and value.name not in names:
                words.setdefault(position, set()).add(value.name)
            elif isinstance(value, Text | Word):
                quoted.add(position)
    return frozenset(
        position
        for position, found in words.items()
        if len(found) > 1 and position not in quoted and is_text(target, position)
    )


def with_quotes(arguments: Sequence[Value], positions: Collection[int]) -> tuple[Value, ...]:
    """The arguments with bare words as text at these positions."""
    return tuple(
        Text(value.name) if isinstance(value, Word) and position in positions else value
        for position, value in enumerate(arguments)
    )


def all_read(arguments: Sequence[Value]) -> bool:
    """Whether no bare word is left."""
    return not any(holds(value, Word) for value in arguments)
