"""A repository's history out of the private store: which commits there are, and the files of each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.project import Commit, Snapshot
from qverify_desktop.repository.committed import copy_commit
from qverify_desktop.repository.git_safety import run_git
from qverify_desktop.repository.objects import build_trees
from qverify_desktop.repository.patched import tree_with
from qverify_desktop.repository.store import resolve_commit
from qverify_desktop.repository.workspace import TreeWriter

_FIELD = b"\x1f"
#: Characters of a commit's subject that are kept.
_MOST_SUBJECT = 200


def first_parents(store: Path, path: str, most: int) -> list[Commit]:
    """At most ``most`` commits from ``HEAD`` back along first parents, newest first; with ``path`` only those that changed that
    file. A merge counts as the one commit that brought a branch in. Empty where there is no history.
    """
    if not store.is_dir() or resolve_commit(store, "HEAD") is None:
        return []
    answer = run_git(
        [
            "log",
            "--first-parent",
            "-z",
            f"--max-count={most}",
            "--encoding=UTF-8",
            "--no-show-signature",
            "--format=%H%x1f%cI%x1f%s",
            "HEAD",
            "--",
            *([path] if path else []),
        ],
        store=store,
        extra_environment={"GIT_LITERAL_PATHSPECS": "1"},
        timeout_s=120,
        most_bytes=64 * 1024 * 1024,
    )
    if answer.code != 0:
        return []
    return [_commit(fields) for row in answer.output.split(b"\0") if len(fields := row.split(_FIELD, 2)) == 3]


def change_counts(store: Path, most: int) -> dict[str, int]:
    """How many of the newest ``most`` commits along first parents changed each file, by its path today. Empty where there is no
    history.
    """
    if not store.is_dir() or resolve_commit(store, "HEAD") is None:
        return {}
    answer = run_git(
        [
            "log",
            "--first-parent",
            "-z",
            f"--max-count={most}",
            "--no-renames",
            "--no-show-signature",
            "--format=",
            "--name-only",
        ],
        store=store,
        timeout_s=60,
        most_bytes=64 * 1024 * 1024,
    )
    if answer.code != 0:
        return {}
    counts = Counter(path for path in answer.output.split(b"\0") if path)
    return {path.decode("utf-8", "replace"): count for path, count in counts.items()}


def _commit(fields: list[bytes]) -> Commit:
    identifier, date, subject = (field.decode("utf-8", "replace").strip() for field in fields)
    return Commit(identifier, date, "".join(c if c.isprintable() else " " for c in subject)[:_MOST_SUBJECT])


def snapshot_at(snapshot: Snapshot, store: Path, revision: str, folder: Path, patch: bytes = b"") -> Snapshot:
    """The files of ``revision``, with ``patch`` applied, as a snapshot in ``folder``, which must not be there. Raises ``BadInput``
    where it can't be read or the patch does not apply."""
    commit = resolve_commit(store, revision)
    if commit is None:
        raise BadInput(f"The repository has no revision {revision!r}.")
    writer = TreeWriter(folder)
    copy_commit(store, tree_with(store, commit, patch) if patch else commit, writer)
    writer.finish()
    return Snapshot(
        origin=snapshot.origin,
        name=snapshot.name,
        root=str(folder.resolve()),
        tree=build_trees(writer.entries)[0],
        commit=commit,
        files=tuple(sorted(path.decode("utf-8") for path in writer.entries)),
        total_bytes=writer.total_bytes,
        skipped=writer.notes(),
    )
