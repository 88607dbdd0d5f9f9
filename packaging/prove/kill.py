"""Prove that an analysis survives kill -9: a real run (over the sample repository) is killed at random moments and once in each of its
steps, in the command that analyses and in the window that a command has analyse.

usage: packaging/prove/run.sh kill [KILLS [SEED [FOLDER]]]
KILLS (10) is the number of random ones in each door; FOLDER is analysed instead of the sample repository. Writes docs/measurements/kill.md. Needs Docker and Xvfb; takes a quarter of an hour.
"""

from __future__ import annotations

import os
import platform
import random
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.integration.engine import killing  # noqa: E402
from tests.integration.engine.killing import Door, Tale, When, analyse  # noqa: E402

#: Random kills of one analysis: with more of them it would hardly get on.
AT_ONCE = 5
#: Seconds of a process's work in which a random kill falls.
REACH_S = 15.0


def main() -> int:
    """Answers 0 when nothing was lost, repeated or left."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    source = Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else ROOT / "resources" / "sample"
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    told: dict[str, Tale] = {}
    with tempfile.TemporaryDirectory(prefix="qverify-kill-") as folder, killing.display() as display:
        whole = analyse(Path(folder) / "whole", source, [])
        steps = list(dict.fromkeys(name for begun in whole.begun for name in begun))
        print(f"uninterrupted: {whole.seconds:.1f} s, {whole.document['verdict']}, {len(steps)} steps", flush=True)
        doors: dict[str, Door] = {"window": killing.in_window(display), "command": killing.by_command}
        for name, door in doors.items():
            plans: list[list[When]] = [
                killing.random_moments(min(AT_ONCE, kills - first), chance, min(REACH_S, 0.5 * whole.seconds))
                for first in range(0, kills, AT_ONCE)
            ]
            plans.append([killing.in_each_step(chance)] * len(steps))
            for plan in plans:
                label = f"{name} {1 + sum(one.startswith(name) for one in told)}"
                told[label] = analyse(Path(folder) / label, source, plan, door)
                print(f"{label}: killed in {', '.join(told[label].killed_in)}", flush=True)
    problems = [f"{label}: {problem}" for label, tale in told.items() for problem in _problems(tale, whole)]
    text = _report(told, whole, f"{source.name}, seed {seed}", problems)
    (ROOT / "docs" / "measurements" / "kill.md").write_text(text)
    print(text)
    return 1 if problems else 0


def _problems(killed: Tale, whole: Tale) -> list[str]:
    problems = []
    mine, its = killed.judgement(), whole.judgement()
    for part in (name for name in its if mine[name] != its[name]):
        problems.append(f"A killed analysis differs in its {part}: {_difference(mine[part], its[part])}.")
    if killed.repeated:
        problems.append(f"Checkpointed steps ran again: {', '.join(killed.repeated)}.")
    if killed.grade != whole.grade:
        problems.append(f"The bundle is {killed.grade}.")
    if killed.locks_left:
        problems.append(f"{killed.locks_left} locks were left.")
    if killed.containers_at_end:
        problems.append(f"{killed.containers_at_end} containers were left.")
    return problems


def _difference(mine: object, its: object) -> str:
    if isinstance(mine, list) and isinstance(its, list):
        return f"only killed {[one for one in mine if one not in its]}, only whole {[one for one in its if one not in mine]}"
    return f"killed {mine}, whole {its}"


def _report(told: dict[str, Tale], whole: Tale, given: str, problems: list[str]) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    kills = sum(len(tale.killed_after_s) for tale in told.values())
    seconds = sum(tale.seconds for tale in told.values())
    steps = {name for begun in whole.begun for name in begun}
    missed = {
        door: sorted(
            steps - {step for label, tale in told.items() if label.startswith(door) for step in tale.killed_in}
        )
        for door in ("window", "command")
    }
    said = sorted({one for tale in told.values() for one in tale.said if one})
    return "\n".join(
        [
            "# kill -9 in the midst of an analysis",
            "",
            f"`make prove-kill`, commit {commit}, {platform.platform()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, {given}.",
            "A repository is analysed once without interruption, then again and again with kills, in two doors: the command that",
            "analyses by itself, and the window that a command has analyse (the window is killed). After each kill the same is started anew, until",
            "it ends. The last analysis of each door is killed once in each step, the others at random moments. A witness inside the process notes",
            "each step whose body begins; what is checkpointed is read from `workflows.db` between the starts. At the end tests, verdict, figures and",
            "the number of events of each type in each step of the log are compared with the uninterrupted run's, and the file for auditors",
            "verifies the bundle.",
            "",
            f"Uninterrupted: {whole.seconds:.1f} s, {len(steps)} steps. {len(told)} analyses with {kills} kills: {seconds:.1f} s.",
            "",
            "| analysis | killed in (seconds after its start) | containers left by a kill |",
            "|---|---|---|",
            *(_row(label, tale) for label, tale in told.items()),
            "",
            f"Verdict of every one: {whole.document['verdict']}, exit code {whole.document['exit_code']}.",
            *(
                f"Steps in which no kill of a {door} fell: {', '.join(names) or 'none'}."
                for door, names in missed.items()
            ),
            *(f"A command whose window was killed says: \u201c{one}\u201d" for one in said),
            "",
            *(
                [f"**{problem}**" for problem in problems]
                or [
                    "Same verdict and log, every bundle verifies, no checkpointed step repeated, no lock and no container left."
                ]
            ),
            "",
        ]
    )


def _row(label: str, tale: Tale) -> str:
    kills = zip(tale.killed_in, tale.killed_after_s, strict=True)
    told = ", ".join(f"{step or 'before the first'} ({seconds:g})" for step, seconds in kills)
    return f"| {label} | {told or 'ended before a kill'} | {max(tale.containers_after_kill, default=0)} at most, {tale.containers_at_end} at the end |"


if __name__ == "__main__":
    sys.exit(main())
