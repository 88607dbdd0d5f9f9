"""Cold container run through the sandbox against plain ``docker run --rm`` with the same flags (goal: 1.05).

    python -m tests.benchmarks.bench_sandbox [--repeat N] [--write FILE]

Both start a fresh container from the same image for a command that does nothing, in turns, so that a busy machine slows
both alike. The sandbox also lays out a snapshot, captures the output and takes the artefacts back.
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
from pathlib import Path

import docker

from qverify_desktop.domain.execution import Job, Limits, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import resources_root
from qverify_desktop.sandbox.limits import OPEN_FILES, SHM_BYTES, USER
from qverify_desktop.sandbox.owner import Owner

GOAL = 1.05
LIMITS = Limits()


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


async def measure(image: RuntimeImage, repeat: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each plain run and of each sandbox run."""
    plain: list[float] = []
    ours: list[float] = []
    with tempfile.TemporaryDirectory(prefix="qverify-bench-") as folder:
        source = Path(folder) / "source"
        source.mkdir(mode=0o755)
        (source / "module.py").write_text("VALUE = 42\n")
        sandbox = DockerSandbox(resources_root(), Owner.of(Path(folder) / "home"))
        command = plain_command(image, source)
        job = Job("bench", ("true",), limits=LIMITS)
        for turn in range(repeat + 1):
            begun = time.perf_counter()
            await asyncio.to_thread(subprocess.run, command, check=True, stdin=subprocess.DEVNULL)
            between = time.perf_counter()
            result = await sandbox.run(job, image, source, run="bench")
            ended = time.perf_counter()
            if result.execution.exit_code or result.problem:
                raise SystemExit(f"The job did not run: {result.problem or result.output}")
            if turn:  # The first turn warms both up.
                plain.append((between - begun) * 1000)
                ours.append((ended - between) * 1000)
        await sandbox.close()
    return plain, ours


def table(plain: list[float], ours: list[float], engine: str) -> str:
    """The measurement as one row of a Markdown table, with its head."""
    ratio = statistics.median(ours) / statistics.median(plain)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    cells = [
        datetime.datetime.now(datetime.UTC).date().isoformat(),
        commit or "unknown",
        f"{platform.system()} {platform.machine()}, Docker {engine}",
        str(len(plain)),
        f"{statistics.median(plain):.0f}",
        f"{statistics.median(ours):.0f}",
        f"{ratio:.2f}",
        f"{GOAL:.2f}",
    ]
    head = ["date", "commit", "machine", "runs", "docker run (ms)", "sandbox (ms)", "ratio", "goal"]
    lines = [head, ["---"] * len(head), cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--repeat", type=int, default=10)
    parser.add_argument("--image", default="qverify/python:latest")
    parser.add_argument("--write", type=Path, help="append the row to this file")
    options = parser.parse_args()
    client = docker.APIClient(version="auto")
    image = RuntimeImage("python", options.image, client.inspect_image(options.image)["Id"])
    engine = str(client.version()["Version"])
    client.close()
    text = table(*asyncio.run(measure(image, options.repeat)), engine)
    print(text)
    if options.write:
        options.write.parent.mkdir(parents=True, exist_ok=True)
        new = not options.write.exists()
        with options.write.open("a", encoding="utf-8") as file:
            title = "# Cold container run against plain `docker run` with the same flags (medians)\n\n"
            file.write(f"{title}{text}\n" if new else text.splitlines()[-1] + "\n")


if __name__ == "__main__":
    main()
