"""Stage judge, the decision: who is accepted, who is refused and why, and what is measured before and after."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from qverify_desktop.analysis.judge import REPETITIONS, Tried
from qverify_desktop.analysis.mutation import Matrix
from qverify_desktop.domain.results import (
    Fraction,
    Gain,
    JudgedTest,
    Measure,
    Reason,
    TestVerdict,
)
from qverify_desktop.domain.testing import Arc, FileCoverage, Origin, Status, TestOutcome
from qverify_desktop.languages.base import Language

#: Tests that speak for the repository come first; what merely records today's behaviour must add to them.
_ORDER = (Origin.PROMISE, Origin.MODEL, Origin.PROPERTY, Origin.OBSERVATION)
_IMPORT_ERRORS = ("ImportError", "ModuleNotFoundError", "NameError", "AttributeError")


def decide(
    tried: Sequence[Tried], coverage: Mapping[str, FileCoverage], matrix: Matrix, language: Language
) -> tuple[list[JudgedTest], list[Tried]]:
    """Judge every candidate. Answers the judged tests and those that need triage (they contradict quoted words)."""
    judged, disputed = [], []
    seen_lines = {file: set(found.covered_lines) for file, found in coverage.items()}
    seen_branches = {file: set(found.covered_branches) for file, found in coverage.items()}
    names = {t.test.id for t in tried}
    killed = {m.id for m in matrix.mutants if any(k not in names for k in matrix.killers(m.id))}
    for one in sorted(tried, key=lambda t: _ORDER.index(t.test.origin)):
        if one.passed:
            gain = _gain(one, coverage, seen_lines, seen_branches, matrix, killed)
            if gain == Gain():
                judged.append(_refuse(one, Reason.NO_GAIN))
            else:
                judged.append(JudgedTest(one.test, TestVerdict.ACCEPTED, Reason.GAIN, _gain_words(gain), gain))
        elif one.failed_alike and one.test.quote is not None and one.test.origin is not Origin.PROPERTY:
            disputed.append(one)
        else:
            judged.append(_refuse_failing(one, language))
    return judged, disputed


def _gain(
    one: Tried,
    coverage: Mapping[str, FileCoverage],
    seen_lines: dict[str, set[int]],
    seen_branches: dict[str, set[Arc]],
    matrix: Matrix,
    killed: set[str],
) -> Gain:
    """Count what this test adds and add it to what was seen."""
    lines = branches = 0
    for file, found in one.footprint.lines.items():
        new = (found & coverage[file].lines) - seen_lines[file] if file in coverage else frozenset()
        lines += len(new)
        seen_lines.setdefault(file, set()).update(new)
    for file, arcs in one.footprint.branches.items():
        fresh = (arcs & coverage[file].branches) - seen_branches[file] if file in coverage else frozenset()
        branches += len(fresh)
        seen_branches.setdefault(file, set()).update(fresh)
    noticed = matrix.noticed.get(one.test.id, frozenset()) - killed
    killed |= noticed
    return Gain(lines, branches, len(noticed))


def _gain_words(gain: Gain) -> str:
    parts = [
        f"{count} new {word}{'' if count == 1 else ending}"
        for count, word, ending in (
            (gain.lines, "line", "s"),
            (gain.branches, "branch", "es"),
            (gain.mutants, "mutant", "s"),
        )
        if count
    ]
    return ", ".join(parts)


def _refuse(one: Tried, reason: Reason, detail: str = "") -> JudgedTest:
    return JudgedTest(one.test, TestVerdict.REFUSED, reason, detail)


def _refuse_failing(one: Tried, language: Language) -> JudgedTest:
    """Why a test that did not pass five of five is refused."""
    if one.collection_error:
        return _refuse_uncollected(one, language)
    first = one.outcomes[0]
    statuses = [o.status for o in one.outcomes]
    runs = sum(s is not Status.MISSING for s in statuses)
    if first.status is Status.PASSED and runs < REPETITIONS:
        return _refuse(one, Reason.INFRASTRUCTURE, f"Only {runs} of {REPETITIONS} runs came to their end.")
    if len(one.outcomes) > 1 and len(set(statuses)) > 1:
        passes = sum(s is Status.PASSED for s in statuses)
        return _refuse(one, Reason.FLAKY, f"It passed {passes} of {REPETITIONS} runs.")
    if first.status is Status.MISSING:
        return _refuse(one, Reason.INFRASTRUCTURE, "The run ended before it was this test's turn.")
    if first.status is Status.SKIPPED:
        return _refuse(one, Reason.TRIVIAL, "It skips itself.")
    if first.status is Status.ERROR:
        return _refuse(one, Reason.INFRASTRUCTURE, first.message)
    if one.test.origin is Origin.PROPERTY:
        return _refuse(one, Reason.OUTSIDE_DOMAIN, first.message)
    if len(one.outcomes) == REPETITIONS:
        return _refuse(one, Reason.FLAKY, "It failed in a different way from run to run.")
    if _names_nothing(first, language):
        return _refuse(one, Reason.WRONG_IMPORT, first.message)
    return _refuse(one, Reason.FAILS, first.message)


def _refuse_uncollected(one: Tried, language: Language) -> JudgedTest:
    error = one.collection_error
    if language.compiled:
        return _refuse(one, Reason.COMPILE, error)
    if "SyntaxError" in error or "IndentationError" in error:
        return _refuse(one, Reason.SYNTAX, error)
    if any(name in error for name in _IMPORT_ERRORS) and one.test.origin is Origin.MODEL:
        return _refuse(one, Reason.WRONG_IMPORT, error)
    return _refuse(one, Reason.NOT_COLLECTED, error)


def _names_nothing(outcome: TestOutcome, language: Language) -> bool:
    """The test itself names something that is not there; the same error from inside the code is the code's."""
    named = outcome.raised in language.unknown_name_errors or outcome.raised in _IMPORT_ERRORS
    return named and len(outcome.frames) <= 1


def fraction_of_coverage(coverage: Iterable[FileCoverage]) -> tuple[Fraction, Fraction]:
    """Lines and branches over all files."""
    files = list(coverage)
    return (
        Fraction(sum(len(f.covered_lines & f.lines) for f in files), sum(len(f.lines) for f in files)),
        Fraction(sum(len(f.covered_branches & f.branches) for f in files), sum(len(f.branches) for f in files)),
    )


def measure(
    coverage: Mapping[str, FileCoverage], matrix: Matrix, tests: Iterable[str], new: Iterable[str]
) -> Measure:
    """Coverage as given, and the share of mutants noticed by ``tests`` (ids outside ``new`` are the existing suite's)."""
    counted, generated = set(tests), set(new)
    noticed = sum(any(k in counted or k not in generated for k in matrix.killers(m.id)) for m in matrix.mutants)
    lines, branches = fraction_of_coverage(coverage.values())
    return Measure(lines, branches, Fraction(noticed, len(matrix.mutants)))
