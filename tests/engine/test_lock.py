"""One process owns a state folder, and its death sets it free."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.engine.lock import HomeLock

HOLDER = """
import sys, time
from pathlib import Path
from qverify_desktop.engine.lock import HomeLock
print(HomeLock(Path(sys.argv[1])).acquire(), flush=True)
time.sleep(60)
"""


def test_a_second_process_is_kept_out_until_the_first_is_killed(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "True\n"
        lock = HomeLock(tmp_path)
        assert not lock.acquire()
        assert lock.owner() == holder.pid
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert lock.acquire()
        assert lock.owner() == os.getpid()
        lock.release()
    finally:
        holder.kill()
        holder.wait()


def test_a_child_process_does_not_inherit_the_lock(tmp_path: Path) -> None:
    lock = HomeLock(tmp_path)
    assert lock.acquire() and lock.acquire()
    child = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=False,
    )
    try:
        assert child.stdout is not None and child.stdout.readline()
        lock.release()
        assert HomeLock(tmp_path).acquire()
    finally:
        child.kill()
        child.wait()


def test_a_folder_that_can_not_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MissingPrerequisite) as caught:
        HomeLock(tmp_path / "file" / "home").acquire()
    assert "QVERIFY_HOME" in caught.value.remedy and caught.value.exit_code == 3


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    home = tmp_path / "home"
    home.mkdir()
    (home / "owner.lock").symlink_to(victim)
    with pytest.raises(MissingPrerequisite):
        HomeLock(home).acquire()
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("answer", ["ENOLCK", "EOPNOTSUPP"])
def test_a_file_system_without_locks_is_said(tmp_path: Path, answer: str) -> None:
    """As a network folder answers whose server keeps no locks."""
    script = "import sys; from pathlib import Path; from qverify_desktop.engine.lock import HomeLock; HomeLock(Path(sys.argv[1])).acquire()"
    line = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", f"inject=flock:error={answer}"]
    done = subprocess.run(
        [*line, sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    told = done.stderr.strip().splitlines()[-1]
    assert f"MissingPrerequisite: The file system that holds the state folder {tmp_path} gives no locks" in told
    assert "QVERIFY_HOME" in told and "Nothing was changed" in told


def test_what_a_dead_process_left_in_the_file_is_no_lock(tmp_path: Path) -> None:
    (tmp_path / "owner.lock").write_text("1\n")
    lock = HomeLock(tmp_path)
    assert lock.owner() == 1 and lock.acquire() and lock.owner() == os.getpid()
    lock.release()
