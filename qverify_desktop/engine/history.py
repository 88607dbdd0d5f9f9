"""Finished runs of a repository with their numbers, and what a report shows beside one of them; blocking."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from qverify_desktop.analysis.details import step_name
from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import read_value
from qverify_desktop.domain.details import FileDetails, RunDetails
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.progress import RunStatus
from qverify_desktop.domain.report import Judged, Seal, Supplement
from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.results import RunResult, TestVerdict
from qverify_desktop.engine.questions.views import canonical, history_entry
from qverify_desktop.storage.decisions import DEFECT, DecisionStore
from qverify_desktop.storage.runs import RunStore, measures_of

#: Runs that a report shows.
MOST_RUNS = 30


def history_of(runs: RunStore, source: str) -> list[HistoryEntry]:
    """The finished runs of a source, however it was named, newest first."""
    wanted = canonical(source)
    names = [name for name in runs.sources() if canonical(name) == wanted]
    finished = [run for run in runs.of_sources(names) if run.status is RunStatus.FINISHED]
    measures = runs.measures([run.run for run in finished])
    return [history_entry(run, measures.get(run.run)) for run in finished]


def details_of(services: Services, result: RunResult) -> tuple[RunDetails, ...]:
    """What a run found line by line, a value per language; a run of an older version has none."""
    run = result.reused.run if result.reused else result.run
    digests = [services.journal.recorded(run, step_name(language)) for language in result.languages]
    return tuple(read_value(services.artefacts.get(digest), RunDetails) for digest in digests if digest is not None)


def seal_of(checked: dict[str, Any]) -> Seal:
    """The verifier's answer about a bundle."""
    return Seal(str(checked["grade"]), str(checked["meaning"]), str(checked["checkpoint"]))


def checked_seal(bundle: Path) -> Seal:
    """The seal of a kept bundle, which is verified for it."""
    from qverify_desktop.evidence.verify import MEANINGS, BundleUnreadable, verify_bundle

    try:
        return seal_of(verify_bundle(bundle))
    except BundleUnreadable as error:
        return Seal("INVALID", f"{MEANINGS['INVALID']} {error.sentence}")


class Supplements:
    """What the records hold beside a result. The same records give the same supplement."""

    def __init__(self, services: Services, runs: RunStore, decisions: DecisionStore) -> None:
        self._services = services
        self._runs = runs
        self._decisions = decisions

    def of(self, result: RunResult, seal: Seal) -> Supplement:
        """Raises ``MissingPrerequisite`` where the records can't be read."""
        decided = self._decisions.of(result.run, DEFECT)
        sources, left_out = self._sources(result)
        return Supplement(
            sources=sources,
            left_out=left_out,
            seal=seal,
            history=tuple(self._history(result)),
            judged={id_: Judged(one.decision, one.decided_at, one.note) for id_, one in decided.items()},
            commands=self._commands(result),
        )

    def _sources(self, result: RunResult) -> tuple[tuple[FileDetails, ...], tuple[str, ...]]:
        """Without secrets, because a report is handed on; what it has no room for is not looked at. Where the disk lost the sources,
        the rest of the report is written all the same: it is only a reading."""
        from qverify_desktop.export.html_sources import within_limits

        try:
            found = [file for one in details_of(self._services, result) for file in one.files]
            files = within_limits(result, found)
            masked = self._services.gateway.mask([{"role": "user", "content": file.text} for file in files])
            texts = (message["content"] for message in masked.messages)
            return tuple(replace(file, text=text) for file, text in zip(files, texts, strict=True)), ()
        except QVerifyError as error:
            return (), (f"The source line by line is not in this report. {error.sentence}",)

    def _history(self, result: RunResult) -> list[HistoryEntry]:
        """Runs up to this one; it is there itself also while it is not listed as finished yet."""
        row = self._runs.get(result.run)
        if row is None:
            return []
        verdicts = [test.verdict for test in result.tests]
        this = replace(
            row,
            status=RunStatus.FINISHED,
            stage="",
            verdict=result.verdict.value,
            sentence=result.sentence,
            accepted=verdicts.count(TestVerdict.ACCEPTED),
            refused=verdicts.count(TestVerdict.REFUSED),
            suspected=len(result.defects),
        )
        place = (row.started_at, row.run)
        earlier = [
            entry
            for entry in history_of(self._runs, result.request.source)
            if (entry["run"]["started_at"], entry["run"]["run"]) < place
        ]
        return [history_entry(this, measures_of(result)), *earlier[: MOST_RUNS - 1]]

    def _commands(self, result: RunResult) -> dict[str, str]:
        tests = {judged.test.id: judged.test for judged in result.tests}
        made = {}
        for defect in result.defects:
            test = tests.get(defect.test)
            room = next((one for one in self._services.languages if defect.file.endswith(one.endings)), None)
            if test is not None and room is not None:
                made[defect.id] = room.command(test)
        return made
