"""A reproduction that is stopped, killed, cut off from its engine or without room: its record says so, and nothing stays behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import RuntimeImage
from tests.integration.command import GOOD, Said, arguments_of, environment_of, qverify, refused
from tests.integration.engine.killing import containers
from tests.integration.test_bad_machine import Cable, mounted, needs_root

pytestmark = pytest.mark.docker


@dataclass(frozen=True)
class Told:
    bundle: Path
    source: Path

    @property
    def words(self) -> tuple[str, ...]:
        return "reproduce", str(self.bundle), "--source", str(self.source), "--json"

    def begun(self, home: Path, **more: str) -> subprocess.Popen[str]:
        """A command whose tests run just now."""
        process = subprocess.Popen(
            arguments_of(self.words),
            env=environment_of(home, **more),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        until = time.monotonic() + 200
        while not containers(home) and process.poll() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert containers(home), process.communicate()[1]
        return process

    def again(self, home: Path) -> None:
        """It goes through on the same state folder afterwards, and leaves nothing."""
        said = qverify(home, *self.words)
        assert said.code == 0 and said.document["grades"] == ["UNANCHORED", "REPRODUCED"], said.err
        assert containers(home) == [] and list((home / "workspace").glob("d*")) == []


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, image: RuntimeImage) -> Told:
    folder = tmp_path_factory.mktemp("told")
    (folder / "project").mkdir()
    (folder / "project" / "sign.py").write_text(GOOD)
    done = qverify(folder / "home", "analyze", str(folder / "project"), "--json")
    assert done.code == 0, done.err
    return Told(Path(done.document["bundle"]), folder / "project")


def ended(process: subprocess.Popen[str]) -> Said:
    out, err = process.communicate(timeout=200)
    assert "Traceback" not in out + err, err
    return Said(process.returncode, out, err)


def closes(home: Path, tmp_path: Path) -> list[str]:
    """How each record of the log was closed, in order, as the bundle of the newest one shows it."""
    newest = max((home / "reproductions").iterdir(), key=lambda path: path.stat().st_mtime)
    (bundle,) = newest.glob("*.qvevidence.zip")
    checked = qverify(tmp_path / "other", "verify", str(bundle), "--json")
    assert checked.code == 0 and checked.document["valid"], checked.err
    with zipfile.ZipFile(bundle) as archive:
        lines = (archive.read("headers.jsonl") + archive.read("entries.jsonl")).decode().splitlines()
    events = sorted((json.loads(line) for line in lines), key=lambda one: str(one["time"]) if "time" in one else "")
    return [str(one["data"]["outcome"]) for one in events if one["type"] == "run_closed"]


def test_killed_in_the_middle_its_record_is_closed_at_the_next_start(told: Told, tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = told.begun(home)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    told.again(home)
    assert sorted(closes(home, tmp_path)) == ["reproduced", "stopped"]


def test_stopped_by_the_person_it_ends_with_its_containers(told: Told, tmp_path: Path) -> None:
    home = tmp_path / "home"
    process = told.begun(home)
    process.send_signal(signal.SIGINT)
    said = ended(process)
    assert said.code == 130 and said.document["state"] == "stopped", said.err
    assert "stays recorded" in said.document["sentence"] and containers(home) == []
    told.again(home)
    assert sorted(closes(home, tmp_path)) == ["reproduced", "stopped"]


def test_an_engine_that_goes_away_in_the_middle_is_said(told: Told, tmp_path: Path) -> None:
    home, cable = tmp_path / "home", Cable(tmp_path / "engine.sock")
    cable.plug()
    process = told.begun(home, DOCKER_HOST=f"unix://{cable.path}")
    cable.cut()
    said = ended(process)
    sentence = refused(said, 3)
    assert "Docker" in sentence and "execute the bundle again" in said.document["error"]["remedy"]
    told.again(home)
    assert sorted(closes(home, tmp_path)) == ["reproduced", "stopped"]


@needs_root
def test_a_full_disk_in_the_middle_is_said_and_nothing_is_lost(told: Told, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "size=512m,mode=700") as small:
        home = small / "home"
        process = told.begun(home)
        with (small / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(65_536))
            except OSError:
                pass
        said = ended(process)
        assert "is full" in refused(said, 3) and "then execute the bundle again" in said.document["error"]["remedy"]
        (small / "filler").unlink()
        told.again(home)
        assert sorted(closes(home, tmp_path)) == ["reproduced", "stopped"]
