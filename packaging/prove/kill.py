"""Prove that an analysis survives kill -9: ten kills at random moments of a real run over the sample repository.

usage: packaging/prove/run.sh kill [KILLS [SEED]]
Writes docs/measurements/kill.md. Needs Docker; takes a few minutes.
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

from tests.integration.engine.killing import Tale, analyse  # noqa: E402


def main() -> int:
    """Answers 0 when nothing was lost, repeated or left."""
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(10**6)
    chance = random.Random(seed)  # noqa: S311 - moments, not secrets
    sample = ROOT / "resources" / "sample"
    tales: list[Tale] = []
    with tempfile.TemporaryDirectory(prefix="qverify-kill-") as folder:
        whole = analyse(Path(folder) / "whole", sample, 0, chance, 0.0)
        print(f"uninterrupted: {whole.seconds:.1f} s, {whole.document['verdict']}", flush=True)
        while (left := kills - sum(len(tale.killed_after_s) for tale in tales)) > 0:
            home = Path(folder) / f"killed-{len(tales)}"
            tales.append(analyse(home, sample, left, chance, 0.8 * whole.seconds))
            print(f"analysis {len(tales)}: killed after {tales[-1].killed_after_s} s", flush=True)
    problems = [problem for tale in tales for problem in _problems(tale, whole)]
    text = _report(tales, whole, seed, problems)
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
    if killed.containers_at_end:
        problems.append(f"{killed.containers_at_end} containers were left.")
    return problems


def _difference(mine: object, its: object) -> str:
    if isinstance(mine, list) and isinstance(its, list):
        return f"only killed {[one for one in mine if one not in its]}, only whole {[one for one in its if one not in mine]}"
    return f"killed {mine}, whole {its}"


def _report(tales: list[Tale], whole: Tale, seed: int, problems: list[str]) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    kills = sum(len(tale.killed_after_s) for tale in tales)
    seconds = sum(tale.seconds for tale in tales)
    return "\n".join(
        [
            "# kill -9 in the midst of an analysis",
            "",
            f"`make prove-kill`, commit {commit}, {platform.platform()}, {os.cpu_count()} cores, "
            f"Python {platform.python_version()}, seed {seed}.",
            "The sample repository is analysed once without interruption, then again and again with a kill at a random moment",
            "and the same command given anew until it ends. A witness inside the process notes each step whose body begins;",
            "what is checkpointed is read from `workflows.db` between the starts.",
            "",
            f"Uninterrupted: {whole.seconds:.1f} s. {len(tales)} analyses with {kills} kills: {seconds:.1f} s.",
            "",
            "| analysis | killed after s | steps begun by that process | containers left by the kill |",
            "|---|---|---|---|",
            *(row for number, tale in enumerate(tales, start=1) for row in _rows(number, tale)),
            "",
            f"Verdict of every one: {whole.document['verdict']}, exit code {whole.document['exit_code']}.",
            "",
            *(
                [f"**{problem}**" for problem in problems]
                or ["Same verdict, no checkpointed step repeated, nothing left."]
            ),
            "",
        ]
    )


def _rows(number: int, tale: Tale) -> list[str]:
    rows = []
    for index, begun in enumerate(tale.begun):
        was_killed = index < len(tale.killed_after_s)
        when = str(tale.killed_after_s[index]) if was_killed else "ended by itself"
        left = tale.containers_after_kill[index] if was_killed else tale.containers_at_end
        rows.append(f"| {number} | {when} | {', '.join(begun) or 'none'} | {left} |")
    return rows


if __name__ == "__main__":
    sys.exit(main())
