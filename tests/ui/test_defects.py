"""The page of suspected defects: ranking, proof, reproducer, decisions in place, states."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QAbstractScrollArea, QLabel, QLineEdit, QWidget

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import language, pages
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.defects_list import squares_of
from qverify_desktop.ui.widgets.value_text import difference
from tests.ui.samples import defects
from tests.ui.samples.defects import DEFECTS
from tests.ui.samples.results import OFFSET, RUN, SOURCE

pytestmark = pytest.mark.ui
SECOND, THIRD, LAST = (DEFECTS[at]["id"] for at in (1, 2, 3))


@pytest.fixture
def opened(make, qtbot):
    """``opened(answers, item=…, size=…)`` gives engine, desk and the page when its defects are shown."""

    def build(answers=None, item="", size=(1232, 776), zoom=1.0, wait=True):
        engine, desk = make(answers or defects.answers(), zoom=zoom)
        page = pages.build("defects", desk)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        qtbot.waitExposed(page)
        page.activateWindow()
        qtbot.waitUntil(page.isActiveWindow)
        page.enter(Place("defects", run=RUN, item=item))
        if wait:
            qtbot.waitUntil(lambda: bool(page.defects))
        return engine, desk, page

    return build


def sent(engine):
    """The decisions that the engine got."""
    asked = [params for question, params in engine.asked if question == "defect_decide"]
    return [(params["defect"], params["decision"], params["note"]) for params in asked]


def rows(page):
    model = page.list.model
    return [model.index(row, 0).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]


def chosen(page):
    return page.list.list.value()["id"]


def test_defects_are_ranked_as_the_engine_ranks_them_and_told_in_words(opened):
    _, _, page = opened()
    assert [row.split(",")[0] for row in rows(page)] == [
        'parse_offset("-03:30")',
        'parse_time("12:00 am")',
        "iso_week(date(2021",
        'parse_relative("last day of february"',
    ]
    assert rows(page)[1] == (
        'parse_time("12:00 am"), gives datetime.time(12, 0), not datetime.time(0, 0), tidydate/parser.py:131, '
        "confidence 91 %, Not judged yet"
    )
    assert chosen(page) == DEFECTS[0]["id"]


@pytest.mark.parametrize(
    ("confidence", "squares"), [(1000, 5), (940, 5), (900, 5), (880, 4), (760, 3), (600, 2), (550, 1), (0, 1)]
)
def test_confidence_is_told_in_squares(confidence, squares):
    assert squares_of(confidence) == squares


def test_the_proof_stands_beside_the_claim(opened, qtbot):
    _, _, page = opened()
    detail = page.detail
    assert detail.heading.text() == 'parse_offset("-03:30") contradicts tidydate/offset.py:46'
    assert detail.confidence.text() == "Confidence 94 %"
    assert detail.words.text() == f"“{DEFECTS[0]['words']}”"
    assert detail.words_place.text() == "tidydate/offset.py:46, found word for word"
    assert detail.call.toPlainText() == 'parse_offset("-03:30")'
    assert detail.expected.toPlainText() == DEFECTS[0]["expected"]
    assert detail.observed.toPlainText() == DEFECTS[0]["observed"]
    for value, marked in ((detail.expected, "73800"), (detail.observed, "77400")):
        selections = value.extraSelections()
        assert [one.cursor.selectedText() for one in selections] == [marked]
    assert detail.code.toPlainText() == DEFECTS[0]["reproducer"].rstrip("\n")
    assert detail.reasons[0].accessibleName() == "Fails 5 of 5 in fresh containers"
    assert detail.past.text() == DEFECTS[0]["history"].strip() != ""
    assert detail.past.isVisible()
    assert detail.trust.text() == DEFECTS[0]["calibration"] and detail.trust.isVisible()
    qtbot.waitUntil(detail.source_box.isVisible)
    assert detail.source.current_line == 42
    assert "def parse_offset" in detail.source.toPlainText()
    assert "The suspected function." in detail.source.words_of(42)


@pytest.mark.parametrize(
    ("a", "b", "parts"),
    [
        ("seconds=73800)", "seconds=77400)", ("73800", "77400")),
        ("[1, 2]", "[1, 3]", ("2", "3")),
        ("None", "None", ("", "")),
        ("abc", "xyz", ("abc", "xyz")),
        ("f(a_1)", "f(a_2)", ("a_1", "a_2")),
        ("", "x", ("", "x")),
        ("[1]", "[1, 1]", ("1", "1, 1")),
    ],
)
def test_the_difference_of_two_values_is_found(a, b, parts):
    first, second = difference(a, b)
    assert (a[slice(*first)], b[slice(*second)]) == parts


def test_confirming_shows_it_in_the_list_and_can_be_taken_back(opened, qtbot):
    engine, desk, page = opened()
    page.detail.foot.confirm.click()
    qtbot.waitUntil(lambda: sent(engine) == [(DEFECTS[0]["id"], "confirmed", "")])
    assert rows(page)[0].endswith("Confirmed")
    assert page.list.chips.chip("confirmed").choice.words() == "Confirmed 1"
    assert page.detail.state.text() == "Confirmed" and not page.detail.foot.confirm.isVisible()
    assert chosen(page) == DEFECTS[0]["id"]
    page.detail.foot.take_back.click()
    qtbot.waitUntil(lambda: sent(engine)[1:] == [(DEFECTS[0]["id"], "", "")])
    assert rows(page)[0].endswith("Not judged yet") and page.detail.foot.confirm.isVisible()
    assert desk.actions["defects.take_back"].reason() == "Nothing was decided about it."


def test_dismissing_asks_for_a_note_in_place(opened, qtbot):
    engine, desk, page = opened(item=SECOND)
    assert desk.actions.trigger("defects.dismiss")
    foot = page.detail.foot
    assert foot.note.hasFocus() and not foot.choices.isVisible() and sent(engine) == []
    qtbot.keyClicks(foot.note, "The document is wrong.")
    qtbot.keyClick(foot.note, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sent(engine) == [(SECOND, "dismissed", "The document is wrong.")])
    assert foot._told.text() == "Dismissed: The document is wrong." and page.list.list.hasFocus()
    assert rows(page)[1].endswith("Dismissed")


def test_a_note_can_be_given_up_and_is_optional(opened, qtbot):
    engine, desk, page = opened()
    foot = page.detail.foot
    desk.actions.trigger("defects.dismiss")
    qtbot.keyClicks(foot.note, "no")
    qtbot.keyClick(foot.note, Qt.Key.Key_Escape)
    assert foot.choices.isVisible() and foot.dismiss.hasFocus() and sent(engine) == []
    desk.actions.trigger("defects.dismiss")
    assert foot.note.text() == ""
    foot.dismiss_now.click()
    qtbot.waitUntil(lambda: sent(engine) == [(DEFECTS[0]["id"], "dismissed", "")])


def test_choosing_another_defect_gives_the_note_up(opened):
    _, desk, page = opened()
    desk.actions.trigger("defects.dismiss")
    page.list.choose(THIRD)
    assert page.detail.foot.choices.isVisible() and page.detail.defect["id"] == THIRD


def test_a_decided_defect_leaves_the_open_ones_and_the_next_takes_its_place(opened):
    _, desk, page = opened()
    page.list.chips.set_on(frozenset({"open"}))
    desk.actions.trigger("defects.confirm")
    assert len(rows(page)) == 3 and chosen(page) == SECOND
    assert page.detail.defect["id"] == SECOND


def test_a_decision_that_the_engine_refuses_is_told_and_what_it_holds_is_shown(opened, qtbot):
    answers = defects.answers()
    answers["defect_decide"] = BadInput("The disk is full.", "Free some space.")
    _, desk, page = opened(answers)
    desk.actions.trigger("defects.confirm")
    assert rows(page)[0].endswith("Confirmed")
    qtbot.waitUntil(lambda: rows(page)[0].endswith("Not judged yet"))
    assert ("tell_error", (answers["defect_decide"],)) in desk.front.calls


def test_words_filter_the_list(opened):
    _, _, page = opened()
    page.list.filter.setText("midnight")
    page.list.filter.apply()
    assert len(rows(page)) == 1
    page.list.filter.setText("nowhere")
    page.list.filter.apply()
    assert page.list.shown.state.heading.text() == "No defect matches “nowhere”"
    page.list.shown.state.button.click()
    assert len(rows(page)) == 4


def test_everything_can_be_copied(opened):
    _, desk, page = opened()
    page.detail.copy_code.click()
    assert desk.front.calls[-1] == ("copy", (DEFECTS[0]["reproducer"], "The reproducer is copied."))
    page.detail.copy_command.click()
    assert desk.front.calls[-1] == ("copy", (DEFECTS[0]["command"], "The command is copied."))
    page.detail.foot.issue.click()
    assert desk.front.calls[-1] == ("copy", (DEFECTS[0]["issue"], "The issue is copied as Markdown."))


def test_places_open_in_source_and_editor(opened):
    _, desk, page = opened()
    page.detail.show_words.click()
    assert desk.front.calls[-1] == ("go", (Place("source", run=RUN, item=f"{OFFSET}:46"),))
    page.detail.show_source.click()
    assert desk.front.calls[-1] == ("go", (Place("source", run=RUN, item=f"{OFFSET}:42"),))
    page.detail.foot.editor.click()
    assert desk.front.calls[-1] == ("open_in_editor", (f"{SOURCE}/{OFFSET}", 42))
    page.list.choose(SECOND)
    assert page.detail.show_words.text() == "Open in editor"
    page.detail.show_words.click()
    assert desk.front.calls[-1] == ("open_in_editor", (f"{SOURCE}/docs/formats.md", 22))


def test_without_the_folder_nothing_is_opened_in_the_editor(opened):
    _, desk, page = opened(item=LAST)
    assert not page.detail.show_words.isVisible()
    assert not page.detail.foot.editor.isEnabled()
    assert desk.actions["defects.editor"].reason() == "The file is not on this machine any more."


@pytest.mark.parametrize("words_file", ["../../etc/passwd", "/etc/passwd"])
def test_words_outside_the_repository_are_not_opened(opened, words_file):
    one = {**DEFECTS[1], "words_file": words_file}
    _, _, page = opened(defects.answers(defects=[one]))
    assert not page.detail.show_words.isVisible()


@pytest.mark.parametrize("answer", ["error", "short"])
def test_a_run_that_kept_no_source_shows_the_rest(opened, qtbot, answer):
    answers = defects.answers()
    gone = BadInput("The run kept no source.")
    short = {"path": OFFSET, "language": "python", "text": "x\n", "lines": [], "mutants": [], "defects": []}
    answers["run_source"] = gone if answer == "error" else short
    engine, desk, page = opened(answers)
    qtbot.waitUntil(lambda: any(question == "run_source" for question, _ in engine.asked))
    qtbot.waitUntil(lambda: not page.detail.source_box.isVisible())
    assert page.detail.heading.isVisible() and desk.front.calls == []


def test_sarif_is_exported_from_the_header(opened, qtbot, tmp_path):
    answers = defects.answers()
    answers["export"] = tmp_path / "x.sarif"
    engine, desk, page = opened(answers)
    assert page.buttons == ("defects.export.sarif",) and not page.leads
    desk.actions.trigger("defects.export.sarif")
    desk.front.calls[-1][1][2](str(tmp_path / "x.sarif"))
    qtbot.waitUntil(lambda: engine.asked[-1][0] == "export")
    assert engine.asked[-1][1]["args"] == (RUN, "sarif", tmp_path / "x.sarif")


def test_no_defect_is_no_proof(opened, qtbot):
    _, desk, page = opened(defects.answers(defects=[]), wait=False)
    qtbot.waitUntil(lambda: page.shown.state.heading.text() == "No suspected defects")
    words = page.shown.state.sentence.text()
    assert words.startswith("18 targets were checked") and words.endswith("That is not proof that there are none.")
    page.shown.state.button.click()
    assert desk.front.calls[-1] == ("go", (Place("results", run=RUN),))
    assert page.buttons == ()


@pytest.mark.parametrize("status", ["queued", "running", "paused", "interrupted", "cancelled", "failed"])
def test_a_run_without_results_leads_to_its_progress(opened, qtbot, status):
    _, desk, page = opened(defects.answers(status), wait=False)
    qtbot.waitUntil(lambda: page.shown.state.button.text() == "Show progress")
    page.shown.state.button.click()
    assert desk.front.calls == [("go", (Place("progress", run=RUN),))]


def test_an_error_says_what_to_do_and_tries_again(opened, qtbot):
    answers = defects.answers()
    good = answers["run_defects"]
    answers["run_defects"] = BadInput("The results can't be read.", "Free some space.")
    engine, _, page = opened(answers, wait=False)
    qtbot.waitUntil(lambda: page.shown.state.sentence.text() == "The results can't be read. Free some space.")
    engine.answers["run_defects"] = good
    page.shown.state.button.click()
    qtbot.waitUntil(lambda: len(page.defects) == 4)


def test_a_place_names_the_defect_that_is_shown_even_under_a_filter(opened):
    _, _, page = opened(item=THIRD)
    assert chosen(page) == THIRD
    page.list.chips.set_on(frozenset({"confirmed"}))
    page.enter(Place("defects", run=RUN, item=SECOND))
    assert chosen(page) == SECOND


def test_the_keyboard_goes_from_filter_to_list_to_code_and_back(opened, qtbot):
    _, _, page = opened()
    assert page.focus_filter()
    qtbot.keyClick(page.list.filter, Qt.Key.Key_Down)
    assert page.list.list.hasFocus()
    qtbot.keyClick(page.list.list, Qt.Key.Key_Down)
    assert chosen(page) == SECOND
    qtbot.keyClick(page.list.list, Qt.Key.Key_Return)
    assert page.detail.code.hasFocus()
    qtbot.keyClick(page.detail.code, Qt.Key.Key_Escape)
    assert page.list.list.hasFocus()


@pytest.mark.parametrize("pseudo", [False, True])
def test_at_960_by_640_nothing_is_cut_and_all_controls_have_names(opened, pseudo):
    language.use(language.PSEUDO if pseudo else "en")
    try:
        _, _, page = opened(size=(904, 516))
        assert page.minimumSizeHint().width() <= 904
        for one in page.findChildren(QWidget):
            if one.isVisible() and isinstance(one, (QAbstractButton, QLineEdit, QLabel, QAbstractScrollArea)):
                right = one.mapTo(page, one.rect().topRight()).x()
                assert right <= page.width(), f"{one} ends at {right}"
            if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
                assert QAccessible.queryAccessibleInterface(one).text(QAccessible.Text.Name), one
    finally:
        language.use("en")


HOSTILE = "a\nb\t‮gnirts <b>bold</b> " + "x" * 10_000


def test_hostile_texts_stay_plain(opened, qtbot):
    texts = ("file", "symbol", "call", "expected", "observed", "words", "words_file", "reproducer", "command", "note")
    one = {**DEFECTS[0], **dict.fromkeys(texts, HOSTILE), "decision": "dismissed"}
    _, _, page = opened(defects.answers(defects=[one]), size=(904, 516))
    page.grab()
    detail = page.detail
    assert "\\u202e" in detail.words.text() and "‮" not in detail.words.text()
    for shown in (detail.heading, detail.words_place, detail.place, detail.foot._told):
        assert "\n" not in shown.text() and "‮" not in shown.text()
    for view in (detail.call, detail.expected, detail.observed, detail.code):
        assert "‮" not in view.toPlainText()
    assert "\n" not in rows(page)[0] and page.minimumSizeHint().width() <= 904
    assert detail.call.height() < 300
    assert all(one.textFormat() is Qt.TextFormat.PlainText for one in page.findChildren(QLabel) if one.text())


def test_a_narrow_page_shows_one_pane_at_a_time(opened, qtbot):
    _, desk, page = opened(size=(848, 392), zoom=2.0)
    assert page.list.isVisible() and not page.detail.isVisible()
    desk.actions.trigger("defects.dismiss")
    assert page.detail.isVisible() and not page.list.isVisible() and page.detail.foot.note.isVisible()
    page.panes.back.click()
    assert page.list.isVisible() and page.list.list.hasFocus()
