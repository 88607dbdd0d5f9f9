"""Hostile code under bubblewrap; each test names the limit that stopped it. All run twice: with the control groups that this
machine allows, and with the limits of processes alone."""

import json
import os
import time
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from tests.integration.bubblewrap.conftest import MIB, RLIMITS_ONLY, Run

pytestmark = pytest.mark.docker


def by_group(sandbox: BubblewrapSandbox) -> bool:
    return sandbox._what_holds() is not RLIMITS_ONLY


async def test_the_limit_of_processes_stops_a_fork_bomb(python: Run, shell: Run) -> None:
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


async def test_the_limit_of_memory_stops_a_hog(python: Run, sandbox: BubblewrapSandbox) -> None:
    result = await python("x = bytearray(400 << 20); print('had', len(x))", memory_bytes=128 * MIB)
    assert "had 4" not in result.output
    if by_group(sandbox):
        assert result.execution.oom_killed
        assert result.execution.exit_code == 137
    else:
        assert "MemoryError" in result.output
        assert result.execution.exit_code == 1


async def test_a_child_killed_for_memory_shows_although_the_parent_ends_well(
    python: Run, sandbox: BubblewrapSandbox
) -> None:
    code = """
import os
if os.fork() == 0:
    x = bytearray(400 << 20)
print("child ended with", os.wait()[1])
"""
    result = await python(code, memory_bytes=128 * MIB)
    assert result.execution.exit_code == 0
    assert result.execution.oom_killed == by_group(sandbox)
    assert ("child ended with 9\n" in result.output) == by_group(sandbox)


@pytest.mark.parametrize("folder", ["/work", "/tmp", "/dev/shm"])
async def test_the_size_of_folders_in_memory_stops_a_disk_fill(shell: Run, folder: str) -> None:
    line = f"dd if=/dev/zero of={folder}/fill bs=1M 2>&1; ls -s --block-size=1M {folder}/fill"
    result = await shell(line, work_bytes=16 * MIB, tmp_bytes=16 * MIB)
    assert "No space left on device" in result.output
    assert int(result.output.splitlines()[-1].split()[0]) <= 64


async def test_no_other_place_can_be_written(python: Run, source: Path) -> None:
    code = """
import os
written = []
for folder, below, names in os.walk("/"):
    if folder == "/proc":
        below.clear()
        continue
    try:
        open(folder + "/new", "w").close()
        written.append(folder)
    except OSError:
        pass
    below[:] = [name for name in below if not os.path.islink(folder + "/" + name)]
print(sorted(w for w in written if not w.startswith(("/work", "/tmp"))))
"""
    result = await python(code, overlay={"a": b"1"})
    assert result.output == "['/dev/shm']\n"
    assert [path.name for path in source.iterdir()] == ["module.py"]


async def test_read_only_mounts_and_root_stop_writing(python: Run, source: Path) -> None:
    code = """
import errno
for path in ("/src/module.py", "/src/new", "/in/new", "/etc/passwd", "/usr/new", "/proc/sys/kernel/hostname", "/new",
             "/proc/sys/kernel/core_pattern", "/dev/new"):
    try:
        open(path, "w")
    except OSError as error:
        print(path, errno.errorcode[error.errno])
"""
    result = await python(code, overlay={"a": b"1"})
    refused = dict(line.split() for line in result.output.splitlines())
    assert len(refused) == 9
    assert set(refused.values()) <= {"EROFS", "EACCES"}
    assert refused["/src/module.py"] == refused["/src/new"] == refused["/in/new"] == "EROFS"
    assert (source / "module.py").read_text() == "VALUE = 42\n"


async def test_the_limit_of_file_size_stops_one_huge_file(shell: Run) -> None:
    result = await shell("dd if=/dev/zero of=/work/huge bs=1M count=20; echo $?; stat -c %s huge", file_bytes=2 * MIB)
    assert result.output.splitlines()[-1] == str(2 * MIB)
    assert result.output.splitlines()[-2] != "0"


async def test_the_output_cap_holds_a_flood(shell: Run) -> None:
    result = await shell("echo head; head -c 200000000 /dev/zero; echo tail", output_bytes=1000)
    assert result.execution.exit_code == 0
    assert result.execution.output_truncated
    assert result.output.startswith("head\n")
    assert result.output.endswith("tail\n")
    assert f"{200_000_010 - 1000} bytes left out" in result.output
    assert len(result.output) < 1100


async def test_the_time_limit_ends_a_flood(shell: Run) -> None:
    result = await shell("yes & yes & cat /dev/zero", timeout_s=1, flood_bytes=1 << 40)
    assert result.execution.timed_out
    assert result.execution.duration_ms < 12_000


async def test_the_time_limit_ends_a_sleeper(shell: Run) -> None:
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


async def test_there_is_no_network(python: Run) -> None:
    code = """
import errno, os, socket, time
print([line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]])
begun = time.monotonic()
for address in (("192.0.2.1", 80), ("169.254.169.254", 80)):
    try:
        socket.create_connection(address, timeout=10)
    except OSError as error:
        print(errno.errorcode[error.errno])
print(time.monotonic() - begun < 1)
server = socket.create_server(("127.0.0.1", 0))
socket.create_connection(server.getsockname(), timeout=10).close()
print("loopback")
"""
    result = await python(code)
    assert result.output.splitlines() == ["['lo']", "ENETUNREACH", "ENETUNREACH", "True", "loopback"]


async def test_nothing_of_the_host_is_seen(
    python: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image: RuntimeImage
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2")
    secret.chmod(0o644)
    monkeypatch.setenv("QVERIFY_TEST_SECRET", "hunter2")
    code = (
        f"secret = {str(secret)!r}"
        + """
import json, os, socket
def read(name):
    try:
        return open("/proc/" + name, "rb").read(1).decode()
    except PermissionError:
        return ""
print(json.dumps({
    "secret": os.path.exists(secret), "home": sorted(os.listdir("/home")), "root": os.access("/root", os.R_OK),
    "environment": dict(os.environ), "processes": sorted(int(n) for n in os.listdir("/proc") if n.isdigit()),
    "parents": [open(f"/proc/{n}/environ").read() for n in (2, os.getpid()) if os.access(f"/proc/{n}/environ", os.R_OK)],
    "hostname": socket.gethostname(), "files": sorted(os.listdir("/proc/self/fd")), "devices": sorted(os.listdir("/dev")),
    "hidden": [read(name) for name in ("keys", "timer_list", "kallsyms") if os.path.exists("/proc/" + name)],
    "sysfs": os.listdir("/sys"), "sockets": len(open("/proc/net/unix").read().splitlines()) - 1}))
"""
    )
    result = await python(code)
    facts = json.loads(result.output)
    assert (facts["secret"], facts["home"], facts["root"], facts["hostname"]) == (False, [], False, "sandbox")
    assert set(facts["environment"]) - {"LC_CTYPE"} == {
        "HOME", "QV_OUT", "LANG", "HOSTNAME", "PWD", "PATH", "PYTHONDONTWRITEBYTECODE"
    }  # fmt: skip
    assert facts["environment"]["HOME"] == "/tmp/home"
    assert facts["processes"][0] == 1 and len(facts["processes"]) <= 4
    assert "hunter2" not in result.output
    assert facts["files"] == ["0", "1", "2", "3"]
    assert not {"sda", "vda", "mem", "kmem", "kvm", "fuse"} & set(facts["devices"])
    assert facts["hidden"] and set(facts["hidden"]) == {""}
    assert facts["sysfs"] == [] and facts["sockets"] == 0


async def test_artefacts_that_are_no_regular_files_are_left_out(shell: Run) -> None:
    result = await shell("cd $QV_OUT; ln -s /etc/passwd link; mkfifo pipe; echo 1 >good; ln -s / rootlink")
    assert result.execution.exit_code == 0
    assert result.artefacts == {"good": b"1\n"}
    assert "was left out" in result.problem


async def test_the_pipe_of_artefacts_can_not_be_opened_again(python: Run) -> None:
    """Where the sandbox is made by root it is another user: the pipe is not its own. An ordinary user's is, and what is forged
    there is refused (``test_ordinary_user.py``)."""
    code = """
import errno, os
for number in os.listdir(f"/proc/{os.getppid()}/fd"):
    if os.readlink(f"/proc/{os.getppid()}/fd/{number}").startswith("pipe:"):
        try:
            os.write(os.open(f"/proc/{os.getppid()}/fd/{number}", os.O_WRONLY), b"forged")
        except OSError as error:
            print(errno.errorcode[error.errno])
"""
    result = await python(code)
    assert result.artefacts == {}
    if os.geteuid() == 0:
        assert set(result.output.split()) == {"EACCES"}
        assert result.problem == ""


@pytest.mark.parametrize("line", ["kill -9 $PPID", "kill -9 -1"])
async def test_killing_the_entry_is_only_a_problem(shell: Run, line: str) -> None:
    result = await shell(f"echo 1 >$QV_OUT/a; {line}")
    assert result.execution.exit_code == 137
    assert result.artefacts == {}
    assert result.problem == "The command was killed before its artefacts could be handed back."


async def test_killing_the_first_process_does_nothing(shell: Run) -> None:
    result = await shell("kill -9 1; kill -TERM 1; kill -STOP 1; sleep 0.2; echo still here")
    assert result.output == "still here\n"
    assert result.problem == ""


async def test_an_artefact_cap_discards_all(shell: Run) -> None:
    sparse = await shell("truncate -s 100M $QV_OUT/a", artefact_bytes=MIB)
    assert sparse.artefacts == {}
    assert f"more than {MIB} bytes" in sparse.problem


async def test_who_writes_without_end_is_killed_before_the_time_is_up(shell: Run) -> None:
    begun = time.monotonic()
    result = await shell("yes", flood_bytes=64 * MIB, timeout_s=60)
    assert result.problem == f"The command wrote more than {64 * MIB} bytes and was killed."
    assert (result.execution.exit_code, result.execution.timed_out) == (137, False)
    assert time.monotonic() - begun < 30
