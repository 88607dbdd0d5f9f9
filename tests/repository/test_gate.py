"""A repository is fetched only where that is not closed, and no other git command knows a way to another machine."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.repository import Repositories
from qverify_desktop.repository.git_safety import REMOTE_TRANSPORTS, environment, run_git
from tests.repository.conftest import Work

CLOSED = {"switch": Policy(off=frozenset(["allow_clone"])), "air gap": Policy(air_gap=True)}
#: Nobody listens there; whoever tries is told so at once.
DEAF = "127.0.0.1:1"


@pytest.mark.parametrize("why", CLOSED)
@pytest.mark.parametrize(
    "address", [f"https://{DEAF}/a/b.git", f"ssh://me@{DEAF}/a", f"git://{DEAF}/a", "me@127.0.0.1:a"]
)
def test_nothing_is_fetched_where_that_is_closed(why: str, address: str, home: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="so no repository is fetched from another machine"):
        Repositories(Gate(CLOSED[why])).take_snapshot(address, tmp_path / "w")
    if not address.startswith(("ssh", "me@")):
        with pytest.raises(BadInput, match="could not be fetched"):
            Repositories().take_snapshot(address, tmp_path / "w")


def test_a_fetch_that_is_under_way_is_ended_when_it_is_switched_off(home: Path, tmp_path: Path) -> None:
    gate, held = Gate(), []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"git://127.0.0.1:{silent.getsockname()[1]}/x"

        def switch() -> None:
            held.append(silent.accept()[0])
            gate.policy = CLOSED["switch"]

        switching = threading.Thread(target=switch)
        switching.start()
        began = time.monotonic()
        with pytest.raises(BadInput, match="so no repository is fetched from another machine"):
            Repositories(gate).take_snapshot(address, tmp_path / "w")
        assert time.monotonic() - began < 30
        switching.join()
        held[0].close()


@pytest.mark.parametrize("why", CLOSED)
def test_what_is_on_this_machine_is_taken_all_the_same(why: str, work: Work, tmp_path: Path) -> None:
    work.write("a.py", "x = 1\n")
    work.commit()
    bundle = tmp_path / "demo.bundle"
    work.git("bundle", "create", str(bundle), "HEAD", "main")
    repositories = Repositories(Gate(CLOSED[why]))
    for number, source in enumerate((str(work.path), f"file://{work.path}", str(bundle))):
        assert repositories.take_snapshot(source, tmp_path / str(number)).files == ("a.py",)


@pytest.mark.parametrize(
    "address", [f"https://{DEAF}/x", f"git://{DEAF}/x", f"ssh://{DEAF}/x", f"http://{DEAF}/x", "ext::sh -c true"]
)
def test_git_knows_no_other_way_than_files_unless_it_fetches(address: str, home: Path) -> None:
    assert run_git(["init", "-q", "--bare", "store"], cwd=home).code == 0
    for words in (["ls-remote", address], ["clone", "--bare", address, "x"], ["-C", "store", "fetch", address]):
        answer = run_git(words, cwd=home, personal=True)
        assert answer.code != 0 and "not allowed" in answer.errors, answer.errors


def test_a_configuration_of_the_person_widens_nothing(home: Path) -> None:
    (home / ".gitconfig").write_text(
        f'[protocol]\n\tallow = always\n[protocol "https"]\n\tallow = always\n[url "https://{DEAF}/"]\n\tinsteadOf = /nowhere/\n'
    )
    answer = run_git(["ls-remote", "/nowhere/x"], cwd=home, personal=True)
    assert "transport 'https' not allowed" in answer.errors


def test_only_fetching_gets_proxies_and_the_agent(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"https_proxy": "http://p:1", "ALL_PROXY": "http://p:1", "SSH_AUTH_SOCK": "/a", "GIT_SSH_COMMAND": "evil"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert not set(given) & set(environment(personal=True))
    assert environment(personal=True)["GIT_ALLOW_PROTOCOL"] == "file"
    fetching = environment(personal=True, transports=REMOTE_TRANSPORTS)
    assert {"https_proxy", "ALL_PROXY", "SSH_AUTH_SOCK"} <= set(fetching) and "GIT_SSH_COMMAND" not in fetching


def test_large_files_and_submodules_are_not_fetched_with_a_repository(work: Work, tmp_path: Path, home: Path) -> None:
    """Their addresses are the repository's own words; nothing listens there, and nobody may ask."""
    work.write("a.py", "x = 1\n")
    work.write(".gitmodules", f'[submodule "s"]\n\tpath = s\n\turl = https://{DEAF}/s.git\n')
    work.write(".lfsconfig", f"[lfs]\n\turl = https://{DEAF}/lfs\n")
    work.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs\n")
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 9\n"
    work.write("big.bin", pointer)
    called = tmp_path / "called"
    (home / ".gitconfig").write_text(
        f'[filter "lfs"]\n\tsmudge = touch {called}\n\tprocess = touch {called}\n\trequired = true\n'
    )
    work.git("add", "-A")
    work.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},s")
    work.git("commit", "-q", "-m", "one")
    bundle = tmp_path / "demo.bundle"
    work.git("bundle", "create", str(bundle), "HEAD", "main")
    for number, source in enumerate((str(bundle), f"file://{work.path}", str(work.path))):
        snapshot = Repositories().take_snapshot(source, tmp_path / f"w{number}")
        assert "a.py" in snapshot.files and "big.bin" in snapshot.lfs_pointers
    assert not called.exists()
    held = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_ALLOW_PROTOCOL": "https"}
    tried = subprocess.run(
        ["git", "ls-remote", f"https://{DEAF}/s.git"], env=os.environ | held, capture_output=True, text=True
    )
    assert "onnect" in tried.stderr, "where it is asked, it says so"
