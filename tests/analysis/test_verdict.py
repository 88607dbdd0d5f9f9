"""One sentence, never more certain than the evidence."""

from __future__ import annotations

from qverify_desktop.analysis.verdict import sentence_of, verdict_of
from qverify_desktop.domain.results import Fraction, JudgedTest, Measure, Reason, TestVerdict, Verdict
from qverify_desktop.domain.testing import Quote

from .values import FILE, generated

ACCEPTED = JudgedTest(generated("test_a"), TestVerdict.ACCEPTED, Reason.GAIN)
NO_GAIN = JudgedTest(generated("test_b"), TestVerdict.REFUSED, Reason.NO_GAIN)
LOST = JudgedTest(generated("test_c"), TestVerdict.REFUSED, Reason.INFRASTRUCTURE)
BEFORE, AFTER = Measure(lines=Fraction(1, 2)), Measure(lines=Fraction(2, 3))


def defect(symbol: str):
    from qverify_desktop.domain.results import SuspectedDefect

    return SuspectedDefect(FILE, symbol, 1, "f()", "1", "2", Quote("f() == 1", FILE, 1), "t", 5, 950)


def test_nothing_ran_is_inconclusive():
    assert verdict_of([], [], 3, True) is Verdict.INCONCLUSIVE
    assert verdict_of([LOST], [], 3, True) is Verdict.INCONCLUSIVE
    assert verdict_of([NO_GAIN], [], 0, True) is Verdict.INCONCLUSIVE


def test_everything_tested_already_is_a_finished_run():
    assert verdict_of([NO_GAIN], [], 3, True) is Verdict.NOTHING_SUSPECTED


def test_a_baseline_that_said_nothing_and_no_kept_test_is_inconclusive():
    assert verdict_of([NO_GAIN], [], 3, False) is Verdict.INCONCLUSIVE
    assert verdict_of([ACCEPTED], [], 3, False) is Verdict.NOTHING_SUSPECTED


def test_sentences_keep_their_numbers():
    found = sentence_of(Verdict.DEFECTS_SUSPECTED, [ACCEPTED, NO_GAIN], [defect("pages")], 2, BEFORE, AFTER)
    assert found == "1 suspected defect, in pages. 1 of 2 tests were kept; line coverage 50 % to 66 %."
    clean = sentence_of(Verdict.NOTHING_SUSPECTED, [ACCEPTED], [], 2, Measure(), AFTER)
    assert "not proof that there is none" in clean
    assert "unknown to 66 %" in clean
    many = sentence_of(Verdict.DEFECTS_SUSPECTED, [], [defect(s) for s in "abcd"], 2, BEFORE, AFTER)
    assert many.startswith("4 suspected defects, in a, b, c and others.")


def test_inconclusive_says_why():
    assert "no function in the scope" in sentence_of(Verdict.INCONCLUSIVE, [], [], 0, BEFORE, AFTER)
    assert "could not run it to an end" in sentence_of(Verdict.INCONCLUSIVE, [LOST], [], 1, BEFORE, AFTER)


def test_inconclusive_says_what_the_tool_said():
    said = "ImportError while importing test module 'test_c.py'.\n  a frame\nE   ModuleNotFoundError: No module named 'text_unidecode'\n"
    lost = JudgedTest(generated("test_c"), TestVerdict.REFUSED, Reason.NOT_COLLECTED, said)
    found = sentence_of(Verdict.INCONCLUSIVE, [lost], [], 1, BEFORE, AFTER)
    assert found.endswith("collect it. It said: ModuleNotFoundError: No module named 'text_unidecode'")
    long = JudgedTest(generated("test_c"), TestVerdict.REFUSED, Reason.NOT_COLLECTED, "error: " + "x" * 900)
    assert len(sentence_of(Verdict.INCONCLUSIVE, [long], [], 1, BEFORE, AFTER)) < 400
