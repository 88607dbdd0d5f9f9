"""Prove the way onto an air-gapped machine: all runtimes saved into one file, loaded into an emptied engine that has no network,
and every sample run there.

usage: packaging/prove/run.sh air-gap
Writes docs/measurements/air-gap.md. Needs root, dockerd, and all runtimes built; takes minutes and three times their size.
"""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.integration.sandbox.engines import private_engine  # noqa: E402


def qverify(*words: str, **more: str) -> tuple[dict[str, Any], float, str]:
    """The document of a command, its seconds, and what it said beside it. Ends the proof where the command fails."""
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", *words, "--json"],
        cwd=ROOT,
        env={**os.environ, **more},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"qverify {' '.join(words)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return json.loads(done.stdout), time.monotonic() - begun, done.stderr


def main() -> int:
    """Answers 0 when every sample passes."""
    with tempfile.TemporaryDirectory(prefix="qverify-air-gap-") as folder:
        home = {"QVERIFY_HOME": str(Path(folder) / "home")}
        file = Path(folder) / "runtimes.qvr"
        saved, save_s, said = qverify("runtimes", "save", str(file), **home)
        size = file.stat().st_size
        print(f"saved {len(saved['runtimes'])} runtimes, {size / 1e9:.2f} GB, {save_s:.0f} s", flush=True)
        with private_engine() as address:
            there = {**home, "DOCKER_HOST": address}
            _, load_s, said_there = qverify("runtimes", "load", str(file), **there)
            print(f"loaded in {load_s:.0f} s", flush=True)
            names = [one["runtime"] for one in saved["runtimes"]]
            checked, check_s, _ = qverify("runtimes", "check", *names, **there)
    digests = set(re.findall(r"\b[0-9a-f]{64}\b", said + said_there))
    rows = [
        f"| {one['runtime']} | {one['size_bytes'] / 1e6:.0f} | {one['digest'][7:19]} | {one['sentence']} |"
        for one in checked["runtimes"]
    ]
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True)
    same = "the same" if len(digests) == 1 else "NOT the same"
    text = (
        f"""# Onto an air-gapped machine

Made by `make prove-air-gap` on {datetime.datetime.now(datetime.UTC).date()} from commit `{commit.stdout.strip()}`.
Machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, {platform.machine()}.

`qverify runtimes save` wrote one file of {size / 1e9:.2f} GB in {save_s:.0f} s. `qverify runtimes load` checked every digest and
loaded it in {load_s:.0f} s into an emptied engine in a network namespace that holds nothing but loopback; both said {same} digest.
`qverify runtimes check` there took {check_s:.0f} s:

| runtime | MB in the engine | image | |
|---|---|---|---|
"""
        + "\n".join(rows)
        + "\n"
    )
    (ROOT / "docs" / "measurements" / "air-gap.md").write_text(text)
    print(text)
    return 0 if all(one["ready"] for one in checked["runtimes"]) and len(digests) == 1 else 1


if __name__ == "__main__":
    sys.exit(main())
