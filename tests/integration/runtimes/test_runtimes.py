"""Every sandbox runtime on a real engine: its image proves itself, and a failing test is not taken for a broken compile."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox.images import DOES_NOT_COMPILE, build_image, check_image, load_recipes, resources_root
from qverify_desktop.sandbox.recipes import Recipe

pytestmark = [pytest.mark.docker, pytest.mark.timeout(3600)]

RECIPES = {recipe.runtime: recipe for recipe in load_recipes(resources_root()) if not recipe.on_demand}

#: For each runtime a file of its sample, the words to replace in it, and what the output then says. First a rule that is
#: wrong, so that a test fails; then text that no compiler takes.
WRONG = {
    "go": ("level/level.go", "a > b", "a < b", r"--- FAIL: TestHighestIsTheLargestLevel"),
    "java": ("src/main/java/tide/Tide.java", "Collections.max", "Collections.min", r"Tests run: 5, Failures: 2"),
    "node": ("src/tide.ts", "Math.max", "Math.min", r"1 failed, 3 passed"),
    "python": ("tide.py", "max(levels)", "min(levels)", r"1 failed, 6 passed"),
    "rust": ("src/lib.rs", ".max()", ".min()", r"highest_is_the_largest_level \.\.\. FAILED"),
    "universal": ("tide.go", "slices.Max", "slices.Min", r"--- FAIL: TestHighest"),
}
BROKEN = {
    "go": ("level/level.go", "a > b", "a >", r"level\.go:\d+:\d+: (expected|syntax error)"),
    "java": ("src/main/java/tide/Tide.java", "Collections.max(levels)", "Collections.max(", r"COMPILATION ERROR"),
    "node": ("src/tide.ts", "Math.max(...levels)", "Math.max(...", r"src/tide\.ts\(\d+,\d+\): error TS\d+"),
    "python": ("tide.py", "max(levels)", "max(", r"SyntaxError"),
    "rust": ("src/lib.rs", ".max()", ".max(", r"error: could not compile `sample`"),
    "universal": ("tide.ts", "Math.max(...levels)", "Math.max(...", r"tide\.ts\(\d+,\d+\): error TS\d+"),
}
#: The other half of a sample that has two.
WRONG_TOO = {
    "java": ("src/main/kotlin/tide/Level.kt", "other.metres", "metres", r"1 tests failed"),
    "node": ("src/mean.js", "sum + level", "sum - level", r"1 failed"),
    "universal": ("tide.py", "max(levels)", "min(levels)", r"2 failed, 2 passed"),
}
BROKEN_TOO = {
    "java": ("src/main/kotlin/tide/Level.kt", "listOf(metres", "listOf((metres", r"Level\.kt:\d+:\d+: error"),
    "node": ("src/mean.js", "sum + level", "sum +", r"src/mean\.js\(\d+,\d+\): error TS\d+"),
    "universal": ("tide.py", "max(levels)", "max(", r"SyntaxError"),
}
CASES_WRONG = [*WRONG.items(), *WRONG_TOO.items()]
CASES_BROKEN = [*BROKEN.items(), *BROKEN_TOO.items()]

#: What of the sample's own code the coverage must name as run.
COVERED = {
    "go": ("coverage.out", r"level\.go:\d+\.\d+,\d+\.\d+ \d+ 1"),
    "java": (
        "jacoco.xml",
        r'<class name="tide/Level" (?:(?!</class>).)*<counter type="LINE" missed="0"',
        r'<method name="nextHighWater" (?:(?!</method>).)*<counter type="LINE" missed="0"',
    ),
    "node": ("vitest/lcov.info", r"SF:.*mean\.js\n(?:(?!end_of_record)[\s\S])*DA:\d+,1"),
    "rust": ("lcov.info", r"SF:.*src/lib\.rs\n(?:(?!end_of_record)[\s\S])*DA:\d+,[1-9]"),
    "universal": ("coverage.out", r"tide\.go:\d+\.\d+,\d+\.\d+ \d+ 1"),
}


@pytest.fixture(scope="session")
def client() -> Iterator[docker.APIClient]:
    client = docker.APIClient(version="auto", timeout=600)
    yield client
    client.close()


@pytest.fixture(scope="session")
def images(client: docker.APIClient) -> dict[str, RuntimeImage]:
    """The images of all runtimes that are not made on demand; what is missing is built."""
    return {name: build_image(client, recipe, print) for name, recipe in RECIPES.items()}


def changed(recipe: Recipe, folder: Path, file: str, old: str, new: str) -> Recipe:
    """The recipe with a copy of its sample in which one place is another."""
    sample = folder / "sample"
    shutil.copytree(recipe.sample, sample)
    text = (sample / file).read_text()
    assert text.count(old) == 1
    (sample / file).write_text(text.replace(old, new))
    return replace(recipe, sample=sample)


def test_the_six_runtimes_are_there() -> None:
    assert set(RECIPES) == {"go", "java", "node", "python", "rust", "universal"}


@pytest.mark.parametrize("name", RECIPES)
def test_the_sample_passes_and_its_coverage_comes_back(images: dict[str, RuntimeImage], name: str) -> None:
    check = check_image(RECIPES[name], images[name])
    assert check.passed, check.sentence + "\n" + check.output
    assert set(check.coverage) == set(RECIPES[name].coverage)
    if name == "python":
        covered = json.loads(check.coverage["coverage.json"])["files"]["tide.py"]
        assert covered["summary"]["percent_covered"] == 100 and covered["summary"]["num_branches"] == 0
        return
    file, *patterns = COVERED[name]
    told = check.coverage[file].decode()
    for pattern in patterns:
        assert re.search(pattern, told, re.DOTALL), told[:2000]


@pytest.mark.parametrize(("name", "case"), CASES_WRONG, ids=[name for name, _ in CASES_WRONG])
def test_a_failing_test_is_told_as_such(
    images: dict[str, RuntimeImage], tmp_path: Path, name: str, case: tuple[str, str, str, str]
) -> None:
    file, old, new, said = case
    check = check_image(changed(RECIPES[name], tmp_path, file, old, new), images[name])
    assert not check.passed
    assert check.exit_code == 1, check.output
    assert "tests fail" in check.sentence
    assert re.search(said, check.output), check.output


@pytest.mark.parametrize(("name", "case"), CASES_BROKEN, ids=[name for name, _ in CASES_BROKEN])
def test_what_does_not_compile_is_no_failing_test(
    images: dict[str, RuntimeImage], tmp_path: Path, name: str, case: tuple[str, str, str, str]
) -> None:
    file, old, new, said = case
    check = check_image(changed(RECIPES[name], tmp_path, file, old, new), images[name])
    assert not check.passed and not check.coverage
    assert check.exit_code == DOES_NOT_COMPILE, check.output
    assert "does not compile" in check.sentence
    assert re.search(said, check.output), check.output


def test_a_check_without_its_coverage_has_not_passed(images: dict[str, RuntimeImage]) -> None:
    recipe = replace(RECIPES["python"], coverage=("coverage.json", "elsewhere.xml"))
    check = check_image(recipe, images["python"])
    assert not check.passed and check.exit_code == 0
    assert "did not come back. Missing or empty: elsewhere.xml." in check.sentence


def test_a_check_over_its_time_is_told(images: dict[str, RuntimeImage]) -> None:
    recipe = RECIPES["python"]
    slow = replace(recipe, check=("sleep", "60"), limits=replace(recipe.limits, timeout_s=2))
    assert "did not end within 2 s" in check_image(slow, images["python"]).sentence


@pytest.mark.parametrize("name", RECIPES)
def test_the_image_holds_no_address_and_no_secret(
    client: docker.APIClient, images: dict[str, RuntimeImage], name: str
) -> None:
    facts = client.inspect_image(images[name].digest)
    history = client.history(images[name].digest)
    labels = facts["Config"]["Labels"]
    told = json.dumps([*history, facts["Config"]])
    assert labels["qverify.runtime"] == name and labels["qverify.recipe"] == RECIPES[name].digest
    for word in ("://", "_authToken", "PIP_", "index-url", "_PROXY=", "_proxy="):
        assert word not in told


@pytest.mark.parametrize("name", RECIPES)
def test_the_image_holds_no_settings_of_this_machine(
    images: dict[str, RuntimeImage], name: str, tmp_path: Path
) -> None:
    look = (
        "for file in /root/.npmrc /usr/etc/npmrc /etc/npmrc /usr/local/etc/npmrc /etc/pip.conf /root/.config /root/.m2 "
        "/root/.cargo /etc/apt/sources.list /etc/apt/auth.conf /lent /etc/apt/sources.list.d/*; do "
        '[ ! -e "$file" ] || echo "there: $file"; done; ls /root 2>/dev/null; echo looked >$QV_OUT/looked'
    )
    recipe = replace(RECIPES[name], sample=tmp_path, check=("sh", "-c", look), coverage=("looked",))
    check = check_image(recipe, images[name])
    assert check.passed and check.output == ""


@pytest.mark.parametrize("name", RECIPES)
def test_the_tools_tell_the_versions_that_the_recipe_wants_or_the_image_says_otherwise(
    images: dict[str, RuntimeImage], name: str
) -> None:
    described = tomllib.loads((RECIPES[name].folder / "runtime.toml").read_text())
    tools = images[name].tools
    assert set(tools) == set(described["tools"])
    other = [
        tool
        for tool, of in described["tools"].items()
        if "wanted" in of and tools[tool] != of["wanted"] and not tools[tool].startswith(of["wanted"] + ".")
    ]
    assert len(images[name].differences) == len(other)
    for tool, sentence in zip(other, images[name].differences, strict=True):
        assert tools[tool] in sentence and "instead of" in sentence
