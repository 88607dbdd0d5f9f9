"""Values on their way through a container as JSON, and inputs made from shapes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qverify_desktop.languages.values.encoding import MOST_ITEMS, Unreadable, decode, encode
from qverify_desktop.languages.values.shapes import OPAQUE, Basic, Constants, Shape, inputs, possible, values
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
    Word,
)

_WHOLE = st.integers(-(10**30), 10**30).map(lambda number: Number(str(number), True))
_PLAIN: st.SearchStrategy[Value] = st.one_of(
    st.just(Nothing()),
    st.booleans().map(Truth),
    _WHOLE,
    st.text(max_size=20).map(Text),
    st.just(Number("-inf", False)),
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.one_of(
        st.builds(Items, st.lists(inner, max_size=4).map(tuple), st.sampled_from(list(Kind))),
        st.builds(Entries, st.lists(st.tuples(inner, inner), max_size=3).map(tuple)),
        st.builds(Made, st.sampled_from(["some", "ok", "Point"]), st.lists(inner, max_size=2).map(tuple)),
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_what_is_written_is_read(value: Value) -> None:
    try:
        assert decode(json.loads(json.dumps(encode(value)))) == value
    except Unreadable as error:
        assert "deep" in str(error)


@pytest.mark.parametrize(
    "document",
    [
        {"a": 1},
        1,
        1.5,
        [],
        [1],
        ["int", 3],
        ["int", "1.5"],
        ["int", "9" * 500],
        ["float", "nought"],
        ["map", [1]],
        ["made"],
        ["made", "rm -rf /"],
        ["odd", "1"],
        "x" * 3000,
        ["list", *(["int", "1"] for _ in range(MOST_ITEMS + 1))],
    ],
)
def test_anything_else_is_refused(document: object) -> None:
    with pytest.raises(Unreadable):
        decode(document)


def test_deep_nesting_is_refused() -> None:
    document: object = None
    for _ in range(500):
        document = ["list", document]
    with pytest.raises(Unreadable):
        decode(document)


def test_a_bare_word_has_no_encoding() -> None:
    with pytest.raises(Unreadable):
        encode(Items((Word("x"),)))


def test_inputs_are_the_same_for_the_same_seed_and_differ() -> None:
    shapes = [Shape(Basic.LIST, (Shape(Basic.INTEGER),)), Shape(Basic.TEXT)]
    first = inputs(shapes, Constants(), 7, 50)
    assert first == inputs(shapes, Constants(), 7, 50) and len(first) == len(set(first)) == 50


def test_constants_of_the_code_are_tried_with_their_neighbours() -> None:
    texts = {value.text for value in values(Shape(Basic.INTEGER), Constants((4711,)), 0) if isinstance(value, Number)}
    assert {"4710", "4711", "4712"} <= texts


def test_limits_of_a_type_are_kept() -> None:
    for value in values(Shape(Basic.NATURAL, most=255), Constants((4711, -3)), 0):
        assert isinstance(value, Number) and 0 <= int(value.text) <= 255


def test_what_cannot_be_made_is_not_called() -> None:
    shape = Shape(Basic.LIST, (OPAQUE,))
    assert not possible(shape) and inputs([Shape(Basic.TEXT), shape], Constants(), 0, 10) == []
    assert inputs([], Constants(), 0, 10) == [()]


@pytest.mark.parametrize("basic", [basic for basic in Basic if basic is not Basic.OPAQUE])
def test_every_shape_has_values(basic: Basic) -> None:
    inner = tuple(Shape(Basic.TEXT) for _ in range(2 if basic in (Basic.MAP, Basic.TUPLE) else 1))
    assert list(values(Shape(basic, inner, choices=(Text("x"),)), Constants(), 3))
