"""Which of a project's files a file depends on: what it imports, and what that imports, read from the syntax trees."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Mapping

from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.languages.ecosystems import Ecosystem
from qverify_desktop.languages.javascript.dialects import JAVASCRIPT, TYPESCRIPT, read_source
from qverify_desktop.languages.javascript.installation import imports_of
from qverify_desktop.languages.javascript.packages import name_of
from qverify_desktop.languages.missing import missing_packages
from qverify_desktop.languages.tree.source import TreeSource

#: A file that may load others by names that are made while it runs.
_BY_NAME = re.compile(
    r"\b(?:require|import)\s{0,9}\(\s{0,9}(?![\"'][^\"'\n]{1,300}[\"']\s{0,9}\))|\brequire\.(?:context|resolve)|\beval\("
)
_ENDINGS = (*TYPESCRIPT.endings, *JAVASCRIPT.endings)


def dependencies_of(snapshot: Snapshot, project: Project, files: Collection[str]) -> Mapping[str, frozenset[str]]:
    """For each of ``files`` all source files that it may come to run, itself among them; all of the project's where it, or one
    that it imports, finds modules by other ways than relative names and declared packages, or can't be read."""
    sources = frozenset(project.source_files)
    declared = {name_of(requirement) for requirement in project.dependencies}
    direct: dict[str, frozenset[str] | None] = {}

    def imports(path: str) -> frozenset[str] | None:
        if path not in direct:
            direct[path] = _direct(snapshot, path, sources, declared)
        return direct[path]

    answer = {}
    for file in files:
        reached, waiting = {file}, [file]
        while waiting:
            found = imports(waiting.pop())
            if found is None:
                reached |= sources
                break
            waiting += found - reached
            reached |= found
        answer[file] = frozenset(reached)
    return answer


def _direct(snapshot: Snapshot, path: str, sources: frozenset[str], declared: set[str]) -> frozenset[str] | None:
    source = read_source(snapshot.root, path)
    if not isinstance(source, TreeSource) or _BY_NAME.search(source.data.decode("utf-8", "replace")):
        return None
    found: set[str] = set()
    for specifier in imports_of(source):
        if specifier.startswith("."):
            found.update(candidates(path, specifier) & sources)
            continue
        package = missing_packages(Ecosystem.NPM, f"Cannot find module '{specifier}'")
        alias = specifier.startswith(("#", "@/", "~/", "/"))
        if alias or (package and package[0] not in declared):
            # A package of the same repository, or a name that a setting stands behind.
            return None
    return frozenset(found)


def candidates(path: str, specifier: str) -> set[str]:
    """Files that a relative specifier may mean."""
    place = posixpath.normpath(posixpath.join(posixpath.dirname(path), specifier))
    stem = re.sub(r"\.[cm]?jsx?$", "", place)
    return {place, *(f"{base}{ending}" for base in (place, stem, f"{place}/index") for ending in _ENDINGS)}
