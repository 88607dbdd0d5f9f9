"""Rendering tests to files, refusing what can't fail, taking a model's file apart."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.python.wrapping import WIDTH, wrapped
from qverify_desktop.languages.python.writing import expected_to_fail, render, split, static_problem

TARGET = Target("python", "mod.py", "mod", "Thing.do", 1, 2, 2, "def do(self)")
IMPORT = "from mod import f, Thing"


def case(code: str, *prelude: str, name: str = "test_a", **more: object) -> GeneratedTest:
    return GeneratedTest(
        "tests/qverify/test_x.py",
        name,
        code,
        "mod.py::f",
        Label.CHARACTERIZATION,
        Origin.MODEL,
        prelude,
        **more,  # type: ignore[arg-type]
    )


def problem(code: str, *prelude: str, name: str = "test_a") -> Reason | None:
    found = static_problem(case(code, *(prelude or (IMPORT, "import pytest")), name=name))
    return found.reason if found else None


@pytest.mark.parametrize(
    "body",
    [
        "assert f(1) == 2",
        "observed = f(1)\n    assert observed is None",
        "assert not f(1)",
        "with pytest.raises(ValueError):\n        f(1)",
        "data = [2, 1]\n    f(data)\n    assert data == [1, 2]",
        "thing = Thing()\n    thing.go()\n    assert thing.state == 'gone'",
        "thing = Thing()\n    assert thing.state == 1",
        "assert list(map(f, [1, 2])) == [2, 4]",
        "for item in f(3):\n        assert item > 0",
        "assert [x for x in f(2)] == [1]",
        "with Thing() as t:\n        assert t.ready",
        "a, b = f(1)\n    assert a == b",
        "try:\n        f(1)\n    except ValueError as e:\n        assert 'x' in str(e)",
        "try:\n        f(1)\n    except ValueError:\n        return\n    assert f(2) == 1",
        "pytest.raises(ValueError, f, 1)",
        "first = f(1)\n    second = f(1)\n    assert second == first",
        "assert isinstance(f(1), int)",
        "assert f(1) == 1 and f(2) == 2",
    ],
)
def test_assertions_that_can_fail(body: str) -> None:
    assert problem(f"def test_a():\n    {body}") is None


@pytest.mark.parametrize(
    "body",
    [
        "f(1)",
        "assert True",
        "assert 1 == 1",
        "f(1)\n    assert True",
        "x = f(1)\n    assert x == x",
        "x = f(1)\n    assert x is x",
        "assert f(1) == f(1)",
        "x = Thing()\n    assert x is not None",
        "x = Thing()\n    assert isinstance(x, Thing)",
        "x = f(1)\n    assert isinstance(x, object)",
        "x = f(1)\n    assert x == 2 or True",
        "x = f(1)\n    assert (x == 2, 'message')",
        "x = f(1)\n    assert len(x) >= 0",
        "assert callable(f)",
        "assert f is not None",
        "assert hasattr(Thing, 'go')",
        "x = 2\n    f(1)\n    assert x == 2",
        "pytest.skip('later')\n    assert f(1) == 2",
        "pytest.xfail()\n    assert f(1) == 2",
        "try:\n        assert f(1) == 2\n    except Exception:\n        pass",
        "try:\n        assert f(1) == 2\n    except:\n        pass",
        "return\n    assert f(1) == 2",
        "if False:\n        assert f(1) == 2",
        "while 0:\n        assert f(1) == 2",
        "for x in []:\n        assert f(x) == 2",
        "def inner():\n        assert f(1) == 2",
        "with contextlib.suppress(AssertionError):\n        assert f(1) == 2",
        "with pytest.raises(ValueError):\n        raise ValueError",
        "with pytest.raises(ValueError):\n        int('x')",
        "pass",
        "...",
    ],
)
def test_assertions_that_cannot(body: str) -> None:
    assert problem(f"def test_a():\n    {body}") is Reason.TRIVIAL


def test_marks_that_skip_are_refused() -> None:
    for mark in (
        "pytest.mark.skip",
        "pytest.mark.skipif(True, reason='x')",
        "pytest.mark.xfail",
        "unittest.skip('x')",
    ):
        assert problem(f"@{mark}\ndef test_a():\n    assert f(1) == 2") is Reason.TRIVIAL


def test_what_needs_context_is_seen_in_it() -> None:
    fixture = "@pytest.fixture\ndef thing():\n    return Thing()"
    assert problem("def test_a(thing):\n    assert thing.go() == 1", IMPORT, "import pytest", fixture) is None
    assert problem("def test_a(capsys):\n    f(1)\n    assert capsys.readouterr().out == 'x'") is None
    assert problem("def test_a(capsys):\n    print('x')\n    assert capsys.readouterr().out == 'x'") is Reason.TRIVIAL
    holder = "class TestX(unittest.TestCase):\n    def setUp(self):\n        self.t = Thing()\n    def test_a(self):\n        self.assertEqual({}, 1)"
    assert problem(holder.format("self.t.go()"), IMPORT, "import unittest", name="TestX::test_a") is None
    assert problem(holder.format("1"), IMPORT, "import unittest", name="TestX::test_a") is Reason.TRIVIAL
    mocked = "def test_a():\n    logger = mock.Mock()\n    f(logger)\n    logger.assert_called_once_with(1)"
    assert problem(mocked, IMPORT, "from unittest import mock") is None
    assert problem("def test_a():\n    assert json.loads('1') == 1", "import json") is Reason.TRIVIAL


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("def test_a(:", Reason.SYNTAX),
        ("def test_a():\n    assert f('\0')", Reason.SYNTAX),
        ("def test_a():\n    assert " + "(" * 3000 + ")" * 3000, Reason.SYNTAX),
        ("def test_a():\n    assert f(" + "-" * 100_000 + "1)", Reason.SYNTAX),
        ("def test_a():\n    assert f(" + "+".join("1" * 60_000) + ")", Reason.SYNTAX),
        ("x" * 300_000, Reason.SYNTAX),
        ("def test_b():\n    assert f(1)", Reason.NOT_A_TEST),
        ("test_a = 1", Reason.NOT_A_TEST),
    ],
)
def test_hostile_and_broken_source(code: str, reason: Reason) -> None:
    assert problem(code) is reason


def test_render_merges_and_is_deterministic(tmp_path: Path) -> None:
    words = Quote('f(1)\n"""\r# == 2\u2028', "mod\n.py", 3)
    tests = [
        case("def test_b():\n    assert f(1) == 2", "import pytest", "from mod import f", "LIMIT = 3", name="test_b"),
        case(
            "@pytest.mark.parametrize('x', [1])\ndef test_a(x):\n    assert Thing(x)",
            *("from __future__ import annotations", "import os", "from mod import Thing", "import pytest"),
            *("LIMIT = 3", "def helper():\n    return 1"),
        ),
        GeneratedTest(
            "tests/qverify/test_x.py",
            "test_c",
            "def test_c():\n    assert f(1) == 2",
            "mod.py::f",
            Label.SPECIFICATION,
            Origin.PROMISE,
            ("from mod import f",),
            quote=words,
        ),
        case("def test_z():\n    assert f(1)", "from mod import f", name="test_z"),
    ]
    text = render([*tests, tests[0]])["tests/qverify/test_x.py"]
    assert render(tests) == render([*tests, tests[0]])
    ast.parse(text)
    lines = text.split("\n")
    assert lines[0].startswith('"""Tests written by QVerify') and text.endswith("\n") and not text.endswith("\n\n")
    order = [
        "from __future__ import annotations",
        "import os",
        "import pytest",
        "from mod import Thing, f",
        "LIMIT = 3",
    ]
    positions = [lines.index(line) for line in order]
    assert positions == sorted(positions)
    assert text.count("LIMIT = 3") == text.count("def test_b()") == 1
    assert text.index("def test_b") < text.index("def test_a") < text.index("def test_c") < text.index("def test_z")
    assert '#   f(1) """ # == 2' in lines
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent))
    assert ruff is not None
    file = tmp_path / "test_x.py"
    file.write_text(text.replace("'", '"'))
    done = subprocess.run(
        [ruff, "format", "--check", "--isolated", "--line-length", str(WIDTH), str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr + text


def test_long_lines_are_broken_at_brackets() -> None:
    items = ", ".join(f'"item number {number}"' for number in range(12))
    code = f"def test_a():\n    assert f([{items}], (1, 2), key='a, b') == {{'x': [{items}]}}"
    broken = wrapped(code)
    assert max(map(len, broken.split("\n"))) <= WIDTH + 20 < max(map(len, code.split("\n")))
    assert ast.dump(ast.parse(broken)) == ast.dump(ast.parse(code))
    text = "def test_a():\n    assert f('" + "x, (" * 60 + "') == 1  # (a, b)"
    assert ast.dump(ast.parse(wrapped(text))) == ast.dump(ast.parse(text))


ANSWER = '''
"""Tests."""
from __future__ import annotations
import os
import pytest
from unittest import TestCase
from mod import f, Thing

LIMIT = 3
unused = made_up()


@pytest.fixture
def thing():
    return Thing(LIMIT)


def check(value):
    assert value


def test_one():
    assert f(1) == 2


def test_two(thing):
    result = thing.go(1)
    assert result == [1, 2]
    check(result)


class TestPlain:
    def test_one(self):
        check(f(1))


class TestShared:
    def setup_method(self):
        self.thing = Thing(1)

    def test_go(self):
        assert self.thing.go() == 1

    def test_stop(self):
        assert self.thing.stop() is None


class Old(TestCase):
    def test_old(self):
        self.assertEqual(f(1), 2)


if __name__ == "__main__":
    pytest.main()
'''


def test_a_file_is_taken_apart() -> None:
    tests = split(ANSWER, "tests/qverify/test_m.py", TARGET)
    assert isinstance(tests, list)
    assert [test.name for test in tests] == [
        "test_thing_do_one",
        "test_thing_do_two",
        "test_thing_do_one_2",
        "TestThingDoGo::test_go",
        "TestThingDoStop::test_stop",
        "TestThingDoOld::test_old",
    ]
    assert {(test.label, test.origin, test.target) for test in tests} == {
        (Label.CHARACTERIZATION, Origin.MODEL, "mod.py::Thing.do")
    }
    one, two, plain, go, stop, old = tests
    assert (one.call, one.expected) == ("f(1)", "2")
    assert (two.call, two.expected) == ("thing.go(1)", "[1, 2]")
    assert one.prelude == ("from __future__ import annotations", "from mod import f, Thing")
    assert "LIMIT = 3" in two.prelude and any("def thing" in entry for entry in two.prelude)
    assert any("def check" in entry for entry in two.prelude)
    assert not any("made_up" in entry for test in tests for entry in test.prelude)
    assert plain.code == "def test_thing_do_one_2():\n    check(f(1))"
    assert "setup_method" in go.code and "test_stop" not in go.code
    assert "test_go" not in stop.code
    assert old.code.startswith("class TestThingDoOld(TestCase):")
    assert [test.name for test in tests if static_problem(test)] == ["test_thing_do_one_2"]
    text = render(tests)["tests/qverify/test_m.py"]
    assert text.count("def check") == 1
    compile(text, "test_m.py", "exec")


def test_a_broken_off_answer_keeps_what_is_whole() -> None:
    broken = "from mod import f\n\ndef test_a():\n    assert f(1) == 2\n\ndef test_b():\n    assert f([1,"
    tests = split(broken, "t.py", TARGET)
    assert isinstance(tests, list)
    assert [test.name for test in tests] == ["test_thing_do_a"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("Here is your test:", Reason.SYNTAX),
        ("def f(:", Reason.SYNTAX),
        ("\0", Reason.SYNTAX),
        ("(" * 100_000, Reason.SYNTAX),
        ("x" * 500_000, Reason.SYNTAX),
        ("", Reason.NOT_A_TEST),
        ("x = 1\n", Reason.NOT_A_TEST),
        ("def helper():\n    assert True\n", Reason.NOT_A_TEST),
        ("@pytest.fixture\ndef test_data():\n    return 1\n", Reason.NOT_A_TEST),
    ],
)
def test_answers_that_hold_no_test(answer: str, reason: Reason) -> None:
    found = split(answer, "t.py", TARGET)
    assert isinstance(found, StaticProblem)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("body", "exit_code", "word"), [("return 3", 0, "1 xfailed"), ("return 2", 1, "XPASS(strict)")]
)
def test_a_test_that_is_expected_to_fail_turns_red_once_the_code_is_mended(
    tmp_path: Path, body: str, exit_code: int, word: str
) -> None:
    (tmp_path / "mod.py").write_text(f"def f():\n    {body}\n")
    marked = expected_to_fail(
        case("def test_a():\n    assert f() == 2", "from mod import f"), 'docs:3 says "2"\n\\ é'
    )
    ((path, text),) = render([marked]).items()
    assert path == "tests/qverify/test_x_expected_to_fail.py" and text.isascii()
    (tmp_path / "test_x_expected_to_fail.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rxX", "--rootdir", str(tmp_path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, word in done.stdout) == (exit_code, True), done.stdout
