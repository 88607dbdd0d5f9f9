"""A connection that breaks off while a container waits for its job, or takes it: never a result of the job."""

import asyncio
import contextlib
import gc
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.errors import SandboxFailure
from qverify_desktop.domain.execution import Job, JobResult, Limits, RuntimeImage
from qverify_desktop.sandbox import container as container_module
from qverify_desktop.sandbox import entry
from qverify_desktop.sandbox.connection import Connections
from qverify_desktop.sandbox.container import Assignment, Container
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.parcel import framed, job_parcel
from qverify_desktop.sandbox.sources import Sources
from tests.integration.conftest import MIB, RESOURCES, containers
from tests.integration.sandbox.test_endings import SLEEP, Cable, cable, until

__all__ = ["cable"]
pytestmark = pytest.mark.docker


async def test_a_container_that_waits_ahead_and_loses_its_connection_gives_no_result(
    cable: Cable, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    through = DockerSandbox(RESOURCES, owner, 1, base_url=cable.url)
    tasks = [asyncio.create_task(through.run(SLEEP, image, source, run=f"r{n}")) for n in range(2)]
    await until(lambda: len([one for one in containers(client, owner) if one["State"] == "running"]) == 2)
    cable.cut()
    cable.mend()
    ended = await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
    assert not [end for end in ended if isinstance(end, JobResult)]
    assert all(isinstance(end, SandboxFailure) for end in ended), ended
    await through.sweep()
    await through.close()
    for left in containers(client, owner):
        client.remove_container(left["Id"], force=True)


@pytest.fixture
def connections() -> Iterator[Connections]:
    connections = Connections()
    yield connections
    connections.close()


JOB = Job("x", ("true",), overlay={"a": b"1", "b": bytes(5000)})
PARCEL = framed(job_parcel(JOB))
LINE = PARCEL.index(b"\n") + 1


@pytest.mark.parametrize("sent", [0, 1, LINE, LINE + 512, LINE + 1024, LINE + 5000, len(PARCEL) - 1])
def test_a_parcel_that_is_cut_off_anywhere_is_told_from_one_that_can_t_be_laid_out(
    connections: Connections, image: RuntimeImage, source: Path, owner: Owner, sent: int
) -> None:
    container = Container(connections, Assignment(owner, JOB, image, source, "r"), None)
    try:
        container.create()
        container.start()
        assert ends_with(connections, container, PARCEL[:sent]) == entry.NOT_DELIVERED
    finally:
        container.remove()


@pytest.mark.parametrize("size", [b"", b"30000\n" + bytes(20000), b"10240\n" + bytes(10240)])
def test_a_snapshot_that_is_cut_off_on_its_way_is_told_too(
    connections: Connections, image: RuntimeImage, source: Path, owner: Owner, size: bytes
) -> None:
    container = Container(connections, Assignment(owner, JOB, image, source, "r"), Sources(owner))
    try:
        container.create()
        connections.client().start(container.id)
        assert ends_with(connections, container, size) == entry.NOT_DELIVERED
    finally:
        container.remove()


def ends_with(connections: Connections, container: Container, sent: bytes) -> int:
    """The container's exit status after ``sent`` and the end of its input."""
    line = container._attached._sock
    # It may be gone before it took all.
    with contextlib.suppress(OSError):
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
    return int(connections.client().wait(container.id, timeout=30)["StatusCode"])


async def test_jobs_leave_no_open_descriptor(
    image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    """Sixty-four at a time, each with threads of its own, must stay far below the usual 1024."""
    sandbox = DockerSandbox(RESOURCES, owner)
    gc.disable()
    try:
        counts = []
        for number in range(6):
            await sandbox.run(Job("x", ("true",)), image, source, run="r")
            task = asyncio.create_task(sandbox.run(SLEEP, image, source, run="r"))
            await asyncio.sleep(0.1 * number)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            counts.append(len(os.listdir("/proc/self/fd")))
    finally:
        gc.enable()
    await sandbox.close()
    assert counts[-1] - counts[1] <= 4, counts


async def test_a_large_parcel_is_not_made_in_the_loop(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path
) -> None:
    gaps = [0.0]

    async def beat() -> None:
        while True:
            begun = time.monotonic()
            await asyncio.sleep(0.005)
            gaps.append(time.monotonic() - begun)

    beating = asyncio.create_task(beat())
    overlay = {f"tests/test_{number}.py": b"1" for number in range(30_000)}
    job = Job("x", ("true",), overlay=overlay)
    result = await sandbox.run(job, image, source, run="r")
    beating.cancel()
    assert result.problem == "", result.output
    # As long as it takes to make would the loop have stood still; beside a busy thread it waits for its turn now and then.
    begun = time.monotonic()
    job_parcel(job)
    assert max(gaps) < (time.monotonic() - begun) / 2


async def test_a_parcel_that_does_not_fit_is_said_at_once_though_the_engine_holds_the_connection(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path
) -> None:
    job = Job("x", ("true",), overlay={"a": bytes(3 * MIB)}, limits=Limits(tmp_bytes=MIB))
    for _ in range(4):
        begun = time.monotonic()
        result = await sandbox.run(job, image, source, run="r")
        assert result.execution.exit_code == entry.NOT_LAID_OUT
        assert "could not be laid out" in result.problem
        assert time.monotonic() - begun < 5


async def test_an_end_that_a_silent_network_kept_from_us_is_no_time_out(
    cable: Cable, image: RuntimeImage, source: Path, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_module, "DRAIN_TIMEOUT_S", 1.0)
    through = DockerSandbox(RESOURCES, owner, base_url=cable.url)
    job = Job("x", ("sleep", "2"), limits=Limits(timeout_s=4))
    running = asyncio.create_task(through.run(job, image, source, run="r"))
    await asyncio.sleep(1.5)
    cable.freeze()
    result = await running
    assert (result.execution.exit_code, result.execution.timed_out) == (0, False)
    assert result.problem == "The sandbox ended, but its output could not be read to the end."
    await through.close()
