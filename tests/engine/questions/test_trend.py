"""How a repository goes from run to run: through the engine, on a terminal, as a table, and what a report shows of it."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from qverify_desktop import cli
from qverify_desktop.analysis.details import step_name
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.domain import trend
from qverify_desktop.domain.details import FileDetails, RunDetails
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import RunStatus
from qverify_desktop.domain.results import AnalysisRequest, Fraction, Measure, RunResult, Verdict
from qverify_desktop.domain.testing import FileCoverage
from qverify_desktop.domain.views import MeasureView
from qverify_desktop.engine.history import history_of
from qverify_desktop.engine.wire import request_key
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.runs import RunStore
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.export.values import result
from tests.gateway.test_masking import PEM

SOURCE = "/projects/=shelf"


def finished(number: int, lines: int, source: str = SOURCE) -> RunResult:
    """The run ``r<number>``, which left ``lines`` of 100 covered and cost so many millionths."""
    measure = Measure(Fraction(lines, 100), Fraction(0, 0), Fraction(1, 3))
    return RunResult(
        run=f"r{number}",
        request=AnalysisRequest(source),
        verdict=Verdict.NOTHING_SUSPECTED,
        sentence="Nothing is suspected.",
        origin=source,
        commit=f"{number}" * 40,
        tree="2" * 40,
        after=measure,
        cost_microusd=lines,
        duration_ms=number * 1000,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A state folder with three finished runs of a repository, one of them under another spelling, one that failed, and one
    run of another repository."""
    folder = tmp_path / "home"
    database = Database(folder / "qverify.db")
    store = RunStore(database)
    runs = [finished(1, 50), finished(2, 60, f"{SOURCE}/"), finished(3, 70), finished(4, 80, "/projects/other")]
    for one in runs:
        store.create(one.run, request_key(one.request), f"2026-01-0{one.run[1:]}T00:00:00Z")
        store.finish(one.run, one)
    store.create("r5", request_key(AnalysisRequest(SOURCE)), "2026-01-05T00:00:00Z")
    store.set_status("r5", RunStatus.FAILED)
    database.close()
    return folder


async def test_a_repository_over_its_runs(home: Path) -> None:
    async with house(home) as engine:
        (one,) = await engine.ask("repository_trend", source=f"{SOURCE}/")
        everything = await engine.ask("repository_trend")
        with pytest.raises(BadInput, match="no finished run of /projects/nowhere"):
            await engine.ask("repository_trend", source="/projects/nowhere")
    assert [entry["run"]["run"] for entry in one["runs"]] == ["r3", "r2", "r1"]
    assert (one["name"], one["total"]) == ("=shelf", 3)
    assert one["sentence"] == (
        "3 finished runs: line coverage went from 50.0 % to 70.0 % and mutation score went from 33.3 % to 33.3 %."
    )
    newest = one["runs"][0]
    assert (newest["scope"], newest["model"], newest["cost_microusd"], newest["duration_ms"]) == (
        "all",
        "none",
        70,
        3000,
    )
    assert [view["name"] for view in everything] == ["other", "=shelf"]
    assert everything[0]["sentence"] == "1 finished run."


def test_the_terminal_shows_a_row_for_each_run(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("QVERIFY_HOME", str(home))
    assert cli.main(["trend", SOURCE]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == [
        "run",
        "started",
        "scope",
        "lines",
        "branches",
        "mutants",
        "kept",
        "suspected",
        "cost",
        "time",
    ]
    assert lines[2].split() == [
        "r3",
        "2026-01-03T00:00:00Z",
        "all",
        "70.0",
        "%",
        "unknown",
        "33.3",
        "%",
        "0",
        "0",
        "$0.0001",
        "3.0",
        "s",
    ]
    assert len({len(line) for line in lines[1:]}) == 1, "numbers stand in columns"
    assert cli.main(["trend"]) == 0
    assert "3 finished runs" in capsys.readouterr().out
    assert cli.main(["trend", "--json"]) == 0
    assert [one["total"] for one in json.loads(capsys.readouterr().out)["repositories"]] == [1, 3]
    assert cli.main(["trend", "/projects/nowhere"]) == 2
    assert "no finished run" in capsys.readouterr().err


def test_the_table_is_oldest_first_and_guarded(home: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("QVERIFY_HOME", str(home))
    file = tmp_path / "trend.csv"
    assert cli.main(["trend", SOURCE, "--csv", str(file)]) == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"), newline="")))
    assert [(row["run"], row["lines_permille"], row["branches_permille"]) for row in rows] == [
        ("r1", "500", ""),
        ("r2", "600", ""),
        ("r3", "700", ""),
    ]
    assert rows[2]["cost_microusd"] == "70" and rows[2]["duration_ms"] == "3000"
    assert cli.main(["trend", "--csv", str(tmp_path / "no" / "folder.csv")]) == 2
    assert "can't be written" in capsys.readouterr().err


def test_numbers_of_an_older_version_are_unknown_and_not_nothing(home: Path) -> None:
    database = Database(home / "qverify.db")
    with database.statements() as connection:
        connection.execute("UPDATE runs SET measures = '' WHERE run = 'r2'")
    newest, older, _ = history_of(RunStore(database), SOURCE)
    database.close()
    assert [series.value(older) for series in trend.SERIES] == [None, None, None, 0, 0, None, None]
    assert all(series.value(newest) is not None for series in trend.SERIES if series.name != "branches")


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (0, 0, "unknown"),
        (0, 9, "0.0 %"),
        (1, 9999, "0.1 %"),
        (9998, 9999, "99.9 %"),
        (9, 9, "100.0 %"),
        (2, 3, "66.7 %"),
    ],
)
def test_all_and_nothing_are_only_said_where_it_is_so(part: int, whole: int, told: str) -> None:
    measure: MeasureView = {"before_part": 0, "before_whole": whole, "after_part": part, "after_whole": whole}
    assert trend.told(trend.Kind.SHARE, trend.after_of(measure)) == told


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        (trend.Kind.COUNT, 12_904, "12,904"),
        (trend.Kind.MONEY, 0, "free"),
        (trend.Kind.MONEY, 310_000, "$0.31"),
        (trend.Kind.MONEY, 7_700, "$0.0077"),
        (trend.Kind.TIME, 1_600, "1.6 s"),
        (trend.Kind.TIME, 59_990, "1 min 0 s"),
        (trend.Kind.TIME, 702_000, "11 min 42 s"),
        (trend.Kind.TIME, 7_500_000, "2 h 5 min"),
        (trend.Kind.MONEY, None, "unknown"),
    ],
)
def test_values_are_told(kind: trend.Kind, value: int | None, told: str) -> None:
    assert trend.told(kind, value) == told


def test_a_measure_that_only_one_run_has_is_not_compared(home: Path) -> None:
    database = Database(home / "qverify.db")
    entries = history_of(RunStore(database), SOURCE)
    database.close()
    nothing: MeasureView = {"before_part": 0, "before_whole": 0, "after_part": 0, "after_whole": 0}
    bare = [{**entry, "lines": nothing, "mutants": nothing} for entry in entries]
    assert trend.sentence(bare) == "3 finished runs; their measures can't be compared."  # type: ignore[arg-type]
    assert trend.sentence([]) == "0 finished runs."


async def test_the_report_holds_seal_and_history_and_later_what_a_person_decided(tmp_path: Path) -> None:
    source = tmp_path / "shelf"
    source.mkdir()
    (source / "a.py").write_text("x = 1\n")
    analysis = ScriptedAnalysis(found=lambda made: replace(result(), run=made.run, request=made.request))
    async with house(tmp_path / "home", analysis, languages=(PythonLanguage(60),)) as engine:
        runs = []
        for _ in range(2):
            runs.append(await engine.start(AnalysisRequest(str(source))))
            await follow(engine, runs[-1])
        first, second = [Path((await engine.show(run))["report"]).read_text("utf-8") for run in runs]
        assert "From run to run" not in first and "UNANCHORED" in first
        assert second.count("<td>all</td>") == 2
        checkpoint = (await engine.ask("evidence_checkpoint", run=runs[1]))["note"]
        assert escape(checkpoint) in second
        exported = await engine.export(runs[1], "html", tmp_path / "same.html")
        assert exported.read_text("utf-8") == second, "the same records give the same report"
        await engine.export(runs[0], "html", tmp_path / "first.html")
        assert (tmp_path / "first.html").read_text("utf-8") == first, "a later run is not in it"
        (found,) = await engine.ask("run_defects", run=runs[1])
        await engine.ask("defect_decide", run=runs[1], defect=found["id"], decision="dismissed", note="Old <words>.")
        await engine.export(runs[1], "html", tmp_path / "later.html")
        await engine.export(runs[1], "sarif", tmp_path / "later.sarif")
        later = (tmp_path / "later.html").read_text("utf-8")
        assert "Old &lt;words&gt;." in later and found["command"] in later
        suppressed = json.loads((tmp_path / "later.sarif").read_text())["runs"][0]["results"][0]["suppressions"]
        assert suppressed[0]["justification"] == "Old <words>."


@pytest.mark.parametrize(
    "harm", [lambda whole: whole[:-40], lambda whole: whole[:900] + b"x" + whole[901:], lambda _: None]
)
async def test_a_bundle_that_is_torn_or_gone_is_written_anew(tmp_path: Path, harm) -> None:
    source = tmp_path / "shelf"
    source.mkdir()
    (source / "a.py").write_text("x = 1\n")
    async with house(tmp_path / "home") as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        bundle = Path((await engine.show(run))["bundle"])
        whole = bundle.read_bytes()
        for format in ("html", "evidence"):
            harmed = harm(whole)
            if harmed is None:
                bundle.unlink()
            else:
                bundle.write_bytes(harmed)
            exported = await engine.export(run, format, tmp_path / f"out.{format}")
            assert bundle.read_bytes() == whole
        assert exported.read_bytes() == whole
        assert ">UNANCHORED<" in (tmp_path / "out.html").read_text("utf-8")


async def test_a_report_is_written_although_the_sources_of_it_are_lost(tmp_path: Path) -> None:
    source = tmp_path / "shelf"
    source.mkdir()
    (source / "a.py").write_text("x = 1\n")
    last = frozenset({6})
    text = f"KEY = '''-----BEGIN RSA PRIVATE KEY-----\n{PEM}\n-----END RSA PRIVATE KEY-----\n'''\nx = 1\n"
    details = RunDetails((FileDetails("a.py", "python", text, "", FileCoverage(last), FileCoverage(last, last)),))

    class WithDetails(ScriptedAnalysis):
        async def __call__(self, run, request, services, checkpoints, reporter):
            steps = Steps(run, request, services, checkpoints, reporter)

            async def opening(context):
                context.record("run_opened", {})
                return "2026-01-01T00:00:00Z"

            async def looking(_):
                return details

            await steps.step("open", str, opening)
            await steps.step(step_name("python"), RunDetails, looking)
            self.kept = services.artefacts.path(services.journal.recorded(run, step_name("python")))
            return await super().__call__(run, request, services, checkpoints, reporter)

    analysis = WithDetails(found=lambda made: replace(made, languages=("python",)))
    async with house(tmp_path / "home", analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        events = await follow(engine, run)
        assert events[-1].text == ""
        report = Path((await engine.show(run))["report"]).read_text("utf-8")
        assert '<span class="gained"><i>6</i><b>+</b>x = 1</span>' in report
        assert "BEGIN RSA PRIVATE KEY" in report and not any(line in report for line in PEM.splitlines())
        analysis.kept.write_bytes(b"torn")
        await engine.export(run, "html", tmp_path / "later.html")
        later = (tmp_path / "later.html").read_text("utf-8")
        assert "The source line by line is not in this report." in later and "x = 1" not in later
