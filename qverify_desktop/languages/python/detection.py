"""How Python sees a snapshot: its source, its tests, its import roots, its declared dependencies."""

from __future__ import annotations

from dataclasses import dataclass, field

from qverify_desktop.domain.project import Project, SkippedPath, Snapshot, Target
from qverify_desktop.languages.python.dependencies import declared_dependencies
from qverify_desktop.languages.python.imports import all_imports
from qverify_desktop.languages.python.layout import (
    Layout,
    import_roots,
    is_collectable,
    is_generated,
    is_steering,
    module_name,
)
from qverify_desktop.languages.python.segments import LANGUAGE, targets_of
from qverify_desktop.languages.python.source import SourceFile, read_source

RUNTIME = "python"


@dataclass
class _Sorted:
    """Python files as they are sorted apart."""

    source: list[str] = field(default_factory=list)
    tests: list[str] = field(default_factory=list)
    unreadable: list[SkippedPath] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)


def detect(snapshot: Snapshot) -> Project | None:
    """The snapshot as a Python project, ``None`` where it holds no Python file of its own.

    Files that can't be decoded or parsed are ``unreadable``, and so is a module that no test could import (its name is
    no identifier, or an earlier file has the same import name).
    """
    layout = Layout(snapshot.files)
    candidates = [
        f for f in snapshot.files if f.endswith(".py") and not layout.is_foreign(f) and not layout.is_aside(f)
    ]
    if not candidates:
        return None
    found = _sort(snapshot, layout, candidates)
    if not (found.source or found.tests or found.unreadable):
        return None
    declared = declared_dependencies(snapshot, layout)
    importable = [
        path for path in found.source if module_name(("",), path.rpartition("/")[2]) or path.endswith("__init__.py")
    ]
    roots = import_roots(importable, layout.packages, declared.source_roots, found.imported)
    modules: dict[str, str] = {}
    for path in found.source:
        name = module_name(roots, path)
        if not name:
            found.unreadable.append(SkippedPath(path, "Its name is not one that Python can import."))
        elif name in modules:
            found.unreadable.append(SkippedPath(path, f"{modules[name]} has the same import name."))
        else:
            modules[name] = path
    return Project(
        language=LANGUAGE,
        runtime=RUNTIME,
        source_roots=roots or ("",),
        source_files=tuple(sorted(modules.values())),
        test_files=tuple(sorted(found.tests)),
        dependencies=declared.requirements,
        lock_file=declared.lock_file,
        unreadable=tuple(sorted(found.unreadable, key=lambda skipped: skipped.path)),
    )


def find_targets(snapshot: Snapshot, project: Project) -> list[Target]:
    """Every function and method of the project's source files that a test can call, by file and line."""
    targets: list[Target] = []
    for path in project.source_files:
        source = read_source(snapshot.root, path)
        name = module_name(project.source_roots, path)
        if isinstance(source, SourceFile) and name:
            targets += targets_of(source, name)
    return targets


def collectable_tests(project: Project) -> list[str]:
    """The test files in which a test runner looks for tests."""
    return [path for path in project.test_files if is_collectable(path)]


def _sort(snapshot: Snapshot, layout: Layout, candidates: list[str]) -> _Sorted:
    found = _Sorted()
    for path in candidates:
        if is_steering(path) and not layout.is_test(path):
            continue
        source = read_source(snapshot.root, path)
        if isinstance(source, SkippedPath):
            found.unreadable.append(source)
            continue
        found.imported |= all_imports(source)
        if layout.is_test(path):
            found.tests.append(path)
        elif not is_generated(path, source.text):
            found.source.append(path)
    return found
