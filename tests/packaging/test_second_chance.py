"""``make test`` gives what failed one more try: the real script with the real pytest over small suites."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

STEADY = "def test_steady():\n    pass\n"
#: Fails in its first run only.
UNSTEADY = """
from pathlib import Path

def test_unsteady():
    mark = Path(__file__).with_suffix(".mark")
    seen = mark.exists()
    mark.touch()
    assert seen
"""
#: Fails in its first run, and is skipped in the second.
VANISHING = UNSTEADY.replace(
    "    assert seen", "    if seen:\n        __import__('pytest').skip('gone')\n    assert seen"
)
RED = "def test_red():\n    assert False\n"
#: Its clean-up fails in the first run only.
UNTIDY = """
from pathlib import Path

import pytest

@pytest.fixture
def thing():
    yield
    mark = Path(__file__).with_suffix(".mark")
    seen = mark.exists()
    mark.touch()
    assert seen

def test_untidy(thing):
    pass
"""
BROKEN = "import nothing_of_this_name\n"
#: Takes the whole run with it.
DEADLY = "import os\n\ndef test_deadly():\n    os._exit(1)\n"


def run(root: Path, files: dict[str, str], *arguments: str) -> tuple[int, str]:
    for name in (
        "packaging/setup/test.sh",
        "packaging/setup/progress.sh",
        "tests/second_chance.py",
        "tests/__init__.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / ".venv").symlink_to(sys.prefix)
    (root / "pytest.ini").write_text("[pytest]\naddopts = -q\n")
    for name, text in files.items():
        (root / f"test_{name}.py").write_text(text)
    done = subprocess.run(
        [root / "packaging" / "setup" / "test.sh", *(arguments or ("-n", "0", "--dist", "loadfile"))],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("files", "code", "unsteady", "runs"),
    [
        ({"a": STEADY}, 0, "", 1),
        ({"a": STEADY, "b": UNSTEADY, "c": UNTIDY}, 0, "test_b.py::test_unsteady, test_c.py::test_untidy", 2),
        ({"a": STEADY, "b": UNSTEADY, "c": RED}, 1, "test_b.py::test_unsteady", 2),
        ({"a": STEADY, "b": VANISHING}, 1, "", 2),
        ({"a": STEADY, "b": UNSTEADY, "c": BROKEN}, 2, "", 1),
        ({"a": UNSTEADY, "b": DEADLY}, 1, "", 1),
    ],
    ids=["green", "unsteady", "red", "vanishing", "broken", "deadly"],
)
def test_a_second_run(tmp_path: Path, files: dict[str, str], code: int, unsteady: str, runs: int) -> None:
    ended, out = run(tmp_path, files)
    assert ended == code, out
    assert re.findall(r"^unsteady: (.*)$", out, re.MULTILINE) == ([unsteady] if unsteady else []), out
    assert out.count("Running") == runs, out
    if files.get("b") != DEADLY:
        last = out.rstrip("\n").rpartition("\n")[2]
        assert re.search(r"\d+ (passed|failed|skipped|errors?)\b.* in \d", last), out


@pytest.mark.parametrize("arguments", [("-x",), ("--maxfail=1",), ("--lf",)])
def test_a_run_that_is_not_whole_gets_none(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    code, out = run(tmp_path, {"a": UNSTEADY, "b": RED}, *arguments)
    assert code == 1 and out.count("Running") == 1 and "unsteady:" not in out


def test_two_workers_then_none(tmp_path: Path) -> None:
    code, out = run(tmp_path, {"a": UNSTEADY, "b": STEADY, "c": STEADY}, "-n", "2", "--dist", "loadfile")
    assert code == 0 and "unsteady: test_a.py::test_unsteady" in out, out
