"""The trend of a repository: where its values stand, what it says, how the keyboard and the mouse walk through it."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from qverify_desktop.ui.widgets.trend_chart import Point, TrendChart

pytestmark = pytest.mark.ui


@pytest.fixture
def chart(make, qtbot):
    def build(*values, series=("Lines", "Mutants")):
        _, desk = make({})
        made = TrendChart(desk.theme, "Measures")
        qtbot.addWidget(made)
        made.resize(600, 168)
        made.show_points([Point(f"d{at}", f"day {at}", one) for at, one in enumerate(values)], series)
        made.show()
        return made

    return build


def test_more_stands_higher_and_later_further_right(chart):
    made = chart((600, 400), (700, 450), (650, None))
    first, second = made.place_of(0, 0), made.place_of(1, 0)
    assert first.x() < second.x() < made.place_of(2, 0).x()
    assert second.y() < made.place_of(2, 0).y() < first.y() < made.place_of(0, 1).y()
    assert made.place_of(2, 1) is None


def test_noise_stays_flat(chart):
    made = chart((880,), (886,), series=("Lines",))
    assert abs(made.place_of(0, 0).y() - made.place_of(1, 0).y()) < 10


@pytest.mark.parametrize("values", [[(0, 0)], [(1000, 1000), (1000, 1000)], [(None, None)], [(0, 1000), (1000, 0)]])
def test_every_value_stands_within_the_chart(chart, qtbot, values):
    made = chart(*values)
    made.grab()
    places = [made.place_of(at, series) for at in range(len(values)) for series in (0, 1)]
    assert all(place is None or made.rect().contains(place.toPoint()) for place in places)


def test_its_values_are_spoken(chart):
    made = chart((600, None), (886, 813))
    assert made.accessibleDescription() == (
        "day 0: Lines 60.0 %, Mutants unknown; day 1: Lines 88.6 %, Mutants 81.3 %"
    )
    assert chart().accessibleDescription() == "nothing to show"


def test_keys_and_presses_point_at_a_run(chart, qtbot):
    made = chart((600, 400), (700, 450), (650, 420))
    pointed = []
    made.pointed.connect(pointed.append)
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_End):
        qtbot.keyClick(made, key)
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton, pos=QPoint(round(made.place_of(1, 0).x()) + 20, 80))
    assert pointed == [2, 1, 0, 1, 2, 1]


def test_an_empty_one_takes_no_key(chart, qtbot):
    made = chart()
    pointed = []
    made.pointed.connect(pointed.append)
    qtbot.keyClick(made, Qt.Key.Key_Left)
    qtbot.mouseClick(made, Qt.MouseButton.LeftButton)
    made.grab()
    assert pointed == []


def test_series_differ_without_their_colour(chart):
    """The same values drawn as the first and as the second series are not the same picture in grey."""
    inked = []
    for values in (((600, None), (700, None)), ((None, 600), (None, 700))):
        image = chart(*values).grab().toImage().convertToFormat(QImage.Format.Format_Grayscale8)
        inked.append(sum(image.pixelColor(x, y).lightness() < 200 for x in range(80, 560) for y in range(40, 136)))
    assert inked[1] < inked[0] * 0.85, "the second one is dashed"
