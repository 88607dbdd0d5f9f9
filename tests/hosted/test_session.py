"""Signing in and staying so, at a real issuer: once for all who ask, kept only where secrets are kept, revoked at the end."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from qverify_desktop.domain.errors import HostedFailure, QVerifyError, WrongPassphrase
from qverify_desktop.engine.remote import RemoteEngine
from qverify_desktop.settings.key_file import KeyFile
from qverify_desktop.settings.os_keyring import OsKeyring
from qverify_desktop.settings.secrets import ApiKeys
from tests.hosted.doing import PASSPHRASE, client_of, desktop, finished_run, let_in, signed_in, until
from tests.hosted_service.issuer import MAKERS
from tests.hosted_service.service import HostedService
from tests.hosted_service.test_sign_in import REFUSED, changes


class Keyring:
    """A back end that keeps its entries in memory, as a session's keyring does."""

    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[username]


async def test_many_who_ask_at_once_refresh_once(home: Path, hosted: HostedService) -> None:
    hosted.issuer.access_lifetime_s = 1
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        before = hosted.issuer.asked.get("/token", 0)
        client = client_of(engine)
        sign_in = await client.sign_in()
        tokens = await asyncio.gather(*(client.session.access(sign_in) for _ in range(20)))
    assert len({*tokens}) == 1
    assert hosted.issuer.asked["/token"] - before == 1
    assert not any(session.ended for session in hosted.issuer.sessions.values())


async def test_who_stops_waiting_loses_no_token(home: Path, hosted: HostedService) -> None:
    hosted.issuer.access_lifetime_s = 1
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        client = client_of(engine)
        sign_in = await client.sign_in()
        asking = asyncio.ensure_future(client.session.access(sign_in))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        hosted.issuer.access_lifetime_s = 300
        # A refresh token that was used twice would have ended the session.
        await client.session.access(sign_in)
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"


@pytest.mark.parametrize("keep", [True, False], ids=["old keys stay", "old keys are gone"])
async def test_keys_of_the_issuer_are_rotated(home: Path, hosted: HostedService, keep: bool) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        await engine.ask("hosted_usage")
        hosted.issuer.rotate(keep=keep)
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"


@pytest.mark.parametrize("algorithm", MAKERS)
async def test_whatever_the_issuer_signs_with(home: Path, hosted: HostedService, algorithm: str) -> None:
    hosted.issuer.rotate(keep=False, algorithm=algorithm)
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"


@pytest.mark.parametrize("name", REFUSED)
async def test_a_token_that_does_not_hold_is_got_anew_once_and_then_said(
    home: Path, hosted: HostedService, name: str
) -> None:
    hosted.issuer.forged, expected = changes(hosted, name)
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        before = hosted.issuer.asked.get("/token", 0)
        with pytest.raises(HostedFailure) as raised:
            await engine.ask("hosted_usage")
        error, no_organisation = raised.value, expected == "organisation-missing"
        assert error.kind == expected and error.status == (403 if no_organisation else 401)
        words = "belongs to no organisation" if no_organisation else "does not take this sign-in any more"
        assert words in error.sentence and "It says: " in error.sentence and "ign in again" in error.remedy
        assert hosted.issuer.asked.get("/token", 0) - before == (0 if no_organisation else 1), "asked without end"
        # Nothing but a better token helps, and it does.
        hosted.issuer.forged = {}
        await let_in(engine, hosted)
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"


@pytest.mark.parametrize("jump_s", [-86_400, 86_400])
async def test_a_clock_of_this_machine_that_jumps_does_no_harm(
    home: Path, hosted: HostedService, monkeypatch: pytest.MonkeyPatch, jump_s: int
) -> None:
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        real = time.time
        monkeypatch.setattr("qverify_desktop.hosted.tokens.time", SimpleNamespace(time=lambda: real() + jump_s))
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"
        # The issuer ends the access token meanwhile, which a clock that was set back does not see.
        hosted.issuer.rotate(keep=False)
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"


async def test_a_sign_in_that_was_revoked_elsewhere_says_so(home: Path, hosted: HostedService) -> None:
    hosted.issuer.access_lifetime_s = 1
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        for session in hosted.issuer.sessions.values():
            session.ended = True
        with pytest.raises(HostedFailure, match="has ended: it expired or was revoked") as raised:
            await engine.ask("hosted_usage")
        assert raised.value.remedy == "Sign in again: qverify hosted sign-in"
        assert (await engine.ask("hosted_status"))["signed_in"] is False


async def test_a_person_who_says_no_and_a_code_that_expires(home: Path, hosted: HostedService) -> None:
    async with desktop(home) as engine:
        view = await engine.ask("hosted_sign_in")
        hosted.issuer.decide(view["code"], "denied")  # type: ignore[arg-type]
        while view["state"] == "waiting":
            view = await engine.ask("hosted_sign_in_watch", after=view["version"])
        assert view["state"] == "failed" and "refused" in view["sentence"]
        hosted.issuer.device_lifetime_s = 2
        view = await engine.ask("hosted_sign_in")
        while view["state"] == "waiting":
            view = await engine.ask("hosted_sign_in_watch", after=view["version"])
    assert view["state"] == "failed" and "expired" in view["sentence"]


async def test_a_sign_in_lies_in_the_keyring_and_nowhere_else(
    home: Path, hosted: HostedService, tmp_path: Path
) -> None:
    backend = Keyring()
    keys = ApiKeys({}, keyring=OsKeyring.open(backend), file=KeyFile(home, n=2**10))
    async with desktop(home, keys) as engine:
        await signed_in(engine, hosted)
        sent = await engine.ask("hosted_send", run=await finished_run(engine, tmp_path / "source"))
        await until(engine, sent["export"], "done")
        held = [value for name, value in backend.entries.items() if name in ("hosted/access", "hosted/refresh")]
        assert len(held) == 2
        # It is no key of a model, and what cleans reports of crashes knows it.
        assert (await engine.ask("keys"))["keys"] == []
        assert keys.without(f"a {held[0]} b {held[1]}") == "a [key] b [key]"
        told = json.dumps([await engine.ask("hosted_status"), await engine.ask("hosted_exports")])
        assert not any(value in told for value in held)
    for file in home.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert not any(value.encode() in content for value in held), file
    async with desktop(home, ApiKeys({}, keyring=OsKeyring.open(backend))) as engine:
        assert (await engine.ask("hosted_status"))["organisation"] == "Example Ltd"
        assert await engine.ask("hosted_sign_out") == "You are signed out, and the sign-in was revoked."
    assert [name for name in backend.entries if name.startswith("hosted/")] == []
    assert all(session.ended for session in hosted.issuer.sessions.values())


async def test_a_key_file_is_asked_for_before_the_code(home: Path, hosted: HostedService) -> None:
    async with desktop(home) as engine:
        await signed_in(engine, hosted, store="file", passphrase=PASSPHRASE)
    async with desktop(home) as engine:
        status = await engine.ask("hosted_status")
        assert (status["signed_in"], status["locked"]) == (False, True)
        begun = hosted.issuer.asked["/device_authorization"]
        with pytest.raises(WrongPassphrase):
            await engine.ask("hosted_sign_in", store="file")
        assert hosted.issuer.asked["/device_authorization"] == begun
        assert (await engine.ask("keys_unlock", passphrase=PASSPHRASE))["file"] == "open"
        assert (await engine.ask("hosted_status"))["account"] == "Ada Example"


async def test_a_second_process_sees_and_does_the_same(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        other = RemoteEngine(home)
        view = await other.ask("hosted_sign_in")
        hosted.issuer.decide(view["code"])
        while view["state"] == "waiting":
            view = await other.ask("hosted_sign_in_watch", after=view["version"])
        run = await finished_run(engine, tmp_path / "source")
        queued = await other.ask("hosted_send", run=run)
        sent = await until(other, queued["export"], "done", "failed")
        assert sent["state"] == "done"
        with pytest.raises(QVerifyError):
            await other.ask("hosted_resume", export="nothing")


async def test_another_key_of_the_service_is_noticed(home: Path, hosted: HostedService, tmp_path: Path) -> None:
    async with desktop(home) as engine:
        await signed_in(engine, hosted)
        assert (await engine.ask("settings"))["hosted_key"] == hosted.cosigner
        other = hosted.cosigner.replace("hosted.test", "other.test")
        run = await finished_run(engine, tmp_path / "source")
        await engine.ask("settings_change", changes={"hosted_key": other})
        queued = await engine.ask("hosted_send", run=run)
        one = await until(engine, queued["export"], "failed", "done")
        assert "another key than the one that was kept" in one["sentence"], one
        with pytest.raises(HostedFailure, match="another key"):
            await engine.ask("hosted_sign_in")


async def test_the_next_region_is_asked_where_one_is_gone(home: Path, hosted: HostedService) -> None:
    gone = "https://127.0.0.1:9"
    settings = (home / "settings.toml").read_text("utf-8").replace(hosted.url, f"{gone}, {hosted.url}")
    (home / "settings.toml").write_text(settings, "utf-8")
    async with desktop(home) as engine:
        await let_in(engine, hosted)
        assert (await engine.ask("hosted_usage"))["organisation"] == "Example Ltd"
