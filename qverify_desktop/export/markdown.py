"""A report in Markdown (CommonMark with tables), for a pull request or a chat."""

from __future__ import annotations

import re
from collections import Counter

from qverify_desktop.domain.execution import Isolation
from qverify_desktop.domain.results import SENTENCES, Fraction, RunResult, SuspectedDefect, TestVerdict
from qverify_desktop.export.plain_text import one_line, readable

_MOST_ROWS = 500


def markdown(result: RunResult) -> bytes:
    """Verdict, numbers, suspected defects, kept tests, refusals by reason, notices."""
    lines = [f"# {_prose(result.sentence)}", ""]
    lines += [f"Repository {_code(result.origin)}, tree {_code(result.tree)}, run {_code(result.run)}.", ""]
    if result.isolation is Isolation.REDUCED:
        lines += ["**Reduced isolation**: locked away by bubblewrap, without a container engine.", ""]
    lines += _numbers(result)
    if result.defects:
        lines += ["## Suspected defects", ""]
        for defect in result.defects:
            lines += _defect(defect)
    if result.fixed:
        lines += ["## Fixed since earlier runs", ""]
        for one in result.fixed:
            place = _code(f"{one.defect.file}:{one.defect.line}")
            lines += [f"- {_code(one.defect.symbol)} in {place}, {_code(one.defect.call)}: {_prose(one.sentence)}"]
        lines += [""]
    if result.changes:
        lines += [f"## Answers otherwise than at {_prose(result.changes[0].revision)}", ""]
        lines += [
            f"- {_code(one.symbol)} in {_code(f'{one.file}:{one.line}')}, {_code(one.call)}: "
            f"{_code(one.before)} before, {_code(one.now)} now"
            for one in result.changes[:_MOST_ROWS]
        ]
        lines += [""]
    lines += _kept(result)
    lines += _refused(result)
    if result.notices:
        lines += ["## Notices", "", *(f"- {_prose(notice)}" for notice in result.notices), ""]
    return "\n".join(lines).encode("utf-8")


def _numbers(result: RunResult) -> list[str]:
    rows = ["| | before | after |", "|---|---|---|"]
    for title, before, after in (
        ("Lines", result.before.lines, result.after.lines),
        ("Branches", result.before.branches, result.after.branches),
        ("Mutants noticed", result.before.mutants, result.after.mutants),
    ):
        rows.append(f"| {title} | {_of(before)} | {_of(after)} |")
    return [*rows, ""]


def _of(fraction: Fraction) -> str:
    return f"{fraction.part} of {fraction.whole}" if fraction.whole else "unknown"


def _defect(defect: SuspectedDefect) -> list[str]:
    return [
        f"### {_code(defect.symbol)} in {_code(f'{defect.file}:{defect.line}')}",
        "",
        f"- call: {_code(defect.call)}",
        f"- expected: {_code(defect.expected)}",
        f"- observed: {_code(defect.observed)}, {defect.reproductions} times",
        f"- confidence: {defect.confidence / 10:g} %",
        *([f"- {_prose(defect.calibration.sentence)}"] if defect.calibration else []),
        *([f"- history: {_prose(defect.history.sentence)}"] if defect.history else []),
        "",
        f"The repository's own words, {_code(f'{defect.evidence.file}:{defect.evidence.line}')}:",
        "",
        *_block(defect.evidence.text),
        "",
    ]


def _kept(result: RunResult) -> list[str]:
    if not result.accepted:
        return []
    rows = ["## Tests that were kept", "", "| test | label | gain |", "|---|---|---|"]
    for judged in result.accepted[:_MOST_ROWS]:
        gain = f"{judged.gain.lines} lines, {judged.gain.branches} branches, {judged.gain.mutants} mutants"
        rows.append(f"| {_cell(judged.test.id)} | {judged.test.label.value} | {gain} |")
    more = len(result.accepted) - _MOST_ROWS
    return [*rows, *([f"| and {more} more | | |"] if more > 0 else []), ""]


def _refused(result: RunResult) -> list[str]:
    reasons = Counter(judged.reason for judged in result.tests if judged.verdict is TestVerdict.REFUSED)
    if not reasons:
        return []
    rows = [f"| {SENTENCES[reason]} | {count} |" for reason, count in reasons.most_common()]
    return ["## Tests that were refused", "", "| reason | tests |", "|---|---|", *rows, ""]


def _prose(text: str) -> str:
    """Every mark that Markdown could read as its own is escaped (CommonMark 2.4: any ASCII punctuation may be)."""
    return re.sub(r"([\\`*_{}\[\]()<>#+|!~&@:])", r"\\\1", one_line(text, 2000))


def _code(text: str) -> str:
    """A code span whose fence is longer than any run of backticks inside (CommonMark 6.1)."""
    flat = one_line(text)
    if not flat:
        return "(empty)"
    fence = "`" * (_longest_run(flat) + 1)
    return f"{fence} {flat} {fence}" if "`" in flat else f"{fence}{flat}{fence}"


def _cell(text: str) -> str:
    return _code(text).replace("|", "\\|")


def _block(text: str) -> list[str]:
    shown = readable(text)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return [f"{fence}text", *shown.split("\n"), fence]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
