"""Masking over much source that holds hardly any secret: places masked in 100,000 lines, by rule, and how fast it is.

    python -m tests.benchmarks.bench_masking [FOLDER ...] [--show] [--write FILE]

Without folders: this project, and every package that is installed beside it. Each file is masked as one message, as it would be in
a prompt. ``--show`` prints every place with its text, so that a person can say which of them are secrets.
"""

from __future__ import annotations

import argparse
import datetime
import os
import subprocess
import sysconfig
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.gateway.masking import secrets_of

SUFFIXES = frozenset((".py", ".pyi", ".js", ".mjs", ".ts", ".tsx", ".go", ".rs", ".java", ".kt", ".c", ".h"))
SUFFIXES |= {".md", ".rst", ".txt", ".toml", ".yaml", ".yml", ".json", ".cfg", ".ini", ".env", ".sh"}
#: Larger files are data, and never in a prompt.
MOST_BYTES = 1_000_000
#: A line that is longer is data too.
SHOWN = 200


@dataclass
class Counted:
    """What one corpus came to."""

    name: str
    files: int = 0
    lines: int = 0
    size: int = 0
    seconds: float = 0.0
    slowest: tuple[float, str] = (0.0, "")
    rules: Counter[str] = field(default_factory=Counter)

    @property
    def places(self) -> int:
        return sum(self.rules.values())


def sources(folder: Path) -> Iterator[Path]:
    """The files of a folder that are text of a kind that is read; of a git repository those that it tracks."""
    if (folder / ".git").exists():
        listed = subprocess.run(["git", "-C", str(folder), "ls-files", "-z"], capture_output=True, check=True).stdout
        found = [folder / os.fsdecode(name) for name in listed.split(b"\0") if name]
    else:
        found = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
    for file in sorted(found):
        if file.suffix in SUFFIXES and file.is_file() and not file.is_symlink() and file.stat().st_size <= MOST_BYTES:
            yield file


def count(name: str, folder: Path, *, show: bool) -> Counted:
    """Mask every file of a folder."""
    counted = Counted(name)
    for file in sources(folder):
        try:
            text = file.read_text("utf-8")
        except ValueError:
            continue
        began = time.perf_counter()
        found = list(_first_ones(text))
        took = time.perf_counter() - began
        counted.files += 1
        counted.lines += text.count("\n")
        counted.size += len(text)
        counted.seconds += took
        counted.slowest = max(counted.slowest, (took, f"{file.name}, {len(text):,} characters"))
        for start, end, rule in found:
            counted.rules[rule] += 1
            if show:
                line = text.count("\n", 0, start) + 1
                print(f"{rule}\t{file.relative_to(folder)}:{line}\t{text[start:end][:SHOWN]!r}")
    return counted


def _first_ones(text: str) -> Iterator[tuple[int, int, str]]:
    """The places that ``mask`` takes: where two rules meet, one."""
    at = 0
    for start, end, rule in sorted(secrets_of(text), key=lambda one: (one[0], -one[1])):
        if start >= at:
            at = end
            yield start, end, rule


def table(counts: list[Counted]) -> list[str]:
    """Rows of Markdown."""
    rows = [
        "| source | files | lines | places masked | in 100,000 lines | MB/s | slowest file |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in counts:
        took, name = one.slowest
        rows.append(
            f"| {one.name} | {one.files:,} | {one.lines:,} | {one.places} | {100_000 * one.places / max(1, one.lines):.1f} "
            f"| {one.size / 1e6 / max(one.seconds, 1e-9):.1f} | {1000 * took:.0f} ms ({name}) |"
        )
    rules: Counter[str] = sum((one.rules for one in counts), Counter())
    rows += [
        "",
        "| rule | places |",
        "|---|---|",
        *(f"| {rule} | {number} |" for rule, number in rules.most_common()),
    ]
    return rows


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    folders = [(folder.name, folder) for folder in arguments.folders] or [
        ("this project", resources_root()),
        ("installed packages", Path(sysconfig.get_path("purelib"))),
    ]
    counts = [count(name, folder, show=arguments.show) for name, folder in folders]
    rows = table(counts)
    print("\n".join(rows))
    if arguments.write:
        load = os.getloadavg()[0]
        head = f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, load {load:.1f}."
        arguments.write.write_text("\n".join([head, "", *rows, ""]))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
