"""Hostile code in the sandbox; each test names the limit that stopped it. (cgroup v1 and v2 alike.)"""

import json
import time
from pathlib import Path

import pytest

from tests.integration.sandbox.conftest import MIB, Run

pytestmark = pytest.mark.docker


async def test_pids_limit_stops_a_fork_bomb(python: Run, shell: Run) -> None:
    counted = await python(
        """
import os, time
children = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except BlockingIOError as error:
    print(children, error.strerror)
""",
        pids=40,
    )
    children, _, words = counted.output.partition(" ")
    assert 30 <= int(children) < 40
    assert words == "Resource temporarily unavailable\n"
    bombed = await shell("bomb() { bomb | bomb & }; bomb; sleep 0.5; echo survived", pids=40, timeout_s=5)
    assert bombed.execution.duration_ms < 15_000


async def test_memory_limit_stops_a_hog(python: Run) -> None:
    result = await python("x = bytearray(400 << 20); print('never')", memory_bytes=128 * MIB)
    assert result.execution.oom_killed
    assert result.execution.exit_code == 137
    assert "never" not in result.output


async def test_a_child_killed_for_memory_shows_although_the_parent_ends_well(python: Run) -> None:
    code = """
import os
if os.fork() == 0:
    x = bytearray(400 << 20)
print("child ended with", os.wait()[1])
"""
    result = await python(code, memory_bytes=128 * MIB)
    assert result.execution.exit_code == 0
    assert result.output == "child ended with 9\n"
    assert result.execution.oom_killed


@pytest.mark.parametrize("folder", ["/work", "/tmp"])
async def test_tmpfs_size_stops_a_disk_fill(shell: Run, folder: str) -> None:
    line = f"dd if=/dev/zero of={folder}/fill bs=1M 2>&1; ls -s --block-size=1M {folder}/fill"
    result = await shell(line, work_bytes=16 * MIB, tmp_bytes=16 * MIB)
    assert "No space left on device" in result.output
    assert int(result.output.splitlines()[-1].split()[0]) <= 16


async def test_fsize_limit_stops_one_huge_file(shell: Run) -> None:
    result = await shell("dd if=/dev/zero of=/work/huge bs=1M count=20; echo $?; stat -c %s huge", file_bytes=2 * MIB)
    assert result.output.splitlines()[-1] == str(2 * MIB)
    assert result.output.splitlines()[-2] != "0"


async def test_output_cap_holds_a_flood_of_a_gigabyte(shell: Run) -> None:
    result = await shell("echo head; head -c 1000000000 /dev/zero; echo tail", output_bytes=1000)
    assert result.execution.exit_code == 0
    assert result.execution.output_truncated
    assert result.output.startswith("head\n")
    assert result.output.endswith("tail\n")
    assert f"{1_000_000_010 - 1000} bytes left out" in result.output
    assert len(result.output) < 1100


async def test_time_limit_ends_a_flood_without_hanging_the_engine(shell: Run) -> None:
    result = await shell("yes & yes & cat /dev/zero", timeout_s=2)
    assert result.execution.timed_out
    assert result.execution.duration_ms < 12_000


async def test_time_limit_ends_a_sleeper(shell: Run) -> None:
    result = await shell("echo before; trap '' TERM INT HUP; sleep 600", timeout_s=1)
    assert result.execution.timed_out
    assert result.execution.exit_code == 137
    assert result.output == "before\n"
    assert result.problem == "The command ran into its time limit and was killed."
    assert 1000 <= result.execution.container_ms < 10_000


async def test_daemons_that_ignore_signals_and_keep_the_output_open_end_with_the_command(python: Run) -> None:
    code = """
import os, signal, time
for _ in range(7):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
                signal.signal(number, signal.SIG_IGN)
            while True:
                print("alive", flush=True)
                time.sleep(0.05)
        os._exit(0)
open(os.environ["QV_OUT"] + "/done", "w").write("1")
"""
    begun = time.monotonic()
    result = await python(code)
    assert time.monotonic() - begun < 15
    assert result.execution.exit_code == 0
    assert result.artefacts == {"done": b"1"}


async def test_network_none_leaves_only_the_loopback(python: Run) -> None:
    code = """
import errno, os, socket, time
print(os.listdir("/sys/class/net"))
begun = time.monotonic()
for address in (("192.0.2.1", 80), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, timeout=10)
    except OSError as error:
        print(errno.errorcode[error.errno])
print(time.monotonic() - begun < 1)
"""
    result = await python(code)
    assert result.output.splitlines() == ["['lo']", "ENETUNREACH", "ENETUNREACH", "True"]


async def test_read_only_mounts_and_root_stop_writing(python: Run, source: Path) -> None:
    code = """
import errno
for path in ("/src/module.py", "/src/new", "/etc/passwd", "/usr/new", "/proc/sys/kernel/hostname", "/new"):
    try:
        open(path, "w")
    except OSError as error:
        print(path, errno.errorcode[error.errno])
"""
    result = await python(code, overlay={"a": b"1"})
    refused = dict(line.split() for line in result.output.splitlines())
    assert len(refused) == 6
    assert set(refused.values()) <= {"EROFS", "EACCES"}
    assert refused["/src/module.py"] == refused["/src/new"] == "EROFS"
    assert [path.name for path in source.iterdir()] == ["module.py"]


async def test_user_capabilities_and_system_calls_are_dropped(python: Run) -> None:
    code = """
import ctypes, json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
libc = ctypes.CDLL(None, use_errno=True)
facts = {name: status[name].strip() for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp", "Uid")}
facts["unshare"] = libc.unshare(0x10000000)
facts["mount"] = libc.mount(b"none", b"/work", b"tmpfs", 0, None)
facts["root"] = any(os.stat(path).st_mode & 0o4000 and os.access(path, os.X_OK)
                    and os.spawnlp(os.P_WAIT, path, path, "-c", "true") == 0 for path in ("/bin/su",) if os.path.exists(path))
print(json.dumps(facts))
"""
    result = await python(code)
    facts = json.loads(result.output.splitlines()[-1])
    assert facts["CapEff"] == facts["CapPrm"] == facts["CapBnd"] == "0" * 16
    assert (facts["NoNewPrivs"], facts["Seccomp"]) == ("1", "2")
    assert facts["Uid"].split() == ["10001"] * 4
    assert (facts["unshare"], facts["mount"], facts["root"]) == (-1, -1, False)


async def test_artefacts_that_are_no_regular_files_are_left_out(shell: Run) -> None:
    result = await shell(
        "cd $QV_OUT; ln -s /etc/passwd link; mkfifo pipe; echo 1 >good; ln good second; ln -s / rootlink"
    )
    assert result.execution.exit_code == 0
    assert result.artefacts == {"good": b"1\n", "second": b"1\n"}
    assert "is a symbolic link and was left out" in result.problem or "is a FIFO" in result.problem


async def test_a_forged_archive_with_a_path_upwards_is_refused(python: Run) -> None:
    code = """
import io, os, signal, tarfile
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as tar:
    info = tarfile.TarInfo("../../evil")
    info.size = 4
    tar.addfile(info, io.BytesIO(b"evil"))
with open("/proc/1/fd/1", "wb") as stdout:
    stdout.write(buffer.getvalue())
os.kill(os.getppid(), signal.SIGKILL)
"""
    result = await python(code)
    assert result.artefacts == {}
    assert "unsafe name" in result.problem
    assert result.execution.exit_code == 137


async def test_noise_on_the_artefact_stream_is_a_problem(shell: Run) -> None:
    result = await shell("echo 1 >$QV_OUT/a; echo noise >/proc/1/fd/1")
    assert result.artefacts == {}
    assert result.problem


async def test_artefact_cap_discards_all(shell: Run) -> None:
    cap = 1 * MIB
    slightly = await shell(f"head -c {cap} /dev/zero >$QV_OUT/a; echo >$QV_OUT/b", artefact_bytes=cap)
    assert slightly.artefacts == {}
    assert "more than" in slightly.problem
    sparse = await shell("truncate -s 100M $QV_OUT/a", artefact_bytes=cap)
    assert sparse.artefacts == {}
    assert f"more than {cap} bytes" in sparse.problem


@pytest.mark.parametrize("line", ["kill -9 $PPID", "kill -TERM 1; sleep 5", "kill -9 -1"])
async def test_killing_parent_or_first_process_is_only_a_problem(shell: Run, line: str) -> None:
    result = await shell(f"echo 1 >$QV_OUT/a; {line}")
    assert result.execution.exit_code in (137, 143)
    assert result.artefacts == {}
    assert result.problem == "The command was killed before its artefacts could be handed back."


async def test_killing_the_init_process_does_nothing(shell: Run) -> None:
    result = await shell("kill -9 1; kill -STOP 1; sleep 0.2; echo still here")
    assert result.output == "still here\n"
    assert result.problem == ""


async def test_an_artefact_folder_turned_into_something_else_is_only_a_problem(shell: Run) -> None:
    result = await shell("rm -rf $QV_OUT; ln -s /nowhere $QV_OUT")
    assert result.execution.exit_code == 0
    assert result.artefacts == {}
