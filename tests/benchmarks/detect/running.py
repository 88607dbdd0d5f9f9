"""One corpus through the engine: analysed with its defects, analysed without, and every test replayed on both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from qverify_desktop.analysis.services import Direct, Services
from qverify_desktop.analysis.workflow import analyze
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest, RunResult, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Status
from qverify_desktop.languages.base import Language
from tests.benchmarks.detect.corpus import Case, Corpus
from tests.integration.languages.analysing import Quiet

#: Tests a container in a replay.
BATCH = 300


@dataclass(frozen=True)
class Replayed:
    """A test with what it does on the code with the defect and on the code without."""

    judged: JudgedTest
    fails_on_buggy: bool
    fails_on_canonical: bool

    @property
    def suspected(self) -> bool:
        return self.judged.verdict is TestVerdict.SUSPECTED

    @property
    def catch(self) -> bool:
        return self.fails_on_buggy and not self.fails_on_canonical

    @property
    def wrong(self) -> bool:
        return self.fails_on_canonical and self.fails_on_buggy

    @property
    def frozen_in(self) -> bool:
        """It passes on the defect and would fail once that is mended."""
        return not self.fails_on_buggy and self.fails_on_canonical

    @property
    def specification(self) -> bool:
        return self.judged.test.label is Label.SPECIFICATION


@dataclass(frozen=True)
class Found:
    """What the engine made of a corpus. Seconds of the analysis with the defects."""

    corpus: Corpus
    tests: tuple[Replayed, ...]
    false_alarms: tuple[JudgedTest, ...]
    seconds: float
    buggy: RunResult
    canonical: RunResult

    def of(self, case: Case) -> list[Replayed]:
        return [one for one in self.tests if case.holds(one.judged.test.target.partition("::")[0])]

    def by_form(self) -> dict[str, tuple[int, int]]:
        """For each form of words how many accusations were right, of how many; an accusation of right code is one more."""
        catches = {one.judged.test.id for one in self.tests if one.catch}
        accused = {(d.file, d.call, d.expected): (d.form, d.test in catches) for d in self.canonical.defects}
        accused |= {(d.file, d.call, d.expected): (d.form, d.test in catches) for d in self.buggy.defects}
        forms: dict[str, tuple[int, int]] = {}
        for form, right in accused.values():
            rights, all_ = forms.get(form, (0, 0))
            forms[form] = (rights + right, all_ + 1)
        return dict(sorted(forms.items()))

    def caught(self, case: Case) -> bool:
        return any(one.suspected and one.catch for one in self.of(case))


async def run(corpus: Corpus, services: Services, folder: Path) -> Found:
    """Both analyses and the replay. ``folder`` takes the repositories."""
    for state in ("buggy", "canonical"):
        write(folder / state, corpus.repository(state))
    began = time.monotonic()
    buggy = await _analysed(services, folder / "buggy", f"{corpus.language}-buggy")
    seconds = time.monotonic() - began
    canonical = await _analysed(services, folder / "canonical", f"{corpus.language}-canonical")
    language = services.language(corpus.language)
    # Hypothesis and the like draw inputs: only tests of fixed inputs are replayed, and those that were refused unread are not.
    tests = [one.test for one in buggy.tests]
    on_buggy = await replay(services, language, f"{corpus.language}-buggy", tests)
    on_canonical = await replay(services, language, f"{corpus.language}-canonical", tests)
    replayed = tuple(
        Replayed(one, on_buggy[one.test.id] is Status.FAILED, on_canonical[one.test.id] is Status.FAILED)
        for one in buggy.tests
        if on_buggy.get(one.test.id) in (Status.PASSED, Status.FAILED)
        and on_canonical.get(one.test.id) in (Status.PASSED, Status.FAILED)
    )
    alarms = tuple(one for one in canonical.tests if one.verdict is TestVerdict.SUSPECTED)
    return Found(corpus, replayed, alarms, seconds, buggy, canonical)


def write(folder: Path, files: Mapping[str, str]) -> None:
    """Files below a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


async def _analysed(services: Services, source: Path, run: str) -> RunResult:
    request = AnalysisRequest(source=str(source), max_targets=10_000)
    return await analyze(run, request, services, Direct(), Quiet())


async def replay(
    services: Services, language: Language, run: str, tests: Sequence[GeneratedTest]
) -> dict[str, Status]:
    """What each test does on the snapshot that a run has taken."""
    source = services.workspace / run / "tree"
    snapshot = await asyncio.to_thread(
        services.repositories.take_snapshot, str(source), services.workspace / f"{run}-replay", None
    )
    project = await asyncio.to_thread(language.detect, snapshot)
    if project is None:
        raise SystemExit(f"{language.name} does not see itself in its own corpus.")
    image = await services.sandbox.image(project.runtime)
    found: dict[str, Status] = {}
    for number in range(0, len(tests), BATCH):
        files = language.render(tests[number : number + BATCH])
        job = language.suite_job(project, files, coverage=False)
        result = await services.sandbox.run(job, image, Path(snapshot.root), run=f"{run}-replay")
        suite = language.read_suite(project, result)
        for outcome in suite.outcomes:
            key = outcome.id.partition("[")[0]
            if found.get(key) is not Status.FAILED:
                found[key] = outcome.status
    return found
