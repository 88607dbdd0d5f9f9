"""A snapshot that is to stop: at whatever point, it ends soon, takes its git along, and can be taken again."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, Cancelled
from qverify_desktop.repository import Repositories
from qverify_desktop.repository.scope import store_of
from tests.repository.conftest import Work

#: Seconds until something counts as hung.
PATIENCE_S = 20


class StopsAtLook(threading.Event):
    """A flag that is found set from the given look at it on."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.left = looks

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def fill(work: Work) -> None:
    for number in range(30):
        work.write(f"package/part{number % 5}/module{number}.py", f"x = {number}\n")


def plain(work: Work) -> str:
    shutil.rmtree(work.path / ".git")
    fill(work)
    return str(work.path)


def bare(work: Work) -> str:
    fill(work)
    work.commit()
    work.git("clone", "-q", "--bare", ".", "../bare.git")
    return str(work.path.parent / "bare.git")


def changed(work: Work) -> str:
    fill(work)
    work.commit()
    for number in range(10):
        work.write(f"new{number}.py", f"y = {number}\n")
    return str(work.path)


def cloned(work: Work) -> str:
    return f"file://{bare(work)}"


@pytest.mark.parametrize("made", [plain, bare, changed, cloned])
def test_it_stops_at_every_look_and_can_be_taken_again(
    work: Work, home: Path, tmp_path: Path, made: Callable[[Work], str]
) -> None:
    source = made(work)
    workspace = tmp_path / "w"
    counting = StopsAtLook(1_000_000)
    whole = Repositories().take_snapshot(source, workspace, counting)
    looks = 1_000_000 - counting.left
    # One look for each file at least; how many more while git runs depends on how long that takes.
    assert looks >= len(whole.files) >= 30
    for look in range(0, 30, 3):
        with pytest.raises(Cancelled):
            Repositories().take_snapshot(source, workspace, StopsAtLook(look))
    assert Repositories().take_snapshot(source, workspace, threading.Event()) == whole


def begin(pool: ThreadPoolExecutor, source: str, workspace: Path, stop: threading.Event) -> Future[object]:
    return pool.submit(Repositories().take_snapshot, source, workspace, stop)


def test_a_clone_from_a_silent_host_ends_with_its_git(home: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        silent.settimeout(PATIENCE_S)
        taking = begin(pool, f"git://127.0.0.1:{silent.getsockname()[1]}/x.git", tmp_path / "w", stop)
        try:
            peer, _ = silent.accept()
            with peer:
                stop.set()
                with pytest.raises(Cancelled):
                    taking.result(PATIENCE_S)
                # The line is dead once no process holds its other end.
                peer.settimeout(PATIENCE_S)
                while peer.recv(4096):
                    pass
        finally:
            stop.set()


@pytest.fixture
def mean_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a git on the path whose ``cat-file`` does something else."""
    real = shutil.which("git")

    def put(instead: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        program = folder / "git"
        program.write_text(f'#!/bin/sh\ncase " $* " in *" cat-file "*) {instead} ;; esac\nexec {real} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return put


def test_a_git_that_never_answers_is_ended(
    work: Work, home: Path, tmp_path: Path, mean_git: Callable[[str], None]
) -> None:
    source = bare(work)
    told = tmp_path / "told"
    os.mkfifo(told)
    mean_git(f"echo $$ > {told}; exec sleep 1000")
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        taking = begin(pool, source, tmp_path / "w", stop)
        process = int(told.read_text())
        stop.set()
        with pytest.raises(Cancelled):
            taking.result(PATIENCE_S)
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_half_an_object_is_no_file(work: Work, home: Path, tmp_path: Path, mean_git: Callable[[str], None]) -> None:
    source = bare(work)
    mean_git("read id; printf '%s blob 100\\nhalf' $id; exit 0")
    with pytest.raises(BadInput, match="object database"):
        Repositories().take_snapshot(source, tmp_path / "w")


def test_comparing_with_a_revision_stops_too(work: Work, home: Path, tmp_path: Path) -> None:
    source = bare(work)
    snapshot = Repositories().take_snapshot(source, tmp_path / "w")
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        Repositories().changed_lines(snapshot, tmp_path / "w", "main", stop)
    assert store_of(tmp_path / "w").is_dir()
