"""Ends that nobody asked for: cancellation in every phase, a dead owner, an engine that goes away."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import docker
import pytest

from qverify_desktop.domain.errors import SandboxFailure
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import DEADLINE, OWNER, Owner, Process
from qverify_desktop.sandbox.reaper import sweep
from tests.integration.conftest import RESOURCES, containers

pytestmark = pytest.mark.docker
SLEEP = Job("sleep", ("sleep", "600"), overlay={"a": b""})


async def until(condition: "object", seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not await asyncio.to_thread(condition):  # type: ignore[arg-type]
        assert time.monotonic() < deadline, "it never came"
        await asyncio.sleep(0.05)


async def test_cancellation_in_any_phase_leaves_no_container(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    for delay in (0, 0.01, 0.03, 0.06, 0.1, 0.15, 0.25, 0.4, 0.8):
        task = asyncio.create_task(sandbox.run(SLEEP, image, source, run="r"))
        await asyncio.sleep(delay)
        begun = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - begun < 15
        assert containers(client, owner) == [], f"cancelled after {delay} s"


async def test_cancelling_twice_and_while_queued(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    tasks = [asyncio.create_task(sandbox.run(SLEEP, image, source, run="r")) for _ in range(4)]
    await until(lambda: len(containers(client, owner)) == 3)
    for _ in range(3):
        for task in tasks:
            task.cancel()
        await asyncio.sleep(0.005)
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(end) for end in ended] == [asyncio.CancelledError] * 4
    assert containers(client, owner) == []
    short = await sandbox.run(Job("x", ("true",)), image, source, run="r")
    assert short.execution.exit_code == 0, "the slots are free again"


async def test_closing_kills_what_runs(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    task = asyncio.create_task(sandbox.run(SLEEP, image, source, run="r9"))
    await until(lambda: containers(client, owner))
    await sandbox.close()
    with pytest.raises(SandboxFailure, match="qverify resume r9"):
        await task
    assert containers(client, owner) == []


CHILD = """
import asyncio, sys
from pathlib import Path
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner
home, source, reference, digest = sys.argv[1:]
sandbox = DockerSandbox(Path(home), Owner.of(Path(home)))
job = Job("sleep", ("sleep", "600"), overlay={"a": b""})
asyncio.run(sandbox.run(job, RuntimeImage("python", reference, digest), Path(source), run="r"))
"""


async def test_what_a_killed_process_left_is_swept(
    sandbox: DockerSandbox, image: RuntimeImage, source: Path, owner: Owner, tmp_path: Path, client: docker.APIClient
) -> None:
    home = str(tmp_path / "home")
    child = subprocess.Popen([sys.executable, "-c", CHILD, home, str(source), image.reference, image.digest])
    try:
        await until(lambda: [one for one in containers(client, owner) if one["State"] == "running"])
        assert await sandbox.sweep() == 0, "its owner still lives"
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert len(containers(client, owner)) == 1
    assert await sandbox.sweep() == 1
    assert containers(client, owner) == []
    assert await sandbox.sweep() == 0


def test_the_reaper_keeps_to_its_own(image: RuntimeImage, owner: Owner, client: docker.APIClient) -> None:
    living = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    born = Path(f"/proc/{living.pid}/stat").read_text().rpartition(")")[2].split()[19]
    process = replace(Process.current(), pid=living.pid, born=born)
    future, past = str(int(time.monotonic()) + 600), str(int(time.monotonic()) - 1)
    labels = {
        "lives": {OWNER: owner.id, DEADLINE: future, **process.labels()},
        "overdue": {OWNER: owner.id, DEADLINE: past, **process.labels()},
        "earlier boot": {OWNER: owner.id, DEADLINE: future, **replace(process, boot="earlier").labels()},
        "nobody's": {OWNER: owner.id},
        "another's": {OWNER: owner.id + "x", DEADLINE: past},
        "no label": {},
    }
    made = {
        name: client.create_container(image.digest, ["true"], labels=words)["Id"] for name, words in labels.items()
    }
    try:
        assert sweep(client, owner) == 3
        left = {one["Id"] for one in client.containers(all=True)}
        assert {name for name, container in made.items() if container in left} == {"lives", "another's", "no label"}
    finally:
        for container in made.values():
            with contextlib.suppress(docker.errors.NotFound):
                client.remove_container(container, force=True)
        living.kill()
        living.wait()


class Cable:
    """Between the sandbox and the engine: a unix socket that passes bytes on until it is cut."""

    def __init__(self, path: Path, engine: str) -> None:
        self.url = f"unix://{path}"
        self._engine = engine
        self._whole = True
        self._frozen: set[int] = set()
        self._plugs: list[socket.socket] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                if not self._whole:
                    near.close()
                    continue
                far = socket.socket(socket.AF_UNIX)
                far.connect(self._engine)
                self._plugs += [near, far]
                threading.Thread(target=self._pass, args=(near, far), daemon=True).start()
                threading.Thread(target=self._pass, args=(far, near), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if source.fileno() in self._frozen:
                    return
                target.sendall(data)
            if source.fileno() in self._frozen:
                return
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def freeze(self) -> None:
        """From now on nothing comes through what is open already, and nobody is told."""
        self._frozen = {plug.fileno() for plug in self._plugs}

    def cut(self) -> None:
        self._whole = False
        for plug in self._plugs:
            with contextlib.suppress(OSError):
                plug.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self._whole = True

    def close(self) -> None:
        self.cut()
        for plug in [self._listener, *self._plugs]:
            plug.close()


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[Cable]:
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        pytest.fail("This test reaches the engine through a unix socket only.")
    cable = Cable(tmp_path / "cable.sock", host.removeprefix("unix://"))
    yield cable
    cable.close()


async def test_an_engine_that_goes_away_in_mid_run_is_said_and_swept_later(
    cable: Cable, image: RuntimeImage, source: Path, owner: Owner, client: docker.APIClient
) -> None:
    through = DockerSandbox(RESOURCES, owner, base_url=cable.url)
    assert await through.available() == ""
    task = asyncio.create_task(through.run(SLEEP, image, source, run="r11"))
    await until(lambda: [one for one in containers(client, owner) if one["State"] == "running"])
    cable.cut()
    with pytest.raises(SandboxFailure) as caught:
        await asyncio.wait_for(task, 20)
    assert "Docker stopped answering" in caught.value.sentence
    assert "Nothing that was recorded is lost." in caught.value.sentence
    assert caught.value.remedy.startswith("Start Docker") and "`qverify resume r11`" in caught.value.remedy
    assert await through.available() != ""
    assert len(containers(client, owner)) == 1
    cable.mend()
    again = await through.run(Job("again", ("true",)), image, source, run="r11")
    assert again.execution.exit_code == 0
    assert await through.sweep() == 1
    assert containers(client, owner) == []
    await through.close()
