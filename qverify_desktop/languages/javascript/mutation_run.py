"""Running mutants: the job for the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.ecosystems import with_dependencies
from qverify_desktop.languages.javascript.drivers import FOLDER, driver_files
from qverify_desktop.languages.javascript.suite import DRIVERS, GENERATED_TEST_S, LOAD_S, environment, installed
from qverify_desktop.languages.mutation_report import described

#: Seconds: to start and run the tests once, for each mutant, and at most.
START_S, EACH_S, MOST_S = 90, 4, 600


def mutation_job(
    project: Project, files: Mapping[str, str], mutants: Sequence[Mutant], tests: Mapping[str, Sequence[str]]
) -> Job:
    """See ``Language.mutation_job``. Tests that fail without a mutant are left out of every answer."""
    timeout = min(MOST_S, START_S + EACH_S * len(mutants))
    request = {
        "mutants": described(mutants, tests),
        "test_s": GENERATED_TEST_S,
        "import_s": LOAD_S,
        "deadline_s": timeout - 6,
    }
    overlay = {path: text.encode("utf-8", "replace") for path, text in files.items()}
    overlay.update(driver_files("run_mutants.cjs", *DRIVERS))
    overlay[f"{FOLDER}/mutants.json"] = json.dumps(request).encode()
    job = Job(
        purpose="mutants",
        argv=("node", f"{FOLDER}/run_mutants.cjs"),
        overlay=overlay,
        env=environment(RunVariation()),
        limits=Limits(timeout_s=timeout),
    )
    return with_dependencies(job, installed(project))
