"""How Rust sees a snapshot: its crates, their source and their tests, what they depend on."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from qverify_desktop.domain.project import Project, SkippedPath, Snapshot, Target
from qverify_desktop.languages.files import read_text
from qverify_desktop.languages.layout import is_aside, is_foreign, says_generated
from qverify_desktop.languages.rust.crates import LOCK, Crate, crate_of, find_crates, needed_by
from qverify_desktop.languages.rust.modules import ModuleTree, read_modules
from qverify_desktop.languages.rust.segments import targets_of
from qverify_desktop.languages.rust.source import LANGUAGE, RUNTIME

_TESTS = re.compile(r"(?:tests|benches)/")


def detect(snapshot: Snapshot) -> Project | None:
    """The snapshot as a Rust project, one source root for each crate; ``None`` where it holds no Rust of its own.

    A file that no crate reaches by ``mod`` is not compiled, so it is neither source nor test.
    """
    files = [f for f in snapshot.files if f.endswith(".rs") and not is_foreign(f) and not is_aside(f)]
    if not files:
        return None
    crates = find_crates(snapshot)
    trees = module_trees(snapshot, crates)
    source: set[str] = set()
    tests: set[str] = set()
    unreadable: list[SkippedPath] = []
    for tree in trees:
        tests |= tree.test_files | {f for f in files if crate_of(crates, f) == tree.crate and _is_test(tree.crate, f)}
        unreadable += tree.unreadable
        source |= {f for f in tree.files if not says_generated(_start(snapshot, f))}
    orphans = [f for f in files if crate_of(crates, f) is None]
    unreadable += [SkippedPath(f, "No Cargo.toml of a package lies above it, so it can't be built.") for f in orphans]
    if not (source or tests or unreadable):
        return None
    locks = [path for path in snapshot.files if path.rpartition("/")[2] == LOCK and not is_foreign(path)]
    return Project(
        language=LANGUAGE,
        runtime=RUNTIME,
        source_roots=tuple(crate.folder for crate in crates) or ("",),
        source_files=tuple(sorted(source - tests)),
        test_files=tuple(sorted(tests)),
        dependencies=tuple(sorted({name for crate in crates for name in crate.needs})),
        lock_file=min(locks, key=lambda path: (path.count("/"), path), default=""),
        unreadable=tuple(sorted(set(unreadable), key=lambda skipped: skipped.path)),
    )


def module_trees(snapshot: Snapshot, crates: list[Crate]) -> list[ModuleTree]:
    """The modules of each crate."""
    files = frozenset(snapshot.files)
    return [read_modules(snapshot.root, files, crate) for crate in crates]


def find_targets(snapshot: Snapshot, project: Project) -> list[Target]:
    """Every function and method of the project's source files, by file and line."""
    wanted = frozenset(project.source_files)
    targets: dict[str, list[Target]] = {}
    for tree in module_trees(snapshot, find_crates(snapshot)):
        for file in tree.files:
            if file in wanted and file not in targets:
                targets[file] = targets_of(tree, file)
    return [target for file in sorted(targets) for target in targets[file]]


def dependencies_of(snapshot: Snapshot, project: Project, files: Collection[str]) -> Mapping[str, frozenset[str]]:
    """See ``Language.depends_on``: a crate's files, and those of the crates that it needs."""
    crates = find_crates(snapshot)
    homes = {path: crate_of(crates, path) for path in project.source_files}
    found: dict[str, frozenset[str]] = {}
    for file in files:
        crate = crate_of(crates, file)
        needed = needed_by(crates, crate) if crate is not None else []
        found[file] = frozenset(path for path, home in homes.items() if home in needed) | {file}
    return found


def _is_test(crate: Crate, path: str) -> bool:
    return bool(_TESTS.match(crate.below(path)))


def _start(snapshot: Snapshot, path: str) -> str:
    """The first lines of a file."""
    return read_text(snapshot.root, path, 1024 * 1024)[:4000]
