"""Running mutants: the job for the sandbox. All mutants of a file are built at once, and chosen when a test runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.go.suite import job_of
from qverify_desktop.languages.mutation_report import described

#: Seconds: to build everything a few times, for each mutant, and at most.
START_S, EACH_S, MOST_S = 180, 4, 600


def mutation_job(
    project: Project, files: Mapping[str, str], mutants: Sequence[Mutant], tests: Mapping[str, Sequence[str]]
) -> Job:
    """See ``Language.mutation_job``. Tests that fail without a mutant are left out of every answer."""
    timeout = min(MOST_S, START_S + EACH_S * len(mutants))
    named = {test.partition("::")[0] for mutant in mutants for test in tests.get(mutant.id, ())}
    request = {
        "task": "mutants",
        "modules": list(project.source_roots),
        "files": {path: text for path, text in files.items() if path in named},
        "own_files": [path for path in project.test_files if path in named],
        "sources": [],
        "coverage": False,
        "deadline_s": timeout - 10,
        "mutants": described(mutants, tests),
    }
    return job_of(project, "mutants", request, RunVariation(), timeout)
