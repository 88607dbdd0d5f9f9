"""The real sandbox and the real Python image."""

from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import resources_root
from qverify_desktop.sandbox.owner import Owner

RunJob = Callable[[Job, Path], Coroutine[Any, Any, JobResult]]


@pytest.fixture
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(resources_root(), Owner.of(tmp_path_factory.mktemp("home")))
    yield sandbox
    await sandbox.close()


@pytest.fixture
def in_container(sandbox: DockerSandbox) -> RunJob:
    """Run a job over a folder in a container of its own."""

    async def run(job: Job, source: Path) -> JobResult:
        image = await sandbox.image("python")
        source.chmod(0o755)
        return await sandbox.run(job, image, source, run="r-test")

    return run


#: Repositories that are analysed, whose tests are not ours.
collect_ignore_glob = ["samples/*"]
