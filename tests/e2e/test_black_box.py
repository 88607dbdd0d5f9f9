"""The real window on a real display, with engine and Docker, driven by role and name; asserted from database and bundle."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.locations import resources_root

pytestmark = [pytest.mark.docker, pytest.mark.ui]

ROOT = resources_root()


def drive(scenario: str, folder: Path, seconds: int = 560) -> dict:
    """Run a scenario on a display and a bus of its own, so that nothing of another one has the keyboard."""
    screen = ["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24"]
    line = [
        *screen,
        "dbus-run-session",
        "--",
        "/usr/bin/python3",
        "tests/e2e/drive.py",
        scenario,
        sys.executable,
        str(folder),
    ]
    ran = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    log = folder / "application.log"
    said = log.read_text()[-3000:] if log.exists() else ""
    assert ran.returncode == 0, f"{ran.stderr[-3000:]}\n--- application:\n{said}"
    return json.loads(ran.stdout.strip().splitlines()[-1])


def runs(folder: Path) -> list[tuple[str, str, str, int]]:
    with sqlite3.connect(folder / "home/qverify.db") as database:
        return database.execute("SELECT run, status, verdict, suspected FROM runs ORDER BY started_at").fetchall()


def verified(folder: Path, run: str) -> dict:
    """What a process without the application's state says of the bundle."""
    verifier = ROOT / "qverify_desktop/evidence/verify.py"
    bundle = folder / "home/runs" / run / f"{run}.qvevidence.zip"
    ran = subprocess.run(
        [sys.executable, "-I", str(verifier), str(bundle), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        env={},
    )
    assert ran.returncode == 0, ran.stdout
    return json.loads(ran.stdout)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("black box")
    shutil.copytree(ROOT / "resources/sample", made / "project")
    return made


@pytest.fixture(scope="module")
def sampled(folder):
    return drive("sample", folder)


def test_the_sample_comes_to_its_verdict_in_two_clicks(sampled, folder):
    assert sampled["clicks"] == ["Try the sample", "Suspected defects"]
    [(run, status, verdict, suspected)] = runs(folder)
    assert (status, verdict, suspected) == ("finished", "defects_suspected", 1)
    assert verified(folder, run)["valid"]
    kept = folder / "home/runs" / run / f"{run}.qvevidence.zip"
    assert Path(sampled["bundle"]).read_bytes() == kept.read_bytes(), "the saved bundle is the one that was sealed"
    assert sampled["exit"] == 0


def test_the_defect_stands_with_its_words_and_values(sampled):
    said = "\n".join(sampled["texts"])
    for words in ("page_count", "page_count(10, 5)", "2", "3"):
        assert words in said


def test_a_decision_is_in_the_database_and_in_the_log(sampled, folder):
    with sqlite3.connect(folder / "home/qverify.db") as database:
        decided = database.execute("SELECT kind, decision FROM decisions ORDER BY kind").fetchall()
        kinds = [row[0] for row in database.execute("SELECT type FROM entries")]
    assert decided == [("defect", "confirmed"), ("test", "refused")]
    assert kinds.count("decision") == 2


def test_no_control_on_any_page_is_unnamed(sampled, folder):
    found = drive("controls", folder)
    assert found["unnamed"] == {}
    assert found["exit"] == 0


def test_one_whole_analysis_with_the_keyboard_alone(tmp_path):
    shutil.copytree(ROOT / "resources/sample", tmp_path / "project")
    typed = drive("keyboard", tmp_path)
    [(run, status, verdict, suspected)] = runs(tmp_path)
    assert (status, verdict, suspected) == ("finished", "defects_suspected", 1)
    assert "page_count(10, 5)" in "\n".join(typed["texts"])
    assert verified(tmp_path, run)["valid"]


def test_a_run_is_cancelled_and_resumed_and_its_tests_are_written(tmp_path):
    project = tmp_path / "project"
    shutil.copytree(ROOT / "resources/sample", project)
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    cancelled = drive("cancel", tmp_path)
    assert cancelled["containers"] == []
    assert any("cancelled" in text.lower() for text in cancelled["texts"])
    [(run, status, verdict, suspected)] = runs(tmp_path)
    assert (status, verdict, suspected) == ("finished", "defects_suspected", 1)
    assert verified(tmp_path, run)["valid"]
    with sqlite3.connect(tmp_path / "home/qverify.db") as database:
        assert database.execute("SELECT kind, decision FROM decisions").fetchall() == [("test", "accepted")]
    assert {path: path.read_bytes() for path in before} == before, "no file that was there has changed"
    written = [path for path in project.rglob("test_qv_*.py") if path not in before]
    assert written
    passes = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", *map(str, written)],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert passes.returncode == 0, passes.stdout


def test_a_folder_is_dropped_from_another_process(tmp_path):
    shutil.copytree(ROOT / "resources/sample", tmp_path / "project")
    dropped = drive("drop", tmp_path)
    assert dropped["taken"] == str(tmp_path / "project")
    assert dropped["exit"] == 0
