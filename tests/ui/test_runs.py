"""The page of all runs: what each found, chips and filter, several chosen, resume, cancel and compare, ten thousand rows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN, run_view

pytestmark = pytest.mark.ui

LIVE, QUEUED, OTHER, LEDGER = "r0mdk4aaaaaaaa", "r0mdk3aaaaaaaa", samples.OTHER, "r0mdk0aaaaaaaa"
CANCELLED, INTERRUPTED, PAUSED, FAILED = "r0mdjzaaaaaaaa", "r0mdjyaaaaaaaa", "r0mdjxaaaaaaaa", "r0mdjwaaaaaaaa"
TOGGLE = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows


@pytest.fixture
def opened(make, qtbot):
    def build(runs=None, size=(1232, 776)):
        engine, desk = make(samples.answers(**({} if runs is None else {"run_list": runs})))
        page = pages.build("runs", desk)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        qtbot.waitExposed(page)
        page.activateWindow()
        qtbot.waitUntil(page.isActiveWindow)
        page.enter(Place("runs"))
        qtbot.waitUntil(lambda: page.table.isVisible() or page._shown.state.heading.text() != "One moment")
        return engine, desk, page

    return build


def choose(page, *runs):
    """Select several, the first one current."""
    page.table.choose(runs[0])
    for run in runs[1:]:
        page.table.selectionModel().select(page.model.index(page.model.row_of(run), 0), TOGGLE)


def asked(engine, question):
    return [params["args"][0] for name, params in engine.asked if name == question]


def spoken(page, run):
    row = page.model.row_of(run)
    return [page.model.index(row, at).data(Qt.ItemDataRole.AccessibleTextRole) for at in range(7)]


@pytest.mark.parametrize(
    ("run", "cells"),
    [
        (LIVE, ["Running", "tidydate", "13 Nov 2025", "Judge the tests", "", "", ""]),
        (QUEUED, ["Queued", "ledger-api", "13 Nov 2025", "", "", "", ""]),
        (
            LEDGER,
            [
                "Nothing suspected",
                "ledger-api",
                "9 Nov 2025",
                "Nothing is suspected. 112 of 140 tests were kept; line coverage 90 % to 91 %.",
                "41",
                "23",
                "0",
            ],
        ),
        (
            FAILED,
            ["Failed", "tidydate", "12 Nov 2025", "The repository holds no file that could be analysed.", "", "", ""],
        ),
    ],
)
def test_a_row_says_state_sentence_and_counts(opened, run, cells):
    _, _, page = opened()
    assert spoken(page, run) == cells


def test_the_newest_run_is_chosen_and_stays_chosen_while_the_list_changes(opened, qtbot):
    engine, _, page = opened()
    assert page.table.value()["run"] == LIVE
    choose(page, RUN, OTHER)
    engine.answers["run_list"] = [run_view("queued", run="rnew"), *samples.runs()]
    page.refresh("rnew")
    qtbot.waitUntil(lambda: page.model.row_of("rnew") == 0)
    assert [run["run"] for run in page.chosen()] == [RUN, OTHER]


@pytest.mark.parametrize(
    ("on", "runs"),
    [
        ({"live"}, [LIVE, QUEUED]),
        ({"stopped"}, [CANCELLED, INTERRUPTED, PAUSED]),
        ({"suspected"}, [RUN, OTHER]),
        ({"clean"}, [LEDGER]),
        ({"other"}, [FAILED, "r0mdjvaaaaaaaa"]),
        ({"clean", "live"}, [LIVE, QUEUED, LEDGER]),
    ],
)
def test_chips_show_runs_of_a_kind(opened, on, runs):
    _, _, page = opened()
    page.chips.set_on(frozenset(on))
    assert [run["run"] for run in page.model.shown] == runs
    assert [page.chips.chip(key).choice.count for key in ("live", "suspected", "clean", "stopped", "other")] == [
        *(2, 2, 1, 3, 2)
    ]


@pytest.mark.parametrize(
    ("typed", "count"), [("ledger", 2), ("cancelled", 1), ('"judge the tests"', 1), (LEDGER, 1), ("!tidydate", 2)]
)
def test_the_filter_looks_at_what_is_told_of_a_run(opened, typed, count):
    _, _, page = opened()
    page.filter.setText(typed)
    page.filter.apply()
    assert len(page.model.shown) == count


@pytest.mark.parametrize(("typed", "heading"), [("zebra", "No run matches “zebra”"), ("", "No run is of this kind")])
def test_nothing_that_matches_says_so_and_can_be_cleared(opened, qtbot, typed, heading):
    runs = [run for run in samples.runs() if run["run"] != LEDGER]
    _, desk, page = opened(runs)
    page.chips.set_on(frozenset({"clean"}))
    page.filter.setText(typed)
    page.filter.apply()
    state = page._rows.state
    assert state.isVisible() and state.heading.text() == heading
    assert desk.actions["runs.open"].reason() == "Choose a run in the list."
    qtbot.mouseClick(state.button, Qt.MouseButton.LeftButton)
    assert page.table.isVisible() and len(page.model.shown) == len(runs)
    assert page.chips.on() == frozenset()


@pytest.mark.parametrize(("run", "place"), [(RUN, "results"), (PAUSED, "run"), (LIVE, "run")])
def test_enter_opens_a_run(opened, qtbot, run, place):
    _, desk, page = opened()
    page.table.choose(run)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert desk.front.calls[-1] == ("go", (Place(place, run=run),))


@pytest.mark.parametrize("run", [PAUSED, INTERRUPTED, CANCELLED])
def test_a_stopped_run_is_resumed_and_shown(opened, qtbot, run):
    engine, desk, page = opened()
    page.table.choose(run)
    assert desk.actions.trigger("runs.resume")
    qtbot.waitUntil(lambda: asked(engine, "resume") == [run])
    qtbot.waitUntil(lambda: desk.front.calls[-1] == ("go", (Place("progress", run=run),)))


def test_several_are_resumed_at_once(opened, qtbot):
    engine, desk, page = opened()
    choose(page, PAUSED, RUN, CANCELLED)
    assert desk.actions.trigger("runs.resume")
    qtbot.waitUntil(lambda: sorted(asked(engine, "resume")) == sorted([PAUSED, CANCELLED]))
    assert desk.front.calls[-1][1][0].text == "2 runs go on."


@pytest.mark.parametrize(
    ("act", "run", "reason"),
    [
        ("runs.resume", LIVE, "Not possible while the run is running."),
        ("runs.resume", RUN, "Not possible while the run is defects suspected."),
        ("runs.cancel", CANCELLED, "Not possible while the run is cancelled."),
        ("runs.compare", LIVE, "Only finished runs can be compared."),
    ],
)
def test_what_is_not_possible_says_why(opened, act, run, reason):
    _, desk, page = opened()
    page.table.choose(run)
    assert desk.actions[act].reason() == reason


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (
            (QUEUED,),
            "Cancel the run of ledger-api? What it finished stays recorded, and it can be resumed.",
        ),
        (
            (LIVE, QUEUED, RUN),
            "Cancel 2 runs? What they finished stays recorded, and they can be resumed.",
        ),
    ],
    ids=["one", "several"],
)
def test_cancel_asks_in_place(opened, qtbot, runs, words):
    engine, desk, page = opened()
    choose(page, *runs)
    assert desk.actions.trigger("runs.cancel")
    assert page._question.isVisible() and page._question_words.text() == words
    assert page.focusWidget() is page.yes
    qtbot.keyClick(page.yes, Qt.Key.Key_Escape)
    assert not page._question.isVisible() and page.focusWidget() is page.table
    desk.actions.trigger("runs.cancel")
    qtbot.mouseClick(page.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: sorted(asked(engine, "cancel")) == sorted(run for run in runs if run != RUN))


@pytest.mark.parametrize(
    ("runs", "place"),
    [
        ((OTHER, RUN), Place("compare", run=RUN, item=OTHER)),
        ((RUN, OTHER), Place("compare", run=RUN, item=OTHER)),
        ((RUN,), Place("compare", run=RUN)),
    ],
)
def test_the_newer_of_two_runs_is_compared_with_the_older(opened, qtbot, runs, place):
    _, desk, page = opened()
    choose(page, *runs)
    assert page.compare.isEnabled()
    qtbot.mouseClick(page.compare, Qt.MouseButton.LeftButton)
    assert desk.front.calls[-1] == ("go", (place,))


@pytest.mark.parametrize(
    ("runs", "reason"),
    [
        ((RUN, LEDGER), "The runs are of different repositories."),
        ((RUN, LIVE), "Only finished runs can be compared."),
        ((RUN, OTHER, LEDGER), "Choose one or two finished runs in the list."),
    ],
)
def test_runs_that_do_not_go_together_are_not_compared(opened, runs, reason):
    _, desk, page = opened()
    choose(page, *runs)
    assert desk.actions["runs.compare"].reason() == reason
    assert not page.compare.isEnabled() and page.compare.toolTip() == reason


def test_two_runs_are_chosen_by_keyboard(opened, qtbot):
    _, _, page = opened()
    page.table.choose(RUN)
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert [run["run"] for run in page.chosen()] == [RUN, OTHER]


def test_the_menu_of_a_row_opens_by_key(opened, qtbot):
    _, _, page = opened()
    page.table.choose(PAUSED)
    at = page.table.visualRect(page.table.currentIndex()).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, page.table.viewport().mapToGlobal(at))
    QApplication.sendEvent(page.table.viewport(), event)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert {action.text(): action.isEnabled() for action in menu.actions()} == {
        "Open the run": True,
        "Compare runs": False,
        "Resume the run": True,
        "Cancel the run": True,
    }
    menu.close()


def test_ten_thousand_runs_are_shown_filtered_and_sorted(opened, qtbot):
    many = [
        run_view(run=f"r{at:05}", name=f"project-{at % 7}", accepted=at, started_at=f"2025-01-01T00:00:{at % 60:02}Z")
        for at in range(10_000)
    ]
    _, _, page = opened(many)
    qtbot.waitUntil(lambda: len(page.model.shown) == 10_000)
    assert page.table.value()["run"] == "r00000"
    page.filter.setText("project-3")
    page.filter.apply()
    qtbot.waitUntil(lambda: len(page.model.shown) == 1429)
    page.table.sortByColumn(4, Qt.SortOrder.DescendingOrder)
    qtbot.waitUntil(lambda: page.model.value_at(0)["accepted"] == 9999 - (9999 - 3) % 7)
    page.table.selectAll()
    assert len(page.chosen()) == 1429


def test_nothing_yet_teaches_and_offers_the_sample(opened, qtbot):
    _, desk, page = opened([])
    qtbot.waitUntil(lambda: page._shown.state.heading.text() == "Nothing was analyzed yet")
    page.focus_content()
    assert page.focusWidget() is page._shown.state.button
    qtbot.mouseClick(page._shown.state.button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page._shown.state.ghost, Qt.MouseButton.LeftButton)
    assert [name for name, _ in desk.front.calls] == ["try_sample", "ask_folder"]


def test_a_list_that_fails_can_be_asked_for_again(opened, qtbot):
    engine, _, page = opened(BadInput("The database is locked.", "Try again in a moment."))
    qtbot.waitUntil(lambda: page._shown.state.sentence.text() == "The database is locked. Try again in a moment.")
    engine.answers["run_list"] = samples.runs()
    qtbot.mouseClick(page._shown.state.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.isVisible())
