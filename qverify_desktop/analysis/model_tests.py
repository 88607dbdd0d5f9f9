"""Tests for one target from a language model: ask, read, try out, mend.

An answer is a whole test file. What in it names things that are not there is mended without the model where that is
possible, and by further questions where it is not. Whether a test proves anything is for the judge to say.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from qverify_desktop.analysis import expectations
from qverify_desktop.analysis.context import Context, Survey, gather, survey
from qverify_desktop.analysis.expectations import with_quote
from qverify_desktop.analysis.live import Live
from qverify_desktop.analysis.ports import Evidence, Gateway
from qverify_desktop.analysis.prompts import Prompt, render
from qverify_desktop.analysis.questions import EXPECTATIONS_SCHEMA, Account
from qverify_desktop.analysis.reading import WHOLE_ANSWER, answer_path, read_answer, refusal
from qverify_desktop.analysis.trial import REASONS, Attempt, RunJob, Trouble, try_out
from qverify_desktop.domain.errors import ModelFailure, ModelsStopped
from qverify_desktop.domain.execution import Execution
from qverify_desktop.domain.model import Asker, Purpose
from qverify_desktop.domain.project import Project, Promise, Snapshot, Target, language_title
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest
from qverify_desktop.domain.testing import GeneratedTest, Mutant
from qverify_desktop.languages.base import Language

#: Tests asked for at most.
TESTS_ASKED = 8
#: Surviving mutants that one question shows.
MOST_SURVIVORS = 3
#: Troubles of which a test's imports may be the cause.
_OF_IMPORTS = (Trouble.UNKNOWN_NAME, Trouble.NOT_COLLECTED, Trouble.COMPILE)


class ModelUnavailable(ModelFailure):
    """The end point gave nothing for a target. ``evidence`` holds the prompt that was sent; ``stopped`` says that the person
    chose to go on without it.

    After three in a row the caller stops asking, and at once where it was stopped.
    """

    def __init__(
        self, sentence: str, remedy: str = "", evidence: tuple[Evidence, ...] = (), stopped: bool = False
    ) -> None:
        super().__init__(sentence, remedy)
        self.evidence = evidence
        self.stopped = stopped


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
class Place:
    """Where tests are written for, and who runs them."""

    snapshot: Snapshot
    project: Project
    language: Language
    run_job: RunJob


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
    rounds: int | None = None,
    left: int | None = None,
    missing: Collection[int] = (),
    known: Survey | None = None,
    asker: Asker = Asker(),
    live: Live | None = None,
) -> ModelOutcome:
    """Candidates for one target, with at most ``rounds`` rounds of repair after the first answer. ``left`` is what is left of
    the budget, in millionths of a US dollar; the repair ends when it is spent. ``missing`` are the target's lines that no test
    runs, ``known`` the survey of its project where somebody made it; ``live`` is told what the model writes.

    Raises ``ModelUnavailable`` when the first question got no answer. A failure in a later round ends the repair; what was
    won before it stays.
    """
    place = Place(snapshot, project, language, run_job)
    account = Account(target.id, request, gateway, asker, live, left)
    writing = await asyncio.to_thread(_Writing.begin, target, place, account, missing, known)
    try:
        tests = await writing.first()
    except ModelFailure as error:
        stopped = isinstance(error, ModelsStopped)
        raise ModelUnavailable(error.sentence, error.remedy, tuple(account.evidence), stopped) from None
    try:
        await writing.settle_expectations(tests)
        await writing.repair(rounds)
    except ModelFailure as error:
        writing.notices.append(f"The repair of tests for {target.symbol} ended early: {error.sentence}")
    return writing.outcome()


async def write_for_survivors(
    target: Target,
    snapshot: Snapshot,
    project: Project,
    language: Language,
    gateway: Gateway,
    run_job: RunJob,
    request: AnalysisRequest,
    survivors: Sequence[Mutant],
    *,
    left: int | None = None,
    known: Survey | None = None,
    asker: Asker = Asker(),
    live: Live | None = None,
) -> ModelOutcome:
    """Candidates that may notice mutants which all tests so far let pass: one question, no repair. A model that gives no answer
    is a notice."""
    place = Place(snapshot, project, language, run_job)
    account = Account(target.id, request, gateway, asker, live, left)
    writing = await asyncio.to_thread(_Writing.begin, target, place, account, (), known)
    try:
        await writing.notice(survivors[:MOST_SURVIVORS])
    except ModelFailure as error:
        writing.notices.append(
            f"The model was not asked about surviving mutants of {target.symbol}: {error.sentence}"
        )
    return writing.outcome()


@dataclass
class _Writing:
    """The tests of one target while they are written."""

    target: Target
    place: Place
    account: Account
    context: Context
    promises: tuple[Promise, ...]
    kept: list[GeneratedTest] = field(default_factory=list)
    open: list[Attempt] = field(default_factory=list)
    refused: list[JudgedTest] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    tests: list[GeneratedTest] = field(default_factory=list)
    last: tuple[Prompt, str] | None = None

    @classmethod
    def begin(
        cls, target: Target, place: Place, account: Account, missing: Collection[int], known: Survey | None
    ) -> _Writing:
        """Blocking: reads files of the snapshot."""
        language, snapshot, project = place.language, place.snapshot, place.project
        found = tuple(p for p in language.promises(snapshot, project, [target]) if p.target == target.id)
        whole = known if known is not None else survey(snapshot, project, language)
        path = answer_path(language, project, target, 0)
        context = gather(target, whole, snapshot, project, language, found, missing, path)
        return cls(target, place, account, context, found)

    async def first(self) -> list[GeneratedTest]:
        """The tests of the first answer; where none can be read, of a second one. Raises ``ModelFailure``."""
        path = self._path(0)
        prompt = await self._prompt("generate", path, {"tests": TESTS_ASKED}, self.context)
        text = await self.account.ask(prompt, 0, Purpose.GENERATE)
        tests, refused = await self._read(text, path)
        unreadable = [one for one in refused if one.test.name == WHOLE_ANSWER]
        if not tests and unreadable and not self.account.used_up:
            again = await self._prompt("again", path, {"problem": unreadable[0].detail[:300]}, None)
            again = again.after(prompt, text[:2_000], prompt)
            try:
                text = await self.account.ask(again, 0, Purpose.GENERATE)
            except ModelFailure as error:
                self.notices.append(f"The model was asked only once about {self.target.symbol}: {error.sentence}")
            else:
                tests, refused = await self._read(text, path)
        self.last = (prompt, text)
        self.refused += refused
        self.tests = tests
        return tests

    async def settle_expectations(self, tests: Sequence[GeneratedTest]) -> None:
        """Hold what the tests expect against the repository's words, read without the code. Without an answer they stay as they
        are."""
        # A test may hold the body as text.
        calls = [c for c in expectations.asked_about(tests) if not any(line in c for line in self.context.body)]
        words = [passage for passage in self.context.specification if passage.rank > 0]
        if not calls or not words or not self.context.words or self.account.used_up:
            return
        title = language_title(self.target.language)
        prompt = await asyncio.to_thread(expectations.question, self.target, self.context, calls, title)
        try:
            text = await self.account.ask(prompt, 0, Purpose.SECOND_OPINION, EXPECTATIONS_SCHEMA)
            if expectations.is_broken(text) and not self.account.used_up:
                again = await asyncio.to_thread(render, "expect_again", {"title": title})
                again = again.after(prompt, text[:2_000], prompt)
                text = await self.account.ask(again, 0, Purpose.SECOND_OPINION, EXPECTATIONS_SCHEMA)
        except ModelFailure as error:
            self.notices.append(
                f"What tests for {self.target.symbol} expect was not held against its words: {error.sentence}"
            )
            return
        found = expectations.read_expectations(text, calls, self.context)
        language = self.place.language
        self.tests, events = await asyncio.to_thread(expectations.apply, tests, found, language, self.target)
        self.account.evidence += events

    async def repair(self, rounds: int | None) -> None:
        """Try the tests out, and ask about those that fail until none is left worth asking about. Raises ``ModelFailure``."""
        before: frozenset[tuple[str, str]] = frozenset()
        number = 0
        while True:
            await self._try(self.tests)
            worth = [attempt for attempt in self.open if worth_asking(attempt)]
            number += 1
            if not self.tests or not worth or number > (self.account.rounds if rounds is None else rounds):
                return
            if self.account.used_up:
                self.notices.append(
                    f"The repair of tests for {self.target.symbol} ended early: the budget is used up."
                )
                return
            troubles = frozenset((attempt.test.name, _gist(attempt.text)) for attempt in worth)
            # The same error again: what was said so far leads nowhere, so the question is asked anew, without it.
            fresh = bool(troubles & before) or self.last is None
            before = troubles
            alone = await self._repair_prompt(worth, number, self.context)
            prompt = alone
            if not fresh and self.last is not None:
                prompt = (await self._repair_prompt(worth, number, None)).after(*self.last, alone)
            text = await self.account.ask(prompt, number, Purpose.REPAIR)
            self.last = (alone, text)
            tests, refused = await self._read(text, self._path(number))
            self.refused += refused
            self.tests = tests
            self._note_changes(tests)
            self.open = [a for a in self.open if a.test.name not in {t.name for t in tests}]

    async def notice(self, survivors: Sequence[Mutant]) -> None:
        """One question about mutants that survived. It may well be answered with nothing: some make no difference. Raises
        ``ModelFailure``."""
        path = answer_path(self.place.language, self.place.project, self.target, "s")
        changes = [f"line {one.line}: {one.original[:300]!r} becomes {one.replacement[:300]!r}" for one in survivors]
        prompt = await self._prompt("survivors", path, {"changes": changes}, self.context)
        text = await self.account.ask(prompt, 0, Purpose.GENERATE)
        tests, refused = await self._read(text, path)
        self.refused += [one for one in refused if one.test.name != WHOLE_ANSWER]
        await self._try(tests)

    def outcome(self) -> ModelOutcome:
        for attempt in self.open:
            if attempt.trouble is Trouble.ASSERTION:
                self.kept.append(attempt.test)
            else:
                self.refused.append(refusal(attempt.test, REASONS[attempt.trouble], _first_lines(attempt.text)))
        account = self.account
        return ModelOutcome(
            tuple(self.kept),
            tuple(self.refused),
            tuple(account.evidence),
            account.cost_microusd,
            account.model_ms,
            tuple(account.executions),
            tuple(self.notices),
        )

    def _path(self, number: int | str) -> str:
        return answer_path(self.place.language, self.place.project, self.target, number)

    async def _read(self, text: str, path: str) -> tuple[list[GeneratedTest], list[JudgedTest]]:
        """The tests of an answer that are new, with the repository's own words where they say the same."""
        language = self.place.language
        tests, refused = await asyncio.to_thread(read_answer, text, path, self.target, language)
        have = {test.name for test in self.kept}
        tests = [with_quote(test, self.promises, language) for test in tests if test.name not in have]
        return tests, refused

    async def _prompt(self, name: str, path: str, values: Mapping[str, Any], context: Context | None) -> Prompt:
        idiom = self.place.language.idiom(self.place.project, self.target, path)
        common = {
            "title": language_title(self.target.language),
            "framework": idiom.framework,
            "block": idiom.fence,
            "rules": list(idiom.rules),
            "reach": idiom.reach,
            "symbol": self.target.symbol,
            "path": path,
        }
        return await asyncio.to_thread(render, name, {**common, **values}, context.passages if context else ())

    async def _repair_prompt(self, worth: Sequence[Attempt], number: int, context: Context | None) -> Prompt:
        # One path for all, so that tests of several rounds come as one file.
        path = self._path(number)
        together = [replace(attempt.test, path=path) for attempt in worth]
        broken = "\n".join((await asyncio.to_thread(self.place.language.render, together)).values())
        problems = [f"{attempt.test.name}: {attempt.text}" for attempt in worth]
        return await self._prompt("repair", path, {"broken": broken, "problems": problems}, context)

    async def _try(self, tests: Sequence[GeneratedTest]) -> None:
        """A run, and a second one of those whose imports could be put right without asking."""
        place = self.place
        attempts = list(await self._run(tests, "trial"))
        mended: dict[int, GeneratedTest] = {}
        for at, attempt in enumerate(attempts):
            if attempt.trouble in _OF_IMPORTS:
                test = await asyncio.to_thread(
                    place.language.mend, place.snapshot, place.project, self.target, attempt.test
                )
                mended |= {at: test} if test != attempt.test else {}
        for at, attempt in zip(mended, await self._run(list(mended.values()), "again"), strict=True):
            attempts[at] = attempt
        self.kept += [a.test for a in attempts if a.trouble is Trouble.NONE or is_final(a)]
        self.open += [a for a in attempts if a.trouble is not Trouble.NONE and not is_final(a)]

    async def _run(self, tests: Sequence[GeneratedTest], kind: str) -> tuple[Attempt, ...]:
        place = self.place

        def alone_at(number: int) -> str:
            return place.language.test_file(place.project, self.target, f"{kind}_{number}")

        trial = await try_out(tests, place.project, place.language, place.run_job, alone_at)
        self.account.executions += trial.executions
        return trial.attempts

    def _note_changes(self, tests: Sequence[GeneratedTest]) -> None:
        """A mended test that expects something else of the same call than before."""
        old = {attempt.test.name: attempt.test for attempt in self.open}
        same = self.place.language.same_value
        for test in tests:
            before = old.get(test.name)
            if before is None or not test.call or not before.call or not same(test.call, before.call):
                continue
            if not same(test.expected, before.expected):
                self.account.evidence.append(expectations.changed_event(before, test.expected, "repair"))


def is_final(attempt: Attempt) -> bool:
    """A test that contradicts the code but agrees with the repository's own words is never "mended": it may be the bug."""
    return attempt.trouble is Trouble.ASSERTION and attempt.test.quote is not None


def worth_asking(attempt: Attempt) -> bool:
    """Whether the model may be able to mend it: not where it skipped itself or the sandbox could not run it."""
    return attempt.trouble not in (Trouble.NONE, Trouble.SKIPPED, Trouble.RUN)


def _gist(text: str) -> str:
    """What an error says, whatever its numbers and addresses."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", " ".join(text.split())[-200:])


def _first_lines(text: str) -> str:
    """What the runner said, short enough for a list."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " ".join(lines[-3:])[:300]
