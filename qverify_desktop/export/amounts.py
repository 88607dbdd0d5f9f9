"""Counts in words, the same in every report."""

from __future__ import annotations

from qverify_desktop.domain.results import Gain


def counted(number: int, thing: str) -> str:
    """``1 test``, ``1,204 branches``."""
    plural = {"branch": "branches"}.get(thing, f"{thing}s")
    return f"{number:,} {thing if number == 1 else plural}"


def gained(gain: Gain) -> str:
    """Only what there is of it: ``3 lines, 1 mutant``."""
    counts = ((gain.lines, "line"), (gain.branches, "branch"), (gain.mutants, "mutant"))
    return ", ".join(counted(count, thing) for count, thing in counts if count)
