"""Writing into a person's folder: all or nothing, never through a link, never over a file, never with a hook."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository.giving import give_branch, give_files
from tests.repository.conftest import Work

FILES = {"tests/qv/test_a.py": "def test_a(): ...\n", "tests/qv/test_b.py": "def test_b(): ...\n"}


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_new_files_are_written_and_the_same_ones_again(tmp_path):
    (tmp_path / "tests").mkdir()
    for _ in range(2):
        given = give_files(tmp_path, FILES)
        assert given.files == tuple(FILES)
    assert {path: (tmp_path / path).read_text() for path in FILES} == FILES


@pytest.mark.parametrize(
    "path", ["../out.py", "/etc/x.py", "a/../../x.py", ".git/hooks/pre-commit", "", ".", "a\0b.py", "a/.git/config"]
)
def test_a_path_that_has_no_place_writes_nothing(tmp_path, path):
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(BadInput):
        give_files(root, {"ok.py": "x\n", path: "x\n"})
    assert tree(tmp_path) == {"root"}


def test_one_file_in_the_way_writes_none(tmp_path):
    (tmp_path / "tests/qv").mkdir(parents=True)
    (tmp_path / "tests/qv/test_b.py").write_text("mine\n")
    before = tree(tmp_path)
    with pytest.raises(BadInput, match=r"test_b\.py"):
        give_files(tmp_path, FILES)
    assert tree(tmp_path) == before
    assert (tmp_path / "tests/qv/test_b.py").read_text() == "mine\n"


@pytest.mark.parametrize("link", ["tests", "tests/qv", "tests/qv/test_b.py"])
def test_nothing_is_written_through_a_link(tmp_path, link):
    root, outside = tmp_path / "root", tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("x")
    place = root / link
    place.parent.mkdir(parents=True)
    place.symlink_to(outside / "file" if link.endswith(".py") else outside)
    with pytest.raises(BadInput):
        give_files(root, FILES)
    assert tree(outside) == {"file"}
    assert not (root / "tests/qv/test_a.py").exists() or link != "tests"


def test_a_folder_that_can_not_be_written_is_left_as_it_was(tmp_path):
    # Root writes into any folder but those of the kernel itself.
    folder = Path("/proc/self/ns") if os.geteuid() == 0 else tmp_path
    before = set(os.listdir(folder))
    tmp_path.chmod(0o500)
    with pytest.raises(BadInput):
        give_files(folder, FILES)
    tmp_path.chmod(0o700)
    assert set(os.listdir(folder)) == before


@pytest.fixture
def work(tmp_path) -> Work:
    folder = tmp_path / "repo"
    folder.mkdir()
    made = Work(folder)
    made.git("init", "-q", "-b", "main")
    (folder / "a.py").write_text("x = 1\n")
    made.git("add", ".")
    made.git("commit", "-qm", "first")
    return made


def test_a_branch_leaves_work_tree_index_and_head(work, tmp_path):
    mark = tmp_path / "mark"
    for name in ("reference-transaction", "post-commit", "pre-commit", "post-index-change"):
        hook = work.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    (work.path / "a.py").write_text("x = 2\n")
    head, index = work.git("rev-parse", "HEAD").strip(), (work.path / ".git/index").read_bytes()
    given = give_branch(work.path, "qverify/new", head, FILES, "Add tests")
    assert (work.path / ".git/index").read_bytes() == index
    assert work.git("rev-parse", "HEAD").strip() == head
    assert not mark.exists(), "a hook ran"
    assert work.git("show", "--format=%P", "--name-only", given.commit).split() == [head, *FILES]
    work.git("fsck", "--strict")
    assert work.git("checkout", "-q", "-f", "qverify/new") == ""
    assert (work.path / "tests/qv/test_a.py").read_text() == FILES["tests/qv/test_a.py"]


@pytest.mark.parametrize("branch", ["main", "main/x", "a..b", "-x", "a b", "", "x.lock", "@{1}"])
def test_a_branch_that_is_there_in_the_way_or_no_name_changes_nothing(work, branch):
    head = work.git("rev-parse", "HEAD").strip()
    before = work.git("for-each-ref")
    with pytest.raises(BadInput):
        give_branch(work.path, branch, head, FILES, "x")
    assert work.git("for-each-ref") == before


def test_a_branch_that_is_packed_is_there_too(work):
    work.git("branch", "qverify/new")
    work.git("pack-refs", "--all")
    with pytest.raises(BadInput, match="already"):
        give_branch(work.path, "qverify/new", work.git("rev-parse", "HEAD").strip(), FILES, "x")


def test_a_link_among_the_references_is_not_followed(work, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (work.path / ".git/refs/heads/qverify").symlink_to(outside)
    with pytest.raises(BadInput):
        give_branch(work.path, "qverify/new", work.git("rev-parse", "HEAD").strip(), FILES, "x")
    assert tree(outside) == set()


@pytest.mark.parametrize("commit", ["", "0" * 40])
def test_a_commit_that_is_not_there_carries_no_branch(work, commit):
    with pytest.raises(BadInput, match="commit that was analysed"):
        give_branch(work.path, "qverify/new", commit, FILES, "x")


def test_a_plain_folder_has_no_branches(tmp_path):
    with pytest.raises(BadInput, match="no git repository"):
        give_branch(tmp_path, "x", "0" * 40, FILES, "x")
