"""What the evidence says of a test beside what came of it here."""

from __future__ import annotations

from dataclasses import replace

import pytest

from qverify_desktop.analysis.cases import Case, Ending, ending_of
from qverify_desktop.analysis.judge import Tried
from qverify_desktop.analysis.reproduce import (
    advice_of,
    compare,
    compare_image,
    compare_packages,
    outcome_of,
    sentence_of,
)
from qverify_desktop.domain.execution import ImagePin, RuntimeImage
from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.domain.reproduction import Agreement, Compared, ComparedImage, Outcome
from qverify_desktop.domain.results import TestVerdict
from qverify_desktop.domain.testing import Status, TestOutcome
from tests.analysis.values import generated, outcome, tried

TEST = generated("test_pages")
KEPT = Case(TEST, Ending(Status.PASSED))
DEFECT = Case(TEST, Ending(Status.FAILED, "AssertionError", "3"))
FAILED = {"raised": "AssertionError", "observed": "3"}
PIN = ImagePin("python", "sha256:" + "1" * 64, "qverify/python:aaaa", "a" * 64, "b" * 64)
HERE = RuntimeImage("python", "qverify/python:cccc", "sha256:" + "2" * 64, recipe="c" * 64, layers="d" * 64)


def kept(run: Tried) -> Compared:
    return compare("python", TestVerdict.ACCEPTED, KEPT, run)


def defect(run: Tried) -> Compared:
    return compare("python", TestVerdict.SUSPECTED, DEFECT, run)


def test_five_endings_as_they_were_agree() -> None:
    passed = kept(tried(TEST))
    assert (passed.state, passed.was, passed.now) == (Agreement.AGREES, "passed 5 of 5", "passed 5 of 5")
    failed = defect(tried(TEST, Status.FAILED, **FAILED))
    assert (failed.state, failed.now) == (Agreement.AGREES, "failed 5 of 5, gave 3")


def test_one_other_ending_of_five_differs() -> None:
    outcomes = [outcome(TEST, Status.PASSED)] * 4 + [outcome(TEST, Status.FAILED, **FAILED)]
    found = kept(Tried(TEST, tuple(outcomes)))
    assert (found.state, found.now) == (Agreement.DIFFERS, "passed 4 of 5; failed 1 of 5, gave 3")
    assert found.why.endswith("It passed then and failed here: 3.") and "not steady" in found.why
    assert (found.passed, found.failed, found.steady) == (4, 1, False)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"observed": "4"}, "It gave 3 then and 4 here."),
        ({"raised": "TypeError"}, "It failed with AssertionError then and with TypeError here."),
        ({"status": Status.PASSED}, "It failed then and passed here."),
        (
            {"status": Status.ERROR, "observed": "", "message": "no fixture"},
            "It failed then and error here: no fixture.",
        ),
    ],
)
def test_a_defect_that_fails_in_another_way_differs(changed: dict[str, object], why: str) -> None:
    one = replace(TestOutcome(TEST.id, Status.FAILED, raised="AssertionError", observed="3"), **changed)  # type: ignore[arg-type]
    found = defect(Tried(TEST, (one,) * 5))
    assert (found.state, found.why) == (Agreement.DIFFERS, why)


def test_what_a_passing_test_gave_is_not_compared() -> None:
    assert ending_of(TestOutcome(TEST.id, Status.PASSED, observed="<object at 0x7f>")) == Ending(Status.PASSED)


def test_a_file_that_can_not_be_loaded_differs() -> None:
    found = kept(Tried(TEST, (), collection_error="ModuleNotFoundError: No module\nnamed 'houselib'"))
    assert (found.state, found.now) == (Agreement.DIFFERS, "could not be loaded")
    assert found.why.endswith("ModuleNotFoundError: No module named 'houselib'")


@pytest.mark.parametrize(("runs", "why"), [(3, "Only 3 of 5 runs came to their end."), (0, "ended before")])
def test_runs_that_did_not_end_are_no_difference(runs: int, why: str) -> None:
    outcomes = [outcome(TEST, Status.PASSED)] * runs + [outcome(TEST, Status.MISSING)] * (5 - runs)
    found = kept(Tried(TEST, tuple(outcomes)))
    assert found.state is Agreement.NOT_RUN and why in found.why


def test_an_image_is_the_pinned_one_by_its_id_or_by_its_layers() -> None:
    exact = replace(HERE, digest=PIN.digest)
    assert compare_image("python", PIN, exact, HERE) == ComparedImage(
        "python", "python", PIN.digest, PIN.digest, True
    )
    renumbered = compare_image("python", PIN, HERE, None)
    assert renumbered.same and "numbers the image otherwise" in renumbered.sentence


@pytest.mark.parametrize(
    ("pin", "here", "said"),
    [
        (PIN, None, "is not on this machine."),
        (PIN, RuntimeImage("python", "qverify/python:cccc"), "is not on this machine."),
        (PIN, HERE, "made of another recipe (cccccccccccc instead of aaaaaaaaaaaa)."),
        (
            PIN,
            replace(HERE, recipe=PIN.recipe),
            "the same recipe (aaaaaaaaaaaa) in another build: its layers differ.",
        ),
        (PIN, replace(HERE, recipe=PIN.recipe, layers=PIN.layers), "under another configuration."),
        (replace(PIN, recipe="", layers=""), HERE, "the bundle does not record what the pinned one was made of."),
    ],
)
def test_a_missing_image_says_what_differs_and_what_to_do(
    pin: ImagePin, here: RuntimeImage | None, said: str
) -> None:
    told = compare_image("python", pin, None, here)
    assert not told.same and told.sentence.endswith(said) and pin.digest[:19] in told.sentence
    assert told.used == (here.digest if here else "")
    assert "qverify runtimes save python.qvr python" in told.remedy


def one(state: Agreement, verdict: str = "accepted") -> Compared:
    return Compared("a::b", "python", "a", verdict, state, "", "")


SAME, OTHER = ComparedImage("python", "python", "x", "x", True), ComparedImage("python", "python", "x", "y", False)


@pytest.mark.parametrize(
    ("states", "image", "outcome", "sentence"),
    [
        ([Agreement.AGREES] * 3, SAME, Outcome.REPRODUCED, "3 tests executed again 5 times each: all end as"),
        ([Agreement.AGREES], OTHER, Outcome.OTHER_ENVIRONMENT, "Of 1 test: 1 agrees."),
        ([Agreement.AGREES, Agreement.DIFFERS], SAME, Outcome.DIFFERS, "Of 2 tests: 1 agrees, 1 differs."),
        ([Agreement.NOT_RUN, Agreement.DIFFERS], OTHER, Outcome.DIFFERS, "Of 2 tests: 1 differs, 1 not run."),
        (
            [Agreement.AGREES, Agreement.AGREES, Agreement.NOT_RUN],
            SAME,
            Outcome.PARTLY,
            "Of 3 tests: 2 agree, 1 not run.",
        ),
        ([Agreement.NOT_RUN], SAME, Outcome.NOTHING, "Of 1 test: 1 not run."),
        ([], SAME, Outcome.NOTHING, "there is nothing to execute again."),
    ],
)
def test_reproduced_is_only_what_agrees_whole_and_in_the_pinned_image(
    states: list[Agreement], image: ComparedImage, outcome: Outcome, sentence: str
) -> None:
    tests = [one(state) for state in states]
    assert outcome_of(tests, [SAME, image]) is outcome
    assert sentence in sentence_of(outcome, tests)


def test_suspected_defects_are_counted_in_the_sentence() -> None:
    tests = [one(Agreement.AGREES), one(Agreement.AGREES, "suspected"), one(Agreement.AGREES, "suspected")]
    assert ", 2 suspected defects among them: all" in sentence_of(Outcome.REPRODUCED, tests)


def package(name: str, version: str, digest: str = "") -> InstalledPackage:
    return InstalledPackage("python", name, version, digest)


ONE, OTHER_DIGEST = "sha256:" + "1" * 64, "sha256:" + "2" * 64


@pytest.mark.parametrize(
    ("then", "now", "sentence"),
    [
        ([package("a", "1")], [package("a", "1")], ""),
        ([package("a", "1", ONE)], [package("a", "1")], ""),
        ([package("requests", "2.31.0")], [package("requests", "2.32.0")], "requests 2.31.0 then, 2.32.0 here."),
        ([package("a", "1")], [], "a 1 was installed then and is not here."),
        ([], [package("a", "1")], "a was not installed then, 1 is here."),
        ([package("a", "1"), package("a", "2")], [package("a", "2"), package("a", "1")], ""),
        (
            [package("a", "1", ONE)],
            [package("a", "1", OTHER_DIGEST)],
            "a 1 is another file here: sha256:111111111111 then, sha256:222222222222 here.",
        ),
    ],
)
def test_packages_are_compared_by_version_and_digest(
    then: list[InstalledPackage], now: list[InstalledPackage], sentence: str
) -> None:
    (one,) = compare_packages("python", then, now)
    assert (one.sentence, one.same) == (sentence, not sentence)


def test_packages_that_differ_stand_first() -> None:
    compared = compare_packages(
        "python", [package("a", "1"), package("b", "1")], [package("a", "1"), package("b", "2")]
    )
    assert [one.name for one in compared] == ["b", "a"]


def test_other_packages_are_no_reproduction() -> None:
    same = [ComparedImage("python", "python", PIN.digest, PIN.digest, True)]
    tests = [kept(tried(TEST))]
    assert outcome_of(tests, same, True) is Outcome.REPRODUCED
    assert outcome_of(tests, same, False) is Outcome.OTHER_ENVIRONMENT


def test_advice_names_the_likeliest_cause_first() -> None:
    changed = kept(tried(TEST, Status.FAILED, **FAILED))
    flaky = kept(Tried(TEST, (outcome(TEST, Status.PASSED), *[outcome(TEST, Status.FAILED, **FAILED)] * 4)))
    there = [ComparedImage("python", "python", PIN.digest, PIN.digest, True)]
    gone = [ComparedImage("python", "python", PIN.digest, "", False, "missing", "Load it.")]
    first = [
        advice_of([changed, flaky], images, packages)[0]
        for images, packages in ((gone, ["Get them."]), (there, ["Get them."]), (there, []))
    ]
    assert first[0] == "First get the pinned image. Load it."
    assert first[1] == "Get them." and "flaky" in first[2]
    (only,) = advice_of([changed], there)
    assert "this machine or the evidence" in only
    assert advice_of([kept(tried(TEST))], there) == ()
