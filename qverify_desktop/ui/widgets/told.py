"""How runs and suspected defects are told in a list."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from qverify_desktop.domain.progress import RunStatus, RunSummary
from qverify_desktop.ui.widgets.rows import Row

_STATUS = {
    RunStatus.QUEUED: ("ring-dashed", "text-muted", "Waits for its turn."),
    RunStatus.RUNNING: ("ring-arc", "accent-text", "Running."),
    RunStatus.INTERRUPTED: ("triangle-alert", "warning", "Interrupted; open it to go on."),
    RunStatus.CANCELLED: ("square-stop", "warning", "Cancelled; open it to go on."),
    RunStatus.FAILED: ("square-x", "danger", "It could not be finished."),
}
_VERDICT = {
    "nothing_suspected": ("circle-check", "success"),
    "defects_suspected": ("diamond-alert", "danger"),
}


def verdict_shape(verdict: str) -> tuple[str, str]:
    """Icon and colour token of a verdict; anything unknown is a warning."""
    return _VERDICT.get(verdict, ("triangle-alert", "warning"))


def run_row(run: RunSummary) -> Row:
    """Name and day, the verdict's sentence below."""
    if run.status is RunStatus.FINISHED:
        (shape, colour), sentence = verdict_shape(run.verdict), run.sentence
    else:
        shape, colour, words = _STATUS[run.status]
        sentence = run.sentence or words
    name = PurePath(run.source).name or run.source
    day = run.started_at[:16].replace("T", " ")
    return Row(shape, colour, name, day, sentence, f"{name}: {sentence}", f"{run.source}\n{day} UTC, run {run.run}")


def defect_row(defect: dict[str, Any]) -> Row:
    """Symbol and confidence, call and place below. ``defect`` is an entry of ``suspected_defects``."""
    place = f"{defect['file']}:{defect['line']}"
    spoken = (
        f"{defect['symbol']} in {defect['file']}: {defect['call']} gives {defect['observed']}, "
        f"but the words say {defect['expected']}"
    )
    confidence = f"confidence {round(defect['confidence'] * 100)} %"
    return Row(
        "diamond-alert", "danger", defect["symbol"], confidence, f"{defect['call']}  in {place}", spoken, place
    )
