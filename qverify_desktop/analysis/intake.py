"""Stages intake, detect and image: from what a person dropped to a project that can be run."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from qverify_desktop.analysis.secrets import Mask
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.errors import BadInput, MissingPrerequisite
from qverify_desktop.domain.execution import RuntimeImage
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Project, Snapshot, language_title

#: Characters of uncommitted changes that are searched for secrets, and so shown in the evidence.
MOST_PATCH = 4 * 1024 * 1024


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
