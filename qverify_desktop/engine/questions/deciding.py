"""What a person decides about a finished run, and what is written because of it. Each decision is an entry of the evidence log."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.result_views import DiffView, WrittenView
from qverify_desktop.domain.results import RunResult, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.engine.delivery import write_for_person
from qverify_desktop.engine.questions import defects
from qverify_desktop.engine.questions.finished import FinishedRuns
from qverify_desktop.engine.records import record_about
from qverify_desktop.export.formats import FORMATS
from qverify_desktop.repository import giving
from qverify_desktop.storage.decisions import DEFECT, TEST, Decision

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

TEST_DECISIONS = ("accepted", "refused", "")
DEFECT_DECISIONS = ("confirmed", "dismissed", "")
FORMS = ("branch", "patch", "worktree")
MOST_NOTE = 2_000
#: A test that a person may accept: one that passed five of five.
ACCEPTABLE = ("gain", "no_gain")


class DecisionQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context, finished: FinishedRuns) -> None:
        self._context = context
        self._finished = finished

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "tests_decide": self.decide_tests,
            "defect_decide": self.decide_defect,
            "run_diff": self.diff,
            "run_write": self.write,
        }

    async def decide_tests(self, run: str, tests: Sequence[str], decision: str) -> None:
        """Raises ``BadInput`` for an unknown test, or one that may not be accepted because it does not pass."""
        run = await self._context.find(run)
        await asyncio.to_thread(self._decide_tests, run, list(tests), decision)
        self._context.changed(run)

    def _decide_tests(self, run: str, tests: list[str], decision: str) -> None:
        if decision not in TEST_DECISIONS:
            raise BadInput(f"The decision {decision!r} is not one of accepted, refused or empty.")
        known = self._finished.get(run).tests
        unknown = [test for test in tests if test not in known]
        if unknown or not tests:
            raise BadInput(f"The run {run} has no test {unknown[0]!r}." if unknown else "No test was named.")
        if decision == "accepted":
            failing = [test for test in tests if known[test].reason.value not in ACCEPTABLE]
            if failing:
                raise BadInput(
                    f"{failing[0]} did not pass five of five, so it can't be accepted. Nothing was changed.",
                    "Accept tests that pass; a failing one is worth a look at its reason.",
                )
        self._record(run, TEST, tests, Decision(decision, "", _now()))

    async def decide_defect(self, run: str, defect: str, decision: str, note: str = "") -> None:
        """Raises ``BadInput`` for an unknown suspected defect."""
        run = await self._context.find(run)
        await asyncio.to_thread(self._decide_defect, run, defect, decision, note)
        self._context.changed(run)

    def _decide_defect(self, run: str, defect: str, decision: str, note: str) -> None:
        if decision not in DEFECT_DECISIONS:
            raise BadInput(f"The decision {decision!r} is not one of confirmed, dismissed or empty.")
        known = {defects.defect_id(one) for one in self._finished.get(run).result.defects}
        if defect not in known:
            raise BadInput(f"The run {run} has no suspected defect {defect!r}.")
        self._record(run, DEFECT, [defect], Decision(decision, note[:MOST_NOTE], _now()))

    def _record(self, run: str, kind: str, subjects: list[str], decision: Decision) -> None:
        """First the log, then the table: a decision that is shown is one that is recorded."""
        ids = json.dumps(sorted(subjects), separators=(",", ":")).encode()
        data = {
            "kind": kind,
            "decision": decision.decision or "taken_back",
            "count": len(subjects),
            "subjects_sha256": hashlib.sha256(ids).hexdigest(),
        }
        blobs = {"subjects": ids}
        if decision.note:
            blobs["note"] = decision.note.encode("utf-8", "replace")
        self._log(run, "decision", data, blobs)
        self._context.decisions.decide(run, kind, subjects, decision)

    def _log(self, run: str, type: str, data: Mapping[str, Any], blobs: Mapping[str, bytes]) -> None:
        record_about(self._context.services, run, type, data, blobs)

    # Writing

    def chosen(self, run: str) -> RunResult:
        """The result with the test files as a person wants them: what the judge accepted, changed by decisions."""
        found = self._finished.get(run)
        decided = {test: one.decision for test, one in self._context.decisions.of(run, TEST).items()}
        if not decided:
            return found.result
        kept = [
            judged.test
            for id_, judged in found.tests.items()
            if decided.get(id_, "accepted" if judged.verdict is TestVerdict.ACCEPTED else "") == "accepted"
        ]
        return replace(found.result, files=self._render(found.result, kept))

    def _render(self, result: RunResult, tests: Sequence[GeneratedTest]) -> Mapping[str, str]:
        files: dict[str, str] = {}
        rooms = {room.name: room for room in self._context.services.languages}
        for language in result.languages:
            if language in rooms:
                files.update(rooms[language].render(tests))
        return files

    async def diff(self, run: str) -> DiffView:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._diff, run)

    def _diff(self, run: str) -> DiffView:
        result = self.chosen(run)
        return {"text": FORMATS["patch"](result).decode("utf-8", "replace"), "files": sorted(result.files)}

    async def write(self, run: str, form: str, place: str = "") -> WrittenView:
        """Raises ``BadInput`` when it can't be written; then nothing was."""
        run = await self._context.find(run)
        return await asyncio.to_thread(self._write, run, form, place)

    def _write(self, run: str, form: str, place: str) -> WrittenView:
        if form not in FORMS:
            raise BadInput(f"There is no way {form!r} to write tests.", "Choose branch, patch or worktree.")
        result = self.chosen(run)
        if not result.files:
            raise BadInput("No test is accepted, so there is nothing to write.", "Accept tests first.")
        self._log(run, "write_intended", {"form": form, "files": len(result.files)}, {})
        written = self._written(result, form, place)
        text = FORMATS["patch"](result)
        self._log(
            run,
            "written",
            {"form": form, "files": len(written["files"]), "patch_sha256": hashlib.sha256(text).hexdigest()},
            {"place": written["place"].encode("utf-8", "replace")},
        )
        return written

    def _written(self, result: RunResult, form: str, place: str) -> WrittenView:
        folder = Path(result.request.source)
        count = _counted(len(result.files))
        if form == "patch":
            target = Path(place)
            if not target.is_absolute():
                raise BadInput("The patch needs a file with an absolute path.")
            write_for_person(target, FORMATS["patch"](result))
            sentence = f"The patch adds {count}. Apply it with: git apply {place}"
            return {"form": form, "place": place, "files": sorted(result.files), "sentence": sentence}
        if not folder.is_absolute() or not folder.is_dir():
            raise BadInput(
                f"{result.request.source} is no folder of this machine, so nothing can be written into it.",
                "Write a patch instead.",
            )
        if form == "worktree":
            given = giving.give_files(folder, result.files)
            sentence = f"{count} written into {given.place}. Nothing that was there was changed."
            return {"form": form, "place": given.place, "files": list(given.files), "sentence": sentence}
        message = f"Add tests written by QVerify Desktop (run {result.run})"
        given = giving.give_branch(folder, place, result.commit or "", result.files, message)
        sentence = f"The branch {place} has one commit more with {count}. Your work tree is as it was."
        return {"form": form, "place": place, "files": list(given.files), "sentence": sentence}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _counted(count: int) -> str:
    return "1 test file" if count == 1 else f"{count} test files"
