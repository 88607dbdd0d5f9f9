"""Packages that a project imports and the runtime lacks, and installing what its ``pom.xml`` names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import MissingDependency, Project, SkippedPath
from qverify_desktop.languages import ecosystems
from qverify_desktop.languages.java.drivers import COMMAND, FOLDER, driver_files
from qverify_desktop.languages.java.suite import MEMORY_BYTES, sources_of
from qverify_desktop.languages.tree.source import TreeSource

MOST_PACKAGES = 2000
_IMPORT = re.compile(
    r"^import[ \t]{1,20}(static[ \t]{1,20})?([A-Za-z_][\w.]{0,300})(\*)?[ \t]{0,20}(?:;|as\b|\r?$)", re.M
)


class _Missing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    packages: Annotated[list[Annotated[str, Field(max_length=300)]], Field(max_length=MOST_PACKAGES)]


def needed_packages(sources: Sequence[TreeSource | SkippedPath]) -> dict[str, list[str]]:
    """Packages by the files that import them; a class's name begins with a capital letter."""
    found: dict[str, list[str]] = {}
    for source in sources:
        if isinstance(source, SkippedPath):
            continue
        for match in _IMPORT.finditer(source.data.decode("utf-8", "replace")):
            parts = match[2].rstrip(".").split(".")
            cut = next((i for i, part in enumerate(parts) if part[:1].isupper()), len(parts) - (0 if match[3] else 1))
            package = ".".join(parts[:cut])
            if package and (package in found or len(found) < MOST_PACKAGES):
                found.setdefault(package, []).append(source.path)
    return found


def missing_modules_job(project: Project, needed: dict[str, list[str]]) -> Job:
    """A job that looks for packages in the project, the JDK and the libraries of the runtime."""
    overlay = driver_files()
    request = {**sources_of(project), "packages": sorted(needed)}
    overlay[f"{FOLDER}/imports.json"] = json.dumps(request).encode()
    return Job("imports", (*COMMAND, "Imports"), overlay, limits=Limits(timeout_s=120, memory_bytes=MEMORY_BYTES))


def read_missing(project: Project, result: JobResult) -> list[MissingDependency]:
    """What ``Imports.java`` did not find, each with the declared dependency that seems to bring it."""
    try:
        found = _Missing.model_validate_json(result.artefacts.get("missing.json", b""))
    except (ValidationError, ValueError, RecursionError):
        return []
    return [
        MissingDependency(package, _requirement(package, project.dependencies))
        for package in found.packages
        if re.fullmatch(r"[\w.]+", package)
    ]


def _requirement(package: str, declared: Sequence[str]) -> str:
    """The dependency whose group, or artifact, the package begins with; otherwise the package itself."""
    fitting = [one for one in declared if f"{package}.".startswith(f"{one.partition(':')[0]}.")]
    if not fitting:
        words = set(package.split("."))
        fitting = [one for one in declared if set(re.split(r"[:-]", one)[1:2]) & words]
    return max(fitting, key=lambda one: len(one.partition(":")[0]), default=package)


def install_job(project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False) -> Job:
    """Installs what the project's ``pom.xml`` names; where it has none, a job that says so and fails."""
    if not project.lock_file.endswith("pom.xml"):
        said = "echo 'The project has no pom.xml that names its packages, so nothing can be installed.' >&2; exit 1"
        return Job("install", ("sh", "-c", said))
    folder = project.lock_file.rpartition("/")[0]
    wanted = ecosystems.DependencySet(
        ecosystems.Ecosystem.MAVEN,
        folder,
        (project.lock_file,),
        hashlib.sha256(lock).hexdigest(),
        (project.lock_file,),
    )
    return ecosystems.install_job(wanted, lambda path: lock if path == project.lock_file else None, offline=offline)
