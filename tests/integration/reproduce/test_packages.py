"""Packages that were installed for a run, on a second machine: the very same are taken, and what differs is said."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.evidence.disclosed import Disclosed
from qverify_desktop.languages.installed import read_written
from tests.integration.command import Said, qverify
from tests.integration.engine.killing import containers

pytestmark = pytest.mark.docker

SOURCE = '''\
"""The tide."""

from tidewords import LEVEL


def level(hours: int) -> int:
    """How high the water stands.

    >>> level(2)
    6
    """
    return hours * LEVEL
'''
#: The library as it was when the run was made, and a later one; both need a second.
THEN, LATER = ("1.0", 3), ("1.1", 4)


def wheel(folder: Path, name: str, version: str, source: str, needs: str = "") -> None:
    """A wheel (PyPA, "Binary distribution format") of one module; ``needs`` is another distribution's name."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        + (f"Requires-Dist: {needs}\n" if needs else ""),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in (*files, f"{info}/RECORD"))
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)


def wheels(folder: Path, *versions: tuple[str, int]) -> Path:
    for version, level in versions:
        wheel(folder, "tidewords", version, f"LEVEL = {level}\n", "moonwords")
    wheel(folder, "moonwords", "2.0", "PHASES = 4\n")
    for path in (folder, *folder.iterdir()):
        path.chmod(0o755)
    return folder


@dataclass(frozen=True)
class Shore:
    """One finished run that had packages installed out of a folder."""

    bundle: Path
    source: Path

    def reproduced(self, home: Path, *words: str) -> Said:
        said = qverify(home, "reproduce", str(self.bundle), "--source", str(self.source), "--json", *words)
        assert containers(home) == []
        return said


@pytest.fixture(scope="module")
def shore(tmp_path_factory: pytest.TempPathFactory, image: RuntimeImage) -> Iterator[Shore]:
    folder = tmp_path_factory.mktemp("shore")
    source = folder / "source"
    source.mkdir()
    (source / "tide.py").write_text(SOURCE)
    (source / "requirements.txt").write_text("tidewords>=1\n")
    done = qverify(
        folder / "home",
        *("analyze", str(source), "--packages", str(wheels(folder / "wheels", THEN)), "--json"),
    )
    assert done.code == 0, done.err
    yield Shore(Path(done.document["bundle"]), source)


def test_the_bundle_names_every_package_with_its_digest(shore: Shore) -> None:
    with Disclosed(shore.bundle) as disclosed:
        (event,) = [one for one in disclosed.events if one.type == "dependencies_installed"]
        packages = read_written(disclosed.content(event, "packages") or b"")
    assert packages is not None and event.data["installed"] == 2
    assert [(one.ecosystem, one.name, one.version) for one in packages] == [
        ("python", "moonwords", "2.0"),
        ("python", "tidewords", "1.0"),
    ]
    assert all(one.digest.startswith("sha256:") and len(one.digest) == 71 for one in packages)


def test_the_very_packages_are_taken_where_later_ones_lie_beside_them(shore: Shore, tmp_path: Path) -> None:
    said = shore.reproduced(tmp_path / "home", "--packages", str(wheels(tmp_path / "wheels", THEN, LATER)))
    assert said.code == 0, said.err
    document = said.document
    assert document["grades"] == ["UNANCHORED", "REPRODUCED"] and document["differ"] == document["not_run"] == 0
    assert [(one["name"], one["then"], one["now"], one["same"]) for one in document["packages"]] == [
        ("moonwords", "2.0", "2.0", True),
        ("tidewords", "1.0", "1.0", True),
    ]
    assert any("2 packages installed as in the run" in notice for notice in document["notices"])


def test_another_version_is_told_and_so_is_each_test_that_it_changes(shore: Shore, tmp_path: Path) -> None:
    said = shore.reproduced(tmp_path / "home", "--packages", str(wheels(tmp_path / "wheels", LATER)))
    document = said.document
    assert (said.code, document["outcome"], document["grades"]) == (1, "differs", ["UNANCHORED"]), said.err
    assert document["packages"][0]["sentence"] == "tidewords 1.0 then, 1.1 here." in document["notices"]
    assert "The packages are not the run's." in document["advice"][0]
    changed = [test for test in document["tests"] if test["state"] == "differs"]
    assert changed and all(test["steady"] for test in changed)
    (promise,) = [test for test in changed if test["call"] == "level(2)"]
    assert (promise["expected"], promise["was"], promise["now"]) == ("6", "passed 5 of 5", "failed 5 of 5, gave 8")


def test_another_file_of_the_same_version_is_no_reproduction(shore: Shore, tmp_path: Path) -> None:
    folder = wheels(tmp_path / "wheels", THEN)
    wheel(folder, "moonwords", "2.0", "PHASES = 8\n")
    said = shore.reproduced(tmp_path / "home", "--packages", str(folder))
    document = said.document
    assert (said.code, document["outcome"], document["grades"]) == (4, "other_environment", ["UNANCHORED"]), said.err
    assert document["agree"] == len(document["tests"]) > 0
    assert document["packages"][0]["sentence"].startswith("moonwords 2.0 is another file here: sha256:")


@pytest.mark.parametrize("empty", [False, True])
def test_missing_packages_are_named_and_nothing_runs(shore: Shore, tmp_path: Path, empty: bool) -> None:
    """Neither a network nor a folder was offered, or a folder that lacks them."""
    folder = tmp_path / "wheels"
    folder.mkdir(mode=0o755)
    said = shore.reproduced(tmp_path / "home", *(["--packages", str(folder)] if empty else []))
    document = said.document
    assert (said.code, document["outcome"]) == (4, "nothing"), said.err
    assert document["not_run"] == len(document["tests"]) > 0
    (told,) = [notice for notice in document["notices"] if "tidewords 1.0" in notice]
    (advice,) = document["advice"]
    assert "moonwords 2.0" in told and "--packages" in advice and "--allow-install" in advice and "wheels" in advice
