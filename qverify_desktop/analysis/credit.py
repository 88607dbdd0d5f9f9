"""How far words can be believed, by what became of all that is said about one function, in one document, with one error."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from qverify_desktop.analysis.judge import Tried
from qverify_desktop.domain.project import Promise
from qverify_desktop.domain.results import Reason
from qverify_desktop.languages.base import Language

#: Written examples of one function that nobody would get wrong all alike.
MANY = 5
#: Examples of one function in one document of which at least one must hold.
SOME = 3
#: Examples in one document, whoever they speak of, of which more than half must hold.
WHOLE = 6
#: Examples in a whole project of which more than half must not end in an error.
MUCH = 12
#: Functions whose examples end in one error with one message, which is then what all of them lack.
ALIKE = 3


class Credit:
    """Says of a failing example whether its words were understood at all.

    A comment stands above the code it speaks of; a document may be of another version, and speak of another function by the
    same name. So a document that is wrong about a function in everything it shows, or in half of all that it shows, accuses
    nobody. And nobody documents at length what never worked: where most of many examples end in the same error, they were
    misunderstood, and where those of several functions end in the same words, or half of a project's in any error, something is
    not there that all of them need.
    """

    def __init__(self, disputed: Sequence[Tried], promises: Mapping[str, Promise], language: Language) -> None:
        self._endings = language.endings
        self._written = Counter(promise.target for promise in promises.values())
        self._shown = Counter((promise.target, promise.file) for promise in promises.values())
        self._failed = Counter((one.test.target, one.test.quote.file) for one in disputed if one.test.quote)
        self._documents = Counter(promise.file for promise in promises.values())
        self._unheld = Counter(one.test.quote.file for one in disputed if one.test.quote)
        self._lacking: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._examples = len(promises)
        self._ended = sum(bool(one.outcomes[0].raised) and not one.outcomes[0].in_test for one in disputed)
        self._raised: dict[str, Counter[str]] = defaultdict(Counter)
        for one in disputed:
            outcome = one.outcomes[0]
            if outcome.raised and not outcome.in_test:
                self._raised[one.test.target][outcome.raised] += 1
                self._lacking[outcome.raised, outcome.message].add(one.test.target)

    def doubt(self, one: Tried) -> tuple[Reason, str] | None:
        """Why nothing follows from this failure, ``None`` where its words are to be believed."""
        target, quote = one.test.target, one.test.quote
        written, errors = self._written[target], self._raised.get(target)
        if errors and written >= MANY and max(errors.values()) * 4 >= written * 3:
            error = errors.most_common(1)[0][0]
            return (
                Reason.EXAMPLE_NOT_RUNNABLE,
                f"Most of the {written} examples of this function end in {error}: they speak of something else, or need "
                "something first.",
            )
        outcome = one.outcomes[0]
        if outcome.raised and not outcome.in_test and self._ended * 2 >= self._examples >= MUCH:
            return (
                Reason.EXAMPLE_NOT_RUNNABLE,
                f"{self._ended} of the {self._examples} examples of this project end in an error: it is for another version of "
                "its language, or needs something that is not there.",
            )
        lacking = self._lacking[outcome.raised, outcome.message] if outcome.raised and not outcome.in_test else ()
        if outcome.message and len(lacking) >= ALIKE:
            return (
                Reason.EXAMPLE_NOT_RUNNABLE,
                f"Examples of {len(lacking)} functions end in the same {outcome.raised}, so they need something first that is not "
                f"there: {outcome.message}",
            )
        if quote is None or quote.file.endswith(self._endings):
            return None
        every, unheld = self._documents[quote.file], self._unheld[quote.file]
        if every >= WHOLE and unheld * 2 >= every:
            return (
                Reason.OUT_OF_DATE,
                f"{unheld} of the {every} examples in {quote.file} do not hold: the document is about another version, or about "
                "something else.",
            )
        shown = self._shown[target, quote.file]
        if shown >= SOME and self._failed[target, quote.file] >= shown:
            return (
                Reason.OUT_OF_DATE,
                f"None of the {shown} examples of this function in {quote.file} holds: the document is about another version, or "
                "about something else.",
            )
        return None
