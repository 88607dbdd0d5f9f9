"""The entries of the evidence log: pages are asked for as they come into view, and none that is in view stays unread."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from qverify_desktop.ui.pages.evidence_parts.events import PAGE, EventModel, EventTable
from tests.ui.samples.window import entries

pytestmark = pytest.mark.ui


@pytest.fixture
def shown(make, qtbot):
    """A table over a log of so many entries, which answers what is asked at once."""

    def build(total):
        _, desk = make()
        asked = []

        def fetch(start, limit):
            asked.append(start)
            model.show_page(entries(total)(start=start, limit=limit))

        model = EventModel(fetch)
        table = EventTable(desk.theme, model)
        qtbot.addWidget(table)
        table.resize(600, 700)
        table.show()
        qtbot.waitExposed(table)
        model.begin(total)
        return asked, model, table

    return build


def unread(model, table):
    first, last = table.rowAt(0), table.rowAt(table.viewport().height() - 1)
    last = model.total - 1 if last < 0 else last
    role = Qt.ItemDataRole.DisplayRole
    return [row for row in range(first, last + 1) if "is being read" in model.index(row, 0).data(role)]


@pytest.mark.parametrize("tail", [1, 3, 10, 20])
def test_an_end_that_lies_on_two_pages_is_read_whole(shown, qtbot, tail):
    asked, model, table = shown(5 * PAGE + tail)
    qtbot.waitUntil(lambda: asked == [0])
    asked.clear()
    table.choose(model.total - 1)
    table.scrollToBottom()
    qtbot.waitUntil(lambda: set(asked) == {4 * PAGE, 5 * PAGE})
    table.viewport().repaint()
    assert unread(model, table) == []


def test_only_what_is_seen_is_asked_for(shown, qtbot):
    asked, _, table = shown(1_000_000)
    qtbot.waitUntil(lambda: asked == [0])
    for place in range(100_000, 900_000, 20_000):
        table.scrollTo(table.model().index(place, 0))
    table.scrollToBottom()
    qtbot.waitUntil(lambda: 1_000_000 - PAGE in asked)
    qtbot.wait(200)
    assert len(asked) <= 6, "scrolling through asks for the last place only"


def test_a_log_that_grows_keeps_what_is_known(shown, qtbot):
    asked, model, _ = shown(150)
    qtbot.waitUntil(lambda: asked == [0])
    model.grow(420)
    assert model.rowCount() == 420
    assert model.line_at(10) is None, "the page that was not full is read again"
    qtbot.waitUntil(lambda: model.line_at(10) is not None)
