"""Running mutants: the job for the sandbox."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.mutation_report import described
from qverify_desktop.languages.rust.suite import job_of, places, written_tests

#: Seconds: to build everything a few times, for each mutant, and at most.
START_S, EACH_S, MOST_S = 180, 4, 600


def mutation_job(
    project: Project, files: Mapping[str, str], mutants: Sequence[Mutant], tests: Mapping[str, Sequence[str]]
) -> Job:
    """See ``Language.mutation_job``. Tests that fail without a mutant are left out of every answer."""
    timeout = min(MOST_S, START_S + EACH_S * len(mutants))
    named = {test for mutant in mutants for test in tests.get(mutant.id, ())}
    generated = [test for test in written_tests(files) if test.id in named]
    own = bool(named - {test.id for test in generated})
    request = {
        "task": "mutants",
        **places(project, generated),
        "own": own,
        "deadline_s": timeout - 6,
        "mutants": described(mutants, tests),
    }
    return job_of(project, "mutants", request, files, RunVariation(), timeout)
