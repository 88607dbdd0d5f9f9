"""What a person does beside the runs is in the log: settings that matter, and what was saved. Nothing of it names the person."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.facade import Engine
from tests.engine.house import follow, house
from tests.small_disk import filled, small_disk


def told(engine: Engine, type: str) -> list[dict[str, Any]]:
    """Data of the log's entries of a type, in order."""
    with engine._parts.database.question() as connection:
        leaves = connection.execute('SELECT leaf FROM entries WHERE type = ? ORDER BY "index"', (type,)).fetchall()
    return [json.loads(leaf)["data"] for (leaf,) in leaves]


async def test_settings_that_matter_are_in_the_log_before_they_are_in_force(home: Path) -> None:
    async with house(home) as engine:
        await engine.ask(
            "settings_change",
            changes={"air_gap": True, "model": "ada-private", "editor": "code {file}", "patience_s": 60},
        )
        (change,) = told(engine, "settings_changed")
        assert change["values"] == {"air_gap": True}, "patience_s was 60 before, the editor has no weight"
        assert change["texts"] == ["model"] and set(change["model"]) == {"commitment", "bytes"}
        await engine.ask("settings_change", changes={"air_gap": True, "editor": "vi {file}"})
        with pytest.raises(BadInput):
            await engine.ask("settings_change", changes={"air_gap": False, "patience_s": 0})
        assert len(told(engine, "settings_changed")) == 1
        with engine._parts.database.question() as connection:
            (leaves,) = connection.execute("SELECT group_concat(CAST(leaf AS TEXT)) FROM entries").fetchone()
        assert "ada-private" not in leaves


async def test_a_setting_that_can_not_be_noted_is_not_changed(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 100 * 1024) as disk:
        async with house(disk / "home") as engine:
            with filled(disk), pytest.raises(MissingPrerequisite, match="full"):
                await engine.ask("settings_change", changes={"air_gap": True})
            assert (await engine.ask("settings"))["air_gap"] is False
            assert told(engine, "settings_changed") == []


async def test_what_a_person_saves_is_in_the_log(home: Path, source: Path, tmp_path: Path) -> None:
    async with house(home) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        for number, format in enumerate(("html", "evidence", "evidence-redacted")):
            target = await engine.export(run, format, tmp_path / f"out {number}")
            saved = told(engine, "saved")[-1]
            place = saved.pop("place")
            assert saved == {
                "about": run,
                "format": format,
                "bytes": target.stat().st_size,
                "sha256": hashlib.sha256(target.read_bytes()).hexdigest(),
            }
            assert set(place) == {"commitment", "bytes"}
        assert len(told(engine, "saved")) == 3


async def test_what_was_saved_and_could_not_be_noted_is_said(tmp_path: Path, source: Path) -> None:
    with small_disk(tmp_path / "disk", 100 * 1024) as disk:
        async with house(disk / "home") as engine:
            run = await engine.start(AnalysisRequest(str(source)))
            await follow(engine, run)
            with filled(disk), pytest.raises(MissingPrerequisite, match=r"is written and whole, but .* full"):
                await engine.export(run, "csv", tmp_path / "out.csv")
            assert (tmp_path / "out.csv").stat().st_size > 100
            assert told(engine, "saved") == []
