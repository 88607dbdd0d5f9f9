"""What the terminal shows, and what it must never pass on."""

import io
import json
import sys

import pytest

from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, Stage
from qverify_desktop.terminal.bar import BarProgress
from qverify_desktop.terminal.lines import finished_lines
from qverify_desktop.terminal.output import clean
from qverify_desktop.terminal.progress import PlainProgress
from qverify_desktop.terminal.screen import Screen, print_verification

DOCUMENT = {
    "run": "r1",
    "verdict": "defects_suspected",
    "sentence": "1 suspected defect.",
    "exit_code": 1,
    "accepted": 3,
    "refused": {"no_gain": 2, "flaky": 1},
    "suspected_defects": [
        {
            "file": "a\x1b[31m.py",
            "symbol": "f",
            "call": "f(1)",
            "expected": "2",
            "observed": "3",
            "evidence_text": ">>> f(1)\n2",
            "confidence": 0.9,
        }
    ],
    "coverage": {"before": {"lines": 0.5, "branches": None}, "after": {"lines": 0.75, "branches": None}},
    "mutation": {"before": None, "after": 0.5},
    "notices": ["Something to know."],
    "report": "/out/report.html",
    "bundle": "/out/r1.qvevidence.zip",
    "grade": "UNANCHORED",
}


def test_a_finished_run_in_lines(capsys: pytest.CaptureFixture[str]) -> None:
    Screen(False).print_document(DOCUMENT)
    told = capsys.readouterr().out
    assert "\x1b" not in told
    for words in (
        "1 suspected defect.",
        "f(1) gives 3, expected 2",
        "| >>> f(1)",
        "3 accepted, 3 refused",
        "2 no gain",
        "50.0 % → 75.0 %",
        "– → 50.0 %",
        "Something to know.",
        "/out/report.html",
        "UNANCHORED",
    ):
        assert words in told
    assert len(finished_lines(DOCUMENT)) < 25


def test_plain_progress_has_a_line_a_stage_and_does_not_flood(capsys: pytest.CaptureFixture[str]) -> None:
    plain = PlainProgress()
    plain.tell(RunEvent("r1", 1, EventKind.STATUS, status=RunStatus.RUNNING))
    plain.tell(RunEvent("r1", 2, EventKind.STAGE_STARTED, Stage.JUDGE, at_ms=1000))
    for done in range(1000):
        plain.tell(RunEvent("r1", 3, EventKind.PROGRESS, Stage.JUDGE, "x", done, 1000, at_ms=1500))
    plain.tell(RunEvent("r1", 4, EventKind.LOG, Stage.JUDGE, "odd \x1b[2Jname \udcff"))
    plain.tell(RunEvent("r1", 5, EventKind.STAGE_FINISHED, Stage.JUDGE, "done", at_ms=3500))
    told = capsys.readouterr()
    assert told.out == "" and "\x1b" not in told.err
    lines = told.err.splitlines()
    assert len(lines) == 5 and lines[-1].endswith("Judge the tests: done (2.5 s)")


def test_the_bar_takes_every_event_and_reads_no_markup(monkeypatch: pytest.MonkeyPatch) -> None:
    told = io.StringIO()
    monkeypatch.setattr(sys, "stderr", told)
    with BarProgress() as bar:
        bar.tell(RunEvent("r1", 1, EventKind.STATUS, status=RunStatus.RUNNING))
        bar.tell(RunEvent("r1", 2, EventKind.STAGE_STARTED, Stage.JUDGE))
        bar.tell(RunEvent("r1", 3, EventKind.PROGRESS, Stage.JUDGE, "[bold]x[/nope]", 1, 2))
        bar.tell(RunEvent("r1", 4, EventKind.LOG, Stage.JUDGE, "[link=http://x]y"))
        bar.tell(RunEvent("r1", 5, EventKind.STAGE_FINISHED, Stage.JUDGE, "all [red]done"))
        bar.tell(RunEvent("r1", 6, EventKind.LOG, None, "late"))
    assert "[link=http://x]y" in told.getvalue() and "all [red]done" in told.getvalue()


def test_a_verification_says_what_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    lines = ["INVALID. Don't rely on it.", "  problem: Entry 2 was changed\x1b[2J."]
    print_verification({"grade": "INVALID"}, iter(lines), False)
    assert capsys.readouterr().out.splitlines() == [
        "INVALID. Don't rely on it.",
        "  problem: Entry 2 was changed\ufffd[2J.",
    ]
    print_verification({"grade": "INVALID"}, iter(lines), True)
    assert json.loads(capsys.readouterr().out) == {"grade": "INVALID"}


def test_clean_keeps_letters_of_all_scripts() -> None:
    assert clean("naïve 名前 ✓\n") == "naïve 名前 ✓\n" and clean("\x07\x9b") == "\ufffd\ufffd"
