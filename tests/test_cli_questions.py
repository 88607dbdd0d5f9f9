"""What a command asks on a real terminal (a pseudo-terminal of the kernel), and what it does where there is none."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

MODEL = ("--model", "openai/gpt-4.1")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A repository that is refused as soon as a run has begun: it needs neither sandbox nor model."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "notes.txt").write_text("no source here")
    return folder


def on_a_terminal(home: Path, *arguments: str, typed: str, after: str) -> tuple[int, str]:
    """Exit code, and all that stood on the terminal; ``typed`` is typed as soon as ``after`` is read."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["QVERIFY_HOME"] = str(home)
        os.execv(sys.executable, [sys.executable, "-m", "qverify_desktop.cli", *arguments])
    shown, said, until = "", False, time.monotonic() + 120
    while time.monotonic() < until:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece.decode("utf-8", "replace")
        if not said and after in shown:
            os.write(terminal, typed.encode())
            said = True
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def without(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", *arguments],
        env={**os.environ, "QVERIFY_HOME": str(home)},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )


def test_without_a_terminal_a_model_elsewhere_needs_a_flag(home: Path, words: Path) -> None:
    refused = without(home, "analyze", str(words), *MODEL)
    assert refused.returncode == 2
    assert "api.openai.com" in refused.stderr and "--cloud" in refused.stderr and "--local-only" in refused.stderr
    local = without(home, "analyze", str(words), *MODEL, "--local-only")
    assert local.returncode == 2 and "stay on this machine" in local.stderr
    both = without(home, "analyze", str(words), *MODEL, "--local-only", "--cloud")
    assert both.returncode == 2 and "not allowed with" in both.stderr
    allowed = without(home, "analyze", str(words), *MODEL, "--cloud")
    assert "stay on this machine" not in allowed.stderr and "queued" in allowed.stderr
    again = without(home, "analyze", str(words), *MODEL)
    assert "queued" in again.stderr, "asked once"


@pytest.mark.parametrize(
    ("typed", "then"), [("y\n", "queued"), ("n\n", "stay on this machine"), ("\n", "nobody has decided")]
)
def test_a_terminal_is_asked_and_nothing_is_taken_for_a_yes(home: Path, words: Path, typed: str, then: str) -> None:
    code, shown = on_a_terminal(home, "analyze", str(words), *MODEL, typed=typed, after="[y/n]")
    assert code == 2 and "api.openai.com" in shown
    told = " ".join(shown.partition("[y/n]")[2].split())
    assert then in told
    assert then in " ".join(without(home, "analyze", str(words), *MODEL).stderr.split()), "the answer is kept"
