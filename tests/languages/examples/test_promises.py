"""Written examples of every notation, bound to the function that they speak of; what is ambiguous is said, not guessed."""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest

from qverify_desktop.domain.project import Parameter, Promise, PromiseRelation, Target
from qverify_desktop.languages.examples.domain import doubted
from qverify_desktop.languages.examples.passages import Passage, documentation_files
from qverify_desktop.languages.examples.promises import Mined, mine
from qverify_desktop.languages.values.encoding import Unreadable, encode
from qverify_desktop.languages.values.value import Value


class Json:
    """A language whose source is JSON."""

    def call(self, target: Target, arguments: Sequence[Value]) -> str | None:
        shown = [self.answer(target, one) for one in arguments]
        return f"{target.symbol}({', '.join(str(one) for one in shown)})" if None not in shown else None

    def answer(self, target: Target, expected: Value) -> str | None:
        try:
            return str(encode(expected))
        except Unreadable:
            return None

    def error(self, target: Target, name: str) -> str | None:
        return name if name.endswith(("Exception", "Error")) else None


def target(name: str = "f", parameters: Sequence[str] = ("a", "b"), file: str = "src/m.go") -> Target:
    named = tuple(Parameter(one) for one in parameters)
    return Target("go", file, file.removesuffix(".go"), name, 10, 20, 11, f"func {name}", parameters=named)


def mined(text: str, *targets: Target, owner: bool = True) -> Mined:
    known = targets or (target(),)
    lines = tuple(text.split("\n"))
    return mine([Passage("src/m.go", lines, lines, 1, known[0] if owner else None)], known, Json())


def answers(text: str, *targets: Target, owner: bool = True) -> list[tuple[str, str]]:
    return [(promise.call, promise.expected) for promise in mined(text, *targets, owner=owner).promises]


ONE, TWO, THREE = "['int', '1']", "['int', '2']", "['int', '3']"
CALL = f"f({ONE}, {TWO})"


@pytest.mark.parametrize(
    "text",
    [
        ">>> f(1, 2)\n3",
        ">>> f(1, 2) == 3",
        "f(1, 2) == 3",
        "f(1, 2) === 3",
        "f(1, 2) = 3",
        "f(1, 2) -> 3",
        "f(1, 2) --> 3.",
        "f(1, 2) => 3",
        "f(1, 2) ==> 3",
        "f(1, 2) ➞ 3",
        "f(1, 2) → 3",
        "f(1, 2).equals(3)",
        "f(1, 2) // => 3",
        "f(1, 2); // 3",
        "f(1, 2) # returns 3",
        "f(1, 2)\n// => 3",
        "* `f(1, 2)` returns `3`",
        "- f(1, 2) should return 3",
        "The call f(1, 2) gives 3, because 1 + 2 is 3.",
        "f(1, 2): 3",
        "f(1, 2) -> 19 - 8 - 8 = 3",
        "const x = f(1, 2) // => 3",
        "assert f(1, 2) == 3",
        "m.f(1, 2) == 3",
        "m::f(1, 2) == 3",
        "f(\n  1,\n  2\n) == 3",
        "Input: a = 1, b = 2\nOutput: 3",
        "Sample input: a = 1, b = 2\nSample output:\n3",
        "For a = 1, b = 2, the result should be 3",
        "With b = 2 and a = 1 the output must be: 3.",
    ],
)
def test_is_read(text: str) -> None:
    assert answers(text) == [(CALL, THREE)]


@pytest.mark.parametrize(
    "text",
    [
        "f(1, 2) may be 3",
        "f(1, 2) == 3 is wrong",
        "Do not expect f(1, 2) == 3",
        "f(1, 2) == 3 + x",
        "f(1, 2) == x",
        "f(x, 2) == 3 in every g",
        "1 + f(1, 2) == 3",
        "g(f(1, 2)) == 3",
        "not f(1, 2) == 3",
        "f(1, 2) -> int",
        "f(1, 2) -> 3, 4",
        "func f(1, 2) = 3",
        "f(1, 2) == 3\nf(1, 2) == 4",
        ">>> f(1, 2)\n>>> f(1, 2)",
        "Input: a = 1\nOutput: 3",
        "For a = 1, b = 2, c = 3, the result should be 3",
        "f(1, 2) # 3 or so",
    ],
)
def test_is_not_guessed(text: str) -> None:
    assert answers(text) == []


def test_bare_words_are_text_where_the_parameter_is() -> None:
    named = Target("java", "src/m.go", "src/m", "f", 1, 3, 2, "", parameters=(Parameter("s", "String"),))
    assert answers("f(abc) == 3\nf(ab) == 2", named) == [("f(abc)", THREE), ("f(ab)", TWO)]
    assert answers("f(abc) == 3", named) == answers("f(abc) == 3\nf(s) == 4", named) == []
    assert answers("f(abc) == 3", target(parameters=("s",))) == []


def test_an_example_outside_of_the_domain_that_its_words_name_makes_all_doubtful() -> None:
    said = "Sorts non-negative integers.\nf([1], 0) == 1\nf([-1], 0) == 2"
    documented = Target("go", "src/m.go", "src/m", "f", 1, 3, 2, "", said, (Parameter("a"), Parameter("b")))
    assert answers(said, documented) == []


@pytest.mark.parametrize(
    ("said", "answers", "doubtful"),
    [
        ("Return false if every bracket is closed.", ["false", "false", "false"], True),
        ("Returns `False` when nothing is left.", ["False", "False"], True),
        ("Return false if every bracket is closed.", ["false"], False),
        ("Return false if every bracket is closed.", ["false", "true"], False),
        ("Return false if a bracket is open, true otherwise.", ["false", "false"], False),
        ("Whether the brackets close. Returns false if one does not.", ["false", "false"], False),
        ("Return true if every bracket is closed.", ["false", "false"], False),
        ("Return false if every bracket is closed.", ["false", "0"], False),
    ],
)
def test_a_predicate_that_is_never_true_by_its_words_accuses_nobody(
    said: str, answers: list[str], doubtful: bool
) -> None:
    promises = [
        Promise("t", f"f({n})", answer, PromiseRelation.EQUALS, "", "src/m.go", n, "==")
        for n, answer in enumerate(answers, 1)
    ]
    assert doubted(promises, {"t": said}) == ({"t"} if doubtful else set())


def test_words_stand_at_their_line() -> None:
    (promise,) = mined("Adds.\n\n  f(1, 2) == 3  ").promises
    assert (promise.words, promise.line, promise.form) == ("f(1, 2) == 3", 3, "==")


def test_several_on_one_line_and_in_a_row() -> None:
    assert len(answers("f(1, 2) == 3, f(1, 3) == 4\nf(2, 2) == 4; f(0, 0) == 0")) == 4


def test_what_looks_meant_and_cannot_be_read_is_told() -> None:
    found = mined("f(x, 2) == 3\n>>> round(f(1, 2), 2)\n3.0")
    assert not found.promises
    assert [words.split("\n")[0] for _, _, words in found.unread] == ["f(x, 2) == 3", ">>> round(f(1, 2), 2)"]


def test_the_owner_is_meant_before_others_of_its_name() -> None:
    other = target(file="src/other.go")
    assert [p.target for p in mined("f(1, 2) == 3", target(), other).promises] == [target().id]
    assert answers("f(1, 2) == 3", target(), other, owner=False) == []
    assert answers("other.f(1, 2) == 3", target(), other, owner=False) == [(CALL, THREE)]


def test_methods_are_meant_with_their_class() -> None:
    method = target("Box.f")
    assert answers("Box.f(1, 2) == 3", target(), method, owner=False) == [(f"Box.{CALL}", THREE)]


@pytest.mark.parametrize(
    "piece", ["f(", "f(1, 2) ", "f(1, 2) == ", ">>> ", "f('", "Input: ", "For a = ", "a.f(", "\n", "[", "`f(1, 2)`"]
)
def test_no_text_is_slow_or_ends_in_an_error(piece: str) -> None:
    began = time.process_time()
    mined(piece * 2000)
    mined("\n".join([piece] * 2000))
    assert time.process_time() - began < 10


def test_documents_that_speak_of_other_versions_are_left_out() -> None:
    files = ["README.md", "CHANGELOG.md", "docs/use.rst", "src/notes.md", "LICENSE.txt", "docs/history.md"]
    assert documentation_files(files) == ["README.md", "docs/use.rst"]
