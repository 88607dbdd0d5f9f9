"""Stage report, first half: keep what a person may want to look at later, because the snapshot goes when the run ends."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from qverify_desktop.analysis.judge import Tried
from qverify_desktop.analysis.mutation import Matrix
from qverify_desktop.analysis.steps import StepContext, Steps
from qverify_desktop.domain.details import FileDetails, RunDetails
from qverify_desktop.domain.project import Project
from qverify_desktop.domain.testing import FileCoverage

#: Source that is kept of one file and of a run, bytes.
MOST_FILE_BYTES = 1024 * 1024
MOST_BYTES = 32 * 1024 * 1024


def step_name(language: str) -> str:
    """The step in which a language's details are recorded."""
    return f"{language}.details"


async def keep_details(
    steps: Steps,
    project: Project,
    tried: Sequence[Tried],
    matrix: Matrix,
    before: Mapping[str, FileCoverage],
    after: Mapping[str, FileCoverage],
) -> None:
    """Record the details of one language as a step of their own; nothing of it is evidence."""

    async def body(context: StepContext) -> RunDetails:
        files = await asyncio.to_thread(_files, context.source, project, before, after)
        return RunDetails(
            files=files,
            mutants=matrix.mutants,
            killed_by=dict(matrix.killed_by or {}),
            reached={one.test.id: dict(one.footprint.lines) for one in tried},
        )

    await steps.step(step_name(project.language), RunDetails, body)


def _files(
    root: Path, project: Project, before: Mapping[str, FileCoverage], after: Mapping[str, FileCoverage]
) -> tuple[FileDetails, ...]:
    files, total = [], 0
    for path in project.source_files:
        text, left_out = _read(root.joinpath(*path.split("/")), MOST_BYTES - total)
        total += len(text)
        covered = [side.get(path, FileCoverage()) for side in (before, after)]
        files.append(FileDetails(path, project.language, text, left_out, *covered))
    return tuple(files)


def _read(file: Path, room: int) -> tuple[str, str]:
    """The text and an empty reason, or no text and the reason."""
    try:
        content = file.read_bytes()
    except OSError as error:
        return "", f"The file could not be read again ({error.strerror})."
    if len(content) > MOST_FILE_BYTES:
        return "", "The file is larger than 1 MiB, so its text was not kept."
    if len(content) > room:
        return "", "The run's files are larger than 32 MiB in all, so the text of this one was not kept."
    return content.decode("utf-8", "replace"), ""
