"""Small domain values for the tests of the judge."""

from __future__ import annotations

from qverify_desktop.analysis.judge import REPETITIONS, Tried
from qverify_desktop.domain.project import Target
from qverify_desktop.domain.testing import (
    FileCoverage,
    Footprint,
    GeneratedTest,
    Label,
    Origin,
    Quote,
    Status,
    TestOutcome,
)

FILE = "pkg/text.py"
PATH = "tests/qverify/test_qv_text.py"


def target(symbol: str = "pages", line: int = 1, end: int = 9) -> Target:
    return Target("python", FILE, "pkg.text", symbol, line, end, line + 2, f"def {symbol}(n: int) -> int")


def generated(name: str, origin: Origin = Origin.PROMISE, quoted: bool = True) -> GeneratedTest:
    return GeneratedTest(
        PATH,
        name,
        f"def {name}():\n    observed = pages(10)\n    assert observed == 2",
        target().id,
        Label.SPECIFICATION if quoted else Label.CHARACTERIZATION,
        origin,
        ("from pkg.text import pages",),
        "pages(10)",
        "2",
        Quote(">>> pages(10)\n2", FILE, 3) if quoted else None,
    )


def outcome(test: GeneratedTest, status: Status, **more: object) -> TestOutcome:
    return TestOutcome(test.id, status, **more)  # type: ignore[arg-type]


def tried(
    test: GeneratedTest,
    status: Status = Status.PASSED,
    lines: frozenset[int] = frozenset(),
    runs: int = REPETITIONS,
    **more: object,
) -> Tried:
    return Tried(test, tuple(outcome(test, status, **more) for _ in range(runs)), Footprint({FILE: lines}, {}))


def coverage(covered: frozenset[int] = frozenset()) -> dict[str, FileCoverage]:
    return {FILE: FileCoverage(frozenset(range(1, 10)), covered, frozenset({(3, 4), (3, 5)}), frozenset())}
