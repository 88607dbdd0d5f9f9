"""Running tests: the job for the sandbox, and reading what comes back from it.

What comes back was written by a process that ran hostile code: every record is checked by a strict model, records that do
not fit are dropped, and nothing here raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import FileCoverage, Footprint, Status, SuiteResult, TestOutcome
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.python.detection import collectable_tests
from qverify_desktop.languages.python.drivers import FOLDER, driver_files
from qverify_desktop.languages.python.source import SourceFile, parse_source

#: Seconds: the whole run; at most, one generated test and importing one test file; one test of the project's own.
GENERATED_TIMEOUT_S = 300
OWN_TIMEOUT_S = 600
GENERATED_TEST_S = 20
IMPORT_S = 45
PATIENCE_S = 60

MAX_RECORDS = 400_000
MAX_BYTES = 64 * 1024 * 1024

_MISSING_MODULE = re.compile(r"No module named ['\"]([A-Za-z_][\w.]{0,200})['\"]")

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


def suite_job(
    project: Project,
    files: Mapping[str, str],
    *,
    only: Sequence[str],
    variation: RunVariation,
    coverage: bool,
    existing: bool,
    patience_s: int = PATIENCE_S,
) -> Job:
    """See ``Language.suite_job``. Coverage names every source file where ``existing``, otherwise those that were imported.

    The project's own tests keep their order and their configuration; generated ones are shuffled by
    ``variation.order_seed`` (0 keeps their order) and run under a neutral configuration.
    """
    timeout = OWN_TIMEOUT_S if existing else GENERATED_TIMEOUT_S
    wanted = sorted({test.partition("::")[0] for test in only})
    request = {
        "roots": list(project.source_roots),
        "sources": list(project.source_files) if coverage else [],
        "own": [path for path in collectable_tests(project) if not only or path in wanted] if existing else [],
        "generated": [path for path in sorted(files) if not only or path in wanted],
        "only": list(only),
        "expected": list(only) or [name for path in sorted(files) for name in _test_ids(path, files[path])],
        "seed": variation.order_seed,
        "coverage": coverage,
        "everything": existing,
        "asyncio": any("async " in text for text in files.values()),
        "test_s": patience_s if existing else min(GENERATED_TEST_S, patience_s),
        "import_s": min(IMPORT_S, patience_s),
        "deadline_s": timeout - 10,
    }
    overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(driver_files("run_tests.py", "qv_supervision.py", "qv_recording.py", "qv_measuring.py"))
    overlay[f"{FOLDER}/suite.json"] = json.dumps(request).encode()
    return Job(
        purpose="baseline" if existing else "judge",
        argv=("python", f"{FOLDER}/run_tests.py"),
        overlay=overlay,
        env=environment(variation),
        limits=Limits(timeout_s=timeout),
    )


def environment(variation: RunVariation) -> dict[str, str]:
    """Environment of a test run under a variation."""
    return {
        "TZ": variation.time_zone,
        "PYTHONHASHSEED": str(variation.hash_seed % 4294967296),
        "LC_ALL": variation.locale,
        "LANG": variation.locale,
        "PYTHONUTF8": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis",  # noqa: S108
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def read_suite(project: Project, result: JobResult) -> SuiteResult:
    """Read the records of ``run_tests.py``. Tests that were asked for and not reported are ``MISSING``."""
    content = result.artefacts.get("suite.jsonl")
    if content is None:
        return SuiteResult(problem=result.problem or _died(result))
    if len(content) > MAX_BYTES:
        return SuiteResult(problem="The test run reported more than can be read.")
    reading = _Reading(frozenset(project.source_files))
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


CHILD_KILLED = "A process that a test of this run had started was killed because it used too much memory."


class _Reading:
    """What the records say, taken one by one."""

    def __init__(self, sources: frozenset[str]) -> None:
        self.sources = sources
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
            problem = self.trouble or job.problem or (_died(job) if self.outcomes or job.execution.exit_code else "")
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
        self.missing.update(dict.fromkeys(_MISSING_MODULE.findall(text)))

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


def _died(result: JobResult) -> str:
    execution = result.execution
    if execution.oom_killed:
        return "The test run was killed because it used too much memory."
    if execution.timed_out:
        return "The test run did not end in time."
    return f"The test run ended with exit code {execution.exit_code} and no report."


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _test_ids(path: str, text: str) -> list[str]:
    """Ids of the test functions and methods that a runner would find in a generated file."""
    source = parse_source(text.encode("utf-8", "surrogatepass"), path)
    if not isinstance(source, SourceFile):
        return []
    found = []
    for statement in source.root.named_children:
        node = statement.child_by_field_name("definition") or statement
        name = node.child_by_field_name("name")
        if node.type == "function_definition" and name is not None and source.slice(name).startswith("test"):
            found.append(f"{path}::{source.slice(name)}")
    return found
