"""Two commands on one state folder: the second attaches, and each gets its answer even when the first ends at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import pytest

from qverify_desktop.engine.lock import HomeLock
from tests.integration.command import qverify
from tests.integration.engine.killing import display, started

pytestmark = pytest.mark.docker

SOURCE = 'def {name}(n: int) -> int:\n    """>>> {name}(2)\n    {value}\n    """\n    return n * 2\n'


def test_the_second_command_gets_its_document_after_the_first_ended(tmp_path):
    commands = []
    for name, value in (("first", 4), ("second", 5)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / f"{name}.py").write_text(SOURCE.format(name=name, value=value))
        commands.append(
            subprocess.Popen(
                [sys.executable, "-m", "qverify_desktop.cli", "analyze", str(folder), "--json"],
                env={**os.environ, "QVERIFY_HOME": str(tmp_path / "home")},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        time.sleep(3)
    answers = [command.communicate(timeout=500) for command in commands]
    assert [command.returncode for command in commands] == [0, 1], answers
    documents = [json.loads(out) for out, _ in answers]
    assert [d["symbol"] for d in documents[1]["suspected_defects"]] == ["second"]
    assert documents[0]["run"] != documents[1]["run"]


@pytest.mark.ui
def test_a_window_that_opens_meanwhile_looks_on_and_takes_the_folder_over(tmp_path):
    folder, home = tmp_path / "project", tmp_path / "home"
    folder.mkdir()
    (folder / "first.py").write_text(SOURCE.format(name="first", value=4))
    lock = HomeLock(home)
    with display() as name:
        command = started(["analyze", str(folder), "--json"], home, tmp_path / "command.witness")
        try:
            until(lambda: lock.owner() == command.pid)
            window = started([], home, tmp_path / "window.witness", DISPLAY=name, QT_QPA_PLATFORM="xcb")
            try:
                out, err = command.communicate(timeout=300)
                assert command.returncode == 0, err
                until(lambda: lock.owner() == window.pid)
                asked = qverify(home, "runs", "--json")
                assert [one["status"] for one in asked.document["runs"]] == ["finished"]
                exported = qverify(
                    home, "export", json.loads(out)["run"], "--format", "html", "-o", str(tmp_path / "r.html")
                )
                assert exported.code == 0, exported.err
                assert lock.owner() == window.pid and window.poll() is None
                assert not (tmp_path / "window.witness").exists(), "the command's steps were the command's"
                assert not (home / "crashes").exists()
            finally:
                window.terminate()
                window.wait(60)
        finally:
            command.kill()
            command.wait()
    assert qverify(home, "verify", json.loads(out)["bundle"], "--json").document["valid"]


def until(true, seconds=90):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
