"""A finished run in memory: result, details and indices over them. The last few are kept, because a window asks again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from qverify_desktop.analysis.services import Services
from qverify_desktop.domain.details import FileDetails, RunDetails
from qverify_desktop.domain.results import JudgedTest, RunResult, TestVerdict
from qverify_desktop.domain.testing import Mutant, MutantStatus
from qverify_desktop.engine.history import details_of

#: Runs that stay in memory.
KEPT = 4


@dataclass(frozen=True)
class FinishedRun:
    """``details`` has one value per language; a run of an older version has none."""

    result: RunResult
    details: tuple[RunDetails, ...] = ()
    languages: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def tests(self) -> Mapping[str, JudgedTest]:
        return {judged.test.id: judged for judged in self.result.tests}

    @cached_property
    def files(self) -> Mapping[str, FileDetails]:
        return {file.path: file for one in self.details for file in one.files}

    @cached_property
    def mutants(self) -> tuple[Mutant, ...]:
        return tuple(mutant for one in self.details for mutant in one.mutants)

    @cached_property
    def killed_by(self) -> Mapping[str, tuple[str, ...]]:
        return {mutant: tests for one in self.details for mutant, tests in one.killed_by.items()}

    @cached_property
    def reached(self) -> Mapping[str, Mapping[str, frozenset[int]]]:
        return {test: files for one in self.details for test, files in one.reached.items()}

    @cached_property
    def accepted(self) -> frozenset[str]:
        return frozenset(id_ for id_, judged in self.tests.items() if judged.verdict is TestVerdict.ACCEPTED)

    def status(self, mutant: str) -> MutantStatus:
        """Killed when an existing or accepted test notices it."""
        kept = [test for test in self.killed_by.get(mutant, ()) if test in self.accepted or test not in self.tests]
        return MutantStatus.KILLED if kept else MutantStatus.SURVIVED


class FinishedRuns:
    """Reads runs; blocking, safe from any thread. Raises ``BadInput`` for a run that has no result yet."""

    def __init__(self, services: Services, result: Callable[[str], RunResult]) -> None:
        self._services = services
        self._result = result
        self._kept: OrderedDict[str, FinishedRun] = OrderedDict()
        self._one_at_a_time = threading.Lock()

    def get(self, run: str) -> FinishedRun:
        with self._one_at_a_time:
            found = self._kept.get(run)
            if found is None:
                result = self._result(run)
                found = self._kept[run] = FinishedRun(result, details_of(self._services, result))
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(run)
            return found
