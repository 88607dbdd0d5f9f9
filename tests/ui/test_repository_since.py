"""What differs since the run before: a reviewer's questions, in their order."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.repository_since import SinceCard, differences
from tests.ui.samples import window as samples
from tests.ui.samples.history import compared, history
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui


@pytest.fixture
def opened(make, qtbot):
    def build(**answers):
        engine, desk = make(samples.answers(**answers))
        card = SinceCard(desk)
        qtbot.addWidget(card)
        return engine, desk, card

    return build


def said(view):
    return [one.said for one in differences(view)]


def test_new_suspicions_stand_first_then_what_was_lost_then_what_is_better():
    assert said(compared()) == [
        '2 suspected defects are new: parse_time("12:00 am"), iso_week(date(2021, 1, 3))',
        "2 tests that were kept are not any more.",
        '1 suspected defect is gone: parse_offset("-03:30")',
        "5 tests are kept newly.",
    ]


def test_a_measure_that_fell_is_said_with_both_values():
    turned = compared() | {"a": history()[0], "b": history()[1], "defects_new": [], "defects_gone": [], "tests": []}
    (fallen,) = differences(turned)
    assert fallen.said == "Fallen: Lines 88.6 % to 84.7 %, Branches 83.0 % to 76.9 %, Mutants killed 81.3 % to 72.2 %"
    assert fallen.token == "warning"


def test_what_was_not_measured_has_not_fallen():
    unmeasured = next(one for one in history() if not one["mutants"]["after_whole"])
    view = compared() | {"a": unmeasured, "b": unmeasured, "defects_new": [], "defects_gone": [], "tests": []}
    assert said(view) == ["The same defects, the same tests, and no measure has fallen."]


def test_many_and_hostile_calls_are_some_short_lines():
    one = compared()["defects_new"][0]
    view = compared() | {"defects_new": [one | {"call": "f('\u202e{0}\n" + "x" * 500}] * 9}
    first = said(view)[0]
    assert first.startswith("9 suspected defects are new: f('\\u202e{0}\\n") and first.endswith(", 6 more")
    assert len(first) < 260


def test_the_newest_two_are_asked_for_and_lead_to_all_that_differs(opened, qtbot):
    engine, desk, card = opened()
    card.ask(history())
    qtbot.waitUntil(lambda: bool(card.said()))
    newer, older = (one["run"]["run"] for one in history()[:2])
    assert dict(engine.asked)["runs_compare"] == {"a": older, "b": newer}
    assert not card.isHidden()
    card.all.setFocus()
    qtbot.keyClick(card.all, Qt.Key.Key_Space)
    assert [args[0] for name, args in desk.front.calls if name == "go"] == [Place("compare", run=RUN, item=older)]


def test_one_run_or_runs_that_can_not_be_compared_show_nothing(opened, qtbot):
    engine, _, card = opened(runs_compare=BadInput("The run has not finished.", "Wait for it."))
    card.ask(history()[:1])
    assert card.isHidden() and not engine.asked
    card.ask(history())
    qtbot.waitUntil(lambda: "runs_compare" in dict(engine.asked))
    qtbot.wait(50)
    assert card.isHidden()
