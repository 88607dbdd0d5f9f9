"""One of the five repetitions has little of the processors' time, and only that one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from qverify_desktop.analysis.judge import THROTTLED, VARIATIONS, run_batch
from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import StepContext
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.project import Snapshot
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin, Status
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner

pytestmark = pytest.mark.docker

#: What the container says of itself (cgroup v1 and v2): processors' time it may use.
QUOTA = """def test_quota():
    try:
        quota, period = open("/sys/fs/cgroup/cpu.max").read().split()
    except OSError:
        quota = open("/sys/fs/cgroup/cpu/cpu.cfs_quota_us").read()
        period = open("/sys/fs/cgroup/cpu/cpu.cfs_period_us").read()
    assert int(quota) / int(period) == LIMIT"""


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(resources_root(), Owner.of(tmp_path))
    yield sandbox
    await sandbox.close()


async def test_the_last_repetition_is_throttled(sandbox: DockerSandbox, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir(mode=0o755)
    (source / "module.py").write_text("VALUE = 42\n")
    language = PythonLanguage()
    snapshot = Snapshot("origin", "name", str(source), "0" * 40, files=("module.py",))
    project = language.detect(snapshot)
    assert project is not None
    services: Services = SimpleNamespace(sandbox=sandbox)  # type: ignore[assignment]
    context = StepContext("r-test", services, await sandbox.image("python"), source, None)
    code = QUOTA.replace("LIMIT", str(THROTTLED))
    test = GeneratedTest("tests/test_qv.py", "test_quota", code, "module.py::f", Label.SPECIFICATION, Origin.PROMISE)
    states = []
    for variation in VARIATIONS:
        (tried,) = (await run_batch(context, language, project, [test], variation, coverage=False)).tried
        states.append(tried.outcomes[0].status)
    assert states == [Status.FAILED] * 4 + [Status.PASSED]
