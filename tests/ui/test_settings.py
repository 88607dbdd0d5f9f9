"""The settings page's parts for models: keys go in and are never shown, what is refused is said in its place, the order is told."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDoubleSpinBox, QLabel, QLineEdit, QPushButton, QSpinBox, QWidget

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, WrongPassphrase
from qverify_desktop.settings.changing import CHANGEABLE
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.pages.settings import SettingsPage
from qverify_desktop.ui.sheets.passphrase import ChangePassphraseSheet, NewKeyFileSheet, UnlockSheet
from qverify_desktop.ui.widgets.sheet import Sheet
from tests.ui.samples import window as samples

KEY = "sk-canary-4444-never-shown"
PASSPHRASE = "correct horse battery"


def texts(widget: QWidget) -> list[str]:
    return [one.text() for one in widget.findChildren(QLabel) if one.isVisibleTo(widget)]


def all_words(widget: QWidget) -> str:
    """Whatever a person or a screen reader can get out of it, besides what is being typed."""
    words = [one.text() for kind in (QLabel, QPushButton) for one in widget.findChildren(kind)]
    for one in widget.findChildren(QWidget):
        words += [one.accessibleName(), one.accessibleDescription(), one.toolTip()]
    words += [one.displayText() for one in widget.findChildren(QLineEdit)]
    return "\n".join(words)


@pytest.fixture
def opened(make, qtbot):
    def made(**changes):
        engine, desk = make(samples.answers(**changes))
        page = pages.build("settings", desk)
        assert isinstance(page, SettingsPage)
        qtbot.addWidget(page)
        page.resize(900, 900)
        page.show()
        page.enter(Place("settings"))
        qtbot.waitUntil(lambda: bool(page.form.shown) and page.keys.place.count() > 0)
        qtbot.waitUntil(lambda: bool(page.order._path))
        qtbot.wait(50)  # what was added is shown with the next layout
        sheets: list[Sheet] = []
        desk.front.open_sheet = lambda sheet: (qtbot.addWidget(sheet), sheet.show(), sheets.append(sheet))
        return engine, page, sheets

    return made


def asked(engine, question):
    return [params for name, params in engine.asked if name == question]


def test_every_setting_that_can_be_changed_has_a_field(opened):
    """``allow_`` switches have a table of their own."""
    _, page, _ = opened()
    assert {name for name in CHANGEABLE if not name.startswith("allow_")} <= set(page.fields)
    assert all(page.fields[name].accessibleName() for name in page.fields)


@pytest.mark.parametrize(
    ("name", "typed", "sent"),
    [
        ("run_budget_microusd", 3.5, 3_500_000),
        ("month_budget_microusd", 0.07, 70_000),
        ("model_context_tokens", 65_536, 65_536),
        ("answer_cache_mb", 0, 0),
        ("answer_cache_days", 3, 3),
        ("budget_ask_percent", 50, 50),
        ("model_timeout_s", 20, 20),
        ("model_answer_tokens", 100, 100),
    ],
)
def test_a_number_is_sent_as_the_engine_keeps_it(opened, qtbot, name, typed, sent):
    engine, page, _ = opened()
    engine.answers["settings_change"] = lambda changes: samples.settings(**changes)
    field = page.fields[name]
    assert isinstance(field, QSpinBox | QDoubleSpinBox)
    field.setValue(typed)
    qtbot.waitUntil(lambda: asked(engine, "settings_change") == [{"changes": {name: sent}}], timeout=3000)


def test_what_is_refused_is_said_under_its_field_until_it_is_good(opened, qtbot):
    engine, page, _ = opened(settings_change=BadInput("It is neither an address nor a network.", "Correct it."))
    field = page.fields["air_gap_allow"]
    qtbot.keyClicks(field, "models.example.org")
    qtbot.waitUntil(lambda: "It is neither an address nor a network. Correct it." in texts(page), timeout=3000)
    assert field.property("error") == "true"
    assert "neither" in field.accessibleDescription()
    engine.answers["settings_change"] = lambda changes: samples.settings(**changes)
    field.clear()
    qtbot.keyClicks(field, "10.0.0.7")
    qtbot.waitUntil(lambda: page.form.shown["air_gap_allow"] == "10.0.0.7", timeout=3000)
    assert field.property("error") == "false"
    assert not [text for text in texts(page) if "neither" in text]


# Keys


def test_keys_are_listed_with_place_and_end(opened, qtbot):
    _, page, _ = opened()
    qtbot.waitUntil(lambda: len(texts(page.keys)) > 8)
    words = texts(page.keys)
    assert "key file, ends in x3Qa" in words
    assert "environment variable, ends in 9fKc" in words
    assert "keyring, ends in 02Lm; not used, another one goes before it" in words
    assert "set outside QVerify" in words


@pytest.mark.parametrize(
    ("typed", "provider"),
    [
        ("Anthropic", "anthropic"),
        ("azure openai", "azure"),
        ("Any end point", "any"),
        ("GPU.example.org", "gpu.example.org"),
    ],
)
def test_a_key_is_sent_once_and_leaves_the_field(opened, qtbot, typed, provider):
    engine, page, _ = opened(key_set=lambda **_: samples.keys())
    page.keys.provider.setEditText(typed)
    page.keys.key.setText(f"  {KEY} ")
    assert KEY not in all_words(page), "what is typed is not shown"
    qtbot.mouseClick(page.keys.store_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.keys.key.text() == "")
    assert asked(engine, "key_set") == [{"provider": provider, "key": KEY, "store": "keyring"}]
    assert KEY not in all_words(page)


def test_a_key_that_is_refused_is_said_in_place_and_stays_to_be_mended(opened, qtbot):
    _, page, _ = opened(key_set=MissingPrerequisite("The keyring did not take the key.", "Unlock the keyring."))
    page.keys.key.setText(KEY)
    page.keys.store()
    qtbot.waitUntil(lambda: "The keyring did not take the key. Unlock the keyring." in texts(page.keys))
    assert page.keys.key.text() == KEY
    page.keys.key.setText(KEY + "x")
    assert "The keyring did not take the key. Unlock the keyring." not in texts(page.keys)


def test_a_key_is_removed_where_it_is_and_replaced_in_its_store(opened, qtbot):
    engine, page, _ = opened(key_remove=lambda **_: samples.keys(keys=[]))
    buttons = {one.accessibleName(): one for one in page.keys.findChildren(QPushButton)}
    buttons["Replace the key for Anthropic"].click()
    assert (page.keys._provider(), page.keys.place.currentData()) == ("anthropic", "file")
    buttons["Remove the key for llm.example.org"].click()
    qtbot.waitUntil(lambda: "No key is known here." in texts(page.keys))
    assert asked(engine, "key_remove") == [{"provider": "llm.example.org", "store": "keyring"}]


def test_the_first_key_of_a_file_makes_it_with_a_passphrase_typed_twice(opened, qtbot):
    engine, page, sheets = opened(keys=samples.keys(file="none", keys=[]), key_set=lambda **_: samples.keys())
    page.keys.place.setCurrentIndex(page.keys.place.findData("file"))
    page.keys.key.setText(KEY)
    page.keys.store()
    (sheet,) = sheets
    assert isinstance(sheet, NewKeyFileSheet)
    first, again = sheet.fields
    for one, other, said in (("short", "short", "too short"), (PASSPHRASE, PASSPHRASE + "x", "differ")):
        first.setText(one)
        again.setText(other)
        sheet.confirm()
        assert said in sheet.problem.text()
    assert asked(engine, "key_set") == []
    again.setText(PASSPHRASE)
    sheet.confirm()
    qtbot.waitUntil(lambda: page.keys.key.text() == "")
    assert asked(engine, "key_set") == [{"provider": "openai", "key": KEY, "store": "file", "passphrase": PASSPHRASE}]
    assert first.text() == again.text() == "", "no passphrase stays in a widget"
    assert PASSPHRASE not in all_words(sheet) + all_words(page)


def test_a_locked_file_is_opened_first_and_a_wrong_passphrase_said_in_place(opened, qtbot):
    engine, page, sheets = opened(
        keys=samples.keys(file="locked", keys=[]),
        keys_unlock=WrongPassphrase("This passphrase does not open the key file."),
        key_set=lambda **_: samples.keys(),
    )
    assert any("locked" in text for text in texts(page.keys))
    page.keys.place.setCurrentIndex(page.keys.place.findData("file"))
    page.keys.key.setText(KEY)
    page.keys.store()
    (sheet,) = sheets
    assert isinstance(sheet, UnlockSheet)
    qtbot.keyClicks(sheet.fields[0], "wrong horse")
    qtbot.keyClick(sheet.fields[0], Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "does not open" in sheet.problem.text())
    assert sheet.act.isEnabled()
    assert asked(engine, "key_set") == []
    engine.answers["keys_unlock"] = lambda passphrase: samples.keys()
    sheet.fields[0].setText(PASSPHRASE)
    sheet.confirm()
    qtbot.waitUntil(lambda: len(asked(engine, "key_set")) == 1)


def test_the_passphrase_is_changed_with_the_old_one(opened, qtbot):
    engine, page, sheets = opened(keys_passphrase=lambda old, new: samples.keys())
    page.keys._file_act.click()
    (sheet,) = sheets
    assert isinstance(sheet, ChangePassphraseSheet)
    for field, text in zip(sheet.fields, (PASSPHRASE, "another long one", "another long one"), strict=True):
        field.setText(text)
    sheet.confirm()
    qtbot.waitUntil(lambda: asked(engine, "keys_passphrase") == [{"old": PASSPHRASE, "new": "another long one"}])


# The order of models


def test_the_order_is_told_with_what_each_is(opened):
    _, page, _ = opened()
    words = texts(page.order)
    assert words.index("ours") < words.index("anthropic/claude-sonnet-4-5") < words.index("ollama/qwen2.5-coder:7b")
    told = "\n".join(words)
    assert "elsewhere: prompts leave this machine · repair: gpt-4.1-mini · 60 requests a minute" in told
    assert "claude-sonnet-4-5 · switched off" in told
    assert "on this machine · 1 at once" in told


def test_a_wrong_line_is_said_and_mended_by_reading_again(opened, qtbot):
    wrong = samples.deployments(deployments=[], problem="models.toml can't be used: end point 2 (line 11): wire.")
    engine, page, _ = opened(deployments=wrong)
    assert "models.toml can't be used: end point 2 (line 11): wire." in texts(page.order)
    engine.answers["deployments"] = samples.deployments()
    page.order.reload.click()
    qtbot.waitUntil(lambda: "ours" in texts(page.order))
    assert not [text for text in texts(page.order) if "line 11" in text]


def test_the_file_is_made_where_there_is_none_and_opened(opened, qtbot, monkeypatch):
    engine, page, _ = opened(deployments=samples.deployments(exists=False, deployments=[]))
    places: list[tuple[str, int]] = []
    page.desk.front.open_in_editor = lambda file, line: places.append((file, line))
    assert page.order.edit.text() == "Make the file"
    page.order.edit.click()
    qtbot.waitUntil(lambda: places == [(samples.deployments()["path"], 1)])
    assert len(asked(engine, "deployments_begin")) == 1


def test_an_end_point_is_moved_by_a_step_and_keeps_the_focus(opened, qtbot):
    engine, page, _ = opened()
    (first_up, first_down), _, (_, last_down) = page.order.movers
    assert not first_up.isEnabled()
    assert not last_down.isEnabled()
    assert first_down.accessibleName() == "Ask ours later"
    first_down.click()
    qtbot.waitUntil(lambda: page.order.movers[0][1] is not first_down)
    assert asked(engine, "deployments_move") == [{"at": 0, "to": 1}]
    qtbot.waitUntil(lambda: page.order.movers[1][1].hasFocus() or not page.isActiveWindow())
    engine.answers["deployments_move"] = BadInput("models.toml is written in a way that can't be put in order here.")
    page.order.movers[0][1].click()
    qtbot.waitUntil(lambda: any("put in order" in text for text in texts(page.order)))
    assert "ours" in texts(page.order)
