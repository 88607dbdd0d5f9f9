"""Analyses that a real service runs, begun and watched from here."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, HostedFailure
from qverify_desktop.repository.upstream import upstream, web_address
from tests.hosted.doing import desktop, let_in
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
