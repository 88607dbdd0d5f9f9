"""What a run ends with: judged tests, suspected defects, measures, verdict."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qverify_desktop.domain.execution import Isolation, isolation_of
from qverify_desktop.domain.project import Commit, MissingDependency, Scope, SkippedPath
from qverify_desktop.domain.testing import GeneratedTest, Quote


class TestVerdict(StrEnum):
    """``SUSPECTED``: refused as a test, because it fails, and listed as a suspected defect."""

    __test__ = False

    ACCEPTED = "accepted"
    REFUSED = "refused"
    SUSPECTED = "suspected"


class Reason(StrEnum):
    """Why a test was refused; ``SENTENCES`` says each to a person."""

    GAIN = "gain"
    SYNTAX = "syntax"
    COMPILE = "compile"
    NOT_COLLECTED = "not_collected"
    WRONG_IMPORT = "wrong_import"
    TRIVIAL = "trivial"
    NO_GAIN = "no_gain"
    FLAKY = "flaky"
    FAILS = "fails"
    CONTRADICTS_WORDS = "contradicts_words"
    EXAMPLE_NOT_RUNNABLE = "example_not_runnable"
    OUT_OF_DATE = "out_of_date"
    SUSPECTED_CODE = "suspected_code"
    OUTSIDE_DOMAIN = "outside_domain"
    INFRASTRUCTURE = "infrastructure"
    NOT_A_TEST = "not_a_test"


SENTENCES: Mapping[Reason, str] = {
    Reason.GAIN: "It passed five of five and reaches or notices something that no test did before.",
    Reason.SYNTAX: "It is not valid source.",
    Reason.COMPILE: "It does not compile.",
    Reason.NOT_COLLECTED: "The test runner could not collect it.",
    Reason.WRONG_IMPORT: "It imports or names something that does not exist.",
    Reason.TRIVIAL: "It asserts nothing that could fail.",
    Reason.NO_GAIN: "It reaches no new line or branch and notices no new mutant.",
    Reason.FLAKY: "It did not end the same way five times out of five.",
    Reason.FAILS: "It fails, and its expectation is not in the repository's own words.",
    Reason.CONTRADICTS_WORDS: "The code contradicts the repository's own words.",
    Reason.EXAMPLE_NOT_RUNNABLE: "The example can't be run as it is written, so nothing follows from its failure.",
    Reason.OUT_OF_DATE: "The call no longer fits the code, so the documentation may be out of date.",
    Reason.SUSPECTED_CODE: "The function is suspected of a defect, so what it does today is not held.",
    Reason.OUTSIDE_DOMAIN: "The input may lie outside what the code promises to accept.",
    Reason.INFRASTRUCTURE: "The sandbox could not run it to an end.",
    Reason.NOT_A_TEST: "The answer holds no test.",
}


@dataclass(frozen=True)
class Gain:
    """What an accepted test adds over the suite and the tests accepted before it (counts)."""

    lines: int = 0
    branches: int = 0
    mutants: int = 0


@dataclass(frozen=True)
class JudgedTest:
    """A generated test with the judge's decision. ``detail`` adds the particulars to the reason's sentence."""

    test: GeneratedTest
    verdict: TestVerdict
    reason: Reason
    detail: str = ""
    gain: Gain = Gain()


class Past(StrEnum):
    """What the history says of a suspected defect. ``UNKNOWN``: no commit could be run."""

    BROKEN_SINCE = "broken_since"
    UNCOMMITTED = "uncommitted"
    NEVER_HELD = "never_held"
    NO_HISTORY = "no_history"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class DefectHistory:
    """A defect's test, run in earlier commits along first parents.

    ``commit`` is the oldest one that was seen broken, ``held`` the newest older one in which the words held; between the two
    lie ``between`` commits in which the test could not be run or was not tried. ``tried`` counts the commits that answered.
    """

    state: Past
    commit: Commit | None = None
    held: Commit | None = None
    between: int = 0
    tried: int = 0

    @property
    def sentence(self) -> str:
        """The finding for a person."""
        if self.state is Past.BROKEN_SINCE and self.commit is not None:
            since = f"Broken since commit {self.commit.words}"
            if self.between and self.held is not None:
                others = "1 commit" if self.between == 1 else f"{self.between} commits"
                return (
                    f"{since} at the latest; it held in {self.held.words}, and {others} between them gave no answer."
                )
            return f"{since}."
        if self.state is Past.NEVER_HELD and self.commit is not None:
            tried = "the 1 commit that was" if self.tried == 1 else f"{self.tried} commits that were"
            return f"Never held in {tried} tried, back to {self.commit.words}; perhaps the documentation is wrong."
        return _PAST[self.state]


_PAST: Mapping[Past, str] = {
    Past.BROKEN_SINCE: "It held in an earlier commit.",
    Past.UNCOMMITTED: "Broken by changes that are not committed: it holds in the last commit.",
    Past.NEVER_HELD: "Never held in any commit that was tried; perhaps the documentation is wrong.",
    Past.NO_HISTORY: "No history: no commit holds this code.",
    Past.UNKNOWN: "Its history is not known: the test could not be run in earlier commits.",
}


@dataclass(frozen=True)
class Calibration:
    """How often an accusation that rests on words of the same form was right, of all that were made in the benchmark."""

    right: int
    accused: int

    @property
    def sentence(self) -> str:
        """The numbers for a person."""
        return f"In the benchmark {self.right} of {self.accused} accusations of this form were right."


@dataclass(frozen=True)
class SuspectedDefect:
    """The code contradicts the repository's own words, five times out of five. Confidence in thousandths.

    ``form`` names the notation of the words (``Promise.form``), ``calibration`` says how far that form can be trusted, ``None``
    where too few were measured; ``history`` is ``None`` where nobody looked.
    """

    file: str
    symbol: str
    line: int
    call: str
    expected: str
    observed: str
    evidence: Quote
    test: str
    reproductions: int
    confidence: int
    history: DefectHistory | None = None
    form: str = ""
    calibration: Calibration | None = None

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of what makes it this defect: the same in every run over the same code, wherever its line moves."""
        text = "\0".join((self.file, self.symbol, self.call, self.expected))
        return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()

    @property
    def id(self) -> str:
        """A short name within a run and across runs of the same code."""
        return self.fingerprint[:16]


@dataclass(frozen=True)
class EarlierRun:
    """An earlier run of the same log: number and hash (RFC 6962, hex) of the leaf with which it was closed."""

    run: str
    index: int
    leaf: str


class FixedBy(StrEnum):
    """What changed: ``CODE`` keeps the promise now, ``WORDS`` do not make it any more."""

    CODE = "code"
    WORDS = "words"


@dataclass(frozen=True)
class FixedDefect:
    """A defect that was suspected in the run ``since`` and is no more: its test was run again, five times."""

    defect: SuspectedDefect
    since: EarlierRun
    by: FixedBy

    @property
    def sentence(self) -> str:
        """The finding for a person."""
        if self.by is FixedBy.CODE:
            return f"Fixed since run {self.since.run}: the code does what the words say."
        return f"Settled since run {self.since.run}: the words are not there any more."


@dataclass(frozen=True)
class BehaviourChange:
    """A call that the code answers otherwise than it did in ``revision``. Neither answer is said to be right; where ``quote`` is
    given, the one of now is what the repository's own words promise.
    """

    file: str
    symbol: str
    line: int
    call: str
    now: str
    before: str
    revision: str
    test: str
    quote: Quote | None = None

    @property
    def sentence(self) -> str:
        """The finding for a person."""
        promised = ", as its words promise" if self.quote is not None else ""
        now = f" gives {self.now} now{promised}" if self.now else f" behaves otherwise now{promised}"
        return f"{self.call}{now}; at {self.revision}: {self.before}."


@dataclass(frozen=True)
class Fraction:
    """A part of a whole, kept as integers; ``None`` as a value where ``whole`` is 0."""

    part: int = 0
    whole: int = 0

    @property
    def value(self) -> float | None:
        return self.part / self.whole if self.whole else None


@dataclass(frozen=True)
class Measure:
    """Coverage or mutation score before and after the accepted tests."""

    lines: Fraction = Fraction()
    branches: Fraction = Fraction()
    mutants: Fraction = Fraction()


class Verdict(StrEnum):
    """What a run says about the repository."""

    NOTHING_SUSPECTED = "nothing_suspected"
    DEFECTS_SUSPECTED = "defects_suspected"
    INCONCLUSIVE = "inconclusive"


EXIT_CODES: Mapping[Verdict, int] = {
    Verdict.NOTHING_SUSPECTED: 0,
    Verdict.DEFECTS_SUSPECTED: 1,
    Verdict.INCONCLUSIVE: 4,
}


#: Least and most of a request's numbers; the evidence knows whole numbers below 2^53 only (RFC 8785, section 3.2.2.3).
TARGETS = (1, 1_000_000)
SEEDS = (0, 2**53 - 1)
#: Budgets in millionths of a US dollar; 0 sets no limit, the highest is a million dollars.
BUDGETS = (0, 10**12)
#: Seconds; 0 sets no limit, the highest is a week.
TIME_BUDGETS = (0, 7 * 24 * 3600)


@dataclass(frozen=True)
class AnalysisRequest:
    """What a person asked for. ``model`` is ``none`` or a model's name; ``out`` an absolute folder or empty.

    ``budget_microusd`` is what may be spent on the model, in millionths of a US dollar: once it is spent nothing further is
    asked. 0 sets no limit. ``packages`` is an absolute folder of the ecosystem's packages, from which missing ones are
    installed with no network, or empty. ``sandbox`` is a ``SandboxKind``; empty is what the settings say, which the engine
    puts in when the run starts. ``time_budget_s``: seconds after which no further batch of targets is begun; 0 sets no limit.
    ``fresh`` takes nothing over from earlier runs. ``cloud`` is a ``CloudPolicy``: a decision to be kept for the
    repository; when the run starts the engine puts in the one that the run keeps to.
    """

    source: str
    scope: Scope = Scope()
    model: str = "none"
    api_base: str = ""
    max_targets: int = 200
    seed: int = 0
    allow_install: bool = False
    out: str = ""
    budget_microusd: int = 0
    packages: str = ""
    sandbox: str = ""
    time_budget_s: int = 0
    fresh: bool = False
    cloud: str = ""


@dataclass(frozen=True)
class RunResult:
    """Everything a report is made of. Durations in milliseconds; money in millionths of a US dollar.

    ``reused``: the earlier run whose findings are taken over whole; ``reused_targets`` counts targets whose findings are taken
    over where only some are. ``files`` are the accepted tests, ``expected_failures`` those of the suspected defects marked as
    expected to fail, each path to text.
    """

    run: str
    request: AnalysisRequest
    verdict: Verdict
    sentence: str
    origin: str
    commit: str | None
    tree: str
    languages: tuple[str, ...] = ()
    image_digest: str = ""
    baseline: str = ""
    targets: int = 0
    tests: tuple[JudgedTest, ...] = ()
    defects: tuple[SuspectedDefect, ...] = ()
    fixed: tuple[FixedDefect, ...] = ()
    changes: tuple[BehaviourChange, ...] = ()
    reused: EarlierRun | None = None
    reused_targets: int = 0
    before: Measure = Measure()
    after: Measure = Measure()
    missing: tuple[MissingDependency, ...] = ()
    skipped: tuple[SkippedPath, ...] = ()
    notices: tuple[str, ...] = ()
    cost_microusd: int = 0
    duration_ms: int = 0
    sandbox_ms: int = 0
    model_ms: int = 0
    started_at: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    expected_failures: Mapping[str, str] = field(default_factory=dict)

    @property
    def isolation(self) -> Isolation:
        return isolation_of(self.request.sandbox)

    @property
    def accepted(self) -> tuple[JudgedTest, ...]:
        return tuple(t for t in self.tests if t.verdict is TestVerdict.ACCEPTED)
