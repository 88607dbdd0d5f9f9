"""Wall time of a whole analysis against the sum of its containers' time (goal: 1.05), without a model.

    python -m tests.benchmarks.bench_analysis [REPOSITORY] [--repeat N]

Every repetition has a state folder of its own, so nothing is reused between them. With containers side by side the ratio
can fall below 1; what lies above it is the application's own time.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

GOAL = 1.05
SAMPLE = Path(__file__).resolve().parents[2] / "resources" / "sample"


def analyse(repository: Path) -> dict[str, Any]:
    """The JSON document of one analysis in a fresh state folder. Exit codes 0 and 1 both mean that it finished."""
    with tempfile.TemporaryDirectory(prefix="qverify-bench-") as folder:
        command = [Path(sys.executable).with_name("qverify"), "analyze", repository, "--model", "none", "--json"]
        command += ["--out", Path(folder) / "out"]
        done = subprocess.run(
            command,
            env=os.environ | {"QVERIFY_HOME": f"{folder}/home"},
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode not in (0, 1):
            raise SystemExit(f"The analysis ended with exit code {done.returncode}; nothing measured.")
        document: dict[str, Any] = json.loads(done.stdout)
        return document


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repository", nargs="?", type=Path, default=SAMPLE)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    for turn in range(options.repeat):
        found = analyse(options.repository)
        wall, inside = found["duration_s"], found["sandbox_s"]
        ratios.append(wall / inside)
        print(f"analysis {turn + 1}: {wall:.1f} s, containers {inside:.1f} s, ratio {wall / inside:.3f}", flush=True)
    print(
        f"analysis wall time / container time, median of {len(ratios)}: {statistics.median(ratios):.3f} (goal {GOAL})"
    )


if __name__ == "__main__":
    main()
