"""The results of a run: verdict, measures, every test that was written and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import TestView
from qverify_desktop.domain.views import RunOverview
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.models.decisions import Decisions
from qverify_desktop.ui.models.results import AT_ONCE, TestSet, is_acceptable, is_decided, is_refusable
from qverify_desktop.ui.page import Desk, Notice, Place
from qverify_desktop.ui.pages.exporting import FORMATS, Exporter
from qverify_desktop.ui.pages.results_band import ResultsBand
from qverify_desktop.ui.pages.results_detail import TestDetailPane
from qverify_desktop.ui.pages.results_list import TestListPane
from qverify_desktop.ui.pages.unfinished import show_unfinished
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.widgets.master_detail import MasterDetail
from qverify_desktop.ui.widgets.slices import STEP, Slices
from qverify_desktop.ui.widgets.state_view import Shown

GROUP = later("Results")
#: Acts of the header; from this page width at 100 % on, comparing is one of them.
HEADER, WIDE = ("results.export", "results.review"), 720


class _Review(Act):
    """Its words name how many tests there are to review."""

    count: Callable[[], int] = staticmethod(lambda: 0)

    def words(self) -> str:
        n = self.count()
        return trn("Review {n} test", "Review {n} tests", n) if n else tr("Review tests")


class ResultsPage(RunPage):
    """Band with the verdict above a tree of tests and the chosen one. Decisions go to the engine in their order."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.tests = TestSet(self)
        self._decisions = Decisions(desk.bridge, "tests_decide", self)
        self._decisions.refused.connect(self._not_decided)
        self._decisions.settled.connect(self._settled)
        self._exporter = Exporter(self, "results", tuple(FORMATS), GROUP)
        self._register()
        self.band = ResultsBand(desk.theme)
        self.list = TestListPane(desk, self.tests)
        self.detail = TestDetailPane(desk)
        self.panes = MasterDetail(desk.theme, desk.preferences, "results", self.list, self.detail)
        content = QWidget()
        content.setObjectName("surface")
        layout = QVBoxLayout(content)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.band)
        layout.addWidget(self.panes, 1)
        self.shown = Shown(desk.theme, content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        # The window says how small it may be; what has no room is left out.
        outer.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        outer.addWidget(self.shown)
        self._asked = ("", "")
        self._stale = False
        self._slices = Slices(self)
        self._wide = True
        self.list.chosen.connect(self._choose)
        self.list.opened.connect(self._open)
        self.list.tree.opened.connect(self._read)
        self.panes.returned.connect(self.list.tree.setFocus)
        self.panes.turned.connect(self._fit)
        self.tests.changed.connect(self._tests_changed)

    # Acts

    def _register(self) -> None:
        add, finished = self.desk.actions.add, self._exporter.reason

        def act(id_: str, title: str, run: Callable[[], object], keys: str = "", icon: str = "", **more: Any) -> None:
            add(Act(f"results.{id_}", title, GROUP, run, keys, icon, place="results", **more))

        act("accept", later("Accept test"), self._accept, "A", "check", single=True, reason=self._cant_accept)
        act("refuse", later("Refuse test"), self._refuse, "R", "x", single=True, reason=self._cant_refuse)
        act("take_back", later("Take back the decision"), self._take_back, reason=self._cant_take_back)
        nothing = self._nothing_shown
        act("accept_all", later("Accept all that are shown"), partial(self._all, "accepted"), reason=nothing)
        act("refuse_all", later("Refuse all that are shown"), partial(self._all, "refused"), reason=nothing)
        act("take_back_all", later("Take back all that are shown"), partial(self._all, ""), reason=nothing)
        pop = partial(self._exporter.pop, "results.export")
        act("export", later("Export"), pop, "Ctrl+E", "upload", reason=finished)
        act("compare", later("Compare"), self._compare, icon="compare", reason=finished)
        review = _Review(
            "results.review", later("Review tests"), GROUP, self._review, place="results", reason=self._cant_review
        )
        review.count = lambda: self.tests.kept
        add(review)

    @property
    def buttons(self) -> tuple[str, ...]:
        if self._exporter.reason():
            return ()
        return ("results.compare", *HEADER) if self._wide else HEADER

    def _cant_accept(self) -> str:
        test = self._test()
        if test is None:
            return tr("Choose a test first.")
        return "" if is_acceptable(test) else tr("It did not pass five of five, so it can't be kept.")

    def _cant_refuse(self) -> str:
        test = self._test()
        if test is None:
            return tr("Choose a test first.")
        return "" if is_refusable(test) else tr("It is refused already.")

    def _cant_take_back(self) -> str:
        test = self._test()
        return "" if test is not None and test["decided"] else tr("Nothing was decided about this test.")

    def _nothing_shown(self) -> str:
        return "" if self.list.model.shown_count else tr("No test is shown.")

    def _cant_review(self) -> str:
        return self._exporter.reason() or ("" if self.tests.kept else tr("No test is accepted."))

    def _test(self) -> TestView | None:
        """The chosen test as it is now."""
        chosen = self.detail.test
        return self.tests.get(chosen["id"]) if chosen is not None else None

    # Decisions

    def _accept(self) -> None:
        self._decide_one("accepted")

    def _refuse(self) -> None:
        self._decide_one("refused")

    def _take_back(self) -> None:
        self._decide_one("", go_on=False)

    def _decide_one(self, decision: str, *, go_on: bool = True) -> None:
        test = self._test()
        if test is None or self.context is None:
            return
        if go_on:
            # First, because a filter may take the test away.
            self.list.choose_next()
        if test["decided"] != decision:
            self._send([test["id"]], decision)

    def _all(self, decision: str) -> None:
        """Decide about all that are shown, gathered in slices. A toast takes it back."""
        fit = {"accepted": is_acceptable, "refused": is_refusable, "": is_decided}[decision]
        chosen: list[TestView] = []
        left: list[TestView] = []

        def gather() -> Iterator[None]:
            for number, test in enumerate(self.list.model.shown()):
                (chosen if fit(test) else left).append(test)
                if number % STEP == STEP - 1:
                    yield

        small = self.list.model.shown_count <= AT_ONCE
        self._slices.run(gather(), partial(self._decide_all, decision, chosen, left), now=small)

    def _decide_all(self, decision: str, chosen: list[TestView], left: list[TestView]) -> None:
        before: dict[str, list[str]] = {}
        for test in chosen:
            if test["decided"] != decision:
                before.setdefault(test["decided"], []).append(test["id"])
        ids = [id_ for group in before.values() for id_ in group]
        if not ids:
            self.desk.front.tell(Notice(tr("None of the tests that are shown changes by that.")))
            return
        self._send(ids, decision)
        told = {
            "accepted": trn("{n} test accepted.", "{n} tests accepted.", len(ids)),
            "refused": trn("{n} test refused.", "{n} tests refused.", len(ids)),
            "": trn("{n} decision taken back.", "{n} decisions taken back.", len(ids)),
        }[decision]
        if left and decision == "accepted":
            told += " " + trn("{n} did not pass and stays out.", "{n} did not pass and stay out.", len(left))
        self.desk.front.tell(Notice(told, "success", tr("Undo"), partial(self._undo, self.place.run, before)))

    def _undo(self, run: str, before: dict[str, list[str]]) -> None:
        for decision, ids in before.items():
            if run == self.place.run:
                self._send(ids, decision)
            else:
                self._decisions.send(run=run, tests=ids, decision=decision)

    def _send(self, ids: Sequence[str], decision: str) -> None:
        """Shown at once; when the engine refuses it, what it holds is read again."""
        self._decisions.send(run=self.place.run, tests=list(ids), decision=decision)
        self.tests.decide(ids, decision)
        if self.context is not None:
            self.context.decided.emit()

    def _not_decided(self, error: QVerifyError) -> None:
        self.desk.front.tell_error(error)
        self._ask_tests()

    # Compare, review

    def _compare(self) -> None:
        self.desk.front.go(Place("compare", run=self.place.run))

    def _review(self) -> None:
        from qverify_desktop.ui.sheets.write_tests import WriteTestsSheet

        if self.context is not None and self.context.overview:
            overview: RunOverview = self.context.overview  # type: ignore[assignment]
            self.desk.front.open_sheet(WriteTestsSheet(self.desk, overview, self.tests.kept))

    # The run

    def begin_run(self) -> None:
        self._asked = ("", "")
        self.shown.show_waiting()
        self.detail.show_none()
        self.tests.fill([])
        self.list.begin()

    def enter(self, place: Place) -> None:
        self._asked = ("", "")
        super().enter(place)
        if place.item:
            self.list.choose(place.item)

    def show_run(self) -> None:
        assert self.context is not None
        overview: RunOverview = self.context.overview  # type: ignore[assignment]
        self.desk.actions.update()
        if self.context.status != "finished":
            show_unfinished(self.desk, self.shown, self.context)
            return
        self.band.show_overview(overview)
        self.detail.run, self.detail.tests_folder = self.context.run, overview["tests_folder"]
        asked = (self.context.run, self.context.status)
        if asked != self._asked:
            self._asked = asked
            self._ask_tests()

    def _ask_tests(self) -> None:
        self.desk.bridge.ask(self, "run_tests", self._take_tests, failed=self._fail, key="tests", run=self.place.run)

    def _take_tests(self, tests: list[TestView]) -> None:
        self._stale = self._decisions.busy
        if not self._stale:
            self.shown.show_content()
            self.tests.fill(tests)

    def _settled(self) -> None:
        """An answer that came while decisions were on their way is asked for again."""
        if self._stale and self.context is not None:
            self._ask_tests()

    def _fail(self, error: QVerifyError) -> None:
        self.shown.show_state().show_error(error, self._ask_tests)

    def _tests_changed(self) -> None:
        self.band.show_tests(self.tests)
        chosen = self._test()
        if chosen is not None:
            self.detail.show_test(chosen)
        self.desk.actions.update()

    def _choose(self, test: TestView | None) -> None:
        if test is not None:
            self.detail.show_test(test)
        elif self.list.tree.path() is None:
            # On a group the last test stays; here the filter took it away.
            self.detail.show_none(filtered=bool(self.tests.tests))
        self.desk.actions.update()

    def _open(self, test: TestView) -> None:
        self.panes.show_detail()

    def _read(self, test: TestView) -> None:
        """Enter goes on into the code; Escape comes back."""
        self.panes.show_detail()
        self.detail.code.setFocus()

    # Focus and room

    def focus_filter(self) -> bool:
        self.panes.show_master()
        self.list.filter.setFocus()
        self.list.filter.selectAll()
        return True

    def focus_content(self) -> None:
        self.list.tree.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.band.set_room(self.height(), self.panes.only_detail)
        wide = self.width() >= self.desk.theme.px(WIDE)
        if wide != self._wide:
            self._wide = wide
            self.retitled.emit()


__all__ = ["ResultsPage"]
