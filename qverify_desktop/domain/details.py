"""What a run found line by line and mutant by mutant: kept beside the result, for those who look closer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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


@dataclass(frozen=True)
class RunDetails:
    """``killed_by`` maps a mutant to all tests that notice it, existing and generated; ``reached`` a generated test that
    ran to the lines that it reaches, by file. Only mutants that could be built are listed."""

    files: tuple[FileDetails, ...] = ()
    mutants: tuple[Mutant, ...] = ()
    killed_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reached: Mapping[str, Mapping[str, frozenset[int]]] = field(default_factory=dict)
