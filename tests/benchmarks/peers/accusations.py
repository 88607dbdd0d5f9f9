"""What ours suspects in projects as they are: every written example that fails five of five, after triage.

    python -m tests.benchmarks.peers.accusations PROJECT==VERSION|FOLDER ...
    python -m tests.benchmarks.peers.accusations --planted

The part of an analysis that accuses, without the rest (observation, mutants, coverage), so that many projects can be read. A
folder may be in any language.
With ``--planted`` the projects of the benchmark, without their tests and with their contradictions: how many are named.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from qverify_desktop.analysis.alone import PLAIN, disputed, settled, shares
from qverify_desktop.analysis.judge import VARIATIONS, Runs, Tried, read_tried
from qverify_desktop.analysis.triage import triage
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.results import SuspectedDefect
from qverify_desktop.domain.testing import GeneratedTest, Status
from qverify_desktop.languages import catalogue
from qverify_desktop.languages.base import Language, RunVariation
from qverify_desktop.languages.python.language import PythonLanguage
from qverify_desktop.repository.intake import Repositories
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.images import resources_root
from qverify_desktop.sandbox.owner import Owner
from tests.benchmarks.peers.plantings import PLANTINGS
from tests.benchmarks.peers.subjects import SUBJECTS, Subject, fetch, plant, strip

#: Tests in one container.
BATCH = 150


async def accusations(
    language: Language,
    snapshot: Snapshot,
    project: Project,
    targets: Sequence[Target],
    sandbox: DockerSandbox,
    image: RuntimeImage,
) -> tuple[int, int, list[SuspectedDefect]]:
    """The number of tests of the repository's words, how many of them passed, and the suspected defects."""
    promises = language.promises(snapshot, project, targets)
    tests = language.promise_tests(project, targets, promises)
    first: dict[str, Tried] = {}
    for start in range(0, len(tests), BATCH):
        first |= await _tried(
            language, project, tests[start : start + BATCH], sandbox, image, snapshot, VARIATIONS[0]
        )
    failing = [one.test for one in first.values() if one.outcomes and one.outcomes[0].status is Status.FAILED]
    again = [await _tried(language, project, failing, sandbox, image, snapshot, one) for one in VARIATIONS[1:]]
    tried = [
        Tried(
            test,
            tuple(run[test.id].outcomes[0] for run in (first, *again) if test.id in run and run[test.id].outcomes),
        )
        for test in failing
    ]
    runs = Runs(tuple(tried))
    for share in shares(disputed(runs, language)):
        runs = settled(runs, list((await _tried(language, project, share, sandbox, image, snapshot, PLAIN)).values()))
    alike = [one for one in runs.tried if one.failed_alike]
    _, defects = triage(alike, targets, {p.words: p for p in promises}, language)
    passed = sum(bool(one.outcomes) and one.outcomes[0].status is Status.PASSED for one in first.values())
    return len(tests), passed, defects


async def _tried(
    language: Language,
    project: Project,
    tests: Sequence[GeneratedTest],
    sandbox: DockerSandbox,
    image: RuntimeImage,
    snapshot: Snapshot,
    variation: RunVariation,
) -> dict[str, Tried]:
    if not tests:
        return {}
    files = language.render(tests)
    job = language.suite_job(project, files, variation=variation, coverage=False)
    result = await sandbox.run(job, image, Path(snapshot.root), run="r-peers")
    return read_tried(tests, language.read_suite(project, result), files)


async def read(names: Sequence[str], folder: Path, sandbox: DockerSandbox) -> None:
    """Print what is suspected in each project as it is."""
    for name in names:
        source = Path(name) if Path(name).is_dir() else await asyncio.to_thread(fetch, Subject(name, "*"), folder)
        workspace = folder / "workspace" / source.name
        try:
            snapshot = await asyncio.to_thread(Repositories().take_snapshot, str(source), workspace)
        except BadInput as error:
            print(f"{source.name}: {error}", flush=True)
            continue
        for language in catalogue.languages():
            project = await asyncio.to_thread(language.detect, snapshot)
            if project is None:
                continue
            targets = await asyncio.to_thread(language.targets, snapshot, project)
            image = await sandbox.image(language.runtime)
            count, passed, defects = await accusations(language, snapshot, project, targets, sandbox, image)
            print(
                f"{source.name}, {language.name}: {len(targets)} functions, {count} tests of its words, {passed} passed, "
                f"{len(defects)} suspected",
                flush=True,
            )
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
        language = PythonLanguage()
        _, _, defects = await accusations(
            language, planted.snapshot, planted.project, planted.targets, sandbox, image
        )
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
            if options.planted:
                await find(folder, sandbox, await sandbox.image("python"))
            await read(options.names, folder, sandbox)
        finally:
            await sandbox.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PROJECT==VERSION|FOLDER")
    parser.add_argument("--planted", action="store_true", help="the benchmark's planted contradictions")
    asyncio.run(main(parser.parse_args()))
