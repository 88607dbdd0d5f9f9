"""Charts and meters: what stands where, and that the values are words too."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt

from qverify_desktop.ui.widgets.bar_chart import Bar, BarChart, Legend, round_steps
from qverify_desktop.ui.widgets.charts import (
    BeforeAfterBar,
    Sparkline,
    StackedBar,
    paint_before_after,
    paint_sparkline,
    paint_stacked,
    scale,
)
from qverify_desktop.ui.widgets.meter import Meter

pytestmark = pytest.mark.ui


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([600, 605], (542, 662)),
        ([600], (540, 660)),
        ([0, 3], (0, 120)),
        ([1000], (880, 1000)),
        ([100, 900], (100, 900)),
    ],
)
def test_a_trend_spans_at_least_12_points(values, expected):
    assert scale(values) == expected


def heights(theme, canvas, values):
    """Where the trend's line begins and ends, from the top."""
    made = canvas(100, 40)
    made.paint(lambda painter: paint_sparkline(painter, made.rect, theme, values))
    found = []
    for columns in (range(3, 7), range(90, 98)):
        rows = [y for y in range(40) for x in columns if made.colour(x, y) != "#ffffff"]
        found.append(sum(rows) / len(rows))
    return found


def test_noise_stays_flat_and_a_rise_rises(theme, canvas):
    left, right = heights(theme, canvas, [600, 604, 601, 603])
    assert abs(left - right) < 3
    left, right = heights(theme, canvas, [600, 604, 700, 880])
    assert left - right > 20


@pytest.mark.parametrize("values", [[], [None, None]])
def test_no_value_draws_nothing(theme, canvas, values):
    made = canvas(60, 20)
    made.paint(lambda painter: paint_sparkline(painter, made.rect, theme, values))
    assert made.count(made.image.pixelColor(0, 0)) == 60 * 20


def test_the_values_of_a_trend_are_words(qtbot, theme):
    made = Sparkline(theme, "Line coverage")
    qtbot.addWidget(made)
    made.show_values([618, None, 886])
    assert made.accessibleName() == "Line coverage"
    assert made.accessibleDescription() == "3 values, oldest first: 61.8 %, unknown, 88.6 %"


@pytest.mark.parametrize(("before", "after"), [(400, 800), (0, 1000), (1000, 1000), (500, 200)])
def test_a_bar_is_filled_to_after_with_a_tick_at_before(theme, canvas, before, after):
    made = canvas(200, 20)
    made.paint(lambda painter: paint_before_after(painter, made.rect, theme, before, after))
    middle = [made.colour(x, 9) for x in range(200)]
    fill, tick = theme.colour("series-1").name(), theme.colour("text").name()
    above = [x for x in range(200) if made.colour(x, 5) == tick]
    assert abs(sum(above) / len(above) - before / 5) <= 2
    assert abs(max(x for x in range(200) if middle[x] in (fill, tick)) - max(after, before) / 5) <= 2
    if after < before:
        assert middle[(before + after) // 10] == theme.colour("track").name()


def test_an_unknown_measure_draws_only_the_track(theme, canvas):
    made = canvas(200, 20)
    made.paint(lambda painter: paint_before_after(painter, made.rect, theme, None, None))
    assert made.has(theme.colour("track"))
    assert not made.has(theme.colour("series-1"))
    assert not made.has(theme.colour("text"))


def test_both_values_of_a_bar_are_words(qtbot, theme):
    made = BeforeAfterBar(theme, "Branches")
    qtbot.addWidget(made)
    made.show_values(474, 830)
    assert made.accessibleDescription() == "83.0 %, before 47.4 %"
    made.show_values(None, None)
    assert made.accessibleDescription() == "unknown"


PARTS = [(41, "success", "kept"), (1, "danger", "defects"), (0, "warning", "flaky"), (4000, "text-muted", "refused")]


def test_a_small_part_stays_visible_and_none_is_not_drawn(theme, canvas):
    made = canvas(200, 12)
    made.paint(lambda painter: paint_stacked(painter, made.rect, theme, PARTS))
    assert made.has(theme.colour("danger"))
    assert not made.has(theme.colour("warning"))
    assert made.colour(190, 6) == theme.colour("text-muted").name()


def test_parts_are_words(qtbot, theme):
    made = StackedBar(theme, "Tests written")
    qtbot.addWidget(made)
    made.show_parts(PARTS)
    assert made.accessibleDescription() == "41 kept, 1 defects, 0 flaky, 4,000 refused"


@pytest.mark.parametrize(
    ("most", "steps"),
    [
        (0.77, [0, 0.2, 0.4, 0.6, 0.8]),
        (0.8, [0, 0.2, 0.4, 0.6, 0.8]),
        (100, [0, 50, 100]),
        (7, [0, 2, 4, 6, 8]),
        (0, [0, 1]),
        (1_000_000, [0, 500_000, 1_000_000]),
    ],
)
def test_grid_lines_stand_at_round_values(most, steps):
    assert round_steps(most) == pytest.approx(steps)


def told(amount):
    return f"${amount:.2f}" if amount else "free"


@pytest.fixture
def chart(qtbot, theme):
    made = BarChart(theme, "Cost per day", told)
    qtbot.addWidget(made)
    made.resize(600, 200)
    made.show_bars(
        [Bar("1 Nov", (0.4, 0.0)), Bar("", (0.2, 0.2), "2 Nov"), Bar("3 Nov", (0, 0))], ["azure/gpt", "local"]
    )
    made.show()
    qtbot.waitExposed(made)
    return made


def test_bars_of_a_chart_are_words(chart):
    assert chart.accessibleDescription() == (
        "1 Nov: azure/gpt $0.40; 2 Nov: azure/gpt $0.20, local $0.20; 3 Nov: free"
    )


def test_bars_stand_on_the_ground_in_proportion(chart):
    first, second, third = (chart.bar_rect(n) for n in range(3))
    assert first.bottom() == second.bottom()
    assert first.height() == second.height() == 200 - 12 - 24
    assert third.height() == 0
    assert first.width() <= 14


def test_the_second_series_is_hatched_not_only_coloured(chart, grab, theme):
    picture = grab(chart)
    rect = chart.bar_rect(1)
    upper = QRect(rect.left() + 3, rect.top() + 10, 8, 40)
    lower = QRect(rect.left() + 3, rect.bottom() - 50, 8, 40)
    assert picture.count(theme.colour("series-1"), lower) == 8 * 40
    assert 8 * 40 // 12 < picture.count(theme.colour("series-2"), upper) < 8 * 40 // 2


def test_the_keyboard_walks_from_bar_to_bar(qtbot, chart):
    reached = []
    chart.pointed.connect(reached.append)
    chart.setFocus()
    for key in (
        Qt.Key.Key_Right,
        Qt.Key.Key_Right,
        Qt.Key.Key_End,
        Qt.Key.Key_Right,
        Qt.Key.Key_Left,
        Qt.Key.Key_Home,
    ):
        qtbot.keyClick(chart, key)
    assert reached == [0, 1, 2, 2, 1, 0]


def test_an_empty_chart_says_so(qtbot, theme):
    made = BarChart(theme, "Cost per day", told)
    qtbot.addWidget(made)
    made.show_bars([], [])
    made.resize(300, 200)
    made.grab()
    assert made.accessibleDescription() == "nothing to show"
    qtbot.keyClick(made, Qt.Key.Key_Right)


def test_labels_that_would_touch_are_left_out(qtbot, theme, grab):
    made = BarChart(theme, "Cost", told)
    qtbot.addWidget(made)
    made.resize(400, 200)
    made.show_bars([Bar(f"{n} November", (1,)) for n in range(30)], ["a"])
    picture = grab(made)
    ink = [
        any(picture.colour(x, y) == theme.colour("text-muted").name() for y in range(182, 198)) for x in range(400)
    ]
    assert 20 < sum(ink) < 200


def test_a_legend_names_its_series(qtbot, theme):
    made = Legend(theme)
    qtbot.addWidget(made)
    made.show_names(["azure/gpt", "local"])
    assert made.accessibleName() == "Series: azure/gpt, local"


def measure(*parts):
    return dict(zip(("before_part", "before_whole", "after_part", "after_whole"), parts, strict=True))


@pytest.mark.parametrize(
    ("parts", "number", "remark", "change", "tone"),
    [
        ((618, 1000, 886, 1000), "88.6 %", "from 61.8 %", "+268", "success"),
        ((5, 10, 5, 10), "50.0 %", "from 50.0 %", "0", "muted"),
        ((0, 0, 0, 0), "unknown", "", "", "muted"),
        ((96, 230, 187, 240), "77.9 %", "from 41.7 %", "", "muted"),
        ((6, 10, 5, 10), "50.0 %", "from 60.0 %", "−1", "muted"),
    ],
)
def test_a_measure_before_and_after(qtbot, theme, parts, number, remark, change, tone):
    made = Meter(theme, "Lines")
    qtbot.addWidget(made)
    made.show_measure(measure(*parts))
    assert (made.number.text(), made.remark.text(), made.change.text()) == (number, remark, change)
    assert made.change.property("tone") == tone
    assert made.accessibleName().startswith(f"Lines, {number}")
    assert made.progress.isHidden()


def test_a_meter_tells_the_whole(qtbot, theme):
    made = Meter(theme, "Mutants killed")
    qtbot.addWidget(made)
    made.show_measure(measure(96, 230, 187, 230))
    assert made.accessibleName() == "Mutants killed, 81.3 %, from 41.7 %, +91, 187 of 230"
    assert made.toolTip() == "187 of 230"


def test_an_amount_of_what_is_allowed(qtbot, theme):
    made = Meter(theme, "Spent this month")
    qtbot.addWidget(made)
    made.show_amount("$7.35", "of $20.00 you allowed", 735, 2000, "warning")
    assert made.accessibleName() == "Spent this month, $7.35, of $20.00 you allowed"
    assert not made.progress.isHidden()
    assert made.bar.isHidden()
    assert made.progress.tone == "warning"


@pytest.mark.parametrize(("width", "below"), [(280, False), (150, True)])
def test_a_long_remark_goes_below_the_number_of_a_narrow_meter(qtbot, theme, width, below):
    made = Meter(theme, "Spent")
    qtbot.addWidget(made)
    made.show_amount("$1,207.35", "of $20,000.00 you allowed")
    made.resize(width, 120)
    made.show()
    qtbot.waitExposed(made)
    qtbot.waitUntil(lambda: (made.remark.geometry().top() >= made.number.geometry().bottom()) is below)
    words = made.remark.fontMetrics().boundingRect(made.remark.rect(), Qt.TextFlag.TextWordWrap, made.remark.text())
    assert made.remark.rect().contains(words)


def test_a_meter_fits_into_a_quarter_of_a_small_window(qtbot, theme):
    made = Meter(theme, "A caption that a translator made rather long")
    qtbot.addWidget(made)
    made.show_amount("$1,207.35", "of $20,000.00 that you allowed for this month", 1, 2)
    assert made.minimumSizeHint().width() < (960 - 56 - 5 * 16) // 4
