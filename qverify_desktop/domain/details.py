"""What a run found line by line and mutant by mutant: kept beside the result, for those who look closer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from qverify_desktop.domain.testing import FileCoverage, Mutant


@dataclass(frozen=True)
class FileDetails:
    """A source file of the project as it was analysed, and its coverage before and after the accepted tests.

    ``text`` is empty where ``left_out`` says in a sentence why.
    """

    path: str
    language: str
    text: str = ""
    left_out: str = ""
    before: FileCoverage = FileCoverage()
    after: FileCoverage = FileCoverage()


class LineState(StrEnum):
    """State of an executable line. ``PARTIAL``: it was reached, but a branch that leaves it was never taken."""

    COVERED = "covered"
    PARTIAL = "partial"
    MISSED = "missed"


def line_states(file: FileDetails) -> dict[int, tuple[LineState, LineState]]:
    """Each executable line with its state before and after, in order."""
    before, after = _States(file.before), _States(file.after)
    return {line: (before.of(line), after.of(line)) for line in sorted(file.before.lines | file.after.lines)}


class _States:
    def __init__(self, coverage: FileCoverage) -> None:
        self._covered = coverage.covered_lines
        self._partial = {start for start, _ in coverage.branches - coverage.covered_branches}

    def of(self, line: int) -> LineState:
        if line not in self._covered:
            return LineState.MISSED
        return LineState.PARTIAL if line in self._partial else LineState.COVERED


@dataclass(frozen=True)
class RunDetails:
    """``killed_by`` maps a mutant to all tests that notice it, existing and generated; ``reached`` a generated test that
    ran to the lines that it reaches, by file. Only mutants that could be built are listed."""

    files: tuple[FileDetails, ...] = ()
    mutants: tuple[Mutant, ...] = ()
    killed_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reached: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
