"""A suspected defect as the text of an issue, in Markdown: what contradicts what, a program that shows it, since when."""

from __future__ import annotations

from qverify_desktop.domain.results import RunResult, SuspectedDefect
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.export.markdown_text import code_span, longest_run, prose
from qverify_desktop.export.plain_text import readable

#: Characters of the call in the heading.
_MOST_CALL = 60
#: Characters of the quoted words.
_MOST_WORDS = 2000


def issues(result: RunResult) -> bytes:
    """All suspected defects of a run, most confident first, each to be copied into an issue of its own."""
    tests = {judged.test.id: judged.test for judged in result.tests}
    ranked = sorted(result.defects, key=lambda defect: (-defect.confidence, defect.file, defect.line))
    texts = [issue(defect, reproducer(tests.get(defect.test))) for defect in ranked]
    return ("\n---\n\n".join(texts) or "No defect is suspected.\n").encode()


def reproducer(test: GeneratedTest | None) -> str:
    """The test as a program of its own, empty where it is not known."""
    return "\n".join([*test.prelude, "", "", test.code]).strip() + "\n" if test is not None else ""


def issue(defect: SuspectedDefect, program: str, command: str = "", language: str = "") -> str:
    """One issue. Code stands in fences longer than any in it, prose on one line each with its marks escaped, so that no text of
    the repository can break out of its place. ``language`` names the program's language for its colours."""
    words = defect.evidence
    parts = [
        f"## {code_span(defect.call, _MOST_CALL)} contradicts {code_span(f'{words.file}:{words.line}')}",
        "",
        # As it stands there: a quotation would take the ``>>>`` of an example for three more.
        _fenced("The repository's own words", words.text[:_MOST_WORDS]),
        _fenced("Call", defect.call),
        _fenced("Expected", defect.expected),
        _fenced("Observed", defect.observed),
    ]
    if program:
        times = f"fails {defect.reproductions} of {defect.reproductions}"
        parts.append(_fenced(f"Reproducer, {times}, each in a fresh sandbox", program, language))
    if command:
        parts.append(_fenced("Run it with", command))
    if defect.history is not None:
        parts += [prose(defect.history.sentence), ""]
    known = f" {defect.calibration.sentence}" if defect.calibration else ""
    parts += [
        f"Confidence: {defect.confidence // 10} of 100.{known} Code: {code_span(f'{defect.file}:{defect.line}')}",
        "",
    ]
    return "\n".join(parts)


def _fenced(title: str, text: str, language: str = "") -> str:
    fence = "`" * max(3, longest_run(text) + 1)
    return f"{title}:\n\n{fence}{language}\n{readable(text).rstrip()}\n{fence}\n"
