"""The three tools: what each writes for a tree, and how long it took. Peers run in a container, since they run its code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qverify_desktop.domain.execution import GIB, Job, Limits, RuntimeImage
from qverify_desktop.languages.python.codebase import module_name
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.benchmarks.peers.image import PEERS
from tests.benchmarks.peers.subjects import Tree

#: A peer is given ours' seconds; it may take this many times as long before it is stopped.
PATIENCE = 1.5
LEAST_WALL_S = 45
#: More than a test run gets: Pynguin holds its whole search in memory.
MEMORY = 4 * GIB
DRIVER = Path(__file__).with_name("drivers") / "peer_modules.py"
SEED = 0


@dataclass(frozen=True)
class Written:
    """Test files by path, the seconds they took, and what went wrong. ``defects`` are ours' suspected defects,
    ``specification`` the ids of ours' tests that rest on the repository's own words."""

    tool: str
    files: Mapping[str, str]
    seconds: float
    problem: str = ""
    defects: tuple[Mapping[str, Any], ...] = ()
    specification: frozenset[str] = field(default=frozenset())


def ours(tree: Tree, glob: str) -> Written:
    """``qverify analyze`` with no model in a state folder of its own, as a person would start it."""
    with tempfile.TemporaryDirectory(prefix="qverify-peers-") as folder:
        out = Path(folder) / "out"
        began = time.monotonic()
        done = subprocess.run(
            [
                *(sys.executable, "-m", "qverify_desktop.cli", "analyze", tree.root, "--model", "none", "--json"),
                *("--scope", f"files:{glob}", "--seed", str(SEED), "--out", out),
            ],
            env=os.environ | {"QVERIFY_HOME": f"{folder}/home"},
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
        seconds = time.monotonic() - began
        if done.returncode not in (0, 1):
            return Written("ours", {}, seconds, done.stderr.decode("utf-8", "replace")[-600:])
        document: dict[str, Any] = json.loads(done.stdout)
        files = {str(path.relative_to(out)): path.read_text("utf-8") for path in sorted(out.rglob("test_*.py"))}
    spoken = {f"{t['path']}::{t['name']}" for t in document["tests"] if t["label"] == "specification"}
    return Written("ours", files, seconds, "", tuple(document["suspected_defects"]), frozenset(spoken))


async def peer(tool: str, tree: Tree, sandbox: DockerSandbox, image: RuntimeImage, seconds: float) -> Written:
    """``pynguin`` or ``ghostwriter`` on the modules that count, two at a time, each with its share of two cores' seconds."""
    modules = {path: module_name(path, tree.project.source_roots) for path in tree.files}
    sizes = {path: (tree.root / path).stat().st_size + 200 for path in modules}
    total = sum(sizes.values())
    shares = [
        (modules[path], max(3, round(min(seconds, 2 * seconds * sizes[path] / total)))) for path in sorted(modules)
    ]
    wall = max(LEAST_WALL_S, round(PATIENCE * seconds))
    request = {
        "tool": tool,
        "modules": sorted(shares, key=lambda share: -share[1]),
        "roots": list(tree.project.source_roots),
        "peers": PEERS,
        "seed": SEED,
        "wall_s": wall,
    }
    job = Job(
        purpose="peer",
        argv=("python", ".qv_peer/peer_modules.py", ".qv_peer/peer.json"),
        overlay={
            ".qv_peer/peer_modules.py": DRIVER.read_bytes(),
            ".qv_peer/peer.json": json.dumps(request).encode(),
        },
        env={"PYTHONHASHSEED": "0"},
        limits=Limits(timeout_s=wall + 30, memory_bytes=MEMORY, pids=1024),
    )
    began = time.monotonic()
    result = await sandbox.run(job, image, tree.root, run="r-peers")
    took = time.monotonic() - began
    files = {
        f"tests/{tool}/{name}": text.decode("utf-8", "replace")
        for name, text in result.artefacts.items()
        if name.endswith(".py")
    }
    log = result.artefacts.get("peer.log", result.output[-600:].encode()).decode("utf-8", "replace")
    return Written(tool, files, took, " ".join(filter(None, (result.problem, log))))
