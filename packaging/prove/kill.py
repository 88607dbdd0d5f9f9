"""Prove that an analysis survives kill -9: ten kills at random moments of a real run over the sample repository.

usage: packaging/prove/run.sh kill [KILLS [SEED]]
Writes docs/measurements/kill.md. Needs Docker; takes a few minutes.
"""

from __future__ import annotations

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
    with tempfile.TemporaryDirectory(prefix="qverify-kill-") as folder:
        whole = analyse(Path(folder) / "whole", sample, [], 0, chance, 0.0)
        print(f"uninterrupted: {whole.seconds:.1f} s, {whole.document['verdict']}", flush=True)
        killed = analyse(Path(folder) / "killed", sample, [], kills, chance, whole.seconds)
    problems = _problems(killed, whole)
    text = _report(killed, whole, seed, problems)
    (ROOT / "docs" / "measurements" / "kill.md").write_text(text)
    print(text)
    return 1 if problems else 0


def _problems(killed: Tale, whole: Tale) -> list[str]:
    problems = []
    if killed.judgement() != whole.judgement():
        problems.append("The verdict of the killed run differs from that of the uninterrupted one.")
    if killed.repeated:
        problems.append(f"Checkpointed steps ran again: {', '.join(killed.repeated)}.")
    if killed.containers_at_end:
        problems.append(f"{killed.containers_at_end} containers were left.")
    if not killed.killed_after_s:
        problems.append("The run ended before it could be killed.")
    return problems


def _report(killed: Tale, whole: Tale, seed: int, problems: list[str]) -> str:
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    rows = [
        f"| {number} | {after} | {', '.join(begun) or 'none'} | {left} |"
        for number, (after, begun, left) in enumerate(
            zip(killed.killed_after_s, killed.begun, killed.containers_after_kill, strict=False), start=1
        )
    ]
    last = killed.begun[-1] if len(killed.begun) > len(killed.killed_after_s) else []
    return "\n".join(
        [
            "# kill -9 in the midst of an analysis",
            "",
            f"`make prove-kill`, commit {commit}, {platform.platform()}, Python {platform.python_version()}, seed {seed}.",
            "The sample repository is analysed once without interruption and once killed again and again; each start is the",
            "same command. A step that begins is noted by a witness inside the process, what is checkpointed is read from",
            "`workflows.db` between the starts.",
            "",
            f"Uninterrupted: {whole.seconds:.1f} s. With {len(killed.killed_after_s)} kills: {killed.seconds:.1f} s.",
            "",
            "| kill | after s | steps begun by that process | containers left by the kill |",
            "|---|---|---|---|",
            *rows,
            "",
            f"The last process began: {', '.join(last) or 'none'}. Containers left after its end: {killed.containers_at_end}.",
            f"Verdict: {killed.document['verdict']}, exit code {killed.document['exit_code']}.",
            "",
            *(
                [f"**{problem}**" for problem in problems]
                or ["Same verdict, no checkpointed step repeated, nothing left."]
            ),
            "",
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
