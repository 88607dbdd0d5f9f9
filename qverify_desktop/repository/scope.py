"""Which lines of a snapshot differ from a revision."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.repository.git_safety import run_git
from qverify_desktop.repository.patch import unquoted
from qverify_desktop.repository.store import known_revisions, read_small, resolve_commit

_HUNK = re.compile(rb"@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")


def store_of(workspace: Path) -> Path:
    """Where the private store of a workspace lies."""
    return workspace / "store.git"


def remember_tree(store: Path, tree: str) -> None:
    """Keep the id of the tree that revisions are compared with."""
    (store / "snapshot-tree").write_text(tree, "ascii")


def changed_lines(snapshot: Snapshot, store: Path, ref: str) -> dict[str, frozenset[int]]:
    """Added and changed lines (1-based) by file, renames followed. Raises ``BadInput`` for an unknown revision."""
    tree = read_small(store / "snapshot-tree")
    if tree is None:
        raise BadInput(
            f"{snapshot.origin} is not a git repository with commits, so changed:{ref} has nothing to compare with.",
            "Use --scope all or --scope files:GLOB.",
        )
    commit = resolve_commit(store, ref)
    if commit is None:
        known = ", ".join(known_revisions(store))
        raise BadInput(
            f"The repository has no revision {ref!r}.",
            f"Known are: {known}." if known else "It has no branches or tags; use --scope all.",
        )
    options = [
        "--no-ext-diff",
        "--no-textconv",
        "--no-color",
        "--unified=0",
        "--find-renames",
        "--src-prefix=a/",
        "--dst-prefix=b/",
    ]
    answer = run_git(["diff", *options, commit, tree.decode("ascii"), "--"], store=store, timeout_s=300)
    if answer.code != 0:
        raise BadInput(
            f"The revision {ref!r} can't be compared: objects are missing in the repository.",
            "Fetch its whole history (git fetch --unshallow), or use --scope all.",
        )
    wanted = set(snapshot.files)
    return {path: lines for path, lines in _parse(answer.output).items() if path in wanted}


def _parse(diff: bytes) -> Mapping[str, frozenset[int]]:
    lines: dict[str, set[int]] = {}
    current: set[int] | None = None
    left = 0
    for row in diff.split(b"\n"):
        if left > 0:
            # Inside a hunk a line of source may look like a header; only the counts tell.
            left -= row[:1] in (b"+", b"-")
            continue
        if row.startswith(b"diff --git "):
            current = None
        elif row.startswith(b"+++ "):
            name = unquoted(row[4:])
            current = lines.setdefault(name[2:].decode("utf-8", "replace"), set()) if name.startswith(b"b/") else None
        elif current is not None and (hunk := _HUNK.match(row)):
            first, count = int(hunk[1]), int(hunk[2] or b"1")
            current.update(range(first, first + count))
            left = _changed_rows(row)
    return {path: frozenset(found) for path, found in lines.items() if found}


def _changed_rows(header: bytes) -> int:
    counts = re.findall(rb"[-+]\d+(?:,(\d+))?", header.split(b"@@")[1])
    return sum(int(count or b"1") for count in counts)
