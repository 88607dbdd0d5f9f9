"""The tree: groups, tallies, filter and statuses, what stays open and chosen, and 100,000 tests without holding the loop."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QAbstractItemModelTester

from qverify_desktop.ui.widgets.filter_field import Filter
from qverify_desktop.ui.widgets.tree import PATH, VALUE, Count, Node, Tree, TreeModel
from qverify_desktop.ui.widgets.tree_model import MOST_LEAVES

pytestmark = pytest.mark.ui
MANY = 100_000


def one(file, symbol, name, verdict="accepted"):
    return {"id": f"{file}::{name}", "file": file, "symbol": symbol, "name": name, "verdict": verdict}


TESTS = [
    one("offset.py", "parse", "test_zulu"),
    one("offset.py", "parse", "test_words", "refused"),
    one("offset.py", "format", "test_colon"),
    one("calendar.py", "iso_week", "test_week", "suspected"),
    one("calendar.py", "easter", "test_easter"),
]


def leaf(test):
    return Node(test["name"], "circle-check", "success", (Count("+3 lines"),))


def group(path, tally):
    return Node(path[-1], "file", counts=tuple(Count(f"{n} {word}") for word, n in sorted(tally.items())))


def model_of(tests, path=lambda t: (t["file"], t["symbol"])):
    made = TreeModel(leaf, lambda t: t["id"], path, group, lambda t: t["verdict"])
    made.fill(tests)
    return made


@pytest.fixture
def tree(qtbot, theme):
    def build(tests=TESTS):
        model = model_of(tests)
        model.tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
        view = Tree(theme, model, "Tests")
        qtbot.addWidget(view)
        view.resize(400, 400)
        view.show()
        qtbot.waitExposed(view)
        return view

    return build


def outline(model, parent=None, depth=0):
    """The whole tree as indented text."""
    parent = QModelIndex() if parent is None else parent
    lines = []
    for row in range(model.rowCount(parent)):
        index = model.index(row, 0, parent)
        assert model.parent(index) == parent
        lines.append("  " * depth + index.data())
        lines += outline(model, index, depth + 1)
    return lines


def seen(view):
    """What the view shows from top to bottom."""
    found, index = [], view.rows.index(0, 0)
    while index.isValid():
        found.append(index.data())
        index = view.indexBelow(index)
    return found


def test_groups_stand_in_the_order_of_their_first_test():
    assert outline(model_of(TESTS)) == [
        "offset.py",
        "  parse",
        "    test_zulu",
        "    test_words",
        "  format",
        "    test_colon",
        "calendar.py",
        "  iso_week",
        "    test_week",
        "  easter",
        "    test_easter",
    ]


def test_filter_and_statuses_choose_leaves_and_count_only_them():
    model = model_of(TESTS)
    told = []
    model.arranged.connect(lambda shown, total: told.append((shown, total)))
    model.set_statuses(frozenset({"accepted"}))
    model.set_filter(Filter.parse("offset !colon"))
    assert outline(model) == ["offset.py", "  parse", "    test_zulu"]
    assert told == [(3, 5), (1, 5)]
    spoken = model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole)
    assert spoken == "offset.py, 1 accepted"
    model.set_statuses(None)
    model.set_filter(Filter())
    assert model.index(0, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "offset.py, 2 accepted, 1 refused"


def test_other_groups():
    model = model_of(TESTS)
    model.regroup(lambda t: (t["verdict"],), group)
    assert [line for line in outline(model) if not line.startswith(" ")] == ["accepted", "refused", "suspected"]
    model.regroup(lambda t: (), group)
    assert outline(model) == [t["name"] for t in TESTS]


def test_choosing_a_test_opens_its_groups(tree):
    view = tree()
    assert view.choose("calendar.py::test_week")
    assert view.value() is TESTS[3]
    assert seen(view) == ["offset.py", "calendar.py", "iso_week", "test_week", "easter"]
    assert not view.choose("calendar.py::no_such_test")


def test_the_first_test_is_chosen_once(tree):
    view = tree()
    view.choose_first()
    assert view.value() is TESTS[0]
    view.choose("calendar.py::test_week")
    view.choose_first()
    assert view.value() is TESTS[3]


def test_what_is_open_and_chosen_stays_so_through_a_filter_and_a_new_filling(tree):
    view = tree()
    view.choose("calendar.py::test_week")
    before = seen(view)
    view.rows.set_filter(Filter.parse("week"))
    assert seen(view) == ["calendar.py", "iso_week", "test_week"]
    assert view.value() is TESTS[3]
    view.rows.set_filter(Filter())
    assert seen(view) == before
    view.rows.fill([*TESTS, one("z.py", "z", "test_z")])
    assert seen(view) == [*before, "z.py"]
    assert view.value() is TESTS[3]


def test_a_chosen_test_that_is_filtered_away_is_told(tree):
    view = tree()
    view.choose("calendar.py::test_week")
    told = []
    view.chosen.connect(told.append)
    view.rows.set_filter(Filter.parse("zulu"))
    assert told == [None]
    assert view.value() is None


def test_a_short_answer_to_a_filter_is_opened_and_forgotten(tree):
    view = tree()
    assert seen(view) == ["offset.py", "calendar.py"]
    view.rows.set_filter(Filter.parse("zulu"))
    assert seen(view) == ["offset.py", "parse", "test_zulu"]
    view.rows.set_filter(Filter())
    assert seen(view) == ["offset.py", "calendar.py"]


def test_a_decision_repaints_and_resets_nothing(tree):
    view = tree()
    view.choose("offset.py::test_words")
    resets, changed = [], []
    view.rows.modelReset.connect(lambda: resets.append(1))
    view.rows.dataChanged.connect(lambda first, last, *_: changed.append(first.data()))
    view.rows.fill([{**test, "verdict": "accepted"} if test is TESTS[1] else test for test in TESTS])
    assert resets == []
    assert set(changed) == {"offset.py", "parse", "test_zulu"}
    assert view.value()["verdict"] == "accepted"
    assert view.currentIndex().parent().data(Qt.ItemDataRole.AccessibleTextRole) == "parse, 2 accepted"


def test_keyboard(qtbot, tree):
    view = tree()
    opened, chosen = [], []
    view.opened.connect(lambda test: opened.append(test["name"]))
    view.chosen.connect(lambda test: chosen.append(test and test["name"]))
    view.choose_group(("offset.py",))
    assert view.path() == ("offset.py",)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert view.isExpanded(view.currentIndex())
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        qtbot.keyClick(view, key)
    assert opened == ["test_zulu"]
    assert chosen[-1] == "test_zulu"
    assert view.path() is None
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert seen(view) == ["offset.py", "parse", "format", "calendar.py"]


def test_a_click_on_the_chevron_opens_and_a_click_beside_it_chooses(qtbot, tree):
    view = tree()
    row = view.visualRect(view.rows.index(0, 0))
    click = lambda x: qtbot.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(x, row.center().y()))  # noqa: E731
    click(16)
    assert view.isExpanded(view.rows.index(0, 0))
    assert not view.currentIndex().isValid()
    click(16)
    assert not view.isExpanded(view.rows.index(0, 0))
    click(200)
    assert view.path() == ("offset.py",)


def test_rows_are_spoken_as_a_tree(tree):
    view = tree()
    view.choose("offset.py::test_zulu")
    interface = QAccessible.queryAccessibleInterface(view)
    assert interface.role() == QAccessible.Role.Tree
    names = [interface.child(n).text(QAccessible.Text.Name) for n in range(interface.childCount())]
    assert "test_zulu, +3 lines" in names


def test_counts_and_shapes_are_painted(tree, grab, theme):
    view = tree()
    view.choose("offset.py::test_zulu")
    picture = grab(view.viewport())
    row = view.visualRect(view.currentIndex())
    assert picture.has(theme.colour("success"), QRect(60, row.top(), 20, row.height()))
    assert picture.has(theme.colour("text-muted"), QRect(320, row.top(), 70, row.height()))


def test_the_loop_goes_on_while_100_000_tests_are_grouped_and_filtered(qtbot, theme):
    tests = [
        one(f"f{n // 200}.py", f"s{n // 10}", f"test_{n}", "accepted" if n % 3 else "refused") for n in range(MANY)
    ]
    model = model_of([])
    view = Tree(theme, model, "Tests")
    qtbot.addWidget(view)
    view.show()
    seen = []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: seen.append(1))
    timer.start()
    for act, shown in (
        (lambda: model.fill(tests), MANY),
        (lambda: model.set_statuses(frozenset({"refused"})), -(-MANY // 3)),
        (lambda: model.set_filter(Filter.parse("test_99999")), 1),
    ):
        seen.clear()
        with qtbot.waitSignal(model.arranged, timeout=30_000):
            act()
        assert len(seen) >= 3
        assert model.shown_count == shown
    assert [test["name"] for test in model.shown()] == ["test_99999"]


def test_a_group_with_very_many_tests_is_divided(qtbot, theme):
    number = MOST_LEAVES * 2 + 5
    model = model_of([one("one.py", "one", f"test_{n}") for n in range(number)])
    model.finish()
    parts = model.index_of_group(("one.py", "one"))
    assert model.rowCount(parts) == 3
    assert model.index(2, 0, parts).data() == "2,001 to 2,005"
    place = model.index_of("one.py::test_2004")
    assert place.data(VALUE)["name"] == "test_2004"
    assert model.parent(place).data(PATH)[:2] == ("one.py", "one")
    assert model.parent(model.parent(place)) == parts
