"""``qverify runtimes save`` and ``load`` as a person types them, and what they say to bad words."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.integration.command import PATIENCE_S, arguments_of, environment_of, qverify, refused
from tests.integration.engine.killing import containers

ENGINE = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock").removeprefix("unix://")

pytestmark = pytest.mark.docker


def test_a_saved_runtime_is_loaded_and_an_altered_file_is_not(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "runtimes.qvr"
    saved = qverify(home, "runtimes", "save", str(file), "python", "--json")
    assert saved.code == 0, saved.err
    assert [one["runtime"] for one in saved.document["runtimes"]] == ["python"]
    assert "its digest is" in saved.err
    loaded = qverify(home, "runtimes", "load", str(file), "--json")
    assert loaded.code == 0, loaded.err
    (one,) = loaded.document["runtimes"]
    assert one["ready"] and one["digest"] == saved.document["runtimes"][0]["digest"]
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)
        opened.seek(-1, 1)
        opened.write(bytes([byte[0] ^ 1]))
    assert "damaged" in refused(qverify(home, "runtimes", "load", str(file), "--json"), 2)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["save"], "No file was named."),
        (["load"], "No file was named."),
        (["save", "python"], "python is a runtime; the file comes first."),
        ([], "it lacks list|build|check|save|load|import."),
        (["save", "{file}", "cobol"], "There is no runtime 'cobol'."),
        (["load", "{file}", "python"], "A file is loaded whole."),
        (["load", "{file}"], "can't be read"),
        (["save", "{folder}"], "exists already"),
    ],
)
def test_bad_words_are_refused(tmp_path: Path, words: list[str], sentence: str) -> None:
    places = {"file": tmp_path / "nowhere.qvr", "folder": tmp_path}
    said = qverify(tmp_path / "home", "runtimes", *(word.format(**places) for word in words), "--json")
    assert sentence in refused(said, 2)
    assert not (tmp_path / "nowhere.qvr").exists()


@pytest.mark.parametrize("words", [["save", "{file}"], ["list"], ["check"]])
def test_an_engine_that_is_not_there_is_a_sentence_with_its_address(tmp_path: Path, words: list[str]) -> None:
    file = tmp_path / "runtimes.qvr"
    said = qverify(
        tmp_path / "home",
        *("runtimes", *(word.format(file=file) for word in words), "--json"),
        DOCKER_HOST="tcp://127.0.0.1:1",
    )
    assert "tcp://127.0.0.1:1, the address in DOCKER_HOST" in refused(said, 3)
    assert "DOCKER_HOST" in said.document["error"]["remedy"]
    assert not file.exists()


@contextmanager
def packing(path: Path) -> Iterator[threading.Event]:
    """The real engine's socket at ``path``, but what asks for images is kept waiting, as by gigabytes; the event says when."""
    asked = threading.Event()

    def pump(source: socket.socket, sink: socket.socket, watch: bool) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                if watch and b"/images/get" in piece:
                    asked.set()
                    continue
                sink.sendall(piece)

    def accept(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.socket(socket.AF_UNIX)
                far.connect(ENGINE)
                threading.Thread(target=pump, args=(near, far, True), daemon=True).start()
                threading.Thread(target=pump, args=(far, near, False), daemon=True).start()

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        yield asked


def begun(home: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments_of(("runtimes", *words)),
        env=environment_of(home, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def interrupted(command: subprocess.Popen[str]) -> tuple[str, float]:
    """What a command says that Ctrl+C ends, and after how many seconds."""
    since = time.monotonic()
    command.send_signal(signal.SIGINT)
    out, err = command.communicate(timeout=PATIENCE_S)
    assert command.returncode == 130 and out == "" and "Traceback" not in err, err
    return err, time.monotonic() - since


def test_ctrl_c_ends_a_save_while_the_engine_packs(tmp_path: Path) -> None:
    file = tmp_path / "runtimes.qvr"
    with packing(tmp_path / "docker.sock") as asked:
        command = begun(
            tmp_path / "home", "save", str(file), "python", DOCKER_HOST=f"unix://{tmp_path / 'docker.sock'}"
        )
        try:
            assert asked.wait(PATIENCE_S)
            said, seconds = interrupted(command)
        finally:
            command.kill()
    assert said == "Stopped. Nothing was saved.\n"
    assert seconds < 30
    assert list(tmp_path.glob("*.qvr")) == []


def test_ctrl_c_ends_a_check_with_its_container(tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = begun(home, "check", "python")
    try:
        until = time.monotonic() + PATIENCE_S
        while not containers(home):
            assert command.poll() is None and time.monotonic() < until
            time.sleep(0.01)
        said, _ = interrupted(command)
    finally:
        command.kill()
    assert said == "Stopped. The check of python did not end.\n"
    assert containers(home) == []
