"""The report of a test run: the records that drivers of every language write, and reading them.

A driver writes one JSON record a line into ``suite.jsonl``. What comes back was written by a process that ran hostile code:
every record is checked by a strict model, records that do not fit are dropped, and nothing here raises.

- ``{"kind": "expected", "tests": [id…]}``: the tests that are about to run; those of them that are never reported are missing.
- ``{"kind": "test", "test": id, "status": "passed|failed|error|skipped", "duration_ms": n}`` with ``message``, ``raised`` (type of
  the error), ``observed`` (the value that the call gave, as source text), ``in_test`` (the test's own assertion failed) and
  ``frames`` (``file:line`` inside the work folder, outermost first) where they are known.
- ``{"kind": "killed", "test": id, "message": …}``: this test ended the run.
- ``{"kind": "collect_error", "file": path or id, "message": …}``: a test file, or one test, that could not be built or loaded.
- ``{"kind": "coverage", "file": path, "lines": [...], "covered": [...], "branches": [[from, to]…], "covered_branches": [...]}``.
- ``{"kind": "footprint", "test": id, "lines": {path: [...]}, "branches": {path: [[from, to]…]}}``: what one test reached.
- ``{"kind": "session_error", "session": "own|generated", "message": …}``, ``{"kind": "broken", "message": …}``.

Where a language has no numbers for the ends of a branch, ``from`` is its line and ``to`` the branch's number on that line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from qverify_desktop.domain.execution import JobResult
from qverify_desktop.domain.testing import FileCoverage, Footprint, Status, SuiteResult, TestOutcome

#: Name of the artefact.
REPORT = "suite.jsonl"
MAX_RECORDS = 400_000
MAX_BYTES = 64 * 1024 * 1024
CHILD_KILLED = "A process that a test of this run had started was killed because it used too much memory."

_Text = Annotated[str, Field(max_length=4000)]
_Name = Annotated[str, Field(min_length=1, max_length=2000)]
_Line = Annotated[int, Field(ge=1, le=10_000_000)]
_End = Annotated[int, Field(ge=-10_000_000, le=10_000_000)]
_Lines = Annotated[list[_Line], Field(max_length=1_000_000)]
_Arcs = Annotated[list[tuple[_Line, _End]], Field(max_length=1_000_000)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Expected(_Record):
    kind: Literal["expected", "collected"]
    tests: Annotated[list[_Name], Field(max_length=200_000)]


class _Attempt(_Record):
    kind: Literal["attempt"]
    session: Literal["own", "generated"]
    number: Annotated[int, Field(ge=0, le=1000)]


class _Test(_Record):
    kind: Literal["test"]
    test: _Name
    status: Literal["passed", "failed", "error", "skipped"]
    duration_ms: Annotated[int, Field(ge=0, le=10**9)]
    message: _Text = ""
    raised: Annotated[str, Field(max_length=200)] = ""
    observed: _Text = ""
    in_test: bool = False
    frames: Annotated[list[_Text], Field(max_length=100)] = []


class _Killed(_Record):
    kind: Literal["killed"]
    test: _Name
    message: _Text


class _Collection(_Record):
    kind: Literal["collect_error", "collect_skip"]
    file: Annotated[str, Field(max_length=2000)]
    message: _Text


class _Session(_Record):
    kind: Literal["session_error", "fallback"]
    session: Literal["own", "generated", "static"]
    message: _Text


class _Broken(_Record):
    kind: Literal["broken"]
    message: _Text


class _Coverage(_Record):
    kind: Literal["coverage"]
    file: _Name
    lines: _Lines
    covered: _Lines
    branches: _Arcs
    covered_branches: _Arcs


class _Footprint(_Record):
    kind: Literal["footprint"]
    test: _Name
    lines: dict[_Name, _Lines]
    branches: dict[_Name, _Arcs]


class _Other(_Record):
    model_config = ConfigDict(extra="ignore")
    kind: Literal["start", "collecting", "exit", "end", "done"]


_AnyRecord = Annotated[
    _Expected | _Attempt | _Test | _Killed | _Collection | _Session | _Broken | _Coverage | _Footprint | _Other,
    Field(discriminator="kind"),
]
_READER: TypeAdapter[_AnyRecord] = TypeAdapter(_AnyRecord)


def no_module(text: str) -> Iterable[str]:
    """For languages whose missing modules are told otherwise."""
    return ()


def read_report(
    sources: Iterable[str], result: JobResult, missing_in: Callable[[str], Iterable[str]] = no_module
) -> SuiteResult:
    """The run that ``result`` reports. Tests that were expected and not reported are ``MISSING``.

    ``sources`` are the project's source files; coverage of others is dropped. ``missing_in`` finds the names of missing
    modules in the message of an error.
    """
    content = result.artefacts.get(REPORT)
    if content is None:
        return SuiteResult(problem=result.problem or died(result))
    if len(content) > MAX_BYTES:
        return SuiteResult(problem="The test run reported more than can be read.")
    reading = _Reading(frozenset(sources), missing_in)
    for record in read_records(content):
        reading.take(record)
    return reading.result(result)


def read_records(content: bytes) -> Iterator[_AnyRecord]:
    """The records of a report that fit their model; whatever else is in it is passed over."""
    for number, line in enumerate(content.split(b"\n")):
        if number >= MAX_RECORDS:
            return
        if line:
            try:
                yield _READER.validate_json(line, strict=False)
            except (ValidationError, ValueError, RecursionError):
                continue


class _Reading:
    """What the records say, taken one by one."""

    def __init__(self, sources: frozenset[str], missing_in: Callable[[str], Iterable[str]]) -> None:
        self.sources = sources
        self.missing_in = missing_in
        self.expected: dict[str, None] = {}
        self.outcomes: dict[str, TestOutcome] = {}
        self.errors: dict[str, str] = {}
        self.skips: dict[str, str] = {}
        self.coverage: dict[str, FileCoverage] = {}
        self.footprints: dict[str, Footprint] = {}
        self.missing: dict[str, None] = {}
        self.trouble = ""
        self.a_test_was_killed = False

    def take(self, record: _AnyRecord) -> None:
        if isinstance(record, _Expected):
            self.expected.update(dict.fromkeys(record.tests))
        elif isinstance(record, _Test):
            self.outcomes[record.test] = _outcome(record)
        elif isinstance(record, _Killed):
            self.a_test_was_killed = True
            self.outcomes[record.test] = TestOutcome(record.test, Status.ERROR, record.message)
        elif isinstance(record, _Collection):
            self._note_missing(record.message)
            (self.errors if record.kind == "collect_error" else self.skips)[record.file] = record.message
        elif isinstance(record, _Session):
            self._note_missing(record.message)
            if record.kind == "session_error":
                self.trouble = f"The test runner could not start. {_last_line(record.message)}".strip()
        elif isinstance(record, _Broken):
            self.trouble = f"The test runner broke: {record.message}"
        elif isinstance(record, _Coverage):
            self._cover(record)
        elif isinstance(record, _Footprint):
            self._print(record)

    def result(self, job: JobResult) -> SuiteResult:
        if job.execution.oom_killed and not self.a_test_was_killed:
            # What was killed is a child of a test that went on as if nothing had been, and nobody knows of which.
            self._disbelieve_what_passed()
        reported = {identifier.partition("[")[0] for identifier in self.outcomes} | set(self.outcomes)
        for test in self.expected:
            if test not in reported:
                skipped = self.skips.get(test.partition("::")[0])
                status = Status.MISSING if skipped is None else Status.SKIPPED
                self.outcomes[test] = TestOutcome(test, status, skipped or "")
        ran = any(outcome.status is not Status.MISSING for outcome in self.outcomes.values())
        problem = ""
        if not ran and not self.errors:
            problem = self.trouble or job.problem or (died(job) if self.outcomes or job.execution.exit_code else "")
        return SuiteResult(
            outcomes=tuple(self.outcomes.values()),
            coverage=self.coverage,
            footprints=self.footprints,
            collection_errors=self.errors,
            missing_modules=tuple(self.missing),
            problem=problem,
        )

    def _disbelieve_what_passed(self) -> None:
        for test, outcome in self.outcomes.items():
            if outcome.status is Status.PASSED:
                self.outcomes[test] = replace(outcome, status=Status.ERROR, message=CHILD_KILLED)

    def _note_missing(self, text: str) -> None:
        self.missing.update(dict.fromkeys(self.missing_in(text)))

    def _cover(self, record: _Coverage) -> None:
        if record.file not in self.sources:
            return
        before = self.coverage.get(record.file, FileCoverage())
        lines, branches = frozenset(record.lines), frozenset(record.branches)
        self.coverage[record.file] = FileCoverage(
            before.lines | lines,
            before.covered_lines | (frozenset(record.covered) & lines),
            before.branches | branches,
            before.covered_branches | (frozenset(record.covered_branches) & branches),
        )

    def _print(self, record: _Footprint) -> None:
        self.footprints[record.test] = Footprint(
            {file: frozenset(lines) for file, lines in record.lines.items() if file in self.sources},
            {file: frozenset(arcs) for file, arcs in record.branches.items() if file in self.sources},
        )


def _outcome(record: _Test) -> TestOutcome:
    return TestOutcome(
        record.test,
        Status(record.status),
        record.message,
        record.raised,
        record.observed,
        record.in_test,
        tuple(record.frames),
        record.duration_ms,
    )


def died(result: JobResult) -> str:
    """Why a run that left no report says nothing, in a sentence."""
    execution = result.execution
    if execution.oom_killed:
        return "The test run was killed because it used too much memory."
    if execution.timed_out:
        return "The test run did not end in time."
    return f"The test run ended with exit code {execution.exit_code} and no report."


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
