"""Real bubblewrap over the root file system of the real Python image, and after each test nothing left of it."""

import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from qverify_desktop.domain.execution import Job, JobResult, Limits, RuntimeImage
from qverify_desktop.sandbox import cgroups
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.bubblewrap_command import Held, kernel_version
from qverify_desktop.sandbox.images import build_image, find_image, load_recipes, resources_root
from qverify_desktop.sandbox.owner import Owner
from qverify_desktop.sandbox.roots import import_root

RESOURCES = resources_root()
MIB = 1024 * 1024
#: As on a machine where a person may make no control group: resource limits of processes are all there is.
RLIMITS_ONLY = Held(cgroups.Places(0, {}), kernel_version())

Run = Callable[..., Coroutine[Any, Any, JobResult]]


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder of its own, closed to everybody else like a real one, with the Python root file system in it."""
    home = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    (recipe,) = (recipe for recipe in load_recipes(RESOURCES) if recipe.runtime == "python")
    client = docker.APIClient(version="auto")
    try:
        if not find_image(client, recipe).digest:
            build_image(client, recipe, print)
        import_root(recipe.reference, "python", Owner.of(home).inbox.parent / "roots", client=client)
    finally:
        client.close()
    return home


@pytest.fixture
def owner(home: Path) -> Iterator[Owner]:
    owner = Owner.of(home)
    yield owner
    assert sandboxes() == [], "a sandbox was left behind"
    assert list(cgroups.leftover(cgroups.find_places())) == [], "a control group was left behind"
    assert not owner.inbox.exists() or not list(owner.inbox.iterdir()), "an inbox folder was left behind"


@pytest.fixture(params=["machine", "rlimits"])
async def sandbox(owner: Owner, request: pytest.FixtureRequest) -> AsyncIterator[BubblewrapSandbox]:
    """Once with what this machine allows, once with the limits of processes only."""
    sandbox = BubblewrapSandbox(RESOURCES, owner, held=RLIMITS_ONLY if request.param == "rlimits" else None)
    yield sandbox
    await sandbox.close()


@pytest.fixture
def image(sandbox: BubblewrapSandbox) -> RuntimeImage:
    found = sandbox.find("python")
    assert found is not None
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    folder = tmp_path / "source"
    folder.mkdir(mode=0o755)
    (folder / "module.py").write_text("VALUE = 42\n")
    return folder


@pytest.fixture
def python(sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path) -> Run:
    """Run Python code in the sandbox, under limits as given."""

    async def run(code: str, *, overlay: dict[str, bytes] | None = None, **limits: int) -> JobResult:
        job = Job(
            "test", ("python3", "-c", code), overlay=overlay or {}, limits=Limits(**({"timeout_s": 60} | limits))
        )
        return await sandbox.run(job, image, source, run="r-test")

    return run


@pytest.fixture
def shell(sandbox: BubblewrapSandbox, image: RuntimeImage, source: Path) -> Run:
    """Run a shell line in the sandbox, under limits as given."""

    async def run(line: str, **limits: int) -> JobResult:
        job = Job("test", ("sh", "-c", line), limits=Limits(**({"timeout_s": 60} | limits)))
        return await sandbox.run(job, image, source, run="r-test")

    return run


def sandboxes() -> list[int]:
    """Processes of this machine that are children of this one and began as a sandbox."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if b"qverify-sandbox" in words or (words[0].endswith(b"bwrap") and int(parent) == os.getpid()):
            found.append(int(folder.name))
    return found
