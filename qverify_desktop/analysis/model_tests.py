"""Tests for one target from a language model: ask, read, try out, mend.

An answer is a whole test file. What in it names things that are not there is mended without the model where that is
possible, and by up to three more questions where it is not. Whether a test proves anything is for the judge to say.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from qverify_desktop.analysis.answers import find_source
from qverify_desktop.analysis.import_repair import Mend, import_mender
from qverify_desktop.analysis.ports import Answer, Evidence, Gateway
from qverify_desktop.analysis.prompts import Prompt, render
from qverify_desktop.analysis.trial import REASONS, Attempt, RunJob, Trouble, try_out
from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.execution import Execution
from qverify_desktop.domain.project import Project, Promise, PromiseRelation, Snapshot, Target
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Quote
from qverify_desktop.languages import syntax
from qverify_desktop.languages.base import Language, StaticProblem

#: Tokens of one answer, and tests asked for at most.
ANSWER_TOKENS = 4096
TESTS_ASKED = 8
#: Tests of one answer that are looked at; a model that repeats itself writes hundreds.
MOST_TESTS = 40
MOST_WORDS = 20
MOST_DOCSTRING = 4000


class ModelUnavailable(ModelFailure):
    """The end point gave nothing for a target. ``evidence`` holds the prompt that was sent.

    After three in a row the caller stops asking.
    """

    def __init__(self, sentence: str, remedy: str = "", evidence: tuple[Evidence, ...] = ()) -> None:
        super().__init__(sentence, remedy)
        self.evidence = evidence


@dataclass(frozen=True)
class ModelOutcome:
    """What came of one target.

    ``tests`` are candidates for the judge: they ran and passed, or failed by their own assertion. ``refused`` are the others,
    each with its reason. ``notices`` are remarks for the report. Money in millionths of a US dollar, time in milliseconds.
    """

    tests: tuple[GeneratedTest, ...] = ()
    refused: tuple[JudgedTest, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    cost_microusd: int = 0
    model_ms: int = 0
    executions: tuple[Execution, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Material:
    """What prompts about a target are made of, and what its answers are measured by."""

    target: Target
    source: str
    words: tuple[str, ...]
    promises: tuple[Promise, ...]
    mend: Mend

    @property
    def import_line(self) -> str:
        return f"from {self.target.module} import {self.target.symbol.partition('.')[0]}"


@dataclass
class _Account:
    """What was asked and spent so far."""

    target: str
    request: AnalysisRequest
    gateway: Gateway
    evidence: list[Evidence] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    cost_microusd: int = 0
    model_ms: int = 0


def budget_left(request: AnalysisRequest, spent_microusd: int) -> int | None:
    """What may still be spent on the model, never below 0; ``None`` where the person set no limit."""
    return max(0, request.budget_microusd - spent_microusd) if request.budget_microusd else None


async def write_model_tests(
    target: Target,
    snapshot: Snapshot,
    project: Project,
    language: Language,
    gateway: Gateway,
    run_job: RunJob,
    request: AnalysisRequest,
    *,
    rounds: int = 3,
    left: int | None = None,
) -> ModelOutcome:
    """Candidates for one target, with at most ``rounds`` rounds of repair after the first answer. ``left`` is what is left of
    the budget, in millionths of a US dollar; the repair ends when it is spent.

    Raises ``ModelUnavailable`` when the first question got no answer. A failure in a later round ends the repair; what was
    won before it stays.
    """
    material = await asyncio.to_thread(gather_material, target, snapshot, project, language)
    account = _Account(target.id, request, gateway)
    kept: list[GeneratedTest] = []
    refused: list[JudgedTest] = []
    open_attempts: list[Attempt] = []
    notices: tuple[str, ...] = ()
    for number in range(rounds + 1):
        if number and left is not None and account.cost_microusd >= left:
            notices = (f"The repair of tests for {target.symbol} ended early: the budget is used up.",)
            break
        prompt = await asyncio.to_thread(_prompt, material, language, open_attempts)
        try:
            answer = await ask(account, prompt, number)
        except ModelFailure as error:
            if number == 0:
                raise ModelUnavailable(error.sentence, error.remedy, tuple(account.evidence)) from None
            notices = (f"The repair of tests for {target.symbol} ended early: {error.sentence}",)
            break
        tests, problems = read_answer(answer.text, answer_path(target, number), target, language)
        tests = [with_quote(_with_old_name(test, open_attempts), material.promises) for test in tests]
        open_attempts = [a for a in open_attempts if a.test.name not in {t.name for t in tests}]
        refused += problems
        attempts = await _try_and_mend(tests, material, project, language, run_job, account)
        kept += [a.test for a in attempts if a.trouble is Trouble.NONE or is_final(a)]
        open_attempts += [a for a in attempts if a.trouble is not Trouble.NONE and not is_final(a)]
        if not tests or not any(worth_asking(a) for a in open_attempts):
            break
    for attempt in open_attempts:
        if attempt.trouble is Trouble.ASSERTION:
            kept.append(attempt.test)
        else:
            refused.append(_refusal(attempt.test, REASONS[attempt.trouble], _first_lines(attempt.text)))
    return ModelOutcome(
        tuple(kept),
        tuple(refused),
        tuple(account.evidence),
        account.cost_microusd,
        account.model_ms,
        tuple(account.executions),
        notices,
    )


def gather_material(target: Target, snapshot: Snapshot, project: Project, language: Language) -> Material:
    """Source, words and promises about a target. Blocking: reads files of the snapshot."""
    promises = tuple(p for p in language.promises(snapshot, project, [target]) if p.target == target.id)
    words = tuple(dict.fromkeys(p.words for p in promises))[:MOST_WORDS]
    mend = import_mender(language.name, snapshot, target)
    return Material(target, language.focal_source(snapshot, target), words, promises, mend)


def answer_path(target: Target, number: int) -> str:
    """The file of a target's tests from one answer; each round has its own, so that their shared statements never mix."""
    stem = re.sub(r"\W+", "_", f"{target.module}_{target.symbol}", flags=re.ASCII).strip("_").lower()[:120]
    return f"tests/qverify/test_qv_{stem}_model{f'_{number}' if number else ''}.py"


def _prompt(material: Material, language: Language, open_attempts: Sequence[Attempt]) -> Prompt:
    target = material.target
    values = {
        "symbol": target.symbol,
        "module": target.module,
        "import_line": material.import_line,
        "source": material.source,
    }
    if open_attempts:
        asked = [a for a in open_attempts if worth_asking(a)]
        # One path for all, so that tests of several rounds come as one file.
        together = [replace(a.test, path=asked[0].test.path) for a in asked]
        problems = [f"{a.test.name}: {a.text}" for a in asked]
        values |= {"tests": "\n".join(language.render(together).values())}
        return render(f"{language.name}/repair", {**values, "problems": problems})
    values |= {"signature": target.signature, "docstring": target.docstring[:MOST_DOCSTRING]}
    return render(f"{language.name}/generate", {**values, "words": list(material.words), "tests": TESTS_ASKED})


async def ask(account: _Account, prompt: Prompt, number: int) -> Answer:
    """One question. Prompt and answer go into the evidence. Raises ``ModelFailure``."""
    about = {"target": account.target, "round": number, "model": account.request.model, "template": prompt.template}
    account.evidence.append(Evidence("model_prompt", about, {"prompt": prompt.content}))
    answer = await account.gateway.complete(
        prompt.messages,
        model=account.request.model,
        api_base=account.request.api_base,
        max_tokens=ANSWER_TOKENS,
        purpose="repair" if number else "generate",
    )
    account.cost_microusd += answer.cost_microusd
    account.model_ms += answer.duration_ms
    facts = about | {
        "model": answer.model,
        "provider": answer.provider,
        "prompt_tokens": answer.prompt_tokens,
        "completion_tokens": answer.completion_tokens,
        "cost_microusd": answer.cost_microusd,
        "duration_ms": answer.duration_ms,
    }
    content = answer.text.encode("utf-8", "surrogatepass")
    account.evidence.append(Evidence("model_answer", facts, {"answer": content}))
    return answer


def read_answer(
    text: str, path: str, target: Target, language: Language
) -> tuple[list[GeneratedTest], list[JudgedTest]]:
    """The tests of an answer that are worth running, and what is refused unseen: prose, broken source, tautologies."""
    whole = GeneratedTest(path, "answer", "", target.id, Label.CHARACTERIZATION, Origin.MODEL)
    found = find_source(text, language.fence_tags)
    if found.problem:
        return [], [_refusal(whole, Reason.NOT_A_TEST, found.problem)]
    split = language.split(found.source, path, target)
    if isinstance(split, StaticProblem):
        return [], [_refusal(replace(whole, code=found.source), split.reason, split.detail)]
    tests: list[GeneratedTest] = []
    refused: list[JudgedTest] = []
    for test in split[:MOST_TESTS]:
        problem = language.static_problem(test)
        if problem is None:
            tests.append(test)
        else:
            refused.append(_refusal(test, problem.reason, problem.detail))
    if len(split) > MOST_TESTS:
        detail = f"The answer holds {len(split)} tests; only the first {MOST_TESTS} were looked at."
        refused.append(_refusal(whole, Reason.NOT_A_TEST, detail))
    return tests, refused


async def _try_and_mend(
    tests: Sequence[GeneratedTest],
    material: Material,
    project: Project,
    language: Language,
    run_job: RunJob,
    account: _Account,
) -> list[Attempt]:
    """A run, and a second one of those whose imports could be pointed right without asking."""
    trial = await try_out(tests, project, language, run_job)
    account.executions += trial.executions
    attempts = list(trial.attempts)
    mended = {
        place: material.mend(attempt.test)
        for place, attempt in enumerate(attempts)
        if attempt.trouble is Trouble.UNKNOWN_NAME
    }
    mended = {place: test for place, test in mended.items() if test != attempts[place].test}
    again = await try_out(list(mended.values()), project, language, run_job)
    account.executions += again.executions
    for place, attempt in zip(mended, again.attempts, strict=True):
        attempts[place] = attempt
    return attempts


def is_final(attempt: Attempt) -> bool:
    """A test that contradicts the code but agrees with the repository's own words is never "mended": it may be the bug."""
    return attempt.trouble is Trouble.ASSERTION and attempt.test.quote is not None


def worth_asking(attempt: Attempt) -> bool:
    """Whether the model may be able to mend it: not where it skipped itself or the sandbox could not run it."""
    return attempt.trouble not in (Trouble.NONE, Trouble.SKIPPED, Trouble.RUN)


def with_quote(test: GeneratedTest, promises: Sequence[Promise]) -> GeneratedTest:
    """Raise the label to ``specification`` where the repository itself gives this very call and this very value."""
    if not test.call or not test.expected:
        return test
    meant = (_normal(test.call), _normal(test.expected))
    for promise in promises:
        # Statements before the call may give its names another meaning than they have in the test.
        plain = all(line.startswith(("import ", "from ")) for line in promise.setup)
        usable = promise.relation is PromiseRelation.EQUALS and plain
        if usable and (_normal(promise.call), _normal(promise.expected)) == meant:
            return replace(test, label=Label.SPECIFICATION, quote=Quote(promise.words, promise.file, promise.line))
    return test


def _normal(expression: str) -> str:
    """An expression without the accidents of its spelling; text that does not parse stands for itself."""
    try:
        return ast.dump(syntax.parse_expression(expression.strip()))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return expression.strip()


def _with_old_name(test: GeneratedTest, old: Sequence[Attempt]) -> GeneratedTest:
    """The name that the mended test had in the round before: taking an answer apart lengthens names each time."""
    for attempt in old:
        name = attempt.test.name
        plain = "::" not in name and "::" not in test.name
        if plain and test.name != name and test.name.endswith("_" + name.removeprefix("test_")):
            code, count = re.subn(rf"\bdef {re.escape(test.name)}\(", f"def {name}(", test.code, count=1)
            return replace(test, name=name, code=code) if count else test
    return test


def _refusal(test: GeneratedTest, reason: Reason, detail: str) -> JudgedTest:
    return JudgedTest(test, TestVerdict.REFUSED, reason, detail)


def _first_lines(text: str) -> str:
    """What the runner said, short enough for a list."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-3:])[:300]
