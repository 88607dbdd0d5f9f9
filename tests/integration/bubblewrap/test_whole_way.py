"""From a folder to proof with no engine in reach: the command line under bubblewrap, and every place that has to say so."""

from __future__ import annotations

import json
import signal
import subprocess
import tarfile
import zipfile
from pathlib import Path

import docker
import jsonschema
import pytest

from qverify_desktop.sandbox.images import load_recipes
from tests.integration.bubblewrap.conftest import RESOURCES, sandboxes
from tests.integration.command import PATIENCE_S, Said, arguments_of, environment_of, qverify, refused

pytestmark = pytest.mark.docker

SAMPLE = RESOURCES / "resources" / "sample"
NO_ENGINE = {"DOCKER_HOST": "unix:///nowhere/docker.sock"}


@pytest.fixture(scope="module")
def archive(home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a person brings from a machine that has Docker: ``docker save REFERENCE -o FILE``."""
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    file = tmp_path_factory.mktemp("brought") / "python.tar"
    client = docker.APIClient(version="auto")
    try:
        with file.open("wb") as saved:
            saved.writelines(client.get_image(recipe.reference))
    finally:
        client.close()
    return file


@pytest.fixture(scope="module")
def state(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder without anything in it but the root file system, imported by the command."""
    state = tmp_path_factory.mktemp("state") / "home"
    said = qverify(state, "runtimes", "import", str(archive), "--json", **NO_ENGINE)
    assert said.code == 0, said.err
    (runtime,) = said.document["runtimes"]
    assert runtime["ready"] and runtime["runtime"] == "python" and runtime["digest"].startswith("sha256:")
    return state


@pytest.fixture(scope="module")
def run(state: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Said, Path]:
    out = tmp_path_factory.mktemp("out")
    words = ("--scope", "files:shelf/ranges.py", "--sandbox", "bubblewrap", "--json", "--out", str(out))
    return qverify(state, "analyze", str(SAMPLE), *words, **NO_ENGINE), out


def test_it_finds_the_planted_defect_and_says_reduced_isolation(run: tuple[Said, Path]) -> None:
    said, out = run
    assert said.code == 1, said.err
    document = said.document
    assert document["isolation"] == "reduced"
    assert document["notices"][0].startswith("Reduced isolation: bubblewrap instead of a container engine;")
    assert [defect["symbol"] for defect in document["suspected_defects"]] == ["page_count"]
    assert document["accepted"] > 0
    jsonschema.validate(document, json.loads((RESOURCES / "docs" / "analyze.schema.json").read_text()))
    assert '<span class="badge">Reduced isolation</span>' in (out / "report.html").read_text()
    assert sandboxes() == []


def test_the_bundle_verifies_and_says_reduced_isolation(run: tuple[Said, Path], tmp_path: Path) -> None:
    bundle = run[0].document["bundle"]
    checked = qverify(tmp_path / "empty", "verify", bundle, "--json")
    assert checked.code == 0 and checked.document["valid"] and checked.document["problems"] == []
    with zipfile.ZipFile(bundle) as opened:
        events = [json.loads(line) for line in opened.read("entries.jsonl").splitlines()]
    said = {event["type"]: event["data"] for event in events if event["type"] in ("run_opened", "plan", "image")}
    assert said["run_opened"]["isolation"] == said["plan"]["isolation"] == "reduced"
    assert said["image"]["isolation"] == "reduced, bubblewrap"
    assert said["image"]["differences"][0].startswith("Reduced isolation")
    executed = [event["data"] for event in events if event["type"] == "execution"]
    assert executed and all(one["container"].startswith("bwrap-") and not one["network"] for one in executed)
    assert {one["image_digest"] for one in executed} == {said["plan"]["image_digest"]}


@pytest.mark.parametrize("format", ["markdown", "sarif"])
def test_reports_in_other_forms_say_it(run: tuple[Said, Path], state: Path, tmp_path: Path, format: str) -> None:
    target = tmp_path / "report"
    said = qverify(state, "export", run[0].document["run"], "--format", format, "-o", str(target), **NO_ENGINE)
    assert said.code == 0, said.err
    assert "reduced" in target.read_text().lower()


def test_the_terminal_says_it(run: tuple[Said, Path], state: Path) -> None:
    said = qverify(state, "show", run[0].document["run"], **NO_ENGINE)
    assert "\nReduced isolation: bubblewrap, without a container engine.\n" in said.out


def test_without_docker_nothing_falls_back_to_it(state: Path) -> None:
    said = qverify(state, "analyze", str(SAMPLE), "--json", **NO_ENGINE)
    assert "Docker" in refused(said, 3)
    assert "bwrap" not in said.out


def test_installing_is_refused_before_the_run_begins(state: Path) -> None:
    words = ("analyze", str(SAMPLE), "--sandbox", "bubblewrap", "--allow-install", "--json")
    assert "never gets a network" in refused(qverify(state, *words, **NO_ENGINE), 2)


def test_the_environment_chooses_it_and_a_wrong_word_is_refused(state: Path, tmp_path: Path) -> None:
    listed = qverify(state, "runtimes", "check", "python", "--json", QVERIFY_SANDBOX="bubblewrap", **NO_ENGINE)
    assert listed.code == 0, listed.err
    assert "with reduced isolation" in listed.document["runtimes"][0]["sentence"]
    wrong = qverify(tmp_path / "new", "analyze", str(SAMPLE), "--json", QVERIFY_SANDBOX="chroot")
    assert "sandbox" in refused(wrong, 2).lower()


def test_a_list_takes_nothing_from_the_engine(tmp_path: Path) -> None:
    home, plain = tmp_path / "home", tmp_path / "rootfs.tar"
    with tarfile.open(plain, "w") as tar:
        folder = tarfile.TarInfo("bin")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(folder)
    assert qverify(home, "runtimes", "import", str(plain), "--json", **NO_ENGINE).code == 0
    before = sorted((home / "sandbox" / "roots").iterdir())
    listed = qverify(home, "runtimes", "list", "python", "--json", QVERIFY_SANDBOX="bubblewrap")
    assert listed.code == 0 and "Taking" not in listed.err, listed.err
    assert any("rootfs.tar" in one for one in listed.document["runtimes"][0]["differences"])
    assert sorted((home / "sandbox" / "roots").iterdir()) == before


def test_ctrl_c_ends_an_import_and_leaves_nothing(archive: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    command = subprocess.Popen(
        arguments_of(("runtimes", "import", str(archive))),
        env=environment_of(home, **NO_ENGINE),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert command.stderr is not None and command.stderr.readline().startswith("Unpacking layer 1")
        command.send_signal(signal.SIGINT)
        out, err = command.communicate(timeout=PATIENCE_S)
    finally:
        command.kill()
    assert (command.returncode, out) == (130, "") and err.endswith("Stopped. Nothing was brought in.\n"), err
    assert list((home / "sandbox" / "roots").iterdir()) == []


def test_a_file_that_is_no_image_is_refused(state: Path, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(b"no archive" * 1000)
    said = qverify(state, "runtimes", "import", str(tmp_path / "x.tar"), "--json", **NO_ENGINE)
    assert "can't be read as an image" in refused(said, 2)
    assert "There is no file" in refused(qverify(state, "runtimes", "import", str(tmp_path / "y"), "--json"), 2)
