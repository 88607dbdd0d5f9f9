"""The doctor looks at everything at once, never raises, never hangs, and mends what it says it can."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from qverify_desktop.diagnostics.checks import (
    CHECKS,
    Check,
    Finding,
    Machine,
    look_at_disk,
    look_at_docker,
    look_at_git,
    look_at_home,
    look_at_image,
    look_at_key,
    look_at_model,
    look_at_settings,
)
from qverify_desktop.diagnostics.doctor import examine
from qverify_desktop.domain.errors import MissingPrerequisite

FIELDS = {"id", "title", "state", "sentence", "remedy", "fixable"}


def named(*ids: str) -> list[Check]:
    return [check for check in CHECKS if check.id in ids]


async def test_every_check_says_something(tmp_path: Path) -> None:
    found = await examine(tmp_path / "home")
    assert [one["id"] for one in found] == [check.id for check in CHECKS]
    for one in found:
        assert set(one) == FIELDS
        assert one["state"] in ("ok", "warning", "blocking")
        assert one["sentence"]
        assert one["remedy"] or one["state"] == "ok"
    assert not (tmp_path / "home").exists()


async def test_checks_run_side_by_side_and_none_hangs_or_breaks_the_doctor(tmp_path: Path) -> None:
    async def hangs(machine: Machine) -> Finding:
        await asyncio.sleep(60)
        return Finding("ok", "never")

    async def breaks(machine: Machine) -> Finding:
        raise RuntimeError("inside")

    async def refuses(machine: Machine) -> Finding:
        raise MissingPrerequisite("It is not there.", "Get it.")

    started = time.monotonic()
    looks = [hangs, hangs, hangs, breaks, refuses]
    checks = [Check(str(n), "t", look, patience_s=0.3) for n, look in enumerate(looks)]
    found = await examine(tmp_path, checks=checks)
    assert time.monotonic() - started < 2
    assert [one["state"] for one in found] == ["warning"] * 5
    assert "0.3 seconds" in found[0]["sentence"]
    assert found[3]["sentence"] == "This could not be looked at (RuntimeError)."
    assert found[4]["remedy"] == "Get it."


async def test_mending_is_looked_at_again_and_its_failure_is_said(tmp_path: Path) -> None:
    marker = tmp_path / "mended"

    async def look(machine: Machine) -> Finding:
        return Finding("ok", "There.") if marker.exists() else Finding("blocking", "Missing.", "Do it.", True)

    async def mend(machine: Machine) -> None:
        marker.touch()

    async def fail(machine: Machine) -> None:
        raise OSError("no")

    async def hang(machine: Machine) -> None:
        await asyncio.sleep(60)

    for mender, words in ((fail, "failed (OSError)"), (hang, "longer than 0.2 seconds")):
        found = await examine(tmp_path, True, [Check("x", "t", look, mender, mending_s=0.2)])
        assert found[0]["state"] == "blocking"
        assert words in found[0]["sentence"]
    assert (await examine(tmp_path, False, [Check("x", "t", look, mend)]))[0]["state"] == "blocking"
    assert (await examine(tmp_path, True, [Check("x", "t", look, mend)]))[0]["state"] == "ok"


async def test_the_state_folder_is_made(tmp_path: Path) -> None:
    found = await examine(tmp_path / "deep" / "home", True, named("home"))
    assert found[0]["state"] == "ok"
    assert (tmp_path / "deep" / "home").stat().st_mode & 0o777 == 0o700


async def test_a_state_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert (await look_at_home(Machine(Path("/proc/self")))).state == "blocking"
    assert (await look_at_home(Machine(Path("/proc/nothing/home")))).state == "blocking"


async def test_a_key_that_others_may_read_is_closed(tmp_path: Path) -> None:
    key = tmp_path / "signing-key"
    key.write_bytes(b"x")
    key.chmod(0o644)
    found = await examine(tmp_path, False, named("signing_key"))
    assert (found[0]["state"], found[0]["fixable"]) == ("blocking", True)
    assert "chmod 600" in found[0]["remedy"]
    found = await examine(tmp_path, True, named("signing_key"))
    assert found[0]["state"] == "ok"
    assert key.stat().st_mode & 0o777 == 0o600
    assert (await look_at_key(Machine(tmp_path / "none"))).state == "ok"


async def test_a_bad_settings_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("containers = 'x'\n")
    finding = await look_at_settings(Machine(tmp_path))
    assert finding.state == "blocking"
    assert "containers" in finding.sentence


async def test_no_git_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await look_at_git(Machine(tmp_path))).state == "ok"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert (await look_at_git(Machine(tmp_path))).state == "blocking"


@pytest.mark.parametrize(("free", "state"), [(10**9, "blocking"), (3 * 2**30, "warning"), (2**40, "ok")])
async def test_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: str) -> None:
    class Usage:
        pass

    usage = Usage()
    usage.free = free  # type: ignore[attr-defined]
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    assert (await look_at_disk(Machine(tmp_path / "a" / "b"))).state == state


async def test_an_engine_that_does_not_answer_blocks_and_is_not_started_when_it_was_named(tmp_path: Path) -> None:
    machine = Machine(tmp_path, f"unix://{tmp_path}/none.sock")
    finding = await look_at_docker(machine)
    assert (finding.state, finding.fixable) == ("blocking", False)
    assert finding.remedy
    assert (await look_at_image(machine)).state == "warning"


async def test_without_an_ollama_there_is_a_warning_and_no_more(tmp_path: Path) -> None:
    assert (await look_at_model(Machine(tmp_path))).state in ("ok", "warning")
