"""Repositories with a history and the command line over them, for tests of what an analysis makes of earlier times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
}


class Repository:
    """A repository under test, made by the real git."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, env=os.environ | _GIT, timeout=60, check=True
        )
        return done.stdout.decode().strip()

    def write(self, **files: str) -> None:
        """Write files below ``pages``: the name without its ending, its text."""
        (self.folder / "pages").mkdir(exist_ok=True)
        for name, text in files.items():
            (self.folder / "pages" / f"{name}.py").write_text(text)

    def commit(self, message: str, **files: str) -> str:
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


def analyse(home: Path, repository: Path, *arguments: str) -> dict[str, Any]:
    """The document of ``qverify analyze --json``. Exit codes 0, 1 and 4 all mean that it finished."""
    done = subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", "analyze", str(repository), "--json", *arguments],
        env={**os.environ, "QVERIFY_HOME": str(home)},
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode in (0, 1, 4), done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document
