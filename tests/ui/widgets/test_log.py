import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from qverify_desktop.ui.widgets.log import MOST_COPIED, LogView
from qverify_desktop.ui.widgets.log_model import KEPT, PAGE, clock

pytestmark = pytest.mark.ui

ROLE = Qt.ItemDataRole.AccessibleTextRole


def line(place, text=""):
    words = text or ("sandbox 7f21 exit 0" if place % 100 == 7 else f"line {place} is judged")
    return {"number": place + 1, "at_ms": place * 1370, "stage": "judge", "text": words}


class Engine:
    """A log of so many lines; it answers when it is told to, as an engine would through the loop."""

    def __init__(self, total):
        self.total = total
        self.asked = []
        self.at_most = PAGE

    def fetch(self, start, limit):
        self.asked.append((start, limit))

    def answer(self, view):
        """Answer everything that was asked for; answers whether anything was."""
        asked, self.asked = self.asked, []
        for start, limit in asked:
            end = min(self.total, start + min(limit, self.at_most))
            view.show_page(
                {"total": self.total, "start": start, "lines": [line(place) for place in range(start, end)]}
            )
        return bool(asked)


@pytest.fixture
def make(qtbot, theme):
    def made(total, answer=None, **how):
        engine = Engine(total)
        view = LogView(theme, engine.fetch, answer)
        qtbot.addWidget(view)
        view.resize(700, 400)
        view.show()
        qtbot.waitExposed(view)
        view.show_log(total, **how)
        return engine, view

    return made


def settle(qtbot, engine, view, shown):
    """Let pages come until ``shown()``."""

    def done():
        engine.answer(view)
        return shown()

    qtbot.waitUntil(done)


def text_of(view, row):
    return view.model.index(row, 0).data(ROLE)


@pytest.mark.parametrize(
    ("ms", "told"),
    [(0, "0:00.000"), (369_310, "6:09.310"), (61_002, "1:01.002"), (7_200_000, "120:00.000"), (-5, "0:00.000")],
)
def test_time_as_minutes_seconds_and_milliseconds(ms, told):
    assert clock(ms) == told


def test_only_what_is_in_view_is_asked_for(make, qtbot):
    engine, view = make(1_000_000)
    settle(qtbot, engine, view, lambda: view.model.line_at(0) is not None)
    assert text_of(view, 0) == "1, 0:00.000, judge, line 0 is judged"
    assert view.model.rowCount() == 1_000_000
    view.table.choose(700_000)
    settle(qtbot, engine, view, lambda: view.model.line_at(700_000) is not None)
    assert view.model.line_at(300_000) is None
    assert text_of(view, 300_000) == "Line 300,001 is being read."


def test_pages_that_are_not_looked_at_are_forgotten(make, qtbot):
    _, view = make(1_000_000)
    for page in range(KEPT + 5):
        start = page * PAGE
        view.show_page({"total": 1_000_000, "start": start, "lines": [line(at) for at in range(start, start + PAGE)]})
    assert view.model.line_at(0) is not None, "it is in view"
    assert view.model.line_at(PAGE) is None
    assert view.model.line_at((KEPT + 4) * PAGE) is not None


def test_an_engine_that_answers_less_is_asked_for_the_rest(make, qtbot):
    engine, view = make(450)
    engine.at_most = 100
    settle(qtbot, engine, view, lambda: view.model.complete)
    assert view.model.line_at(449) is not None


def test_a_page_that_failed_is_asked_for_again_when_one_looks(make, qtbot):
    engine, view = make(5000)
    qtbot.waitUntil(lambda: bool(engine.asked))
    for start, _ in engine.asked:
        view.fetch_failed(start)
    engine.asked.clear()
    view.table.verticalScrollBar().setValue(40)
    settle(qtbot, engine, view, lambda: view.model.line_at(0) is not None)


def test_following_ends_when_one_scrolls_up_and_begins_again_at_the_end(make, qtbot):
    engine, view = make(300, follow=True)
    settle(qtbot, engine, view, lambda: view.model.complete)
    bar = view.table.verticalScrollBar()
    assert view.follow.isChecked() and bar.value() == bar.maximum()
    view.append([line(place) for place in range(300, 320)])
    qtbot.waitUntil(lambda: view.model.rowCount() == 320)
    assert bar.value() == bar.maximum()
    view.table.setFocus()
    view.table.choose(100)
    assert not view.follow.isChecked()
    held = bar.value()
    view.append([line(320)])
    qtbot.waitUntil(lambda: view.model.rowCount() == 321)
    assert bar.value() == held
    qtbot.mouseClick(view.follow, Qt.MouseButton.LeftButton)
    assert view.follow.isChecked() and bar.value() == bar.maximum()
    view.table.verticalScrollBar().setValue(0)
    assert not view.follow.isChecked()
    bar.setValue(bar.maximum())
    assert view.follow.isChecked()


def test_keys_go_on_from_what_is_seen(make, qtbot):
    _, view = make(100_000, follow=True)
    view.table.setFocus()
    first, last = view.table.rows_in_view()
    assert last == 99_999
    qtbot.keyClick(view.table, Qt.Key.Key_PageUp)
    assert first - 30 < view.table.currentIndex().row() < first
    assert not view.table.following
    view.table.verticalScrollBar().setValue(view.table.row_height * 5000)
    qtbot.keyClick(view.table, Qt.Key.Key_Down)
    assert 5000 < view.table.currentIndex().row() < 5100
    qtbot.keyClick(view.table, Qt.Key.Key_End)
    assert view.table.following


def test_live_lines_come_at_the_tick_all_together(make, qtbot):
    _, view = make(0, follow=True)
    inserted = []
    view.model.rowsInserted.connect(lambda parent, first, last: inserted.append((first, last)))
    for place in range(1000):
        view.append([line(place)])
    assert view.model.rowCount() == 0
    qtbot.waitUntil(lambda: view.model.rowCount() == 1000)
    assert inserted == [(0, 999)]


def test_a_live_line_that_was_read_already_is_no_second_one(make, qtbot):
    engine, view = make(20)
    settle(qtbot, engine, view, lambda: view.model.complete)
    view.append([line(18), line(19), line(20)])
    view.flush()
    assert view.model.rowCount() == 21
    assert [view.model.line_at(row)["number"] for row in (18, 19, 20)] == [19, 20, 21]


def test_the_search_looks_at_known_lines_and_says_that_there_may_be_more(make, qtbot):
    engine, view = make(100_000)
    settle(qtbot, engine, view, lambda: view.model.line_at(0) is not None)
    told = []
    view.found.connect(lambda at, total: told.append((at, total)))
    view.field.setText("SANDBOX")
    view.field.apply()
    qtbot.waitUntil(lambda: bool(told))
    assert told[-1][0] == 1
    assert view.table.currentIndex().row() == 7
    assert view.field.accessibleDescription().endswith("+")
    view.search_next()
    assert view.table.currentIndex().row() == 107
    view.search_previous()
    view.search_previous()
    assert view.table.currentIndex().row() % 100 == 7 and view.table.currentIndex().row() > 107


def test_the_caller_may_know_the_whole_log(make, qtbot):
    asked = []
    engine, view = make(1_000_000, asked.append)
    view.search("sandbox")
    assert asked == ["sandbox"]
    view.show_hits("another", [5])
    assert view.table.currentIndex().row() < 0
    view.show_hits("sandbox", [900_007, 7, 500_007])
    assert view.table.currentIndex().row() == 7
    view.search_previous()
    assert view.table.currentIndex().row() == 900_007
    settle(qtbot, engine, view, lambda: view.model.line_at(900_007) is not None)
    view.search("")
    assert view.field.accessibleDescription() == ""


def test_new_lines_are_searched_as_they_come(make, qtbot):
    _, view = make(0, follow=True)
    view.field.setText("needle")
    view.field.apply()
    qtbot.waitUntil(lambda: view.field.accessibleDescription() == "nothing found")
    view.append([line(0, "no"), line(1, "a needle")])
    view.flush()
    assert view.field.accessibleDescription() == "0 of 1"


def test_hits_are_marked(make, qtbot, theme):
    engine, view = make(50)
    settle(qtbot, engine, view, lambda: view.model.complete)
    mark = theme.colour("match-bg").name()

    def marked():
        image = view.table.viewport().grab().toImage()
        return any(
            image.pixelColor(x, y).name() == mark
            for y in range(3, image.height(), 10)
            for x in range(0, image.width(), 3)
        )

    assert not marked()
    view.search("is judged")
    qtbot.waitUntil(marked)


def test_selected_lines_are_copied(make, qtbot):
    engine, view = make(50)
    settle(qtbot, engine, view, lambda: view.model.complete)
    view.table.setFocus()
    view.table.choose(3)
    qtbot.keyClick(view.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    with qtbot.waitSignal(view.copied) as done:
        qtbot.keyClick(view.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    assert done.args == [2]
    expected = "0:04.110 judge line 3 is judged\n0:05.480 judge line 4 is judged"
    assert QGuiApplication.clipboard().text() == expected


def test_lines_that_are_not_known_are_read_before_they_are_copied(make, qtbot):
    engine, view = make(4000)
    view.table.selectAll()
    done = []
    view.copied.connect(done.append)
    qtbot.mouseClick(view.copy, Qt.MouseButton.LeftButton)
    assert not done
    settle(qtbot, engine, view, lambda: bool(done))
    copied = QGuiApplication.clipboard().text().split("\n")
    assert len(copied) == 4000
    assert copied[3999].endswith("line 3999 is judged")


@pytest.mark.parametrize(("total", "words"), [(1_000_000, "too many"), (0, "No line is selected")])
def test_what_cannot_be_copied_is_said(make, qtbot, total, words):
    _, view = make(total)
    view.table.selectAll()
    with qtbot.waitSignal(view.refused) as said:
        view.copy_selected()
    assert words in said.args[0]
    assert MOST_COPIED == 20_000


def test_hostile_lines_stay_one_line(make, qtbot):
    _, view = make(0)
    view.append([line(0, "\x1b[31m\u202ered\nnext <b>x</b> " + "y" * 10_000)])
    view.flush()
    told = text_of(view, 0)
    assert "\\x1b[31m\\u202ered\\nnext <b>x</b>" in told
    assert len(told) < 2200
    view.table.viewport().grab()


def test_a_narrow_view_keeps_room_for_the_text(make, qtbot):
    _, view = make(10)
    lefts = []
    for width in (1200, 440, 330):
        view.resize(width, 300)
        lefts.append(view.table.lines.text_left())
        assert lefts[-1] < view.table.viewport().width() * 0.6
    assert lefts[0] > lefts[1] > lefts[2]


def test_an_empty_log_says_so_and_every_control_has_a_name(make, qtbot):
    _, view = make(0)
    view.table.viewport().grab()
    for control in (view.table, view.field, view.follow, view.copy):
        assert control.accessibleName()
    assert view.focusProxy() is view.table


def test_sideways_scrolling_keeps_the_numbers_in_place(make, qtbot, theme):
    _, view = make(0)
    view.append([line(0, "x" * 400)])
    view.flush()
    QApplication.processEvents()
    width = view.table.lines.text_left()

    def left():
        return view.table.viewport().grab().toImage().copy(0, 0, width - 4, 20)

    before = left()
    view.table.horizontalScrollBar().setValue(300)
    assert view.table.horizontalScrollBar().value() == 300
    assert left() == before
