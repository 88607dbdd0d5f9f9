import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.line_states import COVERED, MISSED, PARTIAL, LineState
from qverify_desktop.ui.widgets.overview import DEFECT, KILLED, SURVIVED, Mark, OverviewStrip
from tests.ui.widgets.code_samples import long_source

pytestmark = pytest.mark.ui


@pytest.fixture
def pair(qtbot, theme):
    view = CodeView(theme)
    strip = OverviewStrip(theme, view)
    for one in (view, strip):
        qtbot.addWidget(one)
    view.resize(500, 400)
    strip.resize(strip.sizeHint().width(), 400)
    view.show_code(long_source(1000), "python")
    view.show_coverage(
        {100: LineState(PARTIAL), 101: LineState(COVERED), 300: LineState(MISSED), 301: LineState(MISSED)}
    )
    strip.show_marks([Mark(500, SURVIVED), Mark(600, KILLED), Mark(900, DEFECT, "Line 900: round() is off by one.")])
    view.show()
    strip.show()
    return view, strip


def y_of(strip, line):
    return next(y for y in range(strip.height()) if (mark := strip.mark_at(y)) and mark.line == line) + 2


def test_it_tells_what_is_marked(pair):
    _, strip = pair
    words = "1 suspected defect, 1 surviving mutant, 2 missed lines, 1 partial line, 1 killed mutant"
    assert strip.accessibleDescription() == words


def test_each_kind_has_its_colour_and_its_shape(pair, theme):
    _, strip = pair
    image = strip.grab().toImage()
    shapes = {}
    for line, token in ((100, PARTIAL), (300, MISSED), (500, SURVIVED), (600, KILLED), (900, "danger")):
        middle, colour = y_of(strip, line) + 2, theme.colour(token).name()
        shapes[token] = frozenset(
            (x, y - middle)
            for x in range(strip.width())
            for y in range(middle - 6, middle + 7)
            if image.pixelColor(x, y).name() == colour
        )
        assert shapes[token], token
    assert len(set(shapes.values())) == 5


@pytest.mark.parametrize("line", [100, 300, 500, 600, 900])
def test_a_click_jumps_to_the_mark(pair, qtbot, line):
    view, strip = pair
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(8, y_of(strip, line) + 1))
    assert view.current_line == line
    assert line in dict(view.rows_on_screen())


def test_a_click_elsewhere_goes_to_that_part(pair, qtbot):
    view, strip = pair
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(8, 300))
    assert 740 < view.current_line < 780
    qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(8, 399))
    assert view.current_line == 1000


def test_resting_on_a_mark_tells_it(pair):
    _, strip = pair
    for line, words in (
        (100, "Line 100: partial, a branch is not taken."),
        (900, "Line 900: round() is off by one."),
    ):
        place = QPoint(8, y_of(strip, line) + 1)
        QApplication.sendEvent(strip, QHelpEvent(QEvent.Type.ToolTip, place, strip.mapToGlobal(place)))
        assert QToolTip.text() == words
    QToolTip.hideText()


def test_marks_of_a_short_file_stand_beside_their_lines(qtbot, theme):
    view = CodeView(theme)
    strip = OverviewStrip(theme, view)
    for one in (view, strip):
        qtbot.addWidget(one)
        one.resize(300, 400)
    view.show_code("a\nb\nc\nd\n")
    view.show_coverage({3: LineState(MISSED)})
    top = dict(view.rows_on_screen())[3]
    assert strip.mark_at(top + view.row_height // 2) == Mark(3, MISSED)
    assert strip.mark_at(390) is None


def test_marks_outside_of_the_text_are_left_out(pair):
    view, strip = pair
    strip.show_marks([Mark(5000, DEFECT), Mark(0, DEFECT)])
    assert {mark.line for mark in strip.marks} == {100, 300, 301}
    view.show_code("x = 1")
    assert strip.marks == ()
    assert strip.accessibleDescription() == "Nothing is marked."
