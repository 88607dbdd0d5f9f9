"""The first page: health in a line, what runs and waits, repositories with their acts, states that teach."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QContextMenuEvent
from PySide6.QtWidgets import QApplication, QMenu, QPushButton

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.home_columns import place_of, verdict
from tests.screenshots.scenes import LIVE, _going_on
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN, SOURCE, run_view

pytestmark = pytest.mark.ui

FIELDNOTES = "https://git.example.org/apps/fieldnotes"
QUEUED, PAUSED = "r0mdk3aaaaaaaa", "r0mdjxaaaaaaaa"


@pytest.fixture
def opened(make, qtbot):
    """``opened(answers)`` gives engine, desk and the page once its lists were answered."""

    def build(answers=None, size=(1232, 776), events=(), zoom=1.0):
        engine, desk = make(samples.answers() if answers is None else answers, zoom=zoom)
        engine.events = list(events)
        page = pages.build("home", desk)
        qtbot.addWidget(page)
        page.resize(*size)
        page.show()
        qtbot.waitExposed(page)
        page.activateWindow()
        qtbot.waitUntil(lambda: page.isActiveWindow() and desk.bridge.is_ready)
        page.enter(Place("home"))
        qtbot.waitUntil(lambda: page.health.sentence.text() != "The engine is starting.")
        qtbot.waitUntil(lambda: page.table.isVisible() or page._shown.state.heading.text() != "One moment")
        return engine, desk, page

    return build


def asked(engine, question):
    return [params for name, params in engine.asked if name == question]


def called(desk, method):
    return [arguments for name, arguments in desk.front.calls if name == method]


def row_of(page, run):
    return next(row for (one, _), row in page.running.rows.items() if one == run)


# -- health


def test_a_machine_that_has_everything_is_told_with_details(opened):
    _, _, page = opened(samples.answers(doctor_checks=samples.checks_ready()))
    assert page.health.sentence.text() == "Everything needed is ready."
    assert page.health.icon.accessibleName() == "Ready"
    assert page.health.detail.text().startswith("Docker Engine 27.3.1 answers. The sandbox image")
    assert "212 GiB are free." in page.health.detail.text()
    assert page.health.checked.text() == "Checked just now"
    assert page.health.link.text() == "Open checks"


@pytest.mark.parametrize(
    ("state", "sentence", "link"),
    [
        ("warning", "Everything needed is ready, with 1 remark.", "Open checks"),
        ("blocking", "Something is missing.", "Fix it"),
    ],
)
def test_what_is_not_ready_is_amber_and_leads_to_the_checks(opened, qtbot, state, sentence, link):
    checks = samples.checks_ready()
    checks[2] |= {"state": state, "sentence": "No Docker Engine answers."}
    _, desk, page = opened(samples.answers(doctor_checks=checks))
    assert (page.health.sentence.text(), page.health.icon.accessibleName()) == (sentence, "Warning")
    assert page.health.detail.text() == "No Docker Engine answers."
    assert page.health.link.text() == link
    qtbot.mouseClick(page.health.link, Qt.MouseButton.LeftButton)
    assert called(desk, "go") == [(Place("environment"),)]


def test_several_missing_things_are_counted(opened):
    _, _, page = opened()
    assert page.health.detail.text() == "No Docker Engine answers. 1 more check fails."


def test_checks_that_give_no_answer_are_told(opened):
    _, _, page = opened(samples.answers(doctor_checks=BadInput("The disk went away.", "Plug it in.")))
    assert page.health.sentence.text() == "The checks gave no answer."
    assert page.health.detail.text() == "The disk went away. Plug it in."


# -- what runs


def test_what_runs_stands_above_what_waits_and_what_is_paused(opened):
    _, _, page = opened()
    assert list(page.running.rows) == [(LIVE, "running"), (QUEUED, "queued"), (PAUSED, "paused")]
    assert row_of(page, QUEUED)._stage.text() == "Starts when tidydate is done."
    assert row_of(page, PAUSED)._stage.text() == "The run is paused. What it finished is recorded."


def test_a_running_row_follows_the_events(opened, qtbot):
    _, _, page = opened(events=_going_on())
    row = row_of(page, LIVE)
    qtbot.waitUntil(lambda: row._stage.text() == "Judge the tests: 118 of 230 mutants run")
    # The events say that it began more than four minutes ago, whenever this page was opened.
    assert re.fullmatch(r"[45]:\d\d, about \d+:\d\d left", row._time.text())
    assert row.bar.value() == pytest.approx(677, abs=2)
    assert row.bar.accessibleDescription() == "67.7 %"


def test_a_pause_can_be_taken_back(opened, qtbot):
    engine, _, page = opened(samples.answers(run_pause=None))
    row = row_of(page, LIVE)
    qtbot.mouseClick(row.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: row._stage.text() == "The run pauses after the step that is running.")
    assert asked(engine, "run_pause") == [{"run": LIVE}]
    assert row.pause.accessibleName() == "Resume tidydate"
    qtbot.mouseClick(row.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: bool(asked(engine, "resume")))
    qtbot.waitUntil(lambda: row.pause.accessibleName() == "Pause tidydate")
    assert asked(engine, "resume") == [{"args": (LIVE,)}]


def test_a_paused_run_is_resumed(opened, qtbot):
    engine, _, page = opened()
    qtbot.mouseClick(row_of(page, PAUSED).pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: asked(engine, "resume") == [{"args": (PAUSED,)}])


def test_cancel_asks_in_place_and_can_be_left(opened, qtbot):
    engine, _, page = opened()
    row = row_of(page, QUEUED)
    qtbot.mouseClick(row.stop, Qt.MouseButton.LeftButton)
    assert row.yes.isVisible() and row._stage.text() == "Cancel this run? It can be resumed."
    assert page.focusWidget() is row.yes
    qtbot.keyClick(row.yes, Qt.Key.Key_Escape)
    assert not row.yes.isVisible() and page.focusWidget() is row.stop
    qtbot.mouseClick(row.stop, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(row.yes, Qt.MouseButton.LeftButton)
    assert row._stage.text() == "Cancelling. Its containers are being removed."
    qtbot.waitUntil(lambda: asked(engine, "cancel") == [{"args": (QUEUED,)}])


@pytest.mark.parametrize(("method", "button"), [("resume", "pause"), ("cancel", "yes")])
def test_what_the_engine_refuses_is_told_and_can_be_tried_again(opened, qtbot, method, button):
    error = BadInput("The run is gone.")
    _, desk, page = opened(samples.answers(**{method: error}))
    row = row_of(page, PAUSED)
    row._ask()
    qtbot.mouseClick(getattr(row, button), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: called(desk, "tell_error") == [(error,)])
    assert row.pause.isEnabled() and row.stop.isVisible()


def test_rows_stay_while_their_runs_do(opened, qtbot):
    engine, _, page = opened()
    before = row_of(page, LIVE)
    engine.answers["run_list"] = [run for run in samples.runs() if run["run"] != QUEUED]
    page.refresh("")
    qtbot.waitUntil(lambda: len(page.running.rows) == 2)
    assert row_of(page, LIVE) is before
    engine.answers["run_list"] = []
    page.refresh("")
    qtbot.waitUntil(lambda: not page.running.isVisible())


def test_many_waiting_runs_are_counted(opened, qtbot):
    many = [run_view("queued", run=f"r{at}") for at in range(20)]
    _, desk, page = opened(samples.answers(run_list=many))
    assert len(page.running.rows) == 6
    qtbot.mouseClick(page.running.more, Qt.MouseButton.LeftButton)
    assert page.running.more.text() == "and 14 more"
    assert called(desk, "go") == [(Place("runs"),)]


# -- repositories


def test_a_row_says_verdict_trend_and_pin_in_words(opened):
    _, _, page = opened()
    said = [page.model.index(0, at).data(Qt.ItemDataRole.AccessibleTextRole) for at in range(5)]
    assert said == [
        "pinned",
        f"tidydate, {SOURCE}",
        "4 suspected defects, 41 tests kept",
        "88.6 % +22.6",
        "12 Nov 2025",
    ]


@pytest.mark.parametrize(
    ("last", "told"),
    [
        (None, "Not analyzed yet"),
        (run_view(suspected=1, accepted=1), "1 suspected defect, 1 test kept"),
        (run_view(suspected=0, verdict="nothing_suspected"), "No suspected defects, 41 tests kept"),
        (run_view(suspected=0, verdict="inconclusive"), "Inconclusive, 41 tests kept"),
        (run_view("cancelled"), "Cancelled"),
        (run_view("failed", sentence="The suite is red."), "Failed. The suite is red."),
    ],
)
def test_a_verdict_never_says_more_than_the_run_found(last, told):
    assert verdict({"source": SOURCE, "name": "tidydate", "pinned": False, "last": last, "trend": []}) == told


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        (str(Path.home() / "code/x"), "~/code/x"),
        (f"{Path.home()}x", f"{Path.home()}x"),
        ("https://git.example.org/a", "git.example.org/a"),
        ("git@host:a/b", "git@host:a/b"),
    ],
)
def test_a_place_is_short_and_still_itself(source, shown):
    assert place_of(source) == shown


@pytest.mark.parametrize(
    ("source", "call"),
    [
        (SOURCE, ("go", (Place("results", run=RUN),))),
        ("/home/ada/work/orderflow", ("go", (Place("run", run=RUN),))),
        (FIELDNOTES, ("new_analysis", (FIELDNOTES,))),
    ],
    ids=["finished", "stopped", "new"],
)
def test_enter_opens_the_last_run_or_a_new_analysis(opened, qtbot, source, call):
    _, desk, page = opened()
    page.table.choose(source)
    page.table.setFocus()
    qtbot.keyClick(page.table, Qt.Key.Key_Return)
    assert desk.front.calls[-1] == call


@pytest.mark.parametrize(
    ("act", "call"),
    [
        ("home.history", ("go", (Place("repository", item=SOURCE),))),
        ("home.again", ("new_analysis", (SOURCE,))),
        ("home.folder", ("open_path", (SOURCE,))),
        ("home.open", ("go", (Place("results", run=RUN),))),
    ],
)
def test_an_act_is_about_the_chosen_repository(opened, act, call):
    _, desk, _ = opened()
    assert desk.actions.trigger(act)
    assert desk.front.calls[-1] == call


@pytest.mark.parametrize(
    ("act", "reason"),
    [("home.open", "It was not analyzed yet."), ("home.folder", "It is no folder of this machine.")],
)
def test_what_is_not_possible_says_why(opened, act, reason):
    _, desk, page = opened()
    page.table.choose(FIELDNOTES)
    assert desk.actions[act].reason() == reason
    assert not desk.actions.trigger(act)


@pytest.mark.parametrize(("source", "pinned"), [(SOURCE, False), (FIELDNOTES, True)])
def test_pin_turns_what_it_was(opened, qtbot, source, pinned):
    engine, desk, page = opened(samples.answers(repository_pin=None))
    page.table.choose(source)
    before = len(asked(engine, "repositories"))
    assert desk.actions.trigger("home.pin")
    qtbot.waitUntil(lambda: asked(engine, "repository_pin") == [{"source": source, "pinned": pinned}])
    qtbot.waitUntil(lambda: len(asked(engine, "repositories")) > before)
    assert page.table.value()["source"] == source


def test_what_is_taken_off_the_list_says_what_stays(opened, qtbot):
    engine, desk, _ = opened(samples.answers(repository_forget=None))
    desk.actions.trigger("home.forget")
    qtbot.waitUntil(lambda: asked(engine, "repository_forget") == [{"source": SOURCE}])
    (notice,) = called(desk, "tell")[0]
    assert notice.text.startswith("tidydate is off this list. Its runs and evidence stay")


def test_the_menu_of_a_row_opens_by_key_and_holds_every_act(opened, qtbot):
    _, _, page = opened()
    page.table.choose(FIELDNOTES)
    at = page.table.visualRect(page.table.currentIndex()).center()
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, at, page.table.viewport().mapToGlobal(at))
    QApplication.sendEvent(page.table.viewport(), event)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is not None)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert {action.text(): action.isEnabled() for action in menu.actions()} == {
        "Open the last run": False,
        "History of the repository": True,
        "Analyze again": True,
        "Pin or unpin": True,
        "Open folder of the repository": False,
        "Take it off this list": True,
    }
    menu.close()


@pytest.mark.parametrize(
    ("typed", "names"),
    [("ledger", ["ledger-api"]), ("/home/ada !tidydate", ["ledger-api", "orderflow"]), ("cancelled", ["orderflow"])],
)
def test_the_filter_looks_at_name_place_and_verdict(opened, typed, names):
    _, _, page = opened()
    page.filter.setText(typed)
    page.filter.apply()
    assert [one["name"] for one in page.model.shown] == names


def test_a_filter_without_a_match_says_so_and_can_be_cleared(opened, qtbot):
    _, desk, page = opened()
    page.filter.setText("zebra")
    page.filter.apply()
    state = page._shown.state
    assert state.isVisible() and state.heading.text() == "No repository matches “zebra”"
    assert desk.actions["home.history"].reason() == "Choose a repository in the list."
    qtbot.mouseClick(state.button, Qt.MouseButton.LeftButton)
    assert page.table.isVisible() and page.filter.text() == ""


def test_the_first_start_teaches_and_offers_the_sample(opened, qtbot):
    _, desk, page = opened(samples.answers(run_list=[], repositories=[]))
    qtbot.waitUntil(lambda: page._shown.state.isVisible())
    assert page._shown.state.heading.text() == "No repository yet"
    assert "one suspected defect in about a minute" in page._shown.state.sentence.text()
    assert not page.filter.isVisible() and not page.running.isVisible()
    qtbot.mouseClick(page._shown.state.button, Qt.MouseButton.LeftButton)
    assert called(desk, "try_sample") == [()]


def test_a_list_that_fails_can_be_asked_for_again(opened, qtbot):
    engine, _, page = opened(samples.answers(repositories=BadInput("The database is locked.")))
    qtbot.waitUntil(lambda: page._shown.state.isVisible())
    assert page._shown.state.sentence.text() == "The database is locked."
    engine.answers["repositories"] = samples.repositories()
    qtbot.mouseClick(page._shown.state.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.table.isVisible())


@pytest.mark.parametrize("zoom", [0.8, 1.0, 2.0])
def test_a_short_list_does_not_scroll_and_a_long_one_does(opened, qtbot, zoom):
    engine, _, page = opened(zoom=zoom)
    bar = page.table.verticalScrollBar()
    qtbot.waitUntil(lambda: page.table.isVisible() and bar.maximum() == 0)
    one = samples.repositories()[0]
    engine.answers["repositories"] = [{**one, "source": f"/srv/{at}", "name": str(at)} for at in range(3000)]
    page.refresh("")
    qtbot.waitUntil(lambda: len(page.model.shown) == 3000 and bar.maximum() > 0)


@pytest.mark.parametrize(
    ("words", "act"),
    [
        ("Open folder", "open-folder"),
        ("Git URL", "git-url"),
        ("Try the sample", "sample"),
        ("Verify a bundle", "open-bundle"),
    ],
)
@pytest.mark.parametrize("width", [880, 1232])
def test_the_drop_zone_has_a_button_for_each_way_in(opened, qtbot, words, act, width):
    from qverify_desktop.ui.actions import Act

    _, desk, page = opened(size=(width, 776))
    done = []
    desk.actions.add(Act(act, words, "Start", lambda: done.append(act)))
    button = next(one for one in page.drop.findChildren(QPushButton) if one.text() == words)
    assert button.isVisible() and page.drop.rect().contains(button.geometry())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert done == [act]
