"""The model below lists and tables: filter, order, small changes, selection, and 100,000 values without holding the loop."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QTimer
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QTableView

from qverify_desktop.ui.widgets.filter_field import Filter
from qverify_desktop.ui.widgets.filtered import MOST_RANGES, VALUE, FilteredModel, KeepSelection, ranges

pytestmark = pytest.mark.ui
MANY = 100_000


def value(key, text="", n=0):
    return {"key": key, "text": text or f"text {key}", "n": n}


def made(values=()):
    model = FilteredModel(key=lambda v: v["key"], text=lambda v: v["text"])
    model.fill(values)
    return model


def keys(model):
    return [model.index(row, 0).data(VALUE)["key"] for row in range(model.rowCount())]


@pytest.fixture
def watched(qtbot):
    """A model with a view that has chosen one value, checked by Qt's own tester, and notes of what it signalled."""

    def build(values, chosen):
        model = made(values)
        model.tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
        view = QTableView()
        qtbot.addWidget(view)
        view.setModel(model)
        view.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        view.keep = KeepSelection(view, model)
        view.selectRow(model.row_of(chosen))
        notes = []
        model.modelReset.connect(lambda: notes.append("reset"))
        model.rowsInserted.connect(lambda _, first, last: notes.append(("in", first, last)))
        model.rowsRemoved.connect(lambda _, first, last: notes.append(("out", first, last)))
        model.layoutChanged.connect(lambda *_: notes.append("moved"))
        model.dataChanged.connect(lambda first, last, *_: notes.append(("changed", first.row(), last.row())))
        return model, view, notes

    return build


def chosen(view):
    return [index.data(VALUE)["key"] for index in view.selectionModel().selectedRows()]


@pytest.mark.parametrize(
    ("flags", "expected"),
    [([], []), ([0, 0], []), ([1], [(0, 1)]), ([0, 1, 1, 0, 1], [(1, 3), (4, 5)]), ([1, 1], [(0, 2)])],
)
def test_ranges(flags, expected):
    assert ranges(flags) == expected


def test_filter_and_predicate_and_order_work_together():
    model = made([value(n, "even" if n % 2 == 0 else "odd", n) for n in range(10)])
    model.set_filter(Filter.parse("!odd"))
    model.set_accepts(lambda v: v["n"] > 2)
    model.sort_by(lambda v: v["n"], descending=True)
    assert keys(model) == [8, 6, 4]
    model.set_filter(Filter())
    assert keys(model) == [9, 8, 7, 6, 5, 4, 3]
    model.set_accepts(None)
    model.sort_by(None)
    assert keys(model) == list(range(10))


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("number", [50, 10_001])
def test_order_is_stable_and_unknown_is_last(qtbot, descending, number):
    values = [value(n, n=None if n % 7 == 0 else n % 3) for n in range(number)]
    model = made()
    model.sort_by(lambda v: v["n"], descending)
    model.fill(values)
    model.finish()
    known = sorted((v for v in values if v["n"] is not None), key=lambda v: v["n"], reverse=descending)
    unknown = [v for v in values if v["n"] is None]
    assert keys(model) == [v["key"] for v in known + unknown]


CHANGES = {
    "one more at the end": ([*range(6)], [("in", 5, 5)]),
    "one less before it": ([1, 2, 3, 4], [("out", 0, 0)]),
    "one less and one more": ([0, 9, 2, 3, 4], [("out", 1, 1), ("in", 1, 1)]),
    "another order": ([2, 4, 3, 1, 0], ["moved"]),
    "another order and one more": ([9, 4, 3, 1, 2, 0], ["moved", ("in", 0, 0)]),
    "the same": ([0, 1, 2, 3, 4], []),
}


@pytest.mark.parametrize(("after", "signals"), CHANGES.values(), ids=CHANGES.keys())
def test_small_changes_are_small_and_the_selection_stays(watched, after, signals):
    model, view, notes = watched([value(n) for n in range(5)], chosen=2)
    model.fill([value(n) for n in after])
    assert keys(model) == after
    assert notes == signals
    assert chosen(view) == [2]


def test_a_changed_value_is_repainted_alone(watched):
    model, _, notes = watched([value(n) for n in range(5)], chosen=2)
    model.fill([value(n, "new" if n == 3 else "") for n in range(5)])
    assert notes == [("changed", 3, 3)]
    assert model.index(3, 0).data(VALUE)["text"] == "new"


def test_a_value_that_is_gone_is_not_selected(watched):
    model, view, _ = watched([value(n) for n in range(5)], chosen=2)
    model.fill([value(n) for n in (0, 1, 3, 4)])
    assert 2 not in chosen(view)


def test_very_many_separate_changes_reset_once_and_the_selection_stays(watched):
    number = MOST_RANGES * 4
    model, view, notes = watched([value(n) for n in range(number)], chosen=8)
    model.fill([value(n) for n in range(0, number, 2)])
    assert notes == ["reset"]
    assert chosen(view) == [8]
    assert view.currentIndex().data(VALUE)["key"] == 8


def test_two_values_with_one_key_are_both_shown(watched):
    model, _, _ = watched([value(1), value(2)], chosen=2)
    model.fill([value(1, "a"), value(1, "b"), value(3)])
    assert [v["text"] for v in model.shown] == ["a", "b", "text 3"]


def test_arranged_tells_shown_and_all(qtbot):
    model = made()
    told = []
    model.arranged.connect(lambda shown, total: told.append((shown, total)))
    model.fill([value(n) for n in range(12)])
    model.set_filter(Filter.parse("1"))
    assert told == [(12, 12), (3, 12)]


def turns(qtbot, model, act):
    """How often the loop turned until the model was arranged."""
    seen = []
    timer = QTimer(interval=0)
    timer.timeout.connect(lambda: seen.append(1))
    timer.start()
    with qtbot.waitSignal(model.arranged):
        act()
    timer.stop()
    return len(seen)


def test_the_loop_goes_on_while_100_000_values_are_filtered_and_sorted(qtbot):
    values = [value(n, f"test_{n * 7919 % MANY}", n * 7919 % MANY) for n in range(MANY)]
    model = made()
    assert turns(qtbot, model, lambda: model.fill(values)) >= 1
    assert turns(qtbot, model, lambda: model.set_filter(Filter.parse("!7"))) >= 3
    assert model.rowCount() == sum("7" not in v["text"] for v in values)
    assert turns(qtbot, model, lambda: model.sort_by(lambda v: v["n"])) >= 3
    shown = [v["n"] for v in model.shown]
    assert shown == sorted(shown)


def test_the_newest_filter_wins(qtbot):
    model = made()
    model.fill([value(n) for n in range(MANY)])
    model.set_filter(Filter.parse("nothing has this"))
    model.set_filter(Filter.parse("99999"))
    with qtbot.waitSignal(model.arranged):
        pass
    assert keys(model) == [99_999]
