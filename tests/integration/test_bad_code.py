"""Code that means harm, through the real command line: every test ends with a verdict, in bounded time, and is named."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.integration.command import GOOD, Said, assert_whole, qverify

pytestmark = pytest.mark.docker

#: Seconds after which a test or an import counts as hung.
PATIENCE = {"QVERIFY_PATIENCE_S": "5"}

MEAN_TESTS = """
import os
import sys
import time

from sign import sign


def test_sign():
    assert sign(3) == 1


def test_fills_the_disk():
    for number in range(100_000):
        with open(f"/tmp/filled-{number}", "wb") as file:
            for _ in range(60):
                file.write(bytes(1_048_576))


def test_forks():
    while True:
        try:
            os.fork()
        except OSError:
            pass


def test_kills_its_parent():
    os.kill(os.getppid(), 9)
    time.sleep(60)


def test_ends_the_process():
    os._exit(0)


def test_exits():
    sys.exit(3)


def test_prints_a_gigabyte():
    for _ in range(1024):
        sys.stdout.write("x" * 1_048_576)


def test_hangs():
    while True:
        time.sleep(1)


def test_still_runs():
    assert sign(0) == 0
"""

MEAN_IMPORTS = {
    "hangs": "while True:\n    pass\n",
    "forks": "import os\n\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n",
    "fills": 'with open("/tmp/filled", "wb") as file:\n    while True:\n        file.write(bytes(1_048_576))\n',
    "prints": 'import sys\n\nfor _ in range(1024):\n    sys.stdout.write("x" * 1_048_576)\n',
    "kills": "import os\nimport time\n\nos.kill(os.getppid(), 9)\ntime.sleep(60)\n",
    "ends": "import os\n\nos._exit(0)\n",
    "exits": 'import sys\n\nsys.exit("not today")\n',
}


def analysed(folder: Path, files: dict[str, str]) -> Said:
    source = folder / "project"
    for name, text in {"sign.py": GOOD, **files}.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    began = time.monotonic()
    said = qverify(folder / "home", "analyze", str(source), "--json", timeout=900, **PATIENCE)
    assert said.code == 0, said.err
    assert time.monotonic() - began < 600
    assert_whole(folder / "home", said)
    return said


def test_a_suite_that_means_harm_is_red_and_costs_no_result(tmp_path: Path) -> None:
    said = analysed(tmp_path, {"tests/test_mean.py": MEAN_TESTS})
    assert "red: 2 passed, 7 failed" in said.err, said.err
    assert said.document["accepted"] > 0
    coverage = said.document["coverage"]
    assert coverage["after"]["lines"] == 1.0 > coverage["before"]["lines"] > 0


def test_modules_that_mean_harm_on_import_are_named_and_cost_the_others_nothing(tmp_path: Path) -> None:
    said = analysed(
        tmp_path, {f"{name}.py": f"{text}\n\n{GOOD.replace('sign', name)}" for name, text in MEAN_IMPORTS.items()}
    )
    reasons: dict[str, set[str]] = {}
    for test in said.document["tests"]:
        if test["verdict"] == "refused":
            reasons.setdefault(test["target"].partition(".py")[0], set()).add(test["detail"])
    accepted = {
        test["target"].partition(".py")[0] for test in said.document["tests"] if test["verdict"] == "accepted"
    }
    assert "sign" in accepted
    for name, words in (
        ("hangs", "did not end within"),
        ("forks", "did not end within"),
        ("fills", "File too large"),
        ("kills", "ended the process"),
        ("ends", "ended the process"),
        ("exits", "stopped the whole test run"),
    ):
        assert name not in accepted
        assert any(words in reason for reason in reasons[name]), (name, reasons)
