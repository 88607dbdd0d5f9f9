"""The real window over the real engine: a folder dropped on it ends with a bundle that a stranger's process verifies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.locations import resources_root

pytestmark = [pytest.mark.docker, pytest.mark.ui]

ROOT = resources_root()


@pytest.fixture(scope="module")
def driven(tmp_path_factory):
    folder = tmp_path_factory.mktemp("window")
    project, shots = folder / "sample", folder / "shots"
    shutil.copytree(ROOT / "resources/sample", project)
    shots.mkdir()
    environment = {**os.environ, "QVERIFY_HOME": str(folder / "home"), "QVERIFY_THEME": "light"}
    environment.pop("PYTEST_CURRENT_TEST", None)
    run = subprocess.run(
        [sys.executable, "-m", "tests.integration.ui.window_driver", str(project), str(shots)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=580,
        stdin=subprocess.DEVNULL,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    return {"report": json.loads(run.stdout.strip().splitlines()[-1]), "shots": shots, "stderr": run.stderr}


def test_the_window_goes_through_each_of_its_states(driven):
    assert driven["report"]["states"] == [
        "starting",
        "idle",
        "drag-over",
        "finished",
        "verified",
        "running",
        "cancelled",
    ]
    for state in driven["report"]["states"]:
        assert (driven["shots"] / f"{state}.png").stat().st_size > 5_000, state


def test_the_verdict_names_the_planted_defect_and_no_other(driven):
    document = driven["report"]["document"]
    assert [defect["symbol"] for defect in document["suspected_defects"]] == ["page_count"]
    assert driven["report"]["sentence"] == document["sentence"]


def test_the_bundle_is_whole_for_a_process_without_the_applications_state(driven):
    bundle = driven["report"]["document"]["bundle"]
    verifier = ROOT / "qverify_desktop/evidence/verify.py"
    answer = subprocess.run(
        [sys.executable, "-I", str(verifier), bundle, "--json"], capture_output=True, text=True, timeout=60, env={}
    )
    assert answer.returncode == 0, answer.stdout
    assert json.loads(answer.stdout)["grade"] == driven["report"]["verified"]["grade"]


def test_qt_has_nothing_to_complain_about(driven):
    complaints = [line for line in driven["stderr"].splitlines() if "QObject" in line or "QPainter" in line]
    assert complaints == []


def test_the_loop_answers_while_containers_run(driven):
    """The figure itself is a benchmark's; here only that the window was never frozen for a person to see."""
    report = driven["report"]
    assert report["samples"] > 500
    assert report["stall_ms"]["median"] < 50


def test_reports_lie_where_the_document_says(driven):
    document = driven["report"]["document"]
    assert Path(document["report"]).read_text().startswith("<!")
    assert list(Path(document["out"]).rglob("test_qv_*.py"))
