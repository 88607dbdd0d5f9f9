"""Running tests: the job for the sandbox, and reading what comes back from it (``languages.report``).

Coverage is LLVM's (``-C instrument-coverage``): lines, and the two ends of each condition as branches, numbered on their line; the
arms of a ``match`` count as lines only. Documentation tests are not run as such: each assertion in them is a promise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.execution import GIB, MIB, Job, JobResult, Limits
from qverify_desktop.domain.project import Project, SkippedPath
from qverify_desktop.domain.testing import SuiteResult
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.report import read_report
from qverify_desktop.languages.rust.drivers import COMMAND, driver_files, watch_module
from qverify_desktop.languages.rust.installation import with_crates
from qverify_desktop.languages.rust.placing import inside, module_of, root_of
from qverify_desktop.languages.rust.source import attributes, parse_source
from qverify_desktop.languages.tree.source import end_line_of, line_of

#: Seconds: the whole run; one generated test; one test of the project's own.
GENERATED_TIMEOUT_S = 420
OWN_TIMEOUT_S = 600
GENERATED_TEST_S = 20
PATIENCE_S = 60

#: What is compiled lies in memory too.
MEMORY_BYTES = 3 * GIB
TMP_BYTES = 1 * GIB

#: Counters are the code's under test alone. The attribute is stable since 1.85.
_UNCOUNTED = "#![cfg_attr(qv_coverage, feature(coverage_attribute), coverage(off))]"


@dataclass(frozen=True)
class WrittenTest:
    """A test function in a generated file, with its first and last line."""

    file: str
    name: str
    first: int
    last: int

    @property
    def id(self) -> str:
        return f"{self.file}::{self.name}"


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
    """See ``Language.suite_job``. Every test runs in a process of its own; generated ones are shuffled by the order's seed."""
    timeout = OWN_TIMEOUT_S if existing else GENERATED_TIMEOUT_S
    tests = written_tests(files)
    request = {
        "task": "suite",
        **places(project, tests),
        "sources": list(project.source_files) if coverage else [],
        "own": existing,
        "only": list(only),
        "expected": list(only) or [test.id for test in tests],
        "seed": variation.order_seed,
        "coverage": coverage,
        "test_s": patience_s if existing else min(GENERATED_TEST_S, patience_s),
        "deadline_s": timeout - 10,
    }
    return job_of(project, "baseline" if existing else "judge", request, files, variation, timeout)


def job_of(
    project: Project,
    purpose: str,
    request: Mapping[str, Any],
    files: Mapping[str, str],
    variation: RunVariation,
    timeout_s: int,
) -> Job:
    """A job of the driver over generated files, which report through the watching module."""
    overlay = {inside(path): text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(watched(files))
    overlay.update(driver_files(json.dumps(request).encode()))
    job = Job(
        purpose=purpose,
        argv=COMMAND,
        overlay=overlay,
        env={"TZ": variation.time_zone, "LC_ALL": variation.locale, "LANG": variation.locale},
        limits=Limits(timeout_s=timeout_s, memory_bytes=MEMORY_BYTES, tmp_bytes=TMP_BYTES, work_bytes=1024 * MIB),
    )
    return with_crates(job, project)


def watched(files: Mapping[str, str]) -> dict[str, bytes]:
    """For each generated integration test its root with the watching module in front, and that module."""
    modules: dict[str, set[str]] = {}
    for path in files:
        modules.setdefault(root_of(path), set()).add(module_of(path))
    overlay: dict[str, bytes] = {}
    for root, names in modules.items():
        lines = [_UNCOUNTED, "#[macro_use]", "mod qv_watch;", *(f"mod {name};" for name in sorted(names)), ""]
        overlay[root] = "\n".join(lines).encode()
        overlay[f"{root.removesuffix('main.rs')}qv_watch.rs"] = watch_module().encode()
    return overlay


def places(project: Project, tests: Sequence[WrittenTest]) -> dict[str, Any]:
    """Where the crates lie, and where the generated tests stand."""
    return {
        "folders": list(project.source_roots),
        "generated": [
            {"id": t.id, "file": inside(t.file), "name": t.name, "first": t.first, "last": t.last} for t in tests
        ],
    }


def written_tests(files: Mapping[str, str]) -> list[WrittenTest]:
    """The test functions of generated files, in their order."""
    found = []
    for path in sorted(files):
        source = parse_source(files[path], path)
        if isinstance(source, SkippedPath):
            continue
        for item in source.root.named_children:
            marks = attributes(source, item) if item.type == "function_item" else []
            if "#[test]" in marks:
                first = line_of(item) - len(marks)
                found.append(WrittenTest(path, source.field(item, "name"), first, end_line_of(item)))
    return found


def read_suite(project: Project, result: JobResult) -> SuiteResult:
    """Read the records of the driver."""
    return read_report(project.source_files, result)
