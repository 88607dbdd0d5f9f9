"""A first look: what a person chooses from, newest first, and nothing of the repository runs or changes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qverify_desktop.repository.look import MOST_REFS, look
from tests.repository.conftest import Work, fingerprint


def commit_at(work: Work, day: int, *names: str) -> None:
    """An empty commit of a day in 2026 with branches and tags on it, packed out of reach of file times."""
    stamp = f"2026-01-{day:02}T00:00:00Z"
    os.environ["GIT_COMMITTER_DATE"] = os.environ["GIT_AUTHOR_DATE"] = stamp
    try:
        work.commit(f"day {day}")
        for name in names:
            work.git("update-ref", name, "HEAD")
    finally:
        del os.environ["GIT_COMMITTER_DATE"], os.environ["GIT_AUTHOR_DATE"]


@pytest.mark.parametrize("packed", [True, False])
def test_references_come_newest_first_by_kind(work: Work, packed: bool) -> None:
    commit_at(work, 3, "refs/tags/v10", "refs/heads/old", "refs/remotes/origin/work")
    commit_at(work, 9, "refs/tags/v2", "refs/remotes/origin/main")
    commit_at(work, 5, "refs/tags/v9", "refs/heads/middle")
    work.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    commit_at(work, 7)
    if packed:
        work.git("pack-refs", "--all")
        work.git("gc", "--quiet")
    found = look(str(work.path))
    assert (found.git, found.branch) == (True, "main")
    assert found.refs == ("main", "middle", "old", "origin/main", "origin/work", "v2", "v9", "v10")


def test_an_annotated_tag_counts_when_it_was_made(work: Work) -> None:
    commit_at(work, 1, "refs/tags/plain")
    os.environ["GIT_COMMITTER_DATE"] = "2026-02-01T00:00:00Z"
    try:
        work.git("tag", "-a", "-m", "x", "late", "HEAD")
    finally:
        del os.environ["GIT_COMMITTER_DATE"]
    assert look(str(work.path)).refs == ("main", "late", "plain")


def test_of_many_references_the_newest_are_shown(work: Work) -> None:
    commit_at(work, 1)
    lines = "".join(f"create refs/tags/t{number:04} HEAD\n" for number in range(1_000))
    work.git("update-ref", "--stdin", stdin=lines.encode())
    commit_at(work, 2, "refs/tags/zz-newest")
    work.git("pack-refs", "--all")
    refs = look(str(work.path)).refs
    assert len(refs) == MOST_REFS
    assert refs[:3] == ("main", "zz-newest", "t0000")


def test_names_that_git_would_take_for_options_or_a_terminal_for_orders_are_left_out(work: Work) -> None:
    work.commit()
    id_ = work.git("rev-parse", "HEAD")
    names = ("--upload-pack=x", "a\x1b[31mred", "fine", "\udcff")
    lines = b"".join(f"{id_} refs/heads/{name}\n".encode("utf-8", "surrogateescape") for name in names)
    (work.path / ".git/packed-refs").write_bytes(lines)
    assert set(look(str(work.path)).refs) == {"main", "fine"}


def test_objects_that_are_missing_hide_no_reference(work: Work) -> None:
    work.commit()
    (work.path / ".git/refs/heads/gone").write_text("1" * 40 + "\n")
    assert set(look(str(work.path)).refs) == {"main", "gone"}


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"# pack-refs\n^" + b"1" * 40 + b"\nrefs/heads/x\n"])
def test_a_damaged_list_of_references_is_no_error(work: Work, content: bytes) -> None:
    work.commit()
    (work.path / ".git/packed-refs").write_bytes(content)
    assert look(str(work.path)).refs == ("main",)


def test_nothing_of_the_repository_runs_or_changes(work: Work, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    work.write("a.py", "x = 1\n")
    work.write(".gitattributes", "*.py filter=evil diff=evil\n")
    work.commit()
    order = f"touch {mark}; cat"
    for key in ("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "diff.evil.textconv", "core.pager"):
        work.git("config", key, order)
    work.git("config", "core.repositoryFormatVersion", "1")
    work.git("config", "extensions.objectFormat", "sha1")
    (tmp_path / "more").write_text(f"[core]\n\tfsmonitor = {order}\n")
    work.git("config", "include.path", str(tmp_path / "more"))
    mark.unlink(missing_ok=True)
    before = fingerprint(work.path)
    found = look(str(work.path))
    assert set(found.paths) == {"a.py", ".gitattributes"}
    assert not mark.exists()
    assert fingerprint(work.path) == before


def test_a_linked_work_tree_knows_the_branches_of_all(work: Work, tmp_path: Path) -> None:
    work.write("a.py", "x = 1\n")
    work.commit()
    work.git("worktree", "add", "-q", "-b", "second", str(tmp_path / "second"))
    found = look(str(tmp_path / "second"))
    assert (found.branch, set(found.refs), found.paths) == ("second", {"main", "second"}, ("a.py",))


def test_a_bare_repository_has_references_and_no_files(work: Work, tmp_path: Path) -> None:
    work.write("a.py", "x = 1\n")
    work.commit()
    work.git("clone", "-q", "--bare", str(work.path), str(tmp_path / "bare.git"))
    found = look(str(tmp_path / "bare.git"))
    assert (found.git, found.refs, found.paths) == (True, ("main",), ())


def test_a_detached_head_has_no_branch(work: Work) -> None:
    work.commit()
    work.git("checkout", "-q", "--detach")
    assert (look(str(work.path)).branch, look(str(work.path)).refs) == ("", ("main",))


def test_a_folder_without_git_and_one_without_a_commit(work: Work, tmp_path: Path) -> None:
    assert (look(str(work.path)).git, look(str(work.path)).refs, look(str(work.path)).branch) == (True, (), "main")
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain/a.py").touch()
    assert (look(str(tmp_path / "plain")).git, look(str(tmp_path / "plain")).paths) == (False, ("a.py",))
