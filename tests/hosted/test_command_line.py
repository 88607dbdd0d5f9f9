"""``qverify hosted`` as a person types it, against a real service."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.cli import main
from qverify_desktop.settings.key_file import KeyFile
from tests.hosted.doing import PASSPHRASE, desktop, finished_run, parts_sent
from tests.hosted_service.service import HostedService
from tests.test_cli import assert_one_sentence

COMMAND = [sys.executable, "-m", "qverify_desktop.cli", "hosted"]


@pytest.fixture
def variables(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE, "utf-8")
    file.chmod(0o600)
    given = {"QVERIFY_HOME": str(home), "QVERIFY_KEYRING": "false", "QVERIFY_PASSPHRASE_FILE": str(file)}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    # Half a second for each passphrase is not what is tested here.
    monkeypatch.setitem(KeyFile.__init__.__kwdefaults__, "n", 2**10)
    return {**os.environ, **given}


@dataclass
class Typed:
    """A command that ran in this process: starting another each time would take most of the test's time."""

    capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        self.capture.readouterr()
        code = main(["hosted", *arguments])
        out, said = self.capture.readouterr()
        return subprocess.CompletedProcess(arguments, code, out, said)


@pytest.fixture
def run(variables: dict[str, str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Typed:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return Typed(capsys)


def begin(*arguments: str, variables: dict[str, str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def sign_in(hosted: HostedService, run: Typed) -> dict[str, Any]:
    """As a person does it: somebody else confirms the code while the command waits."""

    def confirm() -> None:
        until = time.monotonic() + 60
        while not hosted.issuer.devices and time.monotonic() < until:
            time.sleep(0.02)
        for device in list(hosted.issuer.devices.values()):
            hosted.issuer.decide(device.user_code)

    person = threading.Thread(target=confirm)
    person.start()
    done = run("sign-in", "--store", "file", "--json")
    person.join()
    assert done.returncode == 0, done.stderr
    assert re.search(r"type the code:  [B-Z]{4}-[B-Z]{4}", done.stderr)
    return dict(json.loads(done.stdout))


def finished(home: Path, folder: Path) -> str:
    async def work() -> str:
        async with desktop(home) as engine:
            return await finished_run(engine, folder)

    return asyncio.run(work())


def test_from_the_sign_in_to_the_countersignature_and_out_again(
    home: Path, hosted: HostedService, run: Typed, tmp_path: Path
) -> None:
    name = finished(home, tmp_path / "source")
    assert run("status", "--json").returncode == 3
    status = sign_in(hosted, run)
    assert (status["organisation"], status["account"]) == ("Example Ltd", "Ada Example")
    assert status["key"] == hosted.cosigner, "the key of the countersignatures is kept from now on"

    asked = run("send", name)
    assert asked.returncode == 2 and "--yes" in asked.stderr and "entries.jsonl" in asked.stderr
    assert hosted.rows("select count(*) from imports") == [(0,)]

    sent = run("send", name[:8], "--yes", "--json")
    assert sent.returncode == 0, sent.stderr
    (one,) = json.loads(sent.stdout)["exports"]
    assert (one["run"], one["state"], one["grade"]) == (name, "done", "UNANCHORED")
    listed = run("queue")
    assert "UNANCHORED" in listed.stdout and "countersigned exactly this state of the log" in listed.stdout

    usage = json.loads(run("usage", "--json").stdout)
    assert usage["organisation"] == "Example Ltd"
    assert {one["resource"]: one["used"] for one in usage["quotas"]}["imports"] == 1
    assert "Example Ltd" in run("usage").stdout

    refresh = [token for token, session in hosted.issuer.sessions.items() if session.current == token]
    out = run("sign-out")
    assert out.returncode == 0 and "revoked" in out.stdout
    assert all(hosted.issuer.sessions[token].ended for token in refresh) and refresh
    assert json.loads(run("status", "--json").stdout)["signed_in"] is False


def test_a_bundle_on_a_memory_stick_is_sent(
    home: Path,
    hosted: HostedService,
    variables: dict[str, str],
    run: Typed,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "a stick" / "r.qvevidence.zip"
    other = tmp_path / "another home"
    other.mkdir(mode=0o700)
    name = finished(other, tmp_path / "source")
    monkeypatch.setenv("QVERIFY_HOME", str(other))
    assert main(["export", name, "--format", "evidence", "-o", str(file)]) == 0
    monkeypatch.setenv("QVERIFY_HOME", str(home))
    sign_in(hosted, run)
    assert_one_sentence(run("send", str(file), "--content", "redacted", "--yes"), 2)
    assert_one_sentence(run("send", str(file.with_name("gone.zip")), "--yes"), 2)
    monkeypatch.chdir(file.parent)
    sent = run("send", file.name, "--yes")
    assert sent.returncode == 0, sent.stderr
    note = file.with_name(f"{name}.countersigned.checkpoint")
    assert str(note) in sent.stdout and "entries.jsonl" in sent.stderr
    assert main(["verify", str(file), "--known-checkpoint", str(note)]) == 0


def test_ctrl_c_leaves_it_in_the_queue_and_waiting_sends_it(
    home: Path, hosted: HostedService, variables: dict[str, str], run: Typed, tmp_path: Path
) -> None:
    name = finished(home, tmp_path / "source")
    sign_in(hosted, run)
    hosted.fault("POST", "^/v1/imports$", times=1, status=503, retry_after=3600)
    sending = begin("send", name, "--yes", variables=variables)
    until = time.monotonic() + 60
    while hosted.rows("select remaining from faults") != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(0.3)
    sending.send_signal(signal.SIGINT)
    _, said = sending.communicate(timeout=60)
    assert sending.returncode == 130 and "qverify hosted queue --wait" in said, said
    waited = run("queue", "--wait", "--json")
    assert waited.returncode == 0, waited.stderr
    assert [one["state"] for one in json.loads(waited.stdout)["exports"]] == ["done"]


def test_killed_in_the_middle_it_goes_on_with_what_is_missing(
    home: Path, hosted: HostedService, variables: dict[str, str], run: Typed, tmp_path: Path
) -> None:
    name = finished(home, tmp_path / "source")
    sign_in(hosted, run)
    hosted.set(limits={"part_size": 1024})
    hosted.fault("POST", "/complete$", delay_s=20)
    sending = begin("send", name, "--yes", variables=variables)
    until = time.monotonic() + 60
    while hosted.rows("select remaining from faults") != [(0,)]:
        assert time.monotonic() < until
        time.sleep(0.02)
    sending.send_signal(signal.SIGKILL)
    sending.communicate(timeout=60)
    before = parts_sent(hosted)
    waited = run("queue", "--wait")
    assert waited.returncode == 0, waited.stderr
    assert hosted.rows("select state from imports") == [("accepted",)]
    assert parts_sent(hosted) == before > 1, "parts that had arrived were sent again"


def test_the_bundle_of_an_analysis_that_ran_there(
    hosted: HostedService, run: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    sign_in(hosted, run)
    url, commit = "https://git.example.org/acme/billing.git", "8c" * 20
    done = run("analyze", url, "--commit", commit, "--yes", "--json")
    assert done.returncode == 1, done.stderr
    (one,) = json.loads(done.stdout)["analyses"]
    fetched = run("bundle", one["id"])
    assert fetched.returncode == 0, fetched.stderr
    assert "UNANCHORED: " in fetched.stdout and "countersigned exactly this state" in fetched.stdout
    file = tmp_path / f"{one['id']}.qvevidence.zip"
    assert file.is_file() and str(file) in fetched.stdout
    view = json.loads(run("bundle", one["id"], "-o", "elsewhere.zip", "--json").stdout)
    assert (view["path"], view["grade"]) == (str(tmp_path / "elsewhere.zip"), "UNANCHORED")
    assert main(["verify", str(file), "--public-key", view["public_key"]]) == 0
    assert_one_sentence(run("bundle", "ana_nothing"), 4)


def test_no_service_and_no_such_run(tmp_path: Path, run: Typed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_one_sentence(run("send", "nosuchrun", "--yes"), 2)
    monkeypatch.setenv("QVERIFY_HOME", str(tmp_path / "bare"))
    answer = run("usage")
    assert_one_sentence(answer, 4)
    assert "hosted_regions" in answer.stderr
