"""The order of models over the real engine: what its file says counts, and what is wrong in it is said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.composition import open_engine
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.results import AnalysisRequest


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QVERIFY_KEYRING", "false")
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return home


async def test_a_file_is_begun_read_again_and_told_with_its_line(home: Path, tmp_path: Path) -> None:
    engine = await open_engine(home)
    try:
        assert (await engine.ask("deployments"))["exists"] is False
        view = await engine.ask("deployments_begin")
        assert (view["exists"], view["deployments"], view["problem"]) == (True, [], "")
        file = Path(view["path"])
        file.write_text(
            '[[deployments]]\nwire = "ollama"\nmodel = "qwen"\n\n'
            '[[deployments]]\nwire = "azure"\nbase = "https://me.openai.azure.com"\nmodel = "gpt"\nenabled = false\n'
        )
        view = await engine.ask("deployments")
        assert [(one["name"], one["place"], one["enabled"]) for one in view["deployments"]] == [
            ("ollama/qwen", "local", True),
            ("azure/gpt", "remote", False),
        ]
        file.write_text('[[deployments]]\nwire = "ollama"\nmodel = "qwen"\nspeed = 3\n')
        view = await engine.ask("deployments")
        assert "end point 1 (line 4): speed" in view["problem"]
        with pytest.raises(BadInput, match="line 4"):
            await engine.start(AnalysisRequest(str(tmp_path), model="auto"))
        file.write_text('[[deployments]]\nwire = "azure"\nmodel = "gpt"\n')
        assert "address" in (await engine.ask("deployments"))["problem"]
    finally:
        await engine.close()


async def test_a_file_that_can_not_be_read_is_no_reason_not_to_start(home: Path) -> None:
    (home / "models.toml").write_text("no toml at all")
    engine = await open_engine(home)
    try:
        assert "line 1" in (await engine.ask("deployments"))["problem"]
    finally:
        await engine.close()
