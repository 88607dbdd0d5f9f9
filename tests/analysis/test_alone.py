"""What contradicts the words is run alone, and what stands before an example is told from the example."""

from __future__ import annotations

from dataclasses import replace

from qverify_desktop.analysis.alone import MOST_CONTAINERS, disputed, settled, shares
from qverify_desktop.analysis.judge import SETUP_FAILED, Runs, Tried, read_tried
from qverify_desktop.domain.testing import Status, SuiteResult
from qverify_desktop.languages.python.language import PythonLanguage
from tests.analysis.values import PATH, generated, outcome, tried

FAILED = {"raised": "AssertionError", "in_test": True, "observed": "3", "frames": (f"{PATH}:4",)}


def test_only_what_would_be_suspected_is_run_alone():
    suspected = tried(generated("test_a"), Status.FAILED, **FAILED)
    passed = tried(generated("test_b"))
    unknown = tried(generated("test_c"), Status.FAILED, **FAILED | {"raised": "NameError"})
    assert disputed(Runs((suspected, passed, unknown)), PythonLanguage()) == [suspected.test]


def test_a_test_has_a_container_of_its_own_while_they_last():
    tests = [generated(f"test_{number}") for number in range(MOST_CONTAINERS * 2 + 1)]
    assert shares(tests[:3]) == [[one] for one in tests[:3]]
    assert shares([]) == []
    shared = shares(tests)
    assert len(shared) == MOST_CONTAINERS
    assert sorted(one.name for share in shared for one in share) == sorted(one.name for one in tests)
    assert max(len(share) for share in shared) == 3


def test_what_does_otherwise_alone_is_not_alike_any_more():
    one = tried(generated("test_a"), Status.FAILED, **FAILED)
    runs = Runs((one,))
    assert settled(runs, [Tried(one.test, (outcome(one.test, Status.FAILED, **FAILED),))]) == runs
    for other in (
        outcome(one.test, Status.PASSED),
        outcome(one.test, Status.FAILED, **FAILED | {"observed": "4"}),
    ):
        (seen,) = settled(runs, [Tried(one.test, (other,))]).tried
        assert one.failed_alike and not seen.failed_alike
        assert len(seen.outcomes) == len(one.outcomes)


def read(code: str, line: int, text: str) -> str:
    test = replace(generated("test_a"), code=code)
    failed = outcome(test, Status.FAILED, raised="TypeError", frames=(f"{PATH}:{line}", "pkg/text.py:3"))
    return read_tried([test], SuiteResult((failed,)), {PATH: text})[test.id].outcomes[0].raised


def test_a_failure_before_the_example_is_the_set_ups():
    code = (
        'test("a", () => {\n  const bag = make();\n  const observed = f(\n    bag,\n  );\n  same(observed, 2);\n});'
    )
    text = f"const f = 1;\n\n{code}\n\n{code.replace('a', 'b')}\n"
    assert [read(code, line, text) for line in range(2, 10)] == [
        "TypeError",
        SETUP_FAILED,
        SETUP_FAILED,
        *["TypeError"] * 5,
    ]
    assert read(code, 4, "another text") == "TypeError"
    assert read("f()\nassert x", 1, "f()\nassert x") == "TypeError"


def test_the_loaders_own_ending_of_a_test_file_is_known():
    code = "  const bag = make();\n  const observed = f(bag);"
    test = replace(generated("test_a"), code=code)
    failed = outcome(test, Status.FAILED, raised="TypeError", frames=(f"{PATH}x:1",))
    assert read_tried([test], SuiteResult((failed,)), {PATH: code})[test.id].outcomes[0].raised == SETUP_FAILED
