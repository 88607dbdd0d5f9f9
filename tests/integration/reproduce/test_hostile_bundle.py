"""A bundle that verifies and means harm: whoever signs a log can sign any test. Its code runs in the sandbox alone, and what it did is
told as a difference."""

from __future__ import annotations

import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from qverify_desktop.analysis.cases import case_blob
from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.project import InstalledPackage
from qverify_desktop.domain.results import AnalysisRequest, JudgedTest, Reason, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Status, TestOutcome
from qverify_desktop.languages.installed import written
from qverify_desktop.repository.intake import Repositories
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.integration.command import Said, qverify
from tests.integration.engine.killing import containers

pytestmark = pytest.mark.docker

#: Writes beside the state folder, asks the network, reads the machine's secrets, changes the source, and fills the disk.
HARM = """\
def test_harm():
    import os, pathlib, socket
    found = []
    # A place that exists on the reproducing machine: in the container it is its own memory.
    pathlib.Path({marker!r}).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path({marker!r}).write_text("x" * 100)
    for place in ("/opt/venv/marker", "/etc/marker", "/usr/bin/marker"):
        try:
            pathlib.Path(place).write_text("x" * 100)
            found.append(place)
        except OSError:
            pass
    for name in {secrets!r}:
        assert name not in os.environ, name
    try:
        socket.create_connection(("127.0.0.1", {port}), 2)
        found.append("network")
    except OSError:
        pass
    try:
        with open("/tmp/fill", "wb") as file:
            while True:
                file.write(bytes(1 << 20))
    except OSError:
        pass
    assert found == [], found
    assert sum(1 for _ in pathlib.Path("/proc").glob("[0-9]*")) < 20
"""


def generated(name: str, code: str, path: str = "tests/qverify/test_qv_pages.py") -> GeneratedTest:
    return GeneratedTest(path, name, code, "pages.py::pages", Label.SPECIFICATION, Origin.PROMISE)


def judged(test: GeneratedTest) -> Evidence:
    outcome = TestOutcome(test.id, Status.PASSED)
    blobs = case_blob(JudgedTest(test, TestVerdict.ACCEPTED, Reason.GAIN), {test.id: outcome})
    return Evidence("judgement", {"test": test.id, "target": test.target, "verdict": "accepted"}, blobs)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "pages.py").write_text("def pages(n):\n    return n // 5 + 1\n")
    return folder


async def bundle_of(place: Path, source: Path, image: RuntimeImage, more: Sequence[Evidence]) -> Path:
    """What somebody's installation signed: a run that claims the pinned image and whatever else is wanted."""
    tree = Repositories().take_snapshot(str(source), place / "look").tree
    pin = {"runtime": "python", "digest": image.digest, "recipe": image.recipe, "layers": image.layers}
    analysis = ScriptedAnalysis()
    analysis.evidence = [
        Evidence("snapshot", {"origin": "/home/mallory", "commit": "", "tree": tree, "dirty": False}, {}),
        Evidence("image", pin, {}),
        Evidence("plan", {"language": "python", "image_digest": image.digest}, {}),
        *more,
    ]
    async with house(place / "theirs", analysis) as engine:
        run = await engine.start(AnalysisRequest(str(source)))
        await follow(engine, run)
        await engine.export(run, "evidence", place / "theirs.qvevidence.zip")
    return place / "theirs.qvevidence.zip"


def reproduced(home: Path, bundle: Path, source: Path, *words: str, **more: str) -> Said:
    said = qverify(home, "reproduce", str(bundle), "--source", str(source), "--json", *words, **more)
    assert containers(home) == []
    return said


async def test_its_code_runs_in_the_sandbox_alone(tmp_path: Path, source: Path, image: RuntimeImage) -> None:
    marker, secret = tmp_path / "outside" / "marker", "QVERIFY_TEST_SECRET"
    with socket.create_server(("127.0.0.1", 0)) as server:
        harm = HARM.format(marker=str(marker), secrets=[secret, "QVERIFY_HOME"], port=server.getsockname()[1])
        tests = [
            generated("test_harm", harm),
            generated(
                "test_kill",
                "def test_kill():\n    import os\n    os.kill(os.getppid(), 9)\n    os._exit(0)\n",
                "tests/qverify/test_k.py",
            ),
            generated("test_up", "def test_up():\n    pass\n", "../outside/test_up.py"),
            generated("test_root", "def test_root():\n    pass\n", "/etc/test_root.py"),
        ]
        bundle = await bundle_of(tmp_path, source, image, [judged(test) for test in tests])
        said = reproduced(tmp_path / "home", bundle, source, **{secret: "swordfish"})
    document = said.document
    states = {test["id"].rpartition("::")[2]: (test["state"], test["why"]) for test in document["tests"]}
    assert said.code in (1, 4) and "REPRODUCED" not in document["grades"], said.err
    # Nothing of it reached this machine, and its own words say that it found nothing there.
    assert states["test_harm"][0] == "agrees", states["test_harm"]
    assert states["test_kill"][0] in ("differs", "not_run")
    assert {name: states[name][0] for name in ("test_up", "test_root")} == dict.fromkeys(
        ("test_up", "test_root"), "not_run"
    )
    assert not (tmp_path / "outside").exists() and not marker.exists()
    assert (source / "pages.py").read_text().startswith("def pages") and sorted(p.name for p in source.iterdir()) == [
        "pages.py"
    ]
    assert "swordfish" not in said.out


async def test_what_it_says_was_installed_is_no_word_to_an_installer(
    tmp_path: Path, source: Path, image: RuntimeImage
) -> None:
    """Names and versions go into files that pip reads: an option, an address or a second line in them never does."""
    folder = tmp_path / "wheels"
    folder.mkdir(mode=0o755)
    hostile = [
        "--index-url=http://127.0.0.1:9/",
        "x @ file:///etc/passwd",
        "a\n--extra-index-url http://127.0.0.1:9/",
        "-r/etc/passwd",
    ]
    packages = (
        InstalledPackage("python", "--index-url=http://127.0.0.1:9/", "1"),
        InstalledPackage("python", "a", "1;os_name", "sha256:" + "1" * 64),
    )
    installed = Evidence("dependencies_installed", {"requirements": hostile}, {"packages": written(packages)})
    fine = generated("test_fine", "def test_fine():\n    assert True\n")
    bundle = await bundle_of(tmp_path, source, image, [installed, judged(fine)])
    said = reproduced(tmp_path / "home", bundle, source, "--packages", str(folder))
    document = said.document
    assert said.code == 4 and document["outcome"] == "nothing", said.out
    assert "passwd" not in json.dumps([test["why"] for test in document["tests"]])
    assert "root:" not in said.out and "127.0.0.1:9" not in said.err
