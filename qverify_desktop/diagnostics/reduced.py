"""The doctor's checks where a person has chosen bubblewrap: an engine is not needed then, and its absence no finding."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from qverify_desktop.diagnostics.checks import BLOCKING, CHECKS, OK, WARNING, Check, Finding, Machine
from qverify_desktop.domain.execution import SandboxKind
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.sandbox.bubblewrap import BubblewrapSandbox
from qverify_desktop.sandbox.owner import Owner

_RUNTIME = "python"
#: Checks that ask a container engine.
_OF_ENGINES = ("docker", "isolation", "image")


@asynccontextmanager
async def _sandbox(machine: Machine) -> AsyncIterator[BubblewrapSandbox]:
    made = BubblewrapSandbox(
        resources_root(), Owner.of(machine.home), 1, base_url=machine.docker_host or None, gate=machine.gate
    )
    try:
        yield made
    finally:
        await made.close()


async def look_at_bubblewrap(machine: Machine) -> Finding:
    """bubblewrap makes sandboxes on this machine, and what it can't limit."""
    async with _sandbox(machine) as sandbox:
        reason = await sandbox.available()
        if reason:
            return Finding(BLOCKING, reason, await sandbox.remedy())
        return Finding(OK, f"bubblewrap makes sandboxes. {await sandbox.label()}")


async def look_at_root(machine: Machine) -> Finding:
    """The root file system of the first runtime is there."""
    async with _sandbox(machine) as sandbox:
        found = await asyncio.to_thread(sandbox.find, _RUNTIME)
    if found is None:
        return Finding(
            WARNING,
            "There is no root file system for Python yet; the first analysis takes it from a Docker Engine, where one has it. "
            "Elsewhere it comes in a file that `qverify runtimes save FILE` wrote on a machine with Docker.",
            "qverify runtimes import FILE",
            fixable=True,
        )
    return Finding(OK, f"The root file system of {found.reference} is there.")


async def take_root(machine: Machine) -> None:
    """Take the root file system from an engine. Raises ``MissingPrerequisite`` where none has it."""
    async with _sandbox(machine) as sandbox:
        await sandbox.image(_RUNTIME)


def checks_for(kind: SandboxKind) -> Sequence[Check]:
    """The checks of a machine on which runs are made in this kind of sandbox, in their order."""
    if kind is SandboxKind.DOCKER:
        return CHECKS
    kept = [check for check in CHECKS if check.id not in _OF_ENGINES]
    place = next((at for at, check in enumerate(CHECKS) if check.id in _OF_ENGINES), len(kept))
    reduced = [
        Check("bubblewrap", "bubblewrap (reduced isolation)", look_at_bubblewrap),
        Check("root", "Python root file system", look_at_root, take_root, mending_s=600.0),
    ]
    return [*kept[:place], *reduced, *kept[place:]]
