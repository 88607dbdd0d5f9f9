"""Jobs that run tests and their answers, without coverage and outside a container: every repository is written here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.domain.testing import Status, SuiteResult, TestOutcome
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.python.detection import detect
from qverify_desktop.languages.python.suite import read_suite, suite_job
from tests.languages.python.driving import run_job
from tests.languages.python.repositories import snapshot_of

MODULE = """
def f(x):
    if x > 3:
        return 1
    return x

def g(x):
    raise ValueError(f"no {x}")
"""


def run(root: Path, files, generated, *, only=(), variation=RunVariation(), existing=False) -> SuiteResult:
    project = detect(snapshot_of(root, {"pkg/__init__.py": "", "pkg/m.py": MODULE, **files}))
    assert project is not None
    job = suite_job(project, generated, only=only, variation=variation, coverage=False, existing=existing)
    return read_suite(project, run_job(job, root))


def by_name(result: SuiteResult) -> dict[str, TestOutcome]:
    return {outcome.id.rpartition("::")[2]: outcome for outcome in result.outcomes}


def test_each_way_a_test_can_end(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        {},
        {
            "tests/qv/test_gen.py": """
import pytest
from pkg.m import f, g

def test_passes():
    observed = f(5)
    assert observed == 1

def test_fails():
    observed = f(2)
    assert observed == 5

def test_code_raises():
    observed = g(2)
    assert observed == 5

def test_does_not_raise():
    with pytest.raises(ValueError):
        observed = f(1)

def test_skips():
    pytest.skip("not today")

@pytest.mark.parametrize("x", [1, 2])
def test_cases(x):
    assert f(x) == 1

def test_wrong_name():
    no_such_name(1)

def test_lacks_fixture(nothing):
    pass

def test_odd_repr():
    class Odd:
        def __repr__(self):
            raise RuntimeError("no")
    observed = Odd()
    assert observed == 1

def test_leaves():
    raise SystemExit(3)

async def test_async():
    assert f(9) == 1
"""
        },
    )
    found = by_name(result)
    assert result.problem == ""
    assert found["test_passes"].status is Status.PASSED
    fails = found["test_fails"]
    assert (fails.status, fails.raised, fails.in_test, fails.observed) == (Status.FAILED, "AssertionError", True, "2")
    assert fails.frames == ("tests/qv/test_gen.py:11",)
    raises = found["test_code_raises"]
    assert (raises.raised, raises.in_test, raises.observed) == ("ValueError", False, "raises ValueError: no 2")
    assert raises.frames == ("tests/qv/test_gen.py:14", "pkg/m.py:8")
    none = found["test_does_not_raise"]
    assert (none.status, none.raised, none.in_test, none.observed) == (Status.FAILED, "Failed", True, "1")
    assert (found["test_skips"].status, found["test_skips"].message) == (Status.SKIPPED, "Skipped: not today")
    assert (found["test_cases[1]"].status, found["test_cases[2]"].status) == (Status.PASSED, Status.FAILED)
    assert (found["test_wrong_name"].raised, len(found["test_wrong_name"].frames)) == ("NameError", 1)
    assert found["test_lacks_fixture"].status is Status.ERROR
    assert found["test_odd_repr"].observed == "(its repr raises RuntimeError)"
    assert found["test_leaves"].raised == "SystemExit"
    assert found["test_async"].status is Status.PASSED


def test_code_that_asks_a_person_is_not_to_blame(tmp_path: Path) -> None:
    files = {"pkg/__init__.py": "", "pkg/m.py": "def ask():\n    return input('Size: ')\n"}
    test = "from pkg.m import ask\n\n\ndef test_asks():\n    assert ask() == '16G'\n"
    result = run(tmp_path, files, {"tests/qv/test_gen.py": test})
    asks = by_name(result)["test_asks"]
    assert (asks.status, asks.raised, asks.in_test) == (Status.FAILED, "OSError", False)
    assert asks.frames == ("tests/qv/test_gen.py:5",)


def test_tests_that_end_the_process_cost_only_themselves(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        {},
        {
            "tests/qv/test_gen.py": """
import os, signal, sys
from pkg.m import f

def test_first():
    assert f(9) == 1

def test_exits():
    os._exit(0)

def test_kills_its_parent():
    os.kill(os.getppid(), signal.SIGKILL)
    signal.pause()

def test_kills_its_group():
    os.killpg(0, signal.SIGKILL)

def test_crashes():
    os.kill(os.getpid(), signal.SIGSEGV)

def test_interrupts():
    raise KeyboardInterrupt

def test_forks():
    if os.fork() == 0:
        assert False

def test_floods():
    while True:
        os.write(1, b"x" * 65536)

def test_last():
    assert f(1) == 1
""",
            "tests/qv/test_leaves.py": "import sys\nsys.exit(1)\n\ndef test_never():\n    pass\n",
            "tests/qv/test_import.py": "import no_such_module\n\ndef test_never():\n    assert no_such_module\n",
            "tests/qv/test_syntax.py": "def test_never(:\n",
        },
    )
    found = by_name(result)
    assert found["test_first"].status is found["test_last"].status is Status.PASSED
    for name in ("test_exits", "test_kills_its_parent", "test_kills_its_group", "test_crashes", "test_interrupts"):
        assert found[name].status is Status.ERROR, name
    assert "exit code 0" in found["test_exits"].message
    assert "signal 11" in found["test_crashes"].message
    assert found["test_forks"].status is Status.PASSED
    assert found["test_floods"].status is Status.FAILED
    assert found["test_never"].status is Status.MISSING
    assert set(result.collection_errors) == {f"tests/qv/test_{n}.py" for n in ("leaves", "import", "syntax")}
    assert "SyntaxError" in result.collection_errors["tests/qv/test_syntax.py"]
    assert result.missing_modules == ("no_such_module",)


def test_the_projects_own_tests_run_whatever_its_configuration_asks_for(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        {
            "tests/conftest.py": "import pytest\n\n@pytest.fixture\ndef five():\n    return 5\n",
            "tests/test_own.py": "from pkg.m import f\n\ndef test_b(five):\n    assert f(five) == 1\n\n"
            "def test_a():\n    assert f(1) == 1\n",
            "pytest.ini": "[pytest]\naddopts = --cov=pkg -n 4 --no-such-option\nrequired_plugins = pytest-nothing\n",
        },
        {},
        existing=True,
    )
    assert [outcome.id for outcome in result.outcomes] == ["tests/test_own.py::test_b", "tests/test_own.py::test_a"]
    assert {outcome.status for outcome in result.outcomes} == {Status.PASSED}


def test_a_conftest_that_breaks_does_not_stop_the_rest(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        {"tests/conftest.py": "import gone_module\n", "tests/test_own.py": "def test_a():\n    pass\n"},
        {"tests/qv/test_gen.py": "from pkg.m import f\n\ndef test_new():\n    assert f(1) == 1\n"},
        existing=True,
    )
    assert {name: outcome.status for name, outcome in by_name(result).items()} == {
        "test_a": Status.PASSED,
        "test_new": Status.PASSED,
    }
    assert result.missing_modules == ("gone_module",)


def test_generated_tests_run_under_a_neutral_configuration(tmp_path: Path) -> None:
    result = run(
        tmp_path,
        {"pyproject.toml": '[tool.pytest.ini_options]\nfilterwarnings = ["error"]\npython_functions = ["check_*"]\n'
         'addopts = "-x -k nothing"\n'},
        {"tests/qv/test_gen.py": "import warnings\n\ndef test_warns():\n    warnings.warn('w')\n\ndef test_2():\n    pass\n"},
    )  # fmt: skip
    assert [outcome.status for outcome in result.outcomes] == [Status.PASSED, Status.PASSED]


def test_variation_and_narrowing(tmp_path: Path) -> None:
    names = [f"test_{n}" for n in range(8)]
    files = {
        "tests/qv/test_gen.py": "import os, time\n\n"
        + "".join(f"def {name}():\n    assert os.environ['TZ'] == 'Asia/Tokyo'\n\n" for name in names)
    }
    variation = RunVariation(order_seed=7, hash_seed=3, time_zone="Asia/Tokyo")
    mixed = run(tmp_path / "a", {}, files, variation=variation)
    again = run(tmp_path / "b", {}, files, variation=variation)
    assert {outcome.status for outcome in mixed.outcomes} == {Status.PASSED}
    order = [outcome.id for outcome in mixed.outcomes]
    assert order == [outcome.id for outcome in again.outcomes] != sorted(order)
    only = ["tests/qv/test_gen.py::test_3", "tests/qv/test_gen.py::gone"]
    few = run(tmp_path / "c", {}, files, only=only, variation=variation)
    assert {outcome.id: outcome.status for outcome in few.outcomes} == {
        only[0]: Status.PASSED,
        only[1]: Status.MISSING,
    }


def result_of(content: bytes | None, **facts) -> SuiteResult:
    execution = Execution("judge", "", "", "", (), facts.pop("exit_code", 0), 0, **facts)
    project = detect_nothing()
    return read_suite(project, JobResult(execution, "", {} if content is None else {"suite.jsonl": content}))


def detect_nothing():
    from qverify_desktop.domain.project import Project

    return Project("python", "python", ("",), ("m.py",), ())


def lines(*records) -> bytes:
    return b"\n".join(record if isinstance(record, bytes) else json.dumps(record).encode() for record in records)


@pytest.mark.parametrize(
    "record",
    [
        b"\xff\xfe", b"{", b"[]", b"null", b"[" * 50_000, b'{"kind": 3}', {"kind": "nothing"},
        {"kind": "test", "test": "a", "status": "great", "duration_ms": 1},
        {"kind": "test", "test": "a", "status": "passed", "duration_ms": -1},
        {"kind": "test", "test": "a" * 3000, "status": "passed", "duration_ms": 1},
        {"kind": "test", "test": "a", "status": "passed", "duration_ms": 1, "extra": 1},
        {"kind": "coverage", "file": "m.py", "lines": [0], "covered": [], "branches": [], "covered_branches": []},
        {"kind": "coverage", "file": "../x", "lines": [1], "covered": [], "branches": [], "covered_branches": []},
        {"kind": "footprint", "test": "t", "lines": {"m.py": ["1"]}, "branches": {"m.py": [[1]]}},
    ],
)  # fmt: skip
def test_forged_records_are_passed_over(record) -> None:
    good = {"kind": "test", "test": "t.py::test", "status": "passed", "duration_ms": 1}
    result = result_of(lines(record, good))
    assert [outcome.id for outcome in result.outcomes] == ["t.py::test"]
    assert not result.coverage and not result.footprints and not result.problem


def test_coverage_is_held_to_what_is_possible() -> None:
    record = {
        "kind": "coverage", "file": "m.py", "lines": [1, 2], "covered": [2, 9],
        "branches": [[1, 2], [1, -1]], "covered_branches": [[1, 2], [7, 8]],
    }  # fmt: skip
    seen = {"kind": "footprint", "test": "t", "lines": {"m.py": [2], "/etc/passwd": [1]}, "branches": {}}
    result = result_of(lines(record, seen))
    assert result.coverage["m.py"].covered_lines == {2}
    assert result.coverage["m.py"].covered_branches == {(1, 2)}
    assert set(result.footprints["t"].lines) == {"m.py"}


def test_a_run_that_says_nothing_has_a_problem() -> None:
    assert "memory" in result_of(None, oom_killed=True).problem
    assert "in time" in result_of(None, timed_out=True).problem
    assert "exit code 7" in result_of(None, exit_code=7).problem
    expected = {"kind": "expected", "tests": ["t.py::test"]}
    partial = result_of(lines(expected))
    assert partial.outcomes[0].status is Status.MISSING and partial.problem
    told = result_of(lines(expected, {"kind": "session_error", "session": "generated", "message": "a\nb: it broke"}))
    assert "it broke" in told.problem
