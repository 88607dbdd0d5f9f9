"""The doctor: looks at this machine, says what is missing in sentences, and mends what it can when asked to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qverify_desktop.diagnostics.checks import OK, WARNING, Check, Finding, Machine
from qverify_desktop.diagnostics.reduced import checks_for
from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.execution import SandboxKind
from qverify_desktop.settings.configuration import Configuration


async def examine(home: Path, fix: bool = False, checks: Sequence[Check] | None = None) -> list[dict[str, Any]]:
    """Every check as ``id``, ``title``, ``state``, ``sentence``, ``remedy``, ``fixable``; never raises.

    Checks run side by side, each with a time-out. With ``fix`` what can be mended is mended in order, and looked at again.
    """
    machine, kind = await asyncio.to_thread(_configured, home)
    checks = checks_for(kind) if checks is None else checks
    findings = list(await asyncio.gather(*(_look(check, machine) for check in checks)))
    if fix:
        for place, check in enumerate(checks):
            # What stood before may have been the cause: an image can be built once Docker answers.
            finding = await _look(check, machine) if findings[place].state != OK else findings[place]
            findings[place] = await _mend(check, machine, finding) if finding.fixable else finding
    return [_described(check, finding) for check, finding in zip(checks, findings, strict=True)]


async def mend_one(home: Path, id: str, checks: Sequence[Check] | None = None) -> list[dict[str, Any]]:
    """Mend one check and look at all again, as ``examine`` does. Raises ``BadInput`` for one that can't be mended."""
    machine, kind = await asyncio.to_thread(_configured, home)
    checks = checks_for(kind) if checks is None else checks
    check = next((one for one in checks if one.id == id), None)
    if check is None or check.mend is None:
        raise BadInput(f"The check {id!r} can't be fixed from here.", "Do what its line says.")
    finding = await _look(check, machine)
    if finding.fixable:
        mended = await _mend(check, machine, finding)
        if mended.state != OK:
            raise QVerifyError(mended.sentence, mended.remedy)
    return await examine(home, checks=checks)


def _configured(home: Path) -> tuple[Machine, SandboxKind]:
    try:
        configuration = Configuration.load(home=home)
    except QVerifyError:
        # The check of the settings says it. What can't be read may hold an air gap.
        closed = Gate(Policy(air_gap=True))
        return Machine(home, gate=closed), SandboxKind.DOCKER
    return Machine(home, configuration.docker_host, Gate(configuration.policy)), configuration.sandbox


async def _look(check: Check, machine: Machine) -> Finding:
    try:
        async with asyncio.timeout(check.patience_s):
            return await check.look(machine)
    except TimeoutError:
        return Finding(
            WARNING, f"Looking took longer than {check.patience_s:g} seconds and was given up.", "Try again."
        )
    except QVerifyError as error:
        return Finding(WARNING, error.sentence, error.remedy)
    except Exception as error:  # noqa: BLE001  (the doctor is for machines where anything may be broken)
        return Finding(WARNING, f"This could not be looked at ({type(error).__name__}).", "Try again.")


async def _mend(check: Check, machine: Machine, before: Finding) -> Finding:
    if check.mend is None:
        return before
    problem = ""
    try:
        async with asyncio.timeout(check.mending_s):
            await check.mend(machine)
    except TimeoutError:
        problem = f"Mending it took longer than {check.mending_s:g} seconds and was given up."
    except QVerifyError as error:
        problem = str(error)
    except Exception as error:  # noqa: BLE001  (as above)
        problem = f"Mending it failed ({type(error).__name__})."
    after = await _look(check, machine)
    if after.state == OK or not problem:
        return after
    return Finding(after.state, f"{after.sentence} {problem}", after.remedy, after.fixable)


def _described(check: Check, finding: Finding) -> dict[str, Any]:
    return {"id": check.id, "title": check.title, **asdict(finding)}
