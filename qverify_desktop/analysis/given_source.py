"""The source that an auditor gives for a bundle: is it what was analysed, or does its repository have that?"""

from __future__ import annotations

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

from qverify_desktop.analysis.claims import Claims
from qverify_desktop.analysis.steps import Steps
from qverify_desktop.analysis.threads import in_stoppable_thread
from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.progress import Stage
from qverify_desktop.domain.project import Snapshot


async def as_analysed(steps: Steps, claims: Claims, given: Snapshot) -> tuple[Snapshot, str]:
    """The files whose tree is that of the bundle: as they were given, at the run's commit, or that with the uncommitted changes
    that the bundle holds. Raises ``BadInput`` where none of them is it."""
    if given.tree == claims.tree:
        return given, "as_given"
    for layout, patch in (("commit", b""), ("commit_and_changes", claims.patch)):
        if not claims.commit or given.commit is None or (layout != "commit" and not patch):
            continue
        found = await _at_commit(steps, given, claims.commit, patch)
        if found is not None and found.tree == claims.tree:
            await asyncio.to_thread(_put_in_place, Path(found.root), steps.source)
            steps.reporter.log(Stage.INTAKE, f"The files are those of commit {claims.commit[:12]}.")
            return replace(found, root=str(steps.source)), layout
    raise BadInput(
        f"The source is not what was analysed: its tree is {given.tree[:12]}, and the bundle says {claims.tree[:12]}. Nothing was run.",
        _what_to_give(claims),
    )


def _what_to_give(claims: Claims) -> str:
    if not claims.commit:
        return f"Name the folder as it was (in the bundle: {claims.origin}) with --source."
    with_changes = ""
    if claims.dirty:
        held = "lie in the bundle, but without their secrets" if claims.patch else "are not in the bundle"
        with_changes = f" The run also had uncommitted changes; they {held}."
    return f"Clone it with its history, check out {claims.commit[:12]}, and name that folder with --source.{with_changes}"


async def _at_commit(steps: Steps, given: Snapshot, commit: str, patch: bytes) -> Snapshot | None:
    """The files at a commit of the given repository; ``None`` where it does not have them."""
    repositories, folder = steps.services.repositories, steps.folder / "at"
    await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
    try:
        return await in_stoppable_thread(
            lambda stop: repositories.snapshot_at(given, steps.folder, commit, folder, stop, patch=patch)
        )
    except BadInput:
        return None


def _put_in_place(found: Path, source: Path) -> None:
    shutil.rmtree(source)
    found.rename(source)
