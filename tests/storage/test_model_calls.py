"""The ledger of model calls over a real database, with a process that is really killed."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.model import CallState, Intent, Settlement
from qverify_desktop.gateway.ports import Ledger
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_calls import ModelCalls
from qverify_desktop.storage.model_usage import ModelUsage
from qverify_desktop.storage.schema import APPLICATION_ID, MIGRATIONS

INTENT = Intent("r1", "/repo", "r1/7", "generate", "azure", "azure", "gpt-4.1", 1000, 50_000, "2026-11-05T10:00:00Z")
DONE = Settlement(CallState.ANSWERED, 1001, 200, 3_602, 1500)

#: Holds an intent and a ticket until it is killed.
HOLDER = """
import sys, time
from pathlib import Path
from qverify_desktop.domain.model import Intent, RateLimit
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_calls import ModelCalls
from qverify_desktop.storage.model_limits import ModelLimits
database = Database(Path(sys.argv[1]))
holder = Holder(database)
calls = ModelCalls(database, holder)
calls.intend(Intent("r1", "/repo", "r1/1", "generate", "azure", "azure", "gpt-4.1", 10, 700, "2026-11-30T23:59:59Z"))
ModelLimits(database, holder).enter("ollama", RateLimit(at_once=1))
print("ready", flush=True)
time.sleep(600)
"""


def started(path: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def killed(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "qverify.db")
    yield opened
    opened.close()


@pytest.fixture
def calls(database: Database) -> ModelCalls:
    return ModelCalls(database, Holder(database))


def test_an_open_call_counts_with_its_estimate_and_an_answered_one_with_its_cost(calls: ModelCalls) -> None:
    ledger: Ledger = calls
    first = ledger.intend(INTENT)
    assert ledger.spent_by_run("r1") == ledger.spent_in_month("2026-11") == 50_000
    ledger.settle(first, DONE)
    ledger.settle(first, replace(DONE, cost_microusd=9))
    assert ledger.spent_by_run("r1") == ledger.spent_in_month("2026-11") == 3_602
    second = ledger.intend(INTENT)
    ledger.settle(second, Settlement(CallState.FAILED, sentence="It takes no more requests."))
    assert ledger.spent_by_run("r1") == 3_602
    assert second == first + 1


def test_a_month_holds_its_first_and_its_last_second_and_no_other(calls: ModelCalls) -> None:
    for at in ("2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z", "2026-11-30T23:59:59.999Z", "2026-12-01T00:00:00Z"):
        calls.intend(replace(INTENT, sent_at=at))
    assert [calls.spent_in_month(month) for month in ("2026-10", "2026-11", "2026-12", "2026-1")] == [
        50_000,
        100_000,
        50_000,
        0,
    ]


def test_sums_tell_failed_cached_and_doubtful_apart(database: Database, calls: ModelCalls) -> None:
    calls.settle(calls.intend(INTENT), DONE)
    calls.settle(calls.intend(INTENT), Settlement(CallState.FAILED, sentence="No."))
    calls.settle(calls.intend(replace(INTENT, estimate_microusd=0)), Settlement(CallState.CACHED, 1001, 200))
    calls.intend(replace(INTENT, source="/other", run="r2", sent_at="2026-12-01T00:00:00Z"))
    usage = ModelUsage(database)
    newest, oldest = usage.sums("run")
    assert oldest.group == ("r1", "/repo")
    assert (oldest.calls, oldest.failed, oldest.cached, oldest.doubtful) == (2, 1, 1, 0)
    assert (oldest.prompt_tokens, oldest.completion_tokens, oldest.cost_microusd) == (1001, 200, 3_602)
    assert (newest.group, newest.doubtful, newest.doubtful_microusd, newest.cost_microusd) == (
        ("r2", "/other"),
        1,
        50_000,
        0,
    )
    assert [one.group for one in usage.sums("month")] == [("2026-12",), ("2026-11",)]
    assert [one.group for one in usage.sums("repository")] == [("/other",), ("/repo",)]
    assert [one.group for one in usage.sums("provider")] == [("azure", "gpt-4.1")]
    assert [one.state for one in usage.calls("r1")] == [CallState.CACHED, CallState.FAILED, CallState.ANSWERED]
    with pytest.raises(KeyError):
        usage.sums("moon")


def test_intents_of_a_killed_process_are_in_doubt_and_those_of_a_living_one_are_not(database: Database) -> None:
    process = started(database.path)
    try:
        assert ModelCalls(database, Holder(database)).in_doubt == {}
    finally:
        killed(process)
    again = ModelCalls(database, Holder(database))
    assert again.in_doubt == {INTENT.deployment: 1}
    assert again.spent_by_run("r1") == 700
    (call,) = ModelUsage(database).calls()
    assert call.state is CallState.IN_DOUBT
    assert "may have been charged" in call.sentence
    again.settle(call.call, DONE)
    assert ModelUsage(database).calls()[0].state is CallState.IN_DOUBT
    assert ModelCalls(database, Holder(database)).in_doubt == {}


def test_files_of_dead_holders_are_swept_and_a_name_is_never_a_path(database: Database) -> None:
    killed(started(database.path))
    own = Holder(database)
    folder = database.path.with_name("qverify.db-holders")
    assert [path.name for path in folder.iterdir()] == [own.name]
    assert not own.alive("../qverify.db")
    assert Holder(database).alive(own.name)
    own.close()
    assert list(folder.glob(own.name)) == []


def test_money_is_never_a_float(calls: ModelCalls, database: Database) -> None:
    with pytest.raises(TypeError):
        calls.intend(replace(INTENT, estimate_microusd=0.5))  # type: ignore[arg-type]
    call = calls.intend(INTENT)
    with pytest.raises(TypeError):
        calls.settle(call, replace(DONE, cost_microusd=1.0))  # type: ignore[arg-type]
    calls.settle(call, replace(DONE, cost_microusd=10**30, prompt_tokens=-5))
    (kept,) = ModelUsage(database).calls()
    assert kept.prompt_tokens == 0
    assert 0 < calls.spent_by_run("r1") < 2**63
    with sqlite3.connect(database.path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute("UPDATE model_calls SET cost_microusd = 0.5")
    connection.close()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_older_database_gets_the_tables_and_keeps_its_runs(tmp_path: Path, version: int) -> None:
    path = tmp_path / "qverify.db"
    with sqlite3.connect(path) as connection:
        for statement in (one for step in MIGRATIONS[:version] for one in step):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO runs (run, request_json, source, started_at, status, stage, sentence, verdict, accepted, "
            "refused, suspected) VALUES ('r0', '{}', '/repo', '2026-01-01T00:00:00Z', 'queued', '', '', '', 0, 0, 0)"
        )
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version={version}")
    connection.close()
    database = Database(path)
    calls = ModelCalls(database, Holder(database))
    calls.intend(INTENT)
    assert calls.spent_by_run("r1") == 50_000
    with database.reading() as session:
        assert session.connection().exec_driver_sql("SELECT run FROM runs").scalars().all() == ["r0"]
    database.close()


def test_answers_from_before_the_ledger_are_taken_out_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "qverify.db"
    leaf = b'{"data":{"completion_tokens":3,"cost_microusd":7,"duration_ms":5,"model":"m","prompt_tokens":20,"provider":"openai"}}'
    with sqlite3.connect(path) as connection:
        for statement in (one for step in MIGRATIONS[:3] for one in step):
            connection.execute(statement)
        connection.execute(
            "INSERT INTO runs (run, request_json, source, started_at, status, stage, sentence, verdict, accepted, "
            "refused, suspected) VALUES ('r0', '{}', '/repo', '2026-01-01T00:00:00Z', 'queued', '', '', '', 0, 0, 0)"
        )
        connection.execute("INSERT INTO steps VALUES ('r0', 's', '', 0, 4, '')")
        for number, content in enumerate((leaf, b"no json", b"{}", b'{"data":{"cost_microusd":"x","model":null}}')):
            connection.execute(
                "INSERT INTO entries VALUES (?, 'r0', ?, 's', 'model_answer', ?, x'')", (number, number, content)
            )
        connection.execute(f"PRAGMA application_id={APPLICATION_ID}")
        connection.execute("PRAGMA user_version=3")
    connection.close()
    database = Database(path)
    usage = ModelUsage(database)
    (run,) = usage.sums("run")
    assert (run.group, run.calls, run.cost_microusd, run.prompt_tokens) == (("r0", "/repo"), 4, 7, 20)
    assert [(one.provider, one.model) for one in usage.calls()] == [("", ""), ("", ""), ("", ""), ("openai", "m")]
    assert ModelCalls(database, Holder(database)).in_doubt == {}
    database.close()


def test_spending_is_found_by_an_index(database: Database, calls: ModelCalls) -> None:
    with database.reading() as session:
        for where in ("run = 'r'", "sent_at >= '2026-11-' AND sent_at < '2026-11.'"):
            plan = session.connection().exec_driver_sql(
                f"EXPLAIN QUERY PLAN SELECT sum(cost_microusd) FROM model_calls WHERE {where}"
            )
            assert "USING INDEX" in str(plan.all()), where
