"""What would be sent is shown before anything is: byte for byte what the same question brings to a real server, which sees
nothing of the preview."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.analysis.baseline import Baseline
from qverify_desktop.analysis.preview import preview
from qverify_desktop.analysis.services import Direct
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import CloudPolicy, Deployment
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.domain.testing import FileCoverage, SuiteResult
from qverify_desktop.engine import wire
from qverify_desktop.engine.facade import Engine
from qverify_desktop.engine.preview import model_preview
from qverify_desktop.engine.remote import RemoteEngine
from qverify_desktop.engine.replay import Forgotten, Silent
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.storage.runs import RunStore
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import ModelServer, serving

SECRET = "AKIA" + "ABCDEFGHIJKLMNOP"
SOURCE = f'''"""Money."""

AWS_KEY = "{SECRET}"


def owed(net: int, rate: int) -> int:
    """What is owed with tax: owed(100, 19) == 119."""
    key = "{SECRET}"
    return net + net * rate // 100


def open_up(text: str) -> str:
    """The text without its brackets."""
    if text.startswith("("):
        return text[1:-1]
    return text
'''


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "money.py").write_text(SOURCE)
    return folder


@pytest.fixture
def script() -> Script:
    return Script([Say(fault="404")])


@pytest.fixture
def server(script: Script) -> Iterator[ModelServer]:
    with serving(script, "openai") as running:
        yield running


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[Engine]:
    async with house(tmp_path / "home", languages=(PythonLanguage(60),)) as engine:
        yield engine


async def shown(door: Any, request: AnalysisRequest, target: str = "") -> dict[str, Any]:
    view: dict[str, Any] = await door.ask("model_preview", request=wire.request_to_json(request), target=target)
    return view


@pytest.mark.parametrize("far", [False, True])
async def test_it_is_byte_for_byte_what_the_server_gets(
    tmp_path: Path, source: Path, server: ModelServer, script: Script, far: bool
) -> None:
    request = AnalysisRequest(str(source), model="scripted", api_base=f"{server.url}/v1")
    async with opened(tmp_path) as engine:
        door = RemoteEngine(tmp_path / "home") if far else engine
        view = await shown(door, request, "owed")
        assert len(script.requests) == 0 and await door.runs() == []
        # The same stages over the real gateway; the server refuses, so nothing has to run.
        services = replace(engine._parts.services, journal=Forgotten(), workspace=tmp_path / "again")
        steps = Steps("preview", request, services, Direct(), Silent())
        await preview(steps, services.gateway, "owed", services)
    [sent] = script.requests
    assert sent["messages"] == view["messages"]
    assert sent["max_tokens"] == view["destinations"][0]["max_tokens"]
    assert view["target"] == "money.py::owed" and view["purpose"] == "generate" and "generate" in view["template"]


async def test_it_names_secrets_by_rule_and_place_and_holds_none(
    tmp_path: Path, source: Path, server: ModelServer
) -> None:
    request = AnalysisRequest(str(source), model="scripted", api_base=server.url)
    async with opened(tmp_path) as engine:
        view = await shown(engine, request, "owed")
    assert SECRET not in str(view) and view["masked"]
    for one in view["masked"]:
        line = view["messages"][one["message"]]["content"].split("\n")[one["line"] - 1]
        assert one["rule"] and "key" in line.lower()


async def test_the_order_is_shown_with_what_policy_refuses_and_what_each_may_cost(
    tmp_path: Path, source: Path, server: ModelServer, script: Script
) -> None:
    order = (
        Deployment("far", "openai", "gpt-4.1", "https://models.example.org/v1"),
        Deployment("claude", "anthropic", "claude-sonnet-4-5"),
        Deployment("near", "openai", "scripted", server.url),
    )
    auto = AnalysisRequest(str(source), model="auto")
    async with opened(tmp_path) as engine:
        gateway = engine._parts.services.gateway
        gateway._order = order  # type: ignore[attr-defined]
        open_view = await shown(engine, auto, "open_up")
        assert [one["host"] for one in open_view["destinations"]] == [
            "models.example.org",
            "api.anthropic.com",
            "127.0.0.1",
        ]
        assert open_view["cloud"] == "" and not any(one["refused"] for one in open_view["destinations"])
        assert all(one["prompt_tokens"] > 100 for one in open_view["destinations"])
        await engine.ask("repository_decide", source=str(source), cloud="local_only")
        kept = await shown(engine, auto, "open_up")
        assert ["stay on this machine" in one["refused"] for one in kept["destinations"]] == [True, True, False]
        allowed = await shown(engine, replace(auto, cloud="allowed"), "open_up")
        assert not any(one["refused"] for one in allowed["destinations"])
        assert (await engine.ask("repository_cloud", source=str(source), model="none", api_base=""))[
            "cloud"
        ] == "local_only"
        gateway.set_air_gap(True)
        closed = await shown(engine, replace(auto, cloud="allowed"), "open_up")
        assert ["air gap" in one["refused"] for one in closed["destinations"]] == [True, True, False]
    assert len(script.requests) == 0


async def test_no_server_is_asked_which_protocol_it_speaks_or_how_long_its_context_is(
    tmp_path: Path, source: Path
) -> None:
    script = Script([Say("x")])
    with serving(script, "ollama") as server:
        seen: list[str] = []
        handler = server.RequestHandlerClass
        original = handler.handle  # type: ignore[attr-defined]
        handler.handle = lambda self: (seen.append("a connection"), original(self))  # type: ignore[attr-defined]
        try:
            async with opened(tmp_path) as engine:
                for model in ("scripted", "ollama/scripted"):
                    view = await shown(engine, AnalysisRequest(str(source), model=model, api_base=server.url))
                    assert view["destinations"][0]["host"] == "127.0.0.1"
        finally:
            handler.handle = original  # type: ignore[attr-defined]
        assert seen == [] and script.requests == []


async def test_a_function_is_chosen_by_name_and_a_wrong_one_is_told(
    tmp_path: Path, source: Path, server: ModelServer
) -> None:
    (source / "other.py").write_text("def owed(a: int) -> int:\n    return a + 1\n")
    request = AnalysisRequest(str(source), model="scripted", api_base=server.url)
    async with opened(tmp_path) as engine:
        first = await shown(engine, request)
        assert first["target"] == first["targets"][0] and len(first["targets"]) == 3 and first["measured"] == ""
        assert (await shown(engine, request, "other.py::owed"))["target"] == "other.py::owed"
        with pytest.raises(BadInput, match=r"2 functions are called owed.*other\.py::owed"):
            await shown(engine, request, "owed")
        with pytest.raises(BadInput, match="no function nowhere"):
            await shown(engine, request, "nowhere")
        with pytest.raises(BadInput, match="Without a model"):
            await shown(engine, AnalysisRequest(str(source)))
        with pytest.raises(BadInput):
            await engine.ask("model_preview", request={"source": 7})
        assert not list((tmp_path / "home" / "workspace").iterdir()), "nothing is left behind"


async def test_lines_that_the_own_tests_reach_are_taken_from_the_newest_run_over_these_files(
    tmp_path: Path, source: Path, server: ModelServer
) -> None:
    reached = FileCoverage(lines=frozenset({14, 15, 16}), covered_lines=frozenset({14, 16}))
    baseline = Baseline(SuiteResult((), {"money.py": reached}), "green", True)

    async def measured(step: str) -> None:
        if step == "work":
            [run] = await engine.runs()
            steps = Steps(run.run, request, engine._parts.services, Direct(), Silent())
            await steps.step("python.baseline", Baseline, lambda context: _given(baseline))

    request = AnalysisRequest(str(source), model="scripted", api_base=server.url)
    async with house(tmp_path / "home", ScriptedAnalysis(measured), languages=(PythonLanguage(60),)) as engine:
        run = await engine.start(replace(request, model="none", api_base=""))
        await follow(engine, run)
        services = replace(engine._parts.services, earlier=RunStore(engine._parts.database))
        view = await model_preview(request, "open_up", services, CloudPolicy.UNDECIDED)
        assert view["measured"] == run
        marked = [line for line in view["messages"][1]["content"].split("\n") if line.startswith(">")]
        assert marked == [">         return text[1:-1]"]
        (source / "money.py").write_text(SOURCE + "\n")
        changed = await model_preview(request, "open_up", services, CloudPolicy.UNDECIDED)
        assert changed["measured"] == "", "it measured other files"


async def _given(value: Baseline) -> Baseline:
    return value


async def test_a_repository_is_not_fetched_to_be_shown_behind_an_air_gap(tmp_path: Path) -> None:
    request = AnalysisRequest("https://git.example.org/a/b.git", model="scripted", api_base="http://127.0.0.1:1/v1")
    async with opened(tmp_path) as engine:
        await engine.ask("settings_change", changes={"air_gap": True})
        with pytest.raises(BadInput, match="air gap"):
            await shown(engine, request)
        with pytest.raises(BadInput, match="user name or password"):
            await shown(engine, replace(request, source="https://me:secret@git.example.org/a/b.git"))
