"""The whole process dies with eight jobs at work and one container ahead: what it leaves is gone soon after the next start."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
from tests.integration.conftest import RESOURCES, containers

pytestmark = pytest.mark.docker

CHILD = """
import asyncio, sys
from pathlib import Path
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
home, source, reference, digest = sys.argv[1:]
sandbox = DockerSandbox(Path(home), Owner.of(Path(home)), 8)
job = Job("sleep", ("sh", "-c", "trap '' TERM; (setsid sleep 600 &); sleep 600"))
async def main():
    await asyncio.gather(*(sandbox.run(job, RuntimeImage("python", reference, digest), Path(source), run="r")
                           for _ in range(10)))
asyncio.run(main())
"""


async def test_what_a_killed_process_left_is_gone_within_ten_seconds(
    image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient, tmp_path: Path
) -> None:
    command = [sys.executable, "-c", CHILD, str(tmp_path / "home"), str(source), image.reference, image.digest]
    child = subprocess.Popen(command)
    try:
        until = time.monotonic() + 60
        while len([one for one in containers(client, owner) if one["State"] == "running"]) < 9:
            assert child.poll() is None and time.monotonic() < until
            await asyncio.sleep(0.1)
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
    sandbox = DockerSandbox(RESOURCES, owner)
    begun = time.monotonic()
    removed = await sandbox.sweep()
    took = time.monotonic() - begun
    assert removed == 9
    assert containers(client, owner) == []
    assert took < 10
    await sandbox.close()
