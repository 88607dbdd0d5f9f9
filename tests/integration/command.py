"""The command line as a person meets it: a process of its own, its exit code, its document, and what it leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.engine.killing import containers

#: Seconds until a command counts as hung; a busy machine is given time.
PATIENCE_S = 300

GOOD = '''\
"""A module that means well."""


def sign(n: int) -> int:
    """The sign of ``n``.

    >>> sign(-3)
    -1
    """
    if n < 0:
        return -1
    return 1 if n else 0
'''


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.out)
        return read

    @property
    def sentence(self) -> str:
        return str(self.document["error"]["sentence"])


def arguments_of(words: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "qverify_desktop.cli", *words]


def environment_of(home: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "QVERIFY_HOME": str(home), **more}


def qverify(home: Path, *words: str, timeout: float = PATIENCE_S, **more: str) -> Said:
    """Run a command to its end. Whatever it met, no traceback is shown."""
    done = subprocess.run(
        arguments_of(words), env=environment_of(home, **more), capture_output=True, text=True, timeout=timeout
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def refused(said: Said, code: int) -> str:
    """The sentence of a command that ended with ``code``: in the document and on standard error, the same."""
    assert said.code == code, said.err
    assert said.document["exit_code"] == code
    assert f"qverify: {said.sentence}" in said.err
    return said.sentence


def runs(home: Path) -> dict[str, str]:
    """Status by run, as ``qverify runs`` lists them."""
    said = qverify(home, "runs", "--json")
    assert said.code == 0, said.err
    return {run["run"]: run["status"] for run in said.document["runs"]}


def assert_whole(home: Path, said: Said) -> None:
    """The run is listed as finished, its bundle verifies, and no container of the state folder is left."""
    assert runs(home)[said.document["run"]] == "finished"
    checked = qverify(home, "verify", said.document["bundle"], "--json")
    assert checked.code == 0 and checked.document["valid"] and checked.document["problems"] == []
    assert containers(home) == []
