"""How JavaScript or TypeScript sees a snapshot: its source, its tests, its packages."""

from __future__ import annotations

from qverify_desktop.domain.project import Project, SkippedPath, Snapshot, Target
from qverify_desktop.languages.javascript.dialects import RUNTIME, Dialect, dialect_of, read_source
from qverify_desktop.languages.javascript.layout import is_collectable, is_product, is_test, is_written
from qverify_desktop.languages.javascript.packages import lock_file, packages, requirements
from qverify_desktop.languages.javascript.segments import targets_of
from qverify_desktop.languages.layout import is_foreign
from qverify_desktop.languages.tree.source import TreeSource


def detect(snapshot: Snapshot, dialect: Dialect) -> Project | None:
    """The snapshot as a project of the dialect, ``None`` where it holds no file of it. All packages of a monorepo are one
    project; their folders are its ``source_roots``.
    """
    source: list[str] = []
    unreadable: list[SkippedPath] = []
    for path in snapshot.files:
        if not dialect.owns(path) or is_test(path) or not is_product(path):
            continue
        found = read_source(snapshot.root, path)
        if isinstance(found, SkippedPath):
            unreadable.append(found)
        elif is_written(found.data.decode("utf-8", "replace")):
            source.append(path)
    tests = [path for path in snapshot.files if is_test(path) and not is_foreign(path) and _is_code(path)]
    own = [path for path in tests if dialect.owns(path)]
    if not (source or unreadable):
        return None
    found_packages = packages(snapshot)
    return Project(
        language=dialect.name,
        runtime=RUNTIME,
        source_roots=tuple(dict.fromkeys(package.folder for package in found_packages)) or ("",),
        source_files=tuple(sorted(source)),
        # Tests in the other dialect count where there are none of its own.
        test_files=tuple(sorted(own or tests)),
        dependencies=requirements(found_packages),
        lock_file=lock_file(snapshot),
        unreadable=tuple(sorted(unreadable, key=lambda skipped: skipped.path)),
    )


def _is_code(path: str) -> bool:
    return dialect_of(path).owns(path)


def find_targets(snapshot: Snapshot, project: Project) -> list[Target]:
    """Every function and method of the project's source files, by file and line."""
    targets: list[Target] = []
    for path in project.source_files:
        source = read_source(snapshot.root, path)
        if isinstance(source, TreeSource):
            targets += targets_of(source, project.language)
    return targets


def collectable_tests(project: Project) -> list[str]:
    """The test files in which a test runner looks for tests."""
    return [path for path in project.test_files if is_collectable(path)]
