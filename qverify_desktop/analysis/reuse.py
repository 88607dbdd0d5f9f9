"""What has not changed is not analysed again: findings of earlier runs are taken over where all they depend on is the same.

Two keys say what that is. The run's covers the whole tree with everything that was asked for; where it is the same, all
findings are taken over at once. A target's covers the files that its behaviour depends on. Only runs are relied on that were
closed under the key that signs now, so that one verifier can check both.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from qverify_desktop import __version__
from qverify_desktop.analysis.batches import Trial
from qverify_desktop.analysis.dependencies import Dependencies, listing
from qverify_desktop.analysis.earlier import RESULT_STEP, earlier_runs, value_of
from qverify_desktop.analysis.kept import Kept, kept_step
from qverify_desktop.analysis.services import Services
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.domain.results import AnalysisRequest, EarlierRun, RunResult
from qverify_desktop.languages.base import Language

#: Step in which a run notes under which key it may be taken over.
KEY_STEP = "key"
#: Step in which a run says at its end whether it may be taken over.
COMPLETE_STEP = "complete"
#: Fields of a request that say where to and how long, not what is found.
_NOT_ASKED = frozenset({"source", "out", "fresh"})
#: Bytes read at once.
_PIECE = 1 << 20


@dataclass(frozen=True)
class RunKey:
    """``complete``: nothing was left out, so a run of the same key may take everything over. ``of`` is the run whose findings
    these are, ``None`` for the run itself."""

    key: str
    complete: bool = False
    of: EarlierRun | None = None


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


async def run_key(
    steps: Steps, snapshot: Snapshot, projects: Sequence[Project], images: Sequence[RuntimeImage]
) -> tuple[RunKey, RunResult | None]:
    """The key of this run, and the result of an earlier one that may be taken over whole."""

    async def body(context: StepContext) -> RunKey:
        request = steps.request
        asked = {name: value for name, value in asdict(request).items() if name not in _NOT_ASKED}
        packages = await asyncio.to_thread(listing, Path(request.packages)) if request.packages else b""
        key = _digest(
            {
                "version": __version__,
                "tree": snapshot.tree,
                "commit": snapshot.commit,
                "skipped": [asdict(one) for one in snapshot.skipped],
                "asked": asked,
                "packages": packages.decode("utf-8", "replace"),
                "images": {p.language: image.digest for p, image in zip(projects, images, strict=True)},
            }
        )
        # A revision may name another commit by now, so what changed since then is never taken over whole.
        if request.fresh or request.scope.kind == "changed":
            return RunKey(key)
        found = await asyncio.to_thread(_same, context.services, request, key)
        if found is not None:
            context.record("reused", {"key": key, "relies_on": asdict(found)})
        return RunKey(key, of=found)

    own = await steps.step(KEY_STEP, RunKey, body)
    if own.of is None:
        return own, None
    return own, await asyncio.to_thread(value_of, steps.services, own.of.run, RESULT_STEP, RunResult)


def _same(services: Services, request: AnalysisRequest, key: str) -> EarlierRun | None:
    """The newest run of this key whose findings are complete, or the one that it took them from."""
    for run in earlier_runs(services, request.source):
        complete = value_of(services, run.run, COMPLETE_STEP, RunKey)
        if complete is not None and complete.complete and complete.key == key:
            source = services.journal.sealed(complete.of.run) if complete.of else run
            if source is not None and value_of(services, source.run, RESULT_STEP, RunResult) is not None:
                return source
    return None


async def note_complete(steps: Steps, key: RunKey, complete: bool) -> None:
    """Record at the end of a run whether a later one may take over all that it found."""

    async def body(context: StepContext) -> RunKey:
        return RunKey(key.key, complete, key.of)

    await steps.step(COMPLETE_STEP, RunKey, body)


async def unchanged_targets(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    image: RuntimeImage,
    dependencies: Dependencies,
    targets: Sequence[Target],
) -> tuple[Mapping[str, str], Kept]:
    """The key of each target, and what earlier runs found of those that are the same. A file's targets are taken over
    together, because their tests share a file."""
    language = steps.services.language(project.language)

    async def keys(context: StepContext) -> dict[str, str]:
        return await asyncio.to_thread(
            _keys, steps.request, snapshot, project, language, image, dependencies, targets
        )

    async def body(context: StepContext) -> Kept:
        found = Kept()
        if not steps.request.fresh:
            found = await asyncio.to_thread(_kept, context.services, steps.request.source, project, targets, own)
        by_run: dict[str, list[str]] = {}
        runs = {run.run: run for run in found.found_in.values()}
        for target, run in found.found_in.items():
            by_run.setdefault(run.run, []).append(target)
        for name, taken in sorted(by_run.items()):
            context.record(
                "targets_reused",
                {"targets": len(taken), "of": len(targets), "relies_on": asdict(runs[name])},
                {"names": json.dumps(sorted(taken)).encode()},
            )
        return found

    own = await steps.step(f"{project.language}.keys", dict[str, str], keys)
    return own, await steps.step(f"{project.language}.unchanged", Kept, body)


def _keys(
    request: AnalysisRequest,
    snapshot: Snapshot,
    project: Project,
    language: Language,
    image: RuntimeImage,
    dependencies: Dependencies,
    targets: Sequence[Target],
) -> dict[str, str]:
    sources = frozenset(project.source_files)
    digests = {path: _file_digest(snapshot, path) for path in snapshot.files}
    everywhere = _digest(
        {
            "version": __version__,
            "language": project.language,
            "roots": project.source_roots,
            "image": image.digest,
            "dependencies": [dependencies.folder, [asdict(one) for one in dependencies.missing]],
            "asked": [request.model, request.api_base, request.cloud, request.seed, request.sandbox],
            # Tests, documents, configuration and data: whatever is no source may matter to each target.
            "others": {path: digest for path, digest in digests.items() if path not in sources},
        }
    )
    files = language.depends_on(snapshot, project, {target.file for target in targets})
    # Many files depend on the same ones, in a language that knows no better on all.
    covered = {needed: _digest({path: digests.get(path, "") for path in needed}) for needed in set(files.values())}
    return {t.id: _digest([everywhere, covered[files[t.file]], digests.get(t.file, ""), t.id]) for t in targets}


def _file_digest(snapshot: Snapshot, path: str) -> str:
    """Digest of a file, or of a link's target."""
    file = Path(snapshot.root).joinpath(*path.split("/"))
    try:
        if file.is_symlink():
            return f"link {file.readlink()}"
        found = hashlib.sha256()
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                found.update(piece)
        return found.hexdigest()
    except OSError:
        return ""


def _kept(
    services: Services, source: str, project: Project, targets: Sequence[Target], keys: Mapping[str, str]
) -> Kept:
    wanted: dict[str, set[str]] = {}
    for target in targets:
        wanted.setdefault(target.file, set()).add(target.id)
    found = Kept()
    for run in dict.fromkeys(_where_found(services, source)):
        if not wanted:
            break
        kept = value_of(services, run.run, kept_step(project.language), Kept)
        if kept is None:
            continue
        whole = [file for file, ids in wanted.items() if all(kept.keys.get(id_) == keys[id_] for id_ in ids)]
        taken = kept.only({id_ for file in whole for id_ in wanted.pop(file)}, run)
        runs = {one.run: services.journal.sealed(one.run) == one for one in taken.found_in.values()}
        found += taken if all(runs.values()) else Kept()
    return found


def _where_found(services: Services, source: str) -> Iterator[EarlierRun]:
    """Earlier runs, and in place of one that took all over from another that other one."""
    for run in earlier_runs(services, source):
        note = value_of(services, run.run, COMPLETE_STEP, RunKey)
        found = services.journal.sealed(note.of.run) if note is not None and note.of is not None else run
        if found is not None:
            yield found


async def keep(
    steps: Steps,
    snapshot: Snapshot,
    project: Project,
    keys: Mapping[str, str],
    unchanged: Kept,
    trial: Trial,
    targets: Sequence[Target],
) -> None:
    """Record what later runs may take over. A target whose tests ran code that its key does not cover is left out."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Kept:
        by_file = await asyncio.to_thread(language.depends_on, snapshot, project, {t.file for t in targets})
        files = {target.id: by_file[target.file] for target in targets}
        outside = {
            one.test.target
            for one in trial.tried
            if any(file not in files.get(one.test.target, frozenset()) for file in one.footprint.lines)
        }
        whole = {t: keys[t] for t in (*unchanged.keys, *trial.whole) if t in keys and t not in outside}
        return Kept(
            whole,
            {t: run for t, run in unchanged.found_in.items() if t in whole},
            tuple(one for one in trial.tried if one.test.target in whole),
            tuple(one for one in trial.refused if one.test.target in whole),
            tuple(one for one in trial.mutants.values() if one.mutant.target in whole),
        )

    await steps.step(kept_step(project.language), Kept, body)
