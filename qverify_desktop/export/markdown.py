"""A report in Markdown (CommonMark with tables), for a comment on a pull request or a chat."""

from __future__ import annotations

from collections import Counter

from qverify_desktop.domain.execution import Isolation
from qverify_desktop.domain.report import NOTHING_MORE, Judged, Seal, Supplement
from qverify_desktop.domain.results import SENTENCES, Fraction, RunResult, SuspectedDefect, TestVerdict
from qverify_desktop.export.amounts import counted, gained
from qverify_desktop.export.issue import reproducer
from qverify_desktop.export.markdown_text import code_span, longest_run, prose
from qverify_desktop.export.plain_text import readable

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
    lines = [f"# {prose(result.sentence)}", ""]
    lines += [
        f"Repository {code_span(result.origin)}, tree {code_span(result.tree)}, run {code_span(result.run)}.",
        "",
    ]
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
            place = code_span(f"{one.defect.file}:{one.defect.line}")
            lines += [
                f"- {code_span(one.defect.symbol)} in {place}, {code_span(one.defect.call)}: {prose(one.sentence)}"
            ]
        lines += ["", *_more(len(result.fixed) - most)]
    if result.changes:
        lines += [f"## Answers otherwise than at {prose(result.changes[0].revision)}", ""]
        lines += [
            f"- {code_span(one.symbol)} in {code_span(f'{one.file}:{one.line}')}, {code_span(one.call)}: "
            f"{code_span(one.before)} before, {code_span(one.now)} now"
            for one in result.changes[:most]
        ]
        lines += ["", *_more(len(result.changes) - most)]
    lines += _kept(result, most)
    lines += _refused(result)
    if result.notices:
        notices = [*(f"- {prose(notice)}" for notice in result.notices[:most]), ""]
        lines += _folded(counted(len(result.notices), "notice"), [*notices, *_more(len(result.notices) - most)])
    lines += _evidence(supplement.seal)
    return "\n".join(lines).encode("utf-8")


def _folded(title: str, lines: list[str]) -> list[str]:
    """A part that a reader opens (GitHub, GitLab; elsewhere it stands open). ``title`` holds no text of the repository."""
    return [f"<details><summary>{title}</summary>", "", *lines, "</details>", ""]


def _more(count: int) -> list[str]:
    return [f"and {count:,} more", ""] if count > 0 else []


def _evidence(seal: Seal | None) -> list[str]:
    if seal is None:
        return []
    lines = [prose(seal.meaning), ""]
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
    decided = f"{judged.decision} by a person{': ' if judged.note else ''}{prose(judged.note)}" if judged else ""
    return [
        f"### {code_span(defect.symbol)} in {code_span(f'{defect.file}:{defect.line}')}",
        "",
        f"- call: {code_span(defect.call)}",
        f"- expected: {code_span(defect.expected)}",
        f"- observed: {code_span(defect.observed)}, {defect.reproductions} times",
        f"- confidence: {defect.confidence // 10} of 100",
        *([f"- {prose(defect.calibration.sentence)}"] if defect.calibration else []),
        *([f"- history: {prose(defect.history.sentence)}"] if defect.history else []),
        *([f"- {decided}"] if judged else []),
        "",
        f"The repository's own words, {code_span(f'{defect.evidence.file}:{defect.evidence.line}')}:",
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
        rows.append(f"| {_cell(judged.test.id)} | {judged.test.label.value} | {gained(judged.gain)} |")
    return _folded(f"{counted(len(result.accepted), 'test')} kept", [*rows, "", *_more(len(result.accepted) - most)])


def _refused(result: RunResult) -> list[str]:
    reasons = Counter(judged.reason for judged in result.tests if judged.verdict is TestVerdict.REFUSED)
    if not reasons:
        return []
    rows = [f"| {SENTENCES[reason]} | {count} |" for reason, count in reasons.most_common()]
    return _folded(f"{counted(reasons.total(), 'test')} refused", ["| reason | tests |", "|---|---|", *rows, ""])


def _cell(text: str) -> str:
    return code_span(text).replace("|", "\\|")


def _block(text: str) -> list[str]:
    shown = readable(text[:_MOST_TEXT])
    if len(text) > _MOST_TEXT:
        shown = f"{shown}\n… and {len(text) - _MOST_TEXT:,} characters more"
    fence = "`" * max(3, longest_run(shown) + 1)
    return [f"{fence}text", *shown.split("\n"), fence]
