"""What a command asks on a real terminal (a pseudo-terminal of the kernel), and what it does where there is none."""

from __future__ import annotations

import json
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.model_servers.answers import Say, Script
from tests.model_servers.server import serving

MODEL = ("--model", "openai/gpt-4.1")


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """A repository that is refused as soon as a run has begun: it needs neither sandbox nor model."""
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "notes.txt").write_text("no source here")
    return folder


def on_a_terminal(home: Path, *arguments: str, typed: str, after: str, patience_s: float = 120) -> tuple[int, str]:
    """Exit code, and all that stood on the terminal; ``typed`` is typed as soon as ``after`` is read."""
    words = ("-m", "qverify_desktop.cli", *arguments)
    return script_on_a_terminal(home, *words, typed=typed, after=after, patience_s=patience_s)


def script_on_a_terminal(
    home: Path, *arguments: str, typed: str, after: str, patience_s: float = 120
) -> tuple[int, str]:
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["QVERIFY_HOME"] = str(home)
        os.execv(sys.executable, [sys.executable, *arguments])
    shown, said, until = "", False, time.monotonic() + patience_s
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


#: A run that asks in its middle, followed as ``qverify analyze`` follows one; the last line says how it ended.
ASKING = """
import asyncio, sys
from pathlib import Path
from qverify_desktop.cli.commands import _follow
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.terminal.screen import Screen
from tests.engine.house import ScriptedAnalysis, house
from tests.engine.test_inquiries import Asks

async def main():
    asks = Asks()
    async with house(Path(sys.argv[1]), ScriptedAnalysis(asks)) as engine:
        asks.inquiries = engine._inquiries
        run = await engine.start(AnalysisRequest(sys.argv[2]))
        following = asyncio.create_task(_follow(engine, run, Screen(False)))
        while "attended" in sys.argv and not engine._attended(run):
            await asyncio.sleep(0.01)
        asks.run = run
        await following
        [one] = await engine.runs()
        print("ENDED", one.status.value, *asks.heard)

asyncio.run(main())
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "a.py").write_text("x = 1\n")
    return folder


@pytest.mark.parametrize(
    ("typed", "ended"),
    [
        ("y\n", "ENDED finished go_on"),
        ("what?\nno\n", "ENDED finished stop"),
        ("\x04", "ENDED finished stop"),
        ("c\n", "ENDED cancelled"),
    ],
)
def test_what_a_run_asks_is_asked_on_the_terminal_that_follows_it(
    home: Path, source: Path, typed: str, ended: str
) -> None:
    code, shown = script_on_a_terminal(
        home, "-c", ASKING, str(home), str(source), "attended", typed=typed, after="[c] cancel the run:"
    )
    assert code == 0 and "Spend it?" in shown, shown
    assert shown.rstrip().splitlines()[-1].endswith(ended), shown


def test_without_a_terminal_a_run_is_not_kept_waiting(home: Path, source: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASKING, str(home), str(source)],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
    )
    assert done.stdout.rstrip().endswith("ENDED finished nobody"), done.stderr


# Preview


def test_a_preview_prints_everything_and_the_server_hears_nothing(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "money.py").write_text(
        'def owed(net):\n    """What is owed."""\n    key = "AKIA" "ABCDEFGHIJKLMNOP"\n    return net\n\n\n'
        'def paid(net):\n    """What is paid."""\n    return net * 2\n'
    )
    script = Script([Say("x")])
    with serving(script, "openai") as server:
        model = ("--model", "scripted", "--api-base", server.url)
        done = without(home, "preview", str(folder), "--target", "owed", *model)
        assert done.returncode == 0, done.stderr
        assert "money.py::owed, generate" in done.stdout and "Nothing was sent." in done.stdout
        assert "openai/scripted at this machine: about" in done.stdout and "free" in done.stdout
        assert "----- message 2, user -----" in done.stdout and "def owed(net):" in done.stdout
        assert "asked about 2 functions in all" in done.stdout
        view = json.loads(without(home, "preview", str(folder), "--target", "owed", *model, "--json").stdout)
        assert view["messages"][1]["content"] in done.stdout
        listed = without(home, "preview", str(folder), *model, "--targets")
        assert set(listed.stdout.splitlines()[:-1]) == {"money.py::owed", "money.py::paid"}
        both = without(home, "preview", str(folder), "--target", "owed", "--target", "paid", *model)
        assert "def paid(net):" in both.stdout and view["messages"][1]["content"] in both.stdout
        assert both.stdout.count("Nothing was sent.") == 2
        wrong = without(home, "preview", str(folder), "--target", "nowhere", *model)
        assert wrong.returncode == 2 and "money.py::owed" in wrong.stderr
    assert script.requests == []
    far = without(home, "preview", str(folder), "--model", "openai/gpt-4.1")
    assert "api.openai.com" in far.stdout and "you are asked" in far.stdout and "at most $0." in far.stdout
    kept = without(home, "preview", str(folder), "--model", "openai/gpt-4.1", "--local-only")
    assert "stay on this machine" in kept.stdout
