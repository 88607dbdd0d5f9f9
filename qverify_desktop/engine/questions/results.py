"""Questions about what a finished run found: its tests, its files, its source line by line, its suspected defects."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qverify_desktop.domain.details import FileDetails, line_states
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.result_views import (
    AssertionView,
    DefectView,
    FileView,
    MutantView,
    SourceLine,
    SourceView,
    TestDetail,
    TestView,
)
from qverify_desktop.domain.results import SENTENCES, Fraction, JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import FileCoverage, Label, Mutant, MutantStatus
from qverify_desktop.engine.questions import defects
from qverify_desktop.engine.questions.finished import FinishedRun, FinishedRuns
from qverify_desktop.engine.questions.views import measure_view
from qverify_desktop.storage.decisions import DEFECT, TEST

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: The judge's steps in their order, and at which of them each refusal happens.
STEPS = ("parses", "asserts", "passes", "5 of 5", "gains")
REFUSED_AT: Mapping[Reason, int] = {
    Reason.SYNTAX: 0,
    Reason.NOT_A_TEST: 0,
    Reason.TRIVIAL: 1,
    Reason.COMPILE: 0,
    Reason.NOT_COLLECTED: 2,
    Reason.WRONG_IMPORT: 2,
    Reason.FAILS: 2,
    Reason.CONTRADICTS_WORDS: 2,
    Reason.EXAMPLE_NOT_RUNNABLE: 2,
    Reason.OUT_OF_DATE: 2,
    Reason.OUTSIDE_DOMAIN: 2,
    Reason.INFRASTRUCTURE: 2,
    Reason.FLAKY: 3,
    Reason.NO_GAIN: 4,
    Reason.SUSPECTED_CODE: 4,
}
#: Mutants run against tests that passed five of five, and against no others.
RAN = (Reason.GAIN, Reason.NO_GAIN)


class ResultQuestions:
    """Blocking work goes to threads; results stay in memory for the next question."""

    def __init__(self, context: Context, finished: FinishedRuns) -> None:
        self._context = context
        self._finished = finished

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "run_tests": self.tests,
            "run_test": self.test,
            "run_files": self.files,
            "run_source": self.source,
            "run_defects": self.defects,
        }

    async def tests(self, run: str) -> list[TestView]:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._tests, run)

    def _tests(self, run: str) -> list[TestView]:
        decided = self._context.decisions.of(run, TEST)
        found = self._finished.get(run)
        return [
            test_view(judged, decided[id_].decision if id_ in decided else "") for id_, judged in found.tests.items()
        ]

    async def test(self, run: str, test: str) -> TestDetail:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._test, run, test)

    def _test(self, run: str, test: str) -> TestDetail:
        found = self._finished.get(run)
        judged = found.tests.get(test)
        if judged is None:
            raise BadInput(f"The run {run} has no test {test!r}.")
        decided = self._context.decisions.of(run, TEST).get(test)
        language = self._language(found, judged)
        code, first, last = self._placed(found, judged, language)
        return {
            "test": test_view(judged, decided.decision if decided else ""),
            "sentence": SENTENCES[judged.reason],
            "detail": judged.detail,
            "code": code,
            "first_line": first,
            "last_line": last,
            "language": language,
            "assertions": self._assertions(judged, language, first, code),
            "killed": [
                mutant_view(
                    mutant,
                    MutantStatus.KILLED if test in found.killed_by.get(mutant.id, ()) else MutantStatus.SURVIVED,
                )
                for mutant in found.mutants
                if judged.reason in RAN and mutant.line in found.reached.get(test, {}).get(mutant.file, ())
            ],
            "gained_lines": self._gained(found, judged),
            "steps": steps_of(judged),
        }

    def _language(self, found: FinishedRun, judged: JudgedTest) -> str:
        file = found.files.get(judged.test.target.partition("::")[0])
        return file.language if file is not None else (found.result.languages or ("python",))[0]

    def _placed(self, found: FinishedRun, judged: JudgedTest, language: str) -> tuple[str, int, int]:
        """The file it stands in, if it was accepted, otherwise one of its own; and its first and last line there."""
        rooms = {room.name: room for room in self._context.services.languages}
        text = found.result.files.get(judged.test.path, "")
        if judged.verdict is not TestVerdict.ACCEPTED or judged.test.name not in text:
            room = rooms.get(language)
            files = room.render([judged.test]) if room is not None else {}
            text = files.get(judged.test.path, judged.test.code)
        code = judged.test.code.strip("\n")
        lines = text.splitlines()
        starts = [
            i
            for i, line in enumerate(lines)
            if judged.test.name in line and line.lstrip().startswith(("def ", "async "))
        ]
        at = starts[0] if starts else 0
        while at > 0 and lines[at - 1].lstrip().startswith("@"):
            at -= 1
        end = at + 1
        while end < len(lines) and (not lines[end].strip() or lines[end][:1].isspace() or lines[end][:1] in ")]}"):
            end += 1
        while end > at + 1 and not lines[end - 1].strip():
            end -= 1
        return text, at + 1, max(at + len(code.splitlines()) if not starts else end, at + 1)

    def _assertions(self, judged: JudgedTest, language: str, first: int, code: str) -> list[AssertionView]:
        rooms = {room.name: room for room in self._context.services.languages}
        room = rooms.get(language)
        lines = code.splitlines()[first - 1 :]
        found = room.assertions("\n".join(lines)) if room is not None else []
        if not found and room is not None:
            found = room.assertions(judged.test.code)
        quote = judged.test.quote if judged.test.label is Label.SPECIFICATION else None
        length = len(judged.test.code.strip("\n").splitlines()) + 40
        return [
            {
                "line": first + line - 1,
                "text": text,
                "label": judged.test.label.value,
                "words": quote.text if quote else "",
                "file": quote.file if quote else "",
                "place_line": quote.line if quote else 0,
            }
            for line, text in found
            if line <= length and self._inside(lines, line)
        ]

    @staticmethod
    def _inside(lines: list[str], line: int) -> bool:
        """Whether a line still belongs to the first function of these lines."""
        heads = [i for i, text in enumerate(lines, 1) if text.startswith(("def ", "async def ", "class "))]
        return len(heads) < 2 or line < heads[1]

    def _gained(self, found: FinishedRun, judged: JudgedTest) -> list[int]:
        file = judged.test.target.partition("::")[0]
        details = found.files.get(file)
        reached = found.reached.get(judged.test.id, {}).get(file, frozenset())
        before = details.before.covered_lines if details is not None else frozenset()
        known = details.after.lines if details is not None else reached
        return sorted((reached & known) - before) if judged.gain.lines else []

    async def files(self, run: str) -> list[FileView]:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._files, run)

    def _files(self, run: str) -> list[FileView]:
        found = self._finished.get(run)
        tests = Counter(
            judged.test.target.partition("::")[0]
            for judged in found.result.tests
            if judged.verdict is TestVerdict.ACCEPTED
        )
        suspected = Counter(defect.file for defect in found.result.defects)
        paths = dict.fromkeys([*found.files, *tests, *suspected])
        return [self._file(path, found.files.get(path), tests[path], suspected[path]) for path in paths]

    @staticmethod
    def _file(path: str, file: FileDetails | None, tests: int, suspected: int) -> FileView:
        before, after = (file.before, file.after) if file is not None else (FileCoverage(), FileCoverage())
        return {
            "path": path,
            "language": file.language if file is not None else "",
            "lines": measure_view(
                *(Fraction(len(one.covered_lines & one.lines), len(one.lines)) for one in (before, after))
            ),
            "branches": measure_view(
                *(Fraction(len(one.covered_branches & one.branches), len(one.branches)) for one in (before, after))
            ),
            "tests": tests,
            "suspected": suspected,
        }

    async def source(self, run: str, file: str) -> SourceView:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._source, run, file)

    def _source(self, run: str, file: str) -> SourceView:
        found = self._finished.get(run)
        details = found.files.get(file)
        if details is None:
            why = "" if found.details else " It was analysed by an earlier version, which kept no source."
            raise BadInput(f"The run {run} kept no source of {file!r}.{why}", "Analyse the repository again.")
        if details.left_out:
            raise BadInput(f"The source of {file} can't be shown. {details.left_out}", "Open it in your editor.")
        reaching: Counter[int] = Counter()
        for test in found.accepted:
            reaching.update(found.reached.get(test, {}).get(file, ()))
        return {
            "path": file,
            "language": details.language,
            "text": details.text,
            "lines": source_lines(details, reaching),
            "mutants": [mutant_view(one, found.status(one.id)) for one in found.mutants if one.file == file],
            "defects": [view for view in self._defects(run) if view["file"] == file],
        }

    async def defects(self, run: str) -> list[DefectView]:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._defects, run)

    def _defects(self, run: str) -> list[DefectView]:
        return defects.views(
            self._finished.get(run).result, self._context.decisions.of(run, DEFECT), self._context.services.languages
        )


def test_view(judged: JudgedTest, decided: str) -> TestView:
    file, _, symbol = judged.test.target.partition("::")
    return {
        "id": judged.test.id,
        "file": file,
        "symbol": symbol,
        "path": judged.test.path,
        "name": judged.test.name,
        "verdict": judged.verdict.value,
        "decided": decided,
        "reason": judged.reason.value,
        "label": judged.test.label.value,
        "origin": judged.test.origin.value,
        "lines": judged.gain.lines,
        "branches": judged.gain.branches,
        "mutants": judged.gain.mutants,
    }


def mutant_view(mutant: Mutant, status: MutantStatus) -> MutantView:
    return {
        "id": mutant.id,
        "file": mutant.file,
        "line": mutant.line,
        "operator": mutant.operator,
        "original": mutant.original,
        "replacement": mutant.replacement,
        "status": status.value,
    }


def steps_of(judged: JudgedTest) -> list[list[str]]:
    """The five judgements: done before the one that refused it, open after it."""
    at = REFUSED_AT.get(judged.reason, len(STEPS))
    return [[name, "done" if i < at else "refused" if i == at else "open"] for i, name in enumerate(STEPS)]


def source_lines(file: FileDetails, reaching: Mapping[int, int]) -> list[SourceLine]:
    """Each executable line with its state before and after."""
    return [
        {"line": line, "before": before.value, "after": after.value, "tests": reaching.get(line, 0)}
        for line, (before, after) in line_states(file).items()
    ]
