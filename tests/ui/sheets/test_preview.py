"""The sheet that shows what would be sent: all of it, to read and to copy, over the sheet of the analysis."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.sheets.new_analysis import NewAnalysisSheet
from qverify_desktop.ui.sheets.preview import PreviewSheet
from tests.ui.samples import window as samples
from tests.ui.samples.results import SOURCE

pytestmark = pytest.mark.ui

LOCAL = ("qwen2.5-coder:14b", "")


@pytest.fixture
def opened(make, qtbot):
    def build(**answers):
        engine, desk = make(samples.answers(**answers))
        sheet = PreviewSheet(desk, AnalysisRequest(SOURCE, model="auto", cloud="allowed"))
        qtbot.addWidget(sheet)
        sheet.resize(640, 860)
        sheet.show()
        qtbot.waitUntil(lambda: "model_preview" in dict(engine.asked))
        return engine, desk, sheet

    return build


def words(sheet):
    return " | ".join(one.text() for one in sheet.findChildren(QLabel) if one.isVisible() and one.text())


def test_it_shows_where_to_for_how_much_what_is_masked_and_every_message(opened, qtbot):
    engine, desk, sheet = opened()
    qtbot.waitUntil(sheet.text.isVisible)
    qtbot.waitUntil(lambda: "1. gpt-4.1 at models.example.org" in words(sheet))
    told = words(sheet)
    assert "About 1,204 tokens, at most 4,096 of answer, at most $0.0352" in told
    assert "2. claude" in told and "The air gap is on" in told
    assert "3. qwen2.5-coder:14b on this machine" in told and "free, less than is shown" in told
    assert "1 secret is masked: aws in message 2, line 5." in told
    text = sheet.text.toPlainText()
    assert all(one["content"] in text for one in samples.preview()["messages"]) and sheet.text.isReadOnly()
    sheet.copy.click()
    assert desk.front.calls == [("copy", (text, "Copied."))]
    asked = [params for name, params in engine.asked if name == "model_preview"]
    assert [(one["target"], one["request"]["model"], one["request"]["cloud"]) for one in asked] == [
        ("", "auto", "allowed")
    ]


def test_another_function_is_chosen_by_its_name(opened, qtbot):
    engine, _, sheet = opened()
    qtbot.waitUntil(sheet.text.isVisible)
    sheet.target.lineEdit().selectAll()
    qtbot.keyClicks(sheet.target.lineEdit(), "tidydate/calendar.py::iso_week")
    qtbot.keyClick(sheet.target.lineEdit(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: sheet._shown_target == "tidydate/calendar.py::iso_week")
    assert [params["target"] for name, params in engine.asked if name == "model_preview"] == [
        "",
        "tidydate/calendar.py::iso_week",
    ]
    qtbot.keyClick(sheet.target.lineEdit(), Qt.Key.Key_Return)
    qtbot.wait(50)
    assert len([name for name, _ in engine.asked if name == "model_preview"]) == 2, "what is shown is not asked again"


def test_a_function_that_is_none_is_told_and_another_can_be_typed(opened, qtbot):
    def answer(request, target):
        return BadInput("A model would be asked about no function x here.") if target == "x" else samples.preview()

    _, _, sheet = opened(model_preview=answer)
    qtbot.waitUntil(sheet.text.isVisible)
    sheet.target.lineEdit().setText("x")
    qtbot.keyClick(sheet.target.lineEdit(), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "no function x" in words(sheet))
    assert not sheet.text.isVisible() and not sheet.copy.isEnabled()
    sheet.target.lineEdit().setText("tidydate/offset.py::parse_offset")
    qtbot.keyClick(sheet.target.lineEdit(), Qt.Key.Key_Return)
    qtbot.waitUntil(sheet.text.isVisible)


def test_nothing_hostile_steers_the_sheet(opened, qtbot):
    name = "<b>x</b>\u202e\n" + "A" * 3000
    view = samples.preview(target=name, targets=[name], masked=[{"rule": name, "message": 0, "line": 1}])
    view["destinations"][0]["host"] = name
    _, _, sheet = opened(model_preview=view)
    qtbot.waitUntil(sheet.text.isVisible)
    assert all("\u202e" not in one.text() for one in sheet.findChildren(QLabel))
    assert sheet.width() == 640


def test_it_lies_over_the_sheet_of_the_analysis_which_stands_again(make, qtbot):
    _, desk = make(samples.answers(settings=samples.settings(model="none")))
    window = Window(desk.theme, desk.bridge, Preferences(None))
    qtbot.addWidget(window)
    window.resize(1440, 900)
    window.show()
    qtbot.waitUntil(lambda: desk.bridge.is_ready)
    window.front.new_analysis(SOURCE)
    below = window.sheets.sheet
    assert isinstance(below, NewAnalysisSheet)
    qtbot.waitUntil(lambda: below.look is not None and len(below.model.rows) > 2)
    assert not below.preview.isVisible(), "without a model there is nothing to show"
    below.model.rows[LOCAL].radio.click()
    below.effort.number.setValue(7)
    below.preview.click()
    above = window.sheets.sheet
    assert isinstance(above, PreviewSheet) and above.isVisible() and not below.isVisible()
    assert above.request.model == LOCAL[0] and above.request.max_targets == 7
    qtbot.keyClick(above, Qt.Key.Key_Escape)
    assert window.sheets.sheet is below and below.isVisible() and below.effort.number.value() == 7
    below.preview.click()
    window.front.new_analysis(SOURCE)
    assert isinstance(window.sheets.sheet, NewAnalysisSheet) and window.sheets.sheet is not below
    window.front.close_sheet()
    assert window.sheets.sheet is None and not window.sheets.isVisible()
