"""Repositories: one name for each, what their runs show side by side, and a look that runs nothing."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest, Reason, RunResult, TestVerdict
from qverify_desktop.engine.questions.views import canonical, name_of
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.storage.repositories import RepositoryStore
from tests.engine.house import NoMachine, ScriptedAnalysis, follow, house
from tests.export.values import defect, judged


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "shelf.py").write_text("def one():\n    return 1\n")
    return folder


class InTurn:
    """Results of one run after the other."""

    def __init__(self, *made: Callable[[RunResult], RunResult]) -> None:
        self._made = [*made]

    def __call__(self, result: RunResult) -> RunResult:
        return self._made.pop(0)(result)


def result_with(tests: dict[str, TestVerdict], calls: tuple[str, ...]) -> Callable[[RunResult], RunResult]:
    reasons = {TestVerdict.ACCEPTED: Reason.GAIN, TestVerdict.REFUSED: Reason.NO_GAIN}

    def make(result: RunResult) -> RunResult:
        made = tuple(judged(name, verdict, reasons[verdict]) for name, verdict in tests.items())
        found = tuple(replace(defect("t"), call=call) for call in calls)
        return replace(result, tests=made, defects=found)

    return make


KEPT, REFUSED = TestVerdict.ACCEPTED, TestVerdict.REFUSED


@pytest.mark.parametrize(
    ("old", "new", "changed", "gone", "fresh", "same", "sentence"),
    [
        pytest.param(
            ({"test_a": KEPT, "test_b": KEPT}, ("f(1)", "f(2)")),
            ({"test_a": REFUSED, "test_b": KEPT, "test_c": KEPT}, ("f(2)", "f(3)")),
            [("test_a", "accepted", "refused"), ("test_c", "", "accepted")],
            ["f(1)"],
            ["f(3)"],
            ["f(2)"],
            "1 suspected defect gone and 1 new one; 2 tests kept in both.",
            id="some of each",
        ),
        pytest.param(
            ({"test_a": KEPT, "test_b": KEPT}, ("f(1)", "f(2)")),
            ({"test_a": KEPT}, ()),
            [("test_b", "accepted", "")],
            ["f(1)", "f(2)"],
            [],
            [],
            "2 suspected defects gone; 1 test kept, 2 before.",
            id="mended",
        ),
        pytest.param(
            ({}, ()),
            ({}, ("f(1)",)),
            [],
            [],
            ["f(1)"],
            [],
            "1 new suspected defect; 0 tests kept in both.",
            id="new",
        ),
        pytest.param(
            ({"test_a": KEPT}, ("f(1)",)),
            ({"test_a": KEPT}, ("f(1)",)),
            [],
            [],
            [],
            ["f(1)"],
            "The same 1 suspected defect; 1 test kept in both.",
            id="the same",
        ),
        pytest.param(
            ({}, ()), ({}, ()), [], [], [], [], "No suspected defect in either run; 0 tests kept in both.", id="none"
        ),
    ],
)
async def test_two_runs_side_by_side(
    tmp_path: Path,
    source: Path,
    old: Any,
    new: Any,
    changed: list[tuple[str, str, str]],
    gone: list[str],
    fresh: list[str],
    same: list[str],
    sentence: str,
) -> None:
    analysis = ScriptedAnalysis(found=InTurn(result_with(*old), result_with(*new)))
    async with house(tmp_path / "home", analysis) as engine:
        runs = []
        for _ in range(2):
            runs.append(await engine.start(AnalysisRequest(str(source))))
            await follow(engine, runs[-1])
        if same:
            [kept] = [one for one in await engine.ask("run_defects", run=runs[1]) if one["call"] == same[0]]
            await engine.ask("defect_decide", run=runs[1], defect=kept["id"], decision="dismissed")
        view = await engine.ask("runs_compare", a=runs[1], b=runs[0])
    assert [view["a"]["run"]["run"], view["b"]["run"]["run"]] == runs
    assert [(one["test"].rpartition("::")[2], one["before"], one["after"]) for one in view["tests"]] == changed
    assert [one["call"] for one in view["defects_gone"]] == gone
    assert [one["call"] for one in view["defects_new"]] == fresh
    assert [(one["call"], one["decision"]) for one in view["defects_same"]] == [(call, "dismissed") for call in same]
    assert view["sentence"] == sentence


async def test_a_run_that_has_no_result_is_not_compared(tmp_path: Path, source: Path) -> None:
    def broken(result: RunResult) -> RunResult:
        raise BadInput("The repository holds no file that could be analysed.")

    async with house(tmp_path / "home", ScriptedAnalysis(found=InTurn(lambda result: result, broken))) as engine:
        runs = []
        for _ in range(2):
            runs.append(await engine.start(AnalysisRequest(str(source))))
            await follow(engine, runs[-1])
        with pytest.raises(BadInput, match="no result"):
            await engine.ask("runs_compare", a=runs[0], b=runs[1])
        history = await engine.ask("repository_history", source=str(source))
        assert [entry["run"]["run"] for entry in history] == runs[:1]
        [view] = await engine.ask("repositories")
        assert (view["last"]["status"], [point["run"] for point in view["trend"]]) == ("failed", runs[:1])


@pytest.mark.parametrize(
    ("named", "same"),
    [
        ("/a/b/", "/a/b"),
        ("/a/./c/../b", "/a/b"),
        ("  /a/b ", "/a/b"),
        ("~/b", str(Path.home() / "b")),
        ("https://me:secret@example.org/a/b.git", "https://example.org/a/b.git"),
        ("https://token@example.org:8443/a/b.git?x=secret#y", "https://example.org:8443/a/b.git"),
        ("ssh://git:secret@example.org/a/b.git", "ssh://git@example.org/a/b.git"),
        ("git@example.org:a/b.git", "git@example.org:a/b.git"),
        ("https://me:se[cret@example.org", "example.org"),
    ],
)
def test_each_way_to_name_a_source_is_one_text_without_secrets(named: str, same: str) -> None:
    assert canonical(named) == same
    assert canonical(same) == same


@pytest.mark.parametrize(
    ("source", "name"),
    [("/a/b", "b"), ("/", "/"), ("https://x.org/a/b.git", "b"), ("git@x.org:b.git", "b"), ("C:\\a\\b\\", "b")],
)
def test_a_source_has_a_short_name(source: str, name: str) -> None:
    assert name_of(source) == name


async def test_a_folder_named_in_two_ways_is_one_repository(tmp_path: Path, source: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(source)
    async with house(tmp_path / "home") as engine:
        for named in (f"{source}", f"{source}/"):
            await follow(engine, await engine.start(AnalysisRequest(named)))
        [view] = await engine.ask("repositories")
        assert (view["source"], len(view["trend"])) == (str(source), 2)
        assert len(await engine.ask("repository_history", source=f"{source}/")) == 2
        look = await engine.ask("repository_look", source=str(link))
        await engine.ask("repository_remember", source=look["source"], choices={"seed": 7})
        for named in (f"{source}/", str(link)):
            assert (await engine.ask("repository_look", source=named))["remembered"] == {"seed": 7}


async def test_no_secret_of_an_address_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    address = "https://me:hunter2@example.org/a/b.git"
    async with house(home) as engine:
        await engine.ask("repository_pin", source=address, pinned=True)
        await engine.ask("repository_remember", source=address, choices={"seed": 7})
        look = await engine.ask("repository_look", source=address)
        assert (look["remembered"], look["source"]) == ({"seed": 7}, "https://example.org/a/b.git")
        [view] = await engine.ask("repositories")
        assert (view["name"], view["pinned"], view["last"], view["trend"]) == ("b", True, None, [])
    for file in home.rglob("*"):
        assert not file.is_file() or b"hunter2" not in file.read_bytes(), file


async def test_a_forgotten_repository_comes_back_with_its_next_run(tmp_path: Path, source: Path) -> None:
    async with house(tmp_path / "home") as engine:
        await follow(engine, await engine.start(AnalysisRequest(str(source))))
        await engine.ask("repository_forget", source=f"{source}/")
        assert await engine.ask("repositories") == []
        await engine.ask("repository_forget", source="/never/seen")
        assert await engine.ask("repositories") == []
        # As if it had been forgotten before that run began.
        RepositoryStore(engine._parts.database).forget(str(source), "2020-01-01T00:00:00Z")
        assert [view["source"] for view in await engine.ask("repositories")] == [str(source)]


class Machine(NoMachine):
    def __init__(self, *runtimes: dict[str, Any]) -> None:
        super().__init__()
        self._runtimes = [*runtimes]

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        assert (action, names) == ("list", [])
        return self._runtimes


READY = {"runtime": "python", "languages": ["python"], "ready": True, "sentence": "Ready."}
OTHER = {"runtime": "node", "languages": ["javascript"], "ready": True, "sentence": "Ready."}
PYTHON = (PythonLanguage(),)


@pytest.mark.parametrize(
    ("where", "expected"),
    [("folder", [("python", 1, True, True)]), ("https://example.org/a.git", [("python", 0, True, True)])],
)
async def test_runtimes_that_fit_are_offered(tmp_path: Path, source: Path, where: str, expected: list[Any]) -> None:
    """Of an address too only what can be analysed: a runtime alone analyses nothing."""
    async with house(tmp_path / "home", machine=Machine(OTHER, READY), languages=PYTHON) as engine:
        look = await engine.ask("repository_look", source=str(source) if where == "folder" else where)
    found = [(one["runtime"], one["files"], one["ready"], one["analysable"]) for one in look["runtimes"]]
    assert found == expected
    assert look["problem"] == ""


async def test_what_cannot_be_analysed_is_said_with_its_folder(tmp_path: Path, source: Path) -> None:
    web = source / "web"
    (web / "node_modules/left-pad").mkdir(parents=True)
    (web / "node_modules/left-pad/index.js").write_text("")
    (web / "package.json").write_text('{"scripts": {"test": "jest && go test ./..."}}')
    (web / "app.ts").write_text("")
    (web / "old.js").write_text("")
    (web / "main.go").write_text("")
    (web / "tool.py").write_text("")
    (source / "engine").mkdir()
    (source / "engine/Cargo.toml").write_text("[package]\n")
    (source / "engine/lib.rs").write_text("")
    async with house(tmp_path / "home", machine=Machine(OTHER, READY), languages=PYTHON) as engine:
        look = await engine.ask("repository_look", source=str(source))
    python, mixed, rust = look["runtimes"]
    assert (python["runtime"], python["files"], python["analysable"]) == ("python", 2, True)
    assert (mixed["runtime"], mixed["languages"], mixed["files"]) == (
        "universal",
        ["go", "javascript", "typescript"],
        3,
    )
    assert (rust["languages"], rust["files"], rust["ready"], rust["analysable"]) == (["rust"], 1, False, False)
    assert "can't be analysed yet" in mixed["sentence"] and "(in web)" in mixed["sentence"]
    assert "tools of several runtimes: go, node" in mixed["sentence"]
    assert look["source_files"] == ["shelf.py", "web/tool.py"] and look["problem"] == ""


async def test_a_folder_without_source_says_so(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty/read.me").write_text("x")
    async with house(tmp_path / "home", machine=Machine(READY), languages=PYTHON) as engine:
        look = await engine.ask("repository_look", source=str(tmp_path / "empty"))
    assert (look["files"], look["source_files"], look["runtimes"]) == (1, [], [])
    assert look["problem"] == "There is no source in a language that can be analysed. Python is known."


async def test_a_folder_in_another_language_names_it(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web/app.js").write_text("")
    async with house(tmp_path / "home", machine=Machine(OTHER, READY), languages=PYTHON) as engine:
        look = await engine.ask("repository_look", source=str(tmp_path / "web"))
    assert [one["analysable"] for one in look["runtimes"]] == [False]
    assert "Found: JavaScript (1 file). Python is known." in look["problem"]


async def test_source_files_are_listed_up_to_5000(tmp_path: Path, source: Path) -> None:
    for number in range(5_010):
        os.close(os.open(source / f"m{number:04}.py", os.O_CREAT | os.O_WRONLY))
    async with house(tmp_path / "home", machine=Machine(READY), languages=PYTHON) as engine:
        look = await engine.ask("repository_look", source=str(source))
    assert (len(look["source_files"]), look["files"], look["runtimes"][0]["files"]) == (5_000, 5_011, 5_011)
