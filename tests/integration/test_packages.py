"""Packages that a project needs, on a machine with no network: out of a folder of wheels, and never past an air gap."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.integration.command import Said, qverify, refused, runs
from tests.integration.log_audit import audited

pytestmark = pytest.mark.docker

MODULE = '''\
"""Needs a package that the sandbox lacks."""

from tidewords import NAMES


def name_of(n: int) -> str:
    """The word for ``n``.

    >>> name_of(1)
    'flood'
    """
    return NAMES[n]
'''


def analyze(home: Path, project: Path, *words: str) -> Said:
    return qverify(home, "analyze", str(project), "--json", *words)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "words.py").write_text(MODULE)
    (folder / "requirements.txt").write_text("tidewords==1.0\n")
    return folder


@pytest.fixture
def wheels(tmp_path: Path) -> Path:
    """A folder with one wheel, as ``pip download`` would leave it."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    info = "tidewords-1.0.dist-info"
    with zipfile.ZipFile(folder / "tidewords-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tidewords.py", "NAMES = ['ebb', 'flood']\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tidewords\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", f"tidewords.py,,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return folder


def test_missing_packages_come_out_of_the_folder_with_no_network(project: Path, wheels: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    without = analyze(home, project)
    assert "tidewords" in without.err and "--packages" in without.err
    said = analyze(home, project, "--packages", str(wheels))
    assert said.code == 0, said.err
    assert said.document["accepted"] > 0
    assert {test["name"] for test in said.document["tests"] if test["label"] == "specification"}
    with zipfile.ZipFile(said.document["bundle"]) as bundle:
        entries = bundle.read("entries.jsonl").decode()
    assert '"purpose":"install"' in entries.replace(" ", "")
    assert '"network":true' not in entries.replace(" ", "")
    assert '"offline_packages":true' in entries.replace(" ", "")
    found = audited(home, {"source": [MODULE], "the person's folder": [str(tmp_path)]})
    assert {"missing_dependencies", "dependencies_installed"} <= set(found)


def test_a_folder_without_the_package_is_said(project: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = analyze(tmp_path / "home", project, "--packages", str(tmp_path / "empty"))
    assert said.code in (0, 4)
    assert "tidewords==1.0 could not be installed" in said.err
    assert "The folder lacks them" in said.err
    (notice,) = [one for one in said.document["notices"] if "tidewords" in one]
    assert "\n" not in notice and notice.count("No matching distribution") == 1


def test_what_could_not_be_had_is_said_beside_what_could(project: Path, wheels: Path, tmp_path: Path) -> None:
    (project / "requirements.txt").write_text("tidewords==1.0\nnowherewords==2.0\n")
    (project / "other.py").write_text("import nowherewords\n")
    # The second run takes over what the first one installed, and lacks the same.
    for _ in range(2):
        said = analyze(tmp_path / "home", project, "--packages", str(wheels), "--max-targets", "1")
        assert said.code == 0, said.err
        assert said.document["accepted"] > 0
        assert any("nowherewords==2.0 could not be installed" in one for one in said.document["notices"])
        assert not any("tidewords==1.0" in one for one in said.document["notices"])


def test_a_folder_that_is_not_there_is_refused_before_anything_is_done(project: Path, tmp_path: Path) -> None:
    said = analyze(tmp_path / "home", project, "--packages", str(tmp_path / "nowhere"))
    assert "nowhere is not there" in refused(said, 2)
    (tmp_path / "a.whl").write_text("no folder")
    said = analyze(tmp_path / "home", project, "--packages", str(tmp_path / "a.whl"))
    assert "a.whl is a file and no folder" in refused(said, 2)
    assert runs(tmp_path / "home") == {}


def test_behind_an_air_gap_nothing_is_fetched(project: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "settings.toml").write_text("air_gap = true\n")
    said = analyze(home, project, "--allow-install")
    assert refused(said, 2) == "The air gap is on, so no packages may be fetched."
