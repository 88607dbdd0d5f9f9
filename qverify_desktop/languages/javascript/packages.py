"""What ``package.json`` says: the kind of its modules, its dependencies, its tests. Contents are hostile; nothing here raises."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.languages.files import read_text
from qverify_desktop.languages.layout import is_aside, is_foreign

MOST_BYTES = 1024 * 1024
MOST_PACKAGES = 200
_LOCKS = ("npm-shrinkwrap.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml")
_NAME = re.compile(r"(?:@[\w~-][\w.~-]{0,100}/)?[\w~-][\w.~-]{0,213}", re.ASCII)
_VERSION = re.compile(r"[\w.~^<>=|* +:/@-]{0,100}", re.ASCII)


@dataclass(frozen=True)
class Package:
    """One ``package.json``: its folder (``""`` for the root), name, and what it needs, name to version range."""

    folder: str
    name: str
    needs: Mapping[str, str]


def packages(snapshot: Snapshot) -> list[Package]:
    """The packages of a snapshot, nearest to its root first."""
    paths = [
        path
        for path in snapshot.files
        if path.rpartition("/")[2] == "package.json" and not is_foreign(path) and not is_aside(path)
    ]
    paths.sort(key=lambda path: (path.count("/"), path))
    return [_package(snapshot, path) for path in paths[:MOST_PACKAGES]]


def lock_file(snapshot: Snapshot) -> str:
    """The lock file that counts, nearest to the root; empty where there is none."""
    near = [path for path in snapshot.files if path.rpartition("/")[2] in _LOCKS and not is_foreign(path)]
    near.sort(key=lambda path: (path.count("/"), path.rpartition("/")[0], _LOCKS.index(path.rpartition("/")[2])))
    return near[0] if near else ""


def requirements(found: Sequence[Package]) -> tuple[str, ...]:
    """``name@range`` of everything that the packages need, without the packages themselves."""
    own = {package.name for package in found}
    needs: dict[str, str] = {}
    for package in found:
        for name, version in package.needs.items():
            if name not in own:
                needs.setdefault(name, version)
    return tuple(f"{name}@{version}" if version else name for name, version in sorted(needs.items()))


def name_of(requirement: str) -> str:
    """The package's name in ``name@range``."""
    return requirement[: requirement.index("@", 1)] if "@" in requirement[1:] else requirement


def framework(project: Project) -> str:
    """What the project's tests are written for: ``vitest``, ``jest``, or ``node`` (``node:test``) where it declares neither."""
    names = {name_of(requirement) for requirement in project.dependencies}
    for name in ("vitest", "jest"):
        if names & {name, f"@{name}/globals", f"@types/{name}", "ts-jest" if name == "jest" else name}:
            return name
    return "node"


def _package(snapshot: Snapshot, path: str) -> Package:
    try:
        document = json.loads(read_text(snapshot.root, path, MOST_BYTES) or "{}")
    except (ValueError, RecursionError):
        document = {}
    if not isinstance(document, dict):
        document = {}
    needs: dict[str, str] = {}
    for key in ("devDependencies", "peerDependencies", "optionalDependencies", "dependencies"):
        needs |= _needs(document.get(key))
    name = document.get("name")
    return Package(path.rpartition("/")[0], name if isinstance(name, str) else "", needs)


def _needs(section: Any) -> dict[str, str]:
    if not isinstance(section, dict):
        return {}
    return {
        name: version if isinstance(version, str) and _VERSION.fullmatch(version) else ""
        for name, version in section.items()
        if isinstance(name, str) and _NAME.fullmatch(name)
    }
