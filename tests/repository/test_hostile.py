"""Repositories that try to run something: each would leave a marker file."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.repository import Repositories, dirty
from qverify_desktop.repository.git_safety import REMOTE_TRANSPORTS, run_git
from qverify_desktop.repository.objects import Entry, build_trees, write_loose
from tests.repository.conftest import Taker, Work

HOOKS = (
    "post-checkout",
    "post-index-change",
    "fsmonitor-watchman",
    "pre-auto-gc",
    "reference-transaction",
    "post-merge",
    "pre-commit",
)


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "MARKER"


def arm(work: Work, marker: Path) -> None:
    """Put everything into the repository's own configuration that git is known to run."""
    program = work.path.parent / "evil.sh"
    program.write_text(f"#!/bin/sh\necho ran >> '{marker}'\ncat\n")
    program.chmod(0o755)
    hooks = work.path / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\necho ran >> '{marker}'\n")
        (hooks / name).chmod(0o755)
    included = work.path / ".git" / "more.config"
    included.write_text(f"[core]\n\tfsmonitor = {program}\n\tpager = {program}\n")
    for key, value in {
        "core.fsmonitor": str(program),
        "core.sshCommand": str(program),
        "core.gitProxy": str(program),
        "core.pager": str(program),
        "pager.diff": str(program),
        "core.editor": str(program),
        "core.askPass": str(program),
        "core.hooksPath": str(hooks),
        "core.worktree": str(work.path.parent),
        "core.alternateRefsCommand": str(program),
        "credential.helper": f"!{program}",
        "diff.external": str(program),
        "diff.evil.command": str(program),
        "diff.evil.textconv": str(program),
        "merge.evil.driver": f"{program} %A",
        "filter.evil.clean": str(program),
        "filter.evil.smudge": str(program),
        "filter.evil.process": str(program),
        "filter.evil.required": "true",
        "uploadpack.packObjectsHook": str(program),
        "gpg.program": str(program),
        "log.showSignature": "true",
        "alias.ls-files": f"!{program}",
        "alias.rev-parse": f"!{program}",
        "url.ext::sh -c touch% /tmp/x.insteadOf": "https://",
        "remote.origin.url": f"ext::{program}",
        "remote.origin.promisor": "true",
        "extensions.partialClone": "origin",
        "protocol.ext.allow": "always",
        "include.path": str(included),
        "trace2.eventTarget": str(marker),
    }.items():
        work.git("config", "--file", str(work.path / ".git" / "config"), key, value)


@pytest.mark.parametrize("shape", ["work tree", "file address", "bare"])
def test_nothing_of_a_hostile_repository_runs(work: Work, take: Taker, marker: Path, shape: str) -> None:
    work.write("a.txt", "one\n")
    work.write("b.txt", "two\n")
    work.write(".gitattributes", "*.txt filter=evil diff=evil merge=evil ident\n")
    work.write(
        ".gitmodules", '[submodule "s"]\n\tpath = s\n\turl = ext::sh -c touch% MARKER\n\tupdate = !touch MARKER\n'
    )
    work.git("update-index", "--add", "--cacheinfo", "160000," + "1" * 40 + ",s")
    commit = work.commit()
    arm(work, marker)
    (work.path / "a.txt").write_text("changed\n")
    (work.path / "new.txt").write_text("new\n")
    workspaces: Path | str = work.path
    if shape == "file address":
        workspaces = f"file://{work.path}"
    if shape == "bare":
        workspaces = work.path.parent / "bare.git"
        (work.path / ".git").rename(workspaces)
    snapshot = take(workspaces)
    assert snapshot.commit == commit
    assert {"a.txt", "b.txt"} <= set(snapshot.files)
    assert take.read("a.txt") == (b"changed\n" if shape == "work tree" else b"one\n")
    assert ("+changed" in snapshot.dirty_patch) == (shape == "work tree")
    Repositories().changed_lines(snapshot, take.workspace, "HEAD")
    with pytest.raises(BadInput):
        Repositories().changed_lines(snapshot, take.workspace, "nowhere")
    assert not marker.exists()


def test_the_armed_repository_would_run_something_under_plain_git(work: Work, marker: Path) -> None:
    """The proof above is worth something only because the same repository does run programs when git is used plainly."""
    work.write(".gitattributes", "*.txt filter=evil diff=evil\n")
    work.write("a.txt", "one\n")
    work.commit()
    arm(work, marker)
    work.git("config", "--file", str(work.path / ".git" / "config"), "--unset", "core.worktree")
    (work.path / "a.txt").write_text("changed\n")
    subprocess.run(["git", "status"], cwd=work.path, capture_output=True, timeout=30)
    assert marker.exists()


def test_missing_objects_are_not_fetched_from_a_promised_remote(work: Work, take: Taker, marker: Path) -> None:
    work.write("a.txt", "one\n")
    work.write("b.txt", "two\n")
    work.commit()
    blob = work.git("rev-parse", "HEAD:a.txt")
    arm(work, marker)
    (work.path / ".git/objects" / blob[:2] / blob[2:]).unlink()
    snapshot = take(f"file://{work.path}")
    assert snapshot.files == ("b.txt",)
    assert "missing" in snapshot.skipped[0].reason
    assert not marker.exists()


@pytest.mark.parametrize(
    "source",
    [
        "ext::sh -c 'touch {marker}'",
        "fd::17",
        "--upload-pack=touch {marker}",
        "-u touch",
        "ssh://-oProxyCommand=touch {marker}/x",
        "-oProxyCommand=x:y",
        "http://example.org/x.git",
        "ftp://example.org/x",
        "javascript://x/y",
        "https:///x",
        "https://exa\nmple.org/x",
    ],
)
def test_other_transports_are_refused_in_a_sentence(take: Taker, marker: Path, source: str) -> None:
    with pytest.raises(BadInput) as caught:
        take(source.format(marker=marker))
    assert caught.value.sentence.endswith(".")
    assert caught.value.remedy
    assert not marker.exists()


def test_a_hostile_tree_can_not_write_outside_or_through_a_link(work: Work, take: Taker, tmp_path: Path) -> None:
    objects = work.path / ".git" / "objects"
    evil = write_loose(objects, "blob", b"evil")
    link = write_loose(objects, "blob", b"../../..")
    folder, trees = build_trees({b"x": Entry("100644", evil)})
    for content in trees.values():
        write_loose(objects, "tree", content)
    rows = b"".join(
        mode + b" " + name + b"\0" + bytes.fromhex(target)
        for mode, name, target in (
            (b"40000", b"..", folder),
            (b"40000", b".GIT", folder),
            (b"120000", b"a", link),
            (b"40000", b"a", folder),
            (b"100644", b"good.py", evil),
            (b"100644", b"good.py", link),
        )
    )
    tree = write_loose(objects, "tree", rows)
    commit = work.git("commit-tree", "-m", "evil", tree)
    work.git("update-ref", "refs/heads/main", commit)
    snapshot = take(f"file://{work.path}")
    assert set(snapshot.files) == {"a/x", "good.py"}
    assert not list(tmp_path.rglob("x"))[1:]
    assert {entry.path for entry in snapshot.skipped} == {"../x", ".GIT/x", "a"} | (
        {entry.path for entry in snapshot.skipped} & {"good.py"}
    )


def test_a_hostile_index_can_not_read_outside(work: Work, take: Taker, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret\n")
    work.write("zz/secret", "x\n")
    work.write("a.py", "x\n")
    work.git("add", "-A")
    index = work.path / ".git" / "index"
    content = index.read_bytes().replace(b"zz/secret", b"../secret")
    import hashlib

    index.write_bytes(content[:-20] + hashlib.sha1(content[:-20]).digest())
    try:
        snapshot = take(work.path)
    except BadInput:
        return
    assert not any("secret" in name and name != "zz/secret" for name in snapshot.files)


def test_a_tracked_folder_that_became_a_link_is_not_followed(work: Work, take: Taker, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "b.py").write_text("secret\n")
    work.write("a.py", "x\n")
    work.write("d/b.py", "mine\n")
    work.commit()
    (work.path / "d/b.py").unlink()
    (work.path / "d").rmdir()
    (work.path / "d").symlink_to(outside)
    snapshot = take(work.path)
    assert snapshot.files == ("a.py",)
    assert [entry.path for entry in snapshot.skipped] == ["d"]
    assert "secret" not in snapshot.dirty_patch


def test_special_files_are_skipped_without_waiting(take: Taker, tmp_path: Path) -> None:
    plain = Work(tmp_path / "plain")
    plain.write("a.py", "x\n")
    os.mkfifo(plain.path / "pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        here = Path.cwd()
        os.chdir(plain.path)
        try:
            listening.bind("sock")
        finally:
            os.chdir(here)
        try:
            os.mknod(plain.path / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            plain.write("null", "")
        snapshot = take(plain.path)
    assert "a.py" in snapshot.files
    assert {"pipe", "sock"} <= {entry.path for entry in snapshot.skipped}


def test_a_pipe_named_gitignore_ends_in_a_sentence(work: Work, take: Taker, monkeypatch: pytest.MonkeyPatch) -> None:
    work.write("a.py", "x\n")
    work.commit()
    os.mkfifo(work.path / ".gitignore")
    monkeypatch.setattr(dirty, "LISTING_TIMEOUT_S", 1.0)
    with pytest.raises(BadInput, match="named pipe"):
        take(work.path)


def test_a_silent_host_is_left_after_the_time_out_with_all_its_processes(home: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        began = time.monotonic()
        with pytest.raises(BadInput, match="longer than 1 seconds"):
            run_git(["ls-remote", f"git://127.0.0.1:{port}/x"], cwd=home, timeout_s=1, transports=REMOTE_TRANSPORTS)
        assert time.monotonic() - began < 10
        assert not [child for child in psutil.Process().children(recursive=True) if child.name().startswith("git")]


def test_no_git_on_this_machine(work: Work, take: Taker, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    work.write("a.py", "x\n")
    work.commit()
    plain = Work(tmp_path / "plain")
    plain.write("a.py", "x\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    for source in (work.path, "https://example.org/x.git"):
        with pytest.raises(MissingPrerequisite, match="apt-get install --yes git"):
            take(source)
    assert take(plain.path).files == ("a.py",)
