"""Proof: projects that nobody here wrote go the whole way, and a planted contradiction is named, alone.

Fetches source distributions with pip, analyses each with no model, verifies each bundle in a process with no state, and writes
``docs/measurements/real-projects.md``. Run it by ``make prove-real-projects``.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from backports import tarfile

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = (
    "docstring-parser==0.18.0",
    "python-string-utils==1.0.0",
    "stringcase==1.2.0",
    "isodate==0.7.2",
    "codetiming==1.4.0",
)
#: The planted bug: a lower camel case word loses a letter, against the docstring's ``camelize("device_type", False)``.
PLANTED = "inflection==0.5.1"
RIGHT, WRONG = "camelize(string)[1:]", "camelize(string)[2:]"


@dataclass(frozen=True)
class Outcome:
    """One project's analysis. ``verified`` is the exit code of ``qverify verify``."""

    name: str
    exit_code: int
    wall_s: float
    document: dict[str, Any]
    verified: int


def fetch(requirement: str, folder: Path) -> Path:
    """Download and unpack a source distribution. pip asks its build back end for metadata, so only name projects you trust."""
    target = folder / requirement.partition("==")[0]
    target.mkdir()
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-binary",
            ":all:",
            "--no-deps",
            "-d",
            str(target),
            requirement,
        ],
        check=True,
    )
    (archive,) = target.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(target, filter="data")
    archive.unlink()
    (source,) = target.iterdir()
    return source


def analyse(name: str, source: Path, folder: Path) -> Outcome:
    began = time.monotonic()
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "qverify_desktop.cli",
            "analyze",
            str(source),
            "--json",
            "--out",
            str(folder / f"{name}-out"),
        ],
        env={**os.environ, "QVERIFY_HOME": str(folder / "home")},
        stdout=subprocess.PIPE,
    )
    wall = time.monotonic() - began
    document = json.loads(run.stdout)
    verify = subprocess.run(
        [sys.executable, "-m", "qverify_desktop.cli", "verify", document["bundle"], "--json"],
        env={**os.environ, "QVERIFY_HOME": str(folder / "nowhere")},
        stdout=subprocess.DEVNULL,
    )
    return Outcome(name, run.returncode, wall, document, verify.returncode)


def row(outcome: Outcome) -> str:
    document = outcome.document

    def change(before: float | None, after: float | None) -> str:
        return " to ".join("none" if value is None else f"{value * 100:.1f} %" for value in (before, after))

    coverage = document["coverage"]
    cells = (
        outcome.name,
        outcome.exit_code,
        document["accepted"],
        sum(document["refused"].values()),
        len(document["suspected_defects"]),
        change(coverage["before"]["lines"], coverage["after"]["lines"]),
        change(coverage["before"]["branches"], coverage["after"]["branches"]),
        change(document["mutation"]["before"], document["mutation"]["after"]),
        f"{outcome.wall_s:.0f} s",
        "whole" if outcome.verified == 0 else "NOT whole",
    )
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def page(outcomes: list[Outcome]) -> str:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    lines = [
        "# Real projects, no model",
        "",
        f"Made by `make prove-real-projects` at commit `{commit}`: source distributions as they are, and a copy of {PLANTED} with one",
        "planted contradiction (`camelize(string)[2:]`). Analysed with no model, seed 0.",
        "",
        f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}.",
        "",
        "| project | exit | accepted | refused | suspected | lines | branches | mutants noticed | wall | bundle |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(row(outcome) for outcome in outcomes),
        "",
        "## Suspected defects",
        "",
    ]
    for outcome in outcomes:
        for defect in outcome.document["suspected_defects"]:
            words = " ".join(defect["evidence_text"].split())
            lines.append(
                f"- {outcome.name}, `{defect['symbol']}`: `{defect['call']}` gives `{defect['observed']}`, the words in "
                f"{defect['evidence_file']}:{defect['evidence_line']} say `{defect['expected']}` (`{words}`)."
            )
    return "\n".join(lines) + "\n"


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="qverify-real-") as name:
        folder = Path(name)
        outcomes = [analyse(r.partition("==")[0], fetch(r, folder), folder) for r in PROJECTS]
        planted = fetch(PLANTED, folder)
        module = planted / "inflection/__init__.py"
        text = module.read_text("utf-8")
        if text.count(RIGHT) != 1:
            print("The place for the planted bug was not found.", file=sys.stderr)
            return 2
        module.write_text(text.replace(RIGHT, WRONG), "utf-8")
        outcomes.append(analyse("inflection-planted", planted, folder))
    report = page(outcomes)
    (ROOT / "docs/measurements/real-projects.md").write_text(report, "utf-8")
    print(report)
    symbols = {defect["symbol"] for defect in outcomes[-1].document["suspected_defects"]}
    good = all(o.verified == 0 and o.document["accepted"] > 0 for o in outcomes)
    return 0 if good and outcomes[-1].exit_code == 1 and symbols == {"camelize"} else 1


if __name__ == "__main__":
    sys.exit(main())
