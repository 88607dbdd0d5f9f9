"""The doctor where a person has chosen bubblewrap: it looks at that, and no more at an engine."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qverify_desktop.diagnostics.checks import CHECKS
from qverify_desktop.diagnostics.doctor import examine
from qverify_desktop.diagnostics.reduced import checks_for
from qverify_desktop.domain.execution import SandboxKind


def test_what_asks_an_engine_is_left_out_and_nothing_else() -> None:
    ids = [check.id for check in checks_for(SandboxKind.BUBBLEWRAP)]
    assert not {"docker", "image"} & set(ids)
    assert ids.index("git") < ids.index("bubblewrap") < ids.index("root") < ids.index("model")
    assert {check.id for check in CHECKS} - set(ids) <= {"docker", "image", "isolation"}
    assert checks_for(SandboxKind.DOCKER) == CHECKS


async def test_it_says_what_holds_and_that_a_root_file_system_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QVERIFY_SANDBOX", "bubblewrap")
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    found = {one["id"]: one for one in await examine(tmp_path / "home")}
    assert "docker" not in found
    if shutil.which("bwrap"):
        assert found["bubblewrap"]["state"] == "ok"
        assert "Reduced isolation" in found["bubblewrap"]["sentence"]
    else:
        assert found["bubblewrap"]["remedy"] == "As root: apt-get install -y bubblewrap"
    assert found["root"]["state"] == "warning" and found["root"]["remedy"] == "qverify runtimes import FILE"
    assert not (tmp_path / "home").exists()


async def test_mending_takes_the_root_file_system_or_says_why_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "settings.toml").write_text('sandbox = "bubblewrap"\n')
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    only = [check for check in checks_for(SandboxKind.BUBBLEWRAP) if check.id == "root"]
    (found,) = await examine(tmp_path / "home", fix=True, checks=only)
    assert found["state"] == "warning"
    assert "no root file system" in found["sentence"]
