"""No child of any process of QVerify gets a model's key: real commands and the real window, with keys in our environment.

Programs that stand first on the search path write down ``/proc/PID/environ`` of themselves, then become the real ones; what they
wrote is what the kernel gave to the child. A watcher reads the environment of every other process below ours as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qverify_desktop.domain.key_variables import KEY_VARIABLES, StartKeys
from qverify_desktop.sandbox import images
from qverify_desktop.sandbox.tunnel import Tunnel
from tests.test_cli import ROOT

CANARY = "sk-canary-7734"

#: Opens a folder and a file of it as pages do, then ends.
WINDOW = """
import sys
from PySide6.QtCore import QTimer
from qverify_desktop import app

def on_window(window):
    def ready():
        window.front.open_path(sys.argv[1])
        window.front.open_in_editor(sys.argv[1] + "/module.py", 3)
        QTimer.singleShot(3000, window.quitting.emit)
    window.bridge.ready.connect(ready)

sys.exit(app.main([], on_window))
"""

#: Holds the state folder and has nothing else to do.
OWNER = """
import asyncio
from qverify_desktop.composition import open_engine

async def own():
    await open_engine()
    print("owned", flush=True)
    await asyncio.sleep(600)

asyncio.run(own())
"""


class Recorders:
    """Programs that write down their environment and go on as the real ones of their names."""

    def __init__(self, folder: Path) -> None:
        self._programs, self._seen = folder / "programs", folder / "seen"
        self._programs.mkdir()
        self._seen.mkdir()

    def add(self, name: str, *, real: bool = True) -> Path:
        """A recorder called ``name``; one that is not ``real`` ends well and does nothing."""
        program = shutil.which(name) if real else None
        then = f'exec {program} "$@"' if program else "exit 0"
        file = self._programs / name
        file.write_text(f"#!/bin/sh\ncat /proc/$$/environ > {self._seen}/{name}.$$\n{then}\n")
        file.chmod(0o755)
        return file

    def environment(self, home: Path) -> dict[str, str]:
        """Ours with a canary in every variable that holds a key, and the recorders first on the path."""
        canaries = {name: f"{CANARY}-{name.lower()}" for name in KEY_VARIABLES}
        path = f"{self._programs}:{os.environ.get('PATH', os.defpath)}"
        return {**os.environ, **canaries, "PATH": path, "QVERIFY_HOME": str(home), "QVERIFY_KEYRING": "false"}

    def seen(self) -> dict[str, bytes]:
        """What was started, with the environments of all of one name."""
        found: dict[str, bytes] = {}
        for file in self._seen.iterdir():
            name = file.name.rpartition(".")[0]
            found[name] = found.get(name, b"") + file.read_bytes()
        return found


class Watcher:
    """Reads the environment of each process below another one, again and again."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self.names: set[str] = set()
        self.leaked: set[str] = set()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        while not self._ended.wait(0.01):
            for pid in below(self._pid):
                try:
                    name = Path(f"/proc/{pid}/comm").read_text().strip()
                    environ = Path(f"/proc/{pid}/environ").read_bytes()
                    ours = Path(f"/proc/{self._pid}/cmdline").read_bytes()
                    # Between fork and exec a child is still the parent, with the parent's memory.
                    if Path(f"/proc/{pid}/cmdline").read_bytes() == ours:
                        continue
                except OSError:
                    continue
                self.names.add(name)
                if CANARY.encode() in environ:
                    self.leaked.add(name)

    def end(self) -> None:
        self._ended.set()
        self._thread.join()


def below(pid: int) -> list[int]:
    """All processes that descend from one."""
    found, rest = [], [pid]
    while rest:
        one = rest.pop()
        try:
            tasks = list(Path(f"/proc/{one}/task").iterdir())
            children = [int(child) for task in tasks for child in (task / "children").read_text().split()]
        except OSError:
            continue
        found += children
        rest += children
    return found


@pytest.fixture
def recorders(tmp_path: Path) -> Recorders:
    return Recorders(tmp_path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "module.py").write_text("def one():\n    return 1\n")
    for words in (("init", "-q"), ("add", "."), ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")):
        subprocess.run(["git", "-C", str(folder), *words], check=True)
    return folder


@contextmanager
def owned(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """Another process that owns the state folder."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER], env=environment, stdout=subprocess.PIPE, text=True, cwd=ROOT
    ) as owner:
        try:
            assert owner.stdout is not None
            assert owner.stdout.readline() == "owned\n"
            yield owner
        finally:
            owner.terminate()
            owner.wait(30)


def watched(words: list[str], environment: dict[str, str]) -> tuple[int, Watcher]:
    """Run a command to its end under a watcher; its exit code."""
    with subprocess.Popen(
        words, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        watcher = Watcher(process.pid)
        try:
            return process.wait(300), watcher
        finally:
            watcher.end()


def command(*arguments: str) -> list[str]:
    return [sys.executable, "main.py", *arguments]


def assert_clean(recorders: Recorders, *expected: str) -> None:
    seen = recorders.seen()
    assert set(expected) <= set(seen), f"nothing was proved: only {sorted(seen)} were started"
    assert [name for name, environ in seen.items() if CANARY.encode() in environ] == []
    assert all(b"PATH=" in environ for environ in seen.values()), "the recorders recorded"


def test_recorder_and_watcher_see_a_key_that_is_handed_on(recorders: Recorders, home: Path) -> None:
    """Both can fail: a child that does inherit is caught."""
    recorders.add("editor", real=False)
    _, watcher = watched(["/bin/sh", "-c", "editor; sleep 0.5; true"], recorders.environment(home))
    assert CANARY.encode() in recorders.seen()["editor"]
    assert "sleep" in watcher.leaked


def test_git_gets_no_key_in_an_analysis(recorders: Recorders, home: Path, repository: Path) -> None:
    recorders.add("git")
    # No engine answers here: what reads the repository runs, no container does.
    environment = recorders.environment(home) | {"DOCKER_HOST": f"unix://{home}/no.sock"}
    _, watcher = watched(command("analyze", str(repository), "--model", "none"), environment)
    assert_clean(recorders, "git")
    assert watcher.leaked == set()


def test_commands_that_own_no_state_folder_hand_no_key_on(recorders: Recorders, home: Path) -> None:
    """The doctor and the runtimes work beside the owner; nobody took the keys for them before."""
    for name in ("git", "ssh"):
        recorders.add(name)
    environment = recorders.environment(home) | {"DOCKER_HOST": "ssh://nobody@127.0.0.1:9"}
    with owned(environment):
        for words in (("doctor",), ("runtimes", "list"), ("runs",)):
            _, watcher = watched(command(*words), environment)
            assert watcher.leaked == set()
    assert_clean(recorders, "git", "ssh")


@pytest.mark.parametrize("owner", ["itself", "another process"])
def test_editor_and_desktop_get_no_key_from_the_window(
    recorders: Recorders, home: Path, repository: Path, owner: str
) -> None:
    for name in ("ed-of-a-person", "xdg-open", "gio", "firefox", "xdg-mime"):
        recorders.add(name, real=False)
    recorders.add("git")
    (home / "settings.toml").write_text('editor = "ed-of-a-person +{line} {file}"\n')
    environment = recorders.environment(home) | {"QT_QPA_PLATFORM": "xcb"}
    words = ["xvfb-run", "-a", "env", *(f"{name}={environment[name]}" for name in KEY_VARIABLES)]
    words += [sys.executable, "-c", WINDOW, str(repository)]
    if owner == "itself":
        watched(words, environment)
    else:
        with owned(environment):
            watched(words, environment)
    assert_clean(recorders, "ed-of-a-person", "xdg-open")


def test_the_recipe_of_an_image_gets_no_key(
    recorders: Recorders, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where nobody took the keys out of the environment."""
    build = recorders.add("image.sh", real=False)
    for name, value in recorders.environment(home).items():
        monkeypatch.setenv(name, value)
    kept = images._environment(os.environ)
    assert images._follow([str(build)], lambda line: None, lambda: None, kept)[0] == 0
    assert_clean(recorders, "image.sh")


def test_ssh_gets_no_key(recorders: Recorders, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the way to an engine elsewhere."""
    recorders.add("ssh")
    for name, value in recorders.environment(home).items():
        monkeypatch.setenv(name, value)
    tunnel = Tunnel("ssh://nobody@127.0.0.1:9")
    with pytest.raises(ConnectionError):
        tunnel.address()
    tunnel.close()
    assert_clean(recorders, "ssh")


def test_a_process_that_takes_its_keys_hands_none_on_and_keeps_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(StartKeys, "_taken", {})
    for name in KEY_VARIABLES:
        monkeypatch.setenv(name, f"{CANARY}-{name}")
    taken = StartKeys.take()
    assert set(taken) == set(KEY_VARIABLES.values())
    with subprocess.Popen(["sleep", "30"]) as child:
        try:
            until = time.monotonic() + 10
            while Path(f"/proc/{child.pid}/comm").read_text() != "sleep\n" and time.monotonic() < until:
                time.sleep(0.01)
            assert CANARY.encode() not in Path(f"/proc/{child.pid}/environ").read_bytes()
        finally:
            child.kill()
    assert StartKeys.take() == taken
