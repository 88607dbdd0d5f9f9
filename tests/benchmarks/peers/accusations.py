"""What ours suspects in projects as they are: every written example that fails five of five, after triage.

    python -m tests.benchmarks.peers.accusations PROJECT==VERSION ...

The part of an analysis that accuses, without the rest (observation, mutants, coverage), so that many projects can be read.
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
from tests.benchmarks.peers.subjects import Subject, Tree, fetch


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


async def main(requirements: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory(prefix="qverify-accusations-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        sandbox = DockerSandbox(resources_root(), Owner.of(folder / "home"))
        try:
            image = await sandbox.image("python")
            for requirement in requirements:
                root = await asyncio.to_thread(fetch, Subject(requirement, "*"), folder)
                tree = Tree.read(root, "*")
                count, defects = await accusations(tree, sandbox, image)
                print(
                    f"{requirement}: {len(tree.targets)} functions, {count} examples, {len(defects)} suspected",
                    flush=True,
                )
                for defect in defects:
                    print(
                        f"  {defect.file} {defect.symbol}: `{defect.call}` gives `{defect.observed}`, "
                        f"{defect.evidence.file}:{defect.evidence.line} says `{defect.expected}`",
                        flush=True,
                    )
        finally:
            await sandbox.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("requirements", nargs="+", metavar="PROJECT==VERSION")
    asyncio.run(main(parser.parse_args().requirements))
