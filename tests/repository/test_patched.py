"""A commit with uncommitted changes applied gives the tree that was analysed, and a hostile patch writes nowhere."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository import Repositories
from tests.repository.conftest import Taker, Work


def again(take: Taker, work: Work, commit: str, patch: bytes, folder: Path) -> str:
    given = take(work.path)
    return Repositories().snapshot_at(given, take.workspace, commit, folder, patch=patch).tree


def test_the_patch_of_a_snapshot_gives_its_tree_again(work: Work, take: Taker, tmp_path: Path) -> None:
    """Changed, new, deleted, executable, binary and linked files."""
    work.write("a.py", "1\n")
    work.write("gone.py", "1\n")
    commit = work.commit()
    work.write("a.py", "2\r\nno newline at the end")
    work.write("sub/new.bin", bytes(range(256)) * 9)
    work.write("run.sh", "#!/bin/sh\n", 0o755)
    (work.path / "link").symlink_to("a.py")
    (work.path / "gone.py").unlink()
    dirty = take(work.path)
    assert dirty.dirty_patch and dirty.commit == commit
    work.git("stash", "-u", "-q")
    work.write("a.py", "later\n")
    work.commit("later")
    tree = again(take, work, commit, dirty.dirty_patch.encode("utf-8", "surrogateescape"), tmp_path / "at")
    assert tree == dirty.tree
    assert (tmp_path / "at" / "a.py").read_bytes() == b"2\r\nno newline at the end"


def test_a_patch_of_something_else_is_refused(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("a.py", "1\n")
    commit = work.commit()
    patch = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-other\n+more\n"
    with pytest.raises(BadInput, match="can't be applied to commit"):
        again(take, work, commit, patch, tmp_path / "at")


@pytest.mark.parametrize("path", ["../outside.py", "/outside.py", ".git/hooks/post-checkout"])
def test_a_patch_that_climbs_writes_nothing(work: Work, take: Taker, tmp_path: Path, path: str) -> None:
    work.write("a.py", "1\n")
    commit = work.commit()
    patch = f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1 @@\n+x\n"
    with contextlib.suppress(BadInput):
        again(take, work, commit, patch.encode(), tmp_path / "at")
    assert not (tmp_path / "outside.py").exists() and not list(tmp_path.rglob("post-checkout"))
    assert not (tmp_path / "at" / ".git").exists()
