"""The German catalogue is whole and up to date, and the window holds its longer words."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from PySide6.QtWidgets import QAbstractButton, QLabel

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.ui import language
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.page import Place
from qverify_desktop.ui.preferences import Preferences
from tests.ui.samples import window as samples
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui

ROOT = resources_root()


def test_every_text_is_translated_and_compiled():
    script = ROOT / "packaging/translations/update.py"
    ran = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout


def test_fields_of_a_text_are_those_of_its_translation():
    sys.path.insert(0, str(ROOT / "packaging/translations"))
    try:
        import update
    finally:
        sys.path.pop(0)
    entries = update.read(ROOT / "resources/translations/de/LC_MESSAGES/qverify.po")
    wrong = [
        key[0]
        for key, translated in entries.items()
        for text in translated
        if set(re.findall(r"\{\w+\}", text)) != set(re.findall(r"\{\w+\}", key[0]))
    ]
    assert wrong == []


@pytest.fixture
def german():
    language.use("de")
    yield
    language.use("en")


@pytest.mark.parametrize("page", ["home", "settings", "environment", "results", "defects", "run-evidence"])
def test_the_window_speaks_german_and_keeps_its_size(german, make, qtbot, page):
    _, desk = make(samples.answers())
    window = Window(desk.theme, desk.bridge, Preferences(None))
    qtbot.addWidget(window)
    window.resize(960, 640)
    window.show()
    qtbot.waitUntil(lambda: bool(window.listed))
    window.go(Place(page, run=RUN if page in ("results", "defects", "run-evidence") else ""))
    qtbot.wait(300)
    assert (window.width(), window.height()) == (960, 640)
    shown = {
        one.text().strip()
        for kind in (QLabel, QAbstractButton)
        for one in window.findChildren(kind)
        if one.isVisible()
    }
    names = {one.accessibleName() for one in window.rail.findChildren(QAbstractButton)}
    assert {"Läufe", "Beweis", "Einstellungen"} <= names
    assert not {"Runs", "Settings", "New analysis", "Everything needed is ready."} & shown
