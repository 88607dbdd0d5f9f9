"""Hostile code in real containers, and after each case nothing of it left on the machine.

The fixtures of ``tests/integration/conftest.py`` run the code; what is added here looks for what it left behind.
"""

import json
import re
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from qverify_desktop.sandbox.limits import USER
from qverify_desktop.sandbox.owner import Owner
from tests.integration.conftest import Run, containers

PROBE = (Path(__file__).parent / "probe.py").read_bytes()
#: Seconds in which what other people's containers leave for a moment is gone again.
PATIENCE_S = 10
_CONTAINER = re.compile(r"/([0-9a-f]{64})\b")

Facts = Callable[..., Coroutine[Any, Any, Any]]


@pytest.fixture(autouse=True)
def nothing_left(
    client: docker.APIClient, owner: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """No container, volume, network, process, temporary file or inbox folder outlives a case."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    before = volumes_and_networks(client)
    yield
    assert containers(client, owner) == []
    assert list(temporary.iterdir()) == []
    assert [path for path in owner.inbox.parent.rglob("*") if path != owner.inbox] == []
    # The engine is shared: what others make has a moment to go away.
    deadline = time.monotonic() + PATIENCE_S
    while (left := (volumes_and_networks(client) - before) | orphans(client)) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert left == set()


def volumes_and_networks(client: docker.APIClient) -> set[str]:
    """Every volume of the engine that no container uses, and every network."""
    volumes = client.volumes(filters={"dangling": True})["Volumes"] or []
    return {f"volume {one['Name']}" for one in volumes} | {f"network {one['Id']}" for one in client.networks()}


def orphans(client: docker.APIClient) -> set[str]:
    """Processes of the sandbox's user in a container that is gone (empty where the engine is on another machine)."""
    processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == USER and (named := _CONTAINER.search((folder / "cgroup").read_text())):
                processes[f"process {folder.name}"] = named[1]
        except OSError:
            continue
    living = {one["Id"] for one in client.containers(all=True)} if processes else set()
    return {process for process, container in processes.items() if container not in living and alive(process)}


def alive(process: str) -> bool:
    """Whether it did not end while it was looked at."""
    return Path("/proc", process.removeprefix("process ")).exists()


@pytest.fixture
def facts(python: Run) -> Facts:
    """Run hostile Python that may import ``probe`` and answer what it hands back; the job itself must end well."""

    async def run(code: str, **limits: float) -> Any:
        result = await python(code, overlay={"probe.py": PROBE}, **limits)
        assert (result.execution.exit_code, result.problem) == (0, ""), result.output
        return json.loads(result.artefacts["facts.json"])

    return run
