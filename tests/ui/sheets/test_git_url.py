"""The sheet for a Git URL: what is on the clipboard, which addresses are taken and why others are not."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from qverify_desktop.ui.sheets.git_url import GitUrlSheet

pytestmark = pytest.mark.ui
URL = "https://git.example.org/ada/tidydate.git"


@pytest.fixture
def opened(make, qtbot):
    def build(clipboard=""):
        QGuiApplication.clipboard().setText(clipboard)
        _, desk = make({})
        sheet = GitUrlSheet(desk)
        qtbot.addWidget(sheet)
        sheet.resize(640, 700)
        sheet.show()
        qtbot.waitExposed(sheet)
        sheet.first_focus().setFocus()
        return desk, sheet

    yield build
    QGuiApplication.clipboard().clear()


def test_an_address_on_the_clipboard_stands_there_already(opened, qtbot):
    desk, sheet = opened(f"  {URL}\n")
    assert sheet.field.text() == URL and sheet.field.selectedText() == URL
    assert sheet.remark.text() == "Taken from the clipboard."
    qtbot.keyClick(sheet.field, Qt.Key.Key_Return)
    assert desk.front.calls == [("new_analysis", (URL,))]


@pytest.mark.parametrize(
    "held", ["", "hello", "ext::sh -c id", f"{URL}\n{URL}", "https://", "/etc", URL + "a" * 3000]
)
def test_anything_else_on_the_clipboard_is_left_there(opened, held):
    _, sheet = opened(held)
    assert sheet.field.text() == "" and sheet.remark.text() == ""
    assert not sheet.next.isEnabled()
    assert sheet.next.toolTip() == "Type the address of a Git repository."


@pytest.mark.parametrize(
    "url", [URL, "ssh://git@host/x", "git@host:ada/x.git", "ssh://git@[fe80::1]/x", "file:///srv/x.git"]
)
def test_an_address_goes_on_to_the_sheet_of_a_new_analysis(opened, qtbot, url):
    desk, sheet = opened()
    sheet.field.setText(url)
    assert sheet.remark.text() == ""
    qtbot.mouseClick(sheet.next, Qt.MouseButton.LeftButton)
    assert desk.front.calls == [("new_analysis", (url,))]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("ext::sh", "An address of this kind can start programs, so it is never taken."),
        ("https://host/a b", "An address has no spaces or line breaks."),
        ("/home/ada/x", "This is a folder of this machine. Choose it with Open folder (Ctrl+O)."),
        ("github.com/a/b", "This is no address that is taken. It begins with https://, ssh:// or git@."),
        ("javascript:alert(1)", "This is no address that is taken. It begins with https://, ssh:// or git@."),
    ],
)
def test_what_is_not_taken_says_why_below_the_field_and_goes_away(opened, qtbot, typed, sentence):
    desk, sheet = opened()
    sheet.field.setText(typed)
    assert sheet.remark.text() == sheet.field.accessibleDescription() == sentence
    assert sheet.field.property("error") == "true"
    qtbot.keyClick(sheet.field, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert desk.front.calls == []
    sheet.field.setText(URL)
    assert sheet.remark.text() == sheet.field.accessibleDescription() == ""
    assert sheet.field.property("error") == "false"


@pytest.mark.parametrize("typed", ["h", "https:", "https://", "ssh:/", "git@"])
def test_an_address_that_is_half_typed_is_no_mistake_until_it_is_confirmed(opened, qtbot, typed):
    desk, sheet = opened()
    qtbot.keyClicks(sheet.field, typed)
    assert sheet.remark.text() == ""
    qtbot.keyClick(sheet.field, Qt.Key.Key_Return)
    assert sheet.remark.text().startswith("This is no address that is taken.")
    assert desk.front.calls == []
