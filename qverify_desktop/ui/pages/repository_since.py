"""What the newest run of a repository found otherwise than the one before it: new suspicions first, then what was lost, then what
is better."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QVBoxLayout

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import ComparisonView, DefectView, HistoryEntry
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.pages.compare_columns import CHANGES, DEFECTS, change_of
from qverify_desktop.ui.pages.repository_columns import MEASURES, measure_of
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, empty, label, row
from qverify_desktop.ui.widgets.painting import one_line

#: Calls that are named in one line, and characters of each.
MOST_CALLS, MOST_CALL = 3, 60


@dataclass(frozen=True)
class Difference:
    """One line: an icon in the colour of its token, and what it says."""

    icon: str
    token: str
    said: str


class SinceCard(QFrame):
    """Hidden until two runs are compared that can be."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("card")
        self._desk = desk
        self._runs = ("", "")
        self._said: list[str] = []
        self._about = label("", "small", "muted", wrap=True)
        self._lines = QVBoxLayout()
        self._lines.setSpacing(6)
        self.all = Button(desk.theme, tr("Show what differs"), self._compare, icon="compare", size="small")
        head = row(column(label(tr("Since the run before"), "heading"), self._about, gap=0), self.all, gap=12)
        head.setStretch(0, 1)
        head.setAlignment(self.all, Qt.AlignmentFlag.AlignTop)
        self.setLayout(column(head, self._lines, gap=8, margins=(16, 12, 16, 12)))
        self.hide()

    def ask(self, alike: list[HistoryEntry]) -> None:
        """Compare the newest two of ``alike``, which are runs of one scope, newest first."""
        if len(alike) < 2:
            self.hide()
            return
        newer, older = (entry["run"]["run"] for entry in alike[:2])
        self._desk.bridge.ask(
            self, "runs_compare", self.show_comparison, failed=self._failed, key="since", a=older, b=newer
        )

    def said(self) -> list[str]:
        """The lines as they stand."""
        return self._said

    def show_comparison(self, view: ComparisonView) -> None:
        self._runs = (view["a"]["run"]["run"], view["b"]["run"]["run"])
        self._about.setText(
            tr(
                "{newer} compared with {older}",
                newer=words.when(view["b"]["run"]["started_at"]),
                older=words.when(view["a"]["run"]["started_at"]),
            )
        )
        empty(self._lines)
        found = differences(view)
        self._said = [one.said for one in found]
        for one in found:
            icon = IconLabel(self._desk.theme, one.icon, one.token)
            line = row(icon, label(one.said, wrap=True, select=True), gap=8)
            line.setStretch(1, 1)
            line.setAlignment(icon, Qt.AlignmentFlag.AlignTop)
            self._lines.addLayout(line)
        self.show()

    def _failed(self, error: QVerifyError) -> None:
        """The history stands without it; comparing says why it can't be done."""
        self.hide()

    def _compare(self) -> None:
        older, newer = self._runs
        self._desk.front.go(Place("compare", run=newer, item=older))


def differences(view: ComparisonView) -> list[Difference]:
    """What a reviewer asks first stands first; one sentence where nothing differs."""
    tests = Counter(change_of(test) for test in view["tests"])
    found = []
    if fresh := view["defects_new"]:
        said = trn(
            "{n} suspected defect is new: {calls}",
            "{n} suspected defects are new: {calls}",
            len(fresh),
            calls=_calls(fresh),
        )
        found.append(_line(DEFECTS["new"], said))
    if tests["lost"]:
        said = trn(
            "{n} test that was kept is not any more.", "{n} tests that were kept are not any more.", tests["lost"]
        )
        found.append(_line(CHANGES["lost"], said))
    fallen = [
        tr("{measure} {before} to {after}", measure=tr(title), before=words.share(before), after=words.share(after))
        for name, title in MEASURES
        if (before := words.after_of(measure_of(view["a"], name))) is not None
        and (after := words.after_of(measure_of(view["b"], name))) is not None
        and after < before
    ]
    if fallen:
        found.append(Difference("triangle-alert", "warning", tr("Fallen: {measures}", measures=", ".join(fallen))))
    if gone := view["defects_gone"]:
        said = trn(
            "{n} suspected defect is gone: {calls}",
            "{n} suspected defects are gone: {calls}",
            len(gone),
            calls=_calls(gone),
        )
        found.append(_line(DEFECTS["gone"], said))
    if tests["gained"]:
        found.append(
            _line(CHANGES["gained"], trn("{n} test is kept newly.", "{n} tests are kept newly.", tests["gained"]))
        )
    if not found:
        return [
            Difference("circle-check", "success", tr("The same defects, the same tests, and no measure has fallen."))
        ]
    return found


def _line(look: words.Look, said: str) -> Difference:
    return Difference(look.icon, look.token, said)


def _calls(defects: list[DefectView]) -> str:
    """Some by their call, and how many more."""
    named = [one_line(one["call"])[:MOST_CALL] for one in defects[:MOST_CALLS]]
    more = len(defects) - len(named)
    return ", ".join([*named, *([trn("{n} more", "{n} more", more)] if more else [])])
