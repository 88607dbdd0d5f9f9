"""Two runs side by side: which ones, their measures, defects that are new or gone, tests gained, lost and judged otherwise."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from tests.ui.samples import window as samples
from tests.ui.samples.history import OTHER, compared, history
from tests.ui.samples.results import RUN, SOURCE

pytestmark = pytest.mark.ui

FIRST = "r0md83aaaaaaaa"


@pytest.fixture
def opened(make, qtbot):
    def build(run=RUN, item="", size=(1232, 776), **answers):
        engine, desk = make(samples.answers(**answers))
        page = pages.build("compare", desk)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        qtbot.waitExposed(page)
        page.enter(Place("compare", run=run, item=item))
        qtbot.waitUntil(
            lambda: (
                page._sentence.text() != ""
                or page._state.heading.text() != ""
                or page._shown.state.heading.text() not in ("", "One moment")
            )
        )
        return engine, desk, page

    return build


def asked(engine):
    return [params for question, params in engine.asked if question == "runs_compare"]


def gone(desk):
    return [args[0] for name, args in desk.front.calls if name == "go"]


def column(model, at):
    return [model.index(row, at).data(Qt.ItemDataRole.AccessibleTextRole) for row in range(model.rowCount())]


@pytest.mark.parametrize(
    ("run", "item", "a", "b"),
    [
        (RUN, "", OTHER, RUN),
        (RUN, FIRST, FIRST, RUN),
        (FIRST, RUN, FIRST, RUN),
        (FIRST, "", FIRST, "r0md98aaaaaaaa"),
        ("gone", "", OTHER, RUN),
    ],
    ids=["the one before", "named", "named the other way", "the first has none before", "not in the history"],
)
def test_it_compares_the_older_with_the_newer(opened, run, item, a, b):
    engine, _, _page = opened(run, item)
    assert asked(engine) == [{"a": a, "b": b}]


def test_the_sentence_and_both_runs_stand_first(opened):
    _, _, page = opened()
    assert page.title() == "Compare runs of tidydate"
    assert page._sentence.text() == compared()["sentence"]
    assert "3 suspected defects, 38 tests kept" in page.older.currentText()
    assert "4 suspected defects, 41 tests kept" in page.newer.currentText()


def test_measures_and_counts_stand_side_by_side(opened):
    _, _, page = opened()
    grid = page._measures
    lines = [[grid.itemAtPosition(line, at).widget().text() for at in range(4)] for line in range(1, grid.rowCount())]
    assert lines == [
        ["Lines", "84.7 %", "88.6 %", "+3.9"],
        ["Branches", "76.9 %", "83.0 %", "+6.1"],
        ["Mutants killed", "72.2 %", "81.3 %", "+9.1"],
        ["Tests kept", "38", "41", "+3"],
        ["Tests refused", "27", "23", "−4"],
        ["Suspected defects", "3", "4", "+1"],
    ]


def test_defects_say_whether_they_are_new_gone_or_the_same(opened):
    _, _, page = opened()
    assert column(page.defects, 0) == ["New", "New", "Gone", "In both"]


def test_a_defect_opens_in_the_run_that_has_it(opened):
    _, desk, page = opened()
    for row in (0, 2):
        page.defect_table.opened.emit(page.defects.value_at(row))
    view = compared()
    assert gone(desk) == [
        Place("defects", run=RUN, item=view["defects_new"][0]["id"]),
        Place("defects", run=OTHER, item=view["defects_gone"][0]["id"]),
    ]


def test_tests_are_gained_lost_or_judged_otherwise(opened):
    _, _, page = opened()
    assert column(page.model, 0) == ["Gained"] * 5 + ["Lost"] * 2 + ["Judged otherwise"] * 2
    assert [page.model.index(6, at).data() for at in (2, 3)] == ["kept", "not there"]
    assert [page.chips.chip(key).text() for key in ("gained", "lost", "other")] == [
        "Gained 5",
        "Lost 2",
        "Judged otherwise 2",
    ]


@pytest.mark.parametrize(
    ("chips", "typed", "count"),
    [({"lost"}, "", 2), ({"gained", "lost"}, "", 7), (set(), "parser", 3), ({"lost"}, "!rejects", 1)],
)
def test_chips_and_filter_narrow_the_tests(opened, chips, typed, count):
    _, _, page = opened()
    page.chips.set_on(frozenset(chips))
    page.filter.setText(typed)
    page.filter.apply()
    assert page.model.rowCount() == count


def test_enter_opens_a_test_in_the_run_that_has_it(opened, qtbot):
    _, desk, page = opened()
    for row in (0, 6):
        page.table.setCurrentIndex(page.model.index(row, 0))
        qtbot.keyClick(page.table, Qt.Key.Key_Return)
    tests = compared()["tests"]
    assert gone(desk) == [
        Place("results", run=RUN, item=tests[0]["test"]),
        Place("results", run=OTHER, item=tests[6]["test"]),
    ]


def test_another_run_is_compared_at_once(opened, qtbot):
    engine, _, page = opened()
    page.older.setCurrentIndex(page.older.findData(FIRST))
    page.older.activated.emit(page.older.currentIndex())
    qtbot.waitUntil(lambda: asked(engine)[-1] == {"a": FIRST, "b": RUN})


def test_boxes_follow_the_engine_in_which_run_is_older(opened, qtbot):
    engine, _, page = opened()
    page.older.setCurrentIndex(page.older.findData(RUN))
    page.newer.setCurrentIndex(page.newer.findData(OTHER))
    page.newer.activated.emit(page.newer.currentIndex())
    qtbot.waitUntil(lambda: (page.older.currentData(), page.newer.currentData()) == (OTHER, RUN))
    assert asked(engine)[-1] == {"a": RUN, "b": OTHER}


def test_a_run_is_not_compared_with_itself(opened, qtbot):
    engine, _, page = opened()
    before = len(asked(engine))
    page.older.setCurrentIndex(page.older.findData(RUN))
    page.older.activated.emit(page.older.currentIndex())
    assert page._state.isVisible() and not page._content.isVisible()
    assert page._state.sentence.text() == "Choose two different runs." and len(asked(engine)) == before
    page.older.setCurrentIndex(page.older.findData(OTHER))
    page.older.activated.emit(page.older.currentIndex())
    qtbot.waitUntil(page._content.isVisible)


def test_runs_that_cannot_be_compared_say_why_and_leave_the_choice(opened, qtbot):
    _, _, page = opened(runs_compare=BadInput("The result of that run is gone.", "Choose another run."))
    assert "The result of that run is gone. Choose another run." in page._state.sentence.text()
    assert page.older.isVisible() and page.older.isEnabled()


def test_one_finished_run_has_nothing_to_be_compared_with(opened):
    _, desk, page = opened(repository_history=history()[:1])
    assert page._shown.state.heading.text() == "There is nothing to compare with"
    page._shown.state.button.click()
    assert ("new_analysis", (SOURCE,)) in desk.front.calls


def test_the_same_everywhere_is_told_in_words(opened):
    same = {**compared(), "tests": [], "defects_gone": [], "defects_new": [], "defects_same": []}
    _, _, page = opened(runs_compare=same)
    shown = [one.text() for one in page.findChildren(QLabel) if one.isVisible()]
    assert "Neither run suspects a defect." in shown
    assert "Every test was judged the same in both runs." in shown
    assert not page.table.isVisible() and not page.defect_table.isVisible()


def test_the_history_is_one_act_away(opened):
    _, desk, _ = opened()
    assert desk.actions.trigger("compare.history")
    assert gone(desk) == [Place("repository", item=SOURCE)]


def test_hostile_texts_do_not_widen_the_page(opened):
    bad = "<b>x</b>\n\u202egnp\x07" + "A" * 10_000
    view = compared()
    for one in view["defects_new"]:
        one.update(call=bad, symbol=bad, file=bad, observed=bad)
    view["tests"][0]["test"] = bad
    _, _, page = opened(runs_compare=view, size=(904, 540))
    assert page.width() == 904
    assert all(text.isprintable() for text in [*column(page.defects, 1), *column(page.model, 1)])


def test_ten_thousand_tests_that_differ_stand_there_soon(opened, qtbot):
    many = [{"test": f"test_{at:05}", "before": "", "after": "accepted"} for at in range(10_000)]
    _, _, page = opened(runs_compare={**compared(), "tests": many})
    qtbot.waitUntil(lambda: page.model.rowCount() == 10_000)
    assert page.table.height() < 700, "the table scrolls by itself"
