"""Bundles that are sent to a real hosted service: once, whatever breaks on the way, and only what may leave."""

from __future__ import annotations

import asyncio
import json
import zipfile
from pathlib import Path

import pytest

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable
from tests.engine.house import ScriptedAnalysis, follow
from tests.hosted.doing import (
    desktop,
    end_faults,
    finished_run,
    held,
    let_in,
    outcome,
    parts_sent,
    ready,
    signed_in,
    until,
)
from tests.hosted_service.bundles import Bundles
from tests.hosted_service.checkpoints import cosigned_at
from tests.hosted_service.object_storage import BUCKET
from tests.hosted_service.service import HostedService


async def test_a_run_is_sent_and_comes_back_countersigned(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        assert (await signed_in(engine, hosted))["state"] == "done"
        run = await finished_run(engine, tmp_path / "source")
        leaving = await engine.ask("hosted_leaving", run=run)
        sent = await outcome(engine, run)
        events = (await engine.ask("evidence_log", text="export"))["entries"]
    assert sent["state"] == "done", sent
    assert (sent["grade"], sent["done"]) == ("UNANCHORED", leaving["bytes"])
    assert sent["sha256"] == leaving["sha256"]
    note = Path(sent["checkpoint"]).read_text("utf-8")
    assert cosigned_at(note, hosted.cosigner) > 1_700_000_000
    assert hosted.rows("select state, request->>'run' from imports") == [("accepted", run)]
    assert [one["type"] for one in events if not one["type"].startswith("run_")] == ["export_intended", "exported"]
    # Nothing is left of what was sent but the queue's memory.
    assert list((home / "hosted").iterdir()) == []


async def test_what_is_shown_beforehand_is_what_is_sent(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        run = await finished_run(engine, tmp_path / "source")
        leaving = await engine.ask("hosted_leaving", run=run)
        assert hosted.rows("select count(*) from imports") == [(0,)]
    assert leaving["refusal"] == "" and leaving["host"] == hosted.url.removeprefix("https://")
    assert {one["name"] for one in leaving["files"]} >= {"entries.jsonl", "headers.jsonl", "bundle.json"}
    assert 0 < sum(one["bytes"] for one in leaving["files"]) <= leaving["bytes"]


@pytest.mark.parametrize("contents", ["redacted", "headers"])
async def test_less_of_a_run_is_sent(home: Path, hosted: HostedService, tmp_path: Path, contents: str) -> None:
    analysis = ScriptedAnalysis()
    analysis.evidence = [Evidence("model_prompt", {"target": "one"}, {"prompt": b"def secret_of_the_house(): ..."})]
    async with desktop(home, analysis=analysis) as engine:
        await let_in(engine, hosted)
        run = await finished_run(engine, tmp_path / "source")
        full = await engine.ask("hosted_leaving", run=run)
        leaving = await engine.ask("hosted_leaving", run=run, contents=contents)
        sent = await outcome(engine, run, contents=contents)
    assert sent["state"] == "done", sent
    assert "blobs/" in {one["name"] for one in full["files"]}
    assert not {"blobs/", "salts.jsonl"} & {one["name"] for one in leaving["files"]}
    ((key, disclosure),) = hosted.rows("select id, request->>'disclosure' from imports")
    assert disclosure == contents
    arrived = tmp_path / "arrived.zip"
    bundles = Bundles(hosted.storage, str(hosted.ca))
    (stored,) = [one["Key"] for one in bundles.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if key in one["Key"]]
    assert bundles.fetch(stored, arrived) == leaving["sha256"]
    assert b"secret_of_the_house" not in arrived.read_bytes()


@pytest.mark.parametrize(
    "fault",
    [
        ("POST", "^/v1/imports$", {"cut": "after"}),
        ("POST", "/parts$", {"status": 503, "retry_after": 1}),
        ("GET", "/parts$", {"cut": "before"}),
        ("POST", "/complete$", {"cut": "after"}),
        ("GET", "/events$", {"cut_after": 60}),
        ("POST", "^/v1/imports$", {"status": 429, "retry_after": 1}),
        ("POST", "/complete$", {"kill": "after"}),
    ],
    ids=lambda fault: f"{fault[0]} {fault[1]} {next(iter(fault[2]))}",
)
async def test_one_import_whatever_breaks_once(
    home: Path, hosted: HostedService, tmp_path: Path, fault: tuple[str, str, dict[str, object]]
) -> None:
    method, path, action = fault
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        hosted.fault(method, path, **action)
        sent = await outcome(engine, run)
    assert sent["state"] == "done", sent
    assert hosted.rows("select state from imports") == [("accepted",)]
    assert hosted.rows("select remaining from faults") == [(0,)], "the fault did not strike"


async def test_a_storage_that_fails_and_cuts_is_tried_again(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        hosted.storage_faults(
            *({"method": "PUT", "path": ".", "times": 1, **fault} for fault in ({"status": 503}, {"cut_after": 100}))
        )
        sent = await outcome(engine, run)
    assert sent["state"] == "done", sent


async def test_a_restart_goes_on_with_the_parts_that_are_missing(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted, store="file", passphrase="a passphrase of a test")
        run = await finished_run(engine, tmp_path / "source")
        hosted.set(limits={"part_size": 1024})
        hosted.fault("POST", "/complete$", times=50, status=503, retry_after=1)
        queued = await engine.ask("hosted_send", run=run)
        await until(engine, queued["export"], "running", stage="sending")
        async with asyncio.timeout(20):
            while hosted.rows("select remaining from faults") == [(50,)]:
                await asyncio.sleep(0.05)
    stored = json.loads((home / "hosted-exports.json").read_text("utf-8"))
    assert [one["state"] for one in stored] == ["running"]
    before = parts_sent(hosted)
    end_faults(hosted)
    async with desktop(home) as engine:
        await engine.ask("keys_unlock", passphrase="a passphrase of a test")
        sent = await until(engine, queued["export"], "done", "failed")
    assert sent["state"] == "done", sent
    assert parts_sent(hosted) == before > 1, "parts that had arrived were sent again"
    assert hosted.rows("select state from imports") == [("accepted",)]


@pytest.mark.parametrize("change", ["signing_key_rotate", "signing_key_revoke"])
async def test_a_log_goes_on_there_under_its_new_key(
    home: Path, hosted: HostedService, tmp_path: Path, change: str
) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        sent = await outcome(engine, run)
        assert sent["state"] == "done", sent
        await engine.ask(change, reason="a test")
        later = await finished_run(engine, tmp_path / "source", fresh=True)
        again = await outcome(engine, later)
        assert again["state"] == "done", again
    assert hosted.rows("select state from imports") == [("accepted",)] * 2
    kinds = {"signing_key_rotate": "rotated", "signing_key_revoke": "revoked"}
    assert hosted.rows("select kind from key_changes") == [(kinds[change],)]


async def test_local_only_is_never_sent(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        await engine.ask("repository_decide", source=str(tmp_path / "source"), cloud="local_only")
        leaving = await engine.ask("hosted_leaving", run=run)
        with pytest.raises(BadInput, match="nothing of this repository leaves this machine"):
            await engine.ask("hosted_send", run=run)
        assert "nothing of this repository leaves" in leaving["refusal"]
    assert hosted.rows("select count(*) from imports") == [(0,)]


async def test_what_is_forbidden_while_it_waits_is_not_sent(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        queued = await held(engine, hosted, run, "^/v1/imports$")
        await engine.ask("repository_decide", source=str(tmp_path / "source"), cloud="local_only")
        await engine.ask("hosted_resume", export=queued["export"])
        one = await until(engine, queued["export"], "failed")
    assert "nothing of this repository leaves this machine" in one["sentence"]


async def test_the_air_gap_ends_it_and_refuses_the_next(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        queued = await held(engine, hosted, run, "^/v1/imports$")
        await engine.ask("settings_change", changes={"allow_hosted": False})
        one = await until(engine, queued["export"], "paused")
        assert "closed" in one["sentence"]
        with pytest.raises(BadInput, match="switched off"):
            await engine.ask("hosted_resume", export=queued["export"])


async def test_nobody_signed_in_waits_for_somebody(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        run = await finished_run(engine, tmp_path / "source")
        one = await outcome(engine, run)
        assert "Nobody is signed in" in one["sentence"] and "qverify hosted sign-in" in one["remedy"]
        await signed_in(engine, hosted)
        one = await until(engine, one["export"], "done")
    assert one["grade"] == "UNANCHORED"


async def test_refusals_have_their_sentences(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        hosted.set(limits={"max_bundle_size": 1000})
        queued = await engine.ask("hosted_send", run=run)
        large = await until(engine, queued["export"], "failed")
        hosted.set(limits=None, quotas={"imports": 0})
        await engine.ask("hosted_resume", export=queued["export"])
        quota = await until(engine, queued["export"], "failed")
        events = (await engine.ask("evidence_log", text="refused"))["entries"]
    assert "larger than the hosted service takes" in large["sentence"] and "--content headers" in large["remedy"]
    assert "no room" in quota["sentence"] and "hosted usage" in quota["remedy"]
    assert [one["type"] for one in events if one["type"] == "export_refused"] == ["export_refused"] * 2


async def test_a_log_that_was_written_anew_is_refused_and_the_known_checkpoint_kept(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        assert (await outcome(engine, run))["state"] == "done"
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (other / "settings.toml").write_bytes((home / "settings.toml").read_bytes())
    # The same key and the same name of the log: what somebody does who writes it anew.
    async with ready(other, hosted, tmp_path / "source") as (engine, run):
        one = await outcome(engine, run)
    assert "two histories of one log" in one["sentence"], one
    file = other / "runs" / run / "known-to-the-service.checkpoint"
    assert str(file) in one["remedy"] and file.read_text("utf-8").startswith("qverify.local/test\n")


async def test_dropped_from_the_queue_is_given_up_there(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with ready(home, hosted, tmp_path / "source") as (engine, run):
        queued = await held(engine, hosted, run, "/complete$")
        await engine.ask("hosted_drop", export=queued["export"])
        assert (await engine.ask("hosted_exports"))["exports"] == []
        await follow(engine, run)
    assert hosted.rows("select state from imports") == [("cancelled",)]
    assert list((home / "hosted").iterdir()) == []


async def brought_bundle(folder: Path, source: Path) -> tuple[str, Path]:
    """A bundle out of the state folder of another machine, as it lies on a memory stick."""
    folder.mkdir()
    home = folder.parent / "home of another machine"
    home.mkdir(mode=0o700)
    async with desktop(home) as engine:
        run = await finished_run(engine, source)
        return run, await engine.export(run, "evidence-redacted", folder / "a run.qvevidence.zip")


async def test_a_bundle_from_a_machine_with_no_network_is_sent(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    run, file = await brought_bundle(tmp_path / "stick", tmp_path / "source")
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        leaving = await engine.ask("hosted_leaving", bundle=str(file))
        assert (leaving["run"], leaving["contents"], leaving["refusal"]) == (run, "redacted", "")
        assert hosted.rows("select count(*) from imports") == [(0,)]
        queued = await engine.ask("hosted_send", bundle=str(file))
        sent = await until(engine, queued["export"], "done", "failed")
        again = await engine.ask("hosted_send", bundle=str(file))
        events = (await engine.ask("evidence_log", text="export"))["entries"]
    assert sent["state"] == "done", sent
    assert again["state"] == "done" and (sent["grade"], sent["sha256"]) == ("UNANCHORED", leaving["sha256"])
    assert sent["checkpoint"] == str(file.with_name(f"{run}.countersigned.checkpoint"))
    assert cosigned_at(Path(sent["checkpoint"]).read_text("utf-8"), hosted.cosigner) > 1_700_000_000
    ((state, request),) = hosted.rows("select state, request from imports")
    assert (state, request["run"], request["disclosure"]) == ("accepted", run, "redacted")
    assert [one["type"] for one in events if not one["type"].startswith("run_")] == ["export_intended", "exported"]
    assert list((home / "hosted").iterdir()) == []


async def test_a_brought_bundle_is_sent_to_its_end_without_its_file(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    run, file = await brought_bundle(tmp_path / "stick", tmp_path / "source")
    async with desktop(home) as engine:
        await let_in(engine, hosted, store="file", passphrase="a passphrase of a test")
        hosted.fault("POST", "^/v1/imports$", times=1000, status=503, retry_after=86_400)
        queued = await engine.ask("hosted_send", bundle=str(file))
        await until(engine, queued["export"], "running", stage="waiting")
    file.unlink()
    file.parent.rmdir()
    end_faults(hosted)
    async with desktop(home) as engine:
        await engine.ask("keys_unlock", passphrase="a passphrase of a test")
        await engine.ask("hosted_resume", export=queued["export"])
        sent = await until(engine, queued["export"], "done", "failed")
    assert sent["state"] == "done", sent
    assert sent["checkpoint"] == str(home / "hosted" / f"{run}.countersigned.checkpoint")
    assert Path(sent["checkpoint"]).is_file()


async def test_a_bundle_that_does_not_hold_is_never_sent(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    _, file = await brought_bundle(tmp_path / "stick", tmp_path / "source")
    with zipfile.ZipFile(file) as old:
        members = {name: old.read(name) for name in old.namelist()}
    with zipfile.ZipFile(file, "w") as new:
        for name, content in members.items():
            new.writestr(name, content.replace(b"run_closed", b"run_closet") if name == "entries.jsonl" else content)
    other = file.with_name("a picture.zip")
    other.write_bytes(b"\x89PNG" + bytes(200))
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        for question in ("hosted_leaving", "hosted_send"):
            with pytest.raises(BadInput, match="does not hold"):
                await engine.ask(question, bundle=str(file))
            with pytest.raises(EvidenceUnreadable, match="a picture"):
                await engine.ask(question, bundle=str(other))
            with pytest.raises(BadInput, match="No such file"):
                await engine.ask(question, bundle=str(file) + ".gone")
        await engine.ask("settings_change", changes={"allow_hosted": False})
        assert (await engine.ask("hosted_exports"))["exports"] == []
    assert hosted.rows("select count(*) from imports") == [(0,)]
    assert list((home / "hosted").iterdir()) == []


async def test_a_brought_bundle_stays_here_where_nothing_may_be_sent(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    _, file = await brought_bundle(tmp_path / "stick", tmp_path / "source")
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        await engine.ask("settings_change", changes={"allow_hosted": False})
        assert "switched off" in (await engine.ask("hosted_leaving", bundle=str(file)))["refusal"]
        with pytest.raises(BadInput, match="switched off"):
            await engine.ask("hosted_send", bundle=str(file))
    assert list((home / "hosted").iterdir()) == []
