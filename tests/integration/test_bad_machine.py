"""A machine that fails in mid-run: no Docker, Docker gone, a full disk, a home that can't be written. Nothing is lost."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from qverify_desktop.sandbox.owner import OWNER
from tests.integration.command import GOOD, arguments_of, assert_whole, environment_of, qverify, refused, runs
from tests.integration.engine.killing import containers

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts file systems")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "sign.py").write_text(GOOD)
    return tmp_path / "project"


class Cable:
    """The engine's socket through a cable that can be cut: new connections are refused, open ones end."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._plugged: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self.served = 0

    def plug(self) -> None:
        self.path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        assert self._listener is not None
        for end in (self._listener, *self._plugged):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._plugged.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(ENGINE)
                self._plugged += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pass_on, args=(one, other), daemon=True).start()

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                self.served += len(data)
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@pytest.mark.docker
def test_docker_that_stops_in_mid_run_interrupts_and_resume_finishes(tmp_path: Path, source: Path) -> None:
    home, cable = tmp_path / "home", Cable(tmp_path / "engine.sock")
    cable.plug()
    host = {"DOCKER_HOST": f"unix://{cable.path}"}
    command = subprocess.Popen(
        arguments_of(["analyze", str(source), "--json"]),
        env=environment_of(home, **host),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 200
    while not containers(home) and command.poll() is None and time.monotonic() < until:
        time.sleep(0.05)
    assert containers(home), f"no container of {OWNER} was seen"
    cable.cut()
    out, err = command.communicate(timeout=300)
    assert command.returncode == 3, err
    assert "Traceback" not in err and "Docker" in err and "Trying again" in err
    (run,) = runs(home)
    assert runs(home) == {run: "interrupted"} and f"qverify resume {run}" in err and run in out
    cable.plug()
    said = qverify(home, "resume", run, "--json", **host)
    cable.cut()
    assert said.code == 0 and said.document["run"] == run and said.document["accepted"] > 0, said.err
    assert_whole(home, said)


@pytest.mark.docker
def test_without_docker_nothing_is_lost_and_the_same_command_finishes(tmp_path: Path, source: Path) -> None:
    home = tmp_path / "home"
    gone = qverify(home, "analyze", str(source), "--json", DOCKER_HOST="unix:///nonexistent/docker.sock")
    assert "Docker does not run on this machine" in refused(gone, 3)
    assert "docker" in gone.document["error"]["remedy"].lower()
    said = qverify(home, "analyze", str(source), "--json")
    assert said.code == 0 and said.document["run"] == gone.document["run"], said.err
    assert_whole(home, said)


@needs_root
def test_a_tiny_disk_is_a_sentence_and_the_runs_stay_listed(tmp_path: Path, source: Path) -> None:
    with mounted(tmp_path / "home", "size=6m") as home:
        said = qverify(home, "analyze", str(source), "--json")
        sentence = refused(said, 3)
        assert "full" in sentence and "Traceback" not in said.err
        listed = runs(home)
        assert list(listed.values()) == ["interrupted"]
        (home / "ballast").write_bytes(b"")
        with suppress(OSError), (home / "ballast").open("wb") as file:
            while True:
                file.write(bytes(4096))
        said = qverify(home, "analyze", str(source), "--json")
        assert "full" in refused(said, 3)
        (home / "ballast").unlink()
        assert set(listed) <= set(runs(home))


@needs_root
@pytest.mark.docker
def test_a_disk_that_fills_in_mid_run_interrupts_and_more_room_finishes(tmp_path: Path, source: Path) -> None:
    with mounted(tmp_path / "home", "size=200m") as home:
        command = subprocess.Popen(
            arguments_of(["analyze", str(source), "--json"]),
            env=environment_of(home),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 200
        while not containers(home) and command.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        with suppress(OSError), (home / "ballast").open("wb", buffering=0) as file:
            while file.write(bytes(4096)):
                pass
        out, err = command.communicate(timeout=300)
        assert command.returncode == 3, (out, err)
        assert "Traceback" not in err and "full" in err and containers(home) == []
        (home / "ballast").unlink()
        said = qverify(home, "analyze", str(source), "--json")
        assert said.code == 0 and said.document["run"] in out, said.err
        assert_whole(home, said)


@needs_root
def test_a_home_that_turned_read_only_is_a_sentence(tmp_path: Path, source: Path) -> None:
    with mounted(tmp_path / "home", "size=100m") as home:
        assert runs(home) == {}
        before = sorted(path.name for path in home.iterdir())
        remount(home, "ro")
        for words in (["analyze", str(source), "--json"], ["runs", "--json"]):
            said = qverify(home, *words)
            assert str(home) in refused(said, 3)
            assert "QVERIFY_HOME" in said.document["error"]["remedy"]
        remount(home, "rw")
        assert sorted(path.name for path in home.iterdir()) == before


@needs_root
def test_a_home_of_somebody_else_is_a_sentence(tmp_path: Path, source: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    os.chown(home, 65534, 65534)
    # This process's user, without the power to write what is another's.
    powerless = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner"]
    done = subprocess.run(
        [*powerless, *arguments_of(["analyze", str(source), "--json"])],
        env=environment_of(home),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr and str(home) in done.stderr and "permission denied" in done.stderr
    assert list(home.iterdir()) == []
