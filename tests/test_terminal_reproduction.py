"""What a terminal shows of a reproduction: differences one by one, nothing that could steer it, progress in few lines."""

from __future__ import annotations

import json
from typing import Any

import pytest

from qverify_desktop.engine.reproduction_view import document_of
from qverify_desktop.terminal.reproduction import ReproductionProgress, lines_of, print_reproduction
from tests.ui.samples import reproduction


def document(outcome: str = "reproduced", **more: Any) -> dict[str, Any]:
    return document_of(reproduction.view(outcome, **more))  # type: ignore[arg-type]


def test_all_that_agrees_is_one_sentence() -> None:
    lines = lines_of(document())
    assert lines[0].startswith("UNANCHORED, REPRODUCED: 8 tests executed again")
    assert not any(line.startswith(("Differs", "Not run")) for line in lines)
    assert lines[-4].startswith("Signed record  /home/ada") and lines[-3].startswith("Report ")
    assert lines[-2].startswith("Verifier key   qverify.local/") and "--reproduction-key" in lines[-1]


def test_each_difference_is_shown_then_and_here() -> None:
    text = "\n".join(lines_of(document("differs")))
    assert text.startswith("UNANCHORED: Of 8 tests: 5 agree, 2 differ, 1 not run.")
    assert "Differs: tests/qverify/test_qv_ranges.py::test_page_bounds_last_page_is_shorter (accepted)" in text
    assert "Differs, flaky: tests/qverify/test_qv_ranges.py::test_compact_runs_become_ranges" in text
    assert "  test  page_bounds(3, 5, 12) should give (11, 12)\n" in text
    assert text.count("Next: ") == 2 and text.count("qverify runtimes load") == 1
    assert "  then  passed 5 of 5\n  here  failed 5 of 5, gave (11, 15)\n" in text
    assert "Not run: " in text and "Only 3 of 5 runs" in text
    assert text.count("made of another recipe") == 1


def test_what_stands_in_a_bundle_does_not_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    hostile = reproduction.compared("test_\x1b[2Jx", "a.py::b", "differs", now="\x9b31m", why="\x07")
    print_reproduction(document("differs", tests=[hostile]), as_json=False)
    out = capsys.readouterr().out
    assert "\x1b" not in out and "\x9b" not in out and "\x07" not in out and "[2Jx" in out


def test_the_document_is_printed_whole(capsys: pytest.CaptureFixture[str]) -> None:
    print_reproduction(document(), as_json=True)
    assert json.loads(capsys.readouterr().out) == document()


def test_progress_is_a_line_for_a_stage_or_a_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    progress = ReproductionProgress()
    for stage, done in (("verify", 0), ("verify", 0), ("judge", 0), ("judge", 1), ("judge", 55), ("judge", 56)):
        progress.tell({"stage": stage, "done": done, "total": 100})
    assert capsys.readouterr().err.splitlines() == [
        "Verifying the bundle …",
        "Executing (0 %) …",
        "Executing (50 %) …",
    ]
