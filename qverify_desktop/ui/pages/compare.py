"""Two finished runs of one repository side by side: the sentence first, then measures, tests that differ, defects."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import ComparedTest, ComparisonView, DefectView, HistoryEntry
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import IconLabel, column, empty, frame, label, row
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

MEASURES = (("lines", later("Lines")), ("branches", later("Branches")), ("mutants", later("Mutants noticed")))


class ComparePage(Page):
    """``place.run`` is one run; ``place.item`` another, or empty for the finished one before it."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._name = ""
        self._history: list[HistoryEntry] = []
        self.older, self.newer = QComboBox(), QComboBox()
        self.older.setAccessibleName(tr("Older run"))
        self.newer.setAccessibleName(tr("Newer run"))
        for box in (self.older, self.newer):
            box.activated.connect(lambda _: self._chosen())
            box.setMinimumWidth(theme.px(200))
        self._sentence = label("", "verdict", wrap=True, select=True)
        self._measures = QGridLayout()
        self._measures.setHorizontalSpacing(32)
        self._measures.setVerticalSpacing(8)
        measures = frame("card")
        measures.setLayout(column(self._measures, margins=(16, 12, 16, 12)))
        self._defects = QVBoxLayout()
        self._defects.setSpacing(6)
        self._defect_card = frame("card")
        self._defect_card.setLayout(column(self._defects, margins=(16, 12, 16, 12)))
        self.model: TableModel[ComparedTest] = TableModel(_columns(), key=lambda one: one["test"], parent=self)
        self.table = Table(theme, self.model, tr("Tests that differ"))
        self.table.setMinimumHeight(theme.px(220))
        self.filter = FilterField(theme, tr("Filter tests"))
        self.filter.setMaximumWidth(theme.px(240))
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self.filter.say_count)
        inside = QWidget()
        inside.setObjectName("page")
        chooser = row(self.older, IconLabel(theme, "arrow-right"), self.newer, None, gap=12)
        tools = row(label(tr("Tests that differ"), "heading"), None, self.filter)
        inside.setLayout(
            column(
                chooser,
                self._sentence,
                measures,
                label(tr("Suspected defects"), "heading"),
                self._defect_card,
                tools,
                self.table,
                gap=12,
                margins=(24, 20, 24, 24),
            )
        )
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        self._shown = Shown(theme, area)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)

    def title(self) -> str:
        return tr("Compare runs of {name}", name=self._name) if self._name else tr("Compare")

    def enter(self, place: Place) -> None:
        super().enter(place)
        self._shown.show_waiting()
        self.desk.bridge.ask(self, "run_overview", self._begin, failed=self._failed, key="run", run=place.run)

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.older.setFocus()

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, partial(self.enter, self.place))

    def _begin(self, overview: dict[str, dict[str, str]]) -> None:
        self._name = overview["run"]["name"]
        self.retitled.emit()
        source = overview["run"]["source"]
        self.desk.bridge.ask(
            self, "repository_history", self._choose, failed=self._failed, key="history", source=source
        )

    def _choose(self, history: list[HistoryEntry]) -> None:
        """Fill both boxes; the run that was asked for and the one before it, or the two that were named."""
        self._history = history
        runs = [entry["run"]["run"] for entry in history]
        if len(runs) < 2:
            self._shown.show_state().show_state(
                "compare",
                tr("There is nothing to compare with"),
                tr("Two finished runs of one repository are needed. Analyze it again after a change."),
            )
            return
        for box in (self.older, self.newer):
            box.clear()
            for entry in history:
                box.addItem(words.moment(entry["run"]["started_at"]), entry["run"]["run"])
        at = runs.index(self.place.run) if self.place.run in runs else 0
        other = runs.index(self.place.item) if self.place.item in runs else (at + 1 if at + 1 < len(runs) else at - 1)
        # Newest first: the higher place is the older run.
        self.older.setCurrentIndex(max(at, other))
        self.newer.setCurrentIndex(min(at, other))
        self._chosen()

    def _chosen(self) -> None:
        a, b = self.older.currentData(), self.newer.currentData()
        if a == b:
            self._sentence.setText(tr("Choose two different runs."))
            return
        self.desk.bridge.ask(self, "runs_compare", self._show, failed=self._failed, key="compare", a=a, b=b)

    def _show(self, view: ComparisonView) -> None:
        self._sentence.setText(view["sentence"])
        self._show_measures(view)
        self._show_defects(view)
        self.model.fill(view["tests"])
        self._shown.show_content()

    def _show_measures(self, view: ComparisonView) -> None:
        empty(self._measures)
        for at, text in enumerate((tr("Measure"), tr("Older run"), tr("Newer run"), tr("Change"))):
            self._measures.addWidget(label(text, "caption", "muted"), 0, at)
        for line, (name, title) in enumerate(MEASURES, 1):
            old = words.after_of(view["a"][name])  # type: ignore[literal-required]
            new = words.after_of(view["b"][name])  # type: ignore[literal-required]
            tone = {"success": "success", "danger": "danger"}.get(words.change_token(old, new), "muted")
            parts = (label(tr(title)), label(words.share(old)), label(words.share(new), "strong"))
            for at, part in enumerate((*parts, label(words.change(old, new), "body", tone))):
                self._measures.addWidget(part, line, at)
        self._measures.setColumnStretch(4, 1)

    def _show_defects(self, view: ComparisonView) -> None:
        empty(self._defects)
        groups = (
            (tr("New"), "diamond-alert", "danger", view["defects_new"]),
            (tr("Gone"), "circle-check", "success", view["defects_gone"]),
            (tr("In both"), "diamond-alert", "warning", view["defects_same"]),
        )
        for word, icon, token, defects in groups:
            for defect in defects:
                self._defects.addLayout(self._defect(word, icon, token, defect))
        if not any(defects for *_, defects in groups):
            self._defects.addWidget(label(tr("Neither run suspects a defect."), "body", "muted", wrap=True))

    def _defect(self, word: str, icon: str, token: str, defect: DefectView) -> QHBoxLayout:
        told = f"{defect['symbol']}: {defect['call']}"
        text = label(told, wrap=True, select=True)
        made = row(
            IconLabel(self.desk.theme, icon, token, words=word),
            label(word, "small", "muted"),
            text,
            label(f"{defect['file']}:{defect['line']}", "small", "muted"),
            gap=12,
        )
        made.setStretch(2, 1)
        return made


def _columns() -> list[Column[ComparedTest]]:
    def verdict(side: str, title: str) -> Column[ComparedTest]:
        def told(test: ComparedTest) -> str:
            value = str(test[side])  # type: ignore[literal-required]
            return words.look_of_test(value).text() if value else tr("not there")

        def icon(test: ComparedTest) -> tuple[str, str] | None:
            value = str(test[side])  # type: ignore[literal-required]
            look = words.look_of_test(value)
            return (look.icon, look.token) if value else None

        return Column(title, told, told, icon=icon, width=150)

    return [
        Column(
            tr("Test"), lambda one: one["test"], lambda one: one["test"], font="code", width=220, stretch=1, path=True
        ),
        verdict("before", tr("Older run")),
        verdict("after", tr("Newer run")),
    ]
