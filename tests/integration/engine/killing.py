"""Kill an analysis again and again, start it anew, and see whether anything was lost, done twice, or left.

It is killed in one of two doors: the command that analyses, or the window that a command has analyse.
"""

from __future__ import annotations

import collections
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.engine.durable import DATABASE_NAME
from qverify_desktop.engine.lock import HomeLock
from qverify_desktop.sandbox.owner import OWNER, Owner

#: Seconds from a process's start until the first step begins, measured on two cores; an earlier kill proves less.
START_SECONDS = 1.5
#: Seconds until a window or a step that does not come counts as hung.
PATIENCE_S = 90.0
VERIFIER = resources_root() / "qverify_desktop" / "evidence" / "verify.py"


@dataclass
class Tale:
    """What happened: each kill with the seconds after its process began and the step in which it fell, steps begun by each
    process, containers found after each kill, what the bundle's stand-alone verifier says, and the log's events by step."""

    document: dict[str, Any] = field(default_factory=dict)
    killed_after_s: list[float] = field(default_factory=list)
    killed_in: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    begun: list[list[str]] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    locks_left: int = 0
    containers_after_kill: list[int] = field(default_factory=list)
    containers_at_end: int = 0
    seconds: float = 0.0
    grade: str = ""
    events: collections.Counter[str] = field(default_factory=collections.Counter)

    def judgement(self) -> dict[str, Any]:
        """What must be the same whatever was killed."""
        keep = ("verdict", "exit_code", "refused", "coverage", "mutation")
        defects = sorted((d["file"], d["symbol"], d["call"]) for d in self.document["suspected_defects"])
        tests = sorted((t["path"], t["name"], t["verdict"], t["reason"]) for t in self.document["tests"])
        log = sorted(self.events.items())
        return {**{key: self.document[key] for key in keep}, "defects": defects, "tests": tests, "log": log}


@dataclass
class Attempt:
    """One start: ``victim`` is the process to be killed, ``asked`` the command whose answer is waited for."""

    victim: subprocess.Popen[str]
    asked: subprocess.Popen[str]
    began: float = field(default_factory=time.monotonic)


Door = Callable[[Path, Path, Path], Attempt]
#: Says by the lines of the witness that this process wrote, and the seconds since it began its work, whether to kill now.
When = Callable[[list[str], float], bool]


def by_command(home: Path, source: Path, witness: Path) -> Attempt:
    """The command that owns the state folder and analyses by itself."""
    command = started(["analyze", str(source), "--json"], home, witness)
    return Attempt(command, command)


def in_window(display: str) -> Door:
    """A window on ``display`` that owns the state folder, and a command that has it analyse."""

    def start(home: Path, source: Path, witness: Path) -> Attempt:
        window = started([], home, witness, DISPLAY=display, QT_QPA_PLATFORM="xcb")
        until = time.monotonic() + PATIENCE_S
        while HomeLock(home).owner() != window.pid and time.monotonic() < until:
            assert window.poll() is None, "the window did not open"
            time.sleep(0.05)
        return Attempt(window, started(["analyze", str(source), "--json"], home, witness))

    return start


@contextlib.contextmanager
def display() -> Iterator[str]:
    """A display of its own; answers its name."""
    reading, writing = os.pipe()
    line = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    server = subprocess.Popen(line, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            yield f":{told.readline().strip()}"
    finally:
        server.terminate()
        server.wait()


def started(words: list[str], home: Path, witness: Path, **more: str) -> subprocess.Popen[str]:
    """A command, or without ``words`` a window, with a witness."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.integration.engine.witness", *words],
        env={**os.environ, "QVERIFY_HOME": str(home), "WITNESS": str(witness), **more},
        stdout=subprocess.PIPE if words else subprocess.DEVNULL,
        stderr=subprocess.PIPE if words else subprocess.DEVNULL,
        text=True,
    )


def after(seconds: float) -> When:
    """Kill when the process has worked for so long."""
    return lambda _begun, worked: worked >= seconds


def within(step: str, seconds: float) -> When:
    """Kill when ``step`` has gone on for so long."""
    reached: list[float] = []

    def now(begun: list[str], worked: float) -> bool:
        if not reached and step in begun:
            reached.append(worked)
        return bool(reached) and worked - reached[0] >= seconds

    return now


def in_each_step(chance: random.Random, most_s: float = 0.1) -> When:
    """For start after start: kill in the next step in which none fell yet, at most so long after it began."""
    met: set[str] = set()
    aimed: dict[str, float] = {}

    def now(begun: list[str], worked: float) -> bool:
        step = begun[-1] if begun else ""
        if not step or step in met:
            return False
        if step not in aimed:
            aimed.clear()
            aimed[step] = worked + chance.uniform(0, most_s)
        if worked < aimed[step]:
            return False
        met.add(step)
        return True

    return now


def analyse(home: Path, source: Path, kills: list[When], door: Door = by_command) -> Tale:
    """Start the same until it ends by itself, with one of ``kills`` for each start. One that comes too late kills nothing."""
    tale = Tale()
    began = time.monotonic()
    witness = home.parent / f"{home.name}.witness"
    for when in [*kills, None]:
        done = checkpointed(home)
        seen = len(_lines(witness))
        attempt = door(home, source, witness)
        killed = when is not None and kill(attempt, when, witness, seen)
        output, error = attempt.asked.communicate(timeout=900)
        begun = _lines(witness)[seen:]
        tale.begun.append([line.partition(" ")[2] for line in begun])
        tale.repeated += [name for name in begun if name in done]
        if killed:
            tale.killed_after_s.append(round(time.monotonic() - attempt.began, 2))
            tale.killed_in.append(tale.begun[-1][-1] if begun else "")
            tale.containers_after_kill.append(len(containers(home)))
            tale.locks_left += _locked(home)
            tale.said.append(error.strip().splitlines()[-1] if attempt.asked is not attempt.victim and error else "")
            # A command that had not reached its window yet owns the folder itself then, and goes on to the end.
            if not _finished(output):
                continue
        tale.document = json.loads(output)
        if attempt.victim is not attempt.asked and not killed:
            attempt.victim.terminate()
            attempt.victim.wait(60)
        break
    tale.containers_at_end = len(containers(home))
    tale.seconds = time.monotonic() - began
    tale.grade = _graded(Path(tale.document["bundle"]))
    tale.events = events(home, str(tale.document["run"]))
    return tale


def _finished(output: str) -> bool:
    return bool(output) and "verdict" in json.loads(output)


def kill(attempt: Attempt, now: When, witness: Path, seen: int = 0) -> bool:
    """Whether it was killed before it ended."""
    began = time.monotonic() + START_SECONDS
    until = began + PATIENCE_S
    while attempt.asked.poll() is None and time.monotonic() < until:
        begun = [line.partition(" ")[2] for line in _lines(witness)[seen:]]
        if now(begun, time.monotonic() - began):
            attempt.victim.send_signal(signal.SIGKILL)
            attempt.victim.wait()
            return True
        time.sleep(0.01)
    return False


def _locked(home: Path) -> bool:
    lock = HomeLock(home)
    free = lock.acquire()
    lock.release()
    return not free


def _graded(bundle: Path) -> str:
    """What the file for auditors says of the bundle, in a process that knows nothing of the application."""
    line = [sys.executable, "-I", str(VERIFIER), str(bundle), "--json"]
    answer = json.loads(subprocess.run(line, capture_output=True, text=True, timeout=60, check=False).stdout)
    return str(answer["grade"]) if answer["valid"] else f"INVALID {answer['problems']}"


def events(home: Path, run: str) -> collections.Counter[str]:
    """How many events of each type each step of the run has in the log."""
    with contextlib.closing(sqlite3.connect(home / "qverify.db")) as connection:
        rows = connection.execute("SELECT step || ' ' || type FROM entries WHERE run = ?", (run,))
        return collections.Counter(str(row) for (row,) in rows)


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


def random_moments(kills: int, chance: random.Random, reach_s: float) -> list[When]:
    """Kills anywhere in the first ``reach_s`` seconds of a process's work."""
    return [after(chance.uniform(0, reach_s)) for _ in range(kills)]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
