"""Keys of models through the engine's face, also from a second process: they go in and never come out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.engine.remote import RemoteEngine
from tests.engine.house import house

KEY = "sk-canary-5417-very-secret"
PASSPHRASE = "correct horse battery"


def everything_in(home: Path) -> bytes:
    return b"".join(file.read_bytes() for file in home.rglob("*") if file.is_file())


async def test_a_key_of_a_second_process_is_kept_in_the_file_and_shown_by_its_end(home: Path) -> None:
    async with house(home):
        remote = RemoteEngine(home)
        assert (await remote.ask("keys"))["file"] == "none"
        view = await remote.ask("key_set", provider="openai", key=KEY, store="file", passphrase=PASSPHRASE)
        assert view["keys"] == [{"provider": "openai", "store": "file", "ending": "cret", "counts": True}]
        assert view["file"] == "open"
        assert "sk-canary" not in json.dumps(view)
        assert KEY.encode() not in everything_in(home)
    async with house(home) as engine:
        view = await engine.ask("keys")
        assert (view["file"], view["keys"], view["usual"]) == ("locked", [], "file")
        with pytest.raises(QVerifyError) as caught:
            await engine.ask("keys_unlock", passphrase="battery staple")
        assert "battery staple" not in str(caught.value)
        assert await engine.ask("keys_check", passphrase=PASSPHRASE) == 1
        assert (await engine.ask("keys"))["file"] == "locked"
        assert len((await engine.ask("keys_unlock", passphrase=PASSPHRASE))["keys"]) == 1
        assert (await engine.ask("key_remove", provider="openai"))["keys"] == []
        assert PASSPHRASE.encode() not in everything_in(home)


async def test_the_passphrase_is_changed_only_by_who_knows_it(home: Path) -> None:
    async with house(home) as engine:
        await engine.ask("key_set", provider="any", key=KEY, store="file", passphrase=PASSPHRASE)
        for old, new in (("wrong horse", "another long one"), (PASSPHRASE, "short")):
            with pytest.raises(BadInput):
                await engine.ask("keys_passphrase", old=old, new=new)
        assert await engine.ask("keys_check", passphrase=PASSPHRASE) == 1
        await engine.ask("keys_passphrase", old=PASSPHRASE, new="another long one")
        assert await engine.ask("keys_check", passphrase="another long one") == 1
        with pytest.raises(BadInput):
            await engine.ask("keys_check", passphrase=PASSPHRASE)


@pytest.mark.parametrize("value", [None, 7, ["x"], "x" * 5000])
async def test_what_is_no_text_is_refused(home: Path, value: object) -> None:
    async with house(home) as engine:
        for question, params in (
            ("key_set", {"provider": "openai", "key": value}),
            ("key_remove", {"provider": value}),
            ("keys_unlock", {"passphrase": value}),
            ("keys_passphrase", {"old": value, "new": value}),
        ):
            with pytest.raises(BadInput):
                await engine.ask(question, **params)
