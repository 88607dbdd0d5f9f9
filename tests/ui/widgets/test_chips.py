"""Filter chips and the segmented control."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible

from qverify_desktop.ui.widgets.chips import Choice, FilterChips, Segmented

pytestmark = pytest.mark.ui
CHOICES = [
    Choice("accepted", "Kept", "circle-check", "success", 41),
    Choice("refused", "Refused", "circle-slash", "text-muted", 23),
    Choice("flaky", "Flaky", "wave", "warning", 2),
]


@pytest.fixture
def chips(qtbot, theme):
    def build(width=600, **how):
        made = FilterChips(theme, "Status", **how)
        made.show_choices(CHOICES, on=frozenset({"accepted"}))
        qtbot.addWidget(made)
        made.resize(width, made.heightForWidth(width))
        made.show()
        qtbot.waitExposed(made)
        return made

    return build


def test_clicks_and_space_switch_chips(qtbot, chips):
    made = chips()
    told = []
    made.changed.connect(told.append)
    qtbot.mouseClick(made.chip("refused"), Qt.MouseButton.LeftButton)
    made.chip("accepted").setFocus()
    qtbot.keyClick(made.chip("accepted"), Qt.Key.Key_Space)
    assert told == [frozenset({"accepted", "refused"}), frozenset({"refused"})]
    assert made.on() == frozenset({"refused"})


def test_new_counts_keep_the_state_and_tell_nothing(chips):
    made = chips()
    told = []
    made.changed.connect(told.append)
    made.show_choices([Choice("accepted", "Kept", count=42), CHOICES[2], Choice("other", "Other", count=1)])
    assert told == []
    assert made.on() == frozenset({"accepted"})
    assert made.chip("accepted").accessibleName() == "Kept 42"
    with pytest.raises(KeyError):
        made.chip("refused")


def test_an_exclusive_group_tells_once(qtbot, chips):
    made = chips(exclusive=True)
    told = []
    made.changed.connect(told.append)
    qtbot.mouseClick(made.chip("flaky"), Qt.MouseButton.LeftButton)
    assert told == [frozenset({"flaky"})]


def test_setting_several_tells_once(chips):
    made = chips()
    told = []
    made.changed.connect(told.append)
    made.set_on(frozenset({"refused", "flaky"}))
    made.set_on(frozenset({"refused", "flaky"}))
    assert told == [frozenset({"refused", "flaky"})]


@pytest.mark.parametrize(("width", "lines"), [(600, 1), (200, 2), (90, 3)])
def test_chips_wrap(chips, width, lines):
    made = chips(width)
    assert made.heightForWidth(width) == lines * 24 + (lines - 1) * 8
    rects = [made.chip(choice.key).geometry() for choice in CHOICES]
    assert all(rect.right() < width for rect in rects)
    assert len({rect.top() for rect in rects}) == lines


def test_a_chip_is_a_checkable_button_for_a_screen_reader(chips):
    made = chips()
    interface = QAccessible.queryAccessibleInterface(made.chip("accepted"))
    assert interface.text(QAccessible.Text.Name) == "Kept 41"
    assert interface.role() == QAccessible.Role.CheckBox or interface.state().checkable
    assert interface.state().checked


def test_on_and_off_look_different(chips, grab, theme):
    made = chips()
    assert grab(made.chip("accepted")).has(theme.colour("selection"))
    assert not grab(made.chip("refused")).has(theme.colour("selection"))


@pytest.fixture
def segmented(qtbot, theme):
    made = Segmented(theme, "Period", [Choice("week", "Week"), Choice("month", "Month"), Choice("all", "All")])
    qtbot.addWidget(made)
    made.resize(made.sizeHint())
    made.show()
    qtbot.waitExposed(made)
    return made


def test_a_segment_is_chosen_by_click_and_arrows(qtbot, segmented):
    told = []
    segmented.changed.connect(told.append)
    assert segmented.chosen() == "week"
    parts = segmented.findChildren(type(segmented.childAt(5, 5)))
    qtbot.mouseClick(parts[1], Qt.MouseButton.LeftButton)
    parts[1].setFocus()
    qtbot.keyClick(parts[1], Qt.Key.Key_Right)
    qtbot.keyClick(parts[2], Qt.Key.Key_Right)
    qtbot.keyClick(parts[0], Qt.Key.Key_Left)
    assert told == ["month", "all", "week", "all"]
    assert segmented.chosen() == "all"


def test_choosing_from_code_tells_nothing(segmented):
    told = []
    segmented.changed.connect(told.append)
    segmented.choose("month")
    assert segmented.chosen() == "month"
    assert told == []
