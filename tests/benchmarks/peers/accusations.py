"""What ours suspects in projects as they are: every written example that fails five of five, after triage.

    python -m tests.benchmarks.peers.accusations PROJECT==VERSION ...
    python -m tests.benchmarks.peers.accusations --planted

The part of an analysis that accuses, without the rest (observation, mutants, coverage), so that many projects can be read.
With ``--planted`` the projects of the benchmark, without their tests and with their contradictions: how many are named.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qverify_desktop.analysis.judge import VARIATIONS, Tried
from qverify_desktop.analysis.triage import triage
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.results import SuspectedDefect
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import resources_root
from qverify_desktop.sandbox.owner import Owner
from tests.benchmarks.peers.plantings import PLANTINGS
from tests.benchmarks.peers.subjects import SUBJECTS, Subject, Tree, fetch, plant, strip


async def accusations(tree: Tree, sandbox: DockerSandbox, image: RuntimeImage) -> tuple[int, list[SuspectedDefect]]:
    """The number of written examples, and the suspected defects among them."""
    language = PythonLanguage()
    promises = language.promises(tree.snapshot, tree.project, tree.targets)
    tests = language.promise_tests(tree.project, tree.targets, promises)
    files = language.render(tests)
    runs = []
    for variation in VARIATIONS:
        job = language.suite_job(tree.project, files, variation=variation, coverage=False)
        suite = language.read_suite(tree.project, await sandbox.run(job, image, tree.root, run="r-peers"))
        runs.append({outcome.id: outcome for outcome in suite.outcomes})
    tried = [Tried(test, tuple(run[test.id] for run in runs if test.id in run)) for test in tests]
    _, defects = triage([one for one in tried if one.failed_alike], tree.targets, {p.words: p for p in promises})
    return len(tests), defects


async def read(requirements: Sequence[str], folder: Path, sandbox: DockerSandbox, image: RuntimeImage) -> None:
    """Print what is suspected in each project as it is."""
    for requirement in requirements:
        root = await asyncio.to_thread(fetch, Subject(requirement, "*"), folder)
        tree = Tree.read(root, "*")
        count, defects = await accusations(tree, sandbox, image)
        print(f"{requirement}: {len(tree.targets)} functions, {count} examples, {len(defects)} suspected", flush=True)
        for defect in defects:
            print(
                f"  {defect.file} {defect.symbol}: `{defect.call}` gives `{defect.observed}`, "
                f"{defect.evidence.file}:{defect.evidence.line} says `{defect.expected}`",
                flush=True,
            )


async def find(folder: Path, sandbox: DockerSandbox, image: RuntimeImage) -> None:
    """Print which planted contradictions are named, and which other functions are."""
    named = 0
    for subject in SUBJECTS:
        plantings = [planting for planting in PLANTINGS if planting.project == subject.name]
        if not plantings:
            continue
        untouched = strip(await asyncio.to_thread(fetch, subject, folder), subject.glob)
        planted = plant(untouched, folder / "planted" / subject.name, subject.glob, plantings)
        _, defects = await accusations(planted, sandbox, image)
        places = {(planting.file, planting.symbol) for planting in plantings}
        found = {(defect.file, defect.symbol) for defect in defects}
        named += len(places & found)
        missed, others = (sorted(symbol for _, symbol in part) for part in (places - found, found - places))
        print(f"{subject.name}: {len(places & found)} of {len(places)}, missed {missed}, others {others}", flush=True)
    print(f"{named} of {len(PLANTINGS)} planted contradictions are named")


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="qverify-accusations-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        sandbox = DockerSandbox(resources_root(), Owner.of(folder / "home"))
        try:
            image = await sandbox.image("python")
            if options.planted:
                await find(folder, sandbox, image)
            await read(options.requirements, folder, sandbox, image)
        finally:
            await sandbox.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requirements", nargs="*", metavar="PROJECT==VERSION")
    parser.add_argument("--planted", action="store_true", help="the benchmark's planted contradictions")
    asyncio.run(main(parser.parse_args()))
