"""What a run leaves of its targets for later runs, and under which keys."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from qverify_desktop.analysis.judge import Tried
from qverify_desktop.analysis.mutation import RunMutant
from qverify_desktop.domain.results import EarlierRun, JudgedTest


@dataclass(frozen=True)
class Kept:
    """What a run leaves of its targets. ``keys``: those that were analysed to their end; ``found_in``: the earlier run in
    which each that was taken over was analysed."""

    keys: Mapping[str, str] = field(default_factory=dict)
    found_in: Mapping[str, EarlierRun] = field(default_factory=dict)
    tried: tuple[Tried, ...] = ()
    refused: tuple[JudgedTest, ...] = ()
    mutants: tuple[RunMutant, ...] = ()

    def only(self, targets: Iterable[str], run: EarlierRun) -> Kept:
        """The part about some targets, as it stands in ``run``."""
        wanted = frozenset(targets)
        return Kept(
            {t: key for t, key in self.keys.items() if t in wanted},
            {t: self.found_in.get(t, run) for t in self.keys if t in wanted},
            tuple(t for t in self.tried if t.test.target in wanted),
            tuple(j for j in self.refused if j.test.target in wanted),
            tuple(m for m in self.mutants if m.mutant.target in wanted),
        )

    def __add__(self, other: Kept) -> Kept:
        return Kept(
            {**self.keys, **other.keys},
            {**self.found_in, **other.found_in},
            self.tried + other.tried,
            self.refused + other.refused,
            self.mutants + other.mutants,
        )


def kept_step(language: str) -> str:
    """The step in which a language's ``Kept`` is recorded."""
    return f"{language}.kept"
