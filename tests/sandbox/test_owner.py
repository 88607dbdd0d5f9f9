import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from qverify_desktop.sandbox.owner import Owner, Process
from qverify_desktop.sandbox.reaper import inbox_name, sweep_inbox


def process_of(child: "subprocess.Popen[bytes]") -> Process:
    current = Process.current()
    fields = Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()
    return replace(current, pid=child.pid, born=fields[19])


def sleeper() -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])


def test_an_owner_is_the_same_at_every_start_and_differs_by_folder(tmp_path: Path) -> None:
    assert Owner.of(tmp_path / "a") == Owner.of(tmp_path / "b" / ".." / "a")
    assert Owner.of(tmp_path / "a").id != Owner.of(tmp_path / "b").id
    assert str(tmp_path) not in Owner.of(tmp_path / "a").id
    assert Owner.of(tmp_path / "a").inbox.is_relative_to(tmp_path / "a")


def test_this_process_lives_and_reads_back_from_its_labels() -> None:
    current = Process.current()
    assert current.alive()
    assert Process.from_labels(current.labels()) == current
    assert Process.from_labels({}) is None
    assert Process.from_labels({"qverify.pid": "not a number"}) is None


def test_a_process_dies_with_its_end_its_boot_or_its_number_given_away() -> None:
    child = sleeper()
    try:
        process = process_of(child)
        assert process.alive()
        assert not replace(process, boot="another boot").alive()
        assert not replace(process, born="1").alive()
        child.send_signal(signal.SIGKILL)
        # A zombie, not yet waited for, is dead as well.
        deadline = time.monotonic() + 5
        while process.alive() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not process.alive()
    finally:
        child.kill()
        child.wait()
    assert not process.alive()
    assert not replace(Process.current(), born="1").alive()


def test_inbox_folders_of_the_dead_are_swept_and_those_of_the_living_stay(tmp_path: Path) -> None:
    owner = Owner.of(tmp_path)
    alive = owner.inbox / inbox_name(Process.current(), "1")
    dead = owner.inbox / inbox_name(replace(Process.current(), born="1"), "2")
    unknown = owner.inbox / "whatever"
    outside = tmp_path / "precious"
    for folder in (alive, dead, unknown, outside):
        folder.mkdir(parents=True)
        (folder / "file").write_text("x")
    (dead / "link").symlink_to(outside)
    assert sweep_inbox(owner) == 2
    assert os.listdir(owner.inbox) == [alive.name]
    assert (outside / "file").exists()


def test_no_inbox_is_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep_inbox(Owner.of(tmp_path / "never")) == 0
