"""Modules that a project needs and the sandbox lacks: finding them out, installing them, showing them to a run."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import MissingDependency, Project, Snapshot
from qverify_desktop.languages import ecosystems
from qverify_desktop.languages.ecosystems import DependencySet, Ecosystem
from qverify_desktop.languages.missing import missing_packages

_REPORT = "missing.txt"
#: The go command lists every package of each module with what it imports; its complaints are the answer.
_SCRIPT = """\
for folder in {folders}; do
    (cd "$folder" && go list -deps -test ./... 2>>"$QV_OUT/{report}" >/dev/null) || true
done
"""


def missing_modules_job(snapshot: Snapshot, project: Project) -> Job:
    """A job that resolves every import of every module."""
    folders = " ".join(shlex.quote(f"./{root}") for root in project.source_roots)
    script = _SCRIPT.format(folders=folders, report=_REPORT)
    return with_modules(Job("imports", ("sh", "-c", script), limits=Limits(timeout_s=180)), project)


def read_missing(project: Project, result: JobResult) -> list[MissingDependency]:
    """The packages that the go command says it lacks."""
    text = result.artefacts.get(_REPORT, b"").decode("utf-8", "replace")
    return [MissingDependency(name, name) for name in missing_packages(Ecosystem.GO, text)]


def install_job(project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False) -> Job:
    """Downloads what ``go.sum`` locks into ``deps.tar``; without one the job ends with a sentence."""
    if not lock:
        problem = "The project has no go.sum, so no module's digest is known."
        return Job("install", ("sh", "-c", f"echo {shlex.quote(problem)} >&2; exit 1"), limits=Limits(timeout_s=60))
    return ecosystems.install_job(_locked(project, lock), lambda path: lock, offline=offline)


def with_modules(job: Job, project: Project) -> Job:
    """``job`` with the way to what ``/deps`` holds of the project's modules."""
    return ecosystems.with_dependencies(job, [_locked(project, b"")]) if project.lock_file else job


def _locked(project: Project, lock: bytes) -> DependencySet:
    folder = project.lock_file.rpartition("/")[0]
    manifests = [f"{folder}/{name}" if folder else name for name in ("go.mod", "go.sum")]
    return DependencySet(
        Ecosystem.GO, folder, (project.lock_file,), hashlib.sha256(lock).hexdigest(), manifests=tuple(manifests)
    )
