"""How Java sees a snapshot: its source, its tests, its roots, what its build files declare."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from qverify_desktop.domain.project import Project, SkippedPath, Snapshot, Target
from qverify_desktop.languages.files import read_text
from qverify_desktop.languages.java import layout
from qverify_desktop.languages.java.source import LANGUAGE, package_of, read_source, targets_of
from qverify_desktop.languages.layout import is_foreign, says_generated
from qverify_desktop.languages.tree.source import TreeSource

RUNTIME = "java"
JUNIT_4 = "junit:junit"
JUPITER = "org.junit.jupiter:junit-jupiter"
_BUILD_FILES = ("pom.xml", "build.gradle", "build.gradle.kts")
_MOST_BUILD_FILES = 100
_MOST_BYTES = 512 * 1024

#: Reads a source file, and the package that it names.
Reader = Callable[[str, str], TreeSource | SkippedPath]
Packages = Callable[[TreeSource], str]


def detect(snapshot: Snapshot) -> Project | None:
    """The snapshot as a project in Java, ``None`` where it holds no Java of its own."""
    return detect_language(snapshot, LANGUAGE, (".java",), read_source, package_of)


def detect_language(
    snapshot: Snapshot, language: str, endings: tuple[str, ...], read: Reader, package: Packages
) -> Project | None:
    """Of several modules one project: each has its source root, and they are compiled together."""
    sources: list[str] = []
    tests: list[str] = []
    unreadable: list[SkippedPath] = []
    roots: set[str] = set()
    frameworks: set[str] = set()
    for path in snapshot.files:
        if not layout.is_source(path, endings):
            continue
        source = read(snapshot.root, path)
        if isinstance(source, SkippedPath):
            unreadable.append(source)
            continue
        text = source.data.decode("utf-8", "replace")
        if layout.is_test(path, text):
            tests.append(path)
            frameworks |= set(
                re.findall(
                    r"^import\s+(?:static\s+)?(org\.junit(?:\.jupiter)?|org\.testng|kotlin\.test)\b", text, re.M
                )
            )
        elif not says_generated(text):
            sources.append(path)
            roots.add(layout.root_of(path, package(source)))
    if not (sources or tests or unreadable):
        return None
    manifests = _manifests(snapshot)
    return Project(
        language=language,
        runtime=RUNTIME,
        source_roots=tuple(sorted(roots)) or ("",),
        source_files=tuple(sorted(sources)),
        test_files=tuple(sorted(tests)),
        dependencies=tuple(_with_framework(layout.dependencies_of(manifests), frameworks)),
        lock_file=next(
            (path for path in sorted(manifests, key=lambda p: (p.count("/"), p)) if path.endswith("pom.xml")), ""
        ),
        unreadable=tuple(sorted(unreadable, key=lambda one: one.path)),
    )


def find_targets(snapshot: Snapshot, project: Project) -> list[Target]:
    """Every method with a body, by file and line."""
    targets: list[Target] = []
    for path in project.source_files:
        source = read_source(snapshot.root, path)
        if isinstance(source, TreeSource):
            targets += targets_of(source)
    return targets


def uses_junit_4(project: Project) -> bool:
    """Whether the project's tests are written for JUnit 4 and not for its successor."""
    names = [one.rpartition(":")[0] if one.count(":") > 1 else one for one in project.dependencies]
    return JUNIT_4 in names and not any(name.startswith("org.junit.jupiter:") for name in names)


def _manifests(snapshot: Snapshot) -> dict[str, str]:
    paths = [path for path in snapshot.files if path.rpartition("/")[2] in _BUILD_FILES and not is_foreign(path)]
    return {path: read_text(snapshot.root, path, _MOST_BYTES) for path in paths[:_MOST_BUILD_FILES]}


def _with_framework(declared: Sequence[str], imported: set[str]) -> list[str]:
    """What the tests import says more than what a build file may name for other reasons."""
    found = list(declared)
    if "org.junit.jupiter" in imported:
        return [*found, JUPITER]
    if "org.junit" in imported:
        return [*(one for one in found if not one.startswith("org.junit.jupiter:")), JUNIT_4]
    return found
