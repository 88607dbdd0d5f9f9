"""Which functions are chosen: those that a diff touches and their callers; what changes often before what does not."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

from qverify_desktop.analysis.baseline import choose_targets
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.repository import Repositories
from tests.analysis.test_budget import Store
from tests.integration.analysis.command import Repository

LANGUAGE = PythonLanguage()
AREA = "def area(a):\n    return a * a\n\n\ndef apart(a):\n    return a\n"
VOLUME = "from pages.area import area\n\n\ndef volume(a):\n    return area(a) * a\n\n\ndef other(a):\n    return a\n"


async def chosen(repository: Repository, tmp_path: Path, scope: str = "all") -> list[str]:
    store = Store()
    services = SimpleNamespace(
        repositories=Repositories(),
        workspace=tmp_path / "work",
        journal=store,
        artefacts=store,
        language=lambda name: LANGUAGE,
    )
    silent = SimpleNamespace(started=lambda stage: None, finished=lambda stage, text: None)
    request = AnalysisRequest(str(repository.folder), Scope.parse(scope))
    steps = Steps("r1", request, services, store, silent)  # type: ignore[arg-type]
    snapshot = Repositories().take_snapshot(request.source, steps.folder)
    project = LANGUAGE.detect(snapshot)
    assert project is not None
    return [target.symbol for target in await choose_targets(steps, snapshot, project, {})]


async def test_a_diff_takes_what_it_touches_and_who_calls_that(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    repository.commit("Begin", __init__="", area=AREA, volume=VOLUME)
    repository.commit("Change", area=AREA.replace("a * a", "a * a + 0"))
    assert set(await chosen(repository, tmp_path, "changed:HEAD~1")) == {"area", "volume"}
    assert await chosen(repository, tmp_path, "changed:HEAD") == []
    assert set(await chosen(repository, tmp_path)) == {"area", "apart", "volume", "other"}


async def test_of_two_alike_the_one_that_changes_often_comes_first(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "library")
    same = "def {}(a):\n    return a\n"
    repository.commit("Begin", __init__="", a=same.format("calm"), z=same.format("busy"))
    assert await chosen(repository, tmp_path) == ["calm", "busy"]
    for number in range(3):
        repository.commit("Again", z=f"# {number}\n" + same.format("busy"))
    assert await chosen(repository, tmp_path) == ["busy", "calm"]
