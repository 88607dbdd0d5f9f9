"""Running tests: the job for the sandbox, and reading what comes back from it (``languages.report``)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import SuiteResult
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.ecosystems import DependencySet, Ecosystem, with_dependencies
from qverify_desktop.languages.javascript.calls import test_ids
from qverify_desktop.languages.javascript.detection import collectable_tests
from qverify_desktop.languages.javascript.dialects import parse_source
from qverify_desktop.languages.javascript.drivers import FOLDER, driver_files
from qverify_desktop.languages.javascript.packages import framework, name_of
from qverify_desktop.languages.missing import missing_packages
from qverify_desktop.languages.report import read_report

#: Seconds: the whole run; at most, one generated test and loading one test file; one test of the project's own.
GENERATED_TIMEOUT_S = 300
OWN_TIMEOUT_S = 600
GENERATED_TEST_S = 10
LOAD_S = 45
PATIENCE_S = 60

DRIVERS = (
    "qv_supervision.cjs",
    "qv_worker.cjs",
    "qv_frame.cjs",
    "qv_loader.cjs",
    "qv_expect.cjs",
    "qv_telling.cjs",
    "qv_clock.cjs",
)
_MEASURING = ("run_tests.cjs", "qv_marks.cjs", "qv_alone.cjs", "qv_runners.cjs", "qv_preload.cjs", "qv_reporter.cjs")


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
    """See ``Language.suite_job``. Coverage names every source file where ``existing``, otherwise those that were loaded.

    The project's own tests keep their order; generated ones are shuffled by ``variation.order_seed`` (0 keeps their order).
    ``variation.hash_seed`` seeds ``Math.random``, since Node.js has no seed of hashes that a program could see.
    """
    timeout = OWN_TIMEOUT_S if existing else GENERATED_TIMEOUT_S
    wanted = sorted({test.partition("::")[0] for test in only})
    request = {
        "sources": list(project.source_files),
        "own": [path for path in collectable_tests(project) if not only or path in wanted] if existing else [],
        "generated": [path for path in sorted(files) if not only or path in wanted],
        "only": list(only),
        "expected": list(only) or [name for path in sorted(files) for name in _ids(path, files[path])],
        "seed": variation.order_seed,
        "hash_seed": variation.hash_seed % 2**31 + 1,
        "clock_s": variation.clock_s,
        "coverage": coverage,
        "everything": existing,
        "runner": _runner(project),
        "test_s": patience_s if existing else min(GENERATED_TEST_S, patience_s),
        "import_s": min(LOAD_S, patience_s),
        "deadline_s": timeout - 10,
    }
    overlay = {path: text.encode("utf-8", "replace") for path, text in files.items()}
    overlay.update(driver_files(*DRIVERS, *_MEASURING))
    overlay[f"{FOLDER}/suite.json"] = json.dumps(request).encode()
    job = Job(
        purpose="baseline" if existing else "judge",
        argv=("node", f"{FOLDER}/run_tests.cjs"),
        overlay=overlay,
        env=environment(variation),
        limits=Limits(timeout_s=timeout),
    )
    return with_dependencies(job, installed(project))


def environment(variation: RunVariation) -> dict[str, str]:
    """Environment of a test run under a variation."""
    return {"TZ": variation.time_zone, "LC_ALL": variation.locale, "LANG": variation.locale, "NODE_ENV": "test"}


def installed(project: Project) -> list[DependencySet]:
    """The set that an install of the project's lock file left in ``/deps``; of no effect where there is none."""
    if not project.lock_file.endswith((".json",)):
        return []
    return [DependencySet(Ecosystem.NPM, project.lock_file.rpartition("/")[0], (project.lock_file,), "")]


def read_suite(project: Project, result: JobResult) -> SuiteResult:
    """Read the records of ``run_tests.cjs``."""
    return read_report(project.source_files, result, _missing)


def _missing(text: str) -> Iterable[str]:
    return missing_packages(Ecosystem.NPM, text)


def _runner(project: Project) -> str:
    """The runner of the project's own tests."""
    runner = framework(project)
    names = {name_of(requirement) for requirement in project.dependencies}
    return "mocha" if runner == "node" and "mocha" in names else runner


def _ids(path: str, text: str) -> list[str]:
    """Ids of a generated file's tests; where it has a syntax error, those whose titles can be read."""
    source = parse_source(text, path)
    found = test_ids(source, path) if source is not None else []
    if source is None or source.root.has_error:
        titles = re.findall(r"^(?:test|it)\((\"(?:[^\"\\\n]|\\.){0,1000}\")", text, re.MULTILINE)
        found += [f"{path}::{json.loads(title, strict=False)}" for title in titles if _loads(title)]
    return list(dict.fromkeys(found))


def _loads(title: str) -> bool:
    try:
        json.loads(title, strict=False)
    except ValueError:
        return False
    return True
