"""Recipes, and what the room says where something is missing. No Docker Engine is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.errors import BadInput, MissingPrerequisite, SandboxFailure
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox.images import build_image, check_image, find_image, load_recipes, resources_root
from qverify_desktop.sandbox.recipes import Recipe, recipe_digest

DIGEST_IN_THE_SHELL = "find python bases -type f ! -name '*.pyc' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A resources root of our own: the real runtimes, and a build script that a test may replace."""
    shutil.copytree(resources_root() / "runtimes", tmp_path / "runtimes")
    shutil.copytree(resources_root() / "packaging" / "setup", tmp_path / "packaging" / "setup")
    return tmp_path


def python_recipe(root: Path) -> Recipe:
    (recipe,) = [recipe for recipe in load_recipes(root) if recipe.runtime == "python"]
    return recipe


def script(root: Path, text: str) -> None:
    (root / "packaging" / "setup" / "image.sh").write_text(text)


def test_the_python_recipe_is_whole() -> None:
    recipe = python_recipe(resources_root())
    assert recipe.languages == ("python",)
    assert recipe.version == "3.12"
    assert recipe.reference == f"qverify/python:{recipe.digest[:12]}"
    assert recipe.script.is_file() and (recipe.folder / "Dockerfile").is_file()
    assert list(recipe.sample.rglob("test_*.py"))


def test_every_package_of_the_image_is_pinned_by_hash() -> None:
    lock = (resources_root() / "runtimes" / "python" / "requirements.txt").read_text()
    assert "http" not in lock and "--index" not in lock and "--find-links" not in lock
    for name in ("pytest", "coverage", "hypothesis", "pytest-timeout", "pytest-asyncio", "pip"):
        (entry,) = [part for part in lock.replace("\\\n", " ").splitlines() if part.startswith(f"{name}==")]
        assert "--hash=sha256:" in entry


@pytest.mark.parametrize("changed", ["python/Dockerfile", "python/requirements.txt", "bases/debian_trixie.sh"])
def test_a_changed_file_changes_the_digest(root: Path, changed: str) -> None:
    before = python_recipe(root)
    with (root / "runtimes" / changed).open("a") as file:
        file.write("\n# changed\n")
    after = python_recipe(root)
    assert before.digest != after.digest
    assert before.reference != after.reference


def test_a_moved_or_new_file_changes_the_digest_and_a_compiled_one_does_not(root: Path) -> None:
    before = recipe_digest(root / "runtimes", "python")
    compiled = root / "runtimes" / "python" / "__pycache__" / "x.pyc"
    compiled.parent.mkdir()
    compiled.write_bytes(b"anything")
    assert recipe_digest(root / "runtimes", "python") == before
    (root / "runtimes" / "python" / "more").write_text("")
    with_more = recipe_digest(root / "runtimes", "python")
    (root / "runtimes" / "python" / "more").rename(root / "runtimes" / "python" / "most")
    assert len({before, with_more, recipe_digest(root / "runtimes", "python")}) == 3


def test_the_build_script_computes_the_same_digest(root: Path) -> None:
    (root / "runtimes" / "python" / "Z-and-ä").write_text("order of bytes, not of a locale")
    shell = subprocess.run(
        ["bash", "-c", DIGEST_IN_THE_SHELL], cwd=root / "runtimes", capture_output=True, text=True, check=True
    )
    assert shell.stdout.strip() == recipe_digest(root / "runtimes", "python")
    # The line above must be the script's own, or this test proves nothing.
    flat = " ".join((resources_root() / "packaging" / "setup" / "image.sh").read_text().replace("\\\n", " ").split())
    assert DIGEST_IN_THE_SHELL.replace("find python", 'find "$1" $(recipe_value parts "$1")') in flat


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "python"', 'name = "../python"', "'name' must be the folder's name"),
        ('name = "python"', "name = 3", "'name' must be a text"),
        ('languages = ["python"]', 'languages = "python"', "'languages' must be a list"),
        ('languages = ["python"]', "", "'languages' must be a list"),
        ('sample = "samples/python"', 'sample = "../../etc"', "'sample' must name something below"),
        ('stand_in = "bases/debian_trixie.sh"', 'stand_in = "bases/none.sh"', "'stand_in' must name something below"),
        ('version = "3.12"', "version = = =", "can't be read"),
    ],
)
def test_a_bad_recipe_gets_a_sentence(root: Path, old: str, new: str, words: str) -> None:
    file = root / "runtimes" / "python" / "runtime.toml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(BadInput) as caught:
        load_recipes(root)
    assert words in caught.value.sentence
    assert str(file) in caught.value.sentence
    assert caught.value.exit_code == 2


def test_a_recipe_that_is_no_text_gets_a_sentence(root: Path) -> None:
    (root / "runtimes" / "python" / "runtime.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(BadInput, match="can't be read"):
        load_recipes(root)


def test_no_recipes_at_all_is_a_missing_prerequisite(tmp_path: Path) -> None:
    with pytest.raises(MissingPrerequisite, match="QVERIFY_RESOURCES"):
        load_recipes(tmp_path)


def test_the_resources_root_can_be_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QVERIFY_RESOURCES", str(root))
    assert resources_root() == root
    assert python_recipe(resources_root()).folder == root / "runtimes" / "python"


def test_an_image_that_is_not_built_is_not_checked(root: Path) -> None:
    recipe = python_recipe(root)
    with pytest.raises(MissingPrerequisite, match="qverify runtimes build python"):
        check_image(recipe, RuntimeImage("python", recipe.reference))


def test_an_engine_that_does_not_answer_gets_a_sentence(root: Path, tmp_path: Path) -> None:
    client = docker.APIClient(base_url=f"unix://{tmp_path}/no.sock", version="1.41")
    with pytest.raises(MissingPrerequisite) as caught:
        find_image(client, python_recipe(root))
    assert "socket is missing" in caught.value.sentence
    client.close()


def test_a_missing_prerequisite_of_the_build_keeps_its_one_line(root: Path) -> None:
    script(
        root,
        "echo step one\necho noise >&2\necho 'mmdebstrap is missing. Type: apt-get install -y mmdebstrap' >&2\nexit 3\n",
    )
    lines: list[str] = []
    with pytest.raises(MissingPrerequisite) as caught:
        build_image(None, python_recipe(root), lines.append)
    assert caught.value.sentence == "mmdebstrap is missing."
    assert caught.value.remedy == "Type: apt-get install -y mmdebstrap"
    assert lines == ["step one"]


def test_a_broken_build_says_what_broke(root: Path) -> None:
    script(root, "echo 'no space left on device' >&2\nexit 1\n")
    with pytest.raises(SandboxFailure, match="could not be built: no space left on device"):
        build_image(None, python_recipe(root), lambda line: None)


def test_a_build_that_is_killed_says_so(root: Path) -> None:
    script(root, "kill -9 $$\n")
    with pytest.raises(SandboxFailure, match="was stopped"):
        build_image(None, python_recipe(root), lambda line: None)


def test_a_build_without_its_script_says_so(root: Path) -> None:
    recipe = python_recipe(root)
    recipe.script.unlink()
    with pytest.raises(MissingPrerequisite, match="Install the application again"):
        build_image(None, recipe, lambda line: None)


def test_the_build_sees_no_secret_of_the_person(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-planted")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/planted")
    monkeypatch.setenv("PIP_TIMEOUT", "77")
    script(root, "env\nexit 3\n")
    lines: list[str] = []
    with pytest.raises(MissingPrerequisite):
        build_image(None, python_recipe(root), lines.append)
    assert "PIP_TIMEOUT=77" in lines
    assert f"PATH={os.environ['PATH']}" in lines
    assert not [line for line in lines if "planted" in line]


@pytest.mark.parametrize("deaf", ["", "trap '' TERM; "])
def test_a_reader_that_fails_ends_the_build_and_its_children(root: Path, tmp_path: Path, deaf: str) -> None:
    script(root, f"({deaf}exec sleep 600) &\necho $! >{tmp_path}/child\necho started\nwait\n")

    def fail(line: str) -> None:
        raise RuntimeError(line)

    with pytest.raises(RuntimeError, match="started"):
        build_image(None, python_recipe(root), fail)
    child = int((tmp_path / "child").read_text())
    stat = Path(f"/proc/{child}/stat")
    until = time.monotonic() + 5
    while stat.exists() and stat.read_text().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < until, "it still runs"
        time.sleep(0.02)


def test_no_docker_client_names_the_packages(root: Path, tmp_path: Path) -> None:
    empty = tmp_path / "bin"
    empty.mkdir()
    for tool in ("bash", "awk", "timeout", "env"):
        (empty / tool).symlink_to(shutil.which(tool) or tool)
    run = subprocess.run(
        [str(root / "packaging" / "setup" / "docker_client.sh")],
        env={"PATH": str(empty)},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 3
    assert "apt-get install -y --no-install-recommends docker.io" in run.stderr


def test_missing_system_packages_are_named_to_a_person_who_is_not_root(root: Path, tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "id").write_text("#!/bin/sh\necho 1000\n")
    (tools / "dpkg-query").write_text("#!/bin/sh\necho installed git\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    run = subprocess.run(
        [str(root / "packaging" / "setup" / "packages.sh"), "git", "xvfb", "docker.io"],
        env={"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 3
    assert run.stderr.strip().endswith("Type: sudo apt-get install -y --no-install-recommends xvfb docker.io")


def test_a_silent_build_is_stopped_too(root: Path, tmp_path: Path) -> None:
    script(root, f"echo $$ >{tmp_path}/pid\nsleep 600\n")
    stop = time.monotonic() + 1

    def checkpoint() -> None:
        if time.monotonic() > stop:
            raise SandboxFailure("stopped")

    with pytest.raises(SandboxFailure, match=r"^stopped$"):
        build_image(None, python_recipe(root), lambda line: None, checkpoint=checkpoint)
    assert time.monotonic() - stop < 5
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()
