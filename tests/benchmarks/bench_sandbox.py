"""What the sandbox costs, each against plain ``docker run --rm`` with the same flags in the same run.

    python -m tests.benchmarks.bench_sandbox [--repeat N] [--write FILE]

Four figures: a container from nothing (goal: ratio 1.05), a container that was started before its job's turn (goal: 0.35),
eight at a time, and mutants of a small Python module (goal: 400 a minute). Every kind takes its turn in each round, so that
a busy machine slows all alike. The sandbox also lays out a snapshot, captures the output and takes the artefacts back.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import platform
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import docker

from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.domain.testing import MutantStatus
from qverify_desktop.languages.mutation_report import read_mutation
from qverify_desktop.languages.python.detection import detect, find_targets
from qverify_desktop.languages.python.mutation import mutants
from qverify_desktop.languages.python.mutation_run import mutation_job
from qverify_desktop.sandbox.connection import Connections
from qverify_desktop.sandbox.container import Assignment
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.flight import Flight
from qverify_desktop.sandbox.images import resources_root
from qverify_desktop.sandbox.limits import OPEN_FILES, SHM_BYTES, USER
from qverify_desktop.sandbox.owner import Owner
from tests.languages.python.repositories import snapshot_of

COLD_GOAL = 1.05
READY_GOAL = 0.35
MUTANTS_GOAL = 400
SIDE_BY_SIDE = 8
LIMITS = Limits()
JOB = Job("bench", ("true",), limits=LIMITS)
#: Seconds that a prepared container has to lay out its work folder before its job comes.
LAID_OUT_S = 0.3

FUNCTION = "def f{0}(a, b):\n    if a > {0} and b < 9:\n        return a + b * 2\n    return a - b or '{0}'\n\n\n"
TEST = "def test_{0}():\n    assert m.f{0}({1}, 2) == {2}\n    assert m.f{0}(-1, 2) == -3\n\n\n"


@dataclass
class Times:
    """Milliseconds of each round, by kind."""

    plain: list[float] = field(default_factory=list)
    cold: list[float] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    plain_together: list[float] = field(default_factory=list)
    together: list[float] = field(default_factory=list)
    mutants_a_minute: list[float] = field(default_factory=list)


def plain_command(image: RuntimeImage, source: Path) -> list[str]:
    """``docker run`` with the sandbox's flags and nothing around the command."""
    tmpfs = "rw,nosuid,nodev,exec,size={},uid=10001,gid=10001,mode=0700"
    return [
        "docker", "run", "--rm", "--init", "--network", "none", "--read-only", "--user", f"{USER}:{USER}",
        "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", str(LIMITS.pids),
        "--memory", str(LIMITS.memory_bytes), "--memory-swap", str(LIMITS.memory_bytes), "--cpus", str(LIMITS.cpus),
        "--shm-size", str(SHM_BYTES), "--ulimit", f"nofile={OPEN_FILES}:{OPEN_FILES}", "--ulimit", "core=0",
        "--ulimit", f"fsize={LIMITS.file_bytes}", "--ipc", "private", "--log-driver", "none",
        "--tmpfs", "/tmp:" + tmpfs.format(LIMITS.tmp_bytes), "--tmpfs", "/work:" + tmpfs.format(LIMITS.work_bytes),
        "-v", f"{source}:/src:ro", "-e", "HOME=/tmp/home", "-w", "/work", image.digest, "true",
    ]  # fmt: skip


async def _plain(command: list[str]) -> None:
    await asyncio.to_thread(subprocess.run, command, check=True, stdin=subprocess.DEVNULL)


async def _ready(image: RuntimeImage, source: Path, owner: Owner, connections: Connections) -> float:
    flight = Flight(connections, Assignment(owner, JOB, image, source, "bench"))
    try:
        await asyncio.to_thread(flight.prepare)
        await asyncio.sleep(LAID_OUT_S)
        begun = time.perf_counter()
        result = await asyncio.to_thread(flight.perform)
        ended = time.perf_counter()
    finally:
        flight.land()
    if result.execution.exit_code or result.problem:
        raise SystemExit(f"The job did not run: {result.problem or result.output}")
    return (ended - begun) * 1000


async def _mutants_a_minute(sandbox: DockerSandbox, image: RuntimeImage, folder: Path) -> float:
    files = {
        "pkg/__init__.py": "",
        "pkg/m.py": "import re, json, dataclasses, datetime\n\n\n" + "".join(FUNCTION.format(n) for n in range(8)),
    }
    snapshot = snapshot_of(folder, files)
    folder.chmod(0o755)
    project = detect(snapshot)
    assert project is not None
    targets = find_targets(snapshot, project)
    found = [mutant for target in targets for mutant in mutants(snapshot, target, frozenset(range(1, 100)), 10)]
    written = "from pkg import m\n\n\n" + "".join(TEST.format(n, n + 1, n + 5) for n in range(8))
    tests = {mutant.id: [f"tests/qv/test_gen.py::test_{mutant.target[-1]}"] for mutant in found}
    begun = time.perf_counter()
    result = await sandbox.run(
        mutation_job(project, {"tests/qv/test_gen.py": written}, found, tests), image, folder, run="bench"
    )
    took = time.perf_counter() - begun
    decided = [
        outcome
        for outcome in read_mutation(found, result)
        if outcome.status in (MutantStatus.KILLED, MutantStatus.SURVIVED)
    ]
    if len(decided) != len(found):
        raise SystemExit(f"Only {len(decided)} of {len(found)} mutants were decided: {result.output[-500:]}")
    return len(found) / took * 60


async def measure(image: RuntimeImage, repeat: int) -> Times:
    """``repeat`` rounds after one that warms everything up."""
    times = Times()
    with tempfile.TemporaryDirectory(prefix="qverify-bench-") as folder:
        source = Path(folder) / "source"
        source.mkdir(mode=0o755)
        (source / "module.py").write_text("VALUE = 42\n")
        owner = Owner.of(Path(folder) / "home")
        sandbox = DockerSandbox(resources_root(), owner, SIDE_BY_SIDE)
        connections = Connections()
        command = plain_command(image, source)

        async def timed(*jobs: Iterable[object] | object) -> float:
            begun = time.perf_counter()
            await asyncio.gather(*jobs)  # type: ignore[arg-type]
            return (time.perf_counter() - begun) * 1000

        for turn in range(repeat + 1):
            plain = await timed(_plain(command))
            cold = await timed(sandbox.run(JOB, image, source, run="bench"))
            ready = await _ready(image, source, owner, connections)
            if turn:
                times.plain.append(plain)
                times.cold.append(cold)
                times.ready.append(ready)
        for turn in range(3):
            times.plain_together.append(await timed(*(_plain(command) for _ in range(SIDE_BY_SIDE))))
            runs = (sandbox.run(JOB, image, source, run="bench") for _ in range(SIDE_BY_SIDE))
            times.together.append(await timed(*runs))
            times.mutants_a_minute.append(await _mutants_a_minute(sandbox, image, Path(folder) / f"mutants{turn}"))
        connections.close()
        await sandbox.close()
    return times


def rows(times: Times) -> list[tuple[str, str, str, str]]:
    """What was measured, its value, its ratio, its goal."""
    plain, together = statistics.median(times.plain), statistics.median(times.plain_together)
    cold, ready = statistics.median(times.cold), statistics.median(times.ready)
    ours = statistics.median(times.together)
    return [
        ("`docker run --rm`, same flags", f"{plain:.0f} ms", "1", ""),
        ("a container from nothing", f"{cold:.0f} ms", f"{cold / plain:.2f}", f"{COLD_GOAL}"),
        ("a container started before", f"{ready:.0f} ms", f"{ready / plain:.2f}", f"{READY_GOAL}"),
        (f"{SIDE_BY_SIDE} times `docker run` at once", f"{together:.0f} ms", "1", ""),
        (f"{SIDE_BY_SIDE} jobs at once", f"{ours:.0f} ms", f"{ours / together:.2f}", ""),
        ("mutants a minute", f"{statistics.median(times.mutants_a_minute):.0f}", "", f"{MUTANTS_GOAL}"),
    ]


def table(times: Times, engine: str) -> str:
    """The measurement in Markdown."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = (
        f"{today}, commit {commit or 'unknown'}, {platform.system()} {platform.machine()}, Docker {engine}, "
        f"medians of {len(times.plain)} rounds ({len(times.together)} for the last three rows)."
    )
    lines = ["| what | measured | ratio | goal |", "|---|---|---|---|"]
    return "\n".join([head, "", *lines, *(f"| {' | '.join(row)} |" for row in rows(times))])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--image", default="qverify/python:latest")
    parser.add_argument("--write", type=Path, help="write the table to this file")
    options = parser.parse_args()
    client = docker.APIClient(version="auto")
    image = RuntimeImage("python", options.image, client.inspect_image(options.image)["Id"])
    engine = str(client.version()["Version"])
    client.close()
    text = table(asyncio.run(measure(image, options.repeat)), engine)
    print(text)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        options.write.write_text(f"# What the sandbox costs\n\nMade by `make bench-sandbox`.\n\n{text}\n")


if __name__ == "__main__":
    main()
