"""A report in Markdown (CommonMark with tables), for a comment on a pull request or a chat."""

from __future__ import annotations

import re
from collections import Counter

from qverify_desktop.domain.execution import Isolation
from qverify_desktop.domain.report import NOTHING_MORE, Judged, Seal, Supplement
from qverify_desktop.domain.results import SENTENCES, Fraction, RunResult, SuspectedDefect, TestVerdict
from qverify_desktop.export.issue import reproducer
from qverify_desktop.export.plain_text import one_line, readable

#: GitHub takes 65,536 characters in a comment; bytes are never fewer.
MOST_BYTES = 65_536
#: Rows of each list, the most that fit; quoted words and programs have a bound of their own.
_ROWS = (500, 200, 50, 15, 5, 1)
_MOST_TEXT = 2_000


def markdown(result: RunResult, supplement: Supplement = NOTHING_MORE) -> bytes:
    """Verdict, numbers, suspected defects, and in parts that fold: kept tests, refusals by reason, notices, evidence.

    Short enough for a comment: of a list that would be too long the first rows are shown, and how many more there are.
    """
    for most in _ROWS:
        text = _text(result, supplement, most)
        if len(text) <= MOST_BYTES:
            break
    return text


def _text(result: RunResult, supplement: Supplement, most: int) -> bytes:
    lines = [f"# {_prose(result.sentence)}", ""]
    lines += [f"Repository {_code(result.origin)}, tree {_code(result.tree)}, run {_code(result.run)}.", ""]
    if result.isolation is Isolation.REDUCED:
        lines += ["**Reduced isolation**: locked away by bubblewrap, without a container engine.", ""]
    lines += _numbers(result)
    if result.defects:
        lines += ["## Suspected defects", ""]
        tests = {judged.test.id: judged.test for judged in result.tests}
        for defect in result.defects[:most]:
            program = reproducer(tests.get(defect.test))
            lines += _defect(defect, supplement.judged.get(defect.id), program)
        lines += _more(len(result.defects) - most)
    if result.fixed:
        lines += ["## Fixed since earlier runs", ""]
        for one in result.fixed[:most]:
            place = _code(f"{one.defect.file}:{one.defect.line}")
            lines += [f"- {_code(one.defect.symbol)} in {place}, {_code(one.defect.call)}: {_prose(one.sentence)}"]
        lines += ["", *_more(len(result.fixed) - most)]
    if result.changes:
        lines += [f"## Answers otherwise than at {_prose(result.changes[0].revision)}", ""]
        lines += [
            f"- {_code(one.symbol)} in {_code(f'{one.file}:{one.line}')}, {_code(one.call)}: "
            f"{_code(one.before)} before, {_code(one.now)} now"
            for one in result.changes[:most]
        ]
        lines += ["", *_more(len(result.changes) - most)]
    lines += _kept(result, most)
    lines += _refused(result)
    if result.notices:
        notices = [*(f"- {_prose(notice)}" for notice in result.notices[:most]), ""]
        lines += _folded(_counted(len(result.notices), "notice"), [*notices, *_more(len(result.notices) - most)])
    lines += _evidence(supplement.seal)
    return "\n".join(lines).encode("utf-8")


def _folded(title: str, lines: list[str]) -> list[str]:
    """A part that a reader opens (GitHub, GitLab; elsewhere it stands open). ``title`` holds no text of the repository."""
    return [f"<details><summary>{title}</summary>", "", *lines, "</details>", ""]


def _more(count: int) -> list[str]:
    return [f"and {count:,} more", ""] if count > 0 else []


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _evidence(seal: Seal | None) -> list[str]:
    if seal is None:
        return []
    lines = [_prose(seal.meaning), ""]
    if seal.checkpoint:
        lines += [
            "The checkpoint that closes the run. Keep it apart from the bundle:",
            "",
            *_block(seal.checkpoint),
            "",
        ]
    return _folded(f"Evidence: {seal.grade}", lines)


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


def _defect(defect: SuspectedDefect, judged: Judged | None, program: str) -> list[str]:
    decided = f"{judged.decision} by a person{': ' if judged.note else ''}{_prose(judged.note)}" if judged else ""
    return [
        f"### {_code(defect.symbol)} in {_code(f'{defect.file}:{defect.line}')}",
        "",
        f"- call: {_code(defect.call)}",
        f"- expected: {_code(defect.expected)}",
        f"- observed: {_code(defect.observed)}, {defect.reproductions} times",
        f"- confidence: {defect.confidence / 10:g} %",
        *([f"- {_prose(defect.calibration.sentence)}"] if defect.calibration else []),
        *([f"- history: {_prose(defect.history.sentence)}"] if defect.history else []),
        *([f"- {decided}"] if judged else []),
        "",
        f"The repository's own words, {_code(f'{defect.evidence.file}:{defect.evidence.line}')}:",
        "",
        *_block(defect.evidence.text),
        "",
        *(_folded("Reproducer", [*_block(program), ""]) if program else []),
    ]


def _kept(result: RunResult, most: int) -> list[str]:
    if not result.accepted:
        return []
    rows = ["| test | label | gain |", "|---|---|---|"]
    for judged in result.accepted[:most]:
        gain = f"{judged.gain.lines} lines, {judged.gain.branches} branches, {judged.gain.mutants} mutants"
        rows.append(f"| {_cell(judged.test.id)} | {judged.test.label.value} | {gain} |")
    return _folded(f"{_counted(len(result.accepted), 'test')} kept", [*rows, "", *_more(len(result.accepted) - most)])


def _refused(result: RunResult) -> list[str]:
    reasons = Counter(judged.reason for judged in result.tests if judged.verdict is TestVerdict.REFUSED)
    if not reasons:
        return []
    rows = [f"| {SENTENCES[reason]} | {count} |" for reason, count in reasons.most_common()]
    return _folded(f"{_counted(reasons.total(), 'test')} refused", ["| reason | tests |", "|---|---|", *rows, ""])


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
    if len(shown) > _MOST_TEXT:
        shown = f"{shown[:_MOST_TEXT]}\n… and {len(shown) - _MOST_TEXT:,} characters more"
    fence = "`" * max(3, _longest_run(shown) + 1)
    return [f"{fence}text", *shown.split("\n"), fence]


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)
