"""The real image on the real engine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.sandbox.connection import Connections
from qverify_desktop.sandbox.images import build_image, check_image, find_image, load_recipes, resources_root
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.recipes import Recipe
from tests.integration.conftest import containers

pytestmark = pytest.mark.docker


@pytest.fixture
def client() -> Iterator[docker.APIClient]:
    connections = Connections()
    yield connections.client()
    connections.close()


@pytest.fixture
def recipe() -> Recipe:
    (recipe,) = [recipe for recipe in load_recipes(resources_root()) if recipe.runtime == "python"]
    return recipe


def test_an_image_that_is_not_there_has_no_digest(client: docker.APIClient, recipe: Recipe) -> None:
    image = find_image(client, replace(recipe, digest="0" * 64))
    assert image.digest == ""
    assert image.reference == "qverify/python:000000000000"


def test_a_tag_on_another_image_is_not_believed(client: docker.APIClient, recipe: Recipe) -> None:
    other = replace(recipe, digest="f" * 64)
    client.tag(build_image(client, recipe, lambda line: None).digest, "qverify/python", "f" * 12)
    try:
        assert find_image(client, other).digest == ""
    finally:
        client.remove_image(other.reference, noprune=True)


def test_the_image_says_what_it_holds(client: docker.APIClient, recipe: Recipe) -> None:
    lines: list[str] = []
    image = build_image(client, recipe, lines.append)
    assert lines and image == find_image(client, recipe)
    assert image.digest.startswith("sha256:") and image.size_bytes > 0
    assert set(image.tools) == {
        "python",
        "pytest",
        "coverage",
        "hypothesis",
        "pytest-timeout",
        "pytest-asyncio",
        "pip",
    }
    departs = not image.tools["python"].startswith(recipe.version + ".")
    assert bool(image.differences) == departs
    if departs:
        assert image.tools["python"] in image.differences[0]


def test_the_image_holds_no_address_of_this_machine(client: docker.APIClient, recipe: Recipe) -> None:
    image = build_image(client, recipe, lambda line: None)
    facts = client.inspect_image(image.digest)
    base = len(client.history(facts["Config"]["Labels"]["qverify.base"]))
    told = str(client.history(image.digest)[:-base]) + str(facts["Config"])
    assert "qverify.tools" in told
    assert "://" not in told
    assert "PIP_" not in told


def test_the_sample_passes_under_the_flags_of_every_run(
    client: docker.APIClient, recipe: Recipe, owner: Owner
) -> None:
    image = build_image(client, recipe, lambda line: None)
    check = check_image(recipe, image, owner=owner)
    assert check.passed, check.output
    assert "7 passed" in check.output
    assert containers(client, owner) == []


def test_a_sample_that_fails_is_told(client: docker.APIClient, recipe: Recipe, tmp_path: Path) -> None:
    sample = tmp_path / "sample"
    shutil.copytree(recipe.sample, sample)
    # A checkout under a strict umask must still be readable in the container, so that the failure is the test's own.
    (sample / "tests" / "test_wrong.py").write_text("def test_wrong():\n    assert 1 == 2\n")
    (sample / "tests").chmod(0o700)
    check = check_image(replace(recipe, sample=sample), build_image(client, recipe, lambda line: None))
    assert not check.passed
    assert "exit status 1" in check.sentence
    assert "1 failed, 7 passed" in check.output


@pytest.mark.parametrize("policy", [Policy(air_gap=True), Policy(off=frozenset(["allow_image_builds"]))])
def test_where_nothing_may_be_fetched_an_image_is_not_built_and_stays(
    client: docker.APIClient, recipe: Recipe, policy: Policy
) -> None:
    before = build_image(client, recipe, lambda line: None)
    said: list[str] = []
    gate = Gate(policy)
    with pytest.raises(MissingPrerequisite, match="so no sandbox image is built") as caught:
        build_image(client, recipe, said.append, again=True, engine="unix:///var/run/docker.sock", gate=gate)
    assert "qverify runtimes load" in caught.value.remedy
    assert not any("registry" in line for line in said), "nothing was tried"
    assert find_image(client, recipe) == before
    assert build_image(client, recipe, said.append, gate=gate) == before, "what is there is used"


def test_an_image_of_what_is_on_this_machine_is_built_behind_the_air_gap(client: docker.APIClient) -> None:
    (made_of_others,) = [recipe for recipe in load_recipes(resources_root()) if recipe.runtime == "universal"]
    image = build_image(
        client,
        made_of_others,
        print,
        again=True,
        engine="unix:///var/run/docker.sock",
        gate=Gate(Policy(air_gap=True)),
    )
    assert image.digest
