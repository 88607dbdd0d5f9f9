"""Answers reach the widgets that asked, and nobody else."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QObject

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus
from qverify_desktop.engine.messages import OwnerGone
from qverify_desktop.ui.bridge import EngineBridge
from tests.ui.desk import ScriptedEngine

pytestmark = pytest.mark.ui


def test_an_answer_reaches_its_asker(make, qtbot):
    engine, desk = make({"run_list": [1, 2]})
    asker, got = QObject(), []
    desk.bridge.ask(asker, "run_list", got.append)
    qtbot.waitUntil(lambda: got == [[1, 2]])
    assert engine.asked == [("run_list", {})]


def test_an_error_is_told_as_a_problem(make, qtbot):
    _, desk = make({"run_list": BadInput("No.", "Do this.")})
    asker, problems = QObject(), []
    desk.bridge.problem.connect(problems.append)
    desk.bridge.ask(asker, "run_list", lambda _: problems.append("answered"))
    qtbot.waitUntil(lambda: bool(problems))
    assert (problems[0].sentence, problems[0].remedy) == ("No.", "Do this.")


def test_an_error_reaches_who_wants_it(make, qtbot):
    _, desk = make({"run_list": BadInput("No.")})
    asker, failed, problems = QObject(), [], []
    desk.bridge.problem.connect(problems.append)
    desk.bridge.ask(asker, "run_list", print, failed=failed.append)
    qtbot.waitUntil(lambda: bool(failed))
    assert problems == []


def test_a_newer_question_overtakes(make, qtbot):
    _, desk = make({"run_test": lambda test: test})
    asker, got = QObject(), []
    for test in ("a", "b", "c"):
        desk.bridge.ask(asker, "run_test", got.append, key="test", test=test)
    qtbot.waitUntil(lambda: "c" in got)
    assert got == ["c"]


def test_who_is_gone_gets_no_answer(make, qtbot):
    engine, desk = make({"run_list": [1]})
    asker, other, got = QObject(), QObject(), []
    desk.bridge.ask(asker, "run_list", got.append)
    import shiboken6

    shiboken6.delete(asker)
    desk.bridge.ask(other, "run_list", lambda _: got.append("other"))
    qtbot.waitUntil(lambda: got == ["other"])
    assert len(engine.asked) == 2


def test_events_of_a_run_are_followed_to_its_end(make, qtbot):
    engine, desk = make()
    engine.events = [
        RunEvent("r", 1, EventKind.LOG, text="one"),
        RunEvent("r", 2, EventKind.STATUS, status=RunStatus.FINISHED),
    ]
    asker, heard = QObject(), []
    desk.bridge.watch(asker, "r", heard.append)
    qtbot.waitUntil(lambda: len(heard) == 2)


def test_an_engine_that_does_not_open_is_told(make, loop, qtbot):
    async def broken():
        raise QVerifyError("The folder is full.", "Make room.")

    bridge, told, failed = EngineBridge(broken), [], []
    bridge.unavailable.connect(told.append)
    bridge.connect_engine()
    asker = QObject()
    bridge.ask(asker, "run_list", print, failed=failed.append)
    qtbot.waitUntil(lambda: bool(told) and bool(failed))
    assert told[0].sentence == "The folder is full."


class Owner(ScriptedEngine):
    """An engine of another process, which ends when ``gone`` is set."""

    def __init__(self, answers):
        super().__init__(answers)
        self.gone = asyncio.Event()

    async def changes(self):
        yield ""
        await self.gone.wait()
        raise OwnerGone("The QVerify process that owned the state folder has ended.")


def test_when_the_owner_ends_the_next_one_is_asked(loop, qtbot):
    first, second = Owner({"run_list": ["first"]}), Owner({"run_list": ["second"]})
    opened = [first, second]

    async def open_engine():
        return opened.pop(0)

    bridge, ready, changed, asker, got = EngineBridge(open_engine), [], [], QObject(), []
    bridge.ready.connect(lambda: ready.append(True))
    bridge.changed.connect(changed.append)
    bridge.connect_engine()
    qtbot.waitUntil(lambda: changed == [""])
    first.gone.set()
    qtbot.waitUntil(lambda: changed == ["", ""])
    bridge.ask(asker, "run_list", got.append)
    qtbot.waitUntil(lambda: got == [["second"]])
    assert len(ready) == 2


def test_an_owner_that_never_listens_is_not_tried_again_and_again(loop, qtbot):
    class Deaf(ScriptedEngine):
        async def changes(self):
            raise QVerifyError("It does not know this question.")
            yield ""

    opens = []

    async def open_engine():
        opens.append(True)
        return Deaf({"run_list": [1]})

    bridge, asker, got = EngineBridge(open_engine), QObject(), []
    bridge.connect_engine()
    bridge.ask(asker, "run_list", got.append)
    qtbot.waitUntil(lambda: got == [[1]])
    qtbot.wait(100)
    assert opens == [True]
