"""Values in the syntax of any language: what has one meaning is read, what has none or two is not taken for something else."""

from __future__ import annotations

import time

import pytest

from qverify_desktop.languages.values.notation import arguments_at, value_at, whole_value
from qverify_desktop.languages.values.value import Entries, Items, Kind, Made, Nothing, Number, Text, Truth, Word

ONE, TWO = Number("1", True), Number("2", True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", ONE),
        ("+1", ONE),
        ("007", Number("7", True)),
        ("-0.50", Number("-0.50", False)),
        (".5", Number("0.5", False)),
        ("1e9", Number("1e9", False)),
        ("1_000", Number("1000", True)),
        ("0x1F", Number("31", True)),
        ("-0b101", Number("-5", True)),
        ("10L", Number("10", True)),
        ("3n", Number("3", True)),
        ("2u8", TWO),
        ("2f64", Number("2", False)),
        ("1.5f", Number("1.5", False)),
        ("NaN", Number("nan", False)),
        ("-Infinity", Number("-inf", False)),
        ("'a'", Text("a", "'")),
        ('"a\\n\\u00e9\\x41"', Text("a\né" + "A", '"')),
        ("`a`", Text("a", "`")),
        ('"""a"b"""', Text('a"b', '"""')),
        ('String::from("a")', Text("a", '"')),
        ('"a".to_string()', Text("a", '"')),
        ("True", Truth(True)),
        ("false", Truth(False)),
        ("nil", Nothing("nil")),
        ("undefined", Nothing("undefined")),
        ("[1, 2]", Items((ONE, TWO))),
        ("[1, 2,]", Items((ONE, TWO))),
        ("(1, 2)", Items((ONE, TWO), Kind.TUPLE)),
        ("(1,)", Items((ONE,), Kind.TUPLE)),
        ("(1)", Made("(", (ONE,))),
        ("{1, 2}", Items((ONE, TWO), Kind.SET)),
        ("{}", Entries(())),
        ('{"a": 1, b: 2}', Entries(((Text("a"), ONE), (Text("b"), TWO)))),
        ("Arrays.asList(1, 2)", Items((ONE, TWO))),
        ("List.of()", Items(())),
        ("new int[]{1, 2}", Items((ONE, TWO))),
        ("[]int{1, 2}", Items((ONE, TWO))),
        ('map[string]int{"a": 1}', Entries(((Text("a"), ONE),))),
        ("vec![1, 2]", Items((ONE, TWO))),
        ("&[1, 2]", Items((ONE, TWO))),
        ("new HashSet<>(Arrays.asList(1))", Items((ONE,), Kind.SET)),
        ('mapOf("a" to 1)', Entries(((Text("a"), ONE),))),
        ("Map.of(1, 2)", Entries(((ONE, TWO),))),
        ("HashMap::from([(1, 2)])", Entries(((ONE, TWO),))),
        ("Some(1)", Made("some", (ONE,))),
        ("Optional[a]", Made("some", (Word("a"),))),
        ("Optional.empty()", Made("none")),
        ("Err(2)", Made("err", (TWO,))),
        ("Point(1, 2)", Made("Point", (ONE, TWO))),
        ("Color.RED", Word("Color.RED")),
    ],
)
def test_is_read(text: str, value: object) -> None:
    assert whole_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        r"`\^a`",
        r"'\(a\)'",
        "",
        "[1, 2",
        "'a",
        "1.2.3",
        "12abc",
        "--1",
        "[1 2]",
        "[1;2]",
        '"\\ud8"',
        '"\\U99999999"',
        "{a}b",
        ")",
        "f(",
        "Map.of(1)",
    ],
)
def test_is_not_read(text: str) -> None:
    assert whole_value(text) is None


def test_a_number_ends_where_its_sentence_does() -> None:
    assert value_at("1.") == (ONE, 1)


def test_arguments() -> None:
    assert arguments_at("f(1, 2) + 3", 1) == ((ONE, TWO), 7)
    assert arguments_at("f(1 + 2)", 1) is None


@pytest.mark.parametrize(
    "piece", ["[", "(", "{", "Some(", "'", '"\\', "1_", "a.", "&", "new ", "[]", "{1:", "-", "0x", "map[a]"]
)
def test_no_text_is_slow_or_ends_in_an_error(piece: str) -> None:
    began = time.process_time()
    assert value_at(piece * 5000) is None or len(piece) * 5000 <= 20_000
    assert value_at((piece * 5000)[:19_000]) is None or True
    assert time.process_time() - began < 5
