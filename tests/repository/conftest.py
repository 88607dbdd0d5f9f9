"""Real repositories made by the real git, and a fingerprint that notices any change of a folder."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.project import Snapshot
from qverify_desktop.repository import Repositories

_ENVIRONMENT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_ALLOW_PROTOCOL": "file",
}


class Work:
    """One repository under test."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.path,
            input=stdin,
            capture_output=True,
            env=os.environ | _ENVIRONMENT,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def write(self, name: str, content: str | bytes, mode: int = 0o644) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        return path

    def commit(self, message: str = "one") -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    folder = tmp_path / "project"
    folder.mkdir()
    made = Work(folder)
    made.git("init", "-q", "-b", "main")
    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder of its own, so that the person's real global configuration plays no part."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    return folder


class Taker:
    """Takes a snapshot into a fresh workspace and checks that the source is as it was."""

    def __init__(self, base: Path) -> None:
        self._base = base
        self._count = 0
        self.workspace = base

    def __call__(self, source: Path | str) -> Snapshot:
        self._count += 1
        self.workspace = self._base / f"workspace{self._count}"
        folder = Path(source) if isinstance(source, Path) else None
        before = fingerprint(folder) if folder else {}
        snapshot = Repositories().take_snapshot(str(source), self.workspace)
        assert (fingerprint(folder) if folder else {}) == before
        return snapshot

    def read(self, name: str) -> bytes:
        return (self.workspace / "tree" / name).read_bytes()


@pytest.fixture
def take(tmp_path: Path, home: Path) -> Iterator[Taker]:
    yield Taker(tmp_path / "state")


def fingerprint(folder: Path) -> dict[bytes, tuple[object, ...]]:
    """Everything of every entry below a folder but access times: mode, inode, size, time stamps in ns, content."""
    facts: dict[bytes, tuple[object, ...]] = {}
    for where, folders, names in os.walk(os.fsencode(folder)):
        for name in (b".", *folders, *names):
            path = os.path.join(where, name)
            seen = os.lstat(path)
            content = b""
            if stat.S_ISREG(seen.st_mode):
                content = hashlib.sha256(Path(os.fsdecode(path)).read_bytes()).digest()
            elif stat.S_ISLNK(seen.st_mode):
                content = os.readlink(path)
            facts[path] = (seen.st_mode, seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, content)
    return facts
