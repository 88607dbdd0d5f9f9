"""Progress bars, rings, steps and the timeline."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.progress import ProgressBar, paint_progress
from qverify_desktop.ui.widgets.rows import Row, RowList, RowModel
from qverify_desktop.ui.widgets.spinner import Spinner
from qverify_desktop.ui.widgets.steps import Steps, paint_steps
from qverify_desktop.ui.widgets.timeline import STATES, Stop, Timeline

pytestmark = pytest.mark.ui


@pytest.mark.parametrize(
    ("part", "whole", "tone", "token", "share"),
    [
        (41, 100, "", "series-1", 0.41),
        (92, 100, "warning", "warning", 0.92),
        (30, 100, "paused", "before", 0.3),
        (300, 100, "", "series-1", 1.0),
        (0, 0, "", "series-1", 0.3),
        (0, 100, "", "series-1", 0.0),
        (-5, 100, "", "series-1", 0.0),
    ],
)
def test_a_bar_of_4_px(theme, canvas, part, whole, tone, token, share):
    made = canvas(200, 10)
    made.paint(lambda painter: paint_progress(painter, made.rect, theme, part, whole, tone))
    colour, track = theme.colour(token).name(), theme.colour("track").name()
    filled = sum(made.colour(x, 5) == colour for x in range(200))
    assert abs(filled - 200 * share) <= 3
    assert sum(made.colour(100, y) in (track, colour) for y in range(10)) == 4


@pytest.mark.parametrize(
    ("part", "whole", "tone", "said"),
    [
        (41, 100, "", "41.0 %"),
        (0, 0, "", "how much is left is unknown"),
        (92, 100, "warning", "92.0 %, near its limit"),
        (30, 100, "paused", "30.0 %, paused"),
    ],
)
def test_a_bar_says_its_state(qtbot, theme, part, whole, tone, said):
    made = ProgressBar(theme, "Writing tests")
    qtbot.addWidget(made)
    made.show_progress(part, whole)
    made.set_tone(tone)
    assert made.accessibleName() == "Writing tests"
    assert made.accessibleDescription() == said
    assert made.height() == 4


@pytest.fixture
def spinner(qtbot, theme):
    window = QWidget()
    qtbot.addWidget(window)
    layout = QVBoxLayout(window)
    made = Spinner(theme)
    layout.addWidget(made)
    window.show()
    qtbot.waitExposed(window)
    return window, made


def test_a_ring_turns_only_while_it_is_seen(qtbot, moving, spinner):
    window, made = spinner
    angles = set()
    made.turning._timer.timeout.connect(lambda: angles.add(painting.angle()))
    qtbot.waitUntil(lambda: len(angles) > 3)
    window.hide()
    qtbot.waitUntil(lambda: not made.turning.moving)
    window.show()
    qtbot.waitUntil(lambda: made.turning.moving)


def test_with_reduced_motion_the_ring_stands_still(qtbot, still, spinner):
    _, made = spinner
    made.repaint()
    assert painting.angle() == 0
    assert not made.turning.moving


def test_only_a_list_with_a_ring_repaints_and_only_the_ring(qtbot, moving, theme):
    model = RowModel(lambda row: row, key=lambda row: row.title)
    view = RowList(theme, model, "Runs")
    qtbot.addWidget(view)
    view.resize(300, 200)
    view.show()
    qtbot.waitExposed(view)
    done = [Row("circle-check", "success", "a"), Row("circle-check", "success", "b")]
    model.fill([done[0], Row("ring-arc", "accent-text", "b")])
    qtbot.waitUntil(lambda: view._turning.moving)
    assert all(QRect(0, 56, 60, 56).contains(place) for place in view._turning._places)
    model.fill(done)
    qtbot.waitUntil(lambda: not view._turning.moving)


STATES_OF_STEPS = ["done", "now", "refused", "open", "open"]


def test_pips_differ_by_shape(theme, canvas):
    made = canvas(130, 10)
    made.paint(lambda painter: paint_steps(painter, made.rect, theme, STATES_OF_STEPS))
    boxes = [QRect(n * 24, 0, 20, 10) for n in range(5)]
    solid = [
        made.count(theme.colour(token), box)
        for token, box in zip(["success", "series-1", "warning"], boxes, strict=False)
    ]
    assert solid[0] > 90
    assert 40 < solid[1] < 80
    assert 10 < solid[2] < 70
    assert made.colour(48 + 10, 5) == theme.colour("warning").name()
    assert made.colour(72 + 10, 5) == "#ffffff"
    assert made.image.copy(boxes[3]) == made.image.copy(boxes[4])


def test_pips_shrink_into_a_narrow_cell(theme, canvas):
    made = canvas(80, 10)
    made.paint(lambda painter: paint_steps(painter, QRect(0, 0, 60, 10), theme, ["done"] * 5))
    assert made.has(theme.colour("success"), QRect(45, 0, 15, 10))
    assert not made.has(theme.colour("success"), QRect(61, 0, 19, 10))


def test_steps_are_words(qtbot, theme):
    made = Steps(theme)
    qtbot.addWidget(made)
    made.show_steps([["written", "done"], ["built", "now"], ["stable", "open"], ["gain", "open"]])
    assert made.accessibleName() == "written done, built now, 2 open"
    assert made.toolTip() == made.accessibleName()


STOPS = [
    Stop("intake", "Snapshot", "done", "e07b4d2, 2 files as patch", "0:02"),
    Stop("generate", "Write and run", "now", "6 of 18 targets done", "5:24"),
    Stop("seal", "Seal", "next"),
]


@pytest.fixture
def timeline(qtbot, theme):
    made = Timeline(theme, "Stages")
    qtbot.addWidget(made)
    made.resize(240, 300)
    made.fill(STOPS)
    made.show()
    qtbot.waitExposed(made)
    return made


def test_stops_are_spoken(timeline):
    spoken = [timeline.stops.index(n, 0).data(Qt.ItemDataRole.AccessibleTextRole) for n in range(3)]
    assert spoken == [
        "Snapshot, done, e07b4d2, 2 files as patch, 0:02",
        "Write and run, running, 6 of 18 targets done, 5:24",
        "Seal, not yet",
    ]


def test_a_line_joins_stops_but_not_below_the_last(timeline, grab, theme):
    picture = grab(timeline.viewport())
    line = theme.colour("border-strong").name()
    assert picture.colour(24, 40) == line
    assert picture.colour(24, 96) == line
    assert line not in {picture.colour(24, y) for y in range(136, 168)}


def test_progress_of_one_stop_changes_its_row_alone(timeline):
    changed = []
    timeline.stops.dataChanged.connect(lambda first, last, *_: changed.append((first.row(), last.row())))
    timeline.fill([STOPS[0], Stop("generate", "Write and run", "now", "7 of 18 targets done", "5:30"), STOPS[2]])
    assert changed == [(1, 1)]


def test_a_timeline_turns_while_something_runs(qtbot, moving, timeline):
    qtbot.waitUntil(lambda: timeline.turning.moving)
    timeline.fill([Stop(stop.key, stop.title, "done") for stop in STOPS])
    qtbot.waitUntil(lambda: not timeline.turning.moving)


@pytest.mark.parametrize("state", STATES)
def test_every_state_has_its_own_shape_and_word(state):
    others = [look for name, look in STATES.items() if name != state]
    assert STATES[state].icon not in {look.icon for look in others}
    assert STATES[state].text() not in {look.text() for look in others}


def test_all_words_of_a_stop_are_in_its_row(timeline):
    assert timeline.indexAt(QPoint(30, 20)).data() == "Snapshot"
    assert timeline.sizeHint().height() == 3 * 56
