"""How Go sees a snapshot: its modules, its source, its tests, what they depend on."""

from __future__ import annotations

import re
from collections.abc import Mapping

from qverify_desktop.domain.project import Project, SkippedPath, Snapshot, Target
from qverify_desktop.languages.files import read_text
from qverify_desktop.languages.go.layout import is_built, is_ignored, is_test
from qverify_desktop.languages.go.segments import targets_of
from qverify_desktop.languages.go.source import LANGUAGE, RUNTIME, read_source
from qverify_desktop.languages.layout import is_aside, is_foreign, says_generated
from qverify_desktop.languages.tree.source import TreeSource

_MOST_MANIFEST = 256 * 1024
_REQUIRE = re.compile(
    r"^\s{0,40}(?:require\s{1,40})?([\w.~-]{1,100}\.[\w.~/-]{1,300})\s{1,40}(v[\w.+-]{1,100})", re.M
)


def detect(snapshot: Snapshot) -> Project | None:
    """The snapshot as a Go project, one source root for each module; ``None`` where it holds no Go of its own.

    Files that a build on Linux does not take are neither source nor test.
    """
    candidates = [
        path
        for path in snapshot.files
        if path.endswith(".go") and not is_foreign(path) and not is_aside(path) and not is_ignored(path)
    ]
    source, tests = [], []
    unreadable: list[SkippedPath] = []
    for path in candidates:
        read = read_source(snapshot.root, path)
        if isinstance(read, SkippedPath):
            unreadable.append(read)
            continue
        text = read.data[:40_000].decode("utf-8", "replace")
        if not is_built(path, text):
            continue
        if is_test(path):
            tests.append(path)
        elif not says_generated(text):
            source.append(path)
    if not (source or tests or unreadable):
        return None
    manifests = [
        p for p in snapshot.files if p.rpartition("/")[2] == "go.mod" and not is_foreign(p) and not is_ignored(p)
    ]
    roots = {path.rpartition("/")[0] for path in manifests}
    if any(not any(_is_below(root, path) for root in roots) for path in source + tests):
        roots.add("")
    locks = [path for path in snapshot.files if path.rpartition("/")[2] == "go.sum" and not is_foreign(path)]
    return Project(
        language=LANGUAGE,
        runtime=RUNTIME,
        source_roots=tuple(sorted(roots)),
        source_files=tuple(sorted(source)),
        test_files=tuple(sorted(tests)),
        dependencies=_dependencies(snapshot, manifests),
        lock_file=min(locks, key=lambda path: (path.count("/"), path), default=""),
        unreadable=tuple(sorted(unreadable, key=lambda skipped: skipped.path)),
    )


def find_targets(snapshot: Snapshot, project: Project) -> list[Target]:
    """Every function and method of the project's source files, by file and line."""
    targets: list[Target] = []
    for path, source in sources(snapshot, project).items():
        targets += targets_of(source, path)
    return targets


def sources(snapshot: Snapshot, project: Project) -> Mapping[str, TreeSource]:
    """The parsed source files of a project by path."""
    found = {}
    for path in project.source_files:
        source = read_source(snapshot.root, path)
        if isinstance(source, TreeSource):
            found[path] = source
    return found


def _is_below(root: str, path: str) -> bool:
    return not root or path.startswith(f"{root}/")


def _dependencies(snapshot: Snapshot, manifests: list[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for path in manifests:
        for name, version in _REQUIRE.findall(read_text(snapshot.root, path, _MOST_MANIFEST)):
            found.setdefault(f"{name} {version}")
    return tuple(sorted(found))
