"""Observation in its container, on the sample repository and on code that means harm."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.testing import Status
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.python import observation
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.observation import observation_jobs, read_observations
from qverify_desktop.languages.python.promise_tests import write_promise_tests
from qverify_desktop.languages.python.promises import find_promises
from qverify_desktop.languages.python.suite import read_suite, suite_job
from qverify_desktop.languages.python.writing import render
from tests.integration.languages.conftest import RunJob
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker

SAMPLE = Path(__file__).parents[3] / "resources" / "sample"


def sample_without_tests(root: Path) -> Snapshot:
    shutil.copytree(SAMPLE, root, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    files = tuple(sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()))
    return Snapshot("", "sample", str(root), "0" * 40, files=files)


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(observation, "CALLS", 300)
    monkeypatch.setattr(observation, "TARGET_S", 1.0)


async def test_words_and_observation_cover_the_sample(tmp_path: Path, in_container: RunJob) -> None:
    snapshot = sample_without_tests(tmp_path / "sample")
    project = detect(snapshot)
    assert project is not None
    targets = find_targets(snapshot, project)
    promised = write_promise_tests(project, targets, find_promises(snapshot, project, targets))
    results = [
        await in_container(job, Path(snapshot.root)) for job in observation_jobs(snapshot, project, targets, 0)
    ]
    assert [result.problem for result in results] == ["", ""]
    observed = read_observations(project, targets, results)
    assert {test.target for test in observed} == {target.id for target in targets}
    files = render([*promised, *observed])
    job = suite_job(project, files, only=[], variation=RunVariation(), coverage=True, existing=False)
    suite = read_suite(project, await in_container(job, Path(snapshot.root)))
    failed = {outcome.id for outcome in suite.outcomes if outcome.status is not Status.PASSED}
    assert failed & {test.id for test in observed} == set()
    # The sample holds one example that its code contradicts.
    assert len(failed) == 1
    lines = [
        len(c.covered_lines & c.lines) / max(1, len(c.lines)) for f, c in suite.coverage.items() if f.endswith(".py")
    ]
    assert min(lines) > 0.9


async def test_code_that_means_harm_costs_only_itself(tmp_path: Path, in_container: RunJob) -> None:
    module = """
import ctypes
import json
import os
import sys


def good(number: int) -> str:
    return "odd" if number % 2 else "even"


def leave(number: int) -> int:
    os.__dict__["_ex" + "it"](0)


def crash(number: int) -> int:
    ctypes.string_at(0)


def endless(number: int) -> int:
    while True:
        pass


def eat(number: int) -> int:
    return len(bytearray(8 << 30))


def forge(number: int) -> int:
    record = {"kind": "observation", "target": "mod.py::good", "program": [None, [["call", "good", [["l", "1"]], {}]]]}
    record["outcome"] = {"facts": [[[], "value", "evil()"]], "state": [], "changed": [], "out": ""}
    for number in range(3, 900):
        try:
            os.write(number, json.dumps(record).encode() + b"\\n")
        except OSError:
            pass
    return number


def flood(number: int) -> int:
    os.write(1, b"x" * 1000000)
    sys.stdout.write("y" * 10000000)
    return 1


def last(number: int) -> int:
    return number + 1
"""
    snapshot = snapshot_of(tmp_path / "repo", {"mod.py": module})
    project = detect(snapshot)
    assert project is not None
    targets = find_targets(snapshot, project)
    results = [
        await in_container(job, Path(snapshot.root)) for job in observation_jobs(snapshot, project, targets, 1)
    ]
    tests = read_observations(project, targets, results)
    symbols = {test.target.partition("::")[2] for test in tests}
    assert {"good", "last"} <= symbols
    assert not {"leave", "crash", "endless", "eat"} & symbols
    assert not any("evil" in test.code for test in tests)
    assert {'"odd"', '"even"'} <= {test.expected for test in tests if test.target == "mod.py::good"}
