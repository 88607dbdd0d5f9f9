"""Run a job's command outside a container, over repositories that are written in these tests only."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path

from qverify_desktop.domain.execution import Execution, Job, JobResult

INTERPRETER = os.environ.get("QV_TEST_PYTHON", sys.executable)


def run_job(job: Job, root: Path) -> JobResult:
    """Lay the overlay over ``root`` and run the command there."""
    for path, content in job.overlay.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    with tempfile.TemporaryDirectory() as out:
        environment = {
            "PATH": f"{Path(INTERPRETER).parent}:{os.environ['PATH']}",
            "HOME": out,
            "QV_OUT": out,
            "PYTHONDONTWRITEBYTECODE": "1",
            **job.env,
        }
        done = subprocess.run(
            [INTERPRETER, *job.argv[1:]],
            cwd=root, env=environment, capture_output=True, timeout=job.limits.timeout_s, check=False,
        )  # fmt: skip
        artefacts = {path.name: path.read_bytes() for path in Path(out).iterdir() if path.is_file()}
    execution = Execution(job.purpose, "", "", sysconfig.get_platform(), job.argv, done.returncode, 0)
    return JobResult(execution, (done.stdout + done.stderr).decode("utf-8", "replace"), artefacts)
