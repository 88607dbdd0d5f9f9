"""When a failing example is a suspected defect, and when nothing follows from it."""

from __future__ import annotations

from dataclasses import replace

from qverify_desktop.analysis.calibration import LEAST, calibration_of
from qverify_desktop.analysis.credit import ALIKE, MANY, MUCH, SOME, WHOLE
from qverify_desktop.analysis.triage import triage, withhold
from qverify_desktop.domain.project import Promise, PromiseRelation
from qverify_desktop.domain.results import JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import Origin, Quote, Status
from qverify_desktop.languages.python.language import PythonLanguage

from .values import FILE, PATH, generated, target, tried

PYTHON = PythonLanguage()
WORDS = ">>> pages(10)\n2"
DOCTEST = {WORDS: Promise(target().id, "pages(10)", "2", PromiseRelation.EQUALS, WORDS, FILE, 3, "doctest")}


def failing(**more):
    facts = {"raised": "AssertionError", "in_test": True, "observed": "3", "frames": (f"{PATH}:4",)} | more
    return tried(generated("test_a"), Status.FAILED, **facts)


def test_a_contradiction_names_function_call_values_and_words():
    judged, defects = triage([failing()], [target()], DOCTEST, PYTHON)
    assert judged[0].verdict is TestVerdict.SUSPECTED
    (defect,) = defects
    assert (defect.file, defect.symbol, defect.call) == (FILE, "pages", "pages(10)")
    assert (defect.expected, defect.observed, defect.evidence.text) == ("2", "3", WORDS)
    assert (defect.reproductions, defect.confidence) == (5, 950)


def test_what_is_shown_as_the_words_show_it_accuses_nobody():
    judged, defects = triage([failing(observed="2")], [target()], DOCTEST, PYTHON)
    assert not defects and judged[0].reason is Reason.EXAMPLE_NOT_RUNNABLE


def test_a_text_of_digits_that_is_shown_without_its_quotes_accuses_nobody():
    comment = {WORDS: replace(DOCTEST[WORDS], form="// =>")}
    judged, defects = triage([failing(observed="'2'")], [target()], comment, PYTHON)
    assert not defects and "without its quotes" in judged[0].detail
    # Another text does, and a doctest is a program, which shows quotes where there are some.
    assert len(triage([failing(observed="'3'")], [target()], comment, PYTHON)[1]) == 1
    assert len(triage([failing(observed="'2'")], [target()], DOCTEST, PYTHON)[1]) == 1


def test_another_function_that_returns_nothing_may_have_printed_it():
    shown = failing(observed="None")
    other = replace(shown, test=replace(shown.test, call="show(pages(10))"))
    assert triage([other], [target()], DOCTEST, PYTHON)[1] == []
    assert len(triage([shown], [target()], DOCTEST, PYTHON)[1]) == 1


def test_a_statement_that_is_tried_with_several_inputs_is_one_defect():
    words = "Raises ValueError if n is negative."
    promises = {
        words: Promise(target().id, "pages(-1)", "ValueError", PromiseRelation.RAISES, words, FILE, 3, "stated")
    }
    quote = Quote(words, FILE, 3)
    ones = [
        tried(
            replace(generated(f"test_{n}"), call=f"pages({n})", quote=quote),
            Status.FAILED,
            raised="AssertionError",
            in_test=True,
            frames=(f"{PATH}:4",),
        )
        for n in (-1, -7)
    ]
    judged, defects = triage(ones, [target()], promises, PYTHON)
    assert [one.verdict for one in judged] == [TestVerdict.SUSPECTED] * 2
    assert [one.call for one in defects] == ["pages(-1)"]


def test_an_exception_out_of_the_code_is_suspected_with_less_confidence():
    raised = failing(
        raised="ValueError", in_test=False, observed="raises ValueError: no", frames=(f"{PATH}:4", f"{FILE}:5")
    )
    _, defects = triage([raised], [target()], DOCTEST, PYTHON)
    assert defects[0].confidence < 950
    assert defects[0].observed == "raises ValueError: no"


def test_an_example_that_can_not_be_run_accuses_nobody():
    for facts in (
        {"raised": "NameError", "in_test": False},
        {"raised": "ModuleNotFoundError", "in_test": False, "frames": (f"{PATH}:4", f"{FILE}:5")},
        {"raised": "TypeError", "in_test": False},
        {"raised": "KeyError", "in_test": False},
    ):
        judged, defects = triage([failing(**facts)], [target()], DOCTEST, PYTHON)
        assert not defects, facts
        fits = facts["raised"] != "TypeError"
        assert judged[0].reason is (Reason.EXAMPLE_NOT_RUNNABLE if fits else Reason.OUT_OF_DATE), facts


def test_a_type_error_inside_the_code_is_the_codes():
    _, defects = triage(
        [failing(raised="TypeError", in_test=False, frames=(f"{PATH}:4", f"{FILE}:5"))], [target()], DOCTEST, PYTHON
    )
    assert len(defects) == 1


def test_the_same_call_is_listed_once():
    _, defects = triage([failing(), failing()], [target()], DOCTEST, PYTHON)
    assert len(defects) == 1


def test_a_form_that_was_measured_says_how_often_it_was_right():
    _, defects = triage([failing()], [target()], DOCTEST, PYTHON)
    measured = defects[0].calibration
    assert defects[0].form == "doctest" and measured is not None
    assert measured.accused >= LEAST and 0 < measured.right <= measured.accused
    assert calibration_of("python", "->") is None, "two accusations say nothing"
    assert calibration_of("python", "no such form") is None


def test_what_a_suspected_function_does_today_is_not_held():
    _, defects = triage([failing()], [target()], DOCTEST, PYTHON)
    observed = generated("test_seen", Origin.OBSERVATION, quoted=False)
    said = generated("test_said")
    accepted = [JudgedTest(test, TestVerdict.ACCEPTED, Reason.GAIN) for test in (observed, said)]
    assert [one.reason for one in withhold(accepted, defects)] == [Reason.SUSPECTED_CODE, Reason.GAIN]
    assert withhold(accepted, []) == accepted


def test_prose_that_a_model_read_accuses_with_the_least_confidence():
    _, prose = triage([failing()], [target()], {}, PYTHON)
    _, raised = triage(
        [failing(raised="ValueError", in_test=False, frames=(f"{PATH}:4", f"{FILE}:5"))], [target()], DOCTEST, PYTHON
    )
    assert prose[0].confidence < raised[0].confidence
    assert (prose[0].form, prose[0].calibration) == ("", None)


def test_what_is_printed_may_differ_in_blank_space():
    printed = {WORDS: replace(DOCTEST[WORDS], relation=PromiseRelation.PRINTS)}
    for observed, count in (("' 2\\n'", 0), ("'2 2'", 1)):
        assert len(triage([failing(observed=observed)], [target()], printed, PYTHON)[1]) == count
        assert len(triage([failing(observed=observed)], [target()], DOCTEST, PYTHON)[1]) == 1


def test_a_function_none_of_whose_many_examples_runs_was_misunderstood():
    raising = {"raised": "TypeError", "in_test": False, "frames": (f"{PATH}:4", f"{FILE}:2")}
    ones, promises = [], {}
    for number in range(MANY):
        words = f">>> pages({number})\n2"
        test = replace(generated(f"test_{number}"), call=f"pages({number})", quote=Quote(words, FILE, 3))
        ones.append(tried(test, Status.FAILED, **raising))
        promises[words] = Promise(target().id, test.call, "2", PromiseRelation.EQUALS, words, FILE, 3, "doctest")
    judged, defects = triage(ones, [target()], promises, PYTHON)
    assert defects == []
    assert {one.reason for one in judged} == {Reason.EXAMPLE_NOT_RUNNABLE}
    assert f"Most of the {MANY} examples" in judged[0].detail
    # Where more of them do not raise, or there are fewer, they count.
    assert len(triage(ones[2:], [target()], promises, PYTHON)[1]) == MANY - 2
    fewer = {words: one for words, one in promises.items() if words != ones[0].test.quote.text}
    assert len(triage(ones[1:], [target()], fewer, PYTHON)[1]) == MANY - 1


def test_a_document_that_is_wrong_in_everything_accuses_nobody():
    ones, promises = [], {}
    for number in range(SOME):
        words = f"pages({number}) => 2"
        test = replace(generated(f"test_{number}"), call=f"pages({number})", quote=Quote(words, "README.md", 3))
        failed = {"raised": "AssertionError", "in_test": True, "observed": "3", "frames": (f"{PATH}:4",)}
        ones.append(tried(test, Status.FAILED, **failed))
        promises[words] = Promise(target().id, test.call, "2", PromiseRelation.EQUALS, words, "README.md", 3, "=>")
    judged, defects = triage(ones, [target()], promises, PYTHON)
    assert defects == [] and {one.reason for one in judged} == {Reason.OUT_OF_DATE}
    # One of them holds, there are fewer, or they stand above the code: then they count.
    assert len(triage(ones[1:], [target()], promises, PYTHON)[1]) == SOME - 1
    fewer = {words: one for words, one in promises.items() if words != ones[0].test.quote.text}
    assert len(triage(ones[1:], [target()], fewer, PYTHON)[1]) == SOME - 1
    above = [replace(one, test=replace(one.test, quote=replace(one.test.quote, file=FILE))) for one in ones]
    beside = {words: replace(one, file=FILE) for words, one in promises.items()}
    assert len(triage(above, [target()], beside, PYTHON)[1]) == SOME


def test_a_document_half_of_which_does_not_hold_accuses_nobody():
    symbols = ["pages", "lines"]
    targets = [replace(target(), symbol=symbol) for symbol in symbols]
    ones, promises = [], {}
    for number in range(WHOLE):
        words, of = f"f({number}) => 2", targets[number % 2].id
        promises[words] = Promise(of, f"f({number})", "2", PromiseRelation.EQUALS, words, "README.md", 3, "=>")
        if number < WHOLE // 2:
            test = replace(
                generated(f"t{number}"), target=of, call=f"f({number})", quote=Quote(words, "README.md", 3)
            )
            failed = {"raised": "AssertionError", "in_test": True, "observed": "3", "frames": (f"{PATH}:4",)}
            ones.append(tried(test, Status.FAILED, **failed))
    judged, defects = triage(ones, targets, promises, PYTHON)
    assert defects == [] and {one.reason for one in judged} == {Reason.OUT_OF_DATE}
    assert f"{WHOLE // 2} of the {WHOLE} examples in README.md" in judged[0].detail
    # More than half hold: then the others count.
    assert len(triage(ones[1:], targets, promises, PYTHON)[1]) == WHOLE // 2 - 1


def test_what_several_functions_fail_of_alike_is_missing():
    targets = [replace(target(), symbol=f"f{n}") for n in range(ALIKE)]
    lacking = {"raised": "ValueError", "in_test": False, "frames": (f"{FILE}:2",), "message": "no parser called lxml"}
    ones, promises = [], {}
    for number, of in enumerate(targets):
        words = f">>> f{number}(1)\n2"
        test = replace(generated(f"t{number}"), target=of.id, call=f"f{number}(1)", quote=Quote(words, FILE, 3))
        ones.append(tried(test, Status.FAILED, **lacking))
        promises[words] = Promise(of.id, test.call, "2", PromiseRelation.EQUALS, words, FILE, 3, "doctest")
    judged, defects = triage(ones, targets, promises, PYTHON)
    assert defects == [] and "need something first that is not there: no parser" in judged[0].detail
    assert len(triage(ones[1:], targets, promises, PYTHON)[1]) == ALIKE - 1


def test_words_that_show_a_text_as_it_was_printed_accuse_nobody():
    words = r"pages(10)  # => '\u2665 B\xfccher'"
    promise = Promise(target().id, "pages(10)", r"'\u2665 B\xfccher'", PromiseRelation.EQUALS, words, FILE, 3, "=>")
    one = failing(observed=r"'\\u2665 B\\xfccher'")
    one = replace(one, test=replace(one.test, quote=Quote(words, FILE, 3)))
    judged, defects = triage([one], [target()], {words: promise}, PYTHON)
    assert defects == [] and judged[0].reason is Reason.EXAMPLE_NOT_RUNNABLE
    # Another text, or one without backslashes, is another answer.
    for observed in (r"'\\u2665 b\\xfccher'", "'2665 Bücher'"):
        other = replace(one, outcomes=tuple(replace(o, observed=observed) for o in one.outcomes))
        assert len(triage([other], [target()], {words: promise}, PYTHON)[1]) == 1


def test_a_project_half_of_whose_examples_end_in_errors_is_accused_of_none():
    targets = [replace(target(), symbol=f"f{n}") for n in range(MUCH)]
    ones, promises = [], {}
    for number, of in enumerate(targets):
        words = f">>> f{number}(1)\n2"
        promises[words] = Promise(of.id, f"f{number}(1)", "2", PromiseRelation.EQUALS, words, FILE, 3, "doctest")
        if number < MUCH // 2:
            test = replace(generated(f"t{number}"), target=of.id, call=f"f{number}(1)", quote=Quote(words, FILE, 3))
            raised = {"raised": "TypeError", "in_test": False, "frames": (f"{FILE}:2",), "message": f"no {number}"}
            ones.append(tried(test, Status.FAILED, **raised))
    judged, defects = triage(ones, targets, promises, PYTHON)
    assert defects == [] and f"{MUCH // 2} of the {MUCH} examples of this project" in judged[0].detail
    assert len(triage(ones[1:], targets, promises, PYTHON)[1]) == MUCH // 2 - 1


def test_what_is_not_installed_here_and_how_a_number_is_shown_accuse_nobody():
    frames = (f"{FILE}:2",)
    lacking = failing(
        raised="FilterError", in_test=False, message="The smartypants library isn't installed.", frames=frames
    )
    assert triage([lacking], [target()], DOCTEST, PYTHON)[1] == []
    told = failing(raised="FilterError", in_test=False, message="The page is not bound.", frames=frames)
    assert len(triage([told], [target()], DOCTEST, PYTHON)[1]) == 1
    shown = failing(observed="HLS(h=0.5, s=1)")
    shown = replace(shown, test=replace(shown.test, expected="HLS(h=0.5, s=1.0)"))
    assert triage([shown], [target()], DOCTEST, PYTHON)[1] == []
    for expected in ("HLS(h=0.5, s=1.5)", "'HLS(h=0.5, s=1.0)'"):
        other = replace(shown, test=replace(shown.test, expected=expected))
        assert len(triage([other], [target()], DOCTEST, PYTHON)[1]) == 1
