"""Tests written from promises: they pass on code that keeps the words, and fail on code that breaks them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.python.promise_tests import write_promise_tests
from qverify_desktop.languages.python.writing import render, static_problem
from tests.languages.python.mining import mined

PROJECT = Project("python", "python", ("",), ("mod.py",), ())
TARGET = Target("python", "mod.py", "mod", "f", 1, 2, 2, "def f(x)")


def promise(call: str, expected: str, form: str = "->", words: str = "", **more: object) -> Promise:
    relation = more.pop("relation", PromiseRelation.EQUALS)
    assert isinstance(relation, PromiseRelation)
    setup = ("from mod import f",)
    return Promise(
        TARGET.id, call, expected, relation, words or f"{call} {form} {expected}", "mod.py", 1, form, setup
    )


def assertion(expected: str, form: str = "->", words: str = "") -> str:
    (test,) = write_promise_tests(PROJECT, [TARGET], [promise("f(1)", expected, form, words)])
    return test.code.split("\n")[-1].strip()


@pytest.mark.parametrize(
    ("expected", "form", "words", "line"),
    [
        ("4", "->", "", "assert observed == 4"),
        ("'a'", "->", "", 'assert observed == "a"'),
        ("True", "->", "", "assert observed is True"),
        ("True", "==", "", "assert observed == True"),
        ("True", "=>", "f(1) => true", "assert bool(observed) is True"),
        ("None", "==", "", "assert observed is None"),
        ("1.0", "->", "", "assert observed == pytest.approx(1.0)"),
        ("0.33", "->", "", "assert observed == pytest.approx(0.33, abs=5e-3)"),
        ("0.1234567890123456", "->", "", "assert observed == pytest.approx(0.1234567890123456, rel=1e-12)"),
        ("[1, (0.5, 'x')]", "->", "", 'assert observed == [1, (pytest.approx(0.5), "x")]'),
        ("{'a': 2.25}", "->", "", 'assert observed == {"a": pytest.approx(2.25, abs=5e-3)}'),
        ("{2, 1}", "->", "", "assert observed == {1, 2}"),
        ("float('inf')", "->", "", 'assert observed == float("inf")'),
        ("float('nan')", "->", "", "assert observed != observed"),
        ("(1,)", "->", "", "assert observed == (1,)"),
        ("Point(x=1)", "doctest", "", 'assert repr(observed) == "Point(x=1)"'),
        ("Point(name=u'x')", "doctest", "", "assert repr(observed) == \"Point(name='x')\""),
        ("Decimal('1.5')", "doctest", "", "assert observed == Decimal('1.5')"),
        ("datetime.timedelta(397, 5405)", "doctest", "", "assert observed == dt.timedelta(397, 5405)"),
        ("datetime.timedelta(days=-1)", "doctest", "", "assert observed == dt.timedelta(days=-1)"),
        (
            "datetime.datetime(2020, 1, 2, tzinfo=UTC)",
            "doctest",
            "",
            'assert repr(observed) == "datetime.datetime(2020, 1, 2, tzinfo=UTC)"',
        ),
    ],
)
def test_how_strictly_a_value_is_compared(expected: str, form: str, words: str, line: str) -> None:
    assert assertion(expected, form, words) == line


def test_errors_and_printed_text() -> None:
    promises = [
        promise("f(0)", "ValueError", "doctest", relation=PromiseRelation.RAISES),
        promise("f(1)", "one\ntwo\n", "doctest", relation=PromiseRelation.PRINTS),
    ]
    first, second = write_promise_tests(PROJECT, [TARGET], promises)
    assert first.code == "def test_f_doctest_1():\n    with pytest.raises(ValueError):\n        f(0)"
    assert second.code.split("\n")[0] == "def test_f_doctest_2(capsys):"
    assert second.code.endswith('assert observed.rstrip() == "one\\ntwo"')


def test_what_was_printed_before_the_call_is_not_its_answer() -> None:
    words = promise("print(a)", "1\n", "doctest", relation=PromiseRelation.PRINTS)
    (test,) = write_promise_tests(PROJECT, [TARGET], [replace(words, setup=("a = f(1)", "print(a)"))])
    assert test.code.split("\n")[1:5] == [
        "    a = f(1)",
        "    print(a)",
        "    capsys.readouterr()",
        "    print(a)",
    ]


def test_a_test_carries_its_words_and_their_place() -> None:
    (test,) = write_promise_tests(PROJECT, [TARGET], [promise("f(1)", "2")])
    assert (test.label, test.origin, test.call, test.expected) == (
        Label.SPECIFICATION,
        Origin.PROMISE,
        "f(1)",
        "2",
    )
    assert test.quote is not None
    assert (test.quote.text, test.quote.file, test.quote.line) == ("f(1) -> 2", "mod.py", 1)
    assert test.path == "tests/qverify/test_qv_mod_promises.py"


def test_names_are_unique_and_a_promise_of_no_target_is_left_out() -> None:
    promises = [promise("f(1)", "2"), promise("f(2)", "3"), promise("f(3)", "4", "==")]
    stray = Promise("mod.py::gone", "gone()", "1", PromiseRelation.EQUALS, "", "mod.py", 1, "->")
    tests = write_promise_tests(PROJECT, [TARGET], [*promises, stray])
    assert [test.name for test in tests] == ["test_f_gives_1", "test_f_gives_2", "test_f_equals_1"]


MODULE = '''
"""Small things.

>>> total([1, 2])
3
"""
import enum
from collections import OrderedDict
from decimal import Decimal


class Colour(enum.Enum):
    RED = 1


class Box:
    """A box.

    >>> box = Box("a")
    >>> box.put(3)
    >>> box.content
    [3]
    >>> box
    Box('a')
    >>> Box("a").put(None)
    Traceback (most recent call last):
    ValueError: nothing
    """

    def __init__(self, name):
        self.name = name
        self.content = []

    def put(self, thing):
        if thing is None:
            raise ValueError("nothing")
        self.content.append(thing)

    def __repr__(self):
        return f"Box({self.name!r})"


def total(values):
    """
    >>> total([])
    0
    >>> total([0.1, 0.2])
    0.3
    """
    return sum(values)


def colour():
    """
    >>> colour()
    <Colour.RED: 1>
    """
    return Colour.RED


def ordered():
    """
    >>> ordered()
    OrderedDict([('a', Decimal('1.50'))])
    """
    return OrderedDict(a=Decimal("1.50"))


def show(text):
    """
    >>> show("a")
    <a>
    """
    print(f"<{text}>")


def block():
    """
    >>> text = TRIPLEone
    ...     twoTRIPLE
    >>> lines(text)
    ['one', '    two']
    """


def lines(text):
    """lines("a\\\\nb") == ["a", "b"]"""
    return text.split("\\n")
'''.replace("TRIPLE", "'" * 3)


def written(root: Path, source: str) -> list[GeneratedTest]:
    project, targets, promises = mined(root, {"mod.py": source})
    tests = write_promise_tests(project, targets, promises)
    for path, text in render(tests).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    assert [test.name for test in tests if static_problem(test)] == []
    return tests


def failing(root: Path) -> list[str]:
    """Names of the tests that fail, run by a pytest of their own over a module that stands in this file."""
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        "--tb=no",
        "-rfE",
        "tests",
    ]
    done = subprocess.run(
        command, cwd=root, env={"PYTHONPATH": str(root), "PATH": ""}, capture_output=True, text=True, check=False
    )
    lines: Sequence[str] = done.stdout.splitlines()
    assert any("passed" in line or "failed" in line for line in lines), done.stdout + done.stderr
    return sorted(line.split("::")[1].split(" ")[0] for line in lines if line.startswith(("FAILED", "ERROR")))


def test_kept_words_pass_and_broken_words_fail(tmp_path: Path) -> None:
    good = written(tmp_path / "good", MODULE)
    assert {test.target.partition("::")[2] for test in good} >= {
        "Box.put",
        "total",
        "colour",
        "ordered",
        "show",
        "lines",
    }
    assert failing(tmp_path / "good") == []
    broken = MODULE.replace("self.content.append(thing)", "self.content = [thing + 1]").replace(
        "return sum(values)", "return sum(values) + 1"
    )
    written(tmp_path / "broken", broken)
    assert {name.rsplit("_", 2)[0] for name in failing(tmp_path / "broken")} == {"test_total", "test_Box_put"}
