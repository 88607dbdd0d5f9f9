"""Kill an analysis at random moments, start it again, and see whether anything was lost or done twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qverify_desktop.engine.durable import DATABASE_NAME
from qverify_desktop.sandbox.owner import OWNER, Owner

#: Seconds from a process's start until the first step begins, measured on two cores; an earlier kill proves less.
START_SECONDS = 1.5


@dataclass
class Tale:
    """What happened: seconds at which each process was killed, steps begun by each, containers found after each kill."""

    document: dict[str, Any] = field(default_factory=dict)
    killed_after_s: list[float] = field(default_factory=list)
    begun: list[list[str]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    containers_after_kill: list[int] = field(default_factory=list)
    containers_at_end: int = 0
    seconds: float = 0.0

    def judgement(self) -> dict[str, Any]:
        """What must be the same whatever was killed."""
        keep = ("verdict", "exit_code", "refused", "coverage", "mutation")
        defects = sorted((d["file"], d["symbol"], d["call"]) for d in self.document["suspected_defects"])
        tests = sorted((t["path"], t["name"], t["verdict"], t["reason"]) for t in self.document["tests"])
        return {**{key: self.document[key] for key in keep}, "defects": defects, "tests": tests}


def analyse(home: Path, source: Path, kills: int, chance: random.Random, reach_s: float) -> Tale:
    """Start the same command until it ends by itself, killing it at most the first ``kills`` times.

    Each kill falls anywhere in the first ``reach_s`` seconds after that process began its work.
    """
    tale = Tale()
    began = time.monotonic()
    witness = home.parent / f"{home.name}.witness"
    for attempt in range(kills + 1):
        done = checkpointed(home)
        seen = len(_lines(witness))
        process = _start(home, source, witness)
        output = ""
        if attempt < kills:
            wait = START_SECONDS + chance.uniform(0, reach_s)
            with contextlib.suppress(subprocess.TimeoutExpired):
                output, _ = process.communicate(timeout=wait)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                tale.killed_after_s.append(round(wait, 2))
                tale.containers_after_kill.append(len(containers(home)))
        else:
            output, _ = process.communicate(timeout=900)
        begun = _lines(witness)[seen:]
        tale.begun.append([line.partition(" ")[2] for line in begun])
        tale.repeated += [name for name in begun if name in done]
        if process.returncode != -signal.SIGKILL:
            tale.document = json.loads(output)
            break
    tale.containers_at_end = len(containers(home))
    tale.seconds = time.monotonic() - began
    return tale


def checkpointed(home: Path) -> set[str]:
    """Run and name of each step whose result the workflow database holds, read past the application."""
    if not (home / DATABASE_NAME).exists():
        return set()
    with contextlib.closing(sqlite3.connect(home / DATABASE_NAME)) as connection:
        try:
            rows = connection.execute(
                "SELECT workflow_uuid, function_name FROM operation_outputs WHERE output IS NOT NULL"
            )
            return {f"{run} {name}" for run, name in rows}
        except sqlite3.OperationalError:
            return set()


def containers(home: Path) -> list[str]:
    """Containers, running or not, that belong to the state folder, as the docker command lists them."""
    label = f"label={OWNER}={Owner.of(home).id}"
    listed = subprocess.run(
        ["docker", "ps", "-aq", "--filter", label], check=True, capture_output=True, text=True, timeout=60
    )
    return listed.stdout.split()


def _start(home: Path, source: Path, witness: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.engine.witness", "analyze", str(source), "--json"],
        env={**os.environ, "QVERIFY_HOME": str(home), "WITNESS": str(witness)},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
