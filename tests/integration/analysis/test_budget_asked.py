"""The budget's question in the middle of a real analysis: answered on its own terminal, or on that of a second process."""

from __future__ import annotations

import json
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.engine.transport import address
from tests.integration.command import PATIENCE_S, arguments_of, environment_of, qverify, runs
from tests.integration.network.inside import ANSWER, MODULE
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import MODEL, ModelServer, serving
from tests.test_cli_questions import on_a_terminal

pytestmark = pytest.mark.docker

#: A token of answer costs a millionth of a dollar, so that a call of at most 1000 tokens is estimated with a tenth of a cent.
PRICES = '[prices."openai/*"]\ninput = 0\noutput = 1_000_000\ncached_input = 0\n'
#: The first call alone would pass four fifths of it.
BUDGET = ("--budget", "0.0012")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QVERIFY_MODEL_ANSWER_TOKENS", "1000")
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home/prices.toml").write_text(PRICES)
    return tmp_path / "home"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "shop").mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nversion = "1"\n')
    (folder / "shop/__init__.py").touch()
    (folder / "shop/prices.py").write_text(MODULE)
    return folder


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with serving(Script([Say(ANSWER)])) as running:
        yield running


def answering(word: str) -> dict[str, Any]:
    """What is typed after the question, however long a busy machine takes to come to it."""
    return {"typed": f"{word}\n", "after": "[c] cancel the run:", "patience_s": PATIENCE_S}


def words(shop: Path, server: ModelServer, out: Path) -> list[str]:
    return ["analyze", str(shop), "--model", MODEL, "--api-base", server.url, *BUDGET, "--out", str(out)]


def answered(out: Path) -> list[dict[str, object]]:
    """What the bundle says that the person answered."""
    [bundle] = out.rglob("*.zip")
    with zipfile.ZipFile(bundle) as opened:
        entries = [json.loads(line) for line in opened.read("entries.jsonl").decode().splitlines()]
    return [one["data"] for one in entries if one["type"] == "person_answered"]


def test_a_yes_on_the_terminal_lets_the_analysis_ask_the_model(
    home: Path, shop: Path, server: ModelServer, tmp_path: Path
) -> None:
    code, shown = on_a_terminal(home, *words(shop, server, tmp_path / "out"), **answering("y"))
    assert code == 0, shown
    assert "of this run's budget of" in " ".join(shown.split())
    assert server.script.requests
    [said] = answered(tmp_path / "out")
    assert (said["reply"], said["budget"], said["limit_microusd"]) == ("go_on", "run", 1200)
    assert "test_total_sum" in "".join(path.read_text() for path in (tmp_path / "out").rglob("test_qv_*.py"))


def test_a_no_of_a_second_process_ends_the_questions_and_not_the_analysis(
    home: Path, shop: Path, server: ModelServer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with subprocess.Popen(
        arguments_of([*words(shop, server, out), "--json"]),
        env=environment_of(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as first:
        until = time.monotonic() + 60
        while not address(home).exists() or not (named := list(runs(home))):
            assert time.monotonic() < until and first.poll() is None
            time.sleep(0.1)
        code, shown = on_a_terminal(home, "watch", named[0], **answering("n"))
        document = json.loads(first.communicate(timeout=PATIENCE_S)[0])
    assert code == document["exit_code"] == 0, shown
    assert server.script.requests == []
    assert [said["reply"] for said in answered(out)] == ["stop"]
    assert document["accepted"] > 0, "what needs no model goes on"
    assert {test["origin"] for test in document["tests"]} & {"model"} == set()
    assert any("You chose to finish" in notice for notice in document["notices"])
    assert qverify(home, "verify", document["bundle"]).code == 0
