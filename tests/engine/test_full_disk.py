"""A disk that is full while a run goes on, while its files are delivered, and while a person exports: said, and gone on with."""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.delivery import MANIFEST, write_for_person
from qverify_desktop.engine.events import RunStatus
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.small_disk import filled, small_disk


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 100 * 1024) as place:
        yield place


class FillsUp:
    """Fills the disk inside a step."""

    def __init__(self, disk: Path, step: str, leave: int = 0) -> None:
        self._disk, self._step, self._leave = disk, step, leave
        self.full: AbstractContextManager[None] | None = None

    async def __call__(self, step: str) -> None:
        if step == self._step and self.full is None:
            self.full = filled(self._disk, self._leave)
            self.full.__enter__()


@pytest.mark.parametrize("step", ["intake", "work", "result"])
async def test_a_run_stops_with_a_sentence_and_goes_on_when_there_is_room(
    disk: Path, source: Path, step: str
) -> None:
    hook = FillsUp(disk, step)
    analysis = ScriptedAnalysis(hook)
    async with house(disk / "home", analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        events = await follow(engine, run)
        assert events[-1].status is RunStatus.INTERRUPTED, events[-1].text
        assert re.search(r"full.*(safe|not touched)", events[-1].text)
        hook.full.__exit__(None, None, None)
        await engine.resume(run)
        events = await follow(engine, run)
        assert events[-1].status is RunStatus.FINISHED, events[-1].text
        document = await engine.show(run)
        assert document["grade"] == "UNANCHORED"
        for done in ("intake", "work", "result")[: ("intake", "work", "result").index(step)]:
            assert analysis.began.count(done) == 1, "what was recorded is not done again"


#: KiB that are left in the second step: the disk is full at one write after the other, and has room for the whole run at the end.
ROOM = (0, 8, 20, 40, 96, 160, 256, 4000)


async def test_wherever_the_room_ends_the_run_stops_with_a_sentence_and_goes_on(disk: Path, source: Path) -> None:
    ends, reached = [], set()
    for room in ROOM:
        hook = FillsUp(disk, "work", room * 1024)
        analysis = ScriptedAnalysis(hook)
        async with house(disk / f"home {room}", analysis) as engine:
            run = await engine.start(AnalysisRequest(str(source)))
            events = await follow(engine, run)
            ends.append(events[-1].status)
            reached.add(tuple(analysis.began))
            if events[-1].status is not RunStatus.FINISHED:
                assert events[-1].status is RunStatus.INTERRUPTED, (room, events[-1].text)
                assert re.search(r"full|No space left", events[-1].text), (room, events[-1].text)
                assert re.search(r"safe|not touched", events[-1].text), (room, events[-1].text)
        hook.full.__exit__(None, None, None)
        later = ScriptedAnalysis()
        async with house(disk / f"home {room}", later) as engine:
            if ends[-1] is not RunStatus.FINISHED:
                await engine.resume(run)
                events = await follow(engine, run)
                assert events[-1].status is RunStatus.FINISHED, (room, events[-1].text)
            assert (await engine.show(run))["grade"] == "UNANCHORED"
            with engine._parts.database.question() as connection:
                types = connection.execute("SELECT type FROM entries WHERE run = ? ORDER BY seq", (run,)).fetchall()
        assert types == [("run_opened",), ("run_closed",)], "each once"
        assert {path.name for path in (disk / f"home {room}").rglob(".*")} <= {MANIFEST}, "no half file is left"
        shutil.rmtree(disk / f"home {room}")
    assert ends[0] is RunStatus.INTERRUPTED and ends[-1] is RunStatus.FINISHED
    assert len(reached) > 1, "it was full in more than one step"


async def test_what_a_person_decides_and_changes_is_done_whole_or_not_at_all(disk: Path, source: Path) -> None:
    async with house(disk / "home") as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        keys = await engine.ask("signing_key")
        with filled(disk):
            for question, asked in (
                ("settings_change", {"changes": {"air_gap": True}}),
                ("signing_key_rotate", {"reason": "a test"}),
            ):
                with pytest.raises(MissingPrerequisite, match=r"full|No space left|no space left"):
                    await engine.ask(question, **asked)
        assert await engine.ask("signing_key") == keys
        assert (await engine.ask("settings"))["air_gap"] is False
        await engine.ask("settings_change", changes={"air_gap": True})
        await engine.ask("signing_key_rotate", reason="a test")
        assert len((await engine.ask("signing_key"))["keys"]) == 2


async def test_results_that_do_not_fit_are_delivered_later(disk: Path, tmp_path: Path, source: Path) -> None:
    """The state folder has room, the folder for results has none."""
    async with house(tmp_path / "home") as engine:
        with filled(disk):
            run = await engine.start(AnalysisRequest(str(source), out=str(disk / "out")))
            events = await follow(engine, run)
            assert events[-1].status is RunStatus.INTERRUPTED
            assert "findings are recorded and safe" in events[-1].text
        await engine.resume(run)
        events = await follow(engine, run)
        assert events[-1].status is RunStatus.FINISHED, events[-1].text
        assert sorted(path.name for path in (disk / "out").iterdir()) == [
            ".qverify.json",
            f"{run}.qvevidence.zip",
            "report.html",
            "tests",
        ]


async def test_an_export_that_does_not_fit_leaves_what_stood_there(disk: Path, tmp_path: Path, source: Path) -> None:
    async with house(tmp_path / "home") as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        for format in ("html", "junit", "sarif", "markdown", "csv", "patch", "evidence"):
            target = disk / f"report.{format}"
            target.write_bytes(b"from last week")
            with filled(disk), pytest.raises(MissingPrerequisite, match=r"full.*Nothing was written"):
                await engine.export(run, format, target)
            assert target.read_bytes() == b"from last week"
            await engine.export(run, format, target)
            assert target.read_bytes() != b"from last week"
        assert sorted(path.suffix for path in disk.iterdir()) == [
            *(".csv", ".evidence", ".html", ".junit", ".markdown", ".patch", ".sarif")
        ], "no half file is left"
        table = (disk / "report.csv").read_text("utf-8")
        assert len(list(csv.reader(table.splitlines()))) == 1


def test_other_places_that_can_not_be_written_are_the_persons_to_change(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BadInput, match="Nothing was changed"):
        write_for_person(tmp_path / "file" / "x.csv", b"", make_folder=True)
    with pytest.raises(BadInput, match="Nothing was changed"):
        write_for_person(Path("/proc/qverify/x.csv"), b"x", make_folder=True)
