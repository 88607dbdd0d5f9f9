"""How far a run came, from its events alone."""

from __future__ import annotations

import pytest

from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, Stage
from qverify_desktop.ui.models.run_progress import RunProgress, Writing


def events(*parts) -> RunProgress:
    progress = RunProgress()
    for number, (kind, at_ms, more) in enumerate(parts, 1):
        progress.take(RunEvent("r", number, kind, at_ms=at_ms, **more))
    return progress


def started(stage, at):
    return EventKind.STAGE_STARTED, at, {"stage": stage}


def finished(stage, at, text=""):
    return EventKind.STAGE_FINISHED, at, {"stage": stage, "text": text}


def test_a_stage_goes_from_next_over_now_to_done():
    progress = events(started(Stage.INTAKE, 10), finished(Stage.INTAKE, 250, "12 files"), started(Stage.DETECT, 260))
    intake, detect = progress.stages[Stage.INTAKE], progress.stages[Stage.DETECT]
    assert (intake.state, intake.text, intake.elapsed_ms(9999)) == ("done", "12 files", 240)
    assert (detect.state, detect.elapsed_ms(1260)) == ("now", 1000)
    assert progress.stages[Stage.SEAL].elapsed_ms(9999) is None
    assert progress.current is detect


@pytest.mark.parametrize(
    ("status", "state"),
    [(RunStatus.CANCELLED, "cancelled"), (RunStatus.FAILED, "failed"), (RunStatus.INTERRUPTED, "warning")],
)
def test_the_stage_that_was_going_on_ends_with_the_run(status, state):
    progress = events(started(Stage.JUDGE, 0), (EventKind.STATUS, 500, {"status": status, "text": "Why."}))
    assert progress.stages[Stage.JUDGE].state == state
    assert (progress.status, progress.sentence) == (status, "Why.")


def test_the_share_grows_with_stages_and_inside_them():
    shares = []
    progress = RunProgress()
    steps = [
        RunEvent("r", 1, EventKind.STAGE_STARTED, Stage.JUDGE),
        RunEvent("r", 2, EventKind.PROGRESS, Stage.JUDGE, done=1, total=4),
        RunEvent("r", 3, EventKind.PROGRESS, Stage.JUDGE, done=3, total=4),
        RunEvent("r", 4, EventKind.STAGE_FINISHED, Stage.JUDGE),
        RunEvent("r", 5, EventKind.STATUS, status=RunStatus.FINISHED),
    ]
    for event in steps:
        progress.take(event)
        shares.append(progress.share)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


def test_nothing_is_said_about_the_rest_too_early():
    progress = events(started(Stage.INTAKE, 0))
    assert progress.remaining_ms(5000) is None
    assert progress.remaining_ms(5000, last_time_ms=30_000) == 25_000


def test_half_done_takes_as_long_again():
    progress = RunProgress()
    for number, stage in enumerate(Stage):
        if stage is not Stage.JUDGE:
            progress.take(RunEvent("r", number, EventKind.STAGE_FINISHED, stage))
    assert progress.remaining_ms(10_000) == 10_000


def test_a_late_or_repeated_event_changes_nothing():
    progress = events(started(Stage.INTAKE, 0), finished(Stage.INTAKE, 100, "x"))
    progress.take(RunEvent("r", 1, EventKind.STAGE_STARTED, Stage.INTAKE))
    assert progress.stages[Stage.INTAKE].state == "done"


def test_targets_go_through_their_stages():
    progress = RunProgress()
    for number, stage in enumerate((Stage.TARGETS, Stage.GENERATE, Stage.TRIAGE), 1):
        progress.take(RunEvent("r", number, EventKind.TARGET, stage, text=stage.value, target="a/b.py::C.m"))
    target = progress.targets["a/b.py::C.m"]
    assert (target.file, target.symbol, target.pips) == ("a/b.py", "C.m", ("done", "done", "done"))


def test_what_is_written_stays_until_something_else_is_or_the_stage_ends():
    writing = (EventKind.WRITING, 1, {"stage": Stage.GENERATE, "target": "a.py::f", "text": "def test"})
    ended = (EventKind.WRITING, 2, {"stage": Stage.GENERATE, "target": "a.py::f", "text": "def test", "done": 1})
    assert events(started(Stage.GENERATE, 0), writing).writing == Writing("a.py::f", "def test")
    assert events(started(Stage.GENERATE, 0), writing, ended).writing == Writing("a.py::f", "def test", over=True)
    assert events(writing, finished(Stage.BASELINE, 3)).writing is not None
    assert events(writing, finished(Stage.GENERATE, 3)).writing is None
    assert events(writing, (EventKind.STATUS, 3, {"status": RunStatus.CANCELLED})).writing is None
