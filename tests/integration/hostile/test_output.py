"""A command that writes more than anybody wants to read, or what a reader could trip over."""

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import MIB
from tests.integration.conftest import Run

pytestmark = pytest.mark.docker

GIGABYTE = 1_000_000_000
#: Bytes by which this process may grow meanwhile: buffers of the sockets, not what was written.
GROWTH = 100 * MIB


@contextlib.asynccontextmanager
async def no_growth() -> AsyncIterator[None]:
    """Watches this process's resident memory (proc(5), ``statm`` field 2, pages) while the body runs."""
    sizes = [resident()]

    async def watch() -> None:
        while True:
            await asyncio.sleep(0.05)
            sizes.append(resident())

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    assert len(sizes) > 3, "it was not watched"
    assert max(sizes) - sizes[0] < GROWTH


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_gigabyte_of_output_is_counted_and_not_kept(shell: Run) -> None:
    """Attack: fill this process's memory through the output. Limit: ``output_bytes``; head and tail stay, the rest is counted,
    and the engine keeps no log of it."""
    async with no_growth():
        result = await shell(f"echo head; head -c {GIGABYTE} /dev/zero; echo tail", output_bytes=1000)
    assert (result.execution.exit_code, result.execution.output_truncated) == (0, True)
    assert result.output.startswith("head\n") and result.output.endswith("tail\n")
    assert f"{GIGABYTE + 10 - 1000} bytes left out" in result.output
    assert len(result.output) < 1100


async def test_who_writes_without_end_is_killed_before_the_time_is_up(shell: Run) -> None:
    """Attack: write for as long as the time limit lets. Limit: ``flood_bytes``, after which the container is killed."""
    begun = time.monotonic()
    result = await shell("yes", flood_bytes=64 * MIB, timeout_s=120)
    assert result.problem == f"The command wrote more than {64 * MIB} bytes and was killed."
    assert (result.execution.exit_code, result.execution.timed_out) == (137, False)
    assert time.monotonic() - begun < 60


async def test_a_flood_of_artefacts_is_counted_and_not_kept(shell: Run) -> None:
    """Attack: the same through the stream of artefacts, past the entry. Limit: ``artefact_bytes``; beyond it nothing is kept."""
    cap = 1 * MIB
    async with no_growth():
        result = await shell("head -c 600000000 /dev/zero >/proc/1/fd/1", artefact_bytes=cap)
    assert (result.artefacts, result.problem) == ({}, f"The artefacts hold more than {cap} bytes, so none was taken.")


async def test_the_command_s_output_can_t_forge_frames_or_artefacts(python: Run) -> None:
    """Attack: write what looks like the engine's frames, the entry's greeting or an archive. Limit: the engine frames each
    stream by length, so that the payload is only ever text of that stream."""
    code = r"""
import os, sys
frame = b"\x01\0\0\0\0\0\0\x05hello"
for handle in (1, 2):
    os.write(handle, frame + b"qverify-ready\n" + bytes(1024) + b"\xff\xfe\x1b]0;title\x07\r\n")
open(os.environ["QV_OUT"] + "/good", "w").write("1")
"""
    result = await python(code)
    assert (result.artefacts, result.problem) == ({"good": b"1"}, "")
    assert result.output.count("hello") == result.output.count("qverify-ready\n") == 2
    assert "\ufffd" in result.output, "bytes that are not UTF-8 are shown as such"


async def test_closing_the_output_ends_nothing_early(python: Run) -> None:
    """Attack: close every handle at once, so that the reader sees an end before the command's. Limit: the engine's word on the
    container's end counts, not the stream's."""
    code = """
import os, time
os.closerange(0, 256)
time.sleep(0.5)
os.close(os.open(os.environ["QV_OUT"] + "/late", os.O_CREAT | os.O_WRONLY))
os._exit(3)
"""
    result = await python(code)
    assert (result.execution.exit_code, result.artefacts) == (3, {"late": b""})
    assert result.execution.container_ms >= 500


async def test_a_command_waits_for_no_input(shell: Run) -> None:
    """Attack: ask for something and wait. Limit: standard input is ``/dev/null`` and no terminal is attached."""
    result = await shell("read answer; echo $?; cat; tty; echo x >/dev/tty", timeout_s=20)
    assert result.output.splitlines()[:2] == ["1", "not a tty"]
    assert "No such device or address" in result.output
    assert not result.execution.timed_out
