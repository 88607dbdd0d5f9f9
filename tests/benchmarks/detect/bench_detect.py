"""How many planted defects the engine finds with no model, and whom it accuses wrongly.

    python -m tests.benchmarks.detect.bench_detect [--language python …] [--first N] [--renamed] [--write FILE]

HumanEvalPack's tasks (``docs/measurements/detection.md``) and, for Rust, crates of this folder. Every generated test is replayed
on the code with the defect and on the code without: fails and passes is a catch, fails on both a wrong test, passes on both
neutral, passes and fails frozen in.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import json
import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from qverify_desktop import composition
from qverify_desktop.analysis.calibration import PLACE
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.engine.lock import HomeLock
from tests.benchmarks.detect.corpus import FILES, VECTORS, Corpus, crates, humaneval
from tests.benchmarks.detect.renaming import renamed
from tests.benchmarks.detect.running import Found, run

#: The corpus whose tasks are like those of real projects, so that its numbers are shown in reports.
CALIBRATES = "HumanEvalPack"
GOALS = {"python": 82, "javascript": 65, "java": 55, "go": 55, "rust": 90}
PRECISION = 97


def corpora(language: str, first: int) -> list[tuple[str, Corpus]]:
    """The named corpora of a language."""
    found = [("HumanEvalPack", humaneval(language, first))]
    if language == "rust":
        found.append(("own crates", crates()))
    return found


async def measure(corpus: Corpus) -> Found | None:
    """``None`` where there is no such language yet."""
    with tempfile.TemporaryDirectory(prefix="qverify-detect-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        lock = HomeLock(home)
        lock.acquire()
        parts = await asyncio.to_thread(composition.build, home, lock)
        try:
            if all(language.name != corpus.language for language in parts.services.languages):
                return None
            return await run(corpus, parts.services, Path(folder))
        finally:
            await parts.dispose()
            lock.release()


def row(title: str, name: str, found: Found) -> str:
    """One line of the table."""
    planted = [case for case in found.corpus.cases if case.planted]
    caught = sum(found.caught(case) for case in planted)
    suspected = [one for one in found.tests if one.suspected]
    right = sum(one.catch for one in suspected)
    frozen = sum(one.frozen_in and one.specification for one in found.tests)
    observed = sum(one.frozen_in and not one.specification for one in found.tests)
    wrong = sum(one.wrong and one.suspected for one in found.tests)
    per = f"{100 * caught / len(planted):.0f} %" if planted else "none"
    precision = f"{100 * right / len(suspected):.1f} %" if suspected else "none"
    return (
        f"| {title} | {name} | {caught} of {len(planted)} | {per} | {len(suspected)} | {precision} | {wrong} | {frozen} "
        f"| {observed} | {len(found.false_alarms)} | {found.seconds:.0f} |"
    )


HEADER = (
    "| language | corpus | found | detection | suspected tests | precision | wrong | frozen in, specification "
    "| frozen in, characterization | false alarms | seconds |\n|---|---|---|---|---|---|---|---|---|---|---|"
)


def missed(found: Found) -> list[str]:
    """A line for each case that was not found, and for each accusation of right code."""
    lines = []
    for case in found.corpus.cases:
        if case.planted and not found.caught(case):
            tests = found.of(case)
            said = [one for one in tests if one.specification]
            reasons = sorted({one.judged.reason.value for one in said})
            lines.append(
                f"{case.name}: {len(said)} of {len(tests)} tests from its words ({', '.join(reasons) or 'none'})"
            )
    lines += [
        f"false alarm: {one.test.target} {one.test.call} expected {one.test.expected}" for one in found.false_alarms
    ]
    return lines


def report(rows: Sequence[str], notes: Sequence[str], other_names: bool) -> str:
    """The measurement as a page."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    names = " Every identifier renamed." if other_names else ""
    return (
        f"# Detection with no model\n\n`make bench-detect`, {today}, {platform.machine()}.{names}\n\n"
        "`../shared/vectors/humanevalpack` (41 of 164 tasks in each language; the engine sees the code with the defect and its\n"
        "documentation only) and small Rust crates of our own, because Rust's tasks hold no examples.\n\n"
        + "\n".join([HEADER, *rows])
        + "\n\n## Not found\n\n"
        + "\n".join(notes)
        + "\n"
    )


def calibrate(forms: Mapping[str, Mapping[str, tuple[int, int]]]) -> None:
    """Keep the measured languages' numbers beside those of the others."""
    place = resources_root() / PLACE
    standing = json.loads(place.read_text(encoding="utf-8"))
    standing["forms"] |= {
        language: {form: list(pair) for form, pair in found.items()} for language, found in forms.items()
    }
    standing["measured"] = datetime.datetime.now(datetime.UTC).date().isoformat()
    place.write_text(json.dumps(standing, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--language", nargs="*", choices=list(FILES), default=list(FILES))
    parser.add_argument("--first", type=int, default=0, help="only so many tasks of each language")
    parser.add_argument("--renamed", action="store_true")
    parser.add_argument("--write", type=Path)
    parser.add_argument("--calibrate", action="store_true", help=f"write how often each form was right into {PLACE}")
    options = parser.parse_args()
    if not VECTORS.is_dir():
        raise SystemExit(f"The test vectors are not at {VECTORS}. Name their folder in QVERIFY_VECTORS.")
    print(HEADER, flush=True)
    rows, notes = [], []
    forms: dict[str, dict[str, tuple[int, int]]] = {}
    for language in options.language:
        for title, corpus in corpora(language, options.first):
            found = asyncio.run(measure(renamed(corpus) if options.renamed else corpus)) if corpus.cases else None
            if found is None:
                print(f"| {language} | {title} | no such language or corpus yet |", flush=True)
                continue
            rows.append(row(language, title, found))
            print(rows[-1], flush=True)
            if title == CALIBRATES and not options.renamed and not options.first:
                forms[language] = found.by_form()
            notes += [f"- {language}: {line}" for line in missed(found)]
    print("\n".join(notes))
    if options.calibrate:
        calibrate(forms)
    if options.write:
        options.write.write_text(report(rows, notes, options.renamed), encoding="utf-8")


if __name__ == "__main__":
    main()
