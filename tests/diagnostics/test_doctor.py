"""The doctor looks at everything at once, never raises, never hangs, and mends what it says it can."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from qverify_desktop.diagnostics.checks import (
    CHECKS,
    PROXY_VARIABLES,
    Check,
    Finding,
    Machine,
    look_at_air_gap,
    look_at_disk,
    look_at_docker,
    look_at_git,
    look_at_home,
    look_at_image,
    look_at_key,
    look_at_model,
    look_at_proxy,
    look_at_settings,
)
from qverify_desktop.diagnostics.doctor import examine, mend_one
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, QVerifyError
from tests.model_servers.answers import Script
from tests.model_servers.server import serving

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


def nobody() -> int:
    """A port of this machine where nothing listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.mark.parametrize(
    ("wire", "path", "words"),
    [
        ("ollama", "", "Ollama has 1 model: scripted:latest"),
        ("openai", "/v1", "has 1 model: scripted"),
        ("ollama", "/v1", "keeps no list"),
    ],
)
async def test_the_model_server_of_the_settings_is_looked_at(
    tmp_path: Path, wire: str, path: str, words: str
) -> None:
    with serving(Script([]), wire) as server:
        (tmp_path / "settings.toml").write_text(f'api_base = "{server.url}{path}"\n')
        finding = await look_at_model(Machine(tmp_path))
    assert finding.state == "ok"
    assert words in finding.sentence


async def test_a_model_server_that_went_away_is_named(tmp_path: Path) -> None:
    base = f"http://127.0.0.1:{nobody()}"
    (tmp_path / "settings.toml").write_text(f'api_base = "{base}"\n')
    finding = await look_at_model(Machine(tmp_path))
    assert (finding.state, base in finding.sentence, bool(finding.remedy)) == ("warning", True, True)


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PROXY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.delenv("QVERIFY_AIR_GAP", raising=False)


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "http_proxy"])
async def test_a_proxy_that_answers_is_fine_and_its_password_is_not_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_proxy: None, variable: str
) -> None:
    assert "No proxy" in (await look_at_proxy(Machine(tmp_path))).sentence
    with serving(Script([])) as server:
        monkeypatch.setenv(variable, server.url.replace("//", "//me:hunter2@"))
        finding = await look_at_proxy(Machine(tmp_path))
    assert (finding.state, variable.upper() in finding.sentence) == ("ok", True)
    assert "hunter2" not in f"{finding}"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("http://me:hunter2@127.0.0.1:{port}", "does not answer"),
        ("127.0.0.1:{port}", "does not answer"),
        ("http://hunter2:port", "is no address"),
        ("http://", "is no address"),
        ("hunter2://127.0.0.1", "is no address"),
    ],
)
async def test_a_proxy_that_does_not_answer_is_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_proxy: None, address: str, words: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address.format(port=nobody()))
    finding = await look_at_proxy(Machine(tmp_path))
    assert (finding.state, finding.remedy) == ("warning", "unset HTTPS_PROXY")
    assert words in finding.sentence
    assert "hunter2" not in f"{finding}"


async def test_in_the_air_gap_no_proxy_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_proxy: None
) -> None:
    (tmp_path / "settings.toml").write_text("air_gap = true\n")
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{nobody()}")
    finding = await look_at_proxy(Machine(tmp_path))
    assert finding.state == "ok"
    assert "not tried" in finding.sentence
    assert "Air gap" in (await look_at_air_gap(Machine(tmp_path))).sentence


async def test_what_can_be_fixed_says_what_would_be_done(tmp_path: Path) -> None:
    (tmp_path / "signing-key").write_bytes(b"x")
    (tmp_path / "signing-key").chmod(0o644)
    for home in (tmp_path, tmp_path / "deep" / "home"):
        for one in await examine(home):
            assert one["remedy"] or not one["fixable"], one["id"]


async def test_one_check_is_mended_and_the_others_are_left(tmp_path: Path) -> None:
    key = tmp_path / "signing-key"
    key.write_bytes(b"x")
    key.chmod(0o644)
    checks = named("home", "signing_key", "disk")
    found = await mend_one(tmp_path, "home", checks)
    assert (found[0]["id"], found[0]["state"]) == ("home", "ok")
    assert key.stat().st_mode & 0o777 == 0o644
    await mend_one(tmp_path, "signing_key", checks)
    assert key.stat().st_mode & 0o777 == 0o600
    for bad in ("disk", "no such"):
        with pytest.raises(BadInput):
            await mend_one(tmp_path, bad, checks)


async def test_a_fix_that_did_not_help_is_an_error_with_its_cause(tmp_path: Path) -> None:
    async def look(machine: Machine) -> Finding:
        return Finding("blocking", "Missing.", "Do it.", True)

    async def mend(machine: Machine) -> None:
        raise MissingPrerequisite("The disk is full.", "Make room.")

    with pytest.raises(QVerifyError, match="The disk is full"):
        await mend_one(tmp_path, "x", [Check("x", "t", look, mend)])
