"""What earlier runs over the same source left: their results, read from their recorded steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import read_value
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.results import EarlierRun

#: Name of the step whose result is the ``RunResult``.
RESULT_STEP = "result"
#: Earlier runs that are looked at.
MOST_RUNS = 8

T = TypeVar("T")


def earlier_runs(services: Services, source: str) -> Iterator[EarlierRun]:
    """Finished runs over the same source, newest first, that a verifier of this log can find. Blocking."""
    if services.earlier is None:
        return
    for run in services.earlier.finished(source, MOST_RUNS):
        sealed = services.journal.sealed(run)
        if sealed is not None:
            yield sealed


def value_of(services: Services, run: str, step: str, kind: type[T]) -> T | None:
    """What an earlier run recorded in a step; ``None`` where it did not, or in a form that this version does not read."""
    try:
        digest = services.journal.recorded(run, step)
        return None if digest is None else read_value(services.artefacts.get(digest), kind)
    except (ValueError, QVerifyError):
        return None
