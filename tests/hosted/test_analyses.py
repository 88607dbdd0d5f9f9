"""Analyses that a real service runs, begun and watched from here."""

from __future__ import annotations

import asyncio
import hashlib
import io
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.evidence.verify import verify_bundle
from qverify_desktop.repository.upstream import upstream, web_address
from tests.evidence.logs import packed
from tests.hosted.doing import PATIENCE_S, desktop, let_in
from tests.hosted_service.bundles import Bundles
from tests.hosted_service.service import HostedService

URL = "https://git.example.org/acme/billing.git"


def repository(folder: Path, remote: str = "git@git.example.org:acme/billing.git") -> str:
    """A repository with one commit and a remote; answers the commit."""

    def git(*words: str) -> str:
        settings = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"]
        done = subprocess.run(["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    folder.mkdir()
    git("init", "-q")
    (folder / "one.py").write_text("def one():\n    return 1\n", "utf-8")
    git("add", ".")
    git("commit", "-qm", "one")
    git("remote", "add", "origin", remote)
    return git("rev-parse", "HEAD")


async def test_a_folder_is_analysed_there_and_watched_from_here(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    commit = repository(tmp_path / "source")
    # Slow enough that what happens there is seen while it happens.
    hosted.set(pace_s=0.3)
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        found = await engine.ask("hosted_source", source=str(tmp_path / "source"))
        assert (found["url"], found["commit"], found["refusal"]) == (URL, commit, "")
        begun = await engine.ask("hosted_analyze", source=str(tmp_path / "source"), label="Mine", key="k" * 32)
        again = await engine.ask("hosted_analyze", source=str(tmp_path / "source"), label="Mine", key="k" * 32)
        assert begun["id"] == again["id"], "one key begins one analysis"
        event, seen = "", []
        while begun["state"] not in ("done", "failed"):
            told = await engine.ask("hosted_analysis_watch", id=begun["id"], after=event)
            begun, event = told["analysis"], told["event"]
            seen.append(event)
        assert (begun["state"], begun["url"], begun["commit"], begun["label"]) == ("done", URL, commit, "Mine")
        assert len({*seen}) > 1
        assert [one["id"] for one in await engine.ask("hosted_analyses")] == [begun["id"]]
        entries = (await engine.ask("evidence_log", text="hosted"))["entries"]
    assert "hosted_analysis" in [one["type"] for one in entries]


async def test_an_analysis_is_ended(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    repository(tmp_path / "source")
    hosted.set(pace_s=5)
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        begun = await engine.ask("hosted_analyze", source=str(tmp_path / "source"))
        assert (await engine.ask("hosted_analysis_cancel", id=begun["id"]))["state"] == "cancelled"


async def test_local_only_and_what_nobody_can_fetch_are_not_sent(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    repository(tmp_path / "source")
    repository(tmp_path / "private", "/srv/git/billing.git")
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        await engine.ask("repository_decide", source=str(tmp_path / "source"), cloud="local_only")
        with pytest.raises(BadInput, match="nothing of this repository leaves this machine"):
            await engine.ask("hosted_analyze", source=str(tmp_path / "source"))
        with pytest.raises(BadInput, match="nothing of this repository leaves this machine"):
            await engine.ask("hosted_analyze", source=str(tmp_path / "source"), url=URL, commit="a" * 40)
        with pytest.raises(BadInput, match="no https address"):
            await engine.ask("hosted_analyze", source=str(tmp_path / "private"))
        with pytest.raises(BadInput, match="full id of a commit"):
            await engine.ask("hosted_analyze", source=URL)
        with pytest.raises(HostedFailure):
            await engine.ask("hosted_analysis_watch", id="../../v1/account")
    assert hosted.rows("select count(*) from analyses") == [(0,)]


@pytest.mark.parametrize(
    ("address", "web"),
    [
        ("git@host.example:a/b.git", "https://host.example/a/b.git"),
        ("ssh://git@host.example/a/b", "https://host.example/a/b"),
        ("https://host.example/a/b", "https://host.example/a/b"),
        ("https://me:secret@host.example/a/b", ""),
        ("https://host.example/a?token=1", ""),
        ("/srv/git/b.git", ""),
        ("file:///srv/b.git", ""),
        ("ext::sh -c touch% /tmp/x", ""),
        ("", ""),
    ],
)
def test_web_addresses(address: str, web: str) -> None:
    assert web_address(address) == web


def test_a_remote_that_is_hostile_is_only_text(tmp_path: Path) -> None:
    repository(tmp_path / "source", "ext::sh -c 'touch /tmp/owned'")
    assert upstream(str(tmp_path / "source")).url == ""


async def done(engine: Any, folder: Path) -> dict[str, Any]:
    """An analysis at the service, at its end."""
    if not folder.exists():
        repository(folder)
    begun = await engine.ask("hosted_analyze", source=str(folder))
    async with asyncio.timeout(PATIENCE_S):
        while begun["state"] not in ("done", "failed", "cancelled"):
            begun = (await engine.ask("hosted_analysis_watch", id=begun["id"]))["analysis"]
    return dict(begun)


async def test_its_bundle_is_fetched_and_verified(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    file = tmp_path / "there.qvevidence.zip"
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        one = await done(engine, tmp_path / "source")
        view = await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(file))
        again = await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(file))
    answer = verify_bundle(file, public_key=view["public_key"])
    assert (answer["valid"], view["grade"], view["path"]) == (True, "UNANCHORED", str(file)) and view == again
    assert "countersigned exactly this state of the log" in view["checked"]
    assert file.stat().st_mode & 0o777 == 0o600 and view["bytes"] == file.stat().st_size
    assert sorted(one.name for one in tmp_path.iterdir() if "qverify" in one.name or "qvevidence" in one.name) == [
        file.name
    ]


async def test_a_bundle_that_is_not_there_yet_and_places_that_are_none(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    repository(tmp_path / "source")
    hosted.set(pace_s=5)
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        begun = await engine.ask("hosted_analyze", source=str(tmp_path / "source"))
        for path, words in (
            (tmp_path / "b.zip", "has no bundle"),
            (tmp_path, "no file that could be written"),
            (Path("b.zip"), "no file that could be written"),
        ):
            with pytest.raises(BadInput, match=words):
                await engine.ask("hosted_analysis_bundle", id=begun["id"], path=str(path))
        await engine.ask("hosted_analysis_cancel", id=begun["id"])
        hosted.set(pace_s=None)
        one = await done(engine, tmp_path / "source")
        with pytest.raises(BadInput, match="can't be written"):
            await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(tmp_path / "gone" / "b.zip"))
    assert not list(tmp_path.glob("*.zip*")) and not list(tmp_path.glob(".qverify-*"))


def altered(raw: bytes) -> bytes:
    """The same bundle with one entry changed: whole as an archive, broken as evidence."""
    files = {}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["entries.jsonl"] = files["entries.jsonl"].replace(b'"exit_code":0', b'"exit_code":1')
    return packed(files)


async def test_a_bundle_that_does_not_hold_is_kept_aside(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    file = tmp_path / "there.zip"
    file.write_bytes(b"what stood there before")
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        one = await done(engine, tmp_path / "source")
        ((key,),) = hosted.rows("select bundle from analyses where id = %s", one["id"])
        bundles = Bundles(hosted.storage, str(hosted.ca))
        bundles.fetch(key, tmp_path / "honest")
        forged = altered((tmp_path / "honest").read_bytes())
        (tmp_path / "forged").write_bytes(forged)
        bundles.put(key, tmp_path / "forged")
        # Another file than was announced is thrown away.
        with pytest.raises(HostedFailure, match="not the bundle that the hosted service announced"):
            await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(file))
        assert not (tmp_path / "there.zip.refused").exists()
        # The same where the service itself announces it: it is evidence of what the service did.
        with psycopg.connect(hosted.dsn, autocommit=True) as connection:
            facts = {"bundle": {"size": len(forged), "sha256": hashlib.sha256(forged).hexdigest()}}
            connection.execute("update analyses set result = result || %s", (Jsonb(facts),))
        with pytest.raises(HostedFailure, match="does not hold: INVALID") as raised:
            await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(file))
    aside = tmp_path / "there.zip.refused"
    assert str(aside) in raised.value.sentence and str(aside) in raised.value.remedy
    assert aside.read_bytes() == forged and file.read_bytes() == b"what stood there before"
    assert not list(tmp_path.glob(".qverify-*"))


async def test_a_bundle_under_a_countersignature_of_somebody_else_is_kept_aside(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        one = await done(engine, tmp_path / "source")
        await engine.ask(
            "settings_change", changes={"hosted_key": hosted.cosigner.replace("hosted.test", "other.test")}
        )
        with pytest.raises(HostedFailure, match="another key than the one that was kept") as raised:
            await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(tmp_path / "b.zip"))
    assert (tmp_path / "b.zip.refused").exists() and not (tmp_path / "b.zip").exists(), raised.value


async def test_a_download_that_is_cut_begins_anew(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        one = await done(engine, tmp_path / "source")
        hosted.storage_faults(
            *({"method": "GET", "path": ".", "times": 1, **fault} for fault in ({"status": 503}, {"status": 403}))
        )
        view = await engine.ask("hosted_analysis_bundle", id=one["id"], path=str(tmp_path / "b.zip"))
    assert view["grade"] == "UNANCHORED"


async def test_nothing_is_fetched_behind_the_air_gap(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        one = await done(engine, tmp_path / "source")
        hosted.storage_faults()
        await engine.ask("settings_change", changes={"allow_hosted": False})
        for question, params in (
            ("hosted_analysis_bundle", {"id": one["id"], "path": str(tmp_path / "b.zip")}),
            ("hosted_account", {}),
            ("hosted_regions", {}),
        ):
            with pytest.raises(HostedFailure, match="nothing was sent to the hosted service"):
                await engine.ask(question, **params)
    assert not (tmp_path / "b.zip").exists() and hosted.storage_faults().get("GET", 0) == 0
