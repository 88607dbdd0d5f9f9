"""Stage triage: does a failing example mean that the code is wrong, or only that the example can't be run?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from qverify_desktop.analysis.calibration import calibration_of
from qverify_desktop.analysis.credit import Credit
from qverify_desktop.analysis.judge import REPETITIONS, SETUP_FAILED, Tried
from qverify_desktop.domain.project import Promise, PromiseRelation, Target
from qverify_desktop.domain.results import JudgedTest, Reason, SuspectedDefect, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Quote, TestOutcome
from qverify_desktop.languages.base import Language

#: How far the notation of an example can be trusted to be meant literally, in thousandths.
#: Doctests, rustdoc's blocks and Go's example functions are programs: nobody writes them without meaning them literally.
_FORM_CONFIDENCE: Mapping[str, int] = {"doctest": 950, "rustdoc": 950, "Output": 950}
_OTHER_FORM = 850
#: Forms of words that are no example but a statement.
STATED = ("stated", "inverse of")
#: Prose that a model read, and that no reader of the application takes for an example.
_PROSE = 600
#: What an error says of a library or a program that the sandbox lacks.
_LACKING = re.compile(
    r"(?:\bnot|n't) (?:been )?installed\b|\b(?:pip|npm|conda|apt(?:-get)?) install\b|\binstall (?:it|the)\b"
    r"|\bplease install\b|\bno module named\b|\bcannot find (?:module|package)\b",
    re.IGNORECASE,
)
#: A number in what a value shows.
_NUMBER = re.compile(r"(?<![\w.])-?\d{1,40}(?:\.\d{1,40})?(?![\w.])")
_IN_DOCUMENT = -50
_RAISED_INSTEAD = -250


def triage(
    disputed: Sequence[Tried], targets: Sequence[Target], promises: Mapping[str, Promise], language: Language
) -> tuple[list[JudgedTest], list[SuspectedDefect]]:
    """Split failing specification tests into suspected defects, ranked by confidence, and refusals.

    ``promises`` maps the quoted words to the promise they came from, for the notation.
    """
    by_id = {target.id: target for target in targets}
    credit = Credit(disputed, promises, language)
    judged: list[JudgedTest] = []
    defects: list[SuspectedDefect] = []
    for one in disputed:
        outcome, target, quote = one.outcomes[0], by_id.get(one.test.target), one.test.quote
        excuse = why_no_defect(outcome, one, language) or _shows_as_said(outcome.observed, one.test, promises)
        excuse = excuse or credit.doubt(one)
        if excuse or target is None or quote is None:
            reason, detail = excuse or (Reason.EXAMPLE_NOT_RUNNABLE, "")
            judged.append(JudgedTest(one.test, TestVerdict.REFUSED, reason, detail))
            continue
        promise = promises.get(quote.text)
        form = promise.form if promise else ""
        defect = SuspectedDefect(
            file=target.file,
            symbol=target.symbol,
            line=target.line,
            call=one.test.call,
            expected=one.test.expected,
            observed=outcome.observed or outcome.message,
            evidence=quote,
            test=one.test.id,
            reproductions=REPETITIONS,
            confidence=_confidence(outcome, quote, promise, language),
            form=form,
            calibration=calibration_of(language.name, form),
        )
        detail = f"Expected {defect.expected}, observed {defect.observed}."
        judged.append(JudgedTest(one.test, TestVerdict.SUSPECTED, Reason.CONTRADICTS_WORDS, detail))
        defects.append(defect)
    defects.sort(key=lambda d: (-d.confidence, d.file, d.line, d.call))
    return judged, _one_per_call(defects)


def withhold(judged: Sequence[JudgedTest], defects: Sequence[SuspectedDefect]) -> list[JudgedTest]:
    """The judged tests without those that would hold a suspected function to what it does today: once it is mended they would
    fail, and until then they would present the defect as correct."""
    suspected = {f"{defect.file}::{defect.symbol}" for defect in defects}
    return [
        JudgedTest(one.test, TestVerdict.REFUSED, Reason.SUSPECTED_CODE)
        if one.verdict is TestVerdict.ACCEPTED
        and one.test.label is Label.CHARACTERIZATION
        and one.test.target in suspected
        else one
        for one in judged
    ]


def why_no_defect(outcome: TestOutcome, one: Tried, language: Language) -> tuple[Reason, str] | None:
    """Why nothing follows for the code from this failure, ``None`` when something does."""
    if outcome.raised == SETUP_FAILED:
        return Reason.EXAMPLE_NOT_RUNNABLE, f"What stands before the example can't be run: {outcome.message}"
    if outcome.raised in language.unknown_name_errors:
        return Reason.EXAMPLE_NOT_RUNNABLE, f"Running the example ends in {outcome.raised}: {outcome.message}"
    if outcome.raised and not outcome.in_test and _LACKING.search(outcome.message[:2000]):
        return Reason.EXAMPLE_NOT_RUNNABLE, f"The code says that something is not installed here: {outcome.message}"
    in_code = any(not frame.startswith(one.test.path) for frame in outcome.frames)
    if outcome.raised in language.mismatch_errors and not in_code:
        return Reason.OUT_OF_DATE, f"The call does not fit the code's signature: {outcome.message}"
    if not outcome.in_test and not in_code:
        return Reason.EXAMPLE_NOT_RUNNABLE, f"The failure is in the example, not in the code: {outcome.message}"
    return None


def _shows_as_said(observed: str, test: GeneratedTest, promises: Mapping[str, Promise]) -> tuple[Reason, str] | None:
    """Why a value that is not what was written may be what was meant: a doctest shows what is printed, and it shows texts."""
    if observed and observed == test.expected:
        return Reason.EXAMPLE_NOT_RUNNABLE, f"What it gives is shown as the words show it: {observed}"
    if "(" in observed and observed[0] not in "\"'" and _counted(observed) == _counted(test.expected):
        return Reason.EXAMPLE_NOT_RUNNABLE, f"What it gives shows a number in another way only: {observed}"
    promise = promises.get(test.quote.text) if test.quote else None
    loose = promise is None or promise.form not in _FORM_CONFIDENCE
    if loose and observed[:1] in ("'", '"') and observed[1:-1] == test.expected:
        return (
            Reason.EXAMPLE_NOT_RUNNABLE,
            f"What it gives is a text that the words show without its quotes: {observed}",
        )
    if promise is not None and promise.relation is PromiseRelation.PRINTS and _ink(observed) == _ink(test.expected):
        return Reason.EXAMPLE_NOT_RUNNABLE, "What it prints differs from the words in blank space only."
    if test.quote is not None and _stands_in(observed, test.quote.text):
        return (
            Reason.EXAMPLE_NOT_RUNNABLE,
            "What it gives stands in the words as they are written, with their backslashes.",
        )
    called = re.match(r"[\w.]*?(\w+)\(", test.call)
    own = test.target.rpartition("::")[2].rpartition(".")[2].partition("(")[0]
    prints = promise is not None and promise.form == "doctest" and called is not None and called[1] != own
    if prints and observed == "None" and test.expected != "None":
        return (
            Reason.EXAMPLE_NOT_RUNNABLE,
            f"{called[1] if called else ''} may print what is shown instead of returning it.",
        )
    return None


def _counted(text: str) -> str:
    """What a value shows, whole numbers without the point that some have: ``HLS(l=0.4, s=1.0)`` and ``HLS(l=0.4, s=1)``."""
    return _NUMBER.sub(lambda match: re.sub(r"\.0+$", "", match[0]), text)


def _stands_in(observed: str, words: str) -> bool:
    """Whether words show a text as it was printed, without doubling its backslashes as source needs it."""
    if observed[:1] not in ("'", '"') or "\\\\" not in observed:
        return False
    return _written(observed[1:-1].replace("\\\\", "\\")) in _written(words)


def _written(text: str) -> str:
    """Source of a text without its blank space and quotes, escaped or not; other backslashes stay."""
    return re.sub(r"\\[nt\"'`]|[\s\"'`]", "", text)


def _ink(text: str) -> str:
    """A printed text, or the same as source, without its blank space and quotes."""
    return re.sub(r"(?:\\[nt]|[\s\"'\\])+", "", text)


def _confidence(outcome: TestOutcome, quote: Quote, promise: Promise | None, language: Language) -> int:
    confidence = _FORM_CONFIDENCE.get(promise.form, _OTHER_FORM) if promise else _PROSE
    if not quote.file.endswith(language.endings):
        confidence += _IN_DOCUMENT
    if not outcome.in_test:
        confidence += _RAISED_INSTEAD
    return confidence


def _one_per_call(defects: Sequence[SuspectedDefect]) -> list[SuspectedDefect]:
    """The same call may be promised twice (docstring and README): the surer one stands for both. Of a statement, which is tried
    with several inputs, the first that contradicts it stands for all.
    """
    seen: set[tuple[str, str, str]] = set()
    kept = []
    for defect in defects:
        what = defect.evidence.text if defect.form in STATED else defect.call
        key = (defect.file, defect.symbol, what)
        if key not in seen:
            kept.append(defect)
        seen.add(key)
    return kept
