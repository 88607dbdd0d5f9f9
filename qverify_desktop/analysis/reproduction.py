"""The order of a reproduction: the source as it was, the pinned images, every test again, and a signed record of all that."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from qverify_desktop import __version__
from qverify_desktop.analysis.cases import Case
from qverify_desktop.analysis.claims import Claims, LanguageClaim
from qverify_desktop.analysis.given_source import as_analysed
from qverify_desktop.analysis.installed_again import install_again
from qverify_desktop.analysis.intake import detect, take_snapshot
from qverify_desktop.analysis.judge import BATCH, REPETITIONS, VARIATIONS, Runs, Tried, run_batch
from qverify_desktop.analysis.ports import Reporter
from qverify_desktop.analysis.reproduce import advice_of, compare, compare_image, not_run, outcome_of, sentence_of
from qverify_desktop.analysis.services import Direct, Services
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.execution import RuntimeImage, isolation_of
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, language_title
from qverify_desktop.domain.reproduction import (
    Agreement,
    Compared,
    ComparedImage,
    ComparedPackage,
    Outcome,
    ReproductionRequest,
)
from qverify_desktop.domain.results import AnalysisRequest, TestVerdict
from qverify_desktop.languages.base import Language, RunVariation


@dataclass(frozen=True)
class Original:
    """Which bundle it is: for the record, so that the two can be put side by side."""

    run: str
    origin: str
    size: int
    checkpoint_sha256: str
    bundle_sha256: str
    grade: str


@dataclass(frozen=True)
class Reproduction:
    """What came of it. ``layout`` says where the source's files were taken from; durations in milliseconds."""

    outcome: Outcome
    sentence: str
    tests: tuple[Compared, ...]
    images: tuple[ComparedImage, ...]
    packages: tuple[ComparedPackage, ...]
    advice: tuple[str, ...]
    notices: tuple[str, ...]
    layout: str
    duration_ms: int
    sandbox_ms: int


async def reproduce(
    name: str,
    request: ReproductionRequest,
    original: Original,
    claims: Claims,
    services: Services,
    reporter: Reporter,
) -> Reproduction:
    """Execute again what a verified bundle claims, as the record ``name`` of this installation's log.

    The record is opened before anything runs and closed whatever happens, so that no reproduction can be left out unseen.
    Raises ``BadInput`` where the source is not what was analysed, ``MissingPrerequisite`` or ``SandboxFailure``.
    """
    asked = AnalysisRequest(
        request.source,
        sandbox=request.sandbox,
        allow_install=request.allow_install,
        packages=request.packages,
    )
    steps = Steps(name, asked, services.under(request.sandbox), Direct(), reporter)
    await _open(steps, original, claims)
    try:
        result = await _executed(steps, request, original, claims)
    except BaseException as error:
        refused = isinstance(error, BadInput)
        sentence = str(error) if isinstance(error, QVerifyError) else "It was stopped."
        await asyncio.shield(_close(steps, "refused" if refused else "stopped", sentence))
        raise
    await _close(steps, result.outcome.value, result.sentence)
    return result


async def _open(steps: Steps, original: Original, claims: Claims) -> None:
    async def body(context: StepContext) -> bool:
        context.record(
            "run_opened",
            {
                "kind": "reproduction",
                "about": original.run,
                "application": __version__,
                "of": asdict(original),
                "tree": claims.tree,
                "tests": claims.tests,
                "isolation": isolation_of(steps.request.sandbox).value,
            },
        )
        return True

    await steps.step("open", bool, body)
    await asyncio.to_thread(steps.services.journal.checkpoint, steps.run)


async def _close(steps: Steps, outcome: str, sentence: str) -> None:
    async def body(context: StepContext) -> bool:
        context.record("run_closed", {"outcome": outcome}, {"sentence": sentence.encode("utf-8", "replace")})
        return True

    await steps.step("close", bool, body)
    await asyncio.to_thread(steps.services.journal.checkpoint, steps.run)


async def _executed(steps: Steps, request: ReproductionRequest, original: Original, claims: Claims) -> Reproduction:
    snapshot, layout = await as_analysed(steps, claims, await take_snapshot(steps))
    projects = {project.language: project for project in await detect(steps, snapshot)}
    tests: list[Compared] = []
    images: list[ComparedImage] = []
    packages: list[ComparedPackage] = []
    hints: list[str] = []
    packages_same = True
    notices = _notices(steps, claims)
    steps.reporter.started(Stage.JUDGE)
    total = sum(len(one.cases) for one in claims.languages) * REPETITIONS
    counter = _Counter(steps.reporter, total)
    for claim in claims.languages:
        image, used = await _image(steps, claim, request.other_image)
        images.append(used)
        tests += [
            Compared(one.id, claim.language, one.target, one.verdict.value, Agreement.NOT_RUN, "", "", one.why)
            for one in claim.unusable
        ]
        project = projects.get(claim.language)
        if image is None or project is None:
            title = language_title(claim.language)
            why = used.sentence if image is None else f"No {title} that could be tested is seen in the source here."
            tests += [not_run(claim.language, verdict, case, why) for verdict, case in claim.cases]
            continue
        steps.image, steps.dependencies = image, None
        again = await install_again(steps, project, claim.installed)
        packages += again.compared
        packages_same = packages_same and again.same
        hints += [again.advice] if again.advice else []
        notices += [again.problem] if again.problem else again.notices
        if again.problem:
            # What fails for want of packages would be no difference of the tests.
            why = "The packages that the run had are not installed here."
            tests += [not_run(claim.language, verdict, case, why) for verdict, case in claim.cases]
            continue
        tests += await _again(steps, snapshot, project, claim, counter)
    outcome = outcome_of(tests, images, packages_same)
    sentence = sentence_of(outcome, tests)
    notices += [image.sentence for image in images if image.sentence]

    async def body(context: StepContext) -> bool:
        count = {state.value: sum(test.state is state for test in tests) for state in Agreement}
        context.record(
            "reproduced",
            {
                "about": original.run,
                "of": asdict(original),
                "outcome": outcome.value,
                "tree": claims.tree,
                "layout": layout,
                "images": [
                    {"language": one.language, "pinned": one.pinned, "used": one.used, "same": one.same}
                    for one in images
                ],
                "packages_same": packages_same,
                "repetitions": REPETITIONS,
                "tests": len(tests),
                **count,
            },
            {"sentence": sentence.encode("utf-8", "replace")},
        )
        return True

    await steps.step("result", bool, body)
    steps.reporter.finished(Stage.JUDGE, sentence)
    spent = steps.spent
    return Reproduction(
        outcome,
        sentence,
        tuple(tests),
        tuple(images),
        tuple(packages),
        () if outcome is Outcome.REPRODUCED else advice_of(tests, images, hints),
        tuple(dict.fromkeys(notices)),
        layout,
        spent.elapsed_ms,
        spent.sandbox_ms,
    )


def _notices(steps: Steps, claims: Claims) -> list[str]:
    """What is otherwise here than where the run was made."""
    told = []
    if claims.application and claims.application != __version__:
        told.append(f"The run was made by QVerify {claims.application}, and this is {__version__}.")
    here = isolation_of(steps.request.sandbox)
    if here is not claims.isolation:
        told.append(f"The run's isolation was {claims.isolation.value}, and here it is {here.value}.")
    return told


# The images


async def _image(steps: Steps, claim: LanguageClaim, other: bool) -> tuple[RuntimeImage | None, ComparedImage]:
    """The image to execute in, ``None`` where there is none, and how it stands to the pinned one."""
    steps.reporter.started(Stage.IMAGE)

    async def body(context: StepContext) -> _Found:
        exact, here = await context.services.sandbox.pinned(claim.pin)
        if exact is None and other:
            here = await context.services.sandbox.image(
                claim.pin.runtime, lambda line: steps.reporter.log(Stage.IMAGE, line)
            )
        compared = compare_image(claim.language, claim.pin, exact, here)
        image = exact or (here if other else None)
        context.record(
            "image_compared",
            {
                "language": claim.language,
                "runtime": claim.pin.runtime,
                "pinned": claim.pin.digest,
                "used": image.digest if image else "",
                "same": compared.same,
                "isolation": image.isolation if image else "",
            },
        )
        return _Found(image, compared if image else replace(compared, used=""))

    found = await steps.step(f"{claim.language}.image", _Found, body)
    steps.reporter.finished(Stage.IMAGE, found.compared.sentence or f"{claim.pin.digest[7:19]}, as pinned")
    return found.image, found.compared


@dataclass(frozen=True)
class _Found:
    """Result of the step that looks for the image."""

    image: RuntimeImage | None
    compared: ComparedImage


# The tests


@dataclass
class _Counter:
    """Tells how many executions of single tests are done."""

    reporter: Reporter
    total: int
    done: int = 0

    def add(self, count: int) -> None:
        self.done += count
        self.reporter.progress(Stage.JUDGE, self.done, self.total, f"{self.done} of {self.total} executions")


async def _again(
    steps: Steps, snapshot: Snapshot, project: Project, claim: LanguageClaim, counter: _Counter
) -> list[Compared]:
    """Each test five times, varied as in the run that judged it. What is accepted runs apart from what is suspected."""
    language = steps.services.language(project.language)
    left_out, runnable = _sorted_out(snapshot, claim)
    batches = [
        [case for wanted, case in runnable if wanted is verdict][start : start + BATCH]
        for verdict in (TestVerdict.ACCEPTED, TestVerdict.SUSPECTED)
        for start in range(0, sum(wanted is verdict for wanted, _ in runnable), BATCH)
    ]
    counter.add(len(left_out) * REPETITIONS)

    async def body(context: StepContext) -> tuple[Compared, ...]:
        runs = await asyncio.gather(
            *(
                _one_run(context, language, project, batch, variation, counter)
                for variation in VARIATIONS
                for batch in batches
            )
        )
        outcomes: dict[str, Tried] = {}
        for run in runs:
            for tried in run.tried:
                before = outcomes.get(tried.test.id)
                outcomes[tried.test.id] = (
                    tried
                    if before is None
                    else replace(
                        before,
                        outcomes=before.outcomes + tried.outcomes,
                        collection_error=before.collection_error or tried.collection_error,
                    )
                )
        compared = (
            *left_out,
            *(compare(claim.language, verdict, case, outcomes[case.test.id]) for verdict, case in runnable),
        )
        for one in compared:
            context.record("test_compared", _told(one), _contents(one))
        return compared

    return list(await steps.step(f"{claim.language}.again", tuple[Compared, ...], body))


async def _one_run(
    context: StepContext,
    language: Language,
    project: Project,
    batch: Sequence[Case],
    variation: RunVariation,
    counter: _Counter,
) -> Runs:
    run = await run_batch(context, language, project, [case.test for case in batch], variation, coverage=False)
    counter.add(len(batch))
    return run


def _sorted_out(snapshot: Snapshot, claim: LanguageClaim) -> tuple[list[Compared], list[tuple[TestVerdict, Case]]]:
    """Tests that may not be executed: one whose file would take the place of a file of the source would test its own code, and a
    name that stands twice is ambiguous."""
    taken = {*snapshot.files, *(str(folder) for file in snapshot.files for folder in Path(file).parents)}
    left_out: list[Compared] = []
    runnable: list[tuple[TestVerdict, Case]] = []
    seen: set[str] = set()
    for verdict, case in claim.cases:
        if case.test.path in taken:
            why = "Its file would replace a file of the source."
        elif case.test.id in seen:
            why = "The bundle has another test of this name."
        else:
            seen.add(case.test.id)
            runnable.append((verdict, case))
            continue
        left_out.append(not_run(claim.language, verdict, case, why))
    return left_out, runnable


def _told(one: Compared) -> dict[str, Any]:
    return {
        "test": one.id,
        "target": one.target,
        "verdict": one.verdict,
        "state": one.state.value,
        "passed": one.passed,
        "failed": one.failed,
        "of": REPETITIONS,
    }


def _contents(one: Compared) -> dict[str, bytes]:
    texts = {"was": one.was, "now": one.now, "why": one.why, "code": one.code}
    return {key: text.encode("utf-8", "replace") for key, text in texts.items() if text}
