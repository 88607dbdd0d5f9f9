"""The verifier as an auditor has it: one file, an isolated interpreter, an empty environment, none of the application."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.evidence import verify
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import House, members, packed


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("standalone"), protection="unprotected key")
    house.whole_run("r1")
    return house


def run(folder: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    lone = shutil.copy(Path(verify.__file__), folder / "verify.py")
    command = [sys.executable, "-I", str(lone), *map(str, arguments)]
    return subprocess.run(command, env={}, cwd="/", capture_output=True, text=True, encoding="utf-8", timeout=60)


def test_it_imports_nothing_of_the_application() -> None:
    tree = ast.parse(Path(verify.__file__).read_text(encoding="utf-8"))
    names = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    foreign = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    assert foreign == {"cryptography"}


def test_a_whole_bundle(house: House, tmp_path: Path) -> None:
    bundle = house.bundle("r1")
    done = run(tmp_path, bundle, "--public-key", house.journal.verifier_key)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("UNANCHORED. ")
    assert "unprotected key" in done.stdout
    done = run(tmp_path, bundle, "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == verify_bundle(bundle)


def test_a_changed_bundle(house: House, tmp_path: Path) -> None:
    files = members(house.bundle("r1"))
    (tmp_path / "b.zip").write_bytes(packed({**files, "evil\x1b[2J\u202e": b"x"}))
    done = run(tmp_path, tmp_path / "b.zip")
    assert done.returncode == 1
    assert done.stdout.startswith("INVALID. ")
    assert "\x1b" not in done.stdout and "\u202e" not in done.stdout, "a bundle can't write to the terminal"
    done = run(tmp_path, tmp_path / "b.zip", "--json")
    assert done.returncode == 1 and json.loads(done.stdout)["valid"] is False


def test_a_known_checkpoint(house: House, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_text(verify_bundle(house.bundle("r1"))["checkpoint"], encoding="utf-8")
    assert run(tmp_path, house.bundle("r1"), "--known-checkpoint", kept).returncode == 0
    other = House(tmp_path / "other")
    other.whole_run("r1", steps=3)
    done = run(tmp_path, other.bundle("r1"), "--known-checkpoint", kept)
    other.close()
    assert done.returncode == 1 and done.stdout.startswith("DIVERGED. ")


@pytest.mark.parametrize("arguments", [("/nowhere.zip",), ("/etc/hostname",), ("/",)])
def test_what_is_unreadable(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr and done.stderr.strip()


def test_a_bad_key_is_unreadable(house: House, tmp_path: Path) -> None:
    done = run(tmp_path, house.bundle("r1"), "--public-key", "nonsense")
    assert done.returncode == 2 and "malformed" in done.stderr
