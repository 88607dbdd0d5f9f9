"""Crates of a snapshot, read from their manifests (The Cargo Book, "The Manifest Format"). Manifests are hostile: nothing raises."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.project import Snapshot
from qverify_desktop.languages.files import read_text
from qverify_desktop.languages.layout import is_aside, is_foreign

MANIFEST = "Cargo.toml"
LOCK = "Cargo.lock"
MAX_BYTES = 256 * 1024
MAX_CRATES = 200
_NAME = re.compile(r"[A-Za-z_][\w-]{0,100}", re.ASCII)
_TABLES = ("dependencies", "dev-dependencies", "build-dependencies")


@dataclass(frozen=True)
class Crate:
    """One package. Paths are relative to the snapshot. ``name`` is the library's as code writes it, empty where the package has
    programs only; ``root`` is the library's root file, ``roots`` the programs'. ``needs`` are the packages that it names."""

    folder: str
    package: str
    name: str
    root: str
    roots: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        return not self.folder or path.startswith(f"{self.folder}/")

    def below(self, path: str) -> str:
        """``path`` as the crate sees it."""
        return path.removeprefix(f"{self.folder}/") if self.folder else path


def find_crates(snapshot: Snapshot) -> list[Crate]:
    """The snapshot's own crates, vendored and example ones left out, by folder; at most ``MAX_CRATES``."""
    files = frozenset(snapshot.files)
    found = []
    for path in sorted(files):
        if path.rpartition("/")[2] == MANIFEST and not is_foreign(path) and not is_aside(path):
            crate = _crate(path.rpartition("/")[0], _manifest(snapshot, path), files)
            if crate is not None:
                found.append(crate)
    return found[:MAX_CRATES]


def crate_of(crates: Iterable[Crate], path: str) -> Crate | None:
    """The crate that a file belongs to: the one with the nearest manifest above it."""
    return max((one for one in crates if one.holds(path)), key=lambda one: len(one.folder), default=None)


def needed_by(crates: Sequence[Crate], crate: Crate) -> list[Crate]:
    """A crate with those of the snapshot that it needs, at any remove."""
    found = [crate]
    for one in found:
        found += [other for other in crates if other.package in one.needs and other not in found]
    return found


def folder_of(source_roots: Iterable[str], path: str) -> str:
    """Of a project's source roots, which are the folders of its crates, the nearest above a file."""
    fitting = [root for root in source_roots if not root or path.startswith(f"{root}/")]
    return max(fitting, key=len, default="")


def _manifest(snapshot: Snapshot, path: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(read_text(snapshot.root, path, MAX_BYTES))
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return {}


def _crate(folder: str, manifest: Mapping[str, Any], files: frozenset[str]) -> Crate | None:
    package = _table(manifest, "package")
    name = package.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return None
    library = _table(manifest, "lib")
    root = _inside(folder, library.get("path"), "src/lib.rs")
    written = library.get("name", name)
    known = root in files and isinstance(written, str) and _NAME.fullmatch(written) and not library.get("proc-macro")
    roots = sorted(path for path in files if _is_program(_below(folder, path)) and _under(folder, path))
    tables = [_table(manifest, table) for table in _TABLES]
    needs = [key for table in tables for key in table if _NAME.fullmatch(key)]
    renamed = [_renamed(value) for table in tables for value in table.values()]
    needs += [other for other in renamed if _NAME.fullmatch(other)]
    return Crate(
        folder,
        name,
        str(written).replace("-", "_") if known else "",
        root if known else "",
        tuple(roots),
        tuple(needs),
    )


def _table(manifest: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = manifest.get(name)
    return found if isinstance(found, dict) else {}


def _renamed(dependency: object) -> str:
    """The package that a dependency is of where it is known by another name."""
    name = dependency.get("package") if isinstance(dependency, dict) else None
    return name if isinstance(name, str) else ""


def _is_program(path: str) -> bool:
    return path == "src/main.rs" or bool(re.fullmatch(r"src/bin/[^/]{1,200}(?:/main)?\.rs", path))


def _inside(folder: str, written: object, usual: str) -> str:
    path = written if isinstance(written, str) and ".." not in written.split("/") else usual
    return f"{folder}/{path}" if folder else path


def _under(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _below(folder: str, path: str) -> str:
    return path.removeprefix(f"{folder}/") if folder else path
