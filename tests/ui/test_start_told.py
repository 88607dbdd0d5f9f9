"""What a person is told when the window starts: a key file that is locked, and calls that may have been charged."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from qverify_desktop.domain.errors import BadInput, WrongPassphrase
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.sheets.new_analysis import NewAnalysisSheet
from qverify_desktop.ui.sheets.passphrase import UnlockSheet
from tests.ui.samples import window as samples

pytestmark = pytest.mark.ui

LOCKED = samples.keys(file="locked", keys=[])


@pytest.fixture
def opened(make, qtbot, tmp_path):
    def open_window(sources=(), **changes):
        engine, desk = make(samples.answers(**changes))
        window = Window(desk.theme, desk.bridge, Preferences(tmp_path / "window.json"))
        qtbot.addWidget(window)
        window.resize(1280, 800)
        window.show()
        window.open_sources(sources)
        qtbot.waitUntil(lambda: window.bridge.is_ready and "keys" in dict(engine.asked))
        qtbot.wait(60)
        return engine, window

    return open_window


def notices(window: Window) -> list[str]:
    return [told.notice.text for told in window.toasts.notices]


def test_a_locked_key_file_is_asked_for_once_in_a_sheet(opened, qtbot):
    engine, window = opened(keys=LOCKED, keys_unlock=lambda passphrase: samples.keys())
    sheet = window.sheets.sheet
    assert isinstance(sheet, UnlockSheet)
    qtbot.keyClicks(sheet.fields[0], "correct horse")
    qtbot.keyClick(sheet.fields[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.sheets.sheet is None)
    assert ("keys_unlock", {"passphrase": "correct horse"}) in engine.asked
    window.bridge.ready.emit()
    qtbot.wait(100)
    assert window.sheets.sheet is None, "once per start"


def test_one_may_go_on_without_its_keys(opened, qtbot):
    engine, window = opened(keys=LOCKED)
    qtbot.keyClick(window.sheets.sheet.fields[0], Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: window.sheets.sheet is None)
    assert "keys_unlock" not in dict(engine.asked)


def test_a_passphrase_that_was_handed_in_and_does_not_open_is_said(opened):
    problem = str(WrongPassphrase("This passphrase does not open the key file."))
    _, window = opened(keys={**LOCKED, "problem": problem})
    assert window.sheets.sheet.problem.text() == problem


def test_another_sheet_is_not_taken_away(opened, qtbot):
    _, window = opened(["https://example.org/a.git"], keys=LOCKED)
    assert isinstance(window.sheets.sheet, NewAnalysisSheet)
    assert any("locked" in text for text in notices(window))


def test_without_a_locked_file_nothing_is_asked_or_told(opened):
    _, window = opened()
    assert window.sheets.sheet is None
    assert notices(window) == []


def test_calls_in_doubt_are_told_with_a_way_to_the_usage_page(opened, qtbot):
    _, window = opened(calls_in_doubt={"calls": 3, "where": {"theirs": 1, "ours": 2}})
    (told,) = window.toasts.notices
    assert told.notice.text.startswith(
        "3 calls to ours, theirs were open when QVerify ended and may have been charged."
    )
    assert told.notice.act == "Show usage"
    told.notice.run()
    assert window.place.page == "usage"


def test_an_owner_of_an_older_version_is_no_trouble(opened):
    unknown = BadInput("There is no such question.")
    _, window = opened(calls_in_doubt=unknown, keys=unknown)
    assert notices(window) == []
