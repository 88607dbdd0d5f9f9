"""What the ledger says through the engine and the command line, read from a real database."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop import cli
from qverify_desktop.composition import open_engine
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import CallState, Settlement
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_calls import ModelCalls
from tests.engine.house import ScriptedAnalysis, house
from tests.storage.test_model_calls import DONE, INTENT


@pytest.fixture
def kept(home: Path) -> Path:
    """A state folder whose ledger holds an answered, a failed, a cached and a doubtful call."""
    database = Database(home / "qverify.db")
    holder = Holder(database)
    calls = ModelCalls(database, holder)
    calls.settle(calls.intend(INTENT), DONE)
    calls.settle(calls.intend(INTENT), Settlement(CallState.FAILED, sentence="=It takes no more."))
    calls.settle(calls.intend(replace(INTENT, estimate_microusd=0)), Settlement(CallState.CACHED, 1001, 200))
    calls.intend(replace(INTENT, run="r2", source="=cmd|'/c calc'!A1", sent_at="2026-12-01T00:00:00Z"))
    holder.close()
    assert ModelCalls(database, Holder(database)).in_doubt == {INTENT.deployment: 1}
    database.close()
    return home


async def test_sums_and_calls_are_the_ledgers(kept: Path) -> None:
    async with house(kept, ScriptedAnalysis()) as engine:
        months = await engine.ask("model_usage")
        assert [row["name"] for row in months["rows"]] == ["2026-12", "2026-11"]
        total = months["total"]
        assert (total["calls"], total["failed"], total["cached"], total["doubtful"]) == (3, 1, 1, 1)
        assert (total["cost_microusd"], total["doubtful_microusd"]) == (3_602, 50_000)
        assert [row["name"] for row in (await engine.ask("model_usage", by="provider"))["rows"]] == ["azure/gpt-4.1"]
        assert (await engine.ask("model_usage", by="run"))["rows"][1]["name"] == "repo · r1"
        calls = await engine.ask("model_calls")
        assert [one["state"] for one in calls] == ["in_doubt", "cached", "failed", "answered"]
        assert len(await engine.ask("model_calls", limit=2)) == 2
        with pytest.raises(BadInput, match="by 'moon'"):
            await engine.ask("model_usage", by="moon")
        with pytest.raises(BadInput, match="by 'moon'"):
            await engine.ask("model_usage_csv", by="moon")


@pytest.mark.parametrize("by", ["call", "run", "repository", "provider", "month"])
async def test_the_table_reads_back_and_holds_no_formula(kept: Path, by: str) -> None:
    async with house(kept, ScriptedAnalysis()) as engine:
        table = await engine.ask("model_usage_csv", by=by)
    header, *lines = csv.reader(io.StringIO(table))
    assert lines
    assert all(len(line) == len(header) for line in lines)
    assert not [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@"))]
    costs = [int(line[header.index("cost_microusd")]) for line in lines]
    assert sum(costs) == 3_602


def test_the_command_prints_and_writes_the_same(
    kept: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QVERIFY_HOME", str(kept))
    monkeypatch.setenv("QVERIFY_KEYRING", "false")
    assert cli.main(["usage", "--by", "run"]) == 0
    shown = capsys.readouterr().out
    assert "repo · r1" in shown
    assert "1 open or in doubt (up to $0.05 more)" in shown
    assert "$0.003602" in shown
    assert cli.main(["usage", "--by", "call"]) == 0
    assert "in_doubt" in capsys.readouterr().out
    assert cli.main(["usage", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["total"]["cost_microusd"] == 3_602
    file = tmp_path / "usage.csv"
    assert cli.main(["usage", "--csv", str(file)]) == 0
    assert file.read_text("utf-8").startswith("month,first_at,calls")
    assert cli.main(["usage", "--csv", str(tmp_path / "no" / "usage.csv")]) == 2
    assert "can't be written" in capsys.readouterr().err


@pytest.fixture
def left(home: Path) -> Path:
    """A state folder that a process left with three calls in the middle."""
    database = Database(home / "qverify.db")
    holder = Holder(database)
    calls = ModelCalls(database, holder)
    for deployment in ("ours", "ours", "theirs"):
        calls.intend(replace(INTENT, deployment=deployment))
    holder.close()
    database.close()
    return home


def test_calls_in_doubt_are_told_once_by_the_next_command(
    left: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QVERIFY_HOME", str(left))
    monkeypatch.setenv("QVERIFY_KEYRING", "false")
    assert cli.main(["runs", "--json"]) == 0
    said = capsys.readouterr()
    assert "3 calls to ours, theirs were open when QVerify ended and may have been charged" in said.err
    assert "qverify usage --by call" in said.err
    assert json.loads(said.out) == {"runs": []}
    assert cli.main(["runs"]) == 0
    assert "may have been charged" not in capsys.readouterr().err


async def test_calls_in_doubt_are_told_to_whoever_asks_first(left: Path) -> None:
    engine = await open_engine(left)
    try:
        assert await engine.ask("calls_in_doubt") == {"calls": 3, "where": {"ours": 2, "theirs": 1}}
        assert await engine.ask("calls_in_doubt") == {"calls": 0, "where": {}}
    finally:
        await engine.close()


def test_nothing_was_used_yet(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QVERIFY_HOME", str(home))
    monkeypatch.setenv("QVERIFY_KEYRING", "false")
    for by in ("call", "month"):
        assert cli.main(["usage", "--by", by]) == 0
        assert "No model was asked yet" in capsys.readouterr().out
