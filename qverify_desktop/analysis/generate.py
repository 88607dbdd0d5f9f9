"""Stage generate: candidates from the repository's own words, from types, from observed behaviour, from a model."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from qverify_desktop.analysis.baseline import uncovered_lines
from qverify_desktop.analysis.context import Survey, survey
from qverify_desktop.analysis.live import Live
from qverify_desktop.analysis.model_tests import (
    MOST_SURVIVORS,
    ModelOutcome,
    ModelUnavailable,
    budget_left,
    write_for_survivors,
    write_model_tests,
)
from qverify_desktop.analysis.mutation import RunMutant
from qverify_desktop.analysis.secrets import without_secrets
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.model import Asker, CloudPolicy
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Promise, Snapshot, Target
from qverify_desktop.domain.results import JudgedTest
from qverify_desktop.domain.testing import FileCoverage, GeneratedTest, Mutant, MutantStatus, Origin
from qverify_desktop.languages.base import Language

NO_MODEL = "none"
#: Targets that the existing tests reach whole are observed too, since those may notice no change; but only so many.
MOST_TESTED = 20
#: So many failures of the model's end point in a row end its use in this run.
FAILURES = 3


@dataclass(frozen=True)
class Candidates:
    """Tests to be judged, tests that were refused while they were written, and remarks for the report."""

    tests: tuple[GeneratedTest, ...] = ()
    refused: tuple[JudgedTest, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass
class Allowance:
    """What may still be done for the batches to come. ``untested``: targets of the whole run that the model could be asked
    about, ``asked`` those that it was, ``tested`` how many that are tested already may still be observed. ``known`` is the
    project's survey, made when the model is first asked."""

    untested: int
    asked: int = 0
    given_up: bool = False
    tested: int = MOST_TESTED
    known: Survey | None = None

    async def survey(self, snapshot: Snapshot, project: Project, language: Language) -> Survey:
        if self.known is None:
            self.known = await asyncio.to_thread(survey, snapshot, project, language)
        return self.known


async def write_tests(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    coverage: Mapping[str, FileCoverage],
    promised: Candidates,
    allowance: Allowance,
    part: str,
    *,
    words_only: bool = False,
) -> Candidates:
    """All candidates for these targets, in the order in which the judge prefers them; ``promised`` are those from the
    repository's own words, and ``words_only`` leaves it at them. ``part`` begins the names of the steps."""
    steps.reporter.started(Stage.GENERATE)
    if words_only:
        promised = await _without_secrets(steps, snapshot, promised)
        steps.reporter.finished(Stage.GENERATE, _summary(promised.tests))
        return promised
    steps.reporter.progress(Stage.GENERATE, 1, 3, f"{len(promised.tests)} tests from the repository's own words")
    untested = [t for t in targets if uncovered_lines(t, coverage)]
    modelled = await from_model(steps, snapshot, project, untested, allowance, part, coverage)
    steps.reporter.progress(Stage.GENERATE, 2, 3, "Observing what the code does")
    tested = [t for t in targets if t not in untested][: allowance.tested]
    allowance.tested -= len(tested)
    observed = await _from_observation(steps, snapshot, project, [*untested, *tested], part)
    parts = (promised, modelled, observed)
    tests = _unique([test for part in parts for test in part.tests])
    candidates = Candidates(
        tuple(tests),
        tuple(judged for part in parts for judged in part.refused),
        tuple(notice for part in parts for notice in part.notices),
    )
    candidates = await _without_secrets(steps, snapshot, candidates)
    steps.reporter.finished(Stage.GENERATE, _summary(candidates.tests))
    return candidates


async def _without_secrets(steps: Steps, snapshot: Snapshot, candidates: Candidates) -> Candidates:
    kept, left_out = await asyncio.to_thread(without_secrets, candidates.tests, snapshot, steps.services.gateway.mask)
    notices = candidates.notices
    if left_out:
        what = "1 test was" if left_out == 1 else f"{left_out} tests were"
        notices = (*notices, f"{what} not written, because it would repeat a secret of the repository.")
    return replace(candidates, tests=tuple(kept), notices=notices)


def _summary(tests: Sequence[GeneratedTest]) -> str:
    counts = {origin: sum(t.origin is origin for t in tests) for origin in Origin}
    words = {
        Origin.PROMISE: "from the repository's own words",
        Origin.PROPERTY: "from types",
        Origin.OBSERVATION: "from observed behaviour",
        Origin.MODEL: "from the model",
    }
    parts = [f"{counts[origin]} {words[origin]}" for origin in Origin if counts[origin]]
    return f"{len(tests)} candidates: {', '.join(parts)}" if parts else "No candidate could be written"


def _unique(tests: Sequence[GeneratedTest]) -> list[GeneratedTest]:
    """The first of each id and of each text: two generators may think of the same test."""
    seen: set[str] = set()
    kept = []
    for test in tests:
        body = test.code.partition("\n")[2]
        keys = {test.id, f"{test.target}\n{body}"}
        if not seen & keys:
            kept.append(test)
        seen |= keys
    return kept


async def from_promises(
    steps: Steps, snapshot: Snapshot, project: Project, targets: Sequence[Target]
) -> Mapping[str, Candidates]:
    """Tests from words and types by target. All targets are asked about at once: a name in a document is bound among all of
    them, or it would be bound to whatever of that name happens to be in a batch."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Candidates:
        promises: list[Promise] = await asyncio.to_thread(language.promises, snapshot, project, targets)
        tests = await asyncio.to_thread(language.promise_tests, project, targets, promises)
        tests += await asyncio.to_thread(language.property_tests, project, targets, steps.request.seed)
        context.record("promises", {"found": len(promises), "tests": len(tests)})
        return Candidates(tuple(tests))

    by_target: dict[str, list[GeneratedTest]] = {}
    for test in (await steps.step(f"{project.language}.promises", Candidates, body)).tests:
        by_target.setdefault(test.target, []).append(test)
    return {target: Candidates(tuple(tests)) for target, tests in by_target.items()}


async def _from_observation(
    steps: Steps, snapshot: Snapshot, project: Project, targets: Sequence[Target], part: str
) -> Candidates:
    language = steps.services.language(project.language)
    if not targets:
        return Candidates()

    async def body(context: StepContext) -> Candidates:
        jobs = await asyncio.to_thread(language.observation_jobs, snapshot, project, targets, steps.request.seed)
        results = await asyncio.gather(*(context.execute(job) for job in jobs))
        tests = await asyncio.to_thread(language.read_observations, project, targets, results)
        problems = {result.problem for result in results if result.problem}
        return Candidates(
            tuple(tests), notices=tuple(f"Some behaviour could not be observed: {p}" for p in sorted(problems))
        )

    return await steps.step(f"{part}.observations", Candidates, body)


async def from_model(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    allowance: Allowance,
    part: str,
    coverage: Mapping[str, FileCoverage],
) -> Candidates:
    """Ask the model target by target, each a durable step of its own. Three failures of the end point in a row stop it,
    and so does a budget that is used up; it is not asked in later batches either.
    """
    request = steps.request
    if request.model == NO_MODEL or not targets or allowance.given_up:
        return Candidates()
    problem = await _probe(steps, part) if not allowance.asked else ""
    if problem:
        allowance.given_up = True
        return Candidates(notices=(f"No model was used: {problem}",))
    answers: list[Answered] = []
    for number, target in enumerate(targets):
        if budget_left(request, steps.spent.cost_microusd) == 0:
            dollars = f"${request.budget_microusd / 1_000_000:,.2f}"
            left_out = f"the model was not asked about {allowance.untested - allowance.asked} of {allowance.untested} targets"
            spent_up = Candidates(notices=(f"The budget of {dollars} is used up; {left_out}.",))
            answers.append(Answered(spent_up))
            allowance.given_up = True
            break
        steps.reporter.progress(Stage.GENERATE, number, len(targets), f"Asking {request.model} about {target.symbol}")
        missing = uncovered_lines(target, coverage)
        step = f"{part}.model.{number}"
        answers.append(await _ask_about(steps, snapshot, project, target, step, missing, allowance))
        allowance.asked += 1
        if answers[-1].stopped:
            allowance.given_up = True
            break
        if len(answers) >= FAILURES and all(answer.failed for answer in answers[-FAILURES:]):
            gave_up = Candidates(notices=(f"The model failed {FAILURES} times in a row and was not asked again.",))
            answers.append(Answered(gave_up, failed=True))
            allowance.given_up = True
            break
    found = [answer.candidates for answer in answers]
    return Candidates(
        tuple(test for one in found for test in one.tests),
        tuple(judged for one in found for judged in one.refused),
        tuple(dict.fromkeys(notice for one in found for notice in one.notices)),
    )


@dataclass(frozen=True)
class Answered:
    """What the model came to for one target; ``failed`` when its end point gave nothing, ``stopped`` when the person chose to go
    on without it."""

    candidates: Candidates
    failed: bool = False
    stopped: bool = False


async def _ask_about(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    target: Target,
    step: str,
    missing: Collection[int],
    allowance: Allowance,
) -> Answered:
    language = steps.services.language(project.language)
    left = budget_left(steps.request, steps.spent.cost_microusd)

    async def body(context: StepContext) -> Answered:
        try:
            outcome = await write_model_tests(
                target,
                snapshot,
                project,
                language,
                context.services.gateway,
                context.execute,
                steps.request,
                left=left,
                missing=missing,
                known=await allowance.survey(snapshot, project, language),
                asker=asker_of(steps, step),
                live=Live(steps.reporter, target.id),
            )
        except ModelUnavailable as error:
            context.events.extend(error.evidence)
            context.record("model_failed", {"target": target.id}, {"sentence": error.sentence.encode()})
            return Answered(Candidates(notices=(error.sentence,)), failed=True, stopped=error.stopped)
        return Answered(_noted(context, outcome))

    return await steps.step(step, Answered, body)


def _noted(context: StepContext, outcome: ModelOutcome) -> Candidates:
    context.events.extend(outcome.evidence)
    context.model_ms += outcome.model_ms
    context.cost_microusd += outcome.cost_microusd
    return Candidates(outcome.tests, outcome.refused, outcome.notices)


def asker_of(steps: Steps, step: str) -> Asker:
    """On whose account the questions of a step are asked; the same when the step is repeated."""
    request = steps.request
    return Asker(
        run=steps.run,
        source=request.source,
        cloud=request.cloud == CloudPolicy.ALLOWED,
        budget_microusd=request.budget_microusd,
        request=f"{steps.run}/{step}",
    )


async def from_survivors(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    mutants: Iterable[RunMutant],
    tested: Collection[str],
    allowance: Allowance,
    part: str,
) -> Candidates:
    """One more question for each target that the model wrote good tests for (``tested``) and some of whose mutants survived all
    tests. It ends where the model gives no answer or the budget is used up."""
    if steps.request.model == NO_MODEL or allowance.given_up:
        return Candidates()
    survivors: dict[str, list[Mutant]] = {}
    for one in mutants:
        if one.outcome.status is MutantStatus.SURVIVED and one.mutant.target in tested:
            survivors.setdefault(one.mutant.target, []).append(one.mutant)
    found: list[Candidates] = []
    for number, target in enumerate(target for target in targets if target.id in survivors):
        left = budget_left(steps.request, steps.spent.cost_microusd)
        if left == 0 or any(one.notices for one in found[-1:]):
            break
        shown = _spread(survivors[target.id])
        step = f"{part}.survivors.{number}"
        found.append(await _ask_of_survivors(steps, snapshot, project, target, step, shown, allowance, left))
    more = Candidates(
        tuple(test for one in found for test in one.tests),
        tuple(judged for one in found for judged in one.refused),
        tuple(dict.fromkeys(notice for one in found for notice in one.notices)),
    )
    return await _without_secrets(steps, snapshot, more) if found else more


def _spread(survivors: Sequence[Mutant]) -> list[Mutant]:
    """A few, of different lines where there are."""
    by_line: dict[int, Mutant] = {}
    for one in survivors:
        by_line.setdefault(one.line, one)
    others = [one for one in survivors if one not in by_line.values()]
    return [*by_line.values(), *others][:MOST_SURVIVORS]


async def _ask_of_survivors(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    target: Target,
    step: str,
    shown: Sequence[Mutant],
    allowance: Allowance,
    left: int | None,
) -> Candidates:
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Candidates:
        outcome = await write_for_survivors(
            target,
            snapshot,
            project,
            language,
            context.services.gateway,
            context.execute,
            steps.request,
            shown,
            left=left,
            known=await allowance.survey(snapshot, project, language),
            asker=asker_of(steps, step),
            live=Live(steps.reporter, target.id),
        )
        return _noted(context, outcome)

    return await steps.step(step, Candidates, body)


async def _probe(steps: Steps, part: str) -> str:
    request = steps.request

    async def body(context: StepContext) -> str:
        asker = asker_of(steps, f"{part}.model")
        problem = await context.services.gateway.probe(request.model, request.api_base, asker=asker)
        context.record("model_probe", {"model": request.model, "answers": not problem})
        return problem

    return await steps.step(f"{part}.model", str, body)
