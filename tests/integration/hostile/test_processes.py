"""Too many processes, processes that won't end, and processes that turn on those around the command."""

import asyncio
import time
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from tests.integration.conftest import Run, containers
from tests.integration.hostile.conftest import PROBE, Facts

pytestmark = pytest.mark.docker

SIGKILLED = 128 + 9
TIMED_OUT = "The command ran into its time limit and was killed."
KILLED = "The command was killed before its artefacts could be handed back."
#: Seconds in which a container is gone after its time limit. Measured 0.2 to 0.5 on a quiet machine; a busy one is slower.
KILL_S = 15


async def test_the_process_limit_stops_a_fork_bomb(facts: Facts, shell: Run) -> None:
    """Attack: fork until the machine is full. Limit: ``PidsLimit``; fork answers EAGAIN, and the time limit ends the rest."""
    counted = await facts(
        """
import errno, os, signal
from probe import hand_back
children = []
try:
    while (child := os.fork()):
        children.append(child)
    signal.pause()
except OSError as error:
    for child in children:
        os.kill(child, signal.SIGKILL)
    hand_back([len(children), errno.errorcode[error.errno]])
""",
        pids=40,
    )
    assert counted[1] == "EAGAIN"
    # Four are the init process, the entry's shell, the interpreter itself and the tar to come.
    assert 30 <= counted[0] < 40
    begun = time.monotonic()
    bombed = await shell("bomb() { bomb | bomb & }; bomb; sleep 600", pids=40, timeout_s=2)
    assert bombed.execution.exit_code in (SIGKILLED, 2)  # 2: the shell itself could not fork.
    assert time.monotonic() - begun < 2 + KILL_S


async def test_the_process_limit_counts_threads_too(facts: Facts) -> None:
    """Attack: threads instead of processes. Limit: ``PidsLimit`` counts tasks of either kind."""
    started = await facts(
        """
import threading
from probe import hand_back
stop, count = threading.Event(), 0
try:
    while count < 200:
        threading.Thread(target=stop.wait, daemon=True).start()
        count += 1
except RuntimeError as error:
    pass
stop.set()
hand_back(count)
""",
        pids=40,
    )
    assert 30 <= started < 40


async def test_the_processor_limit_holds_busy_loops_back(facts: Facts) -> None:
    """Attack: as many busy loops as there are processes. Limit: ``NanoCpus``: half a processor here, as the container's cgroup
    says (v1 ``cpu.cfs_quota_us``, v2 ``cpu.max``), which held the loops back (``nr_throttled``)."""
    quota, period, throttled = await facts(
        """
import os, time
from probe import hand_back
end = time.monotonic() + 1
for _ in range(4):
    if os.fork() == 0:
        while time.monotonic() < end:
            pass
        os._exit(0)
for _ in range(4):
    os.wait()
root = "/sys/fs/cgroup/cpu/" if os.path.exists("/sys/fs/cgroup/cpu") else "/sys/fs/cgroup/"
def read(name):
    return open(root + name).read().split()
share = read("cpu.max") if os.path.exists(root + "cpu.max") else read("cpu.cfs_quota_us") + read("cpu.cfs_period_us")
stat = read("cpu.stat")
hand_back([*share, int(stat[stat.index("nr_throttled") + 1])])
""",
        cpus=0.5,
    )
    assert int(quota) * 2 == int(period)
    assert throttled > 0


async def test_the_time_limit_ends_a_sleeper_that_ignores_signals(shell: Run) -> None:
    """Attack: outlast the run. Limit: the time-out; the container dies by SIGKILL, which nothing can ignore."""
    result = await shell("echo before; trap '' TERM INT HUP; sleep 600", timeout_s=1)
    assert (result.execution.timed_out, result.execution.exit_code) == (True, SIGKILLED)
    assert (result.output, result.problem) == ("before\n", TIMED_OUT)
    assert 1000 <= result.execution.container_ms < 1000 * (1 + KILL_S)


async def test_daemons_end_with_the_command(python: Run) -> None:
    """Attack: seven daemons in sessions of their own, deaf to signals, that hold the output open after the command's end.

    Limit: the container ends with its first process, and the kernel kills the whole PID namespace (pid_namespaces(7)).
    """
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
    assert time.monotonic() - begun < KILL_S
    assert (result.execution.exit_code, result.execution.timed_out) == (0, False)
    assert result.artefacts == {"done": b"1"}


async def test_the_time_limit_ends_daemons_too(python: Run) -> None:
    """Attack: the same daemons under a command that never ends, each with a stopped child. Limit: the time-out's kill."""
    code = """
import os, signal, time
for _ in range(7):
    if os.fork() == 0:
        os.setsid()
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        if (child := os.fork()) == 0:
            signal.pause()
        os.kill(child, signal.SIGSTOP)
        while True:
            time.sleep(1)
time.sleep(600)
"""
    begun = time.monotonic()
    result = await python(code, timeout_s=1)
    assert (result.execution.timed_out, result.execution.exit_code) == (True, SIGKILLED)
    assert time.monotonic() - begun < 1 + KILL_S


@pytest.mark.parametrize("line", ["kill -9 $PPID", "kill -TERM 1; sleep 5", "kill -9 -1"])
async def test_killing_the_entry_is_only_a_problem(shell: Run, line: str) -> None:
    """Attack: end the entry around the command, so that its ending can't be told. Limit: the result says "killed"."""
    result = await shell(f"echo 1 >$QV_OUT/a; {line}")
    assert result.execution.exit_code in (SIGKILLED, 128 + 15)
    assert (result.artefacts, result.problem) == ({}, KILLED)


async def test_killing_or_stopping_the_first_process_does_nothing(shell: Run) -> None:
    """Attack: kill or stop process 1. Limit: the kernel shields the first process of a PID namespace from within."""
    result = await shell("kill -9 1; kill -STOP 1; sleep 0.2; echo still here")
    assert (result.output, result.problem) == ("still here\n", "")


async def test_holding_the_first_process_as_a_debugger_only_runs_into_the_time_limit(python: Run) -> None:
    """Attack: ``ptrace`` of process 1, which has the same user, so that the container would never end.

    What remains: the sandbox's own first process may be held and read, as all of its user may; there is nothing of the
    host in it. Limit: the time-out's kill, which a debugger can't hold back.
    """
    code = """
import os, time
from probe import PTRACE_ATTACH, system_call
print(system_call("ptrace", PTRACE_ATTACH, 1, 0, 0), flush=True)
time.sleep(0.3)
"""
    result = await python(code, overlay={"probe.py": PROBE}, timeout_s=2)
    if result.output == "EPERM\n":
        # The host's kernel (Yama's ptrace_scope) or the engine's filter refuses it already.
        assert result.problem == ""
        return
    assert result.output == "allowed\n"
    assert (result.execution.timed_out, result.problem) == (True, TIMED_OUT)


async def test_the_kill_does_not_hang_on_a_flood_of_output(shell: Run) -> None:
    """Attack: write as fast as possible, so that the engine hangs in its kill. Limit: the reader never stops reading."""
    result = await shell("yes & yes & cat /dev/zero", timeout_s=1, flood_bytes=1 << 40)
    assert (result.execution.timed_out, result.execution.exit_code) == (True, SIGKILLED)
    assert result.execution.output_truncated
    assert result.execution.duration_ms < 1000 * (1 + KILL_S)


async def test_cancelling_does_not_hang_on_a_flood_of_output(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    """Attack: the same flood while a person cancels. Limit: the kill goes over a connection of its own."""
    job = Job("flood", ("sh", "-c", "yes & cat /dev/zero"), limits=Limits(timeout_s=60, flood_bytes=1 << 40))
    running = asyncio.create_task(sandbox.run(job, image, source, run="r-test"))
    while not [one for one in await asyncio.to_thread(containers, client, owner) if one["State"] == "running"]:
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)
    begun = time.monotonic()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert time.monotonic() - begun < KILL_S
