"""The first question about a function as an analysis would put it to a model, without putting it.

The stages are those of an analysis: snapshot, languages, targets, context, prompt. Nothing of the repository runs; what its own
tests reach is taken from the newest run over the same files, if there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from qverify_desktop.analysis.baseline import Baseline, choose_targets, uncovered_lines
from qverify_desktop.analysis.earlier import earlier_runs, value_of
from qverify_desktop.analysis.generate import asker_of
from qverify_desktop.analysis.intake import detect, take_snapshot
from qverify_desktop.analysis.model_tests import ModelUnavailable, write_model_tests
from qverify_desktop.analysis.ports import Gateway
from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import FileCoverage

#: Functions that a sentence names.
MOST_NAMED = 5


@dataclass(frozen=True)
class Previewed:
    """``target`` is the function that was asked about, ``targets`` all that the model could be asked about, in their order;
    ``measured`` the run whose coverage marks the lines, empty where no run measured these files."""

    target: Target
    targets: tuple[Target, ...]
    measured: str


async def preview(steps: Steps, gateway: Gateway, name: str, earlier: Services) -> Previewed:
    """Put the first question about the function ``name`` (its name, or ``file::name``; empty: the one that would come first) to
    ``gateway``, which answers none. ``earlier`` knows the runs of this installation.

    Raises ``BadInput`` for a name that is none or several, and what the stages raise.
    """
    snapshot = await take_snapshot(steps)
    projects = sorted(await detect(steps, snapshot), key=lambda project: -len(project.source_files))
    found: list[tuple[Project, Target, frozenset[int]]] = []
    measured = ""
    for project in projects:
        run, coverage = await asyncio.to_thread(_coverage, earlier, steps.request.source, project, snapshot)
        measured = measured or run
        chosen = await choose_targets(steps, snapshot, project, coverage)
        missing = ((target, uncovered_lines(target, coverage)) for target in chosen)
        # A function that the tests reach whole is not asked about.
        found += [(project, target, lines) for target, lines in missing if lines]
    project, target, lines = _named(found, name)
    try:
        await write_model_tests(
            target,
            snapshot,
            project,
            steps.services.language(project.language),
            gateway,
            _nothing_runs,
            steps.request,
            missing=lines,
            asker=asker_of(steps, ""),
        )
    except ModelUnavailable:
        return Previewed(target, tuple(one for _, one, _ in found), measured)
    raise AssertionError("A preview was answered.")


async def _nothing_runs(job: Job) -> JobResult:
    raise AssertionError("A preview runs nothing.")


def _coverage(
    services: Services, source: str, project: Project, snapshot: Snapshot
) -> tuple[str, Mapping[str, FileCoverage]]:
    """The newest run over exactly these files, and what their own tests reach by it. Blocking."""
    for run in earlier_runs(services, source):
        seen = value_of(services, run.run, "intake", Snapshot)
        if seen is None or seen.tree != snapshot.tree:
            continue
        baseline = value_of(services, run.run, f"{project.language}.baseline", Baseline)
        if baseline is not None:
            return run.run, baseline.suite.coverage
    return "", {}


def _named(
    found: Sequence[tuple[Project, Target, frozenset[int]]], name: str
) -> tuple[Project, Target, frozenset[int]]:
    if not found:
        raise BadInput("There is no function in this scope that a model would be asked about.", "Take another scope.")
    if not name:
        return found[0]
    fitting = [one for one in found if name in (one[1].id, one[1].symbol)]
    fitting = fitting or [one for one in found if one[1].symbol.rpartition(".")[2] == name]
    if len(fitting) == 1:
        return fitting[0]
    some = ", ".join(one[1].id for one in (fitting or found)[:MOST_NAMED])
    if fitting:
        raise BadInput(f"{len(fitting)} functions are called {name}.", f"Name one of them: {some}")
    raise BadInput(f"A model would be asked about no function {name} here.", f"It would be asked about: {some} …")
