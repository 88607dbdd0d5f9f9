"""Models on their way: watched, paused, gone on with in another process, held where they won't fit. Real client, real server."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.engine.remote import RemoteEngine
from qverify_desktop.gateway import model_fit
from tests.engine.house import house
from tests.model_servers import gguf
from tests.model_servers.answers import Script
from tests.model_servers.ollama_server import OllamaServer, serving_ollama
from tests.model_servers.ollama_store import MODEL, TEMPLATE, Registry, Store, digest_of
from tests.model_servers.server import serving

WEIGHTS = gguf.write(weights=os.urandom(2 * 1024 * 1024))


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIR_GAP", "MODEL", "API_BASE"):
        monkeypatch.delenv(f"QVERIFY_{name}", raising=False)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OllamaServer]:
    registry = Registry()
    registry.add("tiny", (MODEL, WEIGHTS), (TEMPLATE, b"{{ .Prompt }}"))
    with serving_ollama(tmp_path / "models", registry) as server:
        yield server


async def until(engine: Any, transfer: str, *states: str, least: int = 0) -> dict[str, Any]:
    """Watch until a transfer is in one of the states, with so many bytes."""
    version = 0
    async with asyncio.timeout(30):
        while True:
            view = await engine.ask("model_transfers", after=version)
            version = view["version"]
            one: dict[str, Any] = next(one for one in view["transfers"] if one["transfer"] == transfer)
            if one["state"] in states and one["done"] >= least:
                return one


async def test_a_pull_is_watched_to_its_end_and_the_model_is_listed(home: Path, server: OllamaServer) -> None:
    async with house(home) as engine:
        begun = await engine.ask("model_pull", name="tiny", api_base=server.url)
        assert (begun["state"], begun["name"]) == ("running", "tiny")
        seen = await until(engine, begun["transfer"], "running", least=1)
        assert seen["status"].startswith("pulling ")
        assert seen["layers"][0]["total"] == len(WEIGHTS)
        done = await until(engine, begun["transfer"], "done", "failed")
        assert (done["state"], done["done"]) == ("done", server.store.size("tiny"))
        stored = await engine.ask("stored_models", api_base=server.url)
        (one,) = stored["models"]
        assert (one["name"], one["bytes"], one["context_tokens"]) == ("tiny:latest", server.store.size("tiny"), 8192)
        assert one["needed_bytes"] == one["bytes"] + 8192 * 4 * 2 * 64 * 2 + model_fit.BUFFER_BYTES
        assert not (home / "model-transfers.json").exists()


async def test_paused_then_gone_on_with_after_a_restart_fetches_the_rest_only(
    home: Path, server: OllamaServer
) -> None:
    async with house(home) as engine:
        begun = await engine.ask("model_pull", name="tiny", api_base=server.url)
        await until(engine, begun["transfer"], "running", least=300_000)
        paused = await engine.ask("model_pause", transfer=begun["transfer"])
        assert paused["state"] == "paused"
        assert "kept" in paused["sentence"]
        await asyncio.sleep(0.2)
        served = server.registry.served
        await asyncio.sleep(0.2)
        assert server.registry.served == served < len(WEIGHTS)
    async with house(home) as engine:
        (found,) = (await engine.ask("model_transfers"))["transfers"]
        assert (found["state"], found["name"], found["transfer"]) == ("paused", "tiny", begun["transfer"])
        assert found["done"] >= 300_000
        await engine.ask("model_resume", transfer=found["transfer"])
        await until(engine, found["transfer"], "done")
    assert server.registry.served == server.store.size("tiny")


async def test_what_was_running_when_qverify_ended_is_remembered_as_paused(home: Path, server: OllamaServer) -> None:
    async with house(home) as engine:
        begun = await engine.ask("model_pull", name="tiny", api_base=server.url)
        await until(engine, begun["transfer"], "running", least=200_000)
    kept = json.loads((home / "model-transfers.json").read_text())
    # As a process that was killed leaves it.
    kept[0]["state"], kept[0]["sentence"] = "running", ""
    (home / "model-transfers.json").write_text(json.dumps(kept))
    async with house(home) as engine:
        (found,) = (await engine.ask("model_transfers"))["transfers"]
        assert found["state"] == "paused"
        assert "ended while it went on" in found["sentence"]
        again = await engine.ask("model_pull", name="tiny", api_base=server.url)
        assert again["transfer"] == begun["transfer"]
        await until(engine, again["transfer"], "done")
    assert server.registry.served == server.store.size("tiny")


@pytest.mark.parametrize("content", ["{", "[]", "{}", '[{"kind": "pull"}]', '[{"kind": 1, "name": "../x"}]', "[[[["])
async def test_a_memory_that_can_not_be_read_counts_as_none(home: Path, content: str) -> None:
    home.mkdir()
    (home / "model-transfers.json").write_text(content)
    async with house(home) as engine:
        assert (await engine.ask("model_transfers"))["transfers"] == []


async def test_a_second_process_begins_watches_and_pauses(home: Path, server: OllamaServer) -> None:
    async with house(home) as engine:
        remote = RemoteEngine(home)
        begun = await remote.ask("model_pull", name="tiny", api_base=server.url)
        await until(remote, begun["transfer"], "running", least=100_000)
        assert (await remote.ask("model_pause", transfer=begun["transfer"]))["state"] == "paused"
        assert (await engine.ask("model_transfers"))["transfers"][0]["state"] == "paused"
        await remote.ask("model_resume", transfer=begun["transfer"])
        await until(remote, begun["transfer"], "done")
        await remote.ask("model_delete", name="tiny", api_base=server.url)
        assert server.store.names() == []
        with pytest.raises(ModelFailure, match="no model"):
            await remote.ask("model_delete", name="tiny", api_base=server.url)


async def test_what_will_not_fit_is_held_and_comes_only_when_told(
    home: Path, server: OllamaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "meminfo"
    small.write_text("MemTotal:  1600000 kB\nMemAvailable: 900000 kB\n")
    monkeypatch.setattr(model_fit, "_MEMORY", small)
    server.tick_s = 0.05
    async with house(home) as engine:
        begun = await engine.ask("model_pull", name="tiny", api_base=server.url)
        held = await until(engine, begun["transfer"], "paused", "done")
        assert (held["state"], held["held"]) == ("paused", True)
        assert "1.6 GB" in held["sentence"]
        await engine.ask("model_resume", transfer=begun["transfer"])
        assert (await until(engine, begun["transfer"], "paused", "done"))["held"]
        await engine.ask("model_resume", transfer=begun["transfer"], force=True)
        assert (await until(engine, begun["transfer"], "done", "failed"))["state"] == "done"
        (one,) = (await engine.ask("stored_models", api_base=server.url))["models"]
        assert (one["fit"], one["warning"]) == ("too_large", True)


async def test_an_import_that_will_not_fit_is_held_before_a_byte_is_sent(
    home: Path, server: OllamaServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = tmp_path / "meminfo"
    small.write_text("MemTotal:  1600000 kB\nMemAvailable: 900000 kB\n")
    monkeypatch.setattr(model_fit, "_MEMORY", small)
    file = tmp_path / "own.gguf"
    file.write_bytes(WEIGHTS)
    async with house(home) as engine:
        (begun,) = await engine.ask("model_import", path=str(file), api_base=server.url)
        held = await until(engine, begun["transfer"], "paused", "done", "failed")
        assert (held["state"], held["held"], server.uploaded) == ("paused", True, 0)
        await engine.ask("model_resume", transfer=begun["transfer"], force=True)
        assert (await until(engine, begun["transfer"], "done", "failed"))["state"] == "done"
        assert server.store.names() == ["own:latest"]


async def test_a_server_of_another_kind_and_none_at_all_are_sentences(home: Path) -> None:
    async with house(home) as engine:
        with serving(Script([])) as other:
            view = await engine.ask("stored_models", api_base=other.url)
            assert "does not manage models" in view["sentence"]
            # In the settings it is no Ollama, so this machine's own is meant.
            await engine.ask("settings_change", changes={"api_base": other.url})
            assert (await engine.ask("stored_models"))["api_base"] == ""
        view = await engine.ask("stored_models", api_base="http://127.0.0.1:9")
        assert ("can't be reached" in view["sentence"], view["remedy"]) == (True, "Start it with: ollama serve")
        with pytest.raises(BadInput):
            await engine.ask("stored_models", api_base="ftp://x")


async def test_the_air_gap_refuses_a_pull_and_stops_one_but_not_an_import(
    home: Path, server: OllamaServer, tmp_path: Path
) -> None:
    file = tmp_path / "own.gguf"
    file.write_bytes(WEIGHTS)
    async with house(home) as engine:
        begun = await engine.ask("model_pull", name="tiny", api_base=server.url)
        await until(engine, begun["transfer"], "running", least=100_000)
        await engine.ask("settings_change", changes={"air_gap": True})
        stopped = await until(engine, begun["transfer"], "paused")
        assert "air gap" in stopped["sentence"]
        for question, what in (("model_pull", {"name": "tiny"}), ("model_resume", {"transfer": begun["transfer"]})):
            with pytest.raises(ModelFailure, match="air gap"):
                await engine.ask(question, **(what | ({"api_base": server.url} if question == "model_pull" else {})))
        (bringing,) = await engine.ask("model_import", path=str(file), api_base=server.url)
        assert (await until(engine, bringing["transfer"], "done", "failed"))["state"] == "done"
        assert server.store.names() == ["own:latest"]


async def test_a_saved_folder_is_imported_model_by_model(home: Path, server: OllamaServer, tmp_path: Path) -> None:
    saved = Store(tmp_path / "stick" / "models")
    saved.write("one:7m", [(MODEL, WEIGHTS)])
    saved.write("two", [(MODEL, WEIGHTS), (TEMPLATE, b"x")])
    async with house(home) as engine:
        with pytest.raises(BadInput, match="holds no model 'three'"):
            await engine.ask("model_import", path=str(tmp_path / "stick"), name="three", api_base=server.url)
        begun = await engine.ask("model_import", path=str(tmp_path / "stick"), api_base=server.url)
        for one in begun:
            assert (await until(engine, one["transfer"], "done", "failed"))["state"] == "done"
    assert server.store.names() == ["one:7m", "two:latest"]
    assert server.store.blob(digest_of(WEIGHTS)).read_bytes() == WEIGHTS


async def test_a_failed_one_says_why_and_can_be_forgotten(home: Path, server: OllamaServer) -> None:
    async with house(home) as engine:
        begun = await engine.ask("model_pull", name="nobody", api_base=server.url)
        failed = await until(engine, begun["transfer"], "failed")
        assert "no model 'nobody'" in failed["sentence"]
        assert failed["remedy"]
        await engine.ask("model_forget", transfer=begun["transfer"])
        assert (await engine.ask("model_transfers"))["transfers"] == []
        with pytest.raises(BadInput):
            await engine.ask("model_pause", transfer=begun["transfer"])


async def test_the_server_of_the_settings_is_meant_where_none_is_named(home: Path, server: OllamaServer) -> None:
    server.store.write("tiny", [(MODEL, WEIGHTS)])
    async with house(home) as engine:
        await engine.ask("settings_change", changes={"api_base": server.url})
        view = await engine.ask("stored_models")
        assert (view["api_base"], [one["name"] for one in view["models"]]) == (server.url, ["tiny:latest"])
        shown = await engine.ask("model_show", name="tiny")
        assert (shown["bytes"], shown["capabilities"]) == (server.store.size("tiny"), ["completion"])
        advice = await engine.ask("model_recommend")
        assert {one["name"] for one in advice["models"]} >= {"qwen2.5-coder:7b"}
        assert not any(one["stored"] for one in advice["models"])
