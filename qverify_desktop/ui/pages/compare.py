"""Two finished runs of one repository side by side: the sentence first, then measures, defects, tests that differ."""

from __future__ import annotations

from collections import Counter
from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import ComparedTest, ComparisonView, HistoryEntry
from qverify_desktop.domain.views import RunOverview
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.pages.compare_columns import (
    CHANGES,
    ComparedDefect,
    change_of,
    defect_columns,
    defects_of,
    test_columns,
)
from qverify_desktop.ui.pages.repository_columns import MEASURES, found, measure_of
from qverify_desktop.ui.theme import tokens
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import IconLabel, column, empty, frame, holder, label, row
from qverify_desktop.ui.widgets.charts import BeforeAfterBar
from qverify_desktop.ui.widgets.chips import Choice, FilterChips
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown, StateView
from qverify_desktop.ui.widgets.tables import Table, TableModel

#: Counts of a run: field and word.
COUNTS = (
    ("accepted", later("Tests kept")),
    ("refused", later("Tests refused")),
    ("suspected", later("Suspected defects")),
)
#: A table scrolls by itself from so many rows on.
MOST_DEFECTS, MOST_TESTS, LEAST = 6, 16, 3
#: Window width below which the page's padding is smaller.
WIDE = 1200


class ComparePage(Page):
    """``place.run`` is one run; ``place.item`` another, or empty for the finished one before it."""

    leads = False

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._name = self._source = ""
        self._runs = ("", "")
        self._sentence = label("", "verdict", wrap=True, select=True)
        self._measures = QGridLayout()
        self._measures.setContentsMargins(0, 0, 0, 0)
        self._measures.setHorizontalSpacing(24)
        self._measures.setVerticalSpacing(8)
        measures = frame("card")
        measures.setLayout(column(self._measures, margins=(16, 12, 16, 12)))
        self._content = holder(column(self._sentence, measures, self._build_defects(), self._build_tests(), gap=16))
        self._state = StateView(desk.theme)
        self._state.hide()
        self._inside = column(self._build_chooser(), self._content, self._state, gap=16)
        self._inside.addStretch(1)
        self._shown = Shown(desk.theme, scrolling(ScrollBody(self._inside)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        act = Act("compare.history", later("History of the repository"), later("Repository"), self._go_history)
        act.icon, act.place = "clock", "compare"
        act.reason = lambda: "" if self._source else tr("The run is being looked up.")
        desk.actions.add(act)
        desk.theme.changed.connect(self._measure)
        self._measure()

    def _build_chooser(self) -> QWidget:
        """Both runs, each chosen from the history."""
        self.older, self.newer = QComboBox(), QComboBox()
        for box, name in ((self.older, tr("Older run")), (self.newer, tr("Newer run"))):
            box.setAccessibleName(name)
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(12)
            box.setMaxVisibleItems(16)
            box.activated.connect(self._chosen)
        between = IconLabel(self.desk.theme, "arrow-right", words=tr("compared with"))
        chooser = row(self.older, between, self.newer, gap=12)
        chooser.setStretch(0, 1)
        chooser.setStretch(2, 1)
        self._chooser = holder(chooser)
        return self._chooser

    def _build_defects(self) -> QWidget:
        self.defects: TableModel[ComparedDefect] = TableModel(
            defect_columns(), key=lambda one: (one.change, one.defect["id"]), parent=self
        )
        self.defect_table = Table(self.desk.theme, self.defects, tr("Suspected defects"))
        self.defect_table.opened.connect(self._open_defect)
        self.no_defects = label(tr("Neither run suspects a defect."), "body", "muted", wrap=True)
        return holder(column(label(tr("Suspected defects"), "heading"), self.defect_table, self.no_defects, gap=8))

    def _build_tests(self) -> QWidget:
        theme = self.desk.theme
        self.model: TableModel[ComparedTest] = TableModel(test_columns(), key=lambda one: one["test"], parent=self)
        self.table = Table(theme, self.model, tr("Tests that differ"))
        self.table.opened.connect(self._open_test)
        self.filter = FilterField(theme, tr("Filter tests"))
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.table.setFocus)
        self.model.arranged.connect(self._arranged)
        self.chips = FilterChips(theme, tr("Show tests that are"))
        self.chips.changed.connect(self._accept)
        self.no_tests = label(tr("Every test was judged the same in both runs."), "body", "muted", wrap=True)
        tools = row(self.chips, self.filter, gap=12)
        tools.setStretch(0, 1)
        tools.setAlignment(self.filter, Qt.AlignmentFlag.AlignTop)
        self._tools = holder(tools)
        return holder(
            column(label(tr("Tests that differ"), "heading"), self._tools, self.table, self.no_tests, gap=8)
        )

    def title(self) -> str:
        return tr("Compare runs of {name}", name=self._name) if self._name else tr("Compare")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("compare.history",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self._shown.show_waiting()
        self.desk.bridge.ask(self, "run_overview", self._begin, failed=self._failed, key="run", run=place.run)

    def focus_filter(self) -> bool:
        seen = self.filter.isVisible()
        if seen:
            self.filter.setFocus()
        return seen

    def focus_content(self) -> None:
        self.older.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        side = 24 if self.window().width() >= WIDE else 16
        self._inside.setContentsMargins(side, 20, side, side)
        self.filter.setMaximumWidth(self.desk.theme.px(240))
        self._fit()

    def _fit(self) -> None:
        """Tables are as high as their rows; long ones scroll by themselves."""
        for table, most in ((self.defect_table, MOST_DEFECTS), (self.table, MOST_TESTS)):
            step = self.desk.theme.px(tokens()["row"]["default"])
            header = self.desk.theme.px(tokens()["row"]["table-header"])
            high = max(table.height_of_all(), header + step * LEAST)
            table.setFixedHeight(min(high, header + step * most))

    # -- which runs

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, partial(self.enter, self.place))

    def _begin(self, overview: RunOverview) -> None:
        self._name = one_line(overview["run"]["name"])
        self._source = overview["run"]["source"]
        self.retitled.emit()
        self.desk.actions.update()
        self.desk.bridge.ask(
            self, "repository_history", self._choose, failed=self._failed, key="history", source=self._source
        )

    def _choose(self, history: list[HistoryEntry]) -> None:
        """Fill both boxes; the run that was asked for and the one before it, or the two that were named."""
        runs = [entry["run"]["run"] for entry in history]
        if len(runs) < 2:
            self._shown.show_state().show_state(
                "compare",
                tr("There is nothing to compare with"),
                tr("Two finished runs of one repository are needed. Analyze it again after a change."),
                button=(tr("Analyze again"), partial(self.desk.front.new_analysis, self._source)),
            )
            return
        for box in (self.older, self.newer):
            box.clear()
            for entry in history:
                said = f"{words.when(entry['run']['started_at'])} · {found(entry['run'])}"
                box.addItem(said, entry["run"]["run"])
        at = runs.index(self.place.run) if self.place.run in runs else 0
        other = runs.index(self.place.item) if self.place.item in runs else (at + 1 if at + 1 < len(runs) else at - 1)
        # Newest first: the higher place is the older run.
        self.older.setCurrentIndex(max(at, other))
        self.newer.setCurrentIndex(min(at, other))
        self._shown.show_content()
        self._chosen()

    def _chosen(self, _: int = 0) -> None:
        a, b = self.older.currentData(), self.newer.currentData()
        if a == b:
            self._state.show_state("compare", tr("This is one run"), tr("Choose two different runs."))
            self._show_state()
            return
        self.desk.bridge.ask(self, "runs_compare", self._show, failed=self._not_compared, key="compare", a=a, b=b)

    def _show_state(self) -> None:
        self._content.hide()
        self._state.show()

    def _not_compared(self, error: QVerifyError) -> None:
        """Other runs may be comparable: both boxes stay."""
        self._state.show_error(error, self._chosen)
        self._show_state()

    # -- what differs

    def _show(self, view: ComparisonView) -> None:
        # The engine knows which one is older, whatever was chosen where.
        for box, side in ((self.older, view["a"]), (self.newer, view["b"])):
            box.setCurrentIndex(box.findData(side["run"]["run"]))
        self._runs = (view["a"]["run"]["run"], view["b"]["run"]["run"])
        self._sentence.setText(view["sentence"])
        self._show_measures(view["a"], view["b"])
        self.defects.fill(defects_of(view))
        self.model.fill(view["tests"])
        counts = Counter(change_of(test) for test in view["tests"])
        self.chips.show_choices(
            [Choice(key, look.text(), look.icon, look.token, counts[key]) for key, look in CHANGES.items()]
        )
        for table, told, some in (
            (self.defect_table, self.no_defects, bool(self.defects.values)),
            (self.table, self.no_tests, bool(view["tests"])),
        ):
            table.setVisible(some)
            told.setVisible(not some)
        self._tools.setVisible(bool(view["tests"]))
        self._state.hide()
        self._content.show()
        self._fit()

    def _show_measures(self, older: HistoryEntry, newer: HistoryEntry) -> None:
        empty(self._measures)
        heads = (tr("Measure"), tr("Older run"), tr("Newer run"), tr("Change"))
        for at, text in enumerate(heads):
            self._put(0, at, text, "caption", "muted")
        for line, (name, title) in enumerate(MEASURES, 1):
            old, new = words.after_of(measure_of(older, name)), words.after_of(measure_of(newer, name))
            self._line(line, tr(title), words.share(old), words.share(new))
            self._put(line, 3, words.change(old, new), "body", _tone(words.change_token(old, new)))
            bar = BeforeAfterBar(self.desk.theme, tr(title))
            bar.show_values(old, new)
            bar.setMaximumWidth(self.desk.theme.px(480))
            self._measures.addWidget(bar, line, 4, Qt.AlignmentFlag.AlignVCenter)
        for line, (name, title) in enumerate(COUNTS, len(MEASURES) + 1):
            was, now = int(older["run"][name]), int(newer["run"][name])  # type: ignore[literal-required]
            self._line(line, tr(title), words.count(was), words.count(now))
            self._put(line, 3, words.signed(now - was), "body", "muted")
        self._measures.setColumnStretch(4, 1)

    def _line(self, line: int, title: str, old: str, new: str) -> None:
        self._put(line, 0, title, "body", "")
        self._put(line, 1, old, "body", "")
        self._put(line, 2, new, "strong", "")

    def _put(self, line: int, at: int, text: str, type_: str, tone: str) -> None:
        """Numbers stand at the right, so that they can be compared."""
        side = Qt.AlignmentFlag.AlignRight if at else Qt.AlignmentFlag.AlignLeft
        self._measures.addWidget(label(text, type_, tone), line, at, side | Qt.AlignmentFlag.AlignVCenter)

    def _arranged(self, shown: int, total: int) -> None:
        self.filter.say_count(shown, total)
        self._fit()

    def _accept(self, changes: frozenset[str]) -> None:
        self.model.set_accepts((lambda test: change_of(test) in changes) if changes else None)

    # -- ways on

    def _open_defect(self, one: ComparedDefect) -> None:
        self.desk.front.go(Place("defects", run=one.run, item=one.defect["id"]))

    def _open_test(self, test: ComparedTest) -> None:
        """In the newer run, or in the older one when only that has it."""
        older, newer = self._runs
        self.desk.front.go(Place("results", run=newer if test["after"] else older, item=test["test"]))

    def _go_history(self) -> None:
        self.desk.front.go(Place("repository", item=self._source))


def _tone(token: str) -> str:
    return "success" if token == "success" else "muted"
