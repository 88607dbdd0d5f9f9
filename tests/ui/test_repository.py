"""History of a repository: the sentence, the trend, each run's measures, pin, and two runs that are compared."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from tests.ui.samples import window as samples
from tests.ui.samples.history import OTHER, history
from tests.ui.samples.results import RUN, SOURCE, run_view

pytestmark = pytest.mark.ui

UNMEASURED, FIRST = "r0mdh2aaaaaaaa", "r0md83aaaaaaaa"
TOGGLE = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows


@pytest.fixture
def opened(make, qtbot):
    def build(size=(1232, 776), source=SOURCE, **answers):
        engine, desk = make(samples.answers(**answers))
        page = pages.build("repository", desk)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        qtbot.waitExposed(page)
        page.enter(Place("repository", item=source))
        qtbot.waitUntil(lambda: page.table.isVisible() or page._shown.state.heading.text() != "One moment")
        qtbot.waitUntil(lambda: "repositories" in dict(engine.asked))
        return engine, desk, page

    return build


def choose(page, *runs):
    page.table.choose(runs[0])
    for run in runs[1:]:
        page.table.selectionModel().select(page.model.index(page.model.row_of(run), 0), TOGGLE)


def spoken(page, run):
    row = page.model.row_of(run)
    return [page.model.index(row, at).data(Qt.ItemDataRole.AccessibleTextRole) for at in range(6)]


def gone(desk):
    return [args[0] for name, args in desk.front.calls if name == "go"]


def test_the_sentence_says_how_often_what_and_how_it_went(opened):
    _, _, page = opened()
    assert page._sentence.text() == (
        "9 finished runs. The newest: 4 suspected defects, 41 tests kept; line coverage went from 61.2 % to 88.6 %."
    )
    assert (page.title(), page.subtitle()) == ("tidydate", "pinned")


@pytest.mark.parametrize(
    ("run", "cells"),
    [
        (RUN, ["4 suspected defects, 41 tests kept", "8c41f0e6", "88.6 % +27.0", "83.0 % +26.3", "81.3 % +35.6"]),
        (UNMEASURED, ["Inconclusive, 0 tests kept", "0be7719d", "66.2 % 0.0", "54.8 % 0.0", "unknown"]),
        (FIRST, ["No suspected defects, 12 tests kept", "9f8b21e7", "61.2 % +7.9", "46.2 % +7.7", "43.0 % +10.4"]),
    ],
)
def test_a_run_says_what_it_found_and_what_its_tests_added(opened, run, cells):
    _, _, page = opened()
    assert spoken(page, run)[1:] == cells


def test_a_measure_says_its_whole(opened):
    _, _, page = opened()
    tips = [
        page.model.index(page.model.row_of(run), 5).data(Qt.ItemDataRole.ToolTipRole) for run in (RUN, UNMEASURED)
    ]
    assert tips == ["187 of 230 with the kept tests, 105 before", "Not measured."]


def test_two_runs_of_one_day_differ_in_their_time(opened):
    _, _, page = opened()
    first, second = spoken(page, "r0mdh8aaaaaaaa")[0], spoken(page, UNMEASURED)[0]
    assert first != second and first.partition(",")[0] == second.partition(",")[0]


def test_the_trend_goes_from_the_oldest_to_the_newest_and_leads_to_its_run(opened, qtbot):
    _, _, page = opened()
    assert page.trend.words_of(8).endswith("Lines 88.6 %, Branches 83.0 %, Mutants killed 81.3 %")
    assert page.trend.words_of(5).endswith("Mutants killed unknown")
    page.trend.setFocus()
    qtbot.keyClick(page.trend, Qt.Key.Key_Home)
    assert page.table.value()["run"]["run"] == FIRST
    qtbot.keyClick(page.trend, Qt.Key.Key_End)
    assert page.table.value()["run"]["run"] == RUN


@pytest.mark.parametrize(
    ("runs", "place"),
    [
        ((RUN,), Place("compare", run=RUN, item="")),
        ((RUN, FIRST), Place("compare", run=RUN, item=FIRST)),
        ((FIRST, RUN), Place("compare", run=RUN, item=FIRST)),
    ],
)
def test_one_run_is_compared_with_the_one_before_and_two_with_each_other(opened, runs, place):
    _, desk, page = opened()
    choose(page, *runs)
    page.compare.click()
    assert gone(desk) == [place]


def test_what_cannot_be_compared_says_why(opened):
    _, _desk, page = opened()
    choose(page, RUN, OTHER, FIRST)
    assert not page.compare.isEnabled()
    assert page.compare.toolTip() == "Choose one or two finished runs in the list."
    _, _, alone = opened(repository_history=history()[:1])
    assert alone.compare.toolTip() == "Two finished runs are needed."


def test_enter_opens_what_the_run_found(opened, qtbot):
    _, desk, page = opened()
    choose(page, OTHER)
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert gone(desk) == [Place("results", run=OTHER)]


@pytest.mark.parametrize("pinned", [True, False])
def test_pin_names_its_act_and_says_what_is_so_now(opened, qtbot, pinned):
    listed = samples.repositories()
    listed[0]["pinned"] = pinned
    engine, desk, _page = opened(repositories=listed, repository_pin=None)
    qtbot.waitUntil(
        lambda: desk.actions["repository.pin"].words() == ("Unpin repository" if pinned else "Pin repository")
    )
    desk.actions.trigger("repository.pin")
    qtbot.waitUntil(lambda: "repository_pin" in dict(engine.asked))
    assert dict(engine.asked)["repository_pin"] == {"source": SOURCE, "pinned": not pinned}


def test_analyze_again_begins_with_this_repository(opened):
    _, desk, _page = opened()
    desk.actions.trigger("repository.again")
    assert ("new_analysis", (SOURCE,)) in desk.front.calls


def test_the_menu_of_a_row_has_its_acts(opened, qtbot):
    _, _, page = opened()
    choose(page, OTHER)
    at = page.table.visualRect(page.model.index(page.model.row_of(OTHER), 0)).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, at, page.table.viewport().mapToGlobal(at))
    QApplication.sendEvent(page.table.viewport(), event)
    menu = page.table.findChild(QMenu)
    assert [(action.text(), action.isEnabled()) for action in menu.actions()] == [
        ("Open the run", True),
        ("Compare runs", True),
    ]
    menu.close()


def test_the_filter_finds_words_of_verdict_and_commit(opened, qtbot):
    _, _, page = opened()
    for typed, count in (("inconclusive", 1), ("0be7719d", 2), ("0be7719d !inconclusive", 1), ('"no suspected"', 2)):
        page.filter.setText(typed)
        page.filter.apply()
        assert page.model.rowCount() == count, typed


def test_another_repository_starts_without_the_filter_of_the_one_before(opened, qtbot):
    engine, _, page = opened()
    page.filter.setText("inconclusive")
    page.filter.apply()
    page.enter(Place("repository", item="/home/ada/code/ledger-api"))
    qtbot.waitUntil(lambda: page.title() == "ledger-api" and page.table.isVisible())
    assert page.filter.text() == "" and page.model.rowCount() == 9
    assert ("repository_history", {"source": "/home/ada/code/ledger-api"}) in engine.asked[-4:]


def test_without_a_finished_run_it_offers_one(opened):
    _, desk, page = opened(repository_history=[])
    state = page._shown.state
    assert state.heading.text() == "No finished run yet"
    state.button.click()
    assert ("new_analysis", (SOURCE,)) in desk.front.calls


def test_an_error_says_why_and_tries_again(opened, qtbot):
    engine, _, page = opened(repository_history=BadInput("The disk went away.", "Plug it in."))
    assert "The disk went away. Plug it in." in page._shown.state.sentence.text()
    engine.answers["repository_history"] = history()
    page._shown.state.button.click()
    qtbot.waitUntil(page.table.isVisible)


def test_hostile_names_stay_one_line_of_text(opened):
    bad = "/home/a/<b>x</b>\n\u202egnp\x07" + "A" * 10_000
    entries = history()
    entries[0]["run"] = run_view(sentence=bad, name=bad)
    _, _, page = opened(source=bad, repository_history=entries, size=(880, 520))
    assert page.width() == 880
    for text in (page.title(), page._path.text()):
        assert text.isprintable()


def test_ten_thousand_runs_stand_there_soon(opened, qtbot):
    one = history()[1]
    many = [{**one, "run": {**one["run"], "run": f"r{at:05}"}} for at in range(10_000)]
    _, _, page = opened(repository_history=many)
    qtbot.waitUntil(lambda: page.model.rowCount() == 10_000)
    assert page.table.height() < page.height(), "the table scrolls by itself"


def test_the_page_says_whether_prompts_may_leave_and_changes_it(opened, qtbot):
    now = {"cloud": "allowed", "hosts": [], "order": []}

    def decide(source, cloud):
        now["cloud"] = cloud

    engine, _, page = opened(repository_cloud=lambda source, model, api_base: dict(now), repository_decide=decide)
    qtbot.waitUntil(page.policy.isVisible)
    assert page.policy.words() == "Prompts with its source may go to models elsewhere."
    assert not page.policy.allow.isVisible()
    page.policy.keep.click()
    qtbot.waitUntil(lambda: page.policy.words() == "Prompts with its source stay on this machine.")
    assert page.policy.allow.isVisible() and not page.policy.keep.isVisible()
    assert dict(engine.asked)["repository_decide"] == {"source": SOURCE, "cloud": "local_only"}


def test_what_nobody_decided_is_said_with_both_answers(opened, qtbot):
    _, _, page = opened()
    qtbot.waitUntil(page.policy.isVisible)
    assert "not decided yet" in page.policy.words()
    assert page.policy.allow.isVisible() and page.policy.keep.isVisible()


def test_what_runs_came_to_is_drawn_and_said_in_words(opened, qtbot):
    _, _, page = opened()
    charts = page.amounts.charts
    assert [chart.accessibleName() for chart in charts.values()] == [
        f"{what} over the last runs" for what in ("Tests kept", "Suspected defects", "Cost", "Time")
    ]
    assert charts["accepted"].words_of(8).endswith(": Tests kept 41")
    assert charts["cost_microusd"].words_of(8).endswith(": Cost $0.32")
    assert charts["duration_ms"].words_of(8).endswith(": Time 11 min 46 s")
    assert charts["suspected"].words_of(0).endswith(": 0"), "none is a number"
    assert charts["cost_microusd"].words_of(0).endswith(": unknown"), "an older version did not keep it"
    assert charts["cost_microusd"].bar_rect(0).height() <= 1 < charts["cost_microusd"].bar_rect(1).height()
    charts["duration_ms"].setFocus()
    qtbot.keyClick(charts["duration_ms"], Qt.Key.Key_Home)
    assert page.table.value()["run"]["run"] == FIRST
    qtbot.keyClick(charts["duration_ms"], Qt.Key.Key_End)
    assert page.table.value()["run"]["run"] == RUN


def test_the_table_says_what_a_run_took(opened):
    _, _, page = opened()

    def took(run):
        row = page.model.row_of(run)
        return [page.model.index(row, at).data(Qt.ItemDataRole.AccessibleTextRole) for at in (6, 7)]

    assert (took(RUN), took(UNMEASURED), took(FIRST)) == (
        ["$0.32", "11 min 46 s"],
        ["free", "5.3 s"],
        ["unknown", "unknown"],
    )


@pytest.mark.parametrize(("size", "columns"), [((1232, 776), 4), ((760, 520), 2)])
def test_the_charts_stand_where_there_is_room(opened, qtbot, size, columns):
    _, _, page = opened(size=size)
    qtbot.waitUntil(lambda: page.amounts.width() > 300)
    lefts = {chart.mapTo(page.amounts, chart.rect().topLeft()).x() for chart in page.amounts.charts.values()}
    qtbot.waitUntil(
        lambda: len({c.mapTo(page.amounts, c.rect().topLeft()).x() for c in page.amounts.charts.values()}) == columns
    )
    assert len(lefts) in (2, 4)
    for chart in page.amounts.charts.values():
        assert chart.mapTo(page, chart.rect().topRight()).x() <= page.width(), "nothing stands outside"


@pytest.mark.parametrize(
    ("most", "steps"),
    [
        (900, "0 s 0.5 s 1 s"),
        (61_000, "0 s 20 s 40 s 60 s 80 s"),
        (706_000, "0 min 5 min 10 min 15 min"),
        (9e6, "0 h 1 h 2 h 3 h"),
    ],
)
def test_the_scale_of_times_is_short(opened, most, steps):
    entries = history()[:1]
    entries[0]["duration_ms"] = int(most)
    _, _, page = opened(repository_history=entries)
    chart = page.amounts.charts["duration_ms"]
    told = [chart._axis(step) for step in chart._plot()[1]]
    assert " ".join(told) == steps


def test_runs_of_another_scope_are_listed_and_not_drawn(opened, qtbot):
    entries = history()
    entries[1]["scope"], entries[2]["scope"] = "changed:main", ""
    _, _, page = opened(repository_history=entries)
    assert page.model.rowCount() == 9
    assert page._others.isVisible() and page._others.text().startswith("1 run of another scope")
    assert page.trend.words_of(7).endswith("Lines 88.6 %, Branches 83.0 %, Mutants killed 81.3 %")
    page.trend.setFocus()
    qtbot.keyClick(page.trend, Qt.Key.Key_End)
    assert page.table.value()["run"]["run"] == RUN
    qtbot.keyClick(page.trend, Qt.Key.Key_Left)
    assert page.table.value()["run"]["run"] == entries[2]["run"]["run"]
    _, _, alike = opened()
    assert not alike._others.isVisible()
