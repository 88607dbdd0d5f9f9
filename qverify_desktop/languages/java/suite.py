"""Running tests: the job for the sandbox, and reading what comes back from it (``languages.report``)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qverify_desktop.domain.execution import GIB, Job, JobResult, Limits
from qverify_desktop.domain.project import Project, SkippedPath
from qverify_desktop.domain.testing import SuiteResult
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.java.drivers import COMMAND, FOLDER, driver_files
from qverify_desktop.languages.java.layout import module_folder, resource_folders, roots_beside
from qverify_desktop.languages.java.source import GRAMMAR, modifiers_of
from qverify_desktop.languages.report import read_report
from qverify_desktop.languages.tree.source import end_line_of, line_of, parse_tree, walk

#: Seconds: the whole run; at most, one generated test; one test of the project's own.
GENERATED_TIMEOUT_S = 300
OWN_TIMEOUT_S = 600
GENERATED_TEST_S = 20
PATIENCE_S = 60
#: Annotations that make a method a test.
TESTS = frozenset({"@Test", "@ParameterizedTest", "@RepeatedTest", "@TestFactory", "@TestTemplate"})
#: A JVM that compiles and one that runs tests, each with its heap and what lies beside it.
MEMORY_BYTES = 3 * GIB
_MISSING_PACKAGE = re.compile(r"package ([a-z][\w.]{0,200}) does not exist")
#: A generated file's tests with their lines.
Describe = Callable[[str, str], dict[str, Any]]
_OTHER = {"java": ".kt", "kotlin": ".java"}


def suite_job(
    project: Project,
    files: Mapping[str, str],
    *,
    only: Sequence[str],
    variation: RunVariation,
    coverage: bool,
    existing: bool,
    patience_s: int = PATIENCE_S,
    describe: Describe | None = None,
) -> Job:
    """See ``Language.suite_job``. The project's own tests keep their order, generated ones are shuffled by
    ``variation.order_seed`` (0 keeps their order). Coverage names every source file where ``existing``."""
    timeout = OWN_TIMEOUT_S if existing else GENERATED_TIMEOUT_S
    wanted = {test.partition("::")[0] for test in only}
    generated = [(describe or described)(path, files[path]) for path in sorted(files) if not only or path in wanted]
    request = {
        **sources_of(project),
        "with_tests": existing,
        "own": [path for path in project.test_files if not only or path in wanted] if existing else [],
        "generated": generated,
        "only": list(only),
        "expected": list(only) or [test["id"] for file in generated for test in file["tests"]],
        "seed": variation.order_seed,
        "coverage": coverage,
        "everything": existing,
        "test_s": patience_s if existing else min(GENERATED_TEST_S, patience_s),
        "deadline_s": timeout - 45,
    }
    overlay = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    overlay.update(driver_files())
    overlay[f"{FOLDER}/suite.json"] = json.dumps(request).encode()
    return Job(
        purpose="baseline" if existing else "judge",
        argv=(*COMMAND, "Suite"),
        overlay=overlay,
        env=environment(variation),
        limits=Limits(timeout_s=timeout, memory_bytes=MEMORY_BYTES),
    )


def sources_of(project: Project) -> dict[str, Any]:
    """What a driver compiles: the project's files, those of the other language below its roots, what it may use."""
    return {
        "sources": list(project.source_files),
        "tests": list(project.test_files),
        "roots": roots_beside(project.source_roots),
        "other": _OTHER.get(project.language, ""),
        "folder": module_folder(project.source_roots),
        "dependencies": list(project.dependencies),
        "resources": resource_folders(project.source_roots),
    }


def environment(variation: RunVariation) -> dict[str, str]:
    """Environment of a test run under a variation. The JVM draws the seed of its own hash tables anew in each run.

    The encoding stays UTF-8: with any other the JVM can't name a file whose name is not ASCII, and of a locale it reads but the
    language, which ``C`` and ``POSIX`` have none of.
    """
    locale = variation.locale if variation.locale.upper().endswith("UTF-8") else "C.UTF-8"
    return {"TZ": variation.time_zone, "LC_ALL": locale, "LANG": locale}


def read_suite(project: Project, result: JobResult) -> SuiteResult:
    """Read the records of ``Suite.java``."""
    return read_report(project.source_files, result, _MISSING_PACKAGE.findall)


def described(path: str, text: str) -> dict[str, Any]:
    """A generated file's tests with their lines, for the driver."""
    source = parse_tree(GRAMMAR, text.encode("utf-8", "surrogatepass"), path)
    tests: list[dict[str, Any]] = []
    if not isinstance(source, SkippedPath):
        for node in walk(source.root, frozenset({"block"})):
            if node.type == "method_declaration" and modifiers_of(source, node) & TESTS:
                name = source.field(node, "name")
                tests.append(
                    {"id": f"{path}::{name}", "name": name, "first": line_of(node), "last": end_line_of(node)}
                )
    return {"path": path, "tests": tests}
