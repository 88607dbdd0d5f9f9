"""Values as documentation, programs and observations write them, independent of any language.

A ``Value`` is what an example's argument or expectation says, or what a call was seen to give. Each language renders one as
source text for a declared type, or refuses where more than one reading is possible.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True)
class Nothing:
    """``None``, ``null``, ``nil``, ``undefined``. ``word`` is how it was written."""

    word: str = "null"


@dataclass(frozen=True)
class Truth:
    value: bool


@dataclass(frozen=True)
class Number:
    """``text`` is canonical decimal (``-3``, ``1.5``, ``1e+20``, ``nan``, ``inf``, ``-inf``); ``whole`` says whether it was
    written, or seen, as an integer."""

    text: str
    whole: bool

    @property
    def decimals(self) -> int:
        """Digits behind the point, as they were written."""
        return len(self.text.partition("e")[0].partition(".")[2])


@dataclass(frozen=True)
class Text:
    """``quote`` is the mark it was written with, empty where it was observed."""

    value: str
    quote: str = '"'


class Kind(StrEnum):
    """How a row of items was bracketed. ``PARENTHESES`` around one item may be no row at all."""

    LIST = "list"
    TUPLE = "tuple"
    SET = "set"


@dataclass(frozen=True)
class Items:
    items: tuple[Value, ...]
    kind: Kind = Kind.LIST


@dataclass(frozen=True)
class Entries:
    pairs: tuple[tuple[Value, Value], ...]


@dataclass(frozen=True)
class Made:
    """A value in a wrapper, or a constructor's call: ``Some(3)``, ``Optional.empty``, ``Err("x")``, ``Point(1, 2)``.

    Well-known wrappers have one name in all languages: ``some``, ``none``, ``ok``, ``err``. Others keep theirs.
    """

    name: str
    arguments: tuple[Value, ...] = ()


@dataclass(frozen=True)
class Word:
    """A bare word that is no literal: an enumeration's constant, a variable, or text without its quotes."""

    name: str


Value = Nothing | Truth | Number | Text | Items | Entries | Made | Word


def number(text: str, *, whole: bool) -> Number:
    """A number with its text as other parts expect it."""
    return Number(text.lower().removeprefix("+"), whole)


def parts(value: Value) -> tuple[Value, ...]:
    """The values directly inside a value."""
    if isinstance(value, Items):
        return value.items
    if isinstance(value, Entries):
        return tuple(one for pair in value.pairs for one in pair)
    return value.arguments if isinstance(value, Made) else ()


def holds(value: Value, kind: type) -> bool:
    """Whether a value is, or somewhere inside holds, one of a class."""
    return isinstance(value, kind) or any(holds(one, kind) for one in parts(value))
