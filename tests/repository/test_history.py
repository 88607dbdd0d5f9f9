"""Commits along first parents, and the files of an earlier one, out of the private store."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository import Repositories
from tests.repository.conftest import Taker, Work


def subjects(take: Taker, path: str = "", most: int = 100) -> list[str]:
    return [commit.subject for commit in Repositories().history(take.workspace, path, most)]


def test_commits_are_listed_newest_first_and_by_file(work: Work, take: Taker) -> None:
    for number in range(4):
        work.write("a.py", f"{number}\n")
        work.commit(f"a {number}")
        work.write("sub/*.py", f"{number}\n")
        work.commit(f"star {number}")
    take(work.path)
    assert subjects(take) == [f"{what} {n}" for n in (3, 2, 1, 0) for what in ("star", "a")]
    assert subjects(take, "a.py") == ["a 3", "a 2", "a 1", "a 0"]
    assert subjects(take, "sub/*.py") == ["star 3", "star 2", "star 1", "star 0"], "a path is no pattern"
    assert subjects(take, most=3) == ["star 3", "a 3", "star 2"]
    assert subjects(take, "gone.py") == []
    newest = Repositories().history(take.workspace, "", 1)[0]
    assert newest.id == work.git("rev-parse", "HEAD") and newest.date.startswith(time.strftime("%Y-", time.gmtime()))


def test_a_merge_stands_for_its_branch(work: Work, take: Taker) -> None:
    work.write("a.py", "1\n")
    work.commit("first")
    work.git("checkout", "-q", "-b", "side")
    for number in (2, 3):
        work.write("a.py", f"{number}\n")
        work.commit(f"side {number}")
    work.git("checkout", "-q", "main")
    work.write("b.py", "1\n")
    work.commit("main")
    work.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    take(work.path)
    assert subjects(take, "a.py") == ["merge side", "first"]
    assert subjects(take) == ["merge side", "main", "first"]


def test_a_folder_without_commits_has_no_history(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("a.py", "1\n")
    take(work.path)
    assert subjects(take) == []
    plain = tmp_path / "plain"
    plain.mkdir()
    (plain / "a.py").write_text("1\n")
    take(plain)
    assert subjects(take) == []


def test_an_earlier_commit_is_laid_out_as_it_was(work: Work, take: Taker, tmp_path: Path) -> None:
    work.write("a.py", "old\n")
    work.write("gone.py", "x\n")
    os.symlink("/etc/passwd", work.path / "out")
    first = work.commit("first\x1b[31m subject")
    work.git("rm", "-q", "gone.py")
    work.write("a.py", "new\n")
    work.commit("second")
    snapshot = take(work.path)
    folder = tmp_path / "then"
    then = Repositories().snapshot_at(snapshot, take.workspace, first, folder)
    assert then.files == ("a.py", "gone.py") and then.commit == first
    assert (folder / "a.py").read_text() == "old\n" and not (folder / "out").is_symlink()
    assert [one.path for one in then.skipped] == ["out"], "a link out of the tree is not written"
    assert subjects(take)[1] == "first [31m subject"
    with pytest.raises(BadInput):
        Repositories().snapshot_at(snapshot, take.workspace, "f" * 40, tmp_path / "none")


def test_changes_are_counted_by_file(work: Work, take: Taker) -> None:
    for number in range(5):
        work.write("often.py", f"{number}\n")
        work.write("ünï \n.py" if number == 0 else "odd.py", f"{number}\n")
        work.commit(f"{number}")
    work.write("never committed.py", "1\n")
    take(work.path)
    counts = Repositories().change_counts(take.workspace, 100)
    assert counts == {"often.py": 5, "odd.py": 4, "ünï \n.py": 1}
    assert Repositories().change_counts(take.workspace, 2) == {"often.py": 2, "odd.py": 2}
