"""Shapes of parameters and inputs for them: what calls are tried when nobody wrote an example.

A ``Shape`` is what a declared type, or the code's use of a parameter, says of a value. Each language reads its own types into
shapes; inputs come from here for all of them, seeded, smallest first.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from qverify_desktop.languages.values.value import (
    Entries,
    Items,
    Kind,
    Made,
    Nothing,
    Number,
    Text,
    Truth,
    Value,
)


class Basic(StrEnum):
    """``ANY`` is tried with a few values of every kind; ``OPAQUE`` can't be made, so neither can a call that needs it."""

    INTEGER = "integer"
    NATURAL = "natural"
    FLOAT = "float"
    TEXT = "text"
    CHARACTER = "character"
    TRUTH = "truth"
    LIST = "list"
    SET = "set"
    TUPLE = "tuple"
    MAP = "map"
    OPTIONAL = "optional"
    CHOICE = "choice"
    ANY = "any"
    OPAQUE = "opaque"


@dataclass(frozen=True)
class Shape:
    """``inner`` are the shapes of items (list, set, optional: one; map: key and value; tuple: each); ``most`` is the largest
    integer of the type (0: no limit worth respecting); ``choices`` are the values of a ``CHOICE``."""

    basic: Basic
    inner: tuple[Shape, ...] = ()
    most: int = 0
    choices: tuple[Value, ...] = ()


OPAQUE = Shape(Basic.OPAQUE)


@dataclass(frozen=True)
class Constants:
    """Literals of the code under test: inputs near them reach branches that compare with them."""

    integers: tuple[int, ...] = ()
    floats: tuple[float, ...] = ()
    texts: tuple[str, ...] = ()


_INTEGERS = (0, 1, 2, -1, 3, 5, 10, 7, 4, 12, 100, -7, 8, 6, 9, 11, 20, 1000, -100)
_FLOATS = ("0.0", "1.0", "1.5", "-1.0", "2.25", "-0.5", "10.0", "100.125", "3.0", "0.001")
_TEXTS = (
    "", "a", "abc", "hello world", "Hello", "A", "aba", "  x  ", "1", "12", "3.5", "-7", "a,b,c", "foo_bar", "fooBar",
    "x=1", "a b c", "zz9", "true", "ABC", "(a)", "[1]", "{}", "a/b", "é", "line\nbreak", "2020-01-31", "a-b", "#fff", "!?",
)  # fmt: skip
_MOST_OF_A_SHAPE = 40
_LENGTHS = (0, 1, 2, 3, 5)


def possible(shape: Shape) -> bool:
    """Whether a value of the shape can be made."""
    return shape.basic is not Basic.OPAQUE and all(possible(one) for one in shape.inner)


def inputs(shapes: Sequence[Shape], constants: Constants, seed: int, most: int) -> list[tuple[Value, ...]]:
    """At most ``most`` argument lists, without repetition; the same for the same arguments. Empty where a shape is opaque."""
    if not all(possible(shape) for shape in shapes):
        return []
    if not shapes:
        return [()]
    pools = [list(values(shape, constants, seed + number)) for number, shape in enumerate(shapes)]
    found: dict[tuple[Value, ...], None] = {}
    for index in range(max(map(len, pools))):
        found.setdefault(tuple(pool[index % len(pool)] for pool in pools))
    # Pairs of small values: functions of two arguments branch on how they compare.
    for combination in product(*(pool[:6] for pool in pools)):
        if len(found) >= most:
            break
        found.setdefault(combination)
    chance = random.Random(seed)  # noqa: S311
    for _ in range(most * 4):
        if len(found) >= most:
            break
        found.setdefault(tuple(chance.choice(pool) for pool in pools))
    return list(found)[:most]


def values(shape: Shape, constants: Constants, seed: int, depth: int = 3) -> Iterator[Value]:
    """Values of a shape, plain ones first, at most ``_MOST_OF_A_SHAPE``, without repetition."""
    seen: set[Value] = set()
    for value in _values(shape, constants, random.Random(seed), depth):  # noqa: S311
        if value not in seen:
            seen.add(value)
            yield value
            if len(seen) >= _MOST_OF_A_SHAPE:
                return


def _values(shape: Shape, constants: Constants, chance: random.Random, depth: int) -> Iterator[Value]:
    basic = shape.basic
    if basic in (Basic.INTEGER, Basic.NATURAL):
        yield from _integers(shape, constants)
    elif basic is Basic.FLOAT:
        yield from (Number(text, False) for text in _FLOATS[:4])
        for one in constants.floats[:8]:
            yield from (Number(repr(near), False) for near in (one, one + 0.5, one - 0.5) if near - near == 0)
        yield from (Number(f"{one}.0", False) for one in constants.integers[:6])
        yield from (Number(text, False) for text in _FLOATS)
    elif basic is Basic.TEXT:
        yield from (Text(text) for text in _TEXTS[:6])
        yield from (Text(text) for text in constants.texts[:14])
        yield from (Text(f"a{text}b{text}") for text in constants.texts[:6] if text)
        yield from (Text(text) for text in _TEXTS)
    elif basic is Basic.CHARACTER:
        yield from (Text(letter, "'") for letter in "aZ0 _-.,xyé1")
    elif basic is Basic.TRUTH:
        yield from (Truth(True), Truth(False))
    elif basic is Basic.CHOICE:
        yield from shape.choices
    elif basic is Basic.OPTIONAL:
        yield Made("none")
        yield from (Made("some", (one,)) for one in _inner(shape, 0, constants, chance, depth))
    elif basic is Basic.ANY:
        yield from _anything(constants, chance, depth)
    else:
        yield from _rows(shape, constants, chance, depth)


def _integers(shape: Shape, constants: Constants) -> Iterator[Value]:
    near = [one + step for one in constants.integers[:10] for step in (0, 1, -1)]
    for one in (*_INTEGERS[:4], *near, *_INTEGERS):
        if (one >= 0 or shape.basic is Basic.INTEGER) and not (shape.most and abs(one) > shape.most):
            yield Number(str(one), True)


def _rows(shape: Shape, constants: Constants, chance: random.Random, depth: int) -> Iterator[Value]:
    if depth <= 0:
        return
    pools = [list(_inner(shape, number, constants, chance, depth)) for number in range(len(shape.inner))]
    if shape.basic is Basic.TUPLE:
        for _ in range(20 if all(pools) else 0):
            yield Items(tuple(chance.choice(pool) for pool in pools), Kind.TUPLE)
        return
    if not pools or not all(pools):
        return
    for length in (*_LENGTHS, *_LENGTHS[1:], *_LENGTHS[1:], 8, 4):
        if shape.basic is Basic.MAP:
            keys = list(dict.fromkeys(chance.choice(pools[0][:12]) for _ in range(length)))
            yield Entries(tuple((key, chance.choice(pools[1])) for key in keys))
        elif shape.basic is Basic.SET:
            chosen = list(dict.fromkeys(chance.choice(pools[0]) for _ in range(length)))
            yield Items(tuple(chosen), Kind.SET)
        else:
            first = pools[0][: max(length, 4)]
            yield Items(tuple(chance.choice(first if length < 3 else pools[0]) for _ in range(length)))


def _inner(shape: Shape, number: int, constants: Constants, chance: random.Random, depth: int) -> Iterator[Value]:
    return values(shape.inner[number], constants, chance.randrange(1 << 30), depth - 1)


def _anything(constants: Constants, chance: random.Random, depth: int) -> Iterator[Value]:
    """What a function with no declared types may be handed."""
    simple = (Basic.INTEGER, Basic.TEXT, Basic.TRUTH, Basic.FLOAT)
    pools = [list(_values(Shape(basic), constants, chance, depth)) for basic in simple]
    for index in range(8):
        for pool in pools[:2]:
            yield pool[index % len(pool)]
    yield from (Truth(True), Nothing(), Truth(False))
    if depth > 1:
        for basic in (Basic.INTEGER, Basic.TEXT):
            for index, row in enumerate(_rows(Shape(Basic.LIST, (Shape(basic),)), constants, chance, depth)):
                if index < 5:
                    yield row
    for pool in pools:
        yield from pool[8:14]
