"""``qverify cancel`` from another command, at whatever point of the run: both commands end, and nothing is left."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.command import GOOD, PATIENCE_S, arguments_of, environment_of, qverify, runs
from tests.integration.engine.killing import checkpointed, containers

pytestmark = pytest.mark.docker

SLOW_TEST = "import time\n\n\ndef test_slow():\n    time.sleep(600)\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "tests").mkdir(parents=True)
    (folder / "sign.py").write_text(GOOD)
    (folder / "tests" / "test_slow.py").write_text(SLOW_TEST)
    return folder


@contextmanager
def analysing(home: Path, source: Path) -> Iterator[subprocess.Popen[str]]:
    command = subprocess.Popen(
        arguments_of(["analyze", str(source), "--json"]),
        env=environment_of(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield command
    finally:
        command.kill()
        command.communicate()


def until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.02)


MOMENTS: dict[str, Callable[[Path], object]] = {
    "listed": lambda home: runs(home) if (home / "qverify.db").exists() else None,
    "begun": checkpointed,
    "in a container": containers,
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_is_cancelled_from_another_command(tmp_path: Path, source: Path, moment: str) -> None:
    home = tmp_path / "home"
    with analysing(home, source) as command:
        until(lambda: MOMENTS[moment](home))
        (run,) = runs(home)
        said = qverify(home, "cancel", run, "--json")
        out, err = command.communicate(timeout=PATIENCE_S)
    assert said.code == 0 and said.document["status"] == "cancelled", said
    assert "Traceback" not in err and command.returncode == 4, err
    assert json.loads(out)["status"] == "cancelled"
    assert runs(home) == {run: "cancelled"}
    assert containers(home) == []


def test_several_who_cancel_and_one_who_watches_all_get_an_answer(tmp_path: Path, source: Path) -> None:
    home = tmp_path / "home"
    with analysing(home, source) as command:
        until(lambda: containers(home))
        (run,) = runs(home)
        others = [
            subprocess.Popen(
                arguments_of(words),
                env=environment_of(home),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for words in (["watch", run, "--json"], *[["cancel", run, "--json"]] * 3)
        ]
        answers = [other.communicate(timeout=PATIENCE_S) for other in others]
        command.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in str(answers)
    documents = [json.loads(out) for out, _ in answers]
    assert others[0].returncode == 4 and documents[0]["status"] == "cancelled", answers
    # One may come when it is over already: that is told too.
    assert {other.returncode for other in others[1:]} <= {0, 2}, answers
    assert any(document.get("status") == "cancelled" for document in documents[1:]), answers
    assert runs(home) == {run: "cancelled"}
