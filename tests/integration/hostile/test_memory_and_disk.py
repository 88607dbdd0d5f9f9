"""More memory, more bytes, more files than a job is given. Small limits, so that filling them takes no time.

These machines have cgroup v1. Under cgroup v2 the same limit may kill the whole group at once (``memory.oom.group``) and the
engine learns of it another way; the cases below hold there by their words, but that path can't be seen here.
"""

import pytest

from tests.integration.conftest import MIB, Run
from tests.integration.hostile.conftest import Facts

pytestmark = pytest.mark.docker

SIGKILLED = 128 + 9


async def test_the_memory_limit_stops_a_hog(python: Run) -> None:
    """Attack: 400 MiB under a limit of 128. Limit: ``Memory``; the kernel kills it and the engine says so."""
    result = await python("x = bytearray(400 << 20); print('never')", memory_bytes=128 * MIB)
    assert (result.execution.oom_killed, result.execution.exit_code) == (True, SIGKILLED)
    assert "never" not in result.output


async def test_there_is_no_swap_beyond_the_memory_limit(facts: Facts) -> None:
    """Attack: spill into the host's swap. Limit: ``MemorySwap`` equals ``Memory``, read from the container's own cgroup.

    Under cgroup v2 the number is ``memory.swap.max`` = 0, under v1 without swap accounting there is no such file.
    """
    found = await facts(
        """
import os
from probe import hand_back
def number(path):
    return int(open(path).read()) if os.path.exists(path) else None
root = "/sys/fs/cgroup"
hand_back({"v1": [number(root + "/memory/memory.limit_in_bytes"), number(root + "/memory/memory.memsw.limit_in_bytes")],
           "v2": number(root + "/memory.swap.max")})
""",
        memory_bytes=128 * MIB,
    )
    assert found in (
        {"v1": [128 * MIB, 128 * MIB], "v2": None},
        {"v1": [128 * MIB, None], "v2": None},
        {"v1": [None, None], "v2": 0},
    )


async def test_a_child_killed_for_memory_shows_although_the_parent_ends_well(python: Run) -> None:
    """Attack: lose a child to the memory limit and end with status 0. Limit: ``Memory``; the result still says ``oom_killed``."""
    code = """
import os
if os.fork() == 0:
    x = bytearray(400 << 20)
print("child ended with", os.wait()[1])
"""
    result = await python(code, memory_bytes=128 * MIB)
    assert (result.execution.exit_code, result.output) == (0, "child ended with 9\n")
    assert result.execution.oom_killed
    assert "used too much memory, so its good end is not believed" in result.problem


@pytest.mark.parametrize("folder", ["/work", "/tmp", "/dev/shm"])
async def test_the_size_of_each_folder_in_memory_stops_a_disk_fill(shell: Run, folder: str) -> None:
    """Attack: write until the disk is full. Limit: the size of the tmpfs (``ENOSPC``); no other folder takes a byte."""
    most = 64 if folder == "/dev/shm" else 16
    line = f"dd if=/dev/zero of={folder}/fill bs=1M; ls -s --block-size=1M {folder}/fill; rm {folder}/fill"
    result = await shell(line, work_bytes=16 * MIB, tmp_bytes=16 * MIB)
    assert "No space left on device" in result.output
    assert int(result.output.splitlines()[-1].split()[0]) <= most
    assert not result.execution.oom_killed


async def test_nothing_else_can_be_written(facts: Facts) -> None:
    """Attack: find a place outside of the three folders in memory. Limit: read-only root, and a user who owns nothing."""
    found = await facts(
        """
import os
from probe import hand_back
writable = []
for folder, folders, files in os.walk("/"):
    if folder in ("/proc", "/work", "/tmp", "/dev/shm"):
        folders.clear()
        continue
    try:
        os.close(os.open(folder + "/qv-new", os.O_CREAT | os.O_WRONLY))
        writable.append(folder)
    except OSError:
        pass
hand_back(writable)
"""
    )
    assert found == ["/dev/mqueue"]


@pytest.mark.parametrize("folder", ["/work", "/tmp"])
async def test_the_number_of_files_is_limited(facts: Facts, folder: str) -> None:
    """Attack: empty files without end, which the size of a tmpfs does not count. Limit: its ``nr_inodes`` (``ENOSPC``)."""
    count, refused, free = await facts(
        f"""
import os
from probe import attempt, hand_back
count, folder = 0, "{folder}/many"
os.mkdir(folder)
while (refused := attempt(lambda: os.close(os.open(f"{{folder}}/{{count}}", os.O_CREAT | os.O_WRONLY)))) == "allowed":
    count += 1
free = os.statvfs("{folder}").f_bavail
for number in range(count):
    os.unlink(f"{{folder}}/{{number}}")
hand_back([count, refused, free])
""",
        work_bytes=16 * MIB,
        tmp_bytes=16 * MIB,
        timeout_s=30,
    )
    assert refused == "ENOSPC"
    assert 16 * MIB / 4096 <= count < 16 * MIB / 1024
    assert free > 0, "it was the bytes that ended, not the files"


async def test_the_memory_limit_holds_files_where_no_number_does(python: Run) -> None:
    """Attack: empty files in ``/dev/shm``, whose number the engine does not limit. Limit: ``Memory``: the kernel counts
    an inode as memory of the container."""
    code = """
import os
for number in range(10_000_000):
    os.close(os.open(f"/dev/shm/{number}", os.O_CREAT | os.O_WRONLY))
"""
    result = await python(code, memory_bytes=48 * MIB, timeout_s=60)
    assert (result.execution.oom_killed, result.execution.timed_out) == (True, False)
    assert result.execution.exit_code == SIGKILLED


async def test_one_huge_file_is_stopped(shell: Run) -> None:
    """Attack: one endless file. Limit: the resource limit ``fsize`` (SIGXFSZ or ``EFBIG``)."""
    result = await shell("dd if=/dev/zero of=/work/huge bs=1M count=20; echo $?; stat -c %s huge", file_bytes=2 * MIB)
    status, size = result.output.splitlines()[-2:]
    assert size == str(2 * MIB)
    assert status in ("1", "153"), "EFBIG, or 128 + SIGXFSZ"
