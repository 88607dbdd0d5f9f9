"""The table of connections on the models and settings pages: every row is there, and its switch changes the setting."""

from __future__ import annotations

import pytest

from qverify_desktop.domain.connections import SWITCHES, TABLE, Closed
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui.pages.connections import ConnectionsTable
from qverify_desktop.ui.widgets.basics import QLabel
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui


@pytest.fixture
def shown(make, qtbot):
    """``shown(answers)`` gives the engine and the table, and what it told of changed settings."""

    def show(answers=None, **settings):
        engine, desk = make({**samples.answers(), **(answers or {})})
        heard: list[dict] = []
        table = ConnectionsTable(desk, heard.append)
        qtbot.addWidget(table)
        table.show_settings(samples.settings(**settings))
        table.show()
        qtbot.waitUntil(lambda: desk.bridge.is_ready)
        return engine, table, heard

    return show


def words_of(table: ConnectionsTable) -> str:
    return "\n".join(one.text() for one in table.findChildren(QLabel) if one.isVisibleTo(table))


def test_every_connection_is_named_with_who_where_and_when(shown):
    _, table, _ = shown()
    words = words_of(table)
    for row in TABLE:
        assert all(one in words for one in (row.title, row.who, row.where, row.when, row.sends))
    assert set(table.switches) == set(SWITCHES)
    assert all(box.isChecked() and box.accessibleName() for box in table.switches.values())


def test_a_switch_changes_its_setting_and_nothing_else(shown, qtbot):
    answers = {
        "settings_change": lambda changes: samples.settings(switches={**dict.fromkeys(SWITCHES, True), **changes})
    }
    engine, table, heard = shown(answers)
    table.switches["allow_clone"].click()
    qtbot.waitUntil(lambda: bool(heard))
    assert [words for name, words in engine.asked if name == "settings_change"] == [
        {"changes": {"allow_clone": False}}
    ]
    assert heard[0]["switches"]["allow_clone"] is False
    assert "Switched off." in words_of(table)


def test_what_is_refused_is_said_and_shown_as_it_is(shown, qtbot):
    refused = BadInput("The setting 'allow_clone' is given by the environment.", "Remove it there.")
    _, table, heard = shown({"settings_change": refused})
    table.switches["allow_clone"].click()
    qtbot.waitUntil(lambda: "given by the environment" in words_of(table))
    assert table.switches["allow_clone"].isChecked() and heard == []


def test_the_air_gap_is_seen_in_each_row(shown):
    _, table, _ = shown(air_gap=True)
    words = words_of(table)
    assert words.count("Closed by the air gap.") == 6
    allowed = [row for row in TABLE if row.air_gap is Closed.ALLOWED]
    assert words.count("only the addresses through that you allowed") == len(allowed)
