"""An error that nobody expected is written down and told, and the window goes on."""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QTimer

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.engine.crash import as_error
from qverify_desktop.ui import unexpected

pytestmark = pytest.mark.ui


@pytest.fixture
def told(loop, tmp_path):
    before, found = sys.excepthook, []
    unexpected.install(loop, lambda error: as_error(error, tmp_path), found.append)
    yield found
    sys.excepthook = before


def raise_it() -> None:
    raise ValueError("a slot went wrong")


def test_an_error_in_a_slot_is_told_and_written_down(told, qtbot, tmp_path):
    # The way on which Qt's binding hands over what a slot raised.
    hook = sys.excepthook
    QTimer.singleShot(0, lambda: hook(ValueError, ValueError("a slot went wrong"), None))
    qtbot.waitUntil(lambda: bool(told))
    assert isinstance(told[0], QVerifyError)
    [file] = (tmp_path / "crashes").iterdir()
    assert "a slot went wrong" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0


def test_an_error_in_a_task_is_told_once(told, loop, qtbot):
    for _ in range(3):
        loop.call_soon(raise_it)
    qtbot.waitUntil(lambda: bool(told))
    qtbot.wait(50)
    assert len(told) == 1
    assert "ValueError" in told[0].sentence
