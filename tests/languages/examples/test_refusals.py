"""What a doc comment says that a function refuses: tried where the words are read to their end."""

from __future__ import annotations

import pytest

from qverify_desktop.domain.project import Parameter, Target
from qverify_desktop.languages.examples.refusals import refusals
from qverify_desktop.languages.values.value import Items, Nothing, Number, Text, Value

LESS, ZERO = (Number("-1", True), Number("-7", True)), (Number("0", True),)
NULL = (Nothing(),)


def refused(words: str, name: str = "n", kind: str = "int", *more: str) -> tuple[tuple[str, Value], ...]:
    parameters = (Parameter(name, kind), *(Parameter(one) for one in more))
    owner = Target("java", "A.java", "", "A.f", 1, 2, 1, "", parameters=parameters)
    return tuple((one.error, one.argument) for one in refusals(words.split("\n"), owner))


@pytest.mark.parametrize(
    ("words", "name", "kind", "values"),
    [
        ("@throws IllegalArgumentException if n is negative", "n", "int", LESS),
        ("@throws IllegalArgumentException if `n` is less than zero.", "n", "long", LESS),
        ("@throws IllegalArgumentException if the given n\n  is negative\n@since 2", "n", "int", LESS),
        ("@throws IllegalArgumentException if [n] is negative", "n", "Int", LESS),
        ("@throws {RangeError} if n is negative", "n", "number", LESS),
        ("@exception ArithmeticException when n == 0", "n", "double", ZERO),
        ("@throws IllegalArgumentException if n <= 0", "n", "int", (Number("0", True), Number("-1", True))),
        ("@throws NullPointerException if the array is {@code null}", "values", "int[]", NULL),
        ("@throws NullPointerException if text is null", "text", "String", NULL),
        ("@throws NoSuchElementException if the list is empty", "list", "List<String>", (Items(()),)),
        ("@throws IllegalArgumentException if text is null or empty", "text", "String", (*NULL, Text(""))),
    ],
)
def test_is_tried(words: str, name: str, kind: str, values: tuple[Value, ...]) -> None:
    found = refused(words, name, kind)
    assert tuple(value for _, value in found) == values
    assert {error for error, _ in found} == {words.split()[1].strip("{}")}


@pytest.mark.parametrize(
    ("words", "name", "kind"),
    [
        ("@throws IllegalArgumentException if n is negative or odd", "n", "int"),
        ("@throws IllegalArgumentException if n is negative and the flag is set", "n", "int"),
        ("@throws IllegalArgumentException if m is negative", "n", "int"),
        ("@throws IllegalArgumentException unless n is negative", "n", "int"),
        ("@throws IllegalArgumentException n must not be negative", "n", "int"),
        ("@throws NullPointerException if n is null", "n", "int"),
        ("@throws IllegalArgumentException if n is negative", "n", "String"),
        ("@throws IllegalArgumentException if n is negative", "n", "usize"),
        ("@throws IllegalArgumentException if text is empty", "text", "Path"),
        ("@return the error if n is negative", "n", "int"),
    ],
)
def test_is_not_guessed(words: str, name: str, kind: str) -> None:
    assert refused(words, name, kind) == ()


def test_other_parameters_could_be_refused_first() -> None:
    assert refused("@throws IllegalArgumentException if n is negative", "n", "int", "m") == ()
