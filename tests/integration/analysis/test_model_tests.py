"""A scripted model over real HTTP, its tests in real containers: kept, mended, refused, each for a reason."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qverify_desktop.analysis.model_tests import ModelOutcome, ModelUnavailable, write_model_tests
from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.results import AnalysisRequest, Reason
from qverify_desktop.domain.testing import Label
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from tests.model_servers.answers import Say, Script
from tests.model_servers.scripted import SCRIPTS, read_script
from tests.model_servers.server import serving

pytestmark = pytest.mark.docker

LANGUAGE = PythonLanguage()


def sample() -> tuple[Snapshot, Project, dict[str, Target]]:
    root = resources_root() / "resources" / "sample"
    files = tuple(sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()))
    snapshot = Snapshot(str(root), "sample", str(root), "0" * 40, files=files)
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    return snapshot, project, {t.symbol: t for t in LANGUAGE.targets(snapshot, project)}


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(resources_root(), Owner.of(tmp_path))
    yield sandbox
    await sandbox.close()


async def written(sandbox: DockerSandbox, symbol: str, script: Script, wire: str = "openai") -> ModelOutcome:
    snapshot, project, targets = sample()
    image = await sandbox.image("python")
    gateway = ModelGateway()

    async def run(job: Job) -> JobResult:
        return await sandbox.run(job, image, Path(snapshot.root), run="r-test")

    with serving(script, wire) as server:
        request = AnalysisRequest("sample", model="scripted", api_base=server.url)
        try:
            return await write_model_tests(targets[symbol], snapshot, project, LANGUAGE, gateway, run, request)
        finally:
            await gateway.close()


def purposes(outcome: ModelOutcome) -> list[str]:
    """What was asked for, in order."""
    return [str(e.data["purpose"]) for e in outcome.evidence if e.type == "model_prompt"]


def four_answers() -> Script:
    return read_script(SCRIPTS / "four_answers.json")


async def test_good_tests_are_kept_and_the_repositorys_own_words_are_quoted(sandbox: DockerSandbox) -> None:
    script = four_answers()
    outcome = await written(sandbox, "page_bounds", script)
    assert [t.name.removeprefix("test_page_bounds_") for t in outcome.tests] == [
        "last_page_is_short",
        "page_in_the_middle",
        "pages_are_counted_from_one",
    ]
    assert outcome.refused == ()
    assert purposes(outcome) == ["generate", "second_opinion"]
    quoted = outcome.tests[0]
    assert quoted.label is Label.SPECIFICATION
    assert quoted.quote is not None
    assert "page_bounds(3, 5, 12) == (11, 12)" in quoted.quote.text
    assert outcome.tests[1].label is Label.CHARACTERIZATION
    assert [e.type for e in outcome.evidence] == ["model_prompt", "model_answer"] * 2
    assert b"page_bounds" in outcome.evidence[0].blobs["prompt"]
    assert outcome.evidence[1].data["template"] == "generate 2, data 1"
    assert all(isinstance(v, int | str) for e in outcome.evidence for v in e.data.values())
    assert len(outcome.executions) == 1


async def test_a_wrong_module_is_mended_without_asking_again(sandbox: DockerSandbox) -> None:
    script = four_answers()
    outcome = await written(sandbox, "compact", script, "ollama")
    assert len(outcome.tests) == 1
    assert outcome.tests[0].prelude == ("from shelf.ranges import compact",)
    assert outcome.refused == ()
    assert "repair" not in purposes(outcome)
    assert len(outcome.executions) == 2


async def test_an_invented_name_is_mended_by_the_model(sandbox: DockerSandbox) -> None:
    script = four_answers()
    outcome = await written(sandbox, "missing", script)
    assert len(outcome.tests) == 1
    assert "missing([1, 2, 5]) == [3, 4]" in outcome.tests[0].code
    assert outcome.refused == ()
    assert purposes(outcome) == ["generate", "second_opinion", "repair"]
    assert "cannot import name 'missing_volumes'" in script.requests[-1]["messages"][-1]["content"]
    assert [e.data["round"] for e in outcome.evidence] == [0, 0, 0, 0, 1, 1]


async def test_a_tautology_and_prose_are_refused_for_their_own_reasons(sandbox: DockerSandbox) -> None:
    outcome = await written(sandbox, "sort_key", four_answers())
    assert outcome.tests == ()
    assert {r.reason for r in outcome.refused} == {Reason.TRIVIAL}
    assert len(outcome.refused) == 2
    outcome = await written(sandbox, "shorten", four_answers())
    assert [(r.reason, r.detail) for r in outcome.refused] == [
        (Reason.NOT_A_TEST, "The answer holds no code, only prose.")
    ]
    assert outcome.executions == ()


async def test_a_wrong_expectation_is_left_to_the_judge_after_the_last_round(sandbox: DockerSandbox) -> None:
    script = four_answers()
    outcome = await written(sandbox, "split_fine", script)
    assert len(outcome.tests) == 1
    assert outcome.tests[0].label is Label.CHARACTERIZATION
    # A model on this machine has five rounds.
    assert purposes(outcome).count("repair") == 5


async def test_a_test_that_agrees_with_the_words_is_never_bent_to_the_code(sandbox: DockerSandbox) -> None:
    code = (
        "```python\nfrom shelf.ranges import page_count\n\n\ndef test_full():\n    assert page_count(10, 5) == 2\n```"
    )
    script = Script([Say(code)])
    outcome = await written(sandbox, "page_count", script)
    assert purposes(outcome) == ["generate"]
    assert outcome.tests[0].label is Label.SPECIFICATION


async def test_one_hanging_and_one_killing_test_do_not_take_the_good_one_along(sandbox: DockerSandbox) -> None:
    code = """```python
import os
from shelf.ranges import compact

def test_kills():
    os.kill(os.getppid(), 9)
    os._exit(3)
    assert compact([1]) == "1"

def test_good():
    assert compact([1]) == "1"
```"""
    outcome = await written(sandbox, "compact", Script([Say(code), Say("no more")]))
    assert [t.name for t in outcome.tests] == ["test_compact_good"]
    assert len(outcome.refused) == 2


async def test_an_end_point_that_fails_is_said_with_the_prompt_kept(sandbox: DockerSandbox) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        await written(sandbox, "compact", Script([Say(fault="401")]))
    assert "QVERIFY_API_KEY" in caught.value.remedy
    assert [e.type for e in caught.value.evidence] == ["model_prompt", "model_no_answer"]


async def test_a_failure_in_a_later_round_keeps_what_was_won(sandbox: DockerSandbox) -> None:
    code = """```python
from shelf.ranges import compact, nothing_there

def test_good():
    assert compact([1]) == "1"

def test_bad():
    assert nothing_there(compact([1])) == "1"
```"""
    outcome = await written(sandbox, "compact", Script([Say(code), Say(fault="401")]))
    assert outcome.refused[0].reason is Reason.WRONG_IMPORT
    assert outcome.notices
