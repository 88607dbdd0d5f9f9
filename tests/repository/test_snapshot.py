"""Snapshots of folders: the tree id is git's own, the patch is whole, the folder stays as it was."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from tests.repository.conftest import Taker, Work


def skipped(snapshot: object) -> dict[str, str]:
    return {entry.path: entry.reason for entry in snapshot.skipped}  # type: ignore[attr-defined]


def apply_patch(work: Work, patch: str, to: Path) -> str:
    """Tree id after applying the patch to a fresh checkout of HEAD."""
    work.git("clone", "-q", "--no-hardlinks", str(work.path), str(to))
    copy = Work(to)
    copy.git("apply", "--index", "--binary", "-", stdin=patch.encode())
    return copy.git("write-tree")


def test_clean_work_tree(work: Work, take: Taker) -> None:
    work.write("a.py", "x = 1\n")
    work.write("tools/run.sh", "#!/bin/sh\n", 0o755)
    work.write("a-b/c.txt", "sorts before a/ and after a.py\n")
    work.write("a/b/c.txt", "deep\n")
    (work.path / "link").symlink_to("a/b/c.txt")
    commit = work.commit()
    snapshot = take(work.path)
    assert snapshot.tree == work.git("write-tree")
    assert (snapshot.commit, snapshot.branch, snapshot.dirty_patch, snapshot.name) == (commit, "main", "", "project")
    assert snapshot.origin == str(work.path)
    assert snapshot.files == ("a-b/c.txt", "a.py", "a/b/c.txt", "link", "tools/run.sh")
    assert snapshot.total_bytes == 6 + 10 + 31 + 5
    assert snapshot.skipped == ()
    root = Path(snapshot.root)
    assert root.is_absolute()
    assert os.readlink(root / "link") == "a/b/c.txt"
    assert (root / "tools/run.sh").stat().st_mode & 0o777 == 0o755
    assert (root / "a.py").stat().st_mode & 0o777 == 0o644
    assert not (root / ".git").exists()


def test_uncommitted_changes_become_a_patch_that_git_applies(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("changed.py", "old\n")
    work.write("gone.py", "gone\n")
    work.write("run.sh", "x\n")
    work.write(".gitignore", "ignored/\n*.log\n")
    work.write("binary.dat", bytes(range(256)))
    commit = work.commit()
    work.write("changed.py", "new\n")
    (work.path / "gone.py").unlink()
    (work.path / "run.sh").chmod(0o755)
    work.write("binary.dat", bytes(reversed(range(256))))
    work.write("new/ünder.py", "untracked = True")
    work.write("ignored/x.py", "no\n")
    work.write("trace.log", "no\n")
    work.write("staged.py", "staged\n")
    work.git("add", "staged.py")
    snapshot = take(work.path)
    assert snapshot.commit == commit
    assert snapshot.files == (".gitignore", "binary.dat", "changed.py", "new/ünder.py", "run.sh", "staged.py")
    assert apply_patch(work, snapshot.dirty_patch, tmp_path / "copy") == snapshot.tree
    work.git("add", "-A")
    assert snapshot.tree == work.git("write-tree")


def test_a_change_of_the_same_size_in_the_second_of_the_commit_is_seen(work: Work, take: Taker) -> None:
    work.write("a.py", "x = 1\n")
    work.commit()
    index = work.path / ".git" / "index"
    work.write("a.py", "x = 2\n")
    # Nothing that git keeps of the file tells the two apart, but that the index is not younger than the file.
    facts = index.stat()
    os.utime(work.path / "a.py", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    time.sleep(1.1)
    assert "+x = 2" in take(work.path).dirty_patch


def test_a_patch_of_other_encodings_is_text_and_lossless(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("latin.txt", "caf\xe9\n".encode("latin-1"))
    work.commit()
    work.write("latin.txt", "th\xe9\n".encode("latin-1"))
    snapshot = take(work.path)
    snapshot.dirty_patch.encode("utf-8")
    assert apply_patch(work, snapshot.dirty_patch, tmp_path / "copy") == snapshot.tree


def test_a_plain_folder_has_the_same_tree_as_a_repository(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("pkg/a.py", "x = 1\n")
    work.write("pkg/run", "x\n", 0o755)
    work.commit()
    plain = tmp_path / "plain"
    subprocess.run(["cp", "-a", work.path, plain], check=True)
    subprocess.run(["rm", "-r", plain / ".git"], check=True)
    snapshot = take(plain)
    assert (snapshot.commit, snapshot.branch, snapshot.dirty_patch) == (None, None, "")
    assert snapshot.tree == take(work.path).tree == work.git("write-tree")


def test_caches_of_a_plain_folder_are_left_out_once_each(take: Taker, tmp_path: Path) -> None:
    plain = Work(tmp_path / "plain")
    for name in (
        ".venv/lib/x.py",
        ".venv/bin/y",
        "node_modules/a/b.js",
        "pkg/__pycache__/a.pyc",
        "env/pyvenv.cfg",
        "env/z.py",
    ):
        plain.write(name, "x")
    plain.write("pkg/a.py", "x = 1\n")
    plain.write("inner/.git/config", "[core]\n")
    plain.write("inner/b.py", "y = 1\n")
    snapshot = take(plain.path)
    assert snapshot.files == ("inner/b.py", "pkg/a.py")
    assert sorted(skipped(snapshot)) == [".venv", "env", "node_modules", "pkg/__pycache__"]


def test_untracked_caches_of_a_repository_are_left_out_but_tracked_ones_stay(work: Work, take: Taker) -> None:
    work.write("node_modules/kept.js", "tracked\n")
    work.commit()
    work.write("node_modules/installed.js", "untracked\n")
    snapshot = take(work.path)
    assert snapshot.files == ("node_modules/kept.js",)
    assert list(skipped(snapshot)) == ["node_modules"]


def test_submodules_nested_repositories_and_lfs_pointers_are_reported(
    work: Work, take: Taker, tmp_path: Path
) -> None:
    other = Work(tmp_path / "other")
    other.write("o.py", "o\n")
    other.git("init", "-q")
    other.commit()
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
    work.write("model.bin", pointer)
    work.write("a.py", "x\n")
    work.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "lib")
    work.commit()
    work.git("clone", "-q", str(other.path), "nested")
    snapshot = take(work.path)
    assert snapshot.files == (".gitmodules", "a.py", "model.bin")
    assert snapshot.lfs_pointers == ("model.bin",)
    assert "submodule" in skipped(snapshot)["lib"]
    assert "repository of its own" in skipped(snapshot)["nested"]
    assert snapshot.dirty_patch == ""


def test_line_ends_that_git_converts_are_no_change(work: Work, take: Taker) -> None:
    work.write(".gitattributes", "*.txt text eol=crlf\n")
    work.write("a.txt", "one\r\ntwo\r\n")
    work.commit()
    assert take(work.path).dirty_patch == ""
    work.write("a.txt", "one\r\nthree\r\n")
    assert "+three" in take(work.path).dirty_patch


def test_linked_work_tree_and_detached_head(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("a.py", "x\n")
    first = work.commit()
    work.write("a.py", "y\n")
    work.commit("two")
    work.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"), first)
    snapshot = take(tmp_path / "linked")
    assert (snapshot.commit, snapshot.branch, snapshot.dirty_patch) == (first, None, "")
    assert take.read("a.py") == b"x\n"


def test_a_repository_of_another_owner(work: Work, take: Taker) -> None:
    """git would refuse it as dubious; nothing of it is trusted here, so it can be read."""
    work.write("a.py", "x\n")
    commit = work.commit()
    work.write("a.py", "y\n")
    if os.geteuid() == 0:
        for folder, folders, names in os.walk(work.path):
            for name in (".", *folders, *names):
                os.chown(os.path.join(folder, name), 12345, 12345)
    snapshot = take(work.path)
    assert snapshot.commit == commit
    assert "+y" in snapshot.dirty_patch


def test_split_index_and_sparse_checkout(work: Work, take: Taker) -> None:
    work.write("in/a.py", "x\n")
    work.write("out/b.py", "y\n")
    work.commit()
    work.git("update-index", "--split-index")
    assert take(work.path).files == ("in/a.py", "out/b.py")
    work.git("sparse-checkout", "set", "--no-cone", "in")
    snapshot = take(work.path)
    assert snapshot.files == ("in/a.py",)
    assert snapshot.dirty_patch == ""


def test_packed_references_and_alternates(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("a.py", "x\n")
    commit = work.commit()
    work.git("gc", "-q")
    work.git("clone", "-q", "--shared", str(work.path), str(tmp_path / "shared copy"))
    assert take(work.path).commit == commit
    snapshot = take(tmp_path / "shared copy")
    assert (snapshot.commit, snapshot.dirty_patch) == (commit, "")


@pytest.mark.parametrize("name", ['quo"te', "new\nline", "back\\slash", "#hash", "ünïcode"])
def test_odd_names_of_the_repository_itself(tmp_path: Path, take: Taker, name: str) -> None:
    odd = Work(tmp_path / name)
    odd.write("a.py", "x\n")
    odd.git("init", "-q")
    odd.commit()
    odd.write("a.py", "y\n")
    assert "+y" in take(odd.path).dirty_patch


def test_a_repository_without_commit(work: Work, take: Taker) -> None:
    work.write("a.py", "x\n")
    snapshot = take(work.path)
    assert (snapshot.commit, snapshot.branch, snapshot.files, snapshot.dirty_patch) == (None, "main", ("a.py",), "")


def test_sha256_repository_degrades_to_its_files(tmp_path: Path, take: Taker) -> None:
    modern = Work(tmp_path / "modern")
    modern.write("a.py", "x\n")
    modern.git("init", "-q", "--object-format=sha256")
    modern.commit()
    snapshot = take(modern.path)
    assert (snapshot.files, snapshot.commit) == (("a.py",), None)
    assert "SHA-256" in skipped(snapshot)[".git"]


def test_a_workspace_inside_the_folder_is_not_copied_into_itself(tmp_path: Path, home: Path) -> None:
    from qverify_desktop.repository import Repositories

    for marker in (False, True):
        folder = Work(tmp_path / f"own{marker}")
        folder.write("a.py", "x\n")
        if marker:
            folder.git("init", "-q")
            folder.commit()
        for _ in range(2):
            snapshot = Repositories().take_snapshot(str(folder.path), folder.path / "state" / "w")
            assert snapshot.files == ("a.py",)


def test_git_variables_of_the_caller_play_no_part(
    work: Work, take: Taker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    work.write("a.py", "x\n")
    commit = work.commit()
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_TRACE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", f"touch {tmp_path}/ran")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {tmp_path}/ran")
    Path(work.path / "a.py").write_text("y\n")
    snapshot = take(work.path)
    assert snapshot.commit == commit
    assert not (tmp_path / "ran").exists()
    assert not (tmp_path / "elsewhere").exists()


def test_damaged_objects_are_a_sentence(work: Work, take: Taker) -> None:
    work.write("a.py", "x\n")
    work.commit()
    work.write("a.py", "y\n")
    tree = work.git("rev-parse", "HEAD^{tree}")
    (work.path / ".git/objects" / tree[:2] / tree[2:]).unlink()
    with pytest.raises(BadInput, match="missing or damaged"):
        take(work.path)


def test_five_thousand_files(work: Work, take: Taker) -> None:
    for folder in range(50):
        base = work.path / f"d{folder}"
        base.mkdir()
        for number in range(100):
            (base / f"f{number}.py").write_text(f"x = {folder * number}\n")
    work.commit()
    snapshot = take(work.path)
    assert len(snapshot.files) == 5000
    assert snapshot.tree == work.git("write-tree")
