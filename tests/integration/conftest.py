"""A real Docker Engine, the real Python image, and after each test nothing left of it. For ``sandbox`` and ``hostile``."""

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from qverify_desktop.domain.execution import Job, JobResult, Limits, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import build_image, find_image, load_recipes, resources_root
from qverify_desktop.sandbox.owner import OWNER, Owner

RESOURCES = resources_root()
#: Small enough that filling it takes no time; the snapshot of these tests is tiny.
MIB = 1024 * 1024

Run = Callable[..., Coroutine[Any, Any, JobResult]]


@pytest.fixture(scope="session")
def client() -> Iterator[docker.APIClient]:
    client = docker.APIClient(version="auto")
    yield client
    client.close()


@pytest.fixture(scope="session")
def image(client: docker.APIClient) -> RuntimeImage:
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    found = find_image(client, recipe)
    return found if found.digest else build_image(client, recipe, print)


@pytest.fixture
def owner(tmp_path: Path, client: docker.APIClient) -> Iterator[Owner]:
    owner = Owner.of(tmp_path / "home")
    yield owner
    left = containers(client, owner)
    for container in left:
        client.remove_container(container["Id"], force=True)
    assert left == [], "a container was left behind"
    assert not owner.inbox.exists() or not list(owner.inbox.iterdir()), "an inbox folder was left behind"


@pytest.fixture
async def sandbox(owner: Owner) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(RESOURCES, owner)
    yield sandbox
    await sandbox.close()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir(mode=0o755)
    (folder / "module.py").write_text("VALUE = 42\n")
    return folder


@pytest.fixture
def python(sandbox: DockerSandbox, image: RuntimeImage, source: Path) -> Run:
    """Run Python code in the sandbox, under limits as given."""

    async def run(code: str, *, overlay: dict[str, bytes] | None = None, **limits: float) -> JobResult:
        job = Job(
            "test", ("python3", "-c", code), overlay=overlay or {}, limits=Limits(**({"timeout_s": 60} | limits))
        )
        return await sandbox.run(job, image, source, run="r-test")

    return run


@pytest.fixture
def shell(sandbox: DockerSandbox, image: RuntimeImage, source: Path) -> Run:
    """Run a shell line in the sandbox, under limits as given."""

    async def run(line: str, **limits: float) -> JobResult:
        job = Job("test", ("sh", "-c", line), limits=Limits(**({"timeout_s": 60} | limits)))
        return await sandbox.run(job, image, source, run="r-test")

    return run


def containers(client: docker.APIClient, owner: Owner) -> list[dict[str, Any]]:
    """Containers that carry the owner's label, running or not."""
    return client.containers(all=True, filters={"label": [f"{OWNER}={owner.id}"]})
