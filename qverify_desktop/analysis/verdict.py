"""The verdict: one sentence with its numbers for a manager, the numbers themselves for an engineer."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from qverify_desktop.domain.results import (
    SENTENCES,
    Fraction,
    JudgedTest,
    Measure,
    Reason,
    SuspectedDefect,
    TestVerdict,
    Verdict,
)

#: Refusals that say something of this machine or of missing packages, not of the tests.
_SAYS_NOTHING = (Reason.INFRASTRUCTURE, Reason.NOT_COLLECTED)
#: How the tools of all languages begin the line that names an error.
_ERROR = re.compile(r"\w*(?:Error|Exception)\b.{0,3}:|\berror(?:\[\w+\])?:|[Cc]annot find|No module named")
_MOST_SAID = 200


def verdict_of(
    tests: Sequence[JudgedTest], defects: Sequence[SuspectedDefect], targets: int, baseline_trustworthy: bool
) -> Verdict:
    """Inconclusive when nothing could be run: no target, or not one candidate that ran to an end."""
    if defects:
        return Verdict.DEFECTS_SUSPECTED
    ran = [t for t in tests if t.verdict is TestVerdict.ACCEPTED or t.reason not in _SAYS_NOTHING]
    if targets == 0 or not ran or not (baseline_trustworthy or any(t.verdict is TestVerdict.ACCEPTED for t in tests)):
        return Verdict.INCONCLUSIVE
    return Verdict.NOTHING_SUSPECTED


def sentence_of(
    verdict: Verdict,
    tests: Sequence[JudgedTest],
    defects: Sequence[SuspectedDefect],
    targets: int,
    before: Measure,
    after: Measure,
) -> str:
    """Never more certain than the evidence."""
    accepted = sum(t.verdict is TestVerdict.ACCEPTED for t in tests)
    kept = f"{accepted} of {len(tests)} tests were kept"
    lines = f"line coverage {_percent(before.lines)} to {_percent(after.lines)}"
    if verdict is Verdict.DEFECTS_SUSPECTED:
        named = ", ".join(dict.fromkeys(defect.symbol for defect in defects[:3]))
        count = "1 suspected defect" if len(defects) == 1 else f"{len(defects)} suspected defects"
        return f"{count}, in {named}{' and others' if len(defects) > 3 else ''}. {kept}; {lines}."
    if verdict is Verdict.INCONCLUSIVE:
        return f"Inconclusive: {_why_inconclusive(tests, targets)}"
    return f"No defect is suspected, which is not proof that there is none. {kept}; {lines}."


def _percent(fraction: Fraction) -> str:
    return "unknown" if fraction.value is None else f"{fraction.part * 100 // fraction.whole} %"


def _why_inconclusive(tests: Sequence[JudgedTest], targets: int) -> str:
    if targets == 0:
        return "there is no function in the scope that a test could be written for."
    if not tests:
        return f"no test could be written for the {targets} functions in the scope."
    reason, count = Counter(t.reason for t in tests).most_common(1)[0]
    why = f"none of the {len(tests)} tests could be run to an end. Of {count} of them: {SENTENCES[reason]}"
    said = next((line for t in tests if t.reason is reason and (line := _telling_line(t.detail))), "")
    return f"{why} It said: {said}" if said else why


def _telling_line(detail: str) -> str:
    """The line of a tool's output that names the error, or its last one; shortened."""
    # pytest marks such lines with a letter.
    lines = [line.strip().removeprefix("E   ") for line in detail.splitlines() if line.strip()]
    named = next((line for line in lines if _ERROR.search(line)), lines[-1] if lines else "")
    return named if len(named) <= _MOST_SAID else f"{named[: _MOST_SAID - 1]}…"
