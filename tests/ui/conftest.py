"""Fixtures of the window's tests: a qasync loop that pytest-qt's waiting drives, and Qt warnings that fail a test."""

from __future__ import annotations

import asyncio
import os

# No window manager gives the focus on a bare X server; the whole window on a real display is tests/e2e.
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import pytest
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from qverify_desktop.app import make_loop
from tests.ui.desk import ScriptedEngine, make_desk


@pytest.fixture(autouse=True)
def qt_warnings():
    """Whatever Qt complains about fails the test."""
    complaints: list[str] = []

    def note(kind, context, message):
        if kind in (QtMsgType.QtWarningMsg, QtMsgType.QtCriticalMsg, QtMsgType.QtFatalMsg):
            complaints.append(message)

    before = qInstallMessageHandler(note)
    yield complaints
    qInstallMessageHandler(before)
    ignored = ("propagateSizeHints", "This plugin does not support")
    assert [line for line in complaints if not any(words in line for words in ignored)] == []


@pytest.fixture
def loop(qapp):
    """A loop that runs while ``qtbot.waitUntil`` processes Qt's events: bridge tasks go on in there."""
    made = make_loop(qapp)
    asyncio.set_event_loop(made)
    asyncio.events._set_running_loop(made)
    yield made
    asyncio.events._set_running_loop(None)
    for task in asyncio.all_tasks(made):
        task.cancel()
    made.run_until_complete(asyncio.sleep(0))
    made.close()
    asyncio.set_event_loop(None)


@pytest.fixture
def make(loop, qapp):
    """``make(answers, theme="light", zoom=1.0)`` gives an engine and a desk over it."""
    assert isinstance(qapp, QApplication)

    def made(answers=None, theme="light", zoom=1.0):
        engine = ScriptedEngine(answers)
        return engine, make_desk(engine, theme, zoom)

    return made
