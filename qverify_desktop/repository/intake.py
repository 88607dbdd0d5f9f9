"""Takes the snapshot: the user's folder is read, the application's workspace is written, nothing of the repository runs."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import MIB
from qverify_desktop.domain.project import Commit, Snapshot
from qverify_desktop.repository import history, scope, stopping
from qverify_desktop.repository.clone import fetch
from qverify_desktop.repository.committed import copy_commit
from qverify_desktop.repository.dirty import WorkTree
from qverify_desktop.repository.folder import copy_paths, walk
from qverify_desktop.repository.git_safety import git_program
from qverify_desktop.repository.look import Look, look
from qverify_desktop.repository.objects import build_trees
from qverify_desktop.repository.source import LocalFolder, Remote, classify
from qverify_desktop.repository.store import GitFolder, borrow, branch_of, find_bare, find_git_folder, resolve_commit
from qverify_desktop.repository.workspace import TreeWriter, printable

_SPARE_BYTES = 64 * MIB


class Repositories:
    """Implements ``analysis.ports.Repositories``. Every call is on its own; ``gate`` says whether a repository may be fetched."""

    def __init__(self, gate: Gate | None = None) -> None:
        self._gate = gate or Gate()

    def take_snapshot(self, source: str, workspace: Path, stop: threading.Event | None = None) -> Snapshot:
        """See the port. What an interrupted attempt left in ``workspace`` is replaced."""
        found = classify(source)
        with stopping.stoppable(stop):
            try:
                return _Intake(workspace, self._gate).take(found)
            except OSError as error:
                raise _machine_problem(error, workspace) from error

    def look(self, source: str) -> Look:
        """A first look before anything is copied: see ``repository.look``."""
        return look(source)

    def changed_lines(
        self, snapshot: Snapshot, workspace: Path, ref: str, stop: threading.Event | None = None
    ) -> Mapping[str, frozenset[int]]:
        """See the port. Lines are 1-based lines of the snapshot's files."""
        with stopping.stoppable(stop):
            return scope.changed_lines(snapshot, scope.store_of(workspace), ref)

    def history(self, workspace: Path, path: str, most: int, stop: threading.Event | None = None) -> list[Commit]:
        """See the port."""
        with stopping.stoppable(stop):
            return history.first_parents(scope.store_of(workspace), path, most)

    def change_counts(self, workspace: Path, most: int, stop: threading.Event | None = None) -> Mapping[str, int]:
        """See the port."""
        with stopping.stoppable(stop):
            return history.change_counts(scope.store_of(workspace), most)

    def snapshot_at(
        self,
        snapshot: Snapshot,
        workspace: Path,
        revision: str,
        folder: Path,
        stop: threading.Event | None = None,
        *,
        patch: bytes = b"",
    ) -> Snapshot:
        """See the port."""
        with stopping.stoppable(stop):
            try:
                return history.snapshot_at(snapshot, scope.store_of(workspace), revision, folder, patch)
            except OSError as error:
                raise _machine_problem(error, folder) from error


class _Intake:
    """One snapshot into one workspace."""

    def __init__(self, workspace: Path, gate: Gate) -> None:
        self._gate = gate
        workspace.mkdir(parents=True, exist_ok=True)
        self._workspace = workspace
        self._store = scope.store_of(workspace)
        for leftover in (workspace / "tree", self._store):
            if leftover.exists():
                shutil.rmtree(leftover)
        if shutil.disk_usage(workspace).free < _SPARE_BYTES:
            raise OSError(errno.ENOSPC, "No space left on device")
        self._writer = TreeWriter(workspace / "tree")

    def take(self, found: LocalFolder | Remote) -> Snapshot:
        if isinstance(found, Remote):
            git_program()
            fetch(found, self._store, self._gate)
            return self._from_commit(found.address, found.name)
        folder = found.path
        origin, name = printable(os.fsencode(folder)), printable(os.fsencode(folder.name)) or "root"
        bare = None if (folder / ".git").exists() else find_bare(folder)
        git = bare or find_git_folder(folder)
        if git is None or git.obstacle:
            return self._from_plain(folder, origin, name, git)
        git_program()
        borrow(git, self._store)
        if bare or found.committed:
            return self._from_commit(origin, name.removesuffix(".git"))
        return self._from_work_tree(folder, origin, name)

    def _from_plain(self, folder: Path, origin: str, name: str, git: GitFolder | None) -> Snapshot:
        if git is not None:
            self._writer.skip(b".git", git.obstacle)
        copy_paths(folder, walk(folder, self._writer.skip, self._workspace), self._writer)
        return self._snapshot(origin, name)

    def _from_commit(self, origin: str, name: str) -> Snapshot:
        commit = resolve_commit(self._store, "HEAD")
        if commit is None:
            raise BadInput(
                f"The repository {origin} has no commit on its default branch, so there is nothing to analyse.",
                "Give a repository with at least one commit.",
            )
        tree = copy_commit(self._store, commit, self._writer)
        self._writer.finish()
        scope.remember_tree(self._store, tree)
        return self._snapshot(origin, name, commit=commit, branch=branch_of(self._store))

    def _from_work_tree(self, folder: Path, origin: str, name: str) -> Snapshot:
        work_tree = WorkTree(folder, self._store, resolve_commit(self._store, "HEAD"))
        gone = copy_paths(folder, work_tree.paths(self._writer.skip, self._workspace), self._writer)
        self._writer.finish()
        tree, patch = work_tree.compare(self._writer, gone)
        scope.remember_tree(self._store, tree)
        return self._snapshot(origin, name, commit=work_tree.head, branch=branch_of(self._store), patch=patch)

    def _snapshot(
        self, origin: str, name: str, *, commit: str | None = None, branch: str | None = None, patch: str = ""
    ) -> Snapshot:
        self._writer.finish()
        writer = self._writer
        if not writer.entries:
            left_out = f" {len(writer.skipped)} entries were left out." if writer.skipped else ""
            raise BadInput(
                f"{origin} holds no file that could be analysed.{left_out}", "Give a folder with source in it."
            )
        tree, _ = build_trees(writer.entries)
        return Snapshot(
            origin=origin,
            name=name,
            root=str((self._workspace / "tree").resolve()),
            tree=tree,
            commit=commit,
            branch=branch,
            dirty_patch=patch,
            files=tuple(sorted(path.decode("utf-8") for path in writer.entries)),
            total_bytes=writer.total_bytes,
            skipped=writer.notes(),
            lfs_pointers=tuple(path.decode("utf-8") for path in sorted(writer.lfs_pointers)),
        )


def _machine_problem(error: OSError, workspace: Path) -> MissingPrerequisite:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        existing = next(folder for folder in (workspace, *workspace.parents) if folder.exists())
        free = shutil.disk_usage(existing).free / MIB
        return MissingPrerequisite(
            f"The disk of the application's workspace is full ({free:.0f} MiB free at {workspace}). Your folder was not touched.",
            "Free some space there, or move the state with QVERIFY_HOME, then run it again.",
        )
    return MissingPrerequisite(
        f"The application's workspace {workspace} can't be written ({error.strerror or error}). Your folder was not touched.",
        "Move the state to a writable folder with QVERIFY_HOME, then run it again.",
    )
