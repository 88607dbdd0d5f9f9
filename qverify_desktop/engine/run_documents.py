"""What is said of a run: its result, and the document that ``qverify show`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qverify_desktop.analysis.services import Services
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.results import RunResult
from qverify_desktop.engine import delivery, wire
from qverify_desktop.engine.events import RunStatus, RunSummary


def result_of(services: Services, run: str) -> RunResult:
    """Blocking. Raises ``BadInput`` for a run that has no result yet."""
    # Names the steps of an analysis, which a start of the application need not read.
    from qverify_desktop.analysis.steps import read_value
    from qverify_desktop.analysis.workflow import RESULT_STEP

    digest = services.journal.recorded(run, RESULT_STEP)
    if digest is None:
        raise BadInput(f"The run {run} has no result yet.", f"Go on with: qverify resume {run}")
    return read_value(services.artefacts.get(digest), RunResult)


def finished(home: Path, run: str, result: RunResult) -> dict[str, Any]:
    """The document of a finished run, as ``docs/analyze.schema.json`` describes it. Blocking."""
    from qverify_desktop.export.document import analyze_document

    left = delivery.delivered(home, run)
    bundle, report, grade = (left.bundle, left.report, left.grade) if left else ("", "", "")
    document = analyze_document(result, bundle, report, grade)
    document["status"] = RunStatus.FINISHED.value
    if left is not None and left.notices:
        document["notices"] = [*document.get("notices", []), *left.notices]
    return document


def unfinished(summary: RunSummary, failures: Mapping[str, QVerifyError]) -> dict[str, Any]:
    """The document of a run that is not finished; ``failures`` are those of this process, by run."""
    document: dict[str, Any] = {
        "run": summary.run,
        "status": summary.status.value,
        "source": summary.source,
        "started_at": summary.started_at,
        "stage": summary.stage,
        "sentence": summary.sentence,
        "exit_code": 4,
    }
    failure = failures.get(summary.run)
    if failure is None and summary.status is not RunStatus.RUNNING and summary.sentence:
        failure = QVerifyError(summary.sentence)
    if failure is not None:
        document["error"] = wire.error_to_json(failure)
        document["exit_code"] = failure.exit_code
    return document
