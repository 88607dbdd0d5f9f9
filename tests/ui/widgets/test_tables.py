"""Tables: columns, order by header, widths, painted cells, keyboard, tooltips."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QHelpEvent
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QToolTip

from qverify_desktop.ui.widgets.filter_field import Filter
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

pytestmark = pytest.mark.ui
VALUES = [
    {"id": "a", "name": "tidydate", "path": "~/code/tidydate", "kept": 41},
    {"id": "b", "name": "ledger", "path": "~/code/very/long/way/to/the/folder/of/ledger", "kept": 112},
    {"id": "c", "name": "orderflow", "path": "~/work/orderflow", "kept": None},
    {"id": "d", "name": "geo", "path": "~/work/geo", "kept": 41},
]


def columns():
    return [
        Column("Name", lambda v: v["name"], sort_key=lambda v: v["name"], detail=lambda v: v["path"], stretch=1),
        Column("Path", lambda v: v["path"], path=True, width=120, from_width=500),
        Column(
            "Verdict",
            lambda v: "kept" if v["kept"] else "unknown",
            icon=lambda v: ("circle-check", "success"),
            width=100,
        ),
        Column(
            "Kept",
            lambda v: "" if v["kept"] is None else f"{v['kept']:,}",
            sort_key=lambda v: v["kept"],
            right=True,
            width=60,
        ),
    ]


@pytest.fixture
def table(qtbot, theme):
    def build(made=None, width=700, **how):
        model = TableModel(made or columns(), key=lambda v: v["id"])
        model.tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
        model.fill(VALUES)
        view = Table(theme, model, "Repositories", **how)
        qtbot.addWidget(view)
        view.resize(width, 320)
        view.show()
        qtbot.waitExposed(view)
        return view

    return build


def order(view):
    return "".join(value["id"] for value in view.rows.shown)


def click_header(qtbot, view, column):
    header = view.horizontalHeader()
    x = header.sectionViewportPosition(column) + header.sectionSize(column) // 2
    qtbot.mouseClick(header.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, header.height() // 2))


def test_a_header_sorts_up_down_and_back(qtbot, table):
    view = table()
    click_header(qtbot, view, 3)
    assert order(view) == "adbc"
    click_header(qtbot, view, 3)
    assert order(view) == "badc"
    click_header(qtbot, view, 3)
    assert order(view) == "abcd"


def test_a_column_without_a_key_keeps_the_order_of_filling(qtbot, table):
    view = table()
    click_header(qtbot, view, 2)
    assert order(view) == "abcd"


def test_the_chosen_row_stays_chosen_when_it_moves(qtbot, table):
    view = table()
    told = []
    view.choose("d")
    view.chosen.connect(told.append)
    view.sortByColumn(0, Qt.SortOrder.AscendingOrder)
    view.rows.set_filter(Filter.parse("geo"))
    view.rows.set_filter(Filter())
    assert view.value()["id"] == "d"
    assert [index.row() for index in view.selectionModel().selectedRows()] == [0]
    assert all(value["id"] == "d" for value in told)


def test_keyboard(qtbot, table):
    view = table()
    opened = []
    view.opened.connect(lambda value: opened.append(value["id"]))
    view.choose("a")
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_End)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Enter)
    assert opened == ["b", "d", "a"]


def test_moving_within_a_row_chooses_nothing_new(qtbot, table):
    view = table()
    view.choose("a")
    told = []
    view.chosen.connect(told.append)
    qtbot.keyClick(view, Qt.Key.Key_Right)
    assert told == []


@pytest.mark.parametrize("width", [360, 480, 700, 1400])
def test_columns_fill_the_width_without_a_scroll_bar(table, width):
    view = table(width=width)
    shown = [n for n in range(4) if not view.isColumnHidden(n)]
    assert sum(view.columnWidth(n) for n in shown) == view.viewport().width()
    assert (1 in shown) is (width >= 510)
    assert view.columnWidth(3) == 60


def test_a_table_that_gets_narrower_hides_and_shows_columns(qtbot, table):
    view = table(width=700)
    view.resize(400, 320)
    assert view.isColumnHidden(1)
    view.resize(700, 320)
    assert not view.isColumnHidden(1)


@pytest.mark.parametrize(("height", "pixels"), [("default", 28), (32, 32), ("rich", 56)])
def test_row_heights(table, height, pixels):
    view = table(height=height)
    assert view.rowHeight(0) == pixels
    assert view.horizontalHeader().height() == 28
    assert view.height_of_all() == 28 + 4 * pixels + 2 * view.frameWidth()


def test_a_filter_looks_into_every_column_and_second_lines(table):
    view = table()
    view.rows.set_filter(Filter.parse("work unknown"))
    assert order(view) == "c"


def test_a_column_may_stay_out_of_the_filter(table):
    made = [Column("Name", lambda v: v["name"]), Column("Secret", lambda v: v["path"], searched=False)]
    view = table(made)
    view.rows.set_filter(Filter.parse("work"))
    assert order(view) == ""


def test_cells_paint_what_they_like_and_are_still_spoken(table, grab, theme):
    rects = []

    def paint(painter, rect, value, given):
        rects.append(QRect(rect))
        painter.fillRect(rect, given.colour("accent"))

    view = table([Column("Trend", lambda v: f"rising, {v['name']}", paint=paint, width=200), *columns()])
    made = grab(view)
    assert len(rects) >= 4
    assert made.has(theme.colour("accent"), QRect(20, 40, 20, 10))
    assert view.rows.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "rising, tidydate"


def test_cells_are_spoken_with_their_second_line(table):
    view = table()
    interface = QAccessible.queryAccessibleInterface(view)
    names = {interface.child(n).text(QAccessible.Text.Name) for n in range(interface.childCount())}
    assert {"Name", "Kept", "tidydate, ~/code/tidydate", "112"} <= names


def hint(qtbot, view, row, column):
    QToolTip.hideText()
    qtbot.waitUntil(lambda: not QToolTip.isVisible())
    position = view.visualRect(view.rows.index(row, column)).center()
    event = QHelpEvent(QHelpEvent.Type.ToolTip, position, view.viewport().mapToGlobal(position))
    view.viewportEvent(event)
    return QToolTip.text() if QToolTip.isVisible() else ""


def test_a_cut_path_shows_itself_in_a_tooltip(qtbot, table):
    view = table()
    assert hint(qtbot, view, 1, 1) == VALUES[1]["path"]
    assert hint(qtbot, view, 3, 1) == ""


def test_hovering_lights_the_whole_row(qtbot, table, grab, theme):
    view = table()
    row = view.visualRect(view.rows.index(2, 0))
    qtbot.mouseMove(view.viewport(), QPoint(5, row.center().y()))
    assert view.hovered_row == 2
    picture = grab(view.viewport())
    hover = theme.colour("surface-hover").name()
    assert picture.colour(3, row.center().y()) == hover
    assert picture.colour(view.viewport().width() - 3, row.center().y()) == hover
    assert picture.colour(3, row.top() - 10) != hover


def test_numerals_are_right_aligned_and_tabular(table, theme):
    view = table()
    align = view.rows.headerData(3, Qt.Orientation.Horizontal, Qt.ItemDataRole.TextAlignmentRole)
    assert align & Qt.AlignmentFlag.AlignRight
    widths = {theme.metrics("body").horizontalAdvance(digit * 8) for digit in "0123456789"}
    assert len(widths) == 1


def test_the_focus_ring_is_around_the_current_row(qtbot, table, grab, theme):
    view = table()
    view.choose("b")
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    picture = grab(view.viewport())
    row = view.visualRect(view.currentIndex())
    ring = theme.colour("focus-ring").name()
    assert picture.colour(0, row.center().y()) == ring
    assert picture.colour(view.viewport().width() - 1, row.center().y()) == ring
