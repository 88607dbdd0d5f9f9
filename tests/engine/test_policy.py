"""Whether prompts may leave this machine: asked once for a repository, kept, and a run's own through every door."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import wire
from qverify_desktop.engine.events import RunStatus
from qverify_desktop.engine.naming import new_run
from qverify_desktop.engine.remote import RemoteEngine
from tests.engine.house import ScriptedAnalysis, follow, house

FAR = "https://models.example.org/v1"
ORDER = """
[[deployments]]
wire = "openai"
model = "gpt-4.1"
base = "https://models.example.org/v1"

[[deployments]]
wire = "ollama"
model = "qwen2.5-coder"
"""


async def policy_of(engine: object, run: str) -> str:
    """What the run itself keeps to."""
    await follow(engine, run)
    return str((await engine.ask("run_overview", run=run))["request"]["cloud"])  # type: ignore[attr-defined]


@pytest.mark.parametrize("far", [False, True])
async def test_a_model_elsewhere_waits_for_the_person_s_answer_which_is_then_kept(
    home: Path, source: Path, far: bool
) -> None:
    request = AnalysisRequest(str(source), model="gpt-4.1", api_base=FAR)
    async with house(home) as engine:
        door = RemoteEngine(home) if far else engine
        with pytest.raises(BadInput, match=r"nobody has decided .* models\.example\.org.*--cloud.*--local-only"):
            await door.start(request)
        assert await door.runs() == [], "no run was begun"
        run = await door.start(AnalysisRequest(str(source), model="gpt-4.1", api_base=FAR, cloud="allowed"))
        assert await policy_of(door, run) == "allowed"
        assert await policy_of(door, await door.start(request)) == "allowed", "asked once"
        view = await door.ask("repository_cloud", source=f"{source}/", model="gpt-4.1", api_base=FAR)
        assert view == {"cloud": "allowed", "hosts": ["models.example.org"], "order": []}
        with pytest.raises(BadInput, match="stay on this machine"):
            await door.start(AnalysisRequest(str(source), model="gpt-4.1", api_base=FAR, cloud="local_only"))
        with pytest.raises(BadInput, match="stay on this machine"):
            await door.start(request)


async def test_a_run_asks_elsewhere_only_where_that_is_needed(home: Path, source: Path) -> None:
    async with house(home) as engine:
        await engine.ask("repository_decide", source=str(source), cloud="allowed")
        assert await policy_of(engine, await engine.start(AnalysisRequest(str(source)))) == ""
        here = AnalysisRequest(str(source), model="qwen2.5-coder")
        assert await policy_of(engine, await engine.start(here)) == "local_only"
        view = await engine.ask("repository_cloud", source=str(source), model="qwen2.5-coder", api_base="")
        assert view == {"cloud": "allowed", "hosts": [], "order": []}


async def test_an_order_with_an_end_point_elsewhere_is_asked_about_and_may_stay_here(
    home: Path, source: Path
) -> None:
    home.mkdir()
    (home / "models.toml").write_text(ORDER)
    auto = AnalysisRequest(str(source), model="auto")
    async with house(home) as engine:
        with pytest.raises(BadInput, match="nobody has decided"):
            await engine.start(auto)
        view = await engine.ask("repository_cloud", source=str(source), model="auto", api_base="")
        assert view["hosts"] == ["models.example.org"] and len(view["order"]) == 2
        await engine.ask("repository_decide", source=str(source), cloud="local_only")
        assert await policy_of(engine, await engine.start(auto)) == "local_only", "what is elsewhere is left out"


async def test_choices_of_an_analysis_leave_the_decision_and_forgetting_takes_it_too(
    home: Path, source: Path
) -> None:
    asked = {"source": str(source), "model": "none", "api_base": ""}
    async with house(home) as engine:
        await engine.ask("repository_decide", source=str(source), cloud="local_only")
        await engine.ask("repository_remember", source=str(source), choices={"seed": 7})
        assert (await engine.ask("repository_cloud", **asked))["cloud"] == "local_only"
        assert (await engine.ask("repository_look", source=str(source)))["remembered"] == {"seed": 7}
        with pytest.raises(BadInput):
            await engine.ask("repository_remember", source=str(source), choices={"cloud": "allowed"})
        with pytest.raises(BadInput):
            await engine.ask("repository_decide", source=str(source), cloud="yes")
        await engine.ask("repository_forget", source=str(source))
        assert (await engine.ask("repository_cloud", **asked))["cloud"] == ""
    async with house(home) as engine:
        assert (await engine.ask("repository_cloud", **asked))["cloud"] == ""


async def test_a_run_goes_on_with_its_answer_unless_it_was_taken_back(home: Path, source: Path) -> None:
    reached = asyncio.Event()

    async def stops(step: str) -> None:
        if step == "work":
            reached.set()
            await asyncio.Event().wait()

    request = AnalysisRequest(str(source), model="gpt-4.1", api_base=FAR, cloud="allowed")
    async with house(home, ScriptedAnalysis(stops)) as engine:
        run = await engine.start(request)
        await reached.wait()
    async with house(home) as engine:
        await engine.ask("repository_decide", source=str(source), cloud="local_only")
        with pytest.raises(BadInput, match="decided since"):
            await engine.resume(run)
        assert (await engine.runs())[0].status is RunStatus.INTERRUPTED
        await engine.ask("repository_decide", source=str(source), cloud="allowed")
        await engine.resume(run)
        assert await policy_of(engine, run) == "allowed"


async def test_a_run_of_a_version_that_did_not_ask_is_not_gone_on_with(home: Path, source: Path) -> None:
    async with house(home) as engine:
        run, text = new_run(), json.dumps({"source": str(source), "model": "gpt-4.1", "api_base": FAR})
        await asyncio.to_thread(engine._records.create, run, text, "2026-01-01T00:00:00Z")
        await asyncio.to_thread(engine._records.set_status, run, RunStatus.INTERRUPTED)
        with pytest.raises(BadInput, match="before anybody was asked"):
            await engine.resume(run)


@pytest.mark.parametrize("wrong", ["yes", 1, None])
async def test_a_policy_that_is_none_is_refused_at_the_door(home: Path, source: Path, wrong: object) -> None:
    with pytest.raises(BadInput, match="cloud"):
        wire.request_from_json({"source": str(source), "cloud": wrong})
