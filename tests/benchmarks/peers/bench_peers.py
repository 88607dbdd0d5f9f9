"""Ours, Pynguin and Hypothesis' ghostwriter on the same projects, cores and minutes. Run by ``make bench-peers``.

    python -m tests.benchmarks.peers.bench_peers [PROJECT ...] [--keep FOLDER] [--resume] [--no-write]

Ours goes first; Pynguin is then given as many seconds as ours took, on the same two cores, and is stopped at one and a half
times as many. Each project is done untouched (coverage, mutants, accusations) and, where there are plantings for it, planted. A
project's figures are kept in a file of ``--keep``, and the pages are made of all that are there, so that projects can be
measured one by one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import resources_root
from qverify_desktop.sandbox.owner import Owner
from tests.benchmarks.peers import report
from tests.benchmarks.peers.generators import Written, ours, peer
from tests.benchmarks.peers.image import peers_image
from tests.benchmarks.peers.measuring import Measure, replay
from tests.benchmarks.peers.plantings import PLANTINGS, Planting
from tests.benchmarks.peers.subjects import SUBJECTS, Subject, Tree, fetch, plant, strip

ROOT = Path(__file__).resolve().parents[3]
PEERS = ("pynguin", "ghostwriter")
_EXAMPLES = """\
import importlib, json, os, sys
sys.path[:0] = [os.path.join(os.getcwd(), root) for root in json.loads(sys.argv[1])]
held = []
for module, setup, example, says in json.loads(sys.argv[2]):
    names = dict(vars(importlib.import_module(module)))
    try:
        exec(setup, names)
        held.append(bool(eval(example, names) == eval(says, {})))
    except Exception:
        held.append(False)
json.dump(held, open(os.path.join(os.environ["QV_OUT"], "held.json"), "w"))
"""


class Bench:
    """The benchmark over one sandbox."""

    def __init__(self, sandbox: DockerSandbox, image: RuntimeImage, peers: RuntimeImage) -> None:
        self._sandbox = sandbox
        self._image = image
        self._peers = peers
        self._measure = Measure(sandbox, image)

    async def subject(self, subject: Subject, folder: Path) -> dict[str, Any]:
        """Everything about one project, as plain values."""
        untouched = await asyncio.to_thread(lambda: strip(fetch(subject, folder / "source"), subject.glob))
        found: dict[str, Any] = {"requirement": subject.requirement, "tools": {}}
        seconds = 0.0
        for tool in ("ours", *PEERS):
            written = await self._write(tool, untouched, subject, seconds)
            seconds = seconds or written.seconds
            found["tools"][tool] = await self._untouched(untouched, written)
            print(f"{subject.name} {tool}: {found['tools'][tool]}", flush=True)
        plantings = tuple(planting for planting in PLANTINGS if planting.project == subject.name)
        if plantings:
            found["planted"] = await self._planted(untouched, subject, folder, plantings)
            print(f"{subject.name} planted: {json.dumps(found['planted'])}", flush=True)
        return found

    async def _write(self, tool: str, tree: Tree, subject: Subject, seconds: float) -> Written:
        if tool == "ours":
            return await asyncio.to_thread(ours, tree, subject.glob)
        return await peer(tool, tree, self._sandbox, self._peers, seconds)

    async def _untouched(self, tree: Tree, written: Written) -> dict[str, Any]:
        figures = await self._measure.figures(tree, written.files, mutants=True)
        accused = [_told(d) for d in written.defects] if written.tool == "ours" else list(figures.failed)
        return {
            "seconds": round(written.seconds, 1),
            "lines": [figures.lines.part, figures.lines.whole],
            "branches": [figures.branches.part, figures.branches.whole],
            "mutants": [figures.mutants.part, figures.mutants.whole],
            "passed": figures.passed,
            "accused": accused,
            "problem": written.problem,
        }

    async def _planted(
        self, untouched: Tree, subject: Subject, folder: Path, plantings: tuple[Planting, ...]
    ) -> dict[str, Any]:
        planted = plant(untouched, folder / "planted" / untouched.root.name, subject.glob, plantings)
        before = await self._examples(untouched, plantings)
        after = await self._examples(planted, plantings)
        real = tuple(p for p, was, is_ in zip(plantings, before, after, strict=True) if was and not is_)
        found: dict[str, Any] = {
            "plantings": [asdict(planting) for planting in real],
            "left_out": [planting.symbol for planting in plantings if planting not in real],
            "tools": {},
        }
        seconds = 0.0
        for tool in ("ours", *PEERS):
            written = await self._write(tool, planted, subject, seconds)
            seconds = seconds or written.seconds
            replayed = await replay(self._measure, planted, untouched, written.files, real)
            caught = {planting.symbol for planting in replayed.caught}
            places = {(planting.file, planting.symbol) for planting in real}
            if tool == "ours":
                caught = {d["symbol"] for d in written.defects if (d["file"], d["symbol"]) in places}
            frozen = {planting.symbol: tests for planting, tests in replayed.frozen.items()}
            found["tools"][tool] = {
                "seconds": round(written.seconds, 1),
                "caught": sorted(caught),
                "frozen": sorted(frozen),
                "frozen_specification": sorted(
                    symbol for symbol, tests in frozen.items() if set(tests) & written.specification
                ),
                "others": [_told(d) for d in written.defects if (d["file"], d["symbol"]) not in places],
                "problem": written.problem,
            }
        return found

    async def _examples(self, tree: Tree, plantings: tuple[Planting, ...]) -> list[bool]:
        """For each planting whether its example holds on the tree, evaluated in a container."""
        modules = {target.file: target.module for target in tree.targets}
        asked = [[modules[p.file], p.setup, p.example, p.says] for p in plantings]
        roots = json.dumps(list(tree.project.source_roots))
        job = Job("examples", ("python", "-c", _EXAMPLES, roots, json.dumps(asked)))
        result = await self._sandbox.run(job, self._image, tree.root, run="r-peers")
        held: list[bool] = json.loads(result.artefacts["held.json"])
        return held


def _told(defect: Mapping[str, Any]) -> str:
    return (
        f"{defect['file']} `{defect['call']}` gives `{defect['observed']}`, "
        f"{defect['evidence_file']}:{defect['evidence_line']} says `{defect['expected']}`"
    )


async def measure(names: list[str], keep: Path, *, resume: bool) -> None:
    """Measure the named projects, or all, with ``resume`` only those that have no figures yet."""
    with tempfile.TemporaryDirectory(prefix="qverify-peers-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        sandbox = DockerSandbox(resources_root(), Owner.of(folder / "home"))
        try:
            image = await sandbox.image("python")
            bench = Bench(sandbox, image, await asyncio.to_thread(peers_image, image))
            for subject in SUBJECTS:
                if names and subject.name not in names:
                    continue
                kept = keep / f"{subject.name}.json"
                if not (resume and kept.exists()):
                    document = await bench.subject(subject, folder / subject.name)
                    kept.write_text(json.dumps(document, indent=1), "utf-8")
        finally:
            await sandbox.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("projects", nargs="*", metavar="PROJECT", help="only these (default: all)")
    parser.add_argument("--keep", type=Path, default=ROOT / "build/peers", help="folder for each project's figures")
    parser.add_argument("--resume", action="store_true", help="leave out projects that have figures there")
    parser.add_argument("--no-write", action="store_true", help="print the page, change no file")
    options = parser.parse_args()
    keep: Path = options.keep
    keep.mkdir(parents=True, exist_ok=True)
    asyncio.run(measure(options.projects, keep, resume=options.resume))
    kept = [keep / f"{subject.name}.json" for subject in SUBJECTS]
    found = [json.loads(path.read_text("utf-8")) for path in kept if path.exists()]
    print(report.page(found))
    if not options.no_write:
        (ROOT / "docs/measurements/peers.md").write_text(report.page(found), "utf-8")
        report.write_table(ROOT / "README.md", found)


if __name__ == "__main__":
    main()
