"""This machine and installation: settings, models, keys, diagnostics and what models took, over real servers and storage."""

from __future__ import annotations

import json
import socket
import zipfile
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.composition import open_engine
from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.domain.question import Question
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.facade import Engine
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.model_servers.answers import Script
from tests.model_servers.server import serving


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AIR_GAP", "MODEL", "API_BASE", "CONTAINERS", "DOCKER_HOST", "PATIENCE_S", "EDITOR"):
        monkeypatch.delenv(f"QVERIFY_{name}", raising=False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def nobody() -> str:
    """An address on this machine where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"


async def at(engine: Engine, base: str) -> list[tuple[Any, ...]]:
    """What the models of one end point look like."""
    models = (await engine.ask("models"))["models"]
    return [(one["name"], one["provider"], one["place"], one["bytes"]) for one in models if one["api_base"] == base]


# Models


@pytest.mark.parametrize(
    ("wire", "name", "size"), [("ollama", "scripted:latest", 1), ("openai", "scripted", 0)], ids=["ollama", "openai"]
)
@pytest.mark.parametrize("path", ["", "/", "/v1"])
async def test_models_of_the_configured_server_here_are_listed(
    home: Path, wire: str, name: str, size: int, path: str
) -> None:
    if (wire, path) == ("ollama", "/v1"):
        return await _openai_path_of_ollama(home)
    with serving(Script([]), wire) as server:
        async with house(home) as engine:
            await engine.ask("settings_change", changes={"api_base": f"{server.url}{path}", "model": "x"})
            assert await at(engine, f"{server.url}{path}") == [(name, wire, "local", size)]
    return None


async def _openai_path_of_ollama(home: Path) -> None:
    """An address with a path means the OpenAI-compatible protocol, of which the scripted Ollama knows nothing."""
    with serving(Script([]), "ollama") as server:
        async with house(home) as engine:
            await engine.ask("settings_change", changes={"api_base": f"{server.url}/v1", "model": "named"})
            assert await at(engine, f"{server.url}/v1") == [("named", "openai", "local", 0)]


async def test_nothing_here_answers_is_a_sentence_with_what_to_do(home: Path) -> None:
    base = nobody()
    async with house(home) as engine:
        await engine.ask("settings_change", changes={"api_base": base, "model": "x", "air_gap": True})
        view = await engine.ask("models")
        assert [one for one in view["models"] if one["api_base"] == base] == []
        if not view["models"]:
            assert base in view["sentence"]
            assert view["remedy"]
            assert "without" in view["sentence"]


@pytest.mark.parametrize(("air_gap", "shown"), [(False, 1), (True, 0)])
async def test_a_model_elsewhere_is_named_and_never_asked_and_not_named_in_the_air_gap(
    home: Path, air_gap: bool, shown: int
) -> None:
    with serving(Script([])) as server:
        # A name that has to be looked up is elsewhere, though this one leads here.
        base = server.url.replace("127.0.0.1", "ip6-localhost.example")
        async with house(home) as engine:
            await engine.ask("settings_change", changes={"api_base": base, "model": "far", "air_gap": air_gap})
            assert await at(engine, base) == [("far", "openai", "remote", 0)] * shown
        assert server.paths == []


@pytest.mark.parametrize(
    "names",
    [
        ["fine", "bad\x1b[31m", "x" * 201, "", 7, None, {"name": "deep"}],
        ["fine", "fine"],
    ],
)
async def test_names_that_can_not_be_shown_are_left_out(
    home: Path, monkeypatch: pytest.MonkeyPatch, names: list[Any]
) -> None:
    from tests.model_servers import server as servers

    real = servers._Handler.answer_json
    listed = {"models": [*({"name": name, "size": -1} for name in names), "no entry", 3]}
    monkeypatch.setattr(
        servers._Handler,
        "answer_json",
        lambda self, status, body: real(self, status, listed if self.path == "/api/tags" else body),
    )
    with serving(Script([]), "ollama") as server:
        async with house(home) as engine:
            await engine.ask("settings_change", changes={"api_base": server.url, "model": "x"})
            assert await at(engine, server.url) == [("fine", "ollama", "local", 0)]


# Settings and keys


async def test_the_air_gap_closes_at_once(home: Path) -> None:
    async with house(home) as engine:
        gateway = engine._parts.services.gateway
        question = Question([{"role": "user", "content": "x"}], "test", 9, "x", "https://192.0.2.1/v1")
        await engine.ask("settings_change", changes={"air_gap": True})
        with pytest.raises(ModelFailure, match="air gap"):
            await gateway.complete(question)
        view = await engine.ask("settings_change", changes={"air_gap": False})
        assert view["air_gap"] is False


async def test_numbers_count_for_what_is_started_from_now_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QVERIFY_KEYRING", "false")
    engine = await open_engine(home)
    assert isinstance(engine, Engine)
    try:
        await engine.ask("settings_change", changes={"containers": 7, "patience_s": 9})
        assert engine._parts.sandbox._slots._most == 7  # type: ignore[attr-defined]
        assert engine._parts.services.language("python")._patience_s == 9  # type: ignore[attr-defined]
    finally:
        await engine.close()


async def test_a_refused_change_names_its_field_and_leaves_all(home: Path) -> None:
    async with house(home) as engine:
        before = await engine.ask("settings")
        for name, value in (("patience_s", 0), ("editor", "code"), ("api_base", "https://a:b@c")):
            with pytest.raises(BadInput, match=name):
                await engine.ask("settings_change", changes={"containers": 7, name: value})
        assert await engine.ask("settings") == before


@pytest.mark.parametrize("key", ["two words", "line\nbreak", "x" * 4097, None, 7])
async def test_a_key_that_can_be_none_is_refused_and_not_repeated(home: Path, key: Any) -> None:
    async with house(home) as engine:
        with pytest.raises(BadInput) as caught:
            await engine.ask("key_set", provider="any", key=key)
        assert str(key) not in str(caught.value)
        assert (await engine.ask("settings"))["api_key_set"] is False


# Diagnostics


async def test_the_diagnostics_hold_no_secret_no_source_and_no_path(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tmp_path / "hidden-repository"
    source.mkdir()
    (source / "hidden_module.py").write_text("def hidden_function():\n    return 1\n")
    # The password of a proxy and of addresses in the environment, which checks look at.
    monkeypatch.setenv("HTTPS_PROXY", nobody().replace("//", "//me:hunter2@"))
    async with house(home) as engine:
        await follow(engine, await engine.start(AnalysisRequest(str(source))))
        await engine.ask("repository_pin", source="https://me:hunter2@hidden.example.org/hidden.git", pinned=True)
        await engine.ask(
            "settings_change", changes={"editor": "/opt/hidden/ed {file}", "api_base": "http://hidden.example.org/v1"}
        )
        await engine.ask("key_set", provider="any", key="plainhunter2")
        (home / "crashes").mkdir()
        (home / "crashes/crash-20260101-000000-1.txt").write_text(
            "Traceback (most recent call last):\n"
            f'  File "{source}/hidden_module.py", line 2, in hidden_function\n'
            "    return hidden_value\n"
            f"RuntimeError: plainhunter2 at https://me:hunter2@hidden.example.org and {source}\n"
        )
        for number in range(2, 9):
            (home / f"crashes/crash-20260101-00000{number}-1.txt").write_text("hidden")
        target = tmp_path / "d.zip"
        assert await engine.ask("diagnostics_save", path=str(target)) == str(target)
    with zipfile.ZipFile(target) as held:
        texts = {name: held.read(name).decode() for name in held.namelist()}
    assert len([name for name in texts if name.startswith("crashes/")]) == 5
    for hidden in ("hunter2", "hidden", str(home), str(tmp_path)):
        assert [name for name, text in texts.items() if hidden in text.replace("[hidden]", "")] == []
    checks = {one["id"]: one for one in json.loads(texts["checks.json"])}
    assert checks["proxy"]["state"] == "warning"
    assert json.loads(texts["settings.json"])["api_key_set"] is True


async def test_a_crash_is_in_the_diagnostics_as_places_and_types(home: Path, tmp_path: Path) -> None:
    async with house(home) as engine:
        (home / "crashes").mkdir()
        file = Path(engine.ask.__code__.co_filename)
        (home / "crashes/crash-20260101-000000-1.txt").write_text(
            f'Traceback (most recent call last):\n  File "{file}", line 7, in ask\n    x\nRuntimeError: y\n'
        )
        await engine.ask("diagnostics_save", path=str(tmp_path / "d.zip"))
    with zipfile.ZipFile(tmp_path / "d.zip") as held:
        text = held.read("crashes/crash-20260101-000000-1.txt").decode()
    assert "qverify_desktop/engine/facade.py, line 7, in ask" in text
    assert "RuntimeError" in text


@pytest.mark.parametrize("path", ["relative.zip", "/nowhere/at/all/d.zip", "/"])
async def test_an_archive_that_can_not_be_written_is_a_sentence(home: Path, path: str) -> None:
    async with house(home) as engine:
        with pytest.raises(BadInput):
            await engine.ask("diagnostics_save", path=path)


# Checks


async def test_one_check_is_fixed_and_all_are_looked_at_again(home: Path) -> None:
    async with house(home) as engine:
        key = home / "signing-key"
        key.write_bytes(b"x")
        key.chmod(0o644)
        before = {one["id"]: one for one in await engine.ask("doctor_checks")}
        assert (before["signing_key"]["state"], before["signing_key"]["fixable"]) == ("blocking", True)
        assert before["signing_key"]["command"] == f"chmod 600 {key}"
        after = {one["id"]: one for one in await engine.ask("doctor_fix", check="signing_key")}
        assert (after["signing_key"]["state"], after["signing_key"]["command"]) == ("ok", "")
        assert (
            after.keys()
            == before.keys()
            >= {"docker", "image", "model", "keyring", "disk", "git", "proxy", "air_gap"}
        )
        for bad in ("git", "no such"):
            with pytest.raises(BadInput):
                await engine.ask("doctor_fix", check=bad)


# Usage


def answer(model: str, prompt: int, completion: int, cost: int, took: int) -> Evidence:
    facts = {
        "target": "a.py::f",
        "round": 0,
        "model": model,
        "template": "t",
        "provider": "ollama",
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "cost_microusd": cost,
        "duration_ms": took,
    }
    return Evidence("model_answer", facts, {"answer": b"text"})


async def test_usage_is_what_the_log_says_by_run_and_model(home: Path, tmp_path: Path) -> None:
    (tmp_path / "shelf").mkdir()
    (tmp_path / "shelf/a.py").touch()
    analysis = ScriptedAnalysis()
    async with house(home, analysis) as engine:
        runs = []
        for answers in (
            [answer("a", 10, 2, 5, 100), answer("b", 1, 1, 0, 7), answer("a", 20, 3, 6, 200)],
            [],
            [answer("a", 1, 1, 1, 1)],
        ):
            analysis.evidence = answers
            run = await engine.start(AnalysisRequest(str(tmp_path / "shelf"), seed=len(runs)))
            await follow(engine, run)
            runs.append(run)
        usage = await engine.ask("usage")
    rows = {(row["run"]["run"], row["model"]): row for row in usage["rows"]}
    assert set(rows) == {(runs[0], "a"), (runs[0], "b"), (runs[2], "a")}
    one = rows[runs[0], "a"]
    assert (one["calls"], one["prompt_tokens"], one["completion_tokens"]) == (2, 30, 5)
    assert (one["cost_microusd"], one["model_ms"], one["provider"]) == (11, 300, "ollama")
    assert (usage["calls"], usage["cost_microusd"]) == (4, 12)
    times = [row["run"]["started_at"] for row in usage["rows"]]
    assert times == sorted(times, reverse=True)
