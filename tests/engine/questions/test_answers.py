"""What a window is answered, over real storage, evidence and git; the analysis is scripted, its result made by hand."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest, RunResult, Verdict
from qverify_desktop.languages.python.language import PythonLanguage
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.export.values import defect, result

GIT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *arguments: str) -> str:
    ran = subprocess.run(["git", *arguments], cwd=folder, env=GIT, capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "shelf"
    (folder / "shelf").mkdir(parents=True)
    (folder / "shelf/ranges.py").write_text("def page_count(total, size):\n    return total // size + 1\n")
    (folder / "shelf/test_ranges.py").write_text("def test_it():\n    assert True\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    git(folder, "tag", "v1")
    return folder


def rich(made: RunResult) -> RunResult:
    """Tests, defects and measures of the sample values, for this run and repository."""
    values = result()
    return replace(
        made,
        verdict=Verdict.DEFECTS_SUSPECTED,
        sentence=values.sentence,
        languages=("python",),
        tests=values.tests,
        defects=(defect(values.tests[4].test.id),),
        before=values.before,
        after=values.after,
        files={"tests/qverify/test_qv_ranges.py": "def test_kept(): ...\n"},
    )


@asynccontextmanager
async def finished(home: Path, source: Path, runs: int = 1):
    """An engine with finished runs over ``source``."""
    async with house(home, ScriptedAnalysis(found=rich), languages=(PythonLanguage(60),)) as engine:
        names = []
        for _ in range(runs):
            run = await engine.start(AnalysisRequest(str(source)))
            await follow(engine, run)
            names.append(run)
        yield engine, names


# Repositories


async def test_a_repository_is_listed_with_its_trend_and_can_be_pinned_and_forgotten(home, source):
    async with finished(home, source, runs=2) as (engine, runs):
        [one] = await engine.ask("repositories")
        assert (one["name"], one["pinned"], one["last"]["run"]) == ("shelf", False, runs[1])
        assert [point["lines"] for point in one["trend"]] == [900, 900]
        await engine.ask("repository_pin", source=str(source), pinned=True)
        assert [view["pinned"] for view in await engine.ask("repositories")] == [True]
        await engine.ask("repository_forget", source=str(source))
        assert await engine.ask("repositories") == []
        assert len(await engine.ask("run_list")) == 2, "its runs stay"


async def test_choices_are_remembered_and_bad_ones_refused(home, source):
    async with finished(home, source, runs=0) as (engine, _):
        await engine.ask("repository_remember", source=str(source), choices={"scope": "all", "seed": 7})
        look = await engine.ask("repository_look", source=str(source))
        assert look["remembered"] == {"scope": "all", "seed": 7}
        for bad in ({"seed": "7"}, {"secret": "x"}, {"allow_install": 1}):
            with pytest.raises(BadInput):
                await engine.ask("repository_remember", source=str(source), choices=bad)


async def test_a_first_look_says_what_is_there(home, source):
    async with finished(home, source, runs=0) as (engine, _):
        look = await engine.ask("repository_look", source=str(source))
        assert (look["git"], look["branch"], look["problem"]) == (True, "main", "")
        assert set(look["refs"]) == {"main", "v1"}
        assert look["source_files"] == ["shelf/ranges.py", "shelf/test_ranges.py"]
        assert look["test_files"] == 1
        far = await engine.ask("repository_look", source="https://example.org/a/b.git")
        assert (far["name"], far["files"], far["problem"]) == ("b", 0, "")


@pytest.mark.parametrize("bad", ["/nowhere/at/all", "ext::sh -c evil", "", "--upload-pack=x"])
async def test_a_look_at_what_can_not_be_analyzed_is_a_sentence(home, source, bad):
    async with finished(home, source, runs=0) as (engine, _):
        assert (await engine.ask("repository_look", source=bad))["problem"]


async def test_a_look_runs_nothing_of_the_repository(home, source, tmp_path):
    mark = tmp_path / "mark"
    for name in ("post-checkout", "pre-commit", "fsmonitor-watchman"):
        hook = source / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    git(source, "config", "core.fsmonitor", f"touch {mark}")
    async with finished(home, source, runs=0) as (engine, _):
        await engine.ask("repository_look", source=str(source))
    assert not mark.exists()


async def test_history_and_two_runs_side_by_side(home, source):
    async with finished(home, source, runs=2) as (engine, runs):
        history = await engine.ask("repository_history", source=str(source))
        assert [entry["run"]["run"] for entry in history] == runs[::-1]
        assert history[0]["lines"] == {"before_part": 50, "before_whole": 100, "after_part": 90, "after_whole": 100}
        compared = await engine.ask("runs_compare", a=runs[1], b=runs[0])
        assert (compared["a"]["run"]["run"], compared["b"]["run"]["run"]) == tuple(runs)
        assert (compared["tests"], len(compared["defects_same"])) == ([], 1)
        assert "same" in compared["sentence"]


# Results and decisions


async def test_results_of_a_run(home, source):
    async with finished(home, source) as (engine, [run]):
        overview = await engine.ask("run_overview", run=run[:8])
        assert overview["run"]["verdict"] == "defects_suspected"
        assert Path(overview["bundle"]).is_file()
        tests = await engine.ask("run_tests", run=run)
        assert [one["verdict"] for one in tests] == ["accepted", "refused", "refused", "refused", "suspected"]
        detail = await engine.ask("run_test", run=run, test=tests[3]["id"])
        assert [state for _, state in detail["steps"]] == ["done", "done", "done", "refused", "open"]
        [found] = await engine.ask("run_defects", run=run)
        assert (found["symbol"], found["expected"], found["observed"], found["confidence"]) == (
            "page_count",
            "2",
            "3",
            950,
        )
        assert found["file_on_disk"] == str(source / "shelf/ranges.py")
        with pytest.raises(BadInput):
            await engine.ask("run_test", run=run, test="no such")
        with pytest.raises(BadInput, match="kept no source"):
            await engine.ask("run_source", run=run, file="shelf/ranges.py")


async def test_an_unfinished_run_has_an_overview_and_no_results(home, source):
    gate = asyncio.Event()

    async def hook(step: str) -> None:
        if step == "work":
            gate.set()
            await asyncio.sleep(60)

    async with house(home, ScriptedAnalysis(hook)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await gate.wait()
        overview = await engine.ask("run_overview", run=run)
        assert (overview["run"]["status"], overview["run"]["stage"]) == ("running", "judge")
        with pytest.raises(BadInput):
            await engine.ask("run_tests", run=run)
        await engine.cancel(run)


async def test_decisions_are_kept_in_table_and_log_and_change_what_is_written(home, source):
    async with finished(home, source) as (engine, [run]):
        tests = await engine.ask("run_tests", run=run)
        kept, again, _, flaky, suspected = (one["id"] for one in tests)
        before = (await engine.ask("evidence_log"))["total"]
        await engine.ask("tests_decide", run=run, tests=[again], decision="accepted")
        for bad in (flaky, suspected):
            with pytest.raises(BadInput, match="five of five"):
                await engine.ask("tests_decide", run=run, tests=[bad], decision="accepted")
        with pytest.raises(BadInput):
            await engine.ask("tests_decide", run=run, tests=["no such"], decision="refused")
        decided = {one["id"]: one["decided"] for one in await engine.ask("run_tests", run=run)}
        assert decided == {kept: "", again: "accepted", tests[2]["id"]: "", flaky: "", suspected: ""}
        diff = await engine.ask("run_diff", run=run)
        assert "test_kept" in diff["text"] and "test_again" in diff["text"] and "test_flaky" not in diff["text"]
        log = await engine.ask("evidence_log", start=before)
        assert [entry["type"] for entry in log["entries"]] == ["run_opened", "decision", "run_closed"]
        assert "accepted" in log["entries"][1]["words"]
        await engine.ask("tests_decide", run=run, tests=[kept, again], decision="refused")
        assert (await engine.ask("run_diff", run=run))["files"] == []
        with pytest.raises(BadInput, match="nothing to write"):
            await engine.ask("run_write", run=run, form="worktree")
        await engine.ask("tests_decide", run=run, tests=[kept, again], decision="")
        assert {one["decided"] for one in await engine.ask("run_tests", run=run)} == {""}


async def test_the_bundle_stays_whole_and_the_same_after_decisions(home, source, tmp_path):
    async with finished(home, source) as (engine, [run]):
        first, second = tmp_path / "1.zip", tmp_path / "2.zip"
        await engine.export(run, "evidence", first)
        [found] = await engine.ask("run_defects", run=run)
        await engine.ask("defect_decide", run=run, defect=found["id"], decision="confirmed", note="right")
        await engine.export(run, "evidence", second)
        assert first.read_bytes() == second.read_bytes()
        assert (await engine.verify(second))["valid"]
        [decided] = await engine.ask("run_defects", run=run)
        assert (decided["decision"], decided["note"]) == ("confirmed", "right")
        # A later run's bundle shows the record in between as a header, and verifies.
        later = await engine.start(AnalysisRequest(str(source), seed=1))
        await follow(engine, later)
        grade = await engine.ask("evidence_grade", run=later)
        assert grade["valid"], grade["problems"]


async def test_a_command_decides_about_a_suspected_defect(home, source):
    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "qverify_desktop.cli", "defects", *words]
        return subprocess.run(
            command, env={**os.environ, "QVERIFY_HOME": str(home)}, capture_output=True, text=True, check=False
        )

    async with finished(home, source) as (engine, [run]):
        [found] = await engine.ask("run_defects", run=run)
        listed = await asyncio.to_thread(typed, run)
        assert listed.stdout.startswith(f"{found['id']}  not decided\n") and "| >>> page_count" in listed.stdout
        answer = await asyncio.to_thread(typed, run, "--dismiss", found["id"][:6], "--note", "as meant", "--json")
        assert answer.returncode == 0, answer.stderr
        [one] = json.loads(answer.stdout)["suspected_defects"]
        assert (one["decision"], one["note"]) == ("dismissed", "as meant")
        decided = await engine.ask("evidence_log", text="decision")
        assert [entry["type"] for entry in decided["entries"] if entry["type"] == "decision"] == ["decision"]
        for wrong in (["--confirm", "nothing"], ["--note", "alone"], ["--confirm", "a", "--dismiss", "b"]):
            refused = await asyncio.to_thread(typed, run, *wrong)
            assert (refused.returncode, refused.stdout) == (2, "") and "Traceback" not in refused.stderr
        back = await asyncio.to_thread(typed, run, "--take-back", found["id"])
        assert "not decided" in back.stdout


async def test_writing_a_branch_a_patch_and_the_work_tree(home, source, tmp_path):
    async with finished(home, source) as (engine, [run]):
        head, index = git(source, "rev-parse", "HEAD"), (source / ".git/index").read_bytes()
        written = await engine.ask("run_write", run=run, form="branch", place="qverify/tests")
        assert written["files"] == ["tests/qverify/test_qv_ranges.py"]
        assert git(source, "rev-parse", "qverify/tests^") == head
        assert git(source, "show", "--name-only", "--format=", "qverify/tests") == "tests/qverify/test_qv_ranges.py"
        assert git(source, "rev-parse", "HEAD") == head
        assert (source / ".git/index").read_bytes() == index
        assert git(source, "status", "--porcelain") == ""
        git(source, "fsck", "--strict")
        with pytest.raises(BadInput, match="already"):
            await engine.ask("run_write", run=run, form="branch", place="qverify/tests")
        patch = tmp_path / "x.patch"
        await engine.ask("run_write", run=run, form="patch", place=str(patch))
        git(source, "apply", "--check", str(patch))
        await engine.ask("run_write", run=run, form="worktree")
        assert (source / "tests/qverify/test_qv_ranges.py").is_file()
        kinds = [entry["type"] for entry in (await engine.ask("evidence_log"))["entries"]]
        assert kinds.count("written") == 3
        for form, place in (("branch", "a..b"), ("patch", "relative.patch"), ("mail", "")):
            with pytest.raises(BadInput):
                await engine.ask("run_write", run=run, form=form, place=place)


# Log and pause


async def test_the_log_is_read_by_pages_and_searched(home, source):
    async with finished(home, source) as (engine, [run]):
        whole = await engine.ask("run_log", run=run, start=0, limit=1000)
        texts = [line["text"] for line in whole["lines"]]
        assert texts[0] == "queued" and texts[-1] == "finished"
        assert (await engine.ask("run_log", run=run, start=-2, limit=5))["lines"] == whole["lines"][-2:]
        hits = await engine.ask("run_log_search", run=run, words="DONE")
        assert [texts[row] for row in hits["rows"]] == ["done"] * len(hits["rows"]) and hits["rows"]


async def test_a_paused_run_finishes_its_step_and_goes_on(home, source):
    reached, go = asyncio.Event(), asyncio.Event()

    async def hook(step: str) -> None:
        if step == "work":
            reached.set()
            await go.wait()

    analysis = ScriptedAnalysis(hook)
    async with house(home, analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await reached.wait()
        await engine.ask("run_pause", run=run)
        go.set()
        assert (await follow(engine, run))[-1].status.value == "paused"
        assert analysis.began == ["intake", "work"]
        with pytest.raises(BadInput):
            await engine.ask("run_pause", run=run)
        await engine.resume(run)
        assert (await follow(engine, run))[-1].status.value == "finished"
        assert analysis.began == ["intake", "work", "result"], "the step that was running ended and is not repeated"


async def test_a_paused_run_can_be_cancelled(home, source):
    reached, go = asyncio.Event(), asyncio.Event()

    async def hook(step: str) -> None:
        reached.set()
        await go.wait()

    async with house(home, ScriptedAnalysis(hook)) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await reached.wait()
        await engine.ask("run_pause", run=run)
        go.set()
        await follow(engine, run)
        await engine.cancel(run)
        assert [one.status.value for one in await engine.runs()] == ["cancelled"]


# Evidence


async def test_every_entry_has_a_proof_that_holds(home, source):
    async with finished(home, source) as (engine, [run]):
        total = (await engine.ask("evidence_log", run=run))["total"]
        assert total >= 2
        for index in range(total):
            event = await engine.ask("evidence_event", index=index)
            assert event["holds"]
            last = event["proof"][-1]["computed"] if event["proof"] else event["leaf_hash"]
            assert last == event["root"]
        with pytest.raises(BadInput):
            await engine.ask("evidence_event", index=999)


async def test_the_log_is_filtered_in_words(home, source):
    async with finished(home, source) as (engine, _):
        found = await engine.ask("evidence_log", text="closed !opened")
        assert [entry["type"] for entry in found["entries"]] == ["run_closed"]
        assert (await engine.ask("evidence_log", text="no such words"))["total"] == 0


async def test_the_verifier_is_written_where_it_is_wanted(home, source, tmp_path):
    async with finished(home, source) as (engine, [run]):
        file = tmp_path / "verify.py"
        view = await engine.ask("evidence_verifier", file=str(file))
        assert view == {"path": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        bundle = (await engine.ask("evidence_grade", run=run))["bundle"]
        checked = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-I", str(file), bundle, "--json"], capture_output=True, text=True
        )
        assert json.loads(checked.stdout)["grade"] == "UNANCHORED"
        with pytest.raises(BadInput):
            await engine.ask("evidence_verifier", file="verify.py")
        with pytest.raises(BadInput, match="can't be written"):
            await engine.ask("evidence_verifier", file=str(file / "below"))


async def test_checkpoint_and_grade(home, source, tmp_path):
    async with finished(home, source) as (engine, [run]):
        point = await engine.ask("evidence_checkpoint", run=run)
        assert point["note"].startswith(point["origin"]) and point["size"] >= 2
        grade = await engine.ask("evidence_grade", run=run)
        assert (grade["grade"], grade["valid"]) == ("UNANCHORED", True)
        assert grade["confirmed"] == ["The log is signed with the key that you gave."] and grade["said"]["opened_at"]
        headers = tmp_path / "headers.zip"
        await engine.export(run, "evidence-headers", headers)
        less = await engine.ask("evidence_grade", bundle=str(headers))
        assert less["said"] is None and less["meaning"].startswith("The opening and the close of this run")
        broken = tmp_path / "x.qvevidence.zip"
        with zipfile.ZipFile(grade["bundle"]) as old, zipfile.ZipFile(broken, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                new.writestr(
                    name,
                    content.replace(b"defects_suspected", b"nothing_suspected") if "entries" in name else content,
                )
        bad = await engine.ask("evidence_grade", bundle=str(broken))
        assert (bad["grade"], bad["valid"]) == ("INVALID", False)
        assert bad["problems"]


# Machine


async def test_settings_are_changed_validated_and_kept_private(home, source):
    async with finished(home, source, runs=0) as (engine, _):
        changed = await engine.ask("settings_change", changes={"patience_s": 30, "editor": 'code -g "{file}":{line}'})
        assert (changed["patience_s"], changed["editor"]) == (30, 'code -g "{file}":{line}')
        assert (await engine.ask("settings"))["patience_s"] == 30
        assert (home / "settings.toml").stat().st_mode & 0o077 == 0
        for bad in ({"patience_s": 0}, {"patience_s": "30"}, {"keyring": False}, {"air_gap": 1}, {}):
            with pytest.raises(BadInput):
                await engine.ask("settings_change", changes=bad)
        assert (await engine.ask("settings"))["patience_s"] == 30


async def test_a_key_is_never_shown_and_never_in_the_diagnostics(home, source, tmp_path):
    secret = "sk-very-secret-42"
    async with finished(home, source) as (engine, _):
        await engine.ask("key_set", provider="any", key=secret)
        assert (await engine.ask("settings"))["api_key_set"] is True
        (home / "crashes").mkdir()
        (home / "crashes/crash-20260101-000000-1.txt").write_text(f"Traceback\nValueError: at {home}\n")
        archive = tmp_path / "d.zip"
        await engine.ask("diagnostics_save", path=str(archive))
        with zipfile.ZipFile(archive) as held:
            everything = b"".join(held.read(name) for name in held.namelist())
            assert {"versions.json", "checks.json", "settings.json"} <= set(held.namelist())
        for hidden in (secret, str(home), str(source), "page_count"):
            assert hidden.encode() not in everything
        for file in home.rglob("*"):
            assert not file.is_file() or secret.encode() not in file.read_bytes()
        await engine.ask("key_remove", provider="any")
        assert (await engine.ask("settings"))["api_key_set"] is False


async def test_crash_reports_are_read_and_deleted_and_nothing_else(home, source, tmp_path):
    async with finished(home, source, runs=0) as (engine, _):
        (home / "crashes").mkdir()
        name = "crash-20260101-000000-1.txt"
        (home / "crashes" / name).write_text("Traceback\nValueError: x\n")
        (home / "crashes/crash-20260101-000000-2.txt").symlink_to("/etc/passwd")
        [one] = await engine.ask("crash_reports")
        assert (one["name"], one["sentence"]) == (name, "ValueError: x")
        assert "Traceback" in await engine.ask("crash_report", name=name)
        for bad in ("../settings.toml", "crash-20260101-000000-2.txt", "no.txt"):
            with pytest.raises(BadInput):
                await engine.ask("crash_report", name=bad)
        await engine.ask("crash_delete", name=name)
        assert await engine.ask("crash_reports") == []


async def test_unknown_questions_and_parameters_are_refused(home, source):
    async with finished(home, source, runs=0) as (engine, _):
        with pytest.raises(BadInput):
            await engine.ask("no_such")
        with pytest.raises(BadInput):
            await engine.ask("run_overview", ran="x")


async def test_every_question_of_the_list_is_answered_and_no_other(home, source):
    listed = {
        line.split("`")[1] for line in Path("docs/questions.md").read_text().splitlines() if line.startswith("| `")
    }
    async with finished(home, source, runs=0) as (engine, _):
        assert set(engine._questions) == listed


async def test_answers_are_json(home, source):
    async with finished(home, source) as (engine, [run]):
        for question in ("run_overview", "run_tests", "run_files", "run_defects", "run_log", "evidence_log"):
            assert json.loads(json.dumps(await engine.ask(question, run=run)))
        for question in ("repositories", "run_list", "settings", "usage", "doctor_checks"):
            json.dumps(await engine.ask(question))
