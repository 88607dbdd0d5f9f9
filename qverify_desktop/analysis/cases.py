"""What a judgement's evidence holds so that a stranger can run the test again: the whole test, and how it ended.

Written for accepted tests and for suspected defects, as the content ``case`` of the event ``judgement``. A stranger's is read as
hostile text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from pydantic import TypeAdapter, ValidationError

from qverify_desktop.domain.results import JudgedTest, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Status, TestOutcome

#: Key of the content in the event.
CASE = "case"
#: Bytes of one case, characters of what a test gave or said.
MOST_BYTES = 1 << 20
MOST_TEXT = 4_000
MOST_PATH = 400


@dataclass(frozen=True)
class Ending:
    """How a test ended, every time: ``raised`` is the type of the exception, ``observed`` what the call gave or else the
    runner's words."""

    status: Status
    raised: str = ""
    observed: str = ""


@dataclass(frozen=True)
class Case:
    """A test and how it ended in each of the runs that judged it."""

    test: GeneratedTest
    ending: Ending


_ADAPTER = TypeAdapter(Case)


def ending_of(outcome: TestOutcome) -> Ending:
    """What is compared of an outcome. What a passing test gave is not: its own assertions are about that."""
    if outcome.status is Status.PASSED:
        return Ending(Status.PASSED)
    return Ending(outcome.status, outcome.raised[:MOST_TEXT], (outcome.observed or outcome.message)[:MOST_TEXT])


def case_blob(one: JudgedTest, outcomes: Mapping[str, TestOutcome]) -> dict[str, bytes]:
    """The content for the evidence of a judgement, by its key; nothing for tests that were refused."""
    outcome = outcomes.get(one.test.id)
    if one.verdict is TestVerdict.REFUSED or outcome is None:
        return {}
    try:
        document = _ADAPTER.dump_json(Case(one.test, ending_of(outcome)))
    except ValueError:
        # Half a surrogate pair has no bytes in UTF-8, and no test file could hold it either.
        return {}
    return {CASE: document} if len(document) <= MOST_BYTES else {}


def read_case(document: bytes, test: str) -> Case | str:
    """The case of the test with this id, or the sentence why it is of no use."""
    if len(document) > MOST_BYTES:
        return "What the bundle holds of this test is too large."
    try:
        case = _ADAPTER.validate_json(document, strict=False)
    except (ValidationError, ValueError, RecursionError):
        return "What the bundle holds of this test can't be read."
    if case.test.id != test:
        return "The bundle holds another test under this name."
    if not _is_path(case.test.path) or not case.test.name.isprintable():
        return "The test's file has no place below the source."
    if case.ending.status is not Status.PASSED and case.ending.status is not Status.FAILED:
        return "The bundle does not say how this test ended."
    ending = case.ending
    return replace(
        case, ending=replace(ending, raised=ending.raised[:MOST_TEXT], observed=ending.observed[:MOST_TEXT])
    )


def _is_path(text: str) -> bool:
    """A plain relative path: nothing absolute, nothing that climbs, no control character."""
    path = PurePosixPath(text)
    return (
        0 < len(text) <= MOST_PATH
        and text.isprintable()
        and not path.is_absolute()
        and "\\" not in text
        and str(path) == text
        and not any(part in ("..", ".", ".git") for part in path.parts)
    )
