"""Judges what packaging/prove/freeze.sh found in the bare container, and writes it down with the application's size.

usage: freeze_report.py FOUND_FOLDER FROZEN_FOLDER COMMIT_FILE      (the report goes to standard output)

Needs only the standard library. Exit status 1, with a sentence, where a finding is not what it must be.
"""

from __future__ import annotations

import json
import os
import platform
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LARGEST = 10
#: Where freeze.sh asks for a time stamp.
_STAMPS = "/tsa"


def main(found_folder: Path, frozen: Path, commit: str) -> int:
    """Print the report; answers the exit status."""
    found = dict(line.split(" ", 1) for line in (found_folder / "results").read_text().splitlines())
    analysis, bundle, with_model, again, back, point = (
        json.loads((found_folder / f"{name}.json").read_text())
        for name in ("analyze", "verify", "model", "reproduce", "handed-back", "anchors")
    )
    paths = (found_folder / "asked").read_text().splitlines() if (found_folder / "asked").exists() else []
    asked = sum(path != _STAMPS for path in paths)
    wrong = problems(found, analysis, bundle, with_model, asked)
    wrong += problems_of_evidence(found, again, back, point, _STAMPS in paths)
    if wrong:
        print("\n".join(wrong), file=sys.stderr)
        return 1
    print("\n".join(report(found, analysis, bundle, with_model, again, asked, frozen, commit)))
    return 0


def problems(
    found: dict[str, str], analysis: dict[str, Any], bundle: dict[str, Any], with_model: dict[str, Any], asked: int
) -> list[str]:
    """What is not as it must be, one sentence each."""
    symbols = [defect["symbol"] for defect in analysis.get("suspected_defects", [])]
    expected = {
        f"analyze ended with {found['analyze_exit']}, not 1.": found["analyze_exit"] == "1",
        f"The verdict is {analysis.get('verdict')}.": analysis.get("verdict") == "defects_suspected",
        f"page_count is not suspected, but {symbols}.": any(name.endswith("page_count") for name in symbols),
        "No test was accepted.": analysis.get("accepted", 0) > 0,
        f"verify ended with {found['verify_exit']}: {bundle.get('problems')}.": found["verify_exit"] == "0",
        "The bundle is not whole.": bundle.get("valid") is True,
        f"The window ended with {found['window_exit']}.": found["window_exit"] == "0",
        f"With a model analyze ended with {found['model_exit']}: {with_model.get('error')}.": found["model_exit"]
        == "1",
        "The model was never asked.": asked > 0,
    }
    return [sentence for sentence, holds in expected.items() if not holds]


def problems_of_evidence(
    found: dict[str, str], again: dict[str, Any], back: dict[str, Any], point: dict[str, Any], stamp_asked: bool
) -> list[str]:
    """The same for what was given to others."""
    stamps = [one for one in point.get("anchors", []) if one["kind"] == "time_stamp"]
    expected = {
        f"reproduce ended with {found['reproduce_exit']}: {again.get('sentence')}.": found["reproduce_exit"] == "0",
        f"The record is not accepted: {back.get('reproduction')}.": found["handed_back_exit"] == "0"
        and "REPRODUCED" in back.get("grades", []),
        "Nobody was asked for a time stamp.": stamp_asked,
        f"What was no time stamp was not recognised: {stamps}.": len(stamps) == 1
        and "time stamp" in stamps[0]["sentence"],
    }
    return [sentence for sentence, holds in expected.items() if not holds]


def report(
    found: dict[str, str],
    analysis: dict[str, Any],
    bundle: dict[str, Any],
    with_model: dict[str, Any],
    again: dict[str, Any],
    asked: int,
    frozen: Path,
    commit: str,
) -> list[str]:
    """The lines of docs/measurements/freeze.md."""
    parts = sizes(frozen)
    whole = sum(parts.values())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    sample = next(defect for defect in analysis["suspected_defects"] if defect["symbol"].endswith("page_count"))
    lines = [
        "# The frozen application in a bare Debian container",
        "",
        f"Made by `make prove-freeze` on {datetime.now(UTC):%Y-%m-%d} from commit `{commit}`: `dist/qverify` (PyInstaller, one",
        "folder) in a container of Debian 12's minbase with Xvfb, xdotool and the X and GL libraries of a desktop. No Python,",
        f"no git, no network (interfaces: {found['interfaces'].strip()}); the Docker socket is mounted.",
        "",
        f"Machine: {os.cpu_count()} cores, {memory:.0f} GB memory, Linux {platform.release()}, {platform.machine()}.",
        "",
        "| What | Seen |",
        "|---|---|",
        f"| `qverify --version` | {found['version']} |",
        f'| Window | up after {_seconds(found["window_ms"])}, engine open after {_seconds(found["engine_ms"])}; title "{found["title"]}" |',
        "| `qverify runs --json` beside the window | answered by the window's engine |",
        f"| Ctrl+Q | exit status {found['window_exit']} |",
        f"| `qverify analyze` of the sample, `--model none` | exit code {found['analyze_exit']} after {_seconds(found['analyze_ms'])},"
        f" {analysis['targets']} targets, {analysis['accepted']} tests accepted |",
        f"| Suspected | `{sample['call']}`: expected `{sample['expected']}`, observed `{sample['observed']}` |",
        f"| `qverify verify` of its bundle | exit code {found['verify_exit']}, {bundle['grade']} |",
        "| every export format, `qverify verifier`, `checkpoint --qr`, `hosted status` | written; the verifier is the source's |",
        f"| `qverify reproduce` of it | exit code {found['reproduce_exit']} after {_seconds(found['reproduce_ms'])}: {again['sentence']} |",
        f"| `qverify verify --reproduction` of the record | exit code {found['handed_back_exit']} |",
        "| a time-stamp authority that sends something else | asked, and refused with a sentence |",
        f"| `qverify analyze` with a scripted model in the same network namespace | exit code {found['model_exit']},"
        f" asked {asked} times, {with_model['accepted']} tests accepted |",
        "",
        f"Size: {_megabytes(whole)} MB. Its {_LARGEST} largest parts:",
        "",
        "| Part | MB |",
        "|---|---|",
    ]
    largest = parts.most_common(_LARGEST)
    lines += [f"| {name} | {_megabytes(size)} |" for name, size in largest]
    lines.append(
        f"| all else ({len(parts) - len(largest)} parts) | {_megabytes(whole - sum(size for _, size in largest))} |"
    )
    return lines


def sizes(frozen: Path) -> Counter[str]:
    """Bytes of each part: a folder or file of ``_internal``; of PySide6 each library and each kind of plug-in."""
    parts: Counter[str] = Counter()
    for file in frozen.rglob("*"):
        if file.is_symlink() or not file.is_file():
            continue
        steps = file.relative_to(frozen).parts
        if steps[0] != "_internal":
            name = "qverify (boot loader and all Python modules)" if steps[0] == "qverify" else steps[0]
        elif steps[1] == "PySide6":
            name = "/".join(steps[1:5])
        else:
            name = steps[1]
        parts[name] += file.stat().st_size
    return parts


def _seconds(milliseconds: str) -> str:
    return f"{int(milliseconds) / 1000:.1f} s"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f}"


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).read_text().strip()))
