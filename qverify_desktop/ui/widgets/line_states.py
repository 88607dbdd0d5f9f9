"""Coverage of lines as code view, gutter and overview strip show it: states with their words, shapes' tokens, and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from qverify_desktop.domain.result_views import SourceLine
from qverify_desktop.ui.language import later, tr, trn

COVERED, PARTIAL, MISSED = "covered", "partial", "missed"
#: States that are gaps, with the token of their tint. Covered code stays quiet.
TINTS = {PARTIAL: "partial-bg", MISSED: "missed-bg"}
_WORDS = {
    COVERED: later("Line {line}: covered, every branch is taken."),
    PARTIAL: later("Line {line}: partial, a branch is not taken."),
    MISSED: later("Line {line}: missed, it never runs."),
}


@dataclass(frozen=True)
class LineState:
    """An executable line: ``covered``, ``partial`` or ``missed``, and how many tests reach it."""

    state: str
    tests: int = 0


def coverage_of(lines: Iterable[SourceLine], side: str) -> dict[int, LineState]:
    """The states of one side, ``before`` or ``after`` the accepted tests."""
    after = side == "after"
    return {
        one["line"]: LineState(one["after"] if after else one["before"], one["tests"] if after else 0)
        for one in lines
    }


def words_of(line: int, state: LineState) -> str:
    """What tooltip and screen reader say of a line."""
    words = (
        tr(_WORDS[state.state], line=f"{line:,}") if state.state in _WORDS else tr("Line {line}", line=f"{line:,}")
    )
    if state.tests:
        words += " " + trn("{n} test reaches it.", "{n} tests reach it.", state.tests)
    return words


def gaps_of(coverage: Mapping[int, LineState]) -> list[int]:
    """The first line of each gap: executable lines that follow one another and are partial or missed."""
    found: list[int] = []
    inside = False
    for line in sorted(coverage):
        gap = coverage[line].state in TINTS
        if gap and not inside:
            found.append(line)
        inside = gap
    return found


def gap_after(coverage: Mapping[int, LineState], line: int) -> int | None:
    """The next gap below a line, after the last one the first; ``None`` where there is none."""
    gaps = gaps_of(coverage)
    return next((gap for gap in gaps if gap > line), gaps[0] if gaps else None)


def gap_before(coverage: Mapping[int, LineState], line: int) -> int | None:
    """Like ``gap_after``, upwards."""
    gaps = gaps_of(coverage)
    return next((gap for gap in reversed(gaps) if gap < line), gaps[-1] if gaps else None)
