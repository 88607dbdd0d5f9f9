"""The drivers in their container: coverage, footprints, and tests that mean harm."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.testing import FileCoverage, Status
from qverify_desktop.languages.base import REVERSED, RunVariation
from qverify_desktop.languages.mutation_report import read_mutation
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.installation import missing_modules_job, read_missing
from qverify_desktop.languages.python.mutation import mutants
from qverify_desktop.languages.python.mutation_run import mutation_job
from qverify_desktop.languages.python.suite import read_suite, suite_job
from tests.integration.languages.conftest import RunJob
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker

MODULE = """\
import os


def f(x):
    if x > 3:
        return 1
    for i in range(x):
        if i == 7:
            break
    return (
        x
        + 1
    )


def untouched(a):
    while a:
        a -= 1
    return a
"""
FILES = {
    "src/pkg/__init__.py": "",
    "src/pkg/m.py": MODULE,
    "src/pkg/never.py": "def g():\n    return 1\n",
    "tests/test_own.py": "from pkg.m import f\n\n\ndef test_big():\n    assert f(5) == 1\n",
}


def suite(
    root: Path, generated, *, existing=False, coverage=True, files=FILES, timeout=None, elsewhere=False, seed=7
):
    project = detect(snapshot_of(root / "r", files))
    assert project is not None
    variation = RunVariation(order_seed=seed, elsewhere=elsewhere)
    job = suite_job(project, generated, only=(), variation=variation, coverage=coverage, existing=existing)
    if timeout:
        job = replace(job, limits=replace(job.limits, timeout_s=timeout))
    return project, job


@pytest.mark.parametrize(("seed", "victim"), [(0, Status.FAILED), (REVERSED, Status.PASSED)])
async def test_the_order_can_be_turned_round(in_container: RunJob, tmp_path: Path, seed: int, victim: Status) -> None:
    """So every two tests are seen in either order, and one that spoils it for another is found whatever chance says."""
    text = "from pkg import m\n\n\ndef test_spoils():\n    m.spoilt = True\n\n\ndef test_victim():\n    assert not hasattr(m, 'spoilt')\n"
    project, job = suite(tmp_path, {"tests/qv/test_gen.py": text}, seed=seed, coverage=False)
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    assert {one.id.partition("::")[2]: one.status for one in result.outcomes} == {
        "test_spoils": Status.PASSED,
        "test_victim": victim,
    }


async def test_coverage_and_footprints(in_container: RunJob, tmp_path: Path) -> None:
    generated = {"tests/qv/test_gen.py": "from pkg.m import f\n\n\ndef test_small():\n    assert f(2) == 3\n"}
    project, job = suite(tmp_path, generated, existing=True)
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    assert result.problem == ""
    assert {o.id: o.status for o in result.outcomes} == {
        "tests/test_own.py::test_big": Status.PASSED,
        "tests/qv/test_gen.py::test_small": Status.PASSED,
    }
    assert result.coverage["src/pkg/m.py"] == FileCoverage(
        lines=frozenset({1, 4, 5, 6, 7, 8, 9, 10, 16, 17, 18, 19}),
        covered_lines=frozenset({1, 4, 5, 6, 7, 8, 10, 16}),
        branches=frozenset({(5, 6), (5, 7), (7, 8), (7, 10), (8, 7), (8, 9), (17, 18), (17, 19)}),
        covered_branches=frozenset({(5, 6), (5, 7), (7, 8), (7, 10), (8, 7)}),
    )
    assert result.coverage["src/pkg/never.py"].covered_lines == frozenset()
    assert result.coverage["src/pkg/never.py"].lines == {1, 2}
    big = result.footprints["tests/test_own.py::test_big"]
    assert (big.lines, big.branches) == ({"src/pkg/m.py": {5, 6}}, {"src/pkg/m.py": {(5, 6)}})
    small = result.footprints["tests/qv/test_gen.py::test_small"]
    assert small.lines == {"src/pkg/m.py": {5, 7, 8, 10}}
    assert small.branches == {"src/pkg/m.py": {(5, 7), (7, 8), (7, 10), (8, 7)}}


async def test_what_could_be_covered_is_known_without_any_test(in_container: RunJob, tmp_path: Path) -> None:
    bare = {path: text for path, text in FILES.items() if path.startswith("src")}
    project, job = suite(tmp_path, {}, existing=True, files=bare)
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    assert (result.outcomes, result.problem) == ((), "")
    assert result.coverage["src/pkg/never.py"] == FileCoverage(lines=frozenset({1, 2}))
    assert len(result.coverage["src/pkg/m.py"].lines) == 12


async def test_each_test_can_run_in_an_empty_folder_of_its_own(in_container: RunJob, tmp_path: Path) -> None:
    code = """\
import os


def test_writes():
    from pkg.never import g
    assert g() == 1 and os.listdir() == []
    open("left", "w").close()


def test_is_alone():
    assert os.listdir() == [] and not os.path.ismount(".")
"""
    for elsewhere, status in ((True, Status.PASSED), (False, Status.FAILED)):
        project, job = suite(tmp_path / str(elsewhere), {"tests/test_made.py": code}, elsewhere=elsewhere)
        found = read_suite(project, await in_container(job, tmp_path / str(elsewhere) / "r"))
        assert {one.status for one in found.outcomes} == {status}


async def test_tests_that_mean_harm_cost_only_themselves(in_container: RunJob, tmp_path: Path) -> None:
    generated = {
        "tests/qv/test_gen.py": """
import os, signal, subprocess, sys, threading, time
from pkg.m import f

def test_good():
    assert f(9) == 1

def test_prints_a_gigabyte():
    chunk = "x" * (1 << 20)
    for _ in range(1024):
        print(chunk)

def test_fills_the_disk():
    for number in range(100000):
        with open(f"/tmp/fill{number}", "wb") as file:
            file.write(b"0" * (16 << 20))

def test_fork_bomb():
    while True:
        os.fork()

def test_leaves_a_daemon():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                os.write(1, b"y" * 4096)
        os._exit(0)

def test_kills_its_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(60)

def test_also_good():
    assert f(1) == 2
"""
    }
    project, job = suite(tmp_path, generated, timeout=200)
    job = replace(job, limits=replace(job.limits, pids=64))
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    found = {o.id.rpartition("::")[2]: o for o in result.outcomes}
    assert found["test_good"].status is found["test_also_good"].status is Status.PASSED, result
    assert found["test_prints_a_gigabyte"].status in (Status.FAILED, Status.ERROR)
    assert found["test_fills_the_disk"].status is Status.FAILED and found["test_fills_the_disk"].raised == "OSError"
    assert found["test_fork_bomb"].status in (Status.FAILED, Status.ERROR)
    # It may find no process left to fork, after the bomb.
    assert found["test_leaves_a_daemon"].status is not Status.MISSING
    assert found["test_kills_its_parent"].status is Status.ERROR
    assert "tests/qv/test_gen.py::test_also_good" in result.footprints


LOST = """
import os, signal, time

def {hook}():
    lost = len([name for name in os.listdir("/tmp") if name.startswith("lost-")])
    if lost < {times}:
        open(f"/tmp/lost-{{lost}}", "w").close()
        os.kill({whom}, signal.SIGKILL)
        time.sleep(60)
"""


@pytest.mark.parametrize(
    ("hook", "whom", "times"),
    [
        ("pytest_sessionfinish", "os.getpid()", 1),
        ("pytest_sessionfinish", "os.getppid()", 2),
        ("pytest_unconfigure", "os.getpid()", 2),
        ("pytest_collection_finish", "os.getpid()", 1),
    ],
)
async def test_a_worker_that_is_lost_while_no_test_runs_is_run_again(
    in_container: RunJob, tmp_path: Path, hook: str, whom: str, times: int
) -> None:
    files = {**FILES, "tests/conftest.py": LOST.format(hook=hook, whom=whom, times=times)}
    project, job = suite(tmp_path, {}, existing=True, files=files)
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    assert {o.id: o.status for o in result.outcomes} == {"tests/test_own.py::test_big": Status.PASSED}, result
    assert result.coverage["src/pkg/m.py"].covered_lines >= {5, 6}
    assert result.footprints["tests/test_own.py::test_big"].lines == {"src/pkg/m.py": {5, 6}}


async def test_a_session_that_is_slow_to_end_keeps_its_coverage(in_container: RunJob, tmp_path: Path) -> None:
    """Slower than a test file may be imported: that limit is over when everything is collected."""
    conftest = "import time\n\ndef pytest_sessionfinish():\n    time.sleep(5)\n"
    project, job = suite(tmp_path, {}, existing=True, files={**FILES, "tests/conftest.py": conftest})
    content = job.overlay[".qverify/suite.json"].replace(b'"import_s": 45', b'"import_s": 4')
    job = replace(job, overlay={**job.overlay, ".qverify/suite.json": content})
    answer = await in_container(job, tmp_path / "r")
    assert read_suite(project, answer).coverage["src/pkg/m.py"].covered_lines >= {5, 6}
    assert answer.artefacts["suite.jsonl"].count(b'"attempt"') == 1


async def test_a_worker_that_is_always_lost_is_given_up_and_its_tests_stay_known(
    in_container: RunJob, tmp_path: Path
) -> None:
    conftest = LOST.format(hook="pytest_sessionfinish", whom="os.getpid()", times=99)
    project, job = suite(tmp_path, {}, existing=True, files={**FILES, "tests/conftest.py": conftest})
    answer = await in_container(job, tmp_path / "r")
    result = read_suite(project, answer)
    assert [o.status for o in result.outcomes] == [Status.PASSED]
    # What could be covered is still known, from a look at the source alone.
    assert len(result.coverage["src/pkg/m.py"].lines) == 12 and not result.coverage["src/pkg/m.py"].covered_lines
    attempts = [line for line in answer.artefacts["suite.jsonl"].splitlines() if b'"attempt"' in line]
    assert len(attempts) == 3


async def test_a_test_that_hangs_is_stopped(in_container: RunJob, tmp_path: Path) -> None:
    generated = {
        "tests/qv/test_gen.py": """
from pkg.m import f

def test_good():
    assert f(9) == 1

def test_hangs():
    while True:
        pass

def test_hangs_and_holds_on():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass
"""
    }
    project, job = suite(tmp_path, generated)
    content = job.overlay[".qverify/suite.json"].replace(b'"test_s": 20', b'"test_s": 2')
    job = replace(job, overlay={**job.overlay, ".qverify/suite.json": content})
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    found = {o.id.rpartition("::")[2]: o for o in result.outcomes}
    assert found["test_good"].status is Status.PASSED
    assert found["test_hangs"].status is Status.FAILED and "Timeout" in found["test_hangs"].message
    assert not found["test_hangs"].in_test
    assert found["test_hangs_and_holds_on"].status is Status.ERROR
    assert "did not end" in found["test_hangs_and_holds_on"].message


async def test_files_of_the_repository_do_not_stand_in_for_modules_of_the_runner(
    in_container: RunJob, tmp_path: Path
) -> None:
    hostile = {
        **FILES,
        "json.py": "raise SystemExit('json')\n",
        "coverage.py": "raise SystemExit('coverage')\n",
        "qv_supervision.py": "raise SystemExit('qv')\n",
        "sitecustomize.py": "raise SystemExit('site')\n",
        ".qverify/os.py": "raise SystemExit('os')\n",
        ".qverify/run_tests.py": "raise SystemExit('run_tests')\n",
    }
    project, job = suite(
        tmp_path,
        {"tests/qv/test_gen.py": "from pkg.m import f\n\n\ndef test_it():\n    assert f(9) == 1\n"},
        files=hostile,
    )
    result = read_suite(project, await in_container(job, tmp_path / "r"))
    assert [o.status for o in result.outcomes] == [Status.PASSED], result


async def test_a_test_whose_child_was_killed_for_memory_is_not_believed(in_container: RunJob, tmp_path: Path) -> None:
    text = (
        "import subprocess, sys\nfrom pkg.m import f\n\n\ndef test_f():\n"
        "    subprocess.run([sys.executable, '-c', 'x = bytearray(400 << 20)'])\n    assert f(5) == 1\n"
    )
    project, job = suite(tmp_path, {"tests/test_new.py": text})
    job = replace(job, limits=replace(job.limits, memory_bytes=256 << 20))
    result = await in_container(job, tmp_path / "r")
    assert result.execution.exit_code == 0 and result.execution.oom_killed
    (outcome,) = read_suite(project, result).outcomes
    assert outcome.status is Status.ERROR and "too much memory" in outcome.message


async def test_missing_modules(in_container: RunJob, tmp_path: Path) -> None:
    snapshot = snapshot_of(
        tmp_path / "r", {**FILES, "src/pkg/x.py": "import pytest, hypothesis, yaml, numpy, json\n"}
    )
    project = detect(snapshot)
    assert project is not None
    result = await in_container(missing_modules_job(snapshot, project), tmp_path / "r")
    assert [one.requirement for one in read_missing(project, result)] == ["numpy", "PyYAML"]


async def test_four_hundred_mutants_a_minute(in_container: RunJob, tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "",
        "pkg/m.py": "import re, json, dataclasses, datetime\n\n\n"
        + "".join(
            f"def f{n}(a, b):\n    if a > {n} and b < 9:\n        return a + b * 2\n    return a - b or '{n}'\n\n\n"
            for n in range(8)
        ),
        "tests/test_own.py": "from pkg.m import f0\n\n\ndef test_own():\n    assert f0(1, 2) == 5\n",
    }
    snapshot = snapshot_of(tmp_path / "r", files)
    project = detect(snapshot)
    assert project is not None
    found = [m for t in find_targets(snapshot, project) for m in mutants(snapshot, t, frozenset(range(1, 100)), 10)]
    generated = {
        "tests/qv/test_gen.py": "from pkg import m\n\n\n"
        + "".join(f"def test_{n}():\n    assert m.f{n}({n + 1}, 2) == {n + 5}\n    assert m.f{n}(-1, 2) == -3\n\n\n" for n in range(8))
    }  # fmt: skip
    tests = {
        m.id: [
            f"tests/qv/test_gen.py::test_{m.target[-1]}",
            *(["tests/test_own.py::test_own"] if m.target[-1] == "0" else []),
        ]
        for m in found
    }
    result = await in_container(mutation_job(project, generated, found, tests), tmp_path / "r")
    outcomes = read_mutation(found, result)
    assert len(found) == 80
    assert {o.status.value for o in outcomes} == {"killed", "survived"}, result.output[-2000:]
    assert sum(o.status.value == "killed" for o in outcomes) > 40
    done = json.loads(result.artefacts["mutants.jsonl"].splitlines()[-1])
    print(
        f"{len(found) / result.execution.duration_ms * 60_000:.0f} a minute, {done['cpu_ms'] / len(found):.0f} ms of CPU each"
    )
    # In processor time, because what else the machine does is not this code's doing: 150 ms are 400 a minute on one core.
    assert done["cpu_ms"] / len(found) < 150
