"""Names, sizes, links and everything else a folder may hold."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.repository import Repositories, workspace
from qverify_desktop.repository.links import refusal
from qverify_desktop.repository.objects import Entry, build_trees, object_id
from tests.repository.conftest import Taker, Work

ODD = [
    "two words.py",
    "new\nline.py",
    "tab\t.py",
    "emoji🎉.py",
    'quo"te.py',
    "back\\slash.py",
    "-dash.py",
    "ünï/cödé.py",
    "%s{}.py",
]


@pytest.mark.parametrize("repository", [True, False])
def test_odd_names(tmp_path: Path, take: Taker, repository: bool) -> None:
    work = Work(tmp_path / "project")
    for name in ODD:
        work.write(name, f"name = {name!r}\n")
    (work.path / os.fsdecode(b"latin\xe9.py")).write_text("no\n")
    if repository:
        work.git("init", "-q")
        work.commit()
        work.write(ODD[0], "changed\n")
    snapshot = take(work.path)
    assert set(snapshot.files) == set(ODD)
    assert [entry.path for entry in snapshot.skipped] == ["latin\\xe9.py"]
    assert "UTF-8" in snapshot.skipped[0].reason
    json.dumps(snapshot.files).encode("utf-8")
    for name in ODD[1:]:
        assert take.read(name).decode() == f"name = {name!r}\n"
    if repository:
        work.git("rm", "-q", "--cached", os.fsdecode(b"latin\xe9.py"))
        work.git("add", "--", *ODD)
        assert work.git("write-tree") == snapshot.tree
        assert "latin" not in snapshot.dirty_patch


def test_links_inside_are_kept_and_others_refused(take: Taker, tmp_path: Path) -> None:
    work = Work(tmp_path / "plain")
    work.write("pkg/a.py", "x\n")
    (tmp_path / "secret").write_text("s")
    links = {
        "inside": "pkg/a.py",
        "pkg/up": "../pkg/a.py",
        "folder": "pkg",
        "through": "folder/a.py",
        "dangling": "pkg/none.py",
        "absolute": str(tmp_path / "secret"),
        "leaves": "../secret",
        "chain": "pkg/../../secret",
        "hop": "leaves",
        "deep": "folder/../../secret",
        "circle1": "circle2",
        "circle2": "circle1",
        "pkg/sub": "..",
        "sneaky": "pkg/sub/../secret",
    }
    for name, target in links.items():
        (work.path / name).symlink_to(target)
    snapshot = take(work.path)
    kept = {"inside", "pkg/up", "folder", "through", "dangling", "pkg/sub"}
    assert set(snapshot.files) == kept | {"pkg/a.py"}
    assert {entry.path for entry in snapshot.skipped} == set(links) - kept
    root = Path(snapshot.root)
    for name in kept:
        assert (root / name).resolve().is_relative_to(root)


def test_a_long_chain_of_links_ends() -> None:
    links = {b"l%d" % number: b"l%d" % (number + 1) for number in range(100)}
    assert "circle" in refusal(b"l0", links)
    assert refusal(b"l99", links) == ""


def test_large_files_are_skipped_with_their_size(work: Work, take: Taker) -> None:
    work.write("a.py", "x\n")
    commit = work.commit()
    with (work.path / "big.bin").open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    snapshot = take(work.path)
    assert snapshot.commit == commit
    assert snapshot.files == ("a.py",)
    assert [(entry.path, entry.reason) for entry in snapshot.skipped] == [
        ("big.bin", "It has 51 MiB; files over 50 MiB are left out.")
    ]


def test_a_tracked_file_that_was_left_out_is_no_change(
    work: Work, take: Taker, monkeypatch: pytest.MonkeyPatch
) -> None:
    work.write("a.py", "x\n")
    work.write("big.bin", b"0" * 2000)
    work.commit()
    for module in ("folder", "committed"):
        monkeypatch.setattr(f"qverify_desktop.repository.{module}.MOST_FILE_BYTES", 1000)
    snapshot = take(work.path)
    assert (snapshot.files, snapshot.dirty_patch) == (("a.py",), "")
    assert take(f"file://{work.path}").files == ("a.py",)


def test_too_much_is_refused_and_says_what(take: Taker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(tmp_path / "plain")
    work.write("data/large.bin", b"0" * 5000)
    work.write("a.py", "x\n")
    monkeypatch.setattr(workspace, "MOST_TOTAL_BYTES", 4000)
    with pytest.raises(BadInput, match=r"more than .* not analysed.*largest parts are data"):
        take(work.path)
    monkeypatch.setattr(workspace, "MOST_TOTAL_BYTES", 40_000)
    monkeypatch.setattr(workspace, "MOST_FILES", 1)
    with pytest.raises(BadInput, match="2 files"):
        take(work.path)


def test_two_gibibytes_of_sparse_files(take: Taker, tmp_path: Path) -> None:
    work = Work(tmp_path / "plain")
    work.write("a.py", "x\n")
    for number in range(60):
        with (work.path / f"part{number}.bin").open("wb") as file:
            file.truncate(40 * 1024 * 1024)
    with pytest.raises(BadInput, match=r"2\.3 GiB.*\.gitignore"):
        take(str(work.path))


def test_nothing_to_analyse(take: Taker, tmp_path: Path, work: Work) -> None:
    empty = tmp_path / "empty"
    (empty / "a" / "b").mkdir(parents=True)
    file = tmp_path / "file.txt"
    file.write_text("x")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    for source, words in (
        (empty, "no file"),
        (work.path, "no file"),
        (f"file://{work.path}", "no commit"),
        (str(tmp_path / "none"), "no folder"),
        (f"file://{tmp_path}/none", "no folder"),
        (str(file), "neither a folder nor a git bundle"),
        (str(loop), "can't be opened"),
        ("", "No folder and no address"),
        ("a\0b", "zero byte"),
    ):
        with pytest.raises(BadInput, match=words) as caught:
            take(source)
        assert caught.value.exit_code == 2


def test_unreadable_files_and_folders_are_skipped(tmp_path: Path) -> None:
    """Run as another user, because nothing is unreadable to root."""
    work = Work(tmp_path / "plain")
    work.write("a.py", "x\n")
    work.write("locked.py", "x\n", 0o000)
    work.write("closed/b.py", "x\n")
    (work.path / "closed").chmod(0o000)
    if os.geteuid() == 0:
        for folder in (tmp_path, *tmp_path.parents):
            if folder.stat().st_uid == 0 and folder != Path("/") and folder != Path("/tmp"):
                folder.chmod(0o755)
        out = tmp_path / "out"
        out.mkdir(mode=0o777)
        out.chmod(0o777)
        report = _as_nobody(work.path, out)
    else:
        snapshot = Repositories().take_snapshot(str(work.path), tmp_path / "out" / "w")
        report = [[entry.path, entry.reason] for entry in snapshot.skipped]
    (work.path / "closed").chmod(0o755)
    assert dict(report).keys() == {"closed", "locked.py"}
    assert all("Permission denied" in reason for _, reason in report)


def _as_nobody(folder: Path, out: Path) -> list[list[str]]:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            snapshot = Repositories().take_snapshot(str(folder), out / "w")
            text = json.dumps([[entry.path, entry.reason] for entry in snapshot.skipped])
        except BaseException as error:
            text = json.dumps([["error", repr(error)]])
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        told = json.loads(answer.read())
    os.waitpid(child, 0)
    return list(told)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 80 MiB; where mounting is not allowed, the folder of a machine that says it is full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=80m", "tmpfs", disk], capture_output=True).returncode == 0
    )
    try:
        yield disk
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=True)


def test_a_full_disk_names_the_space(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    work = Work(tmp_path / "plain")
    for number in range(30):
        work.write(f"part{number}.dat", b"x" * 4_000_000)
    if small_disk.stat().st_dev == tmp_path.stat().st_dev:
        facts = shutil.disk_usage(small_disk)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: facts._replace(free=1000))
    with pytest.raises(MissingPrerequisite, match=r"full \(\d+ MiB free") as caught:
        Repositories().take_snapshot(str(work.path), small_disk / "w")
    assert caught.value.exit_code == 3
    assert "QVERIFY_HOME" in caught.value.remedy


def test_a_read_only_state_folder(take: Taker, tmp_path: Path) -> None:
    work = Work(tmp_path / "plain")
    work.write("a.py", "x")
    with pytest.raises(MissingPrerequisite, match="can't be written") as caught:
        Repositories().take_snapshot(str(work.path), Path("/proc/qverify/w"))
    assert "QVERIFY_HOME" in caught.value.remedy


def test_what_was_hashed_is_what_was_written(tmp_path: Path, take: Taker) -> None:
    """A writer keeps changing a file; whatever was caught, the tree id names the bytes in the workspace."""
    work = Work(tmp_path / "plain")
    work.write("a.log", "start\n")
    stop = threading.Event()

    def scribble() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with (work.path / "a.log").open("r+b" if number % 7 else "wb") as file:
                file.seek(0, 2)
                file.write(b"line %d\n" % number * 500)

    writer = threading.Thread(target=scribble)
    writer.start()
    try:
        for number in range(20):
            where = tmp_path / f"state{number}"
            snapshot = Repositories().take_snapshot(str(work.path), where)
            content = (where / "tree" / "a.log").read_bytes()
            assert snapshot.tree == build_trees({b"a.log": Entry("100644", object_id("blob", content))})[0]
            assert snapshot.total_bytes == len(content)
    finally:
        stop.set()
        writer.join()


def test_an_interrupted_attempt_is_replaced(work: Work, home: Path, tmp_path: Path) -> None:
    work.write("a.py", "x\n")
    work.commit()
    first = Repositories().take_snapshot(str(work.path), tmp_path / "w")
    (tmp_path / "w" / "tree" / "left.py").write_text("half")
    assert Repositories().take_snapshot(str(work.path), tmp_path / "w") == first
    assert not (tmp_path / "w" / "tree" / "left.py").exists()
