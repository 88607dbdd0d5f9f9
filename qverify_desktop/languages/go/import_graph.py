"""Which of a project's files a Go file depends on: its package, the packages that it imports, and what those import."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping

from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.languages.files import read_text
from qverify_desktop.languages.go.source import imports, read_source
from qverify_desktop.languages.tree.source import TreeSource

_MODULE = re.compile(r"^\s{0,40}module\s{1,40}\"?([^\s\"]{1,500})", re.MULTILINE)
_MOST_MANIFEST = 256 * 1024


def dependencies_of(snapshot: Snapshot, project: Project, files: Collection[str]) -> Mapping[str, frozenset[str]]:
    """For each of ``files`` all source files that may run with it, itself among them; all where one of them can't be read."""
    packages: dict[str, set[str]] = defaultdict(set)
    for path in project.source_files:
        packages[path.rpartition("/")[0]].add(path)
    names = _import_paths(snapshot, project, packages)
    direct: dict[str, set[str] | None] = {}

    def imported(folder: str) -> set[str] | None:
        if folder not in direct:
            found: set[str] | None = set()
            for path in packages[folder]:
                source = read_source(snapshot.root, path)
                if not isinstance(source, TreeSource) or found is None:
                    found = None
                    break
                found |= {names[name] for name in imports(source).values() if name in names}
            direct[folder] = found
        return direct[folder]

    answer = {}
    for file in files:
        reached, waiting = {file.rpartition("/")[0]}, [file.rpartition("/")[0]]
        known = True
        while waiting and known:
            found = imported(waiting.pop())
            known = found is not None
            waiting += (found or set()) - reached
            reached |= found or set()
        listed = {path for folder in reached for path in packages[folder]} if known else set(project.source_files)
        answer[file] = frozenset(listed | {file})
    return answer


def _import_paths(snapshot: Snapshot, project: Project, folders: Collection[str]) -> dict[str, str]:
    """The project's packages: the path under which each is imported, to its folder."""
    found = {}
    for root in project.source_roots:
        manifest = f"{root}/go.mod" if root else "go.mod"
        match = _MODULE.search(read_text(snapshot.root, manifest, _MOST_MANIFEST))
        name = match[1] if match else "project"
        for folder in folders:
            if not root or folder == root or folder.startswith(f"{root}/"):
                below = folder.removeprefix(root).strip("/")
                found[f"{name}/{below}" if below else name] = folder
    return found
