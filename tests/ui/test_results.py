"""The page of results: verdict, tree with filters, the judged test, decisions and their order, exports, states."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QLineEdit, QWidget

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import language, pages
from qverify_desktop.ui.page import Place
from tests.ui.samples import results
from tests.ui.samples.results import COLON, RUN, TESTS

pytestmark = pytest.mark.ui
MANY = 100_000


@pytest.fixture
def opened(make, qtbot):
    """``opened(answers, item=…, size=…)`` gives engine, desk and the page when its tests are shown."""

    def build(answers=None, item="", size=(1232, 776), zoom=1.0, wait=True):
        engine, desk = make(answers or results.answers(), zoom=zoom)
        page = pages.build("results", desk)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        qtbot.waitExposed(page)
        page.activateWindow()
        qtbot.waitUntil(page.isActiveWindow)
        page.enter(Place("results", run=RUN, item=item))
        if wait:
            qtbot.waitUntil(lambda: bool(page.tests.tests) and page.shown.currentWidget() is page.shown.content)
            qtbot.waitUntil(lambda: page.detail.detail is not None)
        return engine, desk, page

    return build


def sent(engine):
    """The decisions that the engine got, as (tests, decision)."""
    return [(params["tests"], params["decision"]) for question, params in engine.asked if question == "tests_decide"]


def outline(page):
    """Groups and leaves that the tree shows, from top to bottom."""
    tree, found = page.list.tree, []
    index = page.list.model.index(0, 0)
    while index.isValid():
        found.append(index.data())
        index = tree.indexBelow(index)
    return found


def chosen(page):
    value = page.list.tree.value()
    return value["name"] if value is not None else ""


def controls(page):
    """Everything that can have the focus and is seen."""
    return [
        one
        for one in page.findChildren(QWidget)
        if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.isEnabled()
    ]


def test_it_opens_with_the_verdict_the_measures_and_the_first_test(opened):
    _, desk, page = opened()
    assert page.band.verdict.text() == results.SENTENCE
    assert "88.6 %, from 61.8 %, +326" in page.band.lines.accessibleName()
    assert "81.3 %, from 41.7 %, +91" in page.band.mutants.accessibleName()
    assert page.band.written.caption.text() == "68 tests written"
    assert page.band.written.facts.accessibleName() == "41 kept, 4 defects, 23 refused"
    assert chosen(page) == "test_zulu_is_zero_offset"
    assert desk.actions["results.review"].words() == "Review 41 tests"
    assert page.buttons == ("results.compare", "results.export", "results.review")


def test_groups_tell_what_became_of_their_tests(opened):
    _, _, page = opened()
    model = page.list.model
    told = [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]
    assert told == [
        "tidydate/offset.py, 6 kept, 1 defect",
        "tidydate/calendar.py, 11 kept, 1 defect",
        "tidydate/parser.py, 14 kept, 1 defect",
        "tidydate/relative.py, 7 kept, 1 defect",
        "tidydate/format.py, 3 kept",
    ]
    assert outline(page)[:4] == [
        "tidydate/offset.py",
        "parse_offset",
        "test_zulu_is_zero_offset",
        COLON.split("::")[1],
    ]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("!locale", 65), ("offset parse", 5), ("flaky", 2), ("specification", 45), ('"asserts nothing"', 3), ("", 68)],
)
def test_words_filter_and_a_word_after_an_exclamation_mark_leaves_out(opened, typed, shown):
    _, _, page = opened()
    page.list.filter.setText(typed)
    page.list.filter.apply()
    assert page.list.model.shown_count == shown


@pytest.mark.parametrize(
    ("on", "shown"),
    [({"kept"}, 41), ({"refused"}, 23), ({"suspected"}, 4), ({"flaky"}, 2), ({"kept", "suspected"}, 45), (set(), 68)],
)
def test_chips_show_tests_of_a_kind(opened, on, shown):
    _, _, page = opened()
    assert [page.list.chips.chip(key).choice.words() for key in ("kept", "refused", "suspected", "flaky")] == [
        "Kept 41",
        "Refused 23",
        "Suspected 4",
        "Flaky 2",
    ]
    page.list.chips.set_on(frozenset(on))
    assert page.list.model.shown_count == shown


def test_a_filter_without_a_hit_says_so_and_can_be_cleared(opened):
    _, _, page = opened()
    page.list.filter.setText("nowhere")
    page.list.filter.apply()
    state = page.list.shown.state
    assert state.isVisible() and state.heading.text() == "No test matches “nowhere”"
    state.button.click()
    assert page.list.model.shown_count == 68 and page.list.tree.isVisible()


@pytest.mark.parametrize(
    ("grouping", "first"),
    [("file", "tidydate/offset.py"), ("outcome", "Kept"), ("test-file", "tests/qv/test_offset_gen.py")],
)
def test_tests_can_be_grouped_and_the_chosen_one_stays(opened, grouping, first):
    _, desk, page = opened(item=COLON)
    page.list.use_grouping(grouping)
    assert page.list.model.index(0, 0).data() == first
    assert chosen(page) == "test_colon_form_is_same_as_basic"
    assert desk.preferences.text("results.grouping") == grouping


def test_a_test_is_shown_with_its_code_judgement_words_and_mutants(opened):
    _, _, page = opened(item=COLON)
    detail = page.detail
    assert detail.name.text() == "test_colon_form_is_same_as_basic"
    assert detail.code.first_line == 18 and detail.code.last_line == 22
    assert detail.code.toPlainText().startswith("@pytest.mark.parametrize")
    assert detail.code.current_line == 21
    assert detail.steps.accessibleName() == "parses: done, asserts: done, passes: done, 5 of 5: done, gains: done"
    assert detail.facts.accessibleName() == (
        "tests/qv/test_offset_gen.py:18, +2 branches, +1 mutant, 4 killed, 1 survived"
    )
    assert detail.sentence.text() == results.SENTENCES["gain"]
    spoken = [detail.assertions.model().index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(2)]
    assert spoken[0].startswith("specification, line 21: == timedelta")
    assert "“Accepts ``Z``" in spoken[0] and spoken[0].endswith("tidydate/offset.py:44")
    assert spoken[1].startswith("characterization, line 22") and "No words in the repository say so." in spoken[1]
    mutants = [detail.mutants.model().index(row, 0).data() for row in range(5)]
    assert mutants[0] == 'killed, line 54, int(match["minutes"] or 0) → or 1'
    assert mutants[4] == "survived, line 48, text.strip() → text"


def test_a_refused_test_says_at_which_judgement_and_why(opened, qtbot):
    _, desk, page = opened()
    flaky = next(test for test in TESTS if test["reason"] == "flaky")
    page.list.choose(flaky["id"])
    qtbot.waitUntil(lambda: page.detail.detail is not None and page.detail.detail["test"]["id"] == flaky["id"])
    detail = page.detail
    assert detail.steps.accessibleName().endswith("5 of 5: refused here, gains: not judged")
    assert detail.sentence.text() == results.SENTENCES["flaky"]
    assert detail.reason.isVisible() and "de_DE failed" in detail.reason.text()
    assert not detail.accept.isVisible() and not detail.mutants.isVisible()
    assert desk.actions["results.accept"].reason() == "It did not pass five of five, so it can't be kept."


def test_accepting_and_refusing_go_on_to_the_next_test_across_groups(opened, qtbot):
    engine, desk, page = opened()
    ids = [test["id"] for test in TESTS[:3]]
    assert desk.actions.trigger("results.accept")
    assert chosen(page) == TESTS[1]["name"]
    assert desk.actions.trigger("results.refuse")
    assert desk.actions.trigger("results.accept")
    qtbot.waitUntil(lambda: len(sent(engine)) == 3)
    assert sent(engine) == [([ids[0]], "accepted"), ([ids[1]], "refused"), ([ids[2]], "accepted")]
    assert [page.tests.get(id_)["decided"] for id_ in ids] == ["accepted", "refused", "accepted"]
    assert desk.actions["results.review"].words() == "Review 40 tests"
    page.list.choose(TESTS[4]["id"])
    page.list.choose_next()
    assert chosen(page) == TESTS[5]["name"]


def test_what_was_decided_is_shown_and_can_be_taken_back(opened, qtbot):
    engine, desk, page = opened(item=COLON)
    desk.actions.trigger("results.refuse")
    page.list.choose(COLON)
    assert page.detail._told.text() == "Refused by you."
    row = page.list.model.index_of(COLON).data(Qt.ItemDataRole.AccessibleTextRole)
    assert row == "test_colon_form_is_same_as_basic, refused, +2 branches, refused by you"
    assert page.detail.take_back.isVisible()
    page.detail.take_back.click()
    qtbot.waitUntil(lambda: sent(engine)[1:] == [([COLON], "")])
    assert page.tests.get(COLON)["decided"] == "" and not page.detail.take_back.isVisible()
    assert page.detail._told.text() == "Nothing is written to your repository before you accept."
    assert page.tests.kept == 41


def test_a_decision_under_a_filter_that_takes_the_test_away_goes_on(opened):
    _, desk, page = opened()
    page.list.chips.set_on(frozenset({"kept"}))
    page.list.choose(TESTS[0]["id"])
    desk.actions.trigger("results.refuse")
    assert chosen(page) == TESTS[1]["name"]
    assert page.list.model.shown_count == 40


def test_all_that_are_shown_can_be_refused_and_undone(opened, qtbot):
    engine, desk, page = opened()
    page.list.filter.setText("calendar")
    page.list.filter.apply()
    assert desk.actions.trigger("results.refuse_all")
    assert page.tests.kept == 41 - 11
    notice = desk.front.calls[-1][1][0]
    assert notice.text == "11 tests refused." and notice.act == "Undo"
    notice.run()
    qtbot.waitUntil(lambda: len(sent(engine)) == 2)
    assert sent(engine)[1][1] == "" and set(sent(engine)[1][0]) == set(sent(engine)[0][0])
    assert page.tests.kept == 41


def test_accepting_all_leaves_out_what_did_not_pass(opened):
    _, desk, page = opened()
    assert desk.actions.trigger("results.accept_all")
    acceptable = sum(test["reason"] in ("gain", "no_gain") for test in TESTS)
    assert page.tests.kept == acceptable == 47
    assert desk.front.calls[-1][1][0].text == "47 tests accepted. 21 did not pass and stay out."


def test_a_decision_that_the_engine_refuses_is_told_and_what_it_holds_is_shown(opened, qtbot):
    answers = results.answers()
    answers["tests_decide"] = BadInput("The disk is full.", "Free some space.")
    _, desk, page = opened(answers)
    desk.actions.trigger("results.refuse")
    assert page.tests.kept == 40
    qtbot.waitUntil(lambda: page.tests.kept == 41)
    assert ("tell_error", (answers["tests_decide"],)) in desk.front.calls


def test_decisions_reach_the_engine_one_after_the_other(make, qtbot):
    from qverify_desktop.ui.models.decisions import Decisions

    engine, desk = make({"tests_decide": lambda **_: None})
    decisions = Decisions(desk.bridge, "tests_decide", desk.front)
    with qtbot.waitSignal(decisions.settled):
        for number in range(20):
            decisions.send(number=number)
        assert decisions.busy
    assert [params["number"] for _, params in engine.asked] == list(range(20))


@pytest.mark.parametrize(
    ("status", "heading"),
    [
        ("queued", "The run waits for its turn"),
        ("running", "The run is not finished"),
        ("paused", "The run is paused"),
        ("cancelled", "The run was cancelled"),
        ("failed", "The run failed"),
    ],
)
def test_a_run_without_results_says_why_and_leads_to_its_progress(opened, qtbot, status, heading):
    _, desk, page = opened(results.answers(status), wait=False)
    qtbot.waitUntil(lambda: page.shown.state.heading.text() == heading)
    assert page.shown.state.isVisible() and page.buttons == ()
    page.shown.state.button.click()
    assert desk.front.calls == [("go", (Place("progress", run=RUN),))]


def test_results_come_when_the_run_ends_while_one_waits(opened, qtbot):
    answers = results.answers()
    status = ["running"]
    answers["run_overview"] = lambda run: results.overview(status[0])
    _, _, page = opened(answers, wait=False)
    qtbot.waitUntil(lambda: page.shown.state.heading.text() == "The run is not finished")
    status[0] = "finished"
    page.refresh(RUN)
    qtbot.waitUntil(lambda: page.list.model.shown_count == 68 and page.list.tree.isVisible())


def test_an_error_says_what_to_do_and_tries_again(opened, qtbot):
    answers = results.answers()
    good = answers["run_tests"]
    answers["run_tests"] = BadInput("The results can't be read.", "Free some space.")
    engine, _, page = opened(answers, wait=False)
    qtbot.waitUntil(lambda: page.shown.state.sentence.text() == "The results can't be read. Free some space.")
    engine.answers["run_tests"] = good
    page.shown.state.button.click()
    qtbot.waitUntil(lambda: page.list.tree.isVisible())


def test_a_run_without_a_single_test_teaches(opened, qtbot):
    _, desk, page = opened(results.answers(tests=[]), wait=False)
    qtbot.waitUntil(lambda: page.shown.currentWidget() is page.shown.content)
    assert page.list.shown.state.heading.text() == "No test was written"
    assert desk.actions["results.review"].reason() == "No test is accepted."


def test_a_place_names_the_test_that_is_shown_even_under_a_filter(opened, qtbot):
    _, _, page = opened()
    page.list.chips.set_on(frozenset({"refused"}))
    page.enter(Place("results", run=RUN, item=COLON))
    qtbot.waitUntil(lambda: chosen(page) == "test_colon_form_is_same_as_basic")
    assert page.list.chips.on() == frozenset()


def test_another_run_begins_anew(opened, qtbot):
    engine, _, page = opened(item=COLON)
    page.list.filter.setText("offset")
    page.list.filter.apply()
    page.enter(Place("results", run="r0other"))
    qtbot.waitUntil(lambda: chosen(page) == "test_zulu_is_zero_offset")
    assert page.list.filter.text() == ""
    assert ("run_tests", {"run": "r0other"}) in engine.asked


@pytest.mark.parametrize(
    ("format", "end"),
    [
        ("html", ".html"),
        ("junit", ".xml"),
        ("sarif", ".sarif"),
        ("markdown", ".md"),
        ("csv", ".csv"),
        ("patch", ".patch"),
        ("evidence", ".qvevidence.zip"),
        ("evidence-redacted", ".qvevidence.zip"),
        ("evidence-headers", ".qvevidence.zip"),
    ],
)
def test_formats_are_saved_where_a_person_chooses(opened, qtbot, tmp_path, format, end):
    answers = results.answers()
    target = tmp_path / f"out{end}"
    answers["export"] = target
    engine, desk, _ = opened(answers)
    assert desk.actions.trigger(f"results.export.{format}")
    name, (suggestion, pattern, then) = desk.front.calls[-1]
    assert name == "save_as" and suggestion == f"tidydate-{RUN[:12]}{end}" and pattern == f"*{end}"
    then(str(target))
    qtbot.waitUntil(lambda: desk.front.calls[-1][0] == "tell")
    assert engine.asked[-1] == ("export", {"args": (RUN, format, target)})
    desk.front.calls[-1][1][0].run()
    assert desk.front.calls[-1] == ("open_path", (str(tmp_path),))


def test_the_export_menu_offers_every_format(opened):
    _, desk, page = opened()
    desk.actions.trigger("results.export")
    menu = page._exporter._menu
    assert menu.isVisible()
    assert [action.text() for action in menu.actions()][:3] == ["Report to read (HTML)…", "JUnit XML…", "SARIF…"]
    menu.actions()[2].trigger()
    assert desk.front.calls[-1][0] == "save_as"
    menu.close()


def test_compare_and_review_open_their_places(opened):
    _, desk, _ = opened()
    desk.actions.trigger("results.compare")
    assert desk.front.calls[-1] == ("go", (Place("compare", run=RUN),))
    desk.actions.trigger("results.review")
    sheet = desk.front.sheet
    assert sheet.heading.text() == "Review 41 tests"
    sheet.deleteLater()


def test_words_target_and_file_can_be_opened(opened):
    _, desk, page = opened(item=COLON)
    detail = page.detail
    detail.assertions.opened.emit(detail.detail["assertions"][0])
    assert desk.front.calls[-1] == ("go", (Place("source", run=RUN, item="tidydate/offset.py:44"),))
    detail.mutants.opened.emit(detail.detail["killed"][0])
    assert desk.front.calls[-1][1][0].item == "tidydate/offset.py:54"
    detail.editor.click()
    file = "/home/ada/.local/share/qverify/runs/14/tests/qv/test_offset_gen.py"
    assert desk.front.calls[-1] == ("open_in_editor", (file, 18))
    detail.copy.click()
    assert desk.front.calls[-1][1][0].startswith("@pytest.mark.parametrize")
    assert desk.front.calls[-1][1][0].endswith("== expected\n")


def test_choosing_an_assertion_shows_its_line(opened, qtbot):
    _, _, page = opened(item=COLON)
    page.detail.assertions.setFocus()
    qtbot.waitUntil(page.detail.assertions.hasFocus)
    page.detail.assertions.setCurrentIndex(page.detail.assertions.model().index(0, 0))
    qtbot.keyClick(page.detail.assertions, Qt.Key.Key_Down)
    assert page.detail.code.current_line == 22


def test_the_keyboard_goes_from_filter_to_tree_to_code_and_back(opened, qtbot):
    _, _, page = opened()
    assert page.focus_filter() and page.list.filter.hasFocus()
    qtbot.keyClick(page.list.filter, Qt.Key.Key_Down)
    assert page.list.tree.hasFocus()
    qtbot.keyClick(page.list.tree, Qt.Key.Key_Down)
    assert chosen(page) == "test_colon_form_is_same_as_basic"
    qtbot.keyClick(page.list.tree, Qt.Key.Key_Return)
    assert page.detail.code.hasFocus()
    qtbot.keyClick(page.detail.code, Qt.Key.Key_Escape)
    assert page.list.tree.hasFocus()


def test_a_narrow_page_shows_one_pane_at_a_time(opened, qtbot):
    _, _, page = opened(size=(848, 392), zoom=2.0)
    assert page.panes.narrow and page.list.isVisible() and not page.detail.isVisible()
    assert not page.band.measures.isVisible() and page.band.verdict.isVisible()
    page.list.tree.setFocus()
    qtbot.keyClick(page.list.tree, Qt.Key.Key_Return)
    assert page.detail.isVisible() and not page.list.isVisible() and not page.band.isVisible()
    page.panes.back.click()
    assert page.list.isVisible() and page.list.tree.hasFocus()
    page.resize(1700, 900)
    assert page.list.isVisible() and page.detail.isVisible()


@pytest.mark.parametrize("pseudo", [False, True])
def test_at_960_by_640_nothing_is_cut_and_all_controls_have_names(opened, qtbot, pseudo):
    language.use(language.PSEUDO if pseudo else "en")
    try:
        _, _, page = opened(item=COLON, size=(904, 516))
        assert page.minimumSizeHint().width() <= 904
        for one in page.findChildren(QWidget):
            if one.isVisible() and isinstance(one, (QAbstractButton, QLineEdit, QLabel, QAbstractScrollArea)):
                right = one.mapTo(page, one.rect().topRight()).x()
                assert right <= page.width(), f"{one} ends at {right}"
        for one in controls(page):
            assert QAccessible.queryAccessibleInterface(one).text(QAccessible.Text.Name), one
    finally:
        language.use("en")


HOSTILE = "a\nb\t‮gnirts <b>bold</b> " + "x" * 10_000


def test_hostile_texts_stay_plain_and_on_their_line(opened, qtbot):
    test = results.test_view(f"{HOSTILE}.py", HOSTILE, HOSTILE, label=HOSTILE, origin=HOSTILE)
    answers = results.answers(tests=[test])
    detail = results.detail(test)
    detail |= {
        "code": f"def test():\n    {HOSTILE}\n",
        "detail": HOSTILE,
        "sentence": "It is hostile.",
        "killed": [results.mutant(2, HOSTILE, HOSTILE)] * 300,
        "assertions": [{**results.ASSERTIONS[0], "line": 2, "text": HOSTILE, "words": HOSTILE, "file": HOSTILE}]
        * 300,
    }
    answers["run_test"] = detail
    _, _, page = opened(answers, size=(904, 516))
    page.grab()
    shown = page.list.tree.currentIndex()
    for role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
        assert "\n" not in shown.data(role) and "‮" not in shown.data(role)
    assert "\\u202e" in page.detail.name.text() and "\n" not in page.detail.name.text()
    assert "‮" not in page.detail.code.toPlainText()
    assert page.detail.assertions.model().rowCount() == 200
    assert page.detail._more.text() == "and 100 more"
    assert page.minimumSizeHint().width() <= 904
    assert all(one.textFormat() is Qt.TextFormat.PlainText for one in page.findChildren(QLabel) if one.text())


def test_a_hundred_thousand_tests_leave_the_loop_to_others(opened, qtbot):
    statuses = (("accepted", "gain"), ("refused", "trivial"), ("refused", "flaky"))
    tests = [
        results.test_view(f"pkg/m{n // 200}.py", f"f{n // 20}", f"test_{n}", *statuses[n % 3], gain=(n % 5, 0, 1))
        for n in range(MANY)
    ]
    answers = results.answers(tests=tests)
    _, desk, page = opened(answers, wait=False)
    ticks = []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: ticks.append(1))
    timer.start()
    qtbot.waitUntil(lambda: page.list.model.shown_count == MANY, timeout=30_000)
    qtbot.waitUntil(lambda: page.detail.detail is not None)
    for act, shown in (
        (lambda: page.list.chips.set_on(frozenset({"refused"})), MANY * 2 // 3),
        (lambda: page.list.filter.setText("test_9999"), 7),
        (lambda: page.list.clear_filter(), MANY),
    ):
        ticks.clear()
        act()
        qtbot.waitUntil(lambda shown=shown: abs(page.list.model.shown_count - shown) <= 1, timeout=30_000)
        assert len(ticks) >= 3
    kept = page.tests.kept
    page.list.choose("tests/qv/test_m0_gen.py::test_0")
    desk.actions.trigger("results.refuse")
    assert chosen(page) == "test_1" and page.tests.kept == kept - 1
    desk.actions.trigger("results.refuse_all")
    qtbot.waitUntil(lambda: page.tests.kept == 0, timeout=30_000)
