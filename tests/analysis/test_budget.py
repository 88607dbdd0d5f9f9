"""A budget of the model: once it is spent no further target is asked about, and the report says how many were left out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from qverify_desktop.analysis.generate import Allowance, asker_of, from_model
from qverify_desktop.analysis.model_tests import budget_left
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.errors import ModelsStopped
from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.domain.results import AnalysisRequest
from tests.analysis.test_model_tests import HEADER, LANGUAGE, SOURCE, TARGET, Model, passes, reports, test_of

#: What one answer of the scripted model costs, in millionths of a US dollar.
ANSWER = 7


class Store:
    """Artefacts, journal and checkpoints of one run, kept in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.steps: dict[str, str] = {}

    def put(self, content: bytes) -> str:
        digest = str(len(self.kept))
        self.kept[digest] = content
        return digest

    def get(self, digest: str) -> bytes:
        return self.kept[digest]

    def recorded(self, run: str, step: str) -> str | None:
        return self.steps.get(step)

    def record(self, run: str, step: str, digest: str, events: object) -> str:
        return self.steps.setdefault(step, digest)

    async def step(self, name: str, body: Callable[[], Awaitable[str]]) -> str:
        return await body()


def steps_over(tmp_path: Path, model: Model, budget: int, store: Store) -> Steps:
    async def run(job, image, source, *, run, dependencies):  # type: ignore[no-untyped-def]
        return await reports(passes)(job)  # type: ignore[misc]

    services = SimpleNamespace(
        workspace=tmp_path,
        gateway=model,
        journal=store,
        artefacts=store,
        sandbox=SimpleNamespace(run=run),
        language=lambda name: LANGUAGE,
    )
    request = AnalysisRequest("origin", model="m", api_base="http://127.0.0.1:1", budget_microusd=budget)
    reporter = SimpleNamespace(progress=lambda *told: None)
    return Steps("r1", request, services, store, reporter, image=SimpleNamespace())  # type: ignore[arg-type]


async def asked_about(tmp_path: Path, budget: int, targets: int, store: Store | None = None):  # type: ignore[no-untyped-def]
    (tmp_path / "pkg").mkdir(exist_ok=True)
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "text.py").write_text(SOURCE)
    files = ("pkg/__init__.py", "pkg/text.py")
    snapshot = Snapshot("origin", "name", str(tmp_path), "0" * 40, files=files)
    project = Project("python", "python", ("",), files, ())
    model = Model(f"```python\n{HEADER}{test_of('a', 'pages(1) == 0')}```")
    steps = steps_over(tmp_path, model, budget, store or Store())
    wanted = [replace(TARGET, line=n + 1) for n in range(targets)]
    found = await from_model(steps, snapshot, project, wanted, Allowance(targets), "python.0", {})
    return model, found, steps.spent.cost_microusd


@pytest.mark.parametrize(
    ("budget", "asked"), [(1, 1), (ANSWER, 1), (ANSWER + 1, 2), (3 * ANSWER, 3), (1_000_000, 4), (0, 4)]
)
async def test_no_further_target_is_asked_about_once_it_is_spent(tmp_path: Path, budget: int, asked: int) -> None:
    model, found, spent = await asked_about(tmp_path, budget, 4)
    assert (len(model.prompts), spent, len(found.tests)) == (asked, asked * ANSWER, asked)
    said = " ".join(found.notices)
    assert ("budget" in said) == (asked < 4)
    assert (f"the model was not asked about {4 - asked} of 4 targets" in said) == (asked < 4)


async def test_what_was_paid_before_a_restart_counts(tmp_path: Path) -> None:
    store = Store()
    await asked_about(tmp_path, 2 * ANSWER, 4, store)
    model, found, spent = await asked_about(tmp_path, 2 * ANSWER, 4, store)
    assert (len(model.prompts), spent, len(found.tests)) == (0, 2 * ANSWER, 2)


async def test_no_further_target_is_asked_about_once_the_person_chose_to_finish_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    async def stopped(self: Model, messages: object, **options: object) -> None:
        asked.append(messages)
        raise ModelsStopped("You chose to finish without a model that costs something.")

    monkeypatch.setattr(Model, "complete", stopped)
    _, found, spent = await asked_about(tmp_path, 100, 4)
    assert len(asked) == 1 and spent == 0
    assert found.notices == ("You chose to finish without a model that costs something.",)


@pytest.mark.parametrize(("policy", "cloud"), [("allowed", True), ("local_only", False), ("", False)])
def test_a_question_is_asked_elsewhere_only_where_the_run_may(tmp_path: Path, policy: str, cloud: bool) -> None:
    steps = steps_over(tmp_path, Model(""), 5, Store())
    steps.request = replace(steps.request, cloud=policy)
    asker = asker_of(steps, "python.0.model.0")
    assert (asker.cloud, asker.budget_microusd, asker.request) == (cloud, 5, "r1/python.0.model.0")


def test_what_is_left_is_never_below_nothing() -> None:
    request = AnalysisRequest("x", budget_microusd=10)
    assert [budget_left(request, spent) for spent in (0, 4, 10, 99)] == [10, 6, 0, 0]
    assert budget_left(AnalysisRequest("x"), 99) is None
