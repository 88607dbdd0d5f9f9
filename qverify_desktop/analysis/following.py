"""How far each target came, told to a person who watches. Nothing of this is evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from qverify_desktop.analysis.ports import Reporter
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Target
from qverify_desktop.domain.results import JudgedTest, TestVerdict
from qverify_desktop.domain.testing import FileCoverage, GeneratedTest

#: More targets than this are not followed one by one.
MOST = 2_000


def chosen(reporter: Reporter, targets: Sequence[Target], coverage: Mapping[str, FileCoverage]) -> None:
    """The targets, in their order, with the lines that no test reaches."""
    for target in targets[:MOST]:
        file = coverage.get(target.file)
        lines = range(target.line, target.end_line + 1)
        missed = sum(line in file.lines and line not in file.covered_lines for line in lines) if file else 0
        words = "Reached by existing tests" if file and not missed else _counted(missed, "untested line")
        reporter.target(Stage.TARGETS, target.id, words if file else "Untested")


def written(reporter: Reporter, tests: Sequence[GeneratedTest]) -> None:
    """How many tests were written for each target."""
    for target, count in list(Counter(test.target for test in tests).items())[:MOST]:
        reporter.target(Stage.GENERATE, target, f"{_counted(count, 'test')} written")


def judged(reporter: Reporter, tests: Sequence[JudgedTest]) -> None:
    """What became of the tests of each target."""
    by_target: dict[str, Counter[TestVerdict]] = {}
    for one in tests:
        by_target.setdefault(one.test.target, Counter())[one.verdict] += 1
    for target, counts in list(by_target.items())[:MOST]:
        parts = [f"{counts[TestVerdict.ACCEPTED]} kept", f"{counts[TestVerdict.REFUSED]} refused"]
        if counts[TestVerdict.SUSPECTED]:
            parts.insert(0, _counted(counts[TestVerdict.SUSPECTED], "suspected defect"))
        reporter.target(Stage.TRIAGE, target, ", ".join(parts))


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
