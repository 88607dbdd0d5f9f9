"""Running tests: the job for the sandbox, and reading what comes back from it (``languages.report``).

Coverage is Go's: counters of runs of statements, read back to the lines on which statements begin. Branches are the arms of ``if``,
``switch`` and ``select`` and the bodies of loops, numbered on the line of the decision; Go does not count the operands of ``&&``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qverify_desktop.domain.execution import GIB, Job, JobResult, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import SuiteResult
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.go.drivers import COMMAND, driver_files
from qverify_desktop.languages.go.installation import with_modules
from qverify_desktop.languages.report import read_report

#: Seconds: the whole run; one generated test; one test of the project's own.
GENERATED_TIMEOUT_S = 420
OWN_TIMEOUT_S = 600
GENERATED_TEST_S = 20
PATIENCE_S = 60


def suite_job(
    project: Project,
    files: Mapping[str, str],
    *,
    only: Sequence[str],
    variation: RunVariation,
    coverage: bool,
    existing: bool,
    patience_s: int = PATIENCE_S,
) -> Job:
    """See ``Language.suite_job``. With coverage each generated test has a process of its own; without, those of a package share
    one, in the order that ``variation.order_seed`` gives, and what ends it or hangs runs again alone."""
    timeout = OWN_TIMEOUT_S if existing else GENERATED_TIMEOUT_S
    request = {
        "task": "suite",
        "modules": list(project.source_roots),
        "files": dict(files),
        "own_files": list(project.test_files) if existing else [],
        "sources": list(project.source_files) if coverage else [],
        "only": list(only),
        "seed": variation.order_seed,
        "coverage": coverage,
        "test_s": patience_s if existing else min(GENERATED_TEST_S, patience_s),
        "deadline_s": timeout - 15,
    }
    return job_of(project, "baseline" if existing else "judge", request, variation, timeout)


def job_of(
    project: Project, purpose: str, request: Mapping[str, Any], variation: RunVariation, timeout_s: int
) -> Job:
    """A job of the driver. Go's hashes have a seed of their own in every process."""
    job = Job(
        purpose=purpose,
        argv=COMMAND,
        overlay=driver_files(request),
        env={"TZ": variation.time_zone, "LC_ALL": variation.locale, "LANG": variation.locale},
        limits=Limits(timeout_s=timeout_s, tmp_bytes=1 * GIB, memory_bytes=3 * GIB),
    )
    return with_modules(job, project)


def read_suite(project: Project, result: JobResult) -> SuiteResult:
    """Read the records of the driver."""
    return read_report(project.source_files, result)
