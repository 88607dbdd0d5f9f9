"""Running mutants: the job for the sandbox."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import Mutant
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.mutation_report import described
from qverify_desktop.languages.python.drivers import FOLDER, driver_files
from qverify_desktop.languages.python.suite import environment

#: Seconds: to start and run the tests once, for each mutant, and at most.
START_S, EACH_S, MOST_S = 90, 4, 600


def mutation_job(
    project: Project, files: Mapping[str, str], mutants: Sequence[Mutant], tests: Mapping[str, Sequence[str]]
) -> Job:
    """See ``Language.mutation_job``. Tests that fail without a mutant are left out of every answer."""
    timeout = min(MOST_S, START_S + EACH_S * len(mutants))
    named = {test.partition("::")[0] for mutant in mutants for test in tests.get(mutant.id, ())}
    request = {
        "roots": list(project.source_roots),
        "own": sorted(named - set(files)),
        "asyncio": any("async " in text for text in files.values()),
        "deadline_s": timeout - 6,
        "mutants": described(mutants, tests),
    }
    overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(driver_files("run_mutants.py", "qv_supervision.py"))
    overlay[f"{FOLDER}/mutants.json"] = json.dumps(request).encode()
    return Job(
        purpose="mutants",
        argv=("python", f"{FOLDER}/run_mutants.py"),
        overlay=overlay,
        env=environment(RunVariation()),
        limits=Limits(timeout_s=timeout),
    )
