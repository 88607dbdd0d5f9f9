"""The list of runs."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import RunStatus
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest, Reason, RunResult, TestVerdict, Verdict
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.engine.runner import RunRecords
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_calls import ModelCalls
from qverify_desktop.storage.runs import RunStore
from qverify_desktop.storage.schema import RunRow
from tests.storage.test_model_calls import DONE, INTENT

REQUEST = '{"source":"/projects/library"}'


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "qverify.db")
    yield opened
    opened.close()


@pytest.fixture
def store(database: Database) -> RunStore:
    return RunStore(database)


def test_it_is_what_the_engine_asks_for(store: RunStore) -> None:
    records: RunRecords = store
    assert records.list() == []


def test_a_run_from_queued_to_finished(store: RunStore) -> None:
    store.create("r1", REQUEST, "2026-01-01T00:00:00Z")
    assert store.request("r1") == REQUEST
    summary = store.get("r1")
    assert summary is not None
    assert (summary.source, summary.status) == ("/projects/library", RunStatus.QUEUED)

    store.set_status("r1", RunStatus.INTERRUPTED, "judge", "The process ended.")
    summary = store.get("r1")
    assert summary is not None
    assert (summary.status, summary.stage, summary.sentence) == (RunStatus.INTERRUPTED, "judge", "The process ended.")
    assert [one.run for one in store.unfinished()] == ["r1"]

    test = GeneratedTest.__new__(GeneratedTest)
    judged = tuple(
        JudgedTest(test, verdict, Reason.GAIN)
        for verdict in (TestVerdict.ACCEPTED, TestVerdict.ACCEPTED, TestVerdict.REFUSED, TestVerdict.SUSPECTED)
    )
    result = RunResult(
        "r1",
        AnalysisRequest("/projects/library"),
        Verdict.NOTHING_SUSPECTED,
        "Two tests.",
        "o",
        None,
        "t",
        tests=judged,
    )
    assert store.finished("/projects/library", 5) == []
    store.finish("r1", result)
    store.finish("r1", result)
    assert store.finished("/projects/library", 5) == ["r1"]
    assert store.finished("/projects", 5) == store.finished("/projects/library", 0) == []
    summary = store.get("r1")
    assert summary is not None
    assert (summary.status, summary.stage, summary.verdict) == (RunStatus.FINISHED, "", "nothing_suspected")
    assert (summary.accepted, summary.refused, summary.suspected) == (2, 1, 0)
    assert store.unfinished() == []


def test_the_list_is_newest_first(store: RunStore) -> None:
    for day in (2, 3, 1):
        store.create(f"r{day}", REQUEST, f"2026-01-0{day}T00:00:00Z")
    assert [one.run for one in store.list()] == ["r3", "r2", "r1"]


def test_names_are_found_by_their_beginning_and_nothing_else(store: RunStore) -> None:
    for run in ("r1a", "r1b", "r2", "R1c", "r%", "r_x"):
        store.create(run, REQUEST, "2026-01-01T00:00:00Z")
    assert store.find("r1") == ["r1a", "r1b"]
    assert store.find("r1a") == ["r1a"]
    assert store.find("r%") == ["r%"]
    assert store.find("r_") == ["r_x"]
    assert store.find("x") == []
    assert store.find("' OR 1=1 --") == []


def test_an_unknown_run_is_a_sentence(store: RunStore) -> None:
    assert store.get("r9") is None
    with pytest.raises(BadInput, match="no run r9"):
        store.request("r9")
    with pytest.raises(BadInput, match="no run r9"):
        store.set_status("r9", RunStatus.RUNNING)


def test_a_name_is_given_once(store: RunStore) -> None:
    store.create("r1", REQUEST, "2026-01-01T00:00:00Z")
    with pytest.raises(BadInput, match="already"):
        store.create("r1", REQUEST, "2026-01-02T00:00:00Z")


@pytest.mark.parametrize("request_json", ["", "[]", "{}", "{"])
def test_a_request_without_a_source_is_refused(store: RunStore, request_json: str) -> None:
    with pytest.raises(BadInput, match="not readable"):
        store.create("r1", request_json, "2026-01-01T00:00:00Z")


def test_measures_of_many_runs_come_at_once(store: RunStore) -> None:
    from tests.export.values import result

    for number in range(3):
        store.create(f"r{number}", REQUEST, f"2026-01-01T00:00:0{number}Z")
    store.finish("r1", result())
    asked = [f"r{number}" for number in range(1200)]
    assert store.measures(asked) == {
        "r1": {
            "lines": [50, 100, 90, 100],
            "branches": [0, 0, 0, 0],
            "mutants": [1, 8, 6, 8],
            "commit": "1" * 40,
            "scope": "changed:main",
            "model": "none",
            "cost_microusd": 1500,
            "duration_ms": 61_500,
        }
    }
    assert store.measures([]) == {}


def test_what_an_older_version_did_not_keep_comes_from_the_ledger_or_is_not_there(
    database: Database, store: RunStore
) -> None:
    from tests.export.values import result

    store.create("r1", REQUEST, "2026-01-01T00:00:00Z")
    store.finish("r1", result())
    ledger = ModelCalls(database, Holder(database))
    for _ in range(2):
        ledger.settle(ledger.intend(replace(INTENT, run="r1")), DONE)
    with database.transaction() as session:
        row = session.get_one(RunRow, "r1")
        kept = json.loads(row.measures)
        del kept["cost_microusd"], kept["duration_ms"]
        row.measures = json.dumps(kept)
    measured = store.measures(["r1"])["r1"]
    assert DONE.cost_microusd and measured["cost_microusd"] == 2 * DONE.cost_microusd
    assert "duration_ms" not in measured


def test_runs_of_some_sources_newest_first(store: RunStore) -> None:
    for number, source in enumerate(("/a", "/b", "/a/", "/a")):
        store.create(f"r{number}", f'{{"source":"{source}"}}', f"2026-01-01T00:00:0{number}Z")
    assert sorted(store.sources()) == ["/a", "/a/", "/b"]
    assert [run.run for run in store.of_sources(["/a", "/a/"])] == ["r3", "r2", "r0"]
    assert store.of_sources([]) == []
