"""Generated tests, what happened to them, what they covered, and which mutants they killed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Label(StrEnum):
    """What an assertion rests on: the repository's own words, or what the code does today."""

    SPECIFICATION = "specification"
    CHARACTERIZATION = "characterization"


class Origin(StrEnum):
    """Which generator wrote a test."""

    PROMISE = "promise"
    PROPERTY = "property"
    OBSERVATION = "observation"
    MODEL = "model"


@dataclass(frozen=True)
class Quote:
    """Words found verbatim in the repository: ``text`` stands at ``file``, ``line`` (1-based)."""

    text: str
    file: str
    line: int


@dataclass(frozen=True)
class GeneratedTest:
    """One test function. Several with the same ``path`` share one file: their preludes merged, then their code.

    ``name`` is the function's name, unique in its file. ``code`` is the function's source with its decorators;
    ``prelude`` the module-level statements it needs (imports first), one statement an entry. ``call`` and
    ``expected`` are source text where the test holds one call to one expectation, for the defect's report.
    """

    path: str
    name: str
    code: str
    target: str
    label: Label
    origin: Origin
    prelude: tuple[str, ...] = ()
    call: str = ""
    expected: str = ""
    quote: Quote | None = None

    @property
    def id(self) -> str:
        """``path::name``, as a test runner prints it."""
        return f"{self.path}::{self.name}"


class Status(StrEnum):
    """How a test ended. ``MISSING``: it was asked for but not reported (not collected, or the run died first)."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    MISSING = "missing"


@dataclass(frozen=True)
class TestOutcome:
    """One test in one run. ``id`` is ``path::name`` (with class and parameters where the runner has them).

    ``observed`` is the source-like text of the value the call gave (or ``raises X: …``) where the test records it.
    ``raised`` is the exception's type name on failure; ``in_test`` whether it was raised by the test's own assertion.
    ``frames`` are the ``file:line`` of the traceback inside the work folder, outermost first.
    """

    __test__ = False

    id: str
    status: Status
    message: str = ""
    raised: str = ""
    observed: str = ""
    in_test: bool = False
    frames: tuple[str, ...] = ()
    duration_ms: int = 0


Arc = tuple[int, int]


@dataclass(frozen=True)
class FileCoverage:
    """Sets, not percentages: executable and covered lines, possible and covered branches (``from``, ``to``)."""

    lines: frozenset[int] = frozenset()
    covered_lines: frozenset[int] = frozenset()
    branches: frozenset[Arc] = frozenset()
    covered_branches: frozenset[Arc] = frozenset()


@dataclass(frozen=True)
class Footprint:
    """What one test reached: for each file its lines and branches."""

    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    branches: Mapping[str, frozenset[Arc]] = field(default_factory=dict)


@dataclass(frozen=True)
class SuiteResult:
    """One run of a test command. ``problem`` is a sentence when the run as a whole says nothing (crashed, hung).

    ``coverage`` is keyed by file; ``footprints`` by test id. ``collection_errors`` maps a test file, or a
    test's id, to the error that kept it from being collected. ``missing_modules`` are imports that failed anywhere during collection.
    """

    outcomes: tuple[TestOutcome, ...] = ()
    coverage: Mapping[str, FileCoverage] = field(default_factory=dict)
    footprints: Mapping[str, Footprint] = field(default_factory=dict)
    collection_errors: Mapping[str, str] = field(default_factory=dict)
    missing_modules: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True)
class Mutant:
    """A small change of source: bytes ``start`` to ``end`` (offsets into the UTF-8 file) become ``replacement``."""

    id: str
    file: str
    line: int
    operator: str
    start: int
    end: int
    original: str
    replacement: str
    target: str = ""


class MutantStatus(StrEnum):
    """``INVALID``: it can't be built or imported; counts neither way."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed_out"
    INVALID = "invalid"
    NOT_RUN = "not_run"


@dataclass(frozen=True)
class MutantOutcome:
    """``killed_by`` are the ids of all tests that failed with the mutant in place."""

    mutant: str
    status: MutantStatus
    killed_by: tuple[str, ...] = ()
