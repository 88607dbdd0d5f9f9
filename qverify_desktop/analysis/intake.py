"""Stages intake, detect, image and dependencies: from what a person dropped to a project that can be run."""

from __future__ import annotations

import asyncio
import io
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from backports import tarfile

from qverify_desktop.analysis.secrets import Mask
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import MissingDependency, Project, Snapshot, language_title
from qverify_desktop.languages.ecosystems import cache_key

#: Files of a folder of packages whose names and sizes are looked at.
MAX_LISTED = 500_000

#: Characters of uncommitted changes that are searched for secrets, and so shown in the evidence.
MOST_PATCH = 4 * 1024 * 1024
#: The file that says an installed set is whole, and names what could not be had.
COMPLETE = "complete"


@dataclass(frozen=True)
class Dependencies:
    """``folder`` is the name of the installed set below the workspace's cache, empty when nothing was installed; ``failed``
    when something was tried to be installed and could not be, which may be otherwise the next time."""

    missing: tuple[MissingDependency, ...] = ()
    folder: str = ""
    notice: str = ""
    failed: bool = False


async def take_snapshot(steps: Steps) -> Snapshot:
    """Copy the repository into the run's folder. The origin is only read."""

    async def body(context: StepContext) -> Snapshot:
        repositories = context.services.repositories
        snapshot = await in_stoppable_thread(
            lambda stop: repositories.take_snapshot(steps.request.source, steps.folder, stop)
        )
        patch = await asyncio.to_thread(_patch_to_show, snapshot.dirty_patch, context.services.gateway.mask)
        context.record(
            "snapshot",
            {
                "commit": snapshot.commit or "",
                "tree": snapshot.tree,
                "files": len(snapshot.files),
                "bytes": snapshot.total_bytes,
                "skipped": len(snapshot.skipped),
                "lfs_pointers": len(snapshot.lfs_pointers),
                "dirty": bool(snapshot.dirty_patch),
            },
            # A folder's path names the person, an address perhaps what nobody else shall know of.
            {"origin": snapshot.origin.encode("utf-8", "replace"), **({"dirty_patch": patch} if patch else {})},
        )
        return snapshot

    steps.reporter.started(Stage.INTAKE)
    snapshot = await steps.step("intake", Snapshot, body)
    # The state folder may have another place than when this was recorded.
    snapshot = replace(snapshot, root=str(steps.source.resolve()))
    text = f"{len(snapshot.files)} files, tree {snapshot.tree[:12]}"
    if snapshot.dirty_patch:
        text += ", with uncommitted changes"
    steps.reporter.finished(Stage.INTAKE, text)
    for skipped in snapshot.skipped[:20]:
        steps.reporter.log(Stage.INTAKE, f"Left out {skipped.path}: {skipped.reason}")
    return snapshot


def _patch_to_show(patch: str, mask: Mask) -> bytes:
    """Uncommitted changes as evidence shows them, without their secrets; nothing of a patch that is too large to be searched. The
    tree's digest says what was analysed all the same."""
    if not patch or len(patch) > MOST_PATCH:
        return b""
    return mask([{"role": "user", "content": patch}]).messages[0]["content"].encode("utf-8", "replace")


async def detect(steps: Steps, snapshot: Snapshot) -> list[Project]:
    """Ask each language whether it sees itself in the snapshot. Raises ``BadInput`` where none does."""

    async def body(context: StepContext) -> list[Project]:
        found = []
        for language in context.services.languages:
            project = await asyncio.to_thread(language.detect, snapshot)
            if project is not None:
                found.append(project)
                context.record(
                    "detection",
                    {
                        "language": project.language,
                        "source_files": len(project.source_files),
                        "test_files": len(project.test_files),
                        "unreadable": len(project.unreadable),
                    },
                )
        return found

    steps.reporter.started(Stage.DETECT)
    projects = await steps.step("detect", list[Project], body)
    if not any(project.source_files for project in projects):
        broken = sum(len(project.unreadable) for project in projects)
        names = ", ".join(language_title(language.name) for language in steps.services.languages)
        if broken:
            raise BadInput(f"None of the {broken} source files can be read, so there is nothing to analyse.")
        raise BadInput(
            f"There is no source in {snapshot.name} that can be analysed (looked for {names}).",
            "Drop the folder that holds the source.",
        )
    for project in projects:
        summary = f"{language_title(project.language)}: {len(project.source_files)} source files, {len(project.test_files)} test files"
        if project.unreadable:
            summary += f", {len(project.unreadable)} can't be read"
        steps.reporter.finished(Stage.DETECT, summary)
        for unreadable in project.unreadable[:20]:
            steps.reporter.log(Stage.DETECT, f"Left out {unreadable.path}: {unreadable.reason}")
    return [project for project in projects if project.source_files]


@dataclass(frozen=True)
class Prepared:
    """Result of the step ``image``; ``problem`` says why there is none."""

    image: RuntimeImage | None
    problem: str = ""


async def prepare_images(
    steps: Steps, projects: Sequence[Project]
) -> tuple[list[tuple[Project, RuntimeImage]], tuple[str, ...]]:
    """Each project with its runtime's image, and a sentence for each that goes without and is not analysed.

    Raises ``MissingPrerequisite`` where the project with most source files has none: then nothing is analysed.
    """
    main = max(projects, key=lambda project: len(project.source_files))
    found: list[tuple[Project, RuntimeImage]] = []
    notices = []
    for project in projects:
        prepared = await _prepare_image(steps, project, needed=project is main)
        if prepared.image is not None:
            found.append((project, prepared.image))
        else:
            title = language_title(project.language)
            notices.append(
                f"{len(project.source_files)} source files in {title} were not analysed. {prepared.problem}"
            )
    return found, tuple(notices)


async def _prepare_image(steps: Steps, project: Project, *, needed: bool) -> Prepared:
    """Make sure that the runtime's image is there; recorded with its digest before any result."""

    async def body(context: StepContext) -> Prepared:
        try:
            image = await context.services.sandbox.image(
                project.runtime, lambda line: steps.reporter.log(Stage.IMAGE, line)
            )
        except MissingPrerequisite as error:
            if needed:
                raise
            context.record("image_missing", {"runtime": project.runtime, "language": project.language})
            return Prepared(None, str(error))
        context.record(
            "image",
            {
                "runtime": image.runtime,
                "reference": image.reference,
                "digest": image.digest,
                "recipe": image.recipe,
                "layers": image.layers,
                "tools": dict(image.tools),
                "differences": list(image.differences),
                "isolation": image.isolation,
            },
        )
        return Prepared(image)

    steps.reporter.started(Stage.IMAGE)
    prepared = await steps.step(f"{project.language}.image", Prepared, body)
    image = prepared.image
    steps.reporter.finished(Stage.IMAGE, f"{image.reference} {image.digest[7:19]}" if image else prepared.problem)
    if image is not None and image.isolation:
        steps.reporter.log(Stage.IMAGE, f"Isolation: {image.isolation}.")
    return prepared


async def check_dependencies(steps: Steps, snapshot: Snapshot, project: Project) -> Dependencies:
    """Name what the project imports and the runtime lacks; install it, with network, only if the request allows."""
    language = steps.services.language(project.language)

    async def body(context: StepContext) -> Dependencies:
        result = await context.execute(language.missing_modules_job(snapshot, project))
        missing = tuple(language.read_missing(project, result))
        if not missing:
            return Dependencies()
        wanted = ", ".join(m.requirement for m in missing)
        context.record("missing_dependencies", {"requirements": [m.requirement for m in missing]})
        offline = Path(steps.request.packages) if steps.request.packages else None
        if offline is None and not steps.request.allow_install:
            return Dependencies(
                missing,
                notice=f"The project needs packages that the sandbox lacks: {wanted}. "
                "Code that imports them can't be tested. Run again with --allow-install to install them, or with "
                "--packages and a folder that holds them.",
            )
        lock = _lock_of(steps.source, project)
        listed = await asyncio.to_thread(listing, offline) if offline is not None else b""
        key = cache_key(lock, wanted.encode(), listed)
        folder = _cache(steps) / key
        if not (folder / COMPLETE).exists():
            job = language.install_job(project, missing, lock, offline=offline is not None)
            installed = await context.execute(job, dependencies=offline)
            archive = installed.artefacts.get("deps.tar")
            if archive is None:
                why = installed.problem or _last_words(installed.output)
                words = f"{_not_installed(wanted, offline is not None)} {why}".strip()
                return Dependencies(missing, notice=words, failed=True)
            failed = _failed(installed.artefacts.get("install.json", b""), len(missing))
            refused = await asyncio.to_thread(_unpack, archive, folder, failed)
            if refused:
                return Dependencies(
                    missing, notice=f"The packages {wanted} could not be installed. {refused}", failed=True
                )
        context.record(
            "dependencies_installed", {"lock_digest": key, "requirements": [m.requirement for m in missing]}
        )
        lacking = await asyncio.to_thread((folder / COMPLETE).read_text, encoding="utf-8")
        return Dependencies(
            missing,
            folder=key,
            notice=_not_installed(lacking, offline is not None) if lacking else "",
            failed=bool(lacking),
        )

    steps.reporter.started(Stage.DEPENDENCIES)
    outcome = await steps.step(f"{project.language}.dependencies", Dependencies, body)
    if outcome.folder:
        steps.dependencies = _cache(steps) / outcome.folder / "packages"
    steps.reporter.finished(
        Stage.DEPENDENCIES,
        outcome.notice or (f"{len(outcome.missing)} installed" if outcome.missing else "Nothing is missing"),
    )
    return outcome


def _cache(steps: Steps) -> Path:
    return steps.services.workspace / "dependencies"


def listing(folder: Path) -> bytes:
    """What a folder of packages offers, so that another offer is another set: names and sizes of all files below it, links
    not followed. Raises ``MissingPrerequisite``."""
    found = []
    try:
        for at, folders, names in os.walk(folder, onerror=_raise):
            folders.sort()
            below = os.path.relpath(at, folder)
            found += sorted((below, name, os.lstat(os.path.join(at, name)).st_size) for name in names)  # noqa: PTH118
            if len(found) > MAX_LISTED:
                raise MissingPrerequisite(
                    f"The folder of packages {folder} holds more than {MAX_LISTED} files.",
                    "Name a smaller one with --packages.",
                )
    except OSError as error:
        raise MissingPrerequisite(
            f"The folder of packages {folder} can't be read ({error.strerror}).", "Name it again with --packages."
        ) from error
    return repr(found).encode("utf-8", "surrogateescape")


def _raise(error: OSError) -> None:
    raise error


def _lock_of(source: Path, project: Project) -> bytes:
    if not project.lock_file:
        return b""
    path = (source / project.lock_file).resolve()
    if not path.is_relative_to(source.resolve()):
        return b""
    return path.read_bytes()


def _not_installed(wanted: str, offline: bool) -> str:
    where = " The folder lacks them, or has them for another system or version than the sandbox's." if offline else ""
    return f"The packages {wanted} could not be installed, so code that imports them can't be tested.{where}"


def _last_words(output: str) -> str:
    """The end of what an installer said, each line once, on one line."""
    return " ".join(dict.fromkeys(" ".join(line.split()) for line in output.splitlines()))[-400:]


def _failed(answer: bytes, most: int) -> str:
    """The packages that an install step says it went without, at most ``most``; the answer comes out of a container."""
    try:
        named = json.loads(answer)["failed"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    if not isinstance(named, list):
        return ""
    return ", ".join(one[:100] for one in named[:most] if isinstance(one, str) and one.isprintable())


def _unpack(archive: bytes, folder: Path, failed: str = "") -> str:
    """Unpack what an install step brought; packages are code that only ever runs in the sandbox. ``failed`` is kept with them:
    the next run that takes them over lacks the same. Answers why it was refused, empty where it was not."""
    packages = folder / "packages"
    try:
        packages.mkdir(parents=True, exist_ok=True)
        # Without decompression and sparse files nothing can be larger than the archive.
        with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as tar:
            if sum(member.size for member in tar.getmembers()) > len(archive):
                raise tarfile.TarError("sparse files")
            tar.extractall(packages, filter="data")
        for path in (folder, packages, *packages.rglob("*")):
            # The sandbox's user is another one; a strict umask must not lock it out.
            if not path.is_symlink():
                program = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if program else 0o644)
        (folder / COMPLETE).write_text(failed, encoding="utf-8")
    except (tarfile.TarError, ValueError, ArithmeticError, LookupError, EOFError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        return f"What the installer handed back was refused ({type(error).__name__}), and nothing of it was kept."
    except OSError as error:
        raise MissingPrerequisite(
            f"The installed packages could not be written ({error.strerror}). Nothing that was recorded is lost.",
            "Make room on the disk and run it again.",
        ) from error
    return ""
