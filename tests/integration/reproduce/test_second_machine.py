"""One analysis of the sample repository, and its bundle executed again elsewhere: another state folder, with and without the image."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import docker
import jsonschema
import pytest

from qverify_desktop.domain.execution import ImagePin, RuntimeImage
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.sandbox.images import find_pinned
from tests.evidence.logs import members, packed
from tests.integration.command import Said, qverify, refused
from tests.integration.engine.killing import containers
from tests.integration.reproduce.machines import Machine, machine, remove

pytestmark = pytest.mark.docker

#: What the library in the image decides, beside the sample's planted defect.
STEPS = '''\
"""Steps of a walk along the shelf."""

from houselib import STEP


def walked(steps: int) -> int:
    """How far so many steps lead.

    >>> walked(2)
    6
    """
    return steps * STEP
'''


@dataclass(frozen=True)
class House:
    """One finished run: its bundle, its source (a repository with uncommitted changes), its machine, and the images in one file."""

    bundle: Path
    source: Path
    machine: Machine
    saved: Path
    home: Path


def git(folder: Path, *words: str) -> None:
    who = ["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True)


def _keep_only_the_defect(source: Path) -> None:
    """Of the module with the planted defect only that function stays: the other ones cost minutes and show nothing more here."""
    ranges = source / "shelf" / "ranges.py"
    ranges.write_text(ranges.read_text().partition("\n\ndef page_bounds")[0])
    (source / "tests" / "test_ranges.py").unlink()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, client: docker.APIClient, image: RuntimeImage) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("reproduce")
    source = folder / "source"
    shutil.copytree(resources_root() / "resources" / "sample", source)
    _keep_only_the_defect(source)
    git(source, "init", "-q")
    git(source, "add", "-A")
    git(source, "commit", "-q", "-m", "one")
    (source / "shelf" / "steps.py").write_text(STEPS)
    with machine(client, image, folder / "machine", step=3) as first:
        home, saved = folder / "home", folder / "python.qvr"
        done = qverify(home, "analyze", str(source), "--scope", "files:shelf/[rs]*.py", "--json", **first.environment)
        assert done.code == 1, done.err
        assert qverify(home, "runtimes", "save", str(saved), "python", **first.environment).code == 0
        yield House(Path(done.document["bundle"]), source, first, saved, home)
    assert containers(home) == []


def reproduce(house: House, home: Path, *words: str, source: Path | None = None, **more: str) -> Said:
    return qverify(
        home, "reproduce", str(house.bundle), "--source", str(source or house.source), "--json", *words, **more
    )


def validated(said: Said) -> dict[str, object]:
    schema = json.loads((resources_root() / "docs" / "reproduce.schema.json").read_text())
    jsonschema.validate(said.document, schema)
    return said.document


def test_all_tests_agree_on_a_machine_that_loaded_the_image(
    house: House, tmp_path: Path, client: docker.APIClient
) -> None:
    """The engine is emptied of the image first; the source is a clone that went on since."""
    remove(client, house.machine.image.reference)
    second, clone, back = tmp_path / "second", tmp_path / "clone", tmp_path / "back.qvevidence.zip"
    loaded = qverify(second, "runtimes", "load", str(house.saved), **house.machine.environment)
    assert loaded.code == 0, loaded.err
    subprocess.run(["git", "clone", "-q", str(house.source), str(clone)], check=True)
    (clone / "shelf" / "text.py").write_text("nothing = None\n")
    git(clone, "commit", "-qam", "two")
    said = reproduce(house, second, "--out", str(back), source=clone)
    document = validated(said)
    assert said.code == 0, said.err
    assert document["grades"] == ["UNANCHORED", "REPRODUCED"] and document["outcome"] == "reproduced"
    tests = document["tests"]
    assert document["agree"] == len(tests) > 2 and document["differ"] == document["not_run"] == 0
    (defect,) = [test for test in tests if test["verdict"] == "suspected"]
    assert (
        defect["target"] == "shelf/ranges.py::page_count"
        and defect["was"] == defect["now"] == "failed 5 of 5, gave 3"
    )
    assert {test["now"] for test in tests if test is not defect} == {"passed 5 of 5"}
    assert any(test["target"] == "shelf/steps.py::walked" for test in tests)
    key = document["record"]["verifier_key"]
    handed = ("--reproduction", str(back), "--reproduction-key", key)
    checked = qverify(tmp_path / "third", "verify", str(house.bundle), *handed, "--json")
    assert checked.code == 0 and checked.document["grades"] == ["UNANCHORED", "REPRODUCED"], checked.document
    page = Path(document["record"]["report"]).read_text()
    assert "REPRODUCED" in page and not any(word in page for word in ("href=", "src=", "url(", "<script"))
    assert containers(second) == []


def test_a_missing_image_is_named_and_nothing_runs(house: House, tmp_path: Path, client: docker.APIClient) -> None:
    remove(client, house.machine.image.reference)
    said = reproduce(house, tmp_path / "second")
    document = validated(said)
    assert said.code == 3 and document["outcome"] == "nothing" and document["grades"] == ["UNANCHORED"]
    (told,) = document["images"]
    assert house.machine.image.digest[:19] in told["sentence"] and "another recipe" in told["sentence"]
    assert "qverify runtimes load" in told["remedy"]
    assert document["not_run"] == len(document["tests"]) > 2


def test_another_image_shows_each_difference(
    house: House, tmp_path: Path, client: docker.APIClient, image: RuntimeImage
) -> None:
    """The library of this machine's image counts otherwise, which only the tests that reach it notice."""
    remove(client, house.machine.image.reference)
    with machine(client, image, tmp_path / "machine", step=4) as other:
        said = reproduce(house, tmp_path / "second", "--other-image", **other.environment)
        document = validated(said)
        assert said.code == 1 and document["outcome"] == "differs" and document["grades"] == ["UNANCHORED"]
        by_target: dict[str, set[str]] = {}
        for test in document["tests"]:
            by_target.setdefault(test["target"], set()).add(test["state"])
        assert by_target.pop("shelf/steps.py::walked") == {"differs"}
        assert set().union(*by_target.values()) == {"agrees"}
        (told, *_) = [test for test in document["tests"] if test["state"] == "differs"]
        assert told["was"] == "passed 5 of 5" and told["now"].startswith("failed 5 of 5, gave ")


def test_another_source_is_refused(house: House, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(house.source, source, ignore=shutil.ignore_patterns(".git"))
    (source / "shelf" / "ranges.py").write_text((source / "shelf" / "ranges.py").read_text() + "\n")
    sentence = refused(reproduce(house, tmp_path / "second", source=source), 2)
    assert "not what was analysed" in sentence and "Nothing was run" in sentence


def test_a_changed_expectation_is_invalid_and_not_executed(house: House, tmp_path: Path) -> None:
    changed = tmp_path / "changed.qvevidence.zip"
    files = members(house.bundle)
    (name,) = [
        name
        for name, content in files.items()
        if b'"ending":' in content and b'"expected":"2"' in content and b'"failed"' in content
    ]
    files[name] = files[name].replace(b'"expected":"2"', b'"expected":"3"')
    changed.write_bytes(packed(files))
    said = qverify(tmp_path / "second", "reproduce", str(changed), "--source", str(house.source), "--json")
    document = validated(said)
    assert said.code == 1 and document["grade"] == "INVALID" and document["state"] == "refused"
    assert document["tests"] == [] and "not what the run committed to" in document["problems"][0]


def test_an_engine_that_numbers_images_otherwise_is_asked_by_recipe_and_layers(
    client: docker.APIClient, image: RuntimeImage
) -> None:
    """Whoever keeps images in another store gives the same image another id; an image that QVerify did not make is none."""
    pin = ImagePin("python", image.digest, recipe=image.recipe, layers=image.layers)
    exact = find_pinned(client, pin)
    assert exact is not None and exact.digest == image.digest
    unknown = "sha256:" + "0" * 64
    renumbered = find_pinned(client, replace(pin, digest=unknown))
    assert renumbered is not None and (renumbered.recipe, renumbered.layers) == (image.recipe, image.layers)
    assert find_pinned(client, replace(pin, digest=unknown, layers="0" * 64)) is None
    assert find_pinned(client, replace(pin, digest=unknown, recipe="")) is None
    assert find_pinned(client, replace(pin, digest="python:latest")) is None
    for foreign in client.images("qverify/base-python"):
        assert find_pinned(client, ImagePin("python", foreign["Id"])) is None
