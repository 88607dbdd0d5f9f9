"""Mining: what is an example, what only looks like one, and where its words stand."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from qverify_desktop.domain.project import PromiseRelation, Snapshot
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.promises import find_promises, unread_examples
from tests.languages.python.mining import mined, of_docstring, of_readme
from tests.languages.python.repositories import snapshot_of


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (">>> f(2)\n4", [("f(2)", "4")]),
        (">>> f(2) == 4", [("f(2)", "4")]),
        (">>> print(f(2))\n4 # four", []),
        (">>> print(f(2))\n# f[2] is also possible", []),
        (">>> f('a # b')\n'a # b'", [("f('a # b')", "'a # b'")]),
        (">>> f(2) == 4\nTrue", [("f(2)", "4")]),
        (">>> f(2) == 4\nFalse", [("f(2) == 4", "False")]),
        (">>>f(2)\n4", [("f(2)", "4")]),
        (">>> f(2)  # returns 4", [("f(2)", "4")]),
        (">>> f(2)\n>>> # -> 4", [("f(2)", "4")]),
        (">>> f([1,\n...    2])\n[3, 4]", [("f([1, 2])", "[3, 4]")]),
        ("f(2) == 4", [("f(2)", "4")]),
        ("f(2) -> 4", [("f(2)", "4")]),
        ("f(2) => 4", [("f(2)", "4")]),
        ("f(2) ==> 4", [("f(2)", "4")]),
        ("f(2)==>4", [("f(2)", "4")]),
        ("f(2) ➞ 4", [("f(2)", "4")]),
        ("f(2) → 4", [("f(2)", "4")]),
        ("f(2) = 4", [("f(2)", "4")]),
        ("f(2)  # => 4", [("f(2)", "4")]),
        ("f(2) # 4", [("f(2)", "4")]),
        ("f(2) returns 4", [("f(2)", "4")]),
        ("f(2) should return 4.", [("f(2)", "4")]),
        ("f(2) gives 4", [("f(2)", "4")]),
        ("f(2) evaluates to 4", [("f(2)", "4")]),
        ("f(2) is True", [("f(2)", "True")]),
        ("f(2) is None", [("f(2)", "None")]),
        ("f(2): 4", [("f(2)", "4")]),
        ("f(2) -> 19 - 5 - 10 = 4", [("f(2)", "4")]),
        ("Given a string x.\nf(abc) => True\nf(ab) => 3", [("f('abc')", "True"), ("f('ab')", "3")]),
        ("Given a string x.\nf(abc) => True\nf('ab') => 3", [("f('ab')", "3")]),
        ("Given a string x.\nf(abc) => True\nf(g) => 3", [("f(g)", "3")]),
        ("* f(2) -> 4", [("f(2)", "4")]),
        ("1. f(2) -> 4", [("f(2)", "4")]),
        ("For instance, f(2) == 4, and so on.", [("f(2)", "4")]),
        ("``f(2)`` returns ``4``.", [("f(2)", "4")]),
        ("`f(2) == 4`", [("f(2)", "4")]),
        ("f(2) == 4 because it doubles", [("f(2)", "4")]),
        ("f(2) == 4 (it doubles)", [("f(2)", "4")]),
        ("f(2) == 4, f(3) == 6", [("f(2)", "4"), ("f(3)", "6")]),
        ("f(-1) == -1.5", [("f(-1)", "-1.5")]),
        ("f(1) == float('inf')", [("f(1)", "float('inf')")]),
        ("f(b'a') == b'\\\\x00'", [("f(b'a')", "b'\\x00'")]),
        ("f({1: [2]}) == {'a': (1, {2})}", [("f({1: [2]})", "{'a': (1, {2})}")]),
        ("f(1, y=2) -> [\n    1,\n    2,\n]", [("f(1, y=2)", "[ 1, 2, ]")]),
        ("f([\n  1,\n  2\n]) == 3", [("f([ 1, 2 ])", "3")]),
        ("f(1) => true", [("f(1)", "True")]),
        ("f(1) => [true, null]", [("f(1)", "[True, None]")]),
        ("f(g(1)) == 2", [("f(g(1))", "2")]),
        ("sorted(f(1)) == [1]", [("sorted(f(1))", "[1]")]),
        ('f("a   b") == "a   b"', [('f("a   b")', '"a   b"')]),
        ("f(1)[0] == 2", [("f(1)[0]", "2")]),
        ("assert f(1) == 2", [("f(1)", "2")]),
        ("::\n\n    f(1) == 2", [("f(1)", "2")]),
        (".. code-block:: python\n\n    f(1)  # => 2", [("f(1)", "2")]),
        ("Input: x = 1, y = 2\nOutput: 3", [("f(1, 2)", "3")]),
        ('For x = "a", the result should be "b"', [('f("a")', '"b"')]),
        ("Example 1:\n    Input: x = [1]\n    Output: [2]\n    Explanation: more", [("f([1])", "[2]")]),
    ],
)
def test_examples_that_are_read(tmp_path: Path, words: str, expected: list[tuple[str, str]]) -> None:
    assert of_docstring(tmp_path, words) == expected


@pytest.mark.parametrize(
    "words",
    [
        "f(x: int) -> int",
        "f(x) -> int",
        "f(x) -> str: the text",
        "f() -> None",
        "f(a) => False",
        "f(1) == 1 + 9",
        "f(1) == 19 - 5 = 13",
        "f(1) == 19 - y = 14",
        "f(1) -> 1, 2",
        "f(1) -> 1/2",
        "f(1) -> 3 items",
        "f(1) -> 1.2.3",
        "f(1) -> 2020-01-01",
        "f(1) -> [1, 2, ...]",
        "f(1) -> [1, 2",
        "f(1) -> ('one')",
        "f(1) -> 'a' or 'b'",
        "f(1) != 2",
        "f(1) <= 2",
        "f(1) >= 2",
        "len(f(1) == 2)",
        "1 + f(1) == 2",
        "not f(1) == 2",
        "-f(1) == 2",
        "x, y = f(1) == 2",
        "Wrong: f(1) == 2",
        "f(1) == 2 is wrong",
        "f(1) might return 2",
        "f(1) may return 2",
        "Deprecated:\n    f(1) == 2",
        "Before:\n    f(1) == 2\n",
        "Don't do this:\n\n    f(1) -> 2",
        "f(1)  # 2 items are left",
        "f(1)  # 2. second step",
        "f(1)  # prints 2 and 3",
        "f(1)  # doctest",
        "unknown(1) == 2",
        "obj.f(1) == 2",
        "self.f(1) == 2",
        "f(self.x) == 2",
        "f(open('x')) == 2",
        "f(data) == 2",
        "f(...) == 2",
        "f(1)[0] = 2",
        "f(1).x = 2",
        "f(id(1)) == 2",
        ">>> f(1)",
        ">>> f(1)  # doctest: +SKIP\n2",
        ">>> f(1)\n<mod.Thing object at 0x7f0000000000>",
        ">>> f(1)\n[1, ..., 9]",
        ">>> f(1)\nsomething like 4",
        ">>> f(unknown)\n4",
        ">>> f(1)\narray([1, 2])",
        ".. code-block:: javascript\n\n    f(1)  // => 2\n    f(1) => 2",
        "```js\nf(1) // 2\nf(1) => 2\n```",
        "Input: z = 1\nOutput: 3",
        "For z = 1 the result should be 3",
        "Input: x = 1, z = 2\nOutput: 3",
        "f(1) => 2\nf(1) => 3",
        "f(1) returns the value 4",
        "f(1) returns nothing",
        "f(1) returns 4%",
        "f(1) -> True if odd",
        "f(" * 500,
        "f(" + "[" * 5000 + "]" * 5000 + ") == 1",
        "f(" + "-" * 5000 + "1) == 1",
    ],
)
def test_text_that_is_no_example(tmp_path: Path, words: str) -> None:
    assert of_docstring(tmp_path, words) == []


def test_words_stand_verbatim_at_their_line(tmp_path: Path) -> None:
    text = (
        'def f(x):\n    """Double.\n\n    >>> f(2)\n    4\n\n    Also f(3) == 6, as said.\n    """\n    return 2 * x\n\n\n'
        'def g(x):\n    """g(1) -> 1"""\n    return x\n'
    )
    for content in (text, text.replace("\n", "\r\n"), "\ufeff" + text):
        root = tmp_path / str(len(content))
        _, _, promises = mined(root, {"mod.py": content.encode()})
        assert [promise.line for promise in promises] == [4, 7, 13]
        source = (root / "mod.py").read_bytes().decode("utf-8-sig")
        for promise in promises:
            lines = source.splitlines(keepends=True)
            assert "".join(lines[promise.line - 1 :]).find(promise.words) in range(len(lines[promise.line - 1]))
        assert promises[0].words.split() == [">>>", "f(2)", "4"]
        assert promises[2].words == "g(1) -> 1"


def test_a_traceback_promises_an_error_and_print_promises_text(tmp_path: Path) -> None:
    words = '''
    """
    >>> f(0)
    Traceback (most recent call last):
        ...
    ValueError: not zero
    >>> print(f(1))
    one
    <BLANKLINE>
    two
    >>> shout(1)
    1
    """
    '''
    text = f"{words.strip()}\n\ndef f(x):\n    return x\n\ndef shout(x):\n    print(x)\n"
    _, _, promises = mined(tmp_path, {"mod.py": text})
    assert [(p.call, p.expected, p.relation) for p in promises] == [
        ("f(0)", "ValueError", PromiseRelation.RAISES),
        ("print(f(1))", "one\n\ntwo", PromiseRelation.PRINTS),
        ("shout(1)", "1", PromiseRelation.PRINTS),
    ]
    assert [p.target for p in promises] == ["mod.py::f", "mod.py::f", "mod.py::shout"]


def test_a_function_that_prints_and_answers_promises_neither(tmp_path: Path) -> None:
    text = 'def f(x):\n    """\n    >>> f(1)\n    1\n    """\n    print(x)\n    return x\n'
    assert mined(tmp_path, {"mod.py": text})[2] == []


def test_a_session_carries_what_an_example_rests_on(tmp_path: Path) -> None:
    text = '''
class Stack:
    """A stack.

    >>> s = Stack([1])
    >>> s.push(2)
    >>> s.size()
    2
    >>> Stack([]).size()
    0
    >>> s.top
    2
    """

    def __init__(self, items):
        self.items = list(items)

    def push(self, item):
        self.items.append(item)

    def size(self):
        return len(self.items)

    @property
    def top(self):
        return self.items[-1]
'''
    _, _, promises = mined(tmp_path, {"mod.py": text})
    assert [(p.target.partition("::")[2], p.call, p.expected) for p in promises] == [
        ("Stack.size", "s.size()", "2"),
        ("Stack.size", "Stack([]).size()", "0"),
        ("Stack.top", "s.top", "2"),
    ]
    assert promises[0].setup == ("from mod import Stack", "s = Stack([1])", "s.push(2)")
    assert promises[1].setup[0] == "from mod import Stack"


def test_what_holds_a_value_may_change_it(tmp_path: Path) -> None:
    module = '''
    def f(function):
        """Wrap.

        >>> log = []
        >>> add = f(log.append)
        >>> add(1)
        >>> add(2)
        'done'
        >>> log
        [1, 2]
        """
        return function
    '''
    _, _, promises = mined(tmp_path, {"mod.py": module})
    (shown,) = [promise for promise in promises if promise.call == "log"]
    assert shown.setup[-4:] == ("log = []", "add = f(log.append)", "add(1)", "add(2)")


def test_names_bound_together_belong_together(tmp_path: Path) -> None:
    module = '''
    def f(items):
        """Split.

        >>> first, rest = f(iter("ab"))
        >>> list(first)
        [1]
        >>> list(rest)
        [2]
        """
        return [1], [2]
    '''
    _, _, promises = mined(tmp_path, {"mod.py": module})
    assert promises[-1].call == "list(rest)"
    assert promises[-1].setup[-1] == "list(first)"


def test_a_pretty_printer_shows_the_value(tmp_path: Path) -> None:
    words = ">>> from pprint import pprint as show\n>>> show(f(2))\n{1: 2}"
    text = "def f(x):\n    '''Says.\n\n" + textwrap.indent(words, "    ") + "\n    '''\n    return {1: x}\n"
    _, _, promises = mined(tmp_path, {"mod.py": text})
    assert [(promise.call, promise.relation) for promise in promises] == [("f(2)", PromiseRelation.EQUALS)]


@pytest.mark.parametrize(
    "words",
    [
        ">>> print(f(1))\n1\n> print(f(2))\n2",
        ">>> from time import time\n>>> since = time() - 5\n>>> f(since)\n7",
        ">>> f()\n1\n>>> f()\n2",
    ],
)
def test_examples_that_hold_only_where_they_were_written(tmp_path: Path, words: str) -> None:
    assert of_docstring(tmp_path, words) == []


def test_an_escape_elsewhere_in_a_docstring_does_not_change_an_example(tmp_path: Path) -> None:
    lines = [
        "def f(x):",
        '    """Ends with \\n.',
        "",
        "    >>> print(f(1))",
        "    \\\\begin",
        '    """',
        "    return x",
        "",
    ]
    _, _, (promise,) = mined(tmp_path, {"mod.py": "\n".join(lines)})
    assert promise.expected.strip() == "\\begin"


def test_a_docstring_may_import_its_own_module_by_its_path(tmp_path: Path) -> None:
    text = "def f(x):\n    '''Says.\n\n    >>> import pkg.mod\n    >>> pkg.mod.f(2)\n    2\n    '''\n    return x\n"
    _, targets, promises = mined(tmp_path, {"pkg/__init__.py": "", "pkg/mod.py": text})
    assert [(promise.call, promise.target) for promise in promises] == [("pkg.mod.f(2)", targets[0].id)]


def test_a_counter_keeps_every_earlier_call(tmp_path: Path) -> None:
    text = 'def f():\n    """\n    >>> i = f()\n    >>> next(i)\n    1\n    >>> next(i)\n    2\n    """\n    return iter((1, 2))\n'
    _, _, promises = mined(tmp_path, {"mod.py": text})
    assert promises[-1].setup == ("from mod import f", "i = f()", "next(i)")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("```python\nfrom mod import f\nf(1)  # => 2\n```\n", [("f(1)", "2")]),
        ("```python\nf(1)\n# returns 2\n```\n", [("f(1)", "2")]),
        ("```python\nimport mod\nmod.f(1) == 2\n```\n", [("mod.f(1)", "2")]),
        ("```\n>>> from mod import f\n>>> f(1)\n2\n```\n", [("f(1)", "2")]),
        ("~~~~\nf(1) # returns 2 (really)\n~~~~\n", [("f(1)", "2")]),
        ("```python\nx = f(1)  # 2\n```\n", [("f(1)", "2")]),
        ("```python\nassert f(1) == 2\n```\n", [("f(1)", "2")]),
        ("```python\nprint(f(1))  # [2]\n```\n", [("f(1)", "[2]")]),
        ("```python\nprint(f(1))  # 2\n```\n", [("print(f(1))", "2")]),
        ("Call `f(1)` and `mod.f(2) == 3`.\n", [("mod.f(2)", "3")]),
        ("```bash\nf(1) == 2\n```\n", []),
        ("```js\nf(1) // 2\n```\n", []),
        ("```python\nfrom elsewhere import f\nf(1)  # => 2\n```\n", []),
        ("```python\ndata = load()\nf(data)  # => 2\n```\n", []),
        ("f(1)\n====\n\n2 things\n", []),
    ],
)
def test_documentation_files(tmp_path: Path, words: str, expected: list[tuple[str, str]]) -> None:
    assert of_readme(tmp_path, words) == expected


def test_which_files_speak_of_the_code_as_it_is(tmp_path: Path) -> None:
    words = "`f(1) == 2`\n"
    assert of_readme(tmp_path / "a", words, "docs/guide/usage.rst") == [("f(1)", "2")]
    assert of_readme(tmp_path / "b", words, "CHANGELOG.md") == []
    assert of_readme(tmp_path / "c", words, "notes/idea.md") == []


def test_code_that_depends_on_when_it_runs_promises_nothing(tmp_path: Path) -> None:
    text = 'import random\n\ndef f(x):\n    """f(1) == 2"""\n    return random.choice([1, 2])\n'
    assert mined(tmp_path / "a", {"mod.py": text})[2] == []
    generator = 'def f(x):\n    """f(1) == [1]"""\n    yield x\n'
    assert mined(tmp_path / "b", {"mod.py": generator})[2] == []
    listed = 'def f(x):\n    """list(f(1)) == [1]"""\n    yield x\n'
    assert [p.call for p in mined(tmp_path / "c", {"mod.py": listed})[2]] == ["list(f(1))"]


def test_two_documents_that_contradict_each_other_accuse_nobody(tmp_path: Path) -> None:
    text = 'def f(x):\n    """f(1) == 2\n    f(2) == 3"""\n    return x\n'
    _, _, promises = mined(tmp_path, {"mod.py": text, "README.md": "`f(1) == 5`\n\n`f(2) == 3`\n"})
    assert [(p.call, p.file) for p in promises] == [("f(2)", "mod.py")]


def test_names_follow_re_exports_and_relative_imports(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": '"""Twice.\n\n>>> double(2)\n4\n"""\nfrom .core import double\n',
        "pkg/core.py": "def double(x):\n    return 2 * x\n",
        "README.md": "```python\nfrom pkg import double as d\nd(3)  # => 6\n```\n",
    }
    _, _, promises = mined(tmp_path, files)
    assert [(p.target, p.call) for p in promises] == [
        ("pkg/core.py::double", "double(2)"),
        ("pkg/core.py::double", "d(3)"),
    ]


def test_hostile_files_are_passed_over(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {
        "good.py": 'def f(x):\n    """f(1) == 1"""\n    return x\n',
        "bad.py": "def broken(:\n",
        "null.py": b"x = '\0'\n",
        "latin.py": b"x = '\xe9'\n",
        "deep.py": "x = " + "(" * 3000 + ")" * 3000 + "\n",
        "README.md": b"\xff\xfe `f(1) == 2`",
        "docs/long.txt": "f(" * 100_000,
    }
    _, _, promises = mined(tmp_path, files)
    assert [(p.call, p.file) for p in promises] == [("f(1)", "good.py")]


def test_a_link_out_of_the_tree_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.md"
    outside.write_text("`f(1) == 2`\n")
    root = tmp_path / "repo"
    root.mkdir()
    (root / "mod.py").write_text("def f(x):\n    return x\n")
    (root / "README.md").symlink_to(outside)
    snapshot = Snapshot("", "repo", str(root), "0" * 40, files=("README.md", "mod.py"))
    project = detect(snapshot)
    assert project is not None
    assert find_promises(snapshot, project, find_targets(snapshot, project)) == []


@pytest.mark.parametrize(
    "words",
    [
        "Sorts non-negative integers x.\nf([1, 2]) == [1]\nf([-1, -2]) == [-2]",
        "Takes a positive integer.\nf(3) == 4\nf(-3) == 4",
    ],
)
def test_examples_outside_of_the_domain_that_their_words_name_make_all_of_them_doubtful(tmp_path, words: str) -> None:
    assert of_docstring(tmp_path, words) == []
    assert len(of_docstring(tmp_path / "without", words.replace("non-negative ", "").replace("positive ", ""))) == 2


def test_an_indented_program_is_read_as_one(tmp_path: Path) -> None:
    text = '''
class Tally:
    """Counts.

    Example:
        tally = Tally()
        tally.add(2)  # 2
        tally.add(3)  # => 5
    """

    def __init__(self):
        self.sum = 0

    def add(self, number):
        self.sum += number
        return self.sum
'''
    _, _, promises = mined(tmp_path, {"mod.py": text})
    assert [(p.call, p.expected, p.setup[1:]) for p in promises] == [
        ("tally.add(2)", "2", ("tally = Tally()",)),
        ("tally.add(3)", "5", ("tally = Tally()", "tally.add(2)")),
    ]


def test_sections_about_other_versions_promise_nothing(tmp_path: Path) -> None:
    readme = (
        "# Thing\n\n`f(1) == 2`\n\n## Changelog\n\n`f(2) == 3`\n\n### 1.0\n\n`f(3) == 4`\n\n"
        "```python\n# Usage\nf(4)  # => 5\n```\n\n## Usage\n\n`f(5) == 6`\n\nRoadmap\n-------\n\n`f(6) == 7`\n"
    )
    assert of_readme(tmp_path, readme) == [("f(1)", "2"), ("f(5)", "6")]


def test_of_two_notations_the_stricter_one_stands(tmp_path: Path) -> None:
    text = 'def f(x):\n    """f(1) == 2\n\n    >>> f(1)\n    2\n    """\n    return x\n'
    assert [p.form for p in mined(tmp_path, {"mod.py": text})[2]] == ["doctest"]


def test_what_cannot_be_read_in_one_way_is_told(tmp_path: Path) -> None:
    words = "f(1) == 2\n    f(a) == 3\n    f(2) == z + 1\n    f(x) -> int\n    f(x) returns the value\n    f(3) == 4"
    files = {"mod.py": f'def f(x):\n    """Says.\n\n    {words}\n    """\n    return x\n'}
    project, targets, promises = mined(tmp_path, files)
    assert [promise.call for promise in promises] == ["f(1)", "f(3)"]
    found = unread_examples(snapshot_of(tmp_path, files), project, targets)
    assert found == [("mod.py", 5, "f(a) == 3"), ("mod.py", 6, "f(2) == z + 1")]


def test_modules_that_pass_each_others_names_on_in_a_circle(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "from pkg.a import *\n",
        "pkg/a.py": "from pkg.b import *\n",
        "pkg/b.py": "from pkg.a import *\nfrom pkg import *\n\ndef f(x):\n    '''\n    >>> f(2)\n    4\n    >>> gone(f(2))\n    5\n    '''\n    return x * x\n",
        "README.md": ">>> from pkg import f, nowhere\n>>> f(3)\n9\n>>> nowhere(f(3))\n9\n",
    }
    chain = {f"deep/m{number}.py": f"from deep.m{number + 1} import *\n" for number in range(1500)}
    end = {"deep/m1500.py": "from pkg.b import *\n", "LONG.md": ">>> from deep.m0 import f\n>>> f(5)\n25\n"}
    assert [one.call for one in mined(tmp_path, files | chain | end)[2]] == ["f(2)", "f(3)", "nowhere(f(3))"]
