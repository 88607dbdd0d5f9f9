"""Checkpoints are confirmed beside the runs: queued with the close, tried again, over a restart, and never in a run's way."""

import asyncio
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.facade import Engine
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.settings import changing
from qverify_desktop.storage.anchors import FIRST_PAUSE, LONGEST_PAUSE, WITNESS, AnchorStore, Wanted, want
from tests.engine.house import follow, house
from tests.evidence.authority import Authority, reply_by_openssl, served
from tests.evidence.logs import RESULT, House, event
from tests.evidence.witness_server import WitnessServer

ORIGIN = "qverify.local/test"
LOG_KEY = Signer(ORIGIN, b"k" * 32, "").public


@pytest.fixture
def witness(tmp_path: Path) -> WitnessServer:
    return WitnessServer("witness.test/one", tmp_path / "witness", {ORIGIN: [LOG_KEY]})


async def finished(engine: Engine, source: Path) -> str:
    run = await engine.start(AnalysisRequest(str(source)))
    await follow(engine, run)
    return run


async def until(engine: Engine, run: str, hold: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    async with asyncio.timeout(30):
        while not hold(view := await engine.ask("evidence_anchors", run=run)):
            await asyncio.sleep(0.05)
    return view


def held(view: dict[str, Any]) -> bool:
    return all(one["state"] == "held" for one in view["anchors"])


async def test_a_run_is_stamped_and_cosigned_after_its_end(
    home: Path, source: Path, witness: WitnessServer, tmp_path: Path
) -> None:
    authority = Authority.make()
    root = authority.write(tmp_path / "authority")

    def reply(query: bytes) -> tuple[int, str, bytes]:
        return 200, "application/timestamp-reply", reply_by_openssl(tmp_path / "authority", query)

    with served(reply) as (stamps, _), witness.running() as (cosigns, _):
        settings = {"time_stamp_authority": stamps, "time_stamp_certificate": str(root)}
        changing.change(home, {**settings, "witnesses": f"{witness.verifier_key} {cosigns}"})
        async with house(home) as engine:
            run = await finished(engine, source)
            view = await until(engine, run, held)
            assert view["asked"] and [(one["kind"], one["by"]) for one in view["anchors"]] == [
                ("time_stamp", "CN=Time of tests"),
                ("witness", "witness.test/one"),
            ]
            target = await engine.export(run, "evidence", tmp_path / "bundle.zip")
            grade = await engine.ask("evidence_grade", run=run)
            assert grade["grade"] == "WITNESSED", "this installation trusts those that its settings name"
            assert [one["counts"] for one in grade["anchors"]] == [True, True]
            assert target.read_bytes() == (await engine.export(run, "evidence", tmp_path / "b2.zip")).read_bytes()
    answer = verify_bundle(target, tsa_certificates=[root], witnesses=[witness.verifier_key])
    assert answer["grade"] == "WITNESSED" and len(answer["anchors"]) == 2
    assert verify_bundle(target, tsa_certificates=[root])["grade"] == "TIMESTAMPED"


async def test_it_waits_over_a_restart_and_nothing_holds_the_run_up(
    home: Path, source: Path, witness: WitnessServer
) -> None:
    changing.change(home, {"witnesses": f"{witness.verifier_key} http://127.0.0.1:9/"})
    async with house(home) as engine:
        run = await finished(engine, source)
        view = await until(engine, run, lambda view: bool(view["anchors"][0]["sentence"]))
        assert view["anchors"][0]["state"] == "waiting" and "can't be reached" in view["anchors"][0]["sentence"]
        assert (await engine.show(run))["exit_code"] == 0
        began = time.monotonic()
    assert time.monotonic() - began < 3, "closing does not wait for what was tried before"
    with witness.running() as (url, _):
        changing.change(home, {"witnesses": f"{witness.verifier_key} {url}"})
        async with house(home) as engine:
            assert not held(await engine.ask("evidence_anchors", run=run)), "the second try has its time"
            assert held(await engine.ask("evidence_anchor", run=run)) or await until(engine, run, held)
            assert (await engine.ask("evidence_grade", run=run))["grade"] == "WITNESSED"


async def test_what_was_queued_and_never_tried_is_tried_at_the_next_start(
    home: Path, source: Path, witness: WitnessServer
) -> None:
    """A kill between the close and the first try: the row was written with the checkpoint."""
    async with house(home) as engine:
        run = await finished(engine, source)
        assert (await engine.ask("evidence_anchors", run=run))["anchors"] == []
        size = (await engine.ask("evidence_anchors", run=run))["size"]
        with engine._parts.database.transaction() as session:
            want(session, size, [Wanted(WITNESS, witness.verifier_key)])
    with witness.running() as (url, _):
        changing.change(home, {"witnesses": f"{witness.verifier_key} {url}"})
        async with house(home) as engine:
            await until(engine, run, held)


async def test_a_time_that_was_written_under_a_clock_a_year_ahead_is_not_waited_for(
    home: Path, source: Path, witness: WitnessServer
) -> None:
    changing.change(home, {"witnesses": f"{witness.verifier_key} http://127.0.0.1:9/"})
    async with house(home) as engine:
        run = await finished(engine, source)
        await until(engine, run, lambda view: bool(view["anchors"][0]["sentence"]))
        with engine._parts.database.statements() as connection:
            connection.execute("UPDATE anchors SET next_at = next_at + 365 * 86400")
    with witness.running() as (url, _):
        changing.change(home, {"witnesses": f"{witness.verifier_key} {url}"})
        async with house(home) as engine:
            await until(engine, run, held)


async def test_the_air_gap_keeps_it_waiting_and_says_so(home: Path, source: Path, witness: WitnessServer) -> None:
    changing.change(home, {"witnesses": f"{witness.verifier_key} http://192.0.2.1/", "air_gap": True})
    async with house(home) as engine:
        run = await finished(engine, source)
        view = await until(engine, run, lambda view: bool(view["anchors"][0]["sentence"]))
        assert view["anchors"][0]["state"] == "waiting" and "air gap" in view["anchors"][0]["sentence"]
        with witness.running() as (url, asked):
            await engine.ask(
                "settings_change", changes={"air_gap": False, "witnesses": f"{witness.verifier_key} {url}"}
            )
            await until(engine, run, held)
            assert len(asked) == 1


async def test_a_fork_is_told_and_asked_again_only_by_a_person(
    home: Path, source: Path, witness: WitnessServer, tmp_path: Path
) -> None:
    # The witness has seen another log under this name and key.
    other = House(tmp_path / "other", key=b"k" * 32)
    other.close()
    with witness.running() as (url, asked):
        text = f"{ORIGIN}\n1\n{'A' * 43}=\n"
        note = Signer(ORIGIN, b"k" * 32, "").sign(text)
        assert witness.add_checkpoint(f"old 0\n\n{note}".encode())[0] == 200
        changing.change(home, {"witnesses": f"{witness.verifier_key} {url}"})
        async with house(home) as engine:
            run = await finished(engine, source)
            view = await until(engine, run, lambda view: view["anchors"][0]["state"] == "refused")
            assert "another history" in view["anchors"][0]["sentence"]
            before = len(asked)
            await engine.ask("settings_change", changes={"patience_s": 61})
            await asyncio.sleep(0.3)
            assert len(asked) == before
            await engine.ask("evidence_anchor", run=run)
            await until(engine, run, lambda _: len(asked) > before)


async def test_nobody_is_asked_where_nobody_is_set(home: Path, source: Path) -> None:
    async with house(home) as engine:
        run = await finished(engine, source)
        view = await engine.ask("evidence_anchors", run=run)
        assert view["anchors"] == [] and not view["asked"] and view["size"] > 0
        with pytest.raises(BadInput, match="Nobody is set"):
            await engine.ask("evidence_anchor", run=run)


def test_the_time_between_tries_doubles_up_to_six_hours(tmp_path: Path) -> None:
    log = House(tmp_path, wanted=[Wanted(WITNESS, "w")])
    log.whole_run("r1")
    store, pauses = AnchorStore(log.database), []
    for _ in range(16):
        (row,) = store.waiting()
        pauses.append(store.put_off(row, "no", now=0))
    assert pauses[0] == FIRST_PAUSE and pauses[-1] == LONGEST_PAUSE
    assert all(later == min(LONGEST_PAUSE, 2 * sooner) for sooner, later in pairwise(pauses))
    store.hurry(refused=False)
    assert store.waiting()[0].next_at == 0
    store.refuse(store.waiting()[0], "never")
    store.hurry(refused=False)
    assert store.waiting() == []
    store.hurry(refused=True)
    assert len(store.waiting()) == 1
    log.close()


def test_decisions_of_people_are_not_sent_to_anybody(tmp_path: Path) -> None:
    """Only the close of an analysis queues anchors; a short record of a decision is covered by the next one."""
    log = House(tmp_path, wanted=[Wanted(WITNESS, "w")])
    log.whole_run("r1")
    said = [event("run_opened", {"kind": "decision", "about": "r1"}), event("run_closed", {"outcome": "decision"})]
    log.journal.record("d1", "decision", RESULT, said)
    log.journal.checkpoint("d1")
    assert len(AnchorStore(log.database).waiting()) == 1
    log.close()
