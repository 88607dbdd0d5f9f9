import gc
import weakref

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QContextMenuEvent, QGuiApplication, QHelpEvent, QMouseEvent, QTextCursor, QWheelEvent
from PySide6.QtWidgets import QApplication, QMenu, QToolTip

from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.code import CodeView
from qverify_desktop.ui.widgets.code_ground import Range
from qverify_desktop.ui.widgets.find_field import FindField
from qverify_desktop.ui.widgets.line_states import COVERED, MISSED, PARTIAL, LineState, coverage_of, gaps_of
from qverify_desktop.ui.widgets.linked import link_scrolling
from tests.ui.widgets.code_samples import COVERAGE, FIRST, SOURCE, long_source

pytestmark = pytest.mark.ui


@pytest.fixture
def view(qtbot, theme):
    made = CodeView(theme, "Before")
    qtbot.addWidget(made)
    made.resize(600, 640)
    made.show_code(SOURCE, "python", FIRST, "tidydate/offset.py")
    made.show_coverage(COVERAGE)
    made.show()
    qtbot.waitExposed(made)
    return made


def picture(widget):
    QApplication.processEvents()
    return widget.grab().toImage()


def colours_in(image, rect):
    return {
        image.pixelColor(x, y).name()
        for x in range(max(0, rect.left()), rect.right() + 1)
        for y in range(max(0, rect.top()), rect.bottom() + 1)
    }


def row_of(view, line, part):
    """The rectangle of a line in ``part``, the gutter or the viewport, in the view's own coordinates."""
    top = dict(view.rows_on_screen())[line]
    where = part.geometry()
    return where.__class__(where.left(), where.top() + top, where.width(), view.row_height)


def test_every_line_is_as_high_as_the_design_says(view, theme, qapp):
    view.show_code("plain\n中文 🙂 عربى\n\nend\n")
    assert [top for _, top in view.rows_on_screen()] == [8, 28, 48, 68]
    block = view.document().firstBlock()
    while block.isValid() and block.next().isValid():
        assert view.blockBoundingRect(block).height() == 20
        block = block.next()
    theme.apply(qapp, zoom=1.5)
    assert [top for _, top in view.rows_on_screen()] == [12, 42, 72, 102]
    assert view.font().pixelSize() == 18


@pytest.mark.parametrize(
    ("line", "state", "tint"),
    [(48, COVERED, ""), (49, PARTIAL, "partial-bg"), (50, MISSED, "missed-bg"), (56, "", "")],
)
def test_bars_and_tints_of_a_line(view, theme, line, state, tint):
    image = picture(view)
    text = colours_in(image, row_of(view, line, view.viewport()))
    bars = colours_in(image, row_of(view, line, view.gutter))
    tints = {theme.colour(token).name() for token in ("covered-bg", "partial-bg", "missed-bg")}
    assert text & tints == ({theme.colour(tint).name()} if tint else set())
    assert bars & tints == ({theme.colour(tint).name()} if tint else set())
    colours = {theme.colour(token).name() for token in (COVERED, PARTIAL, MISSED)}
    assert bars & colours == ({theme.colour(state).name()} if state else set())


def test_bars_differ_in_shape_not_only_in_colour(view, theme):
    image = picture(view)
    shapes = []
    for line, state in ((48, COVERED), (49, PARTIAL), (50, MISSED)):
        rect, bar = row_of(view, line, view.gutter), theme.colour(state).name()
        shapes.append(
            tuple(
                sum(image.pixelColor(x, y).name() == bar for x in range(rect.left(), rect.right() + 1))
                for y in (rect.top() + 5, rect.top() + 14)
            )
        )
    assert shapes == [(4, 4), (6, 2), (2, 2)]


def test_tooltip_and_screen_reader_say_the_word(view, qtbot):
    view.go_to_line(49)
    assert view.accessibleDescription() == "Line 49: partial, a branch is not taken. 3 tests reach it."
    top = dict(view.rows_on_screen())[50] + 3
    place = QPoint(3, top)
    QApplication.sendEvent(view.gutter, QHelpEvent(QEvent.Type.ToolTip, place, view.gutter.mapToGlobal(place)))
    assert QToolTip.text() == "Line 50: missed, it never runs."
    QToolTip.hideText()
    view.show_coverage({})
    view.go_to_line(50)
    assert view.accessibleDescription() == "Line 50"


def test_the_gutter_is_narrower_without_coverage(view):
    with_bars = view.gutter.width()
    view.show_coverage({})
    assert view.gutter.width() < with_bars
    view.show_code(long_source(2000), "python")
    assert view.gutter.width() > view.fontMetrics().horizontalAdvance("2000")


def test_gaps_are_stretches_and_go_round(view):
    assert gaps_of(COVERAGE) == [49, 61, 65]
    assert [view.next_gap() for _ in range(4)] == [49, 61, 65, 49]
    assert [view.previous_gap() for _ in range(2)] == [65, 61]
    assert view.current_line == 61
    view.show_coverage({41: LineState(COVERED)})
    assert view.next_gap() is None
    assert view.current_line == 61


def test_coverage_of_both_sides():
    lines = [{"line": 3, "before": MISSED, "after": PARTIAL, "tests": 2}]
    assert coverage_of(lines, "before") == {3: LineState(MISSED)}
    assert coverage_of(lines, "after") == {3: LineState(PARTIAL, 2)}


def test_colours_follow_the_theme(view, theme, qapp, qtbot):
    def keyword_shown():
        return theme.colour("syntax-keyword").name() in colours_in(picture(view), row_of(view, 41, view.viewport()))

    assert keyword_shown()
    theme.apply(qapp, "dark")
    assert keyword_shown()
    assert theme.colour("surface-sunken").name() in colours_in(picture(view), row_of(view, 56, view.viewport()))


def test_a_long_file_comes_in_slices_and_keeps_what_was_wanted(qtbot, theme):
    view = CodeView(theme)
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.show()
    view.show_code(long_source(20_000), "python")
    assert view.document().blockCount() < 20_000, "the whole file was put in at once"
    view.go_to_line(19_000)
    qtbot.waitUntil(lambda: view.current_line == 19_000, timeout=20_000)
    assert view.document().blockCount() == 20_000
    assert 19_000 in dict(view.rows_on_screen())
    view.finish()
    keyword = theme.colour("syntax-keyword").name()
    assert keyword in colours_in(picture(view), view.viewport().geometry())


def test_a_new_text_takes_the_place_of_one_that_is_still_coming(qtbot, theme):
    view = CodeView(theme)
    qtbot.addWidget(view)
    view.show_code(long_source(20_000), "python")
    view.show_code("x = 1\n", "python")
    view.finish()
    assert view.toPlainText() == "x = 1"
    assert view.current_line == 1


def test_hostile_text_is_shown_plainly(qtbot, theme):
    view = CodeView(theme)
    qtbot.addWidget(view)
    view.show_code("<b>bold</b>\nif x:\u202e } # \x07\n" + "y" * 300_000 + "\n\U0001f642 \ud800", "python")
    view.show()
    view.finish()
    lines = view.toPlainText().split("\n")
    assert lines[0] == "<b>bold</b>"
    assert lines[1] == "if x:\\u202e } # \\x07"
    assert len(lines[2]) < 2100
    assert lines[3] == "\U0001f642 \\ud800"


def test_the_cursor_is_seen_where_the_keyboard_moves(view, qtbot):
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    for _ in range(2):
        qtbot.keyClick(view, Qt.Key.Key_Down)
    assert view.current_line == 43
    place = view.cursorRect()
    image = picture(view.viewport())
    for x in (place.left(), place.left() + 1):
        assert image.pixelColor(x, place.center().y()).lightness() < 60
    assert image.pixelColor(place.left() + 3, place.center().y()).lightness() > 200
    before = view.toPlainText()
    qtbot.keyClicks(view, "x")
    assert view.toPlainText() == before


def test_the_line_is_told_as_the_cursor_moves(view, qtbot):
    with qtbot.waitSignal(view.line_changed) as told:
        view.go_to_line(60)
    assert told.args == [60]
    view.go_to_line(10_000)
    assert view.current_line == 68
    view.go_to_line(1)
    assert view.current_line == 41


def test_search_counts_and_goes_round(view, qtbot):
    told = []
    view.found.connect(lambda at, total: told.append((at, total)))
    view.search("HOURS")
    assert told[-1] == (1, 8)
    assert view.textCursor().selectedText() == "hours"
    assert view.current_line == 46
    view.search_previous()
    assert told[-1] == (8, 8)
    assert view.current_line == 68
    view.search_next()
    assert told[-1] == (1, 8)
    view.search("no such words")
    assert told[-1] == (0, 0)
    view.search("")
    assert told[-1] == (0, 0)


def test_hits_are_marked_where_they_stand(qtbot, theme):
    view = CodeView(theme)
    qtbot.addWidget(view)
    view.resize(500, 200)
    view.show_code("🙂🙂 aa here\nhere\n")
    view.show()
    view.search("here")
    view.go_to_line(2)
    image = picture(view)
    mark = theme.colour("match-bg").name()
    assert mark in colours_in(image, row_of(view, 1, view.viewport()))
    cursor = QTextCursor(view.document())
    cursor.setPosition(view.document().toPlainText().index("here") + 2)
    view.setTextCursor(cursor)
    left = view.cursorRect().left() + view.viewport().x()
    row = row_of(view, 1, view.viewport())
    assert image.pixelColor(left + 3, row.top() + 1).name() == mark
    assert image.pixelColor(left - 4, row.top() + 1).name() != mark


def test_ranges_are_tinted_and_told(view, theme):
    view.show_ranges(
        [Range(44, 45, "diff-add-bg", "The words that promise it."), Range(53, 53, "match-bg", start=4, end=9)]
    )
    image = picture(view)
    add, hit = theme.colour("diff-add-bg").name(), theme.colour("match-bg").name()
    assert add in colours_in(image, row_of(view, 44, view.viewport()))
    assert add in colours_in(image, row_of(view, 45, view.viewport()))
    assert add not in colours_in(image, row_of(view, 46, view.viewport()))
    row = row_of(view, 53, view.viewport())
    assert hit in colours_in(image, row)
    assert image.pixelColor(row.right() - 2, row.top() + 1).name() != hit
    view.go_to_line(44)
    assert view.accessibleDescription() == "The words that promise it."


def test_copy_with_the_place_of_the_lines(view, qtbot):
    view.select_lines(49, 51)
    assert view.selected_lines() == (49, 51)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    copied = QGuiApplication.clipboard().text().split("\n")
    assert copied[0] == "tidydate/offset.py:49-51"
    assert copied[1:] == SOURCE.split("\n")[8:11]
    view.go_to_line(60)
    view.copy_with_range()
    assert QGuiApplication.clipboard().text().startswith("tidydate/offset.py:60\n    total")


def test_a_selection_that_ends_at_the_start_of_a_line_leaves_it_out(view):
    cursor = view.textCursor()
    cursor.movePosition(QTextCursor.MoveOperation.Start)
    cursor.movePosition(QTextCursor.MoveOperation.Down, QTextCursor.MoveMode.KeepAnchor, 2)
    view.setTextCursor(cursor)
    assert view.selected_lines() == (41, 42)


def test_the_gutter_chooses_lines(view, qtbot):
    tops = dict(view.rows_on_screen())
    qtbot.mousePress(view.gutter, Qt.MouseButton.LeftButton, pos=QPoint(5, tops[50] + 5))
    assert view.selected_lines() == (50, 50)
    place = QPointF(5, tops[48] + 5)
    left = Qt.MouseButton.LeftButton
    move = QMouseEvent(
        QEvent.Type.MouseMove, place, view.gutter.mapToGlobal(place), left, left, Qt.KeyboardModifier(0)
    )
    QApplication.sendEvent(view.gutter, move)
    qtbot.mouseRelease(view.gutter, left, pos=place.toPoint())
    assert view.selected_lines() == (48, 50)
    assert view.current_line == 48


def test_the_menu_opens_without_waiting(view, qtbot):
    view.setFocus()
    QApplication.postEvent(view, _menu_key(view))
    qtbot.waitUntil(lambda: bool(view.findChildren(QMenu)))
    menu = view.findChildren(QMenu)[0]
    assert [action.text().split("\t")[0] for action in menu.actions() if action.text()] == [
        "Copy",
        "Copy lines with their place",
        "Select all",
    ]
    menu.close()


def _menu_key(view):
    return QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), view.mapToGlobal(QPoint(5, 5)))


def test_zooming_with_the_wheel_is_left_to_the_window(view):
    size = view.font().pixelSize()
    event = QWheelEvent(
        QPointF(50, 50),
        QPointF(view.viewport().mapToGlobal(QPoint(50, 50))),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.ControlModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(view.viewport(), event)
    assert view.font().pixelSize() == size


def test_it_can_be_as_high_as_its_text(view, qtbot):
    view.show_code("a = 1\nb = 2\n", "python")
    view.fit_rows(12)
    assert view.height() == 2 * 20 + 2 * 8 + 2
    view.show_code(SOURCE, "python")
    assert view.height() == 12 * 20 + 2 * 8 + 2
    view.fit_rows(0)
    assert view.maximumHeight() > 10_000


def test_two_views_scroll_together(qtbot, theme):
    pair = [CodeView(theme), CodeView(theme)]
    for one, lines in zip(pair, (400, 300), strict=True):
        qtbot.addWidget(one)
        one.resize(300, 300)
        one.show_code(long_source(lines), "python")
        one.show()
    a, b = pair
    link_scrolling(a, b)
    a.verticalScrollBar().setValue(100)
    assert b.verticalScrollBar().value() == 100
    b.verticalScrollBar().setValue(40)
    assert a.verticalScrollBar().value() == 40
    a.verticalScrollBar().setValue(a.verticalScrollBar().maximum())
    assert a.verticalScrollBar().value() == a.verticalScrollBar().maximum()
    assert b.verticalScrollBar().value() == b.verticalScrollBar().maximum()
    a.horizontalScrollBar().setValue(30)
    assert b.horizontalScrollBar().value() == a.horizontalScrollBar().value()


def test_a_field_searches_in_the_view(view, theme, qtbot):
    field = FindField(theme)
    qtbot.addWidget(field)
    field.resize(260, 32)
    field.show()
    field.serve(view)
    field.setFocus()
    qtbot.keyClicks(field, "hours")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.accessibleDescription() == "1 of 8"
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.accessibleDescription() == "2 of 8"
    qtbot.keyClick(field, Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert field.accessibleDescription() == "1 of 8"
    qtbot.keyClicks(field, "xyz")
    qtbot.waitUntil(lambda: field.accessibleDescription() == "nothing found")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert field.text() == "" and field.accessibleDescription() == ""
    with qtbot.waitSignal(field.left):
        qtbot.keyClick(field, Qt.Key.Key_Escape)


def test_a_view_that_is_gone_is_not_kept_by_the_theme(qapp, theme):
    view = CodeView(theme)
    view.show_code(SOURCE, "python")
    gone = weakref.ref(view)
    view.deleteLater()
    del view
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    assert gone() is None
    Theme.apply(theme, qapp, "dark")
