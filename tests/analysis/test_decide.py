"""Who is accepted, who is refused, and why."""

from __future__ import annotations

from qverify_desktop.analysis.decide import decide, measure
from qverify_desktop.analysis.judge import Tried
from qverify_desktop.analysis.mutation import Matrix
from qverify_desktop.domain.results import Fraction, Gain, Reason, TestVerdict
from qverify_desktop.domain.testing import Footprint, Mutant, Origin, Status
from qverify_desktop.languages.python.language import PythonLanguage

from .values import FILE, coverage, generated, outcome, tried

PYTHON = PythonLanguage()


def mutant(name: str) -> Mutant:
    return Mutant(name, FILE, 4, "relational", 0, 1, "<", "<=")


def reasons(judged: list) -> dict[str, Reason]:
    return {one.test.name: one.reason for one in judged}


def test_new_lines_are_a_gain_and_count_once():
    first, second = generated("test_a"), generated("test_b")
    judged, disputed = decide(
        [tried(first, lines=frozenset({4, 5})), tried(second, lines=frozenset({5}))], coverage(), Matrix(), PYTHON
    )
    assert not disputed
    assert [(j.verdict, j.reason) for j in judged] == [
        (TestVerdict.ACCEPTED, Reason.GAIN),
        (TestVerdict.REFUSED, Reason.NO_GAIN),
    ]
    assert judged[0].gain == Gain(lines=2)
    assert judged[0].detail == "2 new lines"


def test_lines_that_are_not_executable_or_covered_before_are_no_gain():
    judged, _ = decide(
        [tried(generated("test_a"), lines=frozenset({4, 77}))], coverage(frozenset({4})), Matrix(), PYTHON
    )
    assert judged[0].reason is Reason.NO_GAIN


def test_a_branch_is_a_gain():
    one = Tried(generated("test_a"), tried(generated("test_a")).outcomes, Footprint({}, {FILE: frozenset({(3, 5)})}))
    judged, _ = decide([one], coverage(), Matrix(), PYTHON)
    assert judged[0].gain == Gain(branches=1)


def test_a_killed_mutant_is_a_gain_unless_the_existing_suite_kills_it():
    test = generated("test_a")
    matrix = Matrix((mutant("m1"), mutant("m2")), {"m1": (test.id,), "m2": (test.id, "tests/test_own.py::test_x")})
    judged, _ = decide([tried(test)], coverage(), matrix, PYTHON)
    assert judged[0].gain == Gain(mutants=1)


def test_words_of_the_repository_come_before_observed_behaviour():
    observed = generated("test_seen", Origin.OBSERVATION, quoted=False)
    promised = generated("test_said")
    lines = frozenset({4})
    judged, _ = decide([tried(observed, lines=lines), tried(promised, lines=lines)], coverage(), Matrix(), PYTHON)
    assert reasons(judged) == {"test_said": Reason.GAIN, "test_seen": Reason.NO_GAIN}


def test_a_quoted_expectation_that_fails_alike_five_times_goes_to_triage():
    judged, disputed = decide([tried(generated("test_a"), Status.FAILED, observed="3")], coverage(), Matrix(), PYTHON)
    assert not judged
    assert [t.test.name for t in disputed] == ["test_a"]


def test_a_quoted_expectation_that_fails_differently_is_flaky_not_suspected():
    test = generated("test_a")
    runs = tuple(outcome(test, Status.FAILED, observed=str(n)) for n in range(5))
    judged, disputed = decide([Tried(test, runs)], coverage(), Matrix(), PYTHON)
    assert not disputed
    assert judged[0].reason is Reason.FLAKY


def test_mixed_runs_are_flaky_and_say_how_often_they_passed():
    test = generated("test_a")
    runs = (*[outcome(test, Status.PASSED)] * 3, *[outcome(test, Status.FAILED)] * 2)
    judged, _ = decide([Tried(test, runs)], coverage(), Matrix(), PYTHON)
    assert (judged[0].reason, judged[0].detail) == (Reason.FLAKY, "It passed 3 of 5 runs.")


def test_four_passes_are_not_five():
    test = generated("test_a")
    judged, _ = decide([tried(test, lines=frozenset({4}), runs=4)], coverage(), Matrix(), PYTHON)
    assert (judged[0].reason, judged[0].detail) == (Reason.INFRASTRUCTURE, "Only 4 of 5 runs came to their end.")


def test_repetitions_that_never_ran_are_no_flakiness():
    test = generated("test_a")
    runs = (outcome(test, Status.PASSED), *[outcome(test, Status.MISSING)] * 4)
    judged, _ = decide([Tried(test, runs)], coverage(), Matrix(), PYTHON)
    assert (judged[0].reason, judged[0].detail) == (Reason.INFRASTRUCTURE, "Only 1 of 5 runs came to their end.")


def test_other_failures_have_their_own_reasons():
    model = generated("test_model", Origin.MODEL, quoted=False)
    lost = generated("test_lost", Origin.MODEL, quoted=False)
    prop = generated("test_prop", Origin.PROPERTY)
    gone = generated("test_gone")
    skip = generated("test_skip")
    broken = generated("test_broken", Origin.MODEL, quoted=False)
    judged, disputed = decide(
        [
            tried(model, Status.FAILED, runs=1, raised="AssertionError", in_test=True),
            tried(lost, Status.FAILED, runs=1, raised="NameError", frames=("t.py:3",)),
            tried(prop, Status.FAILED),
            tried(gone, Status.MISSING, runs=1),
            tried(skip, Status.SKIPPED, runs=1),
            Tried(broken, (), collection_error="ImportError: cannot import name 'nope' from 'pkg.text'"),
        ],
        coverage(),
        Matrix(),
        PYTHON,
    )
    assert not disputed
    assert reasons(judged) == {
        "test_model": Reason.FAILS,
        "test_lost": Reason.WRONG_IMPORT,
        "test_prop": Reason.OUTSIDE_DOMAIN,
        "test_gone": Reason.INFRASTRUCTURE,
        "test_skip": Reason.TRIVIAL,
        "test_broken": Reason.WRONG_IMPORT,
    }


def test_the_score_before_counts_only_the_existing_suite():
    test = generated("test_a")
    matrix = Matrix((mutant("m1"), mutant("m2")), {"m1": (test.id,), "m2": ("tests/test_own.py::test_x",)})
    before = measure(coverage(), matrix, (), [test.id])
    after = measure(coverage(), matrix, [test.id], [test.id])
    assert (before.mutants, after.mutants) == (Fraction(1, 2), Fraction(2, 2))
    assert before.lines == Fraction(0, 9)
