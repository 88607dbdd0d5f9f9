"""The sheet that writes accepted tests: the diff, three ways with what each will do, answers and errors in place."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.ui.sheets.write_tests import WriteTestsSheet
from tests.ui.samples import results
from tests.ui.samples.results import RUN, SOURCE

pytestmark = pytest.mark.ui
BRANCH = f"qverify/{RUN[:10]}"


@pytest.fixture
def opened(make, qtbot):
    def build(answers=None, kept=41, **overview):
        engine, desk = make(answers or results.answers())
        sheet = WriteTestsSheet(desk, results.overview(**overview), kept)
        qtbot.addWidget(sheet)
        sheet.resize(640, 900)
        sheet.show()
        qtbot.waitExposed(sheet)
        return engine, desk, sheet

    return build


def written(engine):
    return [(params["form"], params["place"]) for question, params in engine.asked if question == "run_write"]


def test_it_shows_what_would_be_written_and_that_nothing_is_yet(opened, qtbot):
    engine, _, sheet = opened()
    qtbot.waitUntil(lambda: sheet.diff.isVisible() and sheet.diff.rows.rowCount() > 20)
    assert sheet.told.text() == (
        "41 tests in 1 file, 22 new lines. Nothing is written before you press the button below."
    )
    assert written(engine) == []


@pytest.mark.parametrize(
    ("form", "button", "promise"),
    [
        ("branch", "Write branch", "Adds one commit on a new branch"),
        ("patch", "Save patch…", "Writes one file where you choose."),
        ("worktree", "Write files", f"Adds new files to {SOURCE}."),
    ],
)
def test_each_way_says_what_it_will_do_and_names_its_act(opened, form, button, promise):
    _, _, sheet = opened()
    sheet.ways[form].setChecked(True)
    assert sheet.form() == form and sheet.go_on.text() == button
    assert sheet.ways[form].accessibleDescription().startswith(promise)
    assert sheet.branch.isEnabled() == (form == "branch")


@pytest.mark.parametrize(("form", "place", "folder"), [("branch", BRANCH, SOURCE), ("worktree", "", SOURCE)])
def test_it_writes_and_answers_in_the_sheet(opened, qtbot, form, place, folder):
    engine, desk, sheet = opened()
    sheet.ways[form].setChecked(True)
    sheet.confirm()
    assert not sheet.go_on.isEnabled()
    qtbot.waitUntil(sheet.tint.isVisible)
    assert written(engine) == [(form, place)]
    assert sheet.answer.text().endswith(("Your work tree is as it was.", "Nothing that was there was changed."))
    assert sheet.tint.property("tone") == "success" and sheet.go_on.isEnabled()
    sheet.open_folder.click()
    assert desk.front.calls == [("open_path", (folder,))]


def test_a_patch_asks_where_and_opens_its_folder(opened, qtbot, tmp_path):
    engine, desk, sheet = opened()
    sheet.ways["patch"].setChecked(True)
    sheet.confirm()
    name, (suggestion, pattern, then) = desk.front.calls[-1]
    assert (name, suggestion, pattern) == ("save_as", f"tidydate-{RUN[:12]}.patch", "*.patch")
    assert written(engine) == []
    then(str(tmp_path / "new.patch"))
    qtbot.waitUntil(sheet.tint.isVisible)
    assert written(engine) == [("patch", str(tmp_path / "new.patch"))]
    sheet.open_folder.click()
    assert desk.front.calls[-1] == ("open_path", (str(tmp_path),))


def test_what_went_wrong_stands_in_the_sheet_and_it_can_be_tried_again(opened, qtbot):
    answers = results.answers()
    good = answers["run_write"]
    answers["run_write"] = BadInput("The repository has a branch 'x' already.", "Choose another name.")
    engine, desk, sheet = opened(answers)
    sheet.confirm()
    qtbot.waitUntil(sheet.tint.isVisible)
    assert sheet.answer.text() == "The repository has a branch 'x' already. Choose another name."
    assert sheet.tint.property("tone") == "warning" and not sheet.open_folder.isVisible()
    engine.answers["run_write"] = good
    sheet.branch.setText("other")
    sheet.confirm()
    qtbot.waitUntil(lambda: sheet.tint.property("tone") == "success")
    assert written(engine)[-1] == ("branch", "other") and desk.front.calls == []


def test_a_branch_needs_a_name(opened):
    engine, _, sheet = opened()
    sheet.branch.setText("  ")
    assert not sheet.go_on.isEnabled() and sheet.go_on.toolTip() == "Name the branch."
    sheet.confirm()
    assert written(engine) == []


@pytest.mark.parametrize("source", ["https://example.org/tidydate.git", "git@example.org:tidydate.git"])
def test_of_a_url_only_a_patch_can_be_written(opened, source):
    run = {**results.run_view(), "source": source}
    _, _, sheet = opened(run=run)
    assert sheet.form() == "patch"
    assert [form for form, button in sheet.ways.items() if button.isEnabled()] == ["patch"]
    assert "so there is no folder" in sheet.ways["branch"].accessibleDescription()


def test_a_diff_that_can_not_be_made_says_why_and_is_asked_for_again(opened, qtbot):
    answers = results.answers()
    good = answers["run_diff"]
    answers["run_diff"] = BadInput("The results can't be read.", "Free some space.")
    engine, _, sheet = opened(answers)
    qtbot.waitUntil(lambda: sheet.shown.state.sentence.text() == "The results can't be read. Free some space.")
    engine.answers["run_diff"] = good
    sheet.shown.state.button.click()
    qtbot.waitUntil(lambda: sheet.diff.isVisible() and sheet.diff.rows.rowCount() > 20)


def test_ctrl_enter_writes(opened, qtbot):
    engine, _, sheet = opened()
    sheet.activateWindow()
    qtbot.waitUntil(sheet.isActiveWindow)
    sheet.first_focus().setFocus()
    qtbot.keyClick(sheet.first_focus(), Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(sheet.tint.isVisible)
    assert written(engine) == [("branch", BRANCH)]


def test_every_control_has_a_name_and_the_low_sheet_keeps_the_ways_in_view(opened, qtbot):
    _, _, sheet = opened()
    sheet.resize(640, 640)
    for one in sheet.findChildren(QWidget):
        if one.isVisible() and one.focusPolicy() & Qt.FocusPolicy.TabFocus:
            assert QAccessible.queryAccessibleInterface(one).text(QAccessible.Text.Name), one
    assert sheet.shown.height() == 170
    qtbot.waitUntil(lambda: sheet.area.verticalScrollBar().maximum() == 0)
