"""Time and memory of an analysis for 10, 100 and 1,000 targets (goal: both per target flat within 20 %), and of a second run.

    python -m tests.benchmarks.bench_targets [--sizes 10 100 1000]

Each size is a repository of modules of ten functions with a docstring, an example, a branch and a loop each, of no two the
same, made by this file. Time and memory are fitted as a start and a share for each target: what one target costs is the
difference between two sizes. The second run is over the unchanged repository (goal: under a tenth of the first).
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

GOAL = 20
FUNCTION = '''

def weigh_{n}(values: list[int], limit: int = {n}) -> int:
    """The sum of the values, none of which counts for more than the limit.

    >>> weigh_{n}([1, 2], 5)
    3
    """
    total = 0
    for value in values:
        if value > limit:
            total += limit
        else:
            total += value
    return total + {n} - {n}
'''


@dataclass(frozen=True)
class Run:
    """One analysis: seconds, and the most memory that its process held, MiB."""

    seconds: float
    memory: float
    targets: int
    accepted: int


def repository(folder: Path, targets: int) -> None:
    """Modules of ten functions each."""
    package = folder / "scales"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for module in range(0, targets, 10):
        numbers = range(module, min(module + 10, targets))
        text = '"""Weights."""\n' + "".join(FUNCTION.format(n=n + 1) for n in numbers)
        (package / f"part_{module // 10}.py").write_text(text)


def analyse(home: Path, folder: Path, targets: int) -> Run:
    """One run of the command line in a process of its own, whose memory the system counts."""
    command = [sys.executable, "-m", "qverify_desktop.cli", "analyze", str(folder), "--json"]
    command += ["--max-targets", str(targets)]
    environment = os.environ | {"QVERIFY_HOME": str(home)}
    began = time.monotonic()
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise SystemExit(f"The analysis of {targets} targets ended with exit code {process.returncode}.")
    document = json.loads(output)
    return Run(time.monotonic() - began, _mib(usage), document["targets"], document["accepted"])


def _mib(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    options = parser.parse_args()
    runs: list[Run] = []
    for size in sorted(options.sizes):
        with tempfile.TemporaryDirectory(prefix="qverify-targets-") as folder:
            place, home = Path(folder) / "repository", Path(folder) / "home"
            repository(place, size)
            run = analyse(home, place, size)
            again = analyse(home, place, size)
        runs.append(run)
        share = run.seconds / run.targets
        print(
            f"{run.targets:5} targets: {run.seconds:7.1f} s ({share:.2f} s each), {run.memory:6.0f} MiB, {run.accepted} tests "
            f"accepted; again {again.seconds:.1f} s ({100 * again.seconds / run.seconds:.1f} %)",
            flush=True,
        )
    costs = [
        ((b.seconds - a.seconds) / (b.targets - a.targets), (b.memory - a.memory) / (b.targets - a.targets))
        for a, b in itertools.pairwise(runs)
    ]
    for (a, b), (seconds, memory) in zip(itertools.pairwise(runs), costs, strict=True):
        print(f"from {a.targets} to {b.targets}: {seconds:.2f} s and {memory:.2f} MiB for each further target")
    if len(costs) > 1 and costs[0][0] > 0:
        change = 100 * (costs[-1][0] / costs[0][0] - 1)
        print(
            f"time for each further target: {change:+.0f} % from the smaller to the larger pair (goal: at most +{GOAL})"
        )


if __name__ == "__main__":
    main()
