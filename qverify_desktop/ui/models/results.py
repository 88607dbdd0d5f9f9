"""The tests of a run as a window holds them: what became of each, how many of a kind, and what a person decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from PySide6.QtCore import QObject, Signal

from qverify_desktop.domain.result_views import TestView
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.widgets.slices import STEP, Slices
from qverify_desktop.ui.widgets.tree_model import Count, Node, Path, Tally
from qverify_desktop.ui.widgets.words import look_of_test

#: Up to so many tests are counted and changed at once.
AT_ONCE = 2000
#: Reasons of tests that passed five of five; a person may accept these and no others.
ACCEPTABLE = ("gain", "no_gain")
KEPT, REFUSED, FLAKY, SUSPECTED = "kept", "refused", "flaky", "suspected"
#: Which statuses each chip shows. Flaky tests are refused ones.
CHIPS: Mapping[str, frozenset[str]] = {
    KEPT: frozenset((KEPT,)),
    REFUSED: frozenset((REFUSED, FLAKY)),
    SUSPECTED: frozenset((SUSPECTED,)),
    FLAKY: frozenset((FLAKY,)),
}
#: Why a test was refused, in a word or two for a row of the tree.
REASONS: Mapping[str, str] = {
    "syntax": later("no valid source"),
    "compile": later("does not compile"),
    "not_collected": later("not collected"),
    "wrong_import": later("unknown name"),
    "trivial": later("asserts nothing"),
    "no_gain": later("adds nothing"),
    "flaky": later("flaky"),
    "fails": later("fails"),
    "contradicts_words": later("contradicts words"),
    "example_not_runnable": later("can't be run"),
    "out_of_date": later("documentation out of date"),
    "suspected_code": later("suspected function"),
    "outside_domain": later("outside the domain"),
    "infrastructure": later("sandbox failed"),
    "not_a_test": later("no test"),
}


def status_of(test: TestView) -> str:
    """A person's decision goes before the judge's."""
    if test["decided"]:
        return KEPT if test["decided"] == "accepted" else REFUSED
    if test["verdict"] == "accepted":
        return KEPT
    if test["verdict"] == "suspected":
        return SUSPECTED
    return FLAKY if test["reason"] == "flaky" else REFUSED


def is_acceptable(test: TestView) -> bool:
    """Whether a person may accept it: it passed five of five."""
    return test["reason"] in ACCEPTABLE


def is_refusable(test: TestView) -> bool:
    """Whether refusing it means something: it would be kept otherwise."""
    return status_of(test) == KEPT or (is_acceptable(test) and test["decided"] == "refused")


def is_decided(test: TestView) -> bool:
    """Whether a person accepted or refused it."""
    return bool(test["decided"])


class TestSet(QObject):
    """All tests of a run. ``changed`` is emitted after they were filled or decided on."""

    __test__ = False

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.tests: list[TestView] = []
        self.counts: Counter[str] = Counter()
        self._places: dict[str, int] = {}
        self._slices = Slices(self)

    def fill(self, tests: Sequence[TestView]) -> None:
        """Take these tests; many are counted in slices."""
        self._slices.run(self._count(list(tests)), self.changed.emit, now=len(tests) <= AT_ONCE)

    def decide(self, ids: Iterable[str], decision: str) -> None:
        """Note a decision (accepted, refused, or empty to take it back) on some tests."""
        self.finish()
        chosen = [place for place in (self._places.get(id_, -1) for id_ in ids) if place >= 0]
        self._slices.run(self._decide(chosen, decision), self.changed.emit, now=len(chosen) <= AT_ONCE)

    def finish(self) -> None:
        self._slices.finish()

    def get(self, id_: str) -> TestView | None:
        place = self._places.get(id_, -1)
        return self.tests[place] if place >= 0 else None

    def chips(self) -> dict[str, int]:
        """How many tests each chip shows."""
        return {chip: sum(self.counts[status] for status in statuses) for chip, statuses in CHIPS.items()}

    @property
    def kept(self) -> int:
        """Tests that would be written now."""
        return self.counts[KEPT]

    def _count(self, tests: list[TestView]) -> Iterator[None]:
        counts: Counter[str] = Counter()
        places: dict[str, int] = {}
        for start in range(0, len(tests), STEP):
            part = tests[start : start + STEP]
            counts.update(map(status_of, part))
            places.update((test["id"], start + at) for at, test in enumerate(part))
            yield
        self.tests, self.counts, self._places = tests, counts, places

    def _decide(self, places: list[int], decision: str) -> Iterator[None]:
        # Views compare old values with new ones, so a test that changes is a new value in a new list.
        tests, counts = list(self.tests), Counter(self.counts)
        for start in range(0, len(places), STEP):
            for place in places[start : start + STEP]:
                before = tests[place]
                after = tests[place] = TestView(**{**before, "decided": decision})
                counts[status_of(before)] -= 1
                counts[status_of(after)] += 1
            yield
        self.tests, self.counts = tests, counts


# How tests and their groups are told in the tree


def gain_of(test: TestView) -> str:
    """What it adds, the most telling part of it: "+3 lines"; empty for nothing."""
    if test["lines"]:
        return trn("+{n} line", "+{n} lines", test["lines"])
    if test["branches"]:
        return trn("+{n} branch", "+{n} branches", test["branches"])
    return trn("+{n} mutant", "+{n} mutants", test["mutants"]) if test["mutants"] else ""


def reason_of(test: TestView) -> str:
    """Why it was refused, in a word or two; empty for a test that the judge kept."""
    return tr(REASONS[test["reason"]]) if test["reason"] in REASONS else ""


def leaf(test: TestView) -> Node:
    """A test: its status shape, its name, what it adds or why it was refused, and what a person decided."""
    look = look_of_test(test["verdict"], test["decided"], test["reason"])
    remark = gain_of(test) if test["verdict"] == "accepted" else reason_of(test)
    counts = [Count(remark)] if remark else []
    if test["decided"]:
        accepted = test["decided"] == "accepted"
        counts.append(Count(tr("accepted"), "success") if accepted else Count(tr("refused by you"), "warning"))
    told = ", ".join([test["name"], look.text(), *(count.text for count in counts)])
    return Node(test["name"], look.icon, look.token, tuple(counts), spoken=told, place=test["path"])


def searched(test: TestView) -> str:
    """What a filter looks into."""
    look = look_of_test(test["verdict"], test["decided"], test["reason"])
    parts = (test["file"], test["symbol"], test["path"], test["name"], look.text(), reason_of(test), test["label"])
    return "\n".join((*parts, test["origin"]))


def _tallied(tally: Tally) -> tuple[Count, ...]:
    kept, suspected = tally.get(KEPT, 0), tally.get(SUSPECTED, 0)
    refused = tally.get(REFUSED, 0) + tally.get(FLAKY, 0)
    counts = [Count(trn("{n} kept", "{n} kept", kept))] if kept else []
    if refused and not kept:
        counts.append(Count(trn("{n} refused", "{n} refused", refused)))
    if suspected:
        counts.append(Count(trn("{n} defect", "{n} defects", suspected), "danger"))
    return tuple(counts)


def _by_file(test: TestView) -> Path:
    return (test["file"], test["symbol"]) if test["symbol"] else (test["file"],)


def _told_file(path: Path, tally: Tally) -> Node:
    return Node(path[-1], "file" if len(path) == 1 else "code", counts=_tallied(tally), place=path[-1])


def _by_outcome(test: TestView) -> Path:
    return status_of(test), test["file"]


def _told_outcome(path: Path, tally: Tally) -> Node:
    if len(path) > 1:
        return Node(path[-1], "file", counts=(Count(f"{sum(tally.values()):,}"),), place=path[-1])
    verdict = {KEPT: "accepted", SUSPECTED: "suspected"}.get(path[0], "refused")
    look = look_of_test(verdict, "", "flaky" if path[0] == FLAKY else "")
    return Node(chip_words(path[0]), look.icon, look.token, (Count(f"{sum(tally.values()):,}"),), code=False)


def _by_test_file(test: TestView) -> Path:
    return (test["path"],)


def chip_words(chip: str) -> str:
    """The word of a chip, and of a group by outcome."""
    told = {KEPT: later("Kept"), REFUSED: later("Refused"), SUSPECTED: later("Suspected"), FLAKY: later("Flaky")}
    return tr(told[chip])


#: Name of each grouping, the groups that a test stands in, and how they are told.
GROUPINGS: Mapping[str, tuple[str, Callable[[TestView], Path], Callable[[Path, Tally], Node]]] = {
    "file": (later("By file"), _by_file, _told_file),
    "outcome": (later("By outcome"), _by_outcome, _told_outcome),
    "test-file": (later("By test file"), _by_test_file, _told_file),
}
