"""Running tests: the job for the sandbox, and reading what comes back from it (``languages.report``)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import SuiteResult
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.python.detection import collectable_tests
from qverify_desktop.languages.python.drivers import FOLDER, driver_files
from qverify_desktop.languages.python.source import SourceFile, parse_source
from qverify_desktop.languages.report import read_report

#: Seconds: the whole run; at most, one generated test and importing one test file; one test of the project's own.
GENERATED_TIMEOUT_S = 300
OWN_TIMEOUT_S = 600
GENERATED_TEST_S = 20
IMPORT_S = 45
PATIENCE_S = 60

_MISSING_MODULE = re.compile(r"No module named ['\"]([A-Za-z_][\w.]{0,200})['\"]")


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
    """See ``Language.suite_job``. Coverage names every source file where ``existing``, otherwise those that were imported.

    The project's own tests keep their order and their configuration; generated ones are shuffled by
    ``variation.order_seed`` (0 keeps their order) and run under a neutral configuration.
    """
    timeout = OWN_TIMEOUT_S if existing else GENERATED_TIMEOUT_S
    wanted = sorted({test.partition("::")[0] for test in only})
    request = {
        "roots": list(project.source_roots),
        "sources": list(project.source_files) if coverage else [],
        "own": [path for path in collectable_tests(project) if not only or path in wanted] if existing else [],
        "generated": [path for path in sorted(files) if not only or path in wanted],
        "only": list(only),
        "expected": list(only) or [name for path in sorted(files) for name in _test_ids(path, files[path])],
        "seed": variation.order_seed,
        "elsewhere": variation.elsewhere and not existing,
        "coverage": coverage,
        "everything": existing,
        "asyncio": any("async " in text for text in files.values()),
        "test_s": patience_s if existing else min(GENERATED_TEST_S, patience_s),
        "import_s": min(IMPORT_S, patience_s),
        "deadline_s": timeout - 10,
    }
    overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(driver_files("run_tests.py", "qv_supervision.py", "qv_recording.py", "qv_measuring.py"))
    overlay[f"{FOLDER}/suite.json"] = json.dumps(request).encode()
    return Job(
        purpose="baseline" if existing else "judge",
        argv=("python", f"{FOLDER}/run_tests.py"),
        overlay=overlay,
        env=environment(variation),
        limits=Limits(timeout_s=timeout),
    )


def environment(variation: RunVariation) -> dict[str, str]:
    """Environment of a test run under a variation."""
    return {
        "TZ": variation.time_zone,
        "PYTHONHASHSEED": str(variation.hash_seed % 4294967296),
        "LC_ALL": variation.locale,
        "LANG": variation.locale,
        "PYTHONUTF8": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis",  # noqa: S108
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def read_suite(project: Project, result: JobResult) -> SuiteResult:
    """Read the records of ``run_tests.py``."""
    return read_report(project.source_files, result, _MISSING_MODULE.findall)


def _test_ids(path: str, text: str) -> list[str]:
    """Ids of the test functions and methods that a runner would find in a generated file."""
    source = parse_source(text.encode("utf-8", "surrogatepass"), path)
    if not isinstance(source, SourceFile):
        return []
    found = []
    for statement in source.root.named_children:
        node = statement.child_by_field_name("definition") or statement
        name = node.child_by_field_name("name")
        if node.type == "function_definition" and name is not None and source.slice(name).startswith("test"):
            found.append(f"{path}::{source.slice(name)}")
    return found
