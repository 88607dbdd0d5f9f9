"""Observation: the search finds its way, what comes back is read strictly, and the tests hold."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.python import observation
from qverify_desktop.languages.python.codebase import Codebase
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.observation import observation_jobs, read_observations
from qverify_desktop.languages.python.seeds import known_calls
from qverify_desktop.languages.python.writing import render, static_problem
from tests.languages.python.driving import run_job
from tests.languages.python.repositories import snapshot_of

MODULE = '''
import enum
import re
import time


class Shape(enum.Enum):
    ROUND = "round"
    SQUARE = "square"


class Refusal(Exception):
    """Said no."""


def classify(text: str) -> str:
    if not isinstance(text, str):
        raise Refusal(text)
    if text == "open sesame":
        return "magic"
    if re.fullmatch(r"[A-Z]{3}-[0-9]{4}", text):
        return "plate"
    if len(text) > 5:
        return "long"
    return "short"


def bucket(number: int) -> int:
    if number > 730:
        return 3
    if number < -4:
        raise ValueError("too small")
    return 1


def area(shape: Shape, size: float) -> float:
    if shape is Shape.ROUND:
        return 3 * size * size
    return size * size


def append(items: list[int]) -> None:
    items.append(len(items))


def hang(number: int) -> int:
    while number > 0:
        pass
    return number


def write(name: str) -> int:
    with open(name, "w") as file:
        return file.write(name)


def sneaky(name: str) -> int:
    import pathlib
    pathlib.Path("made-" + str(len(name))).write_text(name)
    return 1


def now() -> float:
    return time.time()


def words(text: str):
    for word in text.split():
        if word == "stop":
            raise ValueError(word)
        yield word


def shout(text: str) -> None:
    print(text.upper())


async def later(number: int) -> int:
    return number + 1


class Account:
    """Holds money."""

    def __init__(self, owner: str, balance: int = 0):
        if balance < 0:
            raise ValueError("debt")
        self.owner = owner
        self.balance = balance
        self.history = []

    def pay(self, amount: int) -> int:
        if amount <= 0:
            raise ValueError("nothing to pay")
        self.balance += amount
        self.history.append(amount)
        return self.balance

    @property
    def rich(self) -> bool:
        return self.balance > 100

    @staticmethod
    def parse(text: str) -> "Account":
        return Account(text.strip())

    def __len__(self) -> int:
        return len(self.history)

    def __enter__(self):
        self.history.append("in")
        return self

    def __exit__(self, *exc):
        self.history.append("out")
'''


def repository(root: Path, module: str = MODULE, **more: str) -> tuple[Snapshot, Project, list[Target]]:
    files = {"thing.py": module, **{name.replace("__", "/") + ".py": text for name, text in more.items()}}
    snapshot = snapshot_of(root, files)
    project = detect(snapshot)
    assert project is not None
    return snapshot, project, find_targets(snapshot, project)


def observed(root: Path, module: str = MODULE, seed: int = 0) -> tuple[Project, list[Target], list[JobResult]]:
    snapshot, project, targets = repository(root / "repo", module)
    results = []
    for number, job in enumerate(observation_jobs(snapshot, project, targets, seed)):
        copy = root / str(number)
        snapshot_of(copy, {"thing.py": module})
        results.append(run_job(job, copy))
        assert sorted(path.name for path in copy.iterdir()) == [".qverify", "thing.py"]
    return project, targets, results


def by_symbol(tests: list[GeneratedTest]) -> dict[str, list[GeneratedTest]]:
    found: dict[str, list[GeneratedTest]] = {}
    for test in tests:
        found.setdefault(test.target.partition("::")[2], []).append(test)
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Project, list[Target], list[JobResult]]:
    root = tmp_path_factory.mktemp("observed")
    patch = pytest.MonkeyPatch()
    patch.setattr(observation, "CALLS", 400)
    project, targets, results = observed(root)
    patch.undo()
    return root, project, targets, results


def test_the_search_reaches_every_way_through(run: tuple[Path, Project, list[Target], list[JobResult]]) -> None:
    _, project, targets, results = run
    tests = by_symbol(read_observations(project, targets, results))
    values = {test.expected for test in tests["classify"]}
    assert {'"magic"', '"plate"', '"long"', '"short"', "Refusal"} <= values
    assert {"3", "1", "ValueError"} <= {test.expected for test in tests["bucket"]}
    area = "\n".join(test.code for test in tests["area"])
    assert "Shape.ROUND" in area and "Shape.SQUARE" in area
    assert any("argument" in test.code and "assert argument == " in test.code for test in tests["append"])
    assert {"hang", "write", "sneaky"} & {s for s in tests if any("made-" in t.code for t in tests[s])} == set()
    assert "write" not in tests and "sneaky" not in tests
    assert all("isinstance(observed, float)" in test.code for test in tests["now"])
    assert any("list(words(" in test.code and "raises" in test.code for test in tests["words"])
    assert any("capsys" in test.code for test in tests["shout"])
    assert any("asyncio.run(later(" in test.code for test in tests["later"])
    pay = "\n".join(test.code for test in tests["Account.pay"])
    assert "subject = Account(" in pay and "subject.pay(" in pay and "pytest.raises(ValueError)" in pay
    assert any("assert observed is False" in test.code for test in tests["Account.rich"])
    assert any("Account.parse(" in test.code and ".owner ==" in test.code for test in tests["Account.parse"])
    assert any("with subject:" in test.code and "history" in test.code for test in tests["Account.__enter__"])
    assert any("len(subject)" in test.code for test in tests["Account.__len__"])


def test_the_tests_pass_and_notice_a_change(run: tuple[Path, Project, list[Target], list[JobResult]]) -> None:
    root, project, targets, results = run
    tests = read_observations(project, targets, results)
    assert [test.name for test in tests if static_problem(test)] == []
    assert {(test.label, test.origin) for test in tests} == {(Label.CHARACTERIZATION, Origin.OBSERVATION)}
    assert len({test.id for test in tests}) == len(tests)
    for name, text in (
        ("same", MODULE),
        ("changed", MODULE.replace("self.balance += amount", "self.balance -= amount")),
    ):
        folder = root / name
        snapshot_of(folder, {"thing.py": text})
        for path, source in render(tests).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(source)
    assert _failures(root / "same") == set()
    assert _failures(root / "changed") >= {"test_Account_pay_observed"}


def _failures(folder: Path) -> set[str]:
    command = [
        sys.executable,
        "-B",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-W",
        "ignore",
        "--tb=no",
        "-rfE",
        "tests",
    ]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(folder), "PATH": ""}, capture_output=True, text=True, check=False
    )
    assert "passed" in done.stdout, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return {line.split("::")[1].split(" ")[0].rpartition("_")[0] for line in lines}


def test_a_seed_gives_the_same_programs_under_another_hash_seed(
    run: tuple[Path, Project, list[Target], list[JobResult]],
) -> None:
    *_, results = run
    first, second = (
        [
            json.loads(line)["program"]
            for line in result.artefacts["observations.jsonl"].splitlines()
            if b'"program"' in line
        ]
        for result in results
    )
    assert first == second and len(first) > 20


def test_jobs_differ_only_in_their_surroundings(tmp_path: Path) -> None:
    snapshot, project, targets = repository(tmp_path)
    first, second = observation_jobs(snapshot, project, targets, 3)
    assert replace(first, env={}) == replace(second, env={})
    assert first.env["PYTHONHASHSEED"] != second.env["PYTHONHASHSEED"] and first.env["TZ"] != second.env["TZ"]
    assert not first.network and first.purpose == "observe"
    request = json.loads(first.overlay[".qverify/observe.json"])
    symbols = [target["symbol"] for target in request["targets"]]
    assert "write" not in symbols and "classify" in symbols
    assert request["seed"] == 3
    assert observation_jobs(snapshot, project, [], 0) == []


def test_calls_and_strings_of_tests_are_seeds(tmp_path: Path) -> None:
    tests = "from thing import bucket\n\n\ndef test_it():\n    assert bucket(742) == 3\n    bucket(number=-5)\n    bucket(x)\n"
    snapshot, project, targets = repository(tmp_path, tests__test_thing=tests)
    calls = known_calls(snapshot, project, Codebase.read(snapshot, project, targets), targets)
    assert sorted(calls["thing.py::bucket"], key=repr) == [(["742"], {}), ([], {"number": "-5"})]


GOOD = {
    "kind": "observation",
    "target": "thing.py::bucket",
    "program": [None, [["call", "bucket", [["l", "1"]], {}]]],
    "outcome": {
        "facts": [[[], "type", ["builtins", "int"]], [[], "value", "1"]],
        "state": [],
        "changed": [],
        "out": "",
    },
}


def answers(*records: object) -> list[GeneratedTest]:
    targets = [Target("python", "thing.py", "thing", name, 1, 2, 2, f"def {name}()") for name in ("bucket", "other")]
    project = Project("python", "python", ("",), ("thing.py",), ())
    content = b"\n".join(record if isinstance(record, bytes) else json.dumps(record).encode() for record in records)
    result = JobResult(Execution("observe", "", "", "", (), 0, 0), "", {"observations.jsonl": content})
    return read_observations(project, targets, [result, result])


def test_a_good_record_becomes_a_test() -> None:
    (test,) = answers(GOOD)
    assert test.code == "def test_bucket_observed_1():\n    observed = bucket(1)\n    assert observed == 1"
    assert test.prelude == ("from thing import bucket",)


def changed(path: str, value: object) -> object:
    """A copy of the good record with one part replaced; ``path`` holds keys and indices."""
    record = json.loads(json.dumps(GOOD))
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = record
    for part in parents:
        place = place[part]
    place[last] = value
    return record


@pytest.mark.parametrize(
    "record",
    [
        changed("program.1.0.1", "other"),
        changed("program.1.0.1", "bucket(1) or __import__('os').system"),
        changed("program.1.0.0", "exec"),
        changed("program.1.0.2.0", ["l", "__import__('os').system('x')"]),
        changed("program.1.0.2.0", ["l", "open('x')"]),
        changed("program.1.0.2.0", ["l", "(" * 5000]),
        changed("program.1.0.2.0", ["l", 5]),
        changed("program.1.0.2.0", ["n", "os", "system", [["l", "'x'"]], {}]),
        changed("program.1.0.2.0", ["n", "thing", "a; b", [], {}]),
        changed("program.1.0.2.0", ["n", "thing", "observed", [], {}]),
        changed("program.1.0.2.0", ["s", 10_000]),
        changed("program.1.0.2.0", ["s", -1]),
        changed("program.1.0.2.0", ["r", "thing", "A\nimport os"]),
        changed("program.1.0.3", {"x=1) or (y": ["l", "1"]}),
        changed("program", [["n", "thing", "Account", [], {}], [["method", "x(); import os", [], {}]]]),
        changed("program", None),
        changed("program", [None, [GOOD["program"][1][0]] * 100]),  # type: ignore[index]
        changed("outcome.facts", [[[["a", "x); evil("]], "value", "1"]]),
        changed("outcome.facts", [[[], "value", "evil()"]]),
        changed("outcome.facts", [[[], "is", ["os", "system"]]]),
        changed("outcome.facts", [[[], "len", "1; evil()"]]),
        changed("outcome.facts", [[[], "what", "1"]]),
        changed("outcome.facts", [[[], "value"]]),
        changed("outcome.facts", []),
        changed("outcome.facts", [[[], "value", "1"]] * 1000),
        changed("outcome.raised", ["builtins", "evil"]),
        changed("outcome.raised", ["evil.package", "Error"]),
        changed("outcome.raised", ["thing", "A, B"]),
        changed("outcome.out", 5),
        changed("outcome", None),
        changed("target", "thing.py::gone"),
        changed("target", ["thing.py::bucket"]),
        changed("kind", "other"),
        [GOOD],
        b"\xff\xfe{",
        b"[" * 100_000,
        b'{"kind": "observation", "target": "thing.py::bucket", "program": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    ],
)
def test_a_record_that_departs_from_the_grammar_is_dropped(record: object) -> None:
    tests = answers(record, GOOD)
    assert [test.code for test in tests] == [test.code for test in answers(GOOD)]


def test_only_what_both_runs_say_is_kept() -> None:
    targets = [Target("python", "thing.py", "thing", "bucket", 1, 2, 2, "def bucket()")]
    project = Project("python", "python", ("",), ("thing.py",), ())

    def result(record: object) -> JobResult:
        content = json.dumps(record).encode()
        return JobResult(Execution("observe", "", "", "", (), 0, 0), "", {"observations.jsonl": content})

    other = changed("outcome.facts", [[[], "type", ["builtins", "int"]], [[], "value", "2"]])
    (test,) = read_observations(project, targets, [result(GOOD), result(other)])
    assert test.code.endswith("assert isinstance(observed, int)")
    raised = changed("outcome", {"raised": ["builtins", "ValueError"], "out": ""})
    assert read_observations(project, targets, [result(GOOD), result(raised)]) == []
    missing = JobResult(Execution("observe", "", "", "", (), 1, 0), "", {}, "It timed out.")
    assert read_observations(project, targets, [result(GOOD), missing]) == []
    assert read_observations(project, targets, []) == []


def test_a_set_is_the_same_whatever_its_order() -> None:
    first, second = (changed("outcome.facts", [[[], "value", text]]) for text in ("{'b', 'a'}", "{'a', 'b'}"))
    assert answers(first)[0].code == answers(second)[0].code
