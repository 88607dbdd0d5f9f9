"""Whole analyses where there is nothing but loopback: whatever needed a network would fail, whoever opened it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.network.spaces import alone
from tests.integration.test_whole_way import qverify

pytestmark = pytest.mark.docker


def inside(scenario: str, folder: Path, address: str = "", seconds: int = 580) -> dict[str, Any]:
    """What a scenario of ``inside.py`` says in a network name space of its own."""
    line = alone([sys.executable, "-m", "tests.integration.network.inside", scenario, str(folder)], address)
    done = subprocess.run(line, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return said


def test_the_sample_comes_to_its_verdict_without_any_network(tmp_path: Path) -> None:
    said = inside("none", tmp_path)
    assert said["reachable"] == []
    assert said["code"] == 1, said["errors"]
    document = said["document"]
    assert [defect["call"] for defect in document["suspected_defects"]] == ["page_count(10, 5)"]
    assert document["accepted"] > 0
    checked = qverify(tmp_path / "home", "verify", document["bundle"], "--json")
    assert checked.returncode == 0, checked.stdout


def test_a_model_on_this_machine_is_all_that_is_asked(tmp_path: Path) -> None:
    said = inside("scripted", tmp_path)
    assert said["reachable"] == []
    assert said["code"] == 0, said["errors"]
    assert said["asked"] >= 1
    written = [test for test in said["document"]["tests"] if test["origin"] == "model"]
    assert "accepted" in {test["verdict"] for test in written}, said["document"]["tests"]
