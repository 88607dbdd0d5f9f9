"""A first run of a model's tests, to tell those that work from those that name what is not there."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from qverify_desktop.domain.execution import Execution, Job, JobResult
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Status, SuiteResult, TestOutcome
from qverify_desktop.languages.base import Language

RunJob = Callable[[Job], Awaitable[JobResult]]

_MOST_TEXT = 1500
#: How the tools of all languages say that a name or a file is not there.
_UNKNOWN_NAME = re.compile(
    r"ImportError|ModuleNotFoundError|NameError|No module named|cannot import name|fixture '|ReferenceError|is not defined"
    r"|Cannot find (?:module|package|name)|does not provide an export|is not a (?:function|constructor)|undefined: "
    r"|cannot find symbol|package \S{1,200} does not exist|[Uu]nresolved (?:import|reference)|cannot find \w{1,20} `"
)
#: Errors of the test itself that say the same.
_UNKNOWN_ERRORS = frozenset(("ImportError", "ModuleNotFoundError", "NameError", "AttributeError", "ReferenceError"))
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_BADNESS = (Status.ERROR, Status.FAILED, Status.MISSING, Status.SKIPPED, Status.PASSED)


class Trouble(StrEnum):
    """What kept a test from passing."""

    NONE = "none"
    UNKNOWN_NAME = "unknown_name"
    NOT_COLLECTED = "not_collected"
    COMPILE = "compile"
    ASSERTION = "assertion"
    EXCEPTION = "exception"
    SKIPPED = "skipped"
    RUN = "run"


REASONS = {
    Trouble.UNKNOWN_NAME: Reason.WRONG_IMPORT,
    Trouble.NOT_COLLECTED: Reason.NOT_COLLECTED,
    Trouble.COMPILE: Reason.COMPILE,
    Trouble.ASSERTION: Reason.FAILS,
    Trouble.EXCEPTION: Reason.FAILS,
    Trouble.SKIPPED: Reason.TRIVIAL,
    Trouble.RUN: Reason.INFRASTRUCTURE,
}


@dataclass(frozen=True)
class Attempt:
    """A test after its first run; ``text`` is what the runner said, shortened."""

    test: GeneratedTest
    trouble: Trouble
    text: str = ""


@dataclass(frozen=True)
class Trial:
    """The attempts in the order of the tests, and the execution behind them."""

    attempts: tuple[Attempt, ...]
    executions: tuple[Execution, ...]


async def try_out(
    tests: Sequence[GeneratedTest],
    project: Project,
    language: Language,
    run_job: RunJob,
    alone_at: Callable[[int], str],
) -> Trial:
    """Run each test in a file of its own (a wrong import in one must not keep the others from being collected); ``alone_at``
    gives these files by number."""
    if not tests:
        return Trial((), ())
    alone = [replace(test, path=alone_at(number)) for number, test in enumerate(tests)]
    job = replace(language.suite_job(project, language.render(alone), coverage=False), purpose="model")
    result = await run_job(job)
    suite = language.read_suite(project, result)
    outcomes: dict[str, TestOutcome] = {}
    for outcome in sorted(suite.outcomes, key=lambda o: _BADNESS.index(o.status)):
        # A parametrised test counts as one: it is as bad as its worst case.
        outcomes.setdefault(outcome.id.partition("[")[0], outcome)
    attempts = tuple(
        _attempt(test, other, outcomes.get(other.id), suite, language)
        for test, other in zip(tests, alone, strict=True)
    )
    return Trial(attempts, (result.execution,))


def _attempt(
    test: GeneratedTest, alone: GeneratedTest, outcome: TestOutcome | None, suite: SuiteResult, language: Language
) -> Attempt:
    if outcome is None or outcome.status is Status.MISSING:
        error = suite.collection_errors.get(alone.id) or suite.collection_errors.get(alone.path, "")
        if error:
            other = Trouble.COMPILE if language.compiled else Trouble.NOT_COLLECTED
            trouble = Trouble.UNKNOWN_NAME if _UNKNOWN_NAME.search(error) else other
            return Attempt(test, trouble, _shown(error, test, alone))
        said = suite.problem or (outcome.message if outcome else "")
        if suite.problem:
            return Attempt(test, Trouble.RUN, _shown(said, test, alone))
        return Attempt(test, Trouble.NOT_COLLECTED, _shown(said, test, alone))
    if outcome.status is Status.PASSED:
        return Attempt(test, Trouble.NONE)
    if outcome.status is Status.SKIPPED:
        return Attempt(test, Trouble.SKIPPED, "It skips itself when it is run.")
    text = _shown(outcome.message or outcome.raised, test, alone)
    in_test_file = not outcome.frames or outcome.frames[-1].startswith(f"{alone.path}:")
    # A function that was imported and is not there is called in the test, in some languages, before anybody notices.
    called = outcome.raised in language.mismatch_errors and _UNKNOWN_NAME.search(outcome.message)
    if in_test_file and (outcome.raised in _UNKNOWN_ERRORS | language.unknown_name_errors or called):
        return Attempt(test, Trouble.UNKNOWN_NAME, text)
    if outcome.status is Status.ERROR:
        unknown = _UNKNOWN_NAME.search(outcome.message)
        return Attempt(test, Trouble.UNKNOWN_NAME if unknown else Trouble.EXCEPTION, text)
    return Attempt(test, Trouble.ASSERTION if outcome.in_test else Trouble.EXCEPTION, text)


def _shown(text: str, test: GeneratedTest, alone: GeneratedTest) -> str:
    """The runner's words with the file's real name, the end kept where they are long; the same from run to run, so that the
    same question is asked in a run that is replayed."""
    plain = _ADDRESS.sub("0x…", text.replace(alone.path, test.path))
    return plain if len(plain) <= _MOST_TEXT else "…" + plain[-_MOST_TEXT:]
