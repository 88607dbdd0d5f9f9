"""Packages that a project imports and the runtime lacks: finding them out, and installing what its lock file names."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import MissingDependency, Project, Snapshot
from qverify_desktop.languages.ecosystems import Ecosystem, dependency_sets
from qverify_desktop.languages.ecosystems import install_job as install_set
from qverify_desktop.languages.javascript.dialects import read_source
from qverify_desktop.languages.javascript.drivers import FOLDER, driver_files
from qverify_desktop.languages.javascript.packages import name_of, packages
from qverify_desktop.languages.missing import missing_packages
from qverify_desktop.languages.tree.source import TreeSource, walk

MAX_MODULES = 2000
MAX_NEEDED_BY = 20
_RUNNERS = frozenset(("jest", "vitest", "@jest/globals", "ts-jest", "typescript"))


class _Missing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    modules: Annotated[dict[Annotated[str, Field(max_length=300)], list[str]], Field(max_length=MAX_MODULES)]


def missing_modules_job(snapshot: Snapshot, project: Project) -> Job:
    """A job that looks for each package that the project's files import, from where they import it."""
    own = {package.name for package in packages(snapshot)}
    needed: dict[str, list[str]] = {}
    for path in (*project.source_files, *project.test_files):
        source = read_source(snapshot.root, path)
        for specifier in imports_of(source) if isinstance(source, TreeSource) else ():
            for name in missing_packages(Ecosystem.NPM, f"Cannot find module '{specifier}'"):
                if name not in own and (name in needed or len(needed) < MAX_MODULES):
                    needed.setdefault(name, []).append(path)
    request = {"modules": {name: list(dict.fromkeys(paths))[:MAX_NEEDED_BY] for name, paths in needed.items()}}
    overlay = driver_files("check_imports.cjs")
    overlay[f"{FOLDER}/imports.json"] = json.dumps(request).encode()
    return Job("imports", ("node", f"{FOLDER}/check_imports.cjs"), overlay, limits=Limits(timeout_s=60))


def imports_of(source: TreeSource) -> Iterator[str]:
    """Specifiers that a file imports, requires, or passes on; types that are only imported for the compiler are none."""
    for node in walk(source.root):
        if node.type in ("import_statement", "export_statement"):
            origin = node.child_by_field_name("source")
            if origin is not None and not re.match(r"(?:import|export)\s+type\b", source.slice(node)[:40]):
                yield source.slice(origin)[1:-1]
        elif node.type == "call_expression" and source.field(node, "function") in ("require", "import"):
            arguments = node.child_by_field_name("arguments")
            first = arguments.named_children[0] if arguments is not None and arguments.named_child_count else None
            if first is not None and first.type == "string":
                yield source.slice(first)[1:-1]


def read_missing(project: Project, result: JobResult) -> list[MissingDependency]:
    """What ``check_imports.cjs`` did not find, each with the range that the project declares."""
    try:
        found = _Missing.model_validate_json(result.artefacts.get("missing.json", b""))
    except (ValidationError, ValueError, RecursionError):
        return []
    declared = {name_of(requirement): requirement for requirement in project.dependencies}
    files = frozenset((*project.source_files, *project.test_files))
    return [
        MissingDependency(name, declared.get(name, name), tuple(p for p in paths if p in files)[:MAX_NEEDED_BY])
        for name, paths in sorted(found.modules.items())
        if name not in _RUNNERS and missing_packages(Ecosystem.NPM, f"Cannot find module '{name}'") == (name,)
    ]


def install_job(project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False) -> Job:
    """Installs everything that the lock file names into ``deps.tar``. Without a lock file that npm can use there is nothing
    that may be installed: the job says why and leaves nothing.
    """
    folder = project.lock_file.rpartition("/")[0]
    manifests = [posixpath.join(root, "package.json") for root in project.source_roots if _is_below(folder, root)]
    files = [project.lock_file, *manifests] if project.lock_file else []
    sets = dependency_sets(files, lambda path: lock if path == project.lock_file else None)
    if not sets:
        return _nothing("The project has no package-lock.json. Make one with: npm install --package-lock-only")
    try:
        return install_set(sets[0], lambda path: lock if path == project.lock_file else None, offline=offline)
    except ValueError as error:
        return _nothing(str(error))


def _is_below(folder: str, root: str) -> bool:
    return not folder or root == folder or root.startswith(f"{folder}/")


def _nothing(sentence: str) -> Job:
    plain = "".join(character for character in sentence if character.isprintable())
    return Job("install", ("node", "-e", "console.log(process.argv[1])", plain), limits=Limits(timeout_s=30))
