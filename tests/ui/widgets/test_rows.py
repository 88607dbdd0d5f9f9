"""Lists of rows: what is painted and spoken, keyboard, choosing, hostile texts."""

from __future__ import annotations

import dataclasses

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from qverify_desktop.ui.widgets.filter_field import Filter
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.rows import ROW, VALUE, Row, RowDelegate, RowList, RowModel

pytestmark = pytest.mark.ui
ROWS = [
    Row("diamond-alert", "danger", "parse_offset", "confidence 92 %", "parse_offset('+05:30')", badge="Confirmed"),
    Row("circle-check", "success", "iso_week", "confidence 40 %", "iso_week(date)"),
    Row("circle-slash", "text-muted", "easter", "", "gains nothing", muted=True),
]


@pytest.fixture
def shown(qtbot, theme):
    def build(rows=ROWS, **how):
        model = RowModel(lambda row: row, key=lambda row: row.title)
        model.fill(rows)
        view = RowList(theme, model, "Suspected defects", **how)
        qtbot.addWidget(view)
        view.resize(360, 300)
        view.show()
        qtbot.waitExposed(view)
        return view

    return build


def test_enter_opens_and_moving_chooses(qtbot, shown):
    view = shown()
    chosen, opened = [], []
    view.chosen.connect(lambda row: chosen.append(row.title if row else None))
    view.opened.connect(lambda row: opened.append(row.title))
    view.choose_first()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Enter)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert chosen == ["parse_offset", "iso_week", "easter", "parse_offset"]
    assert opened == ["iso_week", "easter"]
    assert view.value().title == "parse_offset"


def test_choosing_by_key(shown):
    view = shown()
    assert view.choose("easter")
    assert view.value() is ROWS[2]
    assert not view.choose("nothing of this name")
    assert view.value() is ROWS[2]


def test_the_chosen_row_survives_filtering_and_new_values(shown):
    view = shown()
    view.choose("iso_week")
    view.rows.set_filter(Filter.parse("week"))
    view.rows.set_filter(Filter())
    view.rows.fill([dataclasses.replace(row, detail="new") for row in reversed(ROWS)])
    assert view.value().title == "iso_week"
    assert view.value().detail == "new"


def test_the_neighbour_of_a_removed_row_is_chosen(shown):
    view = shown()
    view.choose("iso_week")
    told = []
    view.chosen.connect(lambda row: told.append(row and row.title))
    view.rows.fill([ROWS[0], ROWS[2]])
    assert told == ["easter"]
    assert [index.row() for index in view.selectionModel().selectedRows()] == [1]


def test_a_chosen_row_that_a_reset_takes_away_is_told(shown):
    many = [Row("circle-check", "success", f"test_{n}") for n in range(1000)]
    view = shown(many)
    view.choose("test_501")
    told = []
    view.chosen.connect(told.append)
    view.rows.fill(many[::2])
    assert told == [None]
    assert view.value() is None


@pytest.mark.parametrize("words", ["OFFSET", "confirmed", "92", "'+05:30'"])
def test_a_filter_looks_into_all_that_is_shown(shown, words):
    view = shown()
    view.rows.set_filter(Filter.parse(words))
    assert [row.title for row in view.rows.shown] == ["parse_offset"]


def test_rows_are_spoken(shown):
    view = shown()
    model = view.rows
    spoken = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "parse_offset, Confirmed, confidence 92 %, parse_offset('+05:30')"
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.text(QAccessible.Text.Name) == "Suspected defects"
    names = {interface.child(n).text(QAccessible.Text.Name) for n in range(interface.childCount())}
    assert spoken in names


def test_a_row_may_be_spoken_in_other_words():
    row = dataclasses.replace(ROWS[0], spoken="parse_offset contradicts its docstring")
    assert row.words() == "parse_offset contradicts its docstring"


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("a\nb\x1b[31m", "a\\nb\\x1b[31m"),
        ("user‮txt.exe", "user\\u202etxt.exe"),
        ("zero​width", "zero\\u200bwidth"),
        ("\0\r\t", "\\x00\\r\\t"),
        ("<b>bold</b> ünïcode 名前", "<b>bold</b> ünïcode 名前"),
    ],
)
def test_control_characters_stand_as_escapes(hostile, shown):
    assert one_line(hostile) == shown


def test_a_very_long_text_is_cut_before_it_is_laid_out():
    assert len(one_line("x" * 10_000_000)) == 1000


def painted(theme, canvas, row, state=QStyle.StateFlag.State_None, height="rich"):
    model = RowModel(lambda value: value, key=lambda value: value.title)
    model.fill([row])
    delegate = RowDelegate(theme, height)
    option = QStyleOptionViewItem()
    size = delegate.sizeHint(option, model.index(0, 0))
    made = canvas(360, size.height())
    option.rect = QRect(0, 0, 360, size.height())
    option.state = state
    made.paint(lambda painter: delegate.paint(painter, option, model.index(0, 0)))
    return made


def test_states_of_a_row_can_be_told_apart(theme, canvas):
    state = QStyle.StateFlag
    rest = painted(theme, canvas, ROWS[0])
    hovered = painted(theme, canvas, ROWS[0], state.State_MouseOver)
    selected = painted(theme, canvas, ROWS[0], state.State_Selected)
    focused = painted(theme, canvas, ROWS[0], state.State_Selected | state.State_HasFocus)
    corner = [made.colour(3, 28) for made in (rest, hovered, selected, focused)]
    assert corner == ["#ffffff", theme.colour("surface-hover").name(), theme.colour("selection").name(), corner[2]]
    ring = theme.colour("focus-ring").name()
    assert [focused.colour(x, y) for x, y in ((0, 28), (1, 28), (359, 28), (358, 28), (100, 0), (100, 55))] == [
        ring
    ] * 6
    assert selected.colour(0, 28) != ring


def test_a_muted_row_loses_its_status_colour(theme, canvas):
    green = dataclasses.replace(ROWS[1], title="a", detail="b", remark="")
    assert painted(theme, canvas, green).has(theme.colour("success"))
    assert not painted(theme, canvas, dataclasses.replace(green, muted=True)).has(theme.colour("success"))


@pytest.mark.parametrize("zoom", [0.8, 1.0, 1.5, 2.0])
@pytest.mark.parametrize(("height", "pixels"), [("rich", 56), ("default", 28), ("comfortable", 36)])
def test_heights_follow_the_tokens_and_the_zoom(theme, height, pixels, zoom):
    theme.zoom = zoom
    model = RowModel(lambda value: value, key=lambda value: value.title)
    model.fill(ROWS)
    hint = RowDelegate(theme, height).sizeHint(QStyleOptionViewItem(), model.index(0, 0))
    assert hint.height() == round(pixels * zoom)


def test_rows_follow_the_zoom_of_a_view_that_is_open(qapp, shown, theme):
    view = shown()
    theme.apply(qapp, zoom=2.0)
    assert view.rowHeight(0) == 112
    theme.apply(qapp, zoom=1.0)


def test_the_remark_never_takes_more_than_half(theme, canvas):
    row = Row("circle-check", "success", "title", remark="w" * 300)
    made = painted(theme, canvas, row)
    assert not made.has(theme.colour("text-muted"), QRect(48, 8, 140, 20))
    assert made.has(theme.colour("text"), QRect(40, 8, 100, 20))


def test_what_is_below_a_point(shown):
    view = shown()
    index = view.indexAt(view.viewport().rect().center())
    assert index.data(ROW) is index.data(VALUE)
