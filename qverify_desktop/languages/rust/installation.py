"""Crates that a project needs and the sandbox lacks: finding them out, installing them, showing them to a run."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from qverify_desktop.domain.execution import Job, JobResult, Limits
from qverify_desktop.domain.project import MissingDependency, Project
from qverify_desktop.languages import ecosystems
from qverify_desktop.languages.ecosystems import DependencySet, Ecosystem
from qverify_desktop.languages.lock_contents import cargo_problem
from qverify_desktop.languages.missing import missing_packages

_REPORT = "missing.txt"
#: Asks cargo to resolve everything that each manifest names, with no network; what it says is the answer.
_SCRIPT = """\
for manifest in {manifests}; do
    cargo metadata --offline --format-version 1 --manifest-path "$manifest" 2>>"$QV_OUT/{report}" >/dev/null || true
done
"""


def missing_crates_job(project: Project) -> Job:
    """A job that has cargo resolve each manifest."""
    manifests = " ".join(shlex.quote(f"{root}/Cargo.toml" if root else "Cargo.toml") for root in project.source_roots)
    script = _SCRIPT.format(manifests=manifests, report=_REPORT)
    return with_crates(Job("imports", ("sh", "-c", script), limits=Limits(timeout_s=120)), project)


def read_missing(project: Project, result: JobResult) -> list[MissingDependency]:
    """The crates that cargo says it lacks; it stops at the first of each manifest."""
    text = result.artefacts.get(_REPORT, b"").decode("utf-8", "replace")
    return [MissingDependency(name, name) for name in missing_packages(Ecosystem.CARGO, text)]


def install_job(project: Project, missing: Sequence[MissingDependency], lock: bytes, *, offline: bool = False) -> Job:
    """Vendors what the lock file names into ``deps.tar``. A lock file that can't be used ends in a job that says why."""
    problem = (
        cargo_problem(lock) if lock else "The project has no Cargo.lock, so no crate's version and digest is known."
    )
    if problem:
        return Job("install", ("sh", "-c", f"echo {shlex.quote(problem)} >&2; exit 1"), limits=Limits(timeout_s=60))
    return ecosystems.install_job(_locked(project, lock), lambda path: lock, offline=offline)


def with_crates(job: Job, project: Project) -> Job:
    """``job`` with the way to what ``/deps`` holds of the project's crates."""
    return ecosystems.with_dependencies(job, [_locked(project, b"")]) if project.lock_file else job


def _locked(project: Project, lock: bytes) -> DependencySet:
    folder = project.lock_file.rpartition("/")[0]
    return DependencySet(Ecosystem.CARGO, folder, (project.lock_file,), hashlib.sha256(lock).hexdigest())
