"""What a model writes on the progress page: plain, bounded, following, and never more often laid out than a person can see."""

from __future__ import annotations

import time

import pytest
from PySide6.QtGui import QTextCursor

from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, Stage
from qverify_desktop.ui import pages
from qverify_desktop.ui.page import Place
from tests.ui.samples import results
from tests.ui.samples.results import RUN

pytestmark = pytest.mark.ui
TARGET = "pkg/text.py::pages"


@pytest.fixture
def page(make, qtbot):
    _, desk = make(results.answers())
    made = pages.build("progress", desk)
    qtbot.addWidget(made)
    made.resize(1232, 776)
    made.show()
    made.enter(Place("progress", run=RUN))
    qtbot.waitUntil(lambda: made.context is not None and bool(made.context.overview))
    made.numbers = iter(range(10_000, 10**9))
    return made


def writes(page, text, target=TARGET, done=0):
    page.hear(RunEvent(RUN, next(page.numbers), EventKind.WRITING, Stage.GENERATE, text, done, 1, target=target))


def test_it_is_hidden_until_something_is_written_and_again_when_the_stage_ends(page, qtbot):
    assert not page.writing.isVisible()
    writes(page, "def test_one():\n    assert")
    qtbot.waitUntil(page.writing.isVisible)
    assert page.writing.text.toPlainText() == "def test_one():\n    assert"
    assert page.writing._title.text() == "The model is writing for pages"
    writes(page, "def test_one():\n    assert True", done=1)
    qtbot.waitUntil(lambda: page.writing._title.text() == "The model wrote for pages")
    assert page.writing.text.toPlainText().endswith("True"), "it stays to be read"
    page.hear(RunEvent(RUN, next(page.numbers), EventKind.STAGE_FINISHED, Stage.GENERATE, "done"))
    assert not page.writing.isVisible()


@pytest.mark.parametrize("status", [RunStatus.CANCELLED, RunStatus.FAILED, RunStatus.PAUSED, RunStatus.FINISHED])
def test_it_ends_with_the_run(page, qtbot, status):
    writes(page, "def test_one()")
    qtbot.waitUntil(page.writing.isVisible)
    page.hear(RunEvent(RUN, next(page.numbers), EventKind.STATUS, status=status))
    assert not page.writing.isVisible()


def test_text_of_a_model_is_never_markup_and_hides_nothing(page, qtbot):
    hostile = "<b>bold</b> <img src='file:///etc/passwd'> \u202eback\u202c \x07 zero\u200bwidth"
    writes(page, hostile, target="a.py::<i>sly</i>")
    qtbot.waitUntil(page.writing.isVisible)
    shown = page.writing.text.toPlainText()
    assert "<b>bold</b>" in shown and "<img src" in shown
    assert "\\u202e" in shown and "\\x07" in shown and "\\u200b" in shown
    assert page.writing._title.text().endswith("<i>sly</i>")
    assert page.writing._title.textFormat().name == "PlainText"


def test_it_follows_the_end_unless_a_person_reads_or_selects(page, qtbot):
    lines = [f"line {number}" for number in range(200)]
    writes(page, "\n".join(lines[:100]))
    qtbot.waitUntil(page.writing.isVisible)
    bar = page.writing.text.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    writes(page, "\n".join(lines[:150]))
    qtbot.waitUntil(lambda: "line 149" in page.writing.text.toPlainText())
    assert bar.value() == bar.maximum()
    bar.setValue(bar.maximum() - 20)
    writes(page, "\n".join(lines))
    qtbot.waitUntil(lambda: "line 199" in page.writing.text.toPlainText())
    assert bar.value() < bar.maximum()
    page.writing.text.moveCursor(QTextCursor.MoveOperation.Start)
    page.writing.text.moveCursor(QTextCursor.MoveOperation.EndOfLine, QTextCursor.MoveMode.KeepAnchor)
    writes(page, "something else")
    qtbot.wait(250)
    assert "line 199" in page.writing.text.toPlainText(), "what is selected is not taken away"


def test_a_flood_of_pieces_lays_out_ten_times_a_second_and_holds_nothing_up(page, qtbot):
    laid: list[float] = []
    page.writing.text.textChanged.connect(lambda: laid.append(time.monotonic()))
    begun, worst, number = time.monotonic(), 0.0, 0
    while time.monotonic() - begun < 2:
        before = time.thread_time()
        for _ in range(20):
            number += 1
            writes(page, f"{'x' * 3_980} {number}")
        qtbot.wait(5)
        worst = max(worst, time.thread_time() - before)
    qtbot.waitUntil(lambda: page.writing.text.toPlainText().endswith(f" {number}"))
    assert 5 <= len(laid) <= 22
    assert worst < 0.05
