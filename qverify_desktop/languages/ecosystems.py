"""Locked dependencies of the package ecosystems: which lock files a snapshot holds, and how what they name is installed.

Nothing here runs, fetches or writes: names of files and a function that reads them come in, ``DependencySet`` and ``Job``
values go out. A set is installed by a job of its own into the artefact ``deps.tar``, which is kept under ``cache_key`` and
shown to every later job as ``/deps``, read-only; ``with_dependencies`` is what such a job needs to find it. Sets may share one
``/deps``: Python's packages lie in it, everything else in folders whose names no import can have.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from qverify_desktop.domain.execution import GIB, MIB, Job, Limits
from qverify_desktop.domain.project import SkippedPath
from qverify_desktop.languages import install_scripts
from qverify_desktop.languages.files import read_bytes
from qverify_desktop.languages.lock_contents import cargo_problem, npm_lock_for_install
from qverify_desktop.languages.python.dependencies import (
    MAX_METADATA_BYTES,
    declared_in_requirements,
    pinned_versions,
)
from qverify_desktop.languages.python.drivers import FOLDER
from qverify_desktop.languages.python.installation import packages_job

MAX_LOCK_BYTES = 2 * MAX_METADATA_BYTES
MAX_SETS = 50
MAX_MANIFESTS = 500
MAX_DEPTH = 8
#: Folders that hold what was installed or built, not what the project declares.
_ASIDE = (
    "node_modules bower_components vendor target site-packages dist-packages __pycache__ .git .tox .nox .venv venv"
)
ASIDE = frozenset(_ASIDE.split())

#: Content of a file of the snapshot, ``None`` where it can't be had.
Read = Callable[[str], bytes | None]


class Ecosystem(StrEnum):
    """Where packages come from."""

    PYTHON = "python"
    NPM = "npm"
    GO = "go"
    MAVEN = "maven"
    GRADLE = "gradle"
    CARGO = "cargo"


#: The runtime (folder of ``runtimes/``) whose image has the ecosystem's installer.
RUNTIMES: Mapping[Ecosystem, str] = {
    Ecosystem.PYTHON: "python",
    Ecosystem.NPM: "node",
    Ecosystem.GO: "go",
    Ecosystem.MAVEN: "java",
    Ecosystem.GRADLE: "java",
    Ecosystem.CARGO: "rust",
}
#: What a person puts into a folder of packages, in words.
OFFLINE_FOLDERS: Mapping[Ecosystem, str] = {
    Ecosystem.PYTHON: "wheels (pip download)",
    Ecosystem.NPM: "npm's cache (npm ci --cache FOLDER)",
    Ecosystem.GO: "a module proxy ($GOPATH/pkg/mod/cache/download after go mod download) or a vendor folder (go mod vendor)",
    Ecosystem.MAVEN: "a Maven repository (~/.m2/repository)",
    Ecosystem.CARGO: "vendored crates (cargo vendor FOLDER)",
}
#: Lock files by name; the first that a folder has counts.
_LOCKS: Mapping[Ecosystem, tuple[str, ...]] = {
    Ecosystem.PYTHON: ("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock"),
    # npm documentation, "npm-shrinkwrap.json": it takes precedence over package-lock.json.
    Ecosystem.NPM: ("npm-shrinkwrap.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"),
    Ecosystem.GO: ("go.sum",),
    Ecosystem.MAVEN: ("pom.xml",),
    Ecosystem.GRADLE: ("gradle.lockfile",),
    Ecosystem.CARGO: ("Cargo.lock",),
}
_REQUIREMENTS = re.compile(r"(?:.*[-_.])?requirements(?:[-_.].*)?\.txt")
#: Files besides the lock file that the installer reads, wherever they lie below its folder.
_MANIFESTS: Mapping[Ecosystem, frozenset[str]] = {
    Ecosystem.NPM: frozenset({"package.json"}),
    Ecosystem.GO: frozenset({"go.mod", "go.sum", "go.work", "go.work.sum"}),
    Ecosystem.MAVEN: frozenset({"pom.xml"}),
}
_NO_TOOL = {
    "yarn.lock": "yarn is not in the sandbox. A package-lock.json beside it can be installed "
    "(npm install --package-lock-only)",
    "pnpm-lock.yaml": "pnpm is not in the sandbox. A package-lock.json beside it can be installed "
    "(npm install --package-lock-only)",
    "gradle.lockfile": "Gradle is not in the sandbox",
}
_LIMITS = Limits(
    timeout_s=900, memory_bytes=4 * GIB, work_bytes=2 * GIB, tmp_bytes=3 * GIB, artefact_bytes=768 * MIB, pids=512
)


@dataclass(frozen=True)
class DependencySet:
    """What one folder of a snapshot locks. Paths are relative to the snapshot, ``folder`` is ``""`` for its root.

    ``digest`` is SHA-256 over the lock files' names and contents, in hex. ``problem`` is a sentence where the set can't be
    installed. ``vendored`` says that the packages lie in the repository itself, so nothing is to be installed.
    """

    ecosystem: Ecosystem
    folder: str
    lock_files: tuple[str, ...]
    digest: str
    manifests: tuple[str, ...] = ()
    problem: str = ""
    vendored: bool = False

    @property
    def runtime(self) -> str:
        """Runtime whose image installs and uses the set."""
        return RUNTIMES[self.ecosystem]

    @property
    def slug(self) -> str:
        """A name for the set's folder among others of its ecosystem."""
        return hashlib.sha256(self.folder.encode()).hexdigest()[:12]


def reader(root: str, most: int = MAX_LOCK_BYTES) -> Read:
    """Reads regular files of at most ``most`` bytes below ``root``; links are not followed."""

    def read(path: str) -> bytes | None:
        content = read_bytes(root, path, most)
        return None if isinstance(content, SkippedPath) else content

    return read


def dependency_sets(files: Sequence[str], read: Read) -> list[DependencySet]:
    """The sets of a snapshot whose file list is ``files``, nearest to its root first; at most ``MAX_SETS``. Never raises."""
    paths = [path for path in files if plain_path(path)]
    vendored = _vendored(paths)
    near = [path for path in paths if path.count("/") <= MAX_DEPTH and not ASIDE & set(path.split("/")[:-1])]
    by_folder: dict[tuple[str, Ecosystem], list[str]] = {}
    for path in near:
        folder, _, name = path.rpartition("/")
        for ecosystem, names in _LOCKS.items():
            if name in names or (ecosystem is Ecosystem.PYTHON and _REQUIREMENTS.fullmatch(name)):
                by_folder.setdefault((folder, ecosystem), []).append(path)
    for folder, ecosystem in vendored:
        by_folder.setdefault((folder, ecosystem), [])
    poms = {folder for folder, ecosystem in by_folder if ecosystem is Ecosystem.MAVEN}
    found: list[DependencySet] = []
    for folder, ecosystem in sorted(by_folder, key=lambda key: (key[0].count("/") + bool(key[0]), key)):
        if ecosystem is Ecosystem.MAVEN and any(above in poms for above in _above(folder)):
            continue
        if len(found) < MAX_SETS:
            locks = _counting(ecosystem, by_folder[folder, ecosystem])
            found.append(_set(ecosystem, folder, locks, near, read, (folder, ecosystem) in vendored))
    return found


def cache_key(*parts: bytes) -> str:
    """Name of an installed set: of its lock, of what was asked for, and of what a folder of packages offered (its listing)."""
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:32]


def set_key(one: DependencySet, listing: bytes = b"") -> str:
    """``cache_key`` of a whole set; ``listing`` is that of the folder it is installed from, empty for a registry."""
    manifests = "\n".join((one.ecosystem, one.folder, *one.manifests))
    return cache_key(one.digest.encode(), manifests.encode(), listing)


def install_job(one: DependencySet, read: Read, *, offline: bool = False) -> Job:
    """A job whose artefact ``deps.tar`` holds the set: with network from the ecosystem's own registry, or with ``offline`` and
    no network from a folder that the sandbox shows as ``/deps`` (``OFFLINE_FOLDERS``).

    Raises ``ValueError`` with the sentence for a set that has a ``problem`` or nothing to install.
    """
    if one.problem or one.vendored:
        raise ValueError(one.problem or f"The packages of {one.folder or 'the project'} lie in the repository.")
    contents = {path: read(path) or b"" for path in one.lock_files}
    if one.ecosystem is Ecosystem.PYTHON:
        pins = [pin for path, content in contents.items() for pin in pinned_versions(path, content)]
        wanted = [w for path, content in contents.items() for w in declared_in_requirements(path, content)]
        return packages_job(wanted or pins, pins, offline=offline)
    overlay = {f"{FOLDER}/manifests": "".join(f"{_below(one.folder, path)}\n" for path in one.manifests).encode()}
    if one.ecosystem is Ecosystem.NPM:
        lock, problem = npm_lock_for_install(contents[one.lock_files[0]])
        if problem:
            raise ValueError(problem)
        overlay[f"{FOLDER}/package-lock.json"] = json.dumps(lock).encode()
    overlay[f"{FOLDER}/install.sh"] = install_scripts.INSTALL[one.ecosystem].encode()
    argv = ("sh", f"{FOLDER}/install.sh", "offline" if offline else "online", one.folder or ".", one.slug)
    return Job("install", argv, overlay, limits=_LIMITS, network=not offline)


def with_dependencies(job: Job, sets: Iterable[DependencySet]) -> Job:
    """``job`` with the way to what ``/deps`` holds of ``sets``: environment and links, made by a script in front of its command."""
    lines = [install_scripts.USE]
    used = [one for one in sets if not one.problem and not one.vendored]
    for ecosystem in dict.fromkeys(one.ecosystem for one in used):
        folders = [one for one in used if one.ecosystem is ecosystem]
        lines += [f"use_{ecosystem} {shlex.quote(one.folder or '.')} {one.slug}" for one in folders]
    if len(lines) == 1:
        return job
    script = "\n".join([*lines, 'exec "$@"', ""])
    overlay = {**job.overlay, f"{FOLDER}/use.sh": script.encode()}
    return replace(job, overlay=overlay, argv=("sh", f"{FOLDER}/use.sh", *job.argv))


def plain_path(path: str) -> bool:
    """Whether a path stays in the snapshot and can stand in a list of lines; anything else is passed over."""
    parts = path.split("/")
    if len(path) > 1000 or not path.isprintable() or {"", ".", ".."} & set(parts) or "\\" in path:
        return False
    return not any(part.startswith("-") for part in parts)


def _set(
    ecosystem: Ecosystem, folder: str, locks: Sequence[str], near: Sequence[str], read: Read, vendored: bool
) -> DependencySet:
    digest = hashlib.sha256()
    problem = ""
    for path in locks:
        content = read(path)
        name = path.rpartition("/")[2]
        if content is None:
            problem = problem or f"{path} can't be read, or is larger than {MAX_LOCK_BYTES // MIB} MiB."
            continue
        digest.update(b"%s\0%d\0" % (path.encode(), len(content)) + content)
        if name in _NO_TOOL:
            problem = problem or f"The packages that {path} locks can't be installed: {_NO_TOOL[name]}."
        elif ecosystem is Ecosystem.NPM:
            problem = problem or _about(path, npm_lock_for_install(content)[1])
        elif ecosystem is Ecosystem.CARGO:
            problem = problem or _about(path, cargo_problem(content))
    wanted = _MANIFESTS.get(ecosystem, frozenset())
    below = [path for path in near if path.rpartition("/")[2] in wanted and _is_below(folder, path)]
    below.sort(key=lambda path: (path.count("/"), path))
    return DependencySet(
        ecosystem, folder, tuple(locks), digest.hexdigest(), tuple(below[:MAX_MANIFESTS]), problem, vendored
    )


def _about(path: str, problem: str) -> str:
    return f"{path}: {problem}" if problem else ""


def _counting(ecosystem: Ecosystem, paths: Sequence[str]) -> list[str]:
    """The lock file that counts; of requirement files all, because each adds to the others."""
    names = _LOCKS[ecosystem]
    ranked = sorted((names.index(name), path) for path in paths if (name := path.rpartition("/")[2]) in names)
    return [ranked[0][1]] if ranked else sorted(paths)


def _vendored(paths: Iterable[str]) -> set[tuple[str, Ecosystem]]:
    """Folders whose packages are in the repository: ``vendor/modules.txt`` of Go, ``vendor/CRATE/.cargo-checksum.json``."""
    found = set()
    for path in paths:
        parts = path.split("/")
        if parts[-2:] == ["vendor", "modules.txt"] and not ASIDE & set(parts[:-2]):
            found.add(("/".join(parts[:-2]), Ecosystem.GO))
        elif parts[-3:-2] == ["vendor"] and parts[-1] == ".cargo-checksum.json" and not ASIDE & set(parts[:-3]):
            found.add(("/".join(parts[:-3]), Ecosystem.CARGO))
    return found


def _above(folder: str) -> Iterable[str]:
    while folder:
        folder = folder.rpartition("/")[0]
        yield folder


def _is_below(folder: str, path: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _below(folder: str, path: str) -> str:
    return path.removeprefix(f"{folder}/") if folder else path
