"""History of a repository: its finished runs with their measures, the trend, and two of them side by side."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QMenu, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.trend import comparable
from qverify_desktop.domain.views import RepositoryView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.pages.home_columns import place_of
from qverify_desktop.ui.pages.repository_columns import MEASURES, found, history_columns, measure_of, words_of
from qverify_desktop.ui.pages.repository_policy import PolicyLine
from qverify_desktop.ui.pages.repository_since import SinceCard
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, column, frame, label, row
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.run_amounts import RunAmounts
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Table, TableModel
from qverify_desktop.ui.widgets.trend_chart import Point, TrendChart

#: Runs in the trend.
TREND = 30
#: The table scrolls by itself from so many rows on, and its least height shows so many.
MOST_ROWS, LEAST_ROWS = 14, 4
#: Window width below which the page's padding is smaller.
WIDE = 1200
MENU = ("repository.open", "repository.compare")


class RepositoryPage(Page):
    """``place.item`` is the source."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._name = ""
        self._pinned = False
        #: Runs of the trend, oldest first.
        self._drawn: list[HistoryEntry] = []
        self._sentence = label("", "verdict", wrap=True, select=True)
        self._path = ElidedLabel("small", "muted")
        self.trend = TrendChart(theme, tr("Measures of the last runs"))
        self.trend.pointed.connect(self._pointed)
        card = frame("card")
        self.amounts = RunAmounts(theme)
        self.amounts.pointed.connect(self._pointed)
        self._others = label("", "small", "muted", wrap=True)
        self._others.hide()
        card.setLayout(column(self.trend, self.amounts, self._others, gap=16, margins=(16, 12, 16, 8)))
        self.model: TableModel[HistoryEntry] = TableModel(
            history_columns(), key=lambda entry: entry["run"]["run"], text=words_of, parent=self
        )
        self.table = Table(theme, self.model, tr("Finished runs"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.opened.connect(self._open)
        self.table.selectionModel().selectionChanged.connect(self._selected)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.filter = FilterField(theme, tr("Filter runs"))
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.table.setFocus)
        self.model.arranged.connect(self._arranged)
        self.compare = Button(
            theme, tr("Compare"), partial(desk.actions.trigger, "repository.compare"), icon="compare"
        )
        tools = row(label(tr("Finished runs"), "heading"), None, self.compare, self.filter, gap=12)
        self.policy = PolicyLine(desk)
        self.since = SinceCard(desk)
        head = column(self._sentence, self._path, self.policy, gap=4)
        self._inside = column(head, self.since, card, tools, self.table, gap=16)
        self._inside.addStretch(1)
        self._shown = Shown(theme, scrolling(ScrollBody(self._inside)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        self._register()
        desk.actions.changed.connect(self._allow)
        theme.changed.connect(self._measure)
        self._measure()

    def _register(self) -> None:
        group = later("Repository")
        for act in (
            Act("repository.open", later("Open the run"), group, self._open_current, icon="arrow-right"),
            Act("repository.compare", later("Compare runs"), group, self._compare, icon="compare"),
            Act("repository.pin", later("Pin repository"), group, self._pin, icon="pin"),
            Act("repository.again", later("Analyze again"), group, self._again, icon="play"),
        ):
            act.place = "repository"
            self.desk.actions.add(act)
        self.desk.actions["repository.open"].reason = self._cant_open
        self.desk.actions["repository.compare"].reason = self._cant_compare

    def title(self) -> str:
        return self._name or tr("History")

    def subtitle(self) -> str:
        return tr("pinned") if self._pinned else ""

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("repository.pin", "repository.again")

    def enter(self, place: Place) -> None:
        fresh = place.item != self.place.item
        super().enter(place)
        if fresh:
            self._name = one_line(place.item.rstrip("/").rpartition("/")[2])
            self._path.setText(one_line(place_of(place.item)))
            self._pinned = False
            self.filter.clear()
            self.filter.apply()
            self._shown.show_waiting()
        self.refresh("")

    def refresh(self, run: str) -> None:
        source = self.place.item
        self.desk.bridge.ask(
            self, "repository_history", self._show, failed=self._failed, key="history", source=source
        )
        self.policy.show_source(source)
        # Without an answer it is only not known whether it is pinned.
        self.desk.bridge.ask(self, "repositories", self._show_pin, failed=lambda _: None, key="pin")

    def focus_filter(self) -> bool:
        seen = self.filter.isVisible()
        if seen:
            self.filter.setFocus()
        return seen

    def focus_content(self) -> None:
        (self.table if self._shown.currentWidget() is self._shown.content else self._shown.state.button).setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        side = 24 if self.window().width() >= WIDE else 16
        self._inside.setContentsMargins(side, 20, side, side)
        self.filter.setMaximumWidth(self.desk.theme.px(240))
        self._fit()

    # -- what is shown

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, partial(self.refresh, ""))

    def _show_pin(self, repositories: list[RepositoryView]) -> None:
        one = next((one for one in repositories if one["source"] == self.place.item), None)
        self._pinned = bool(one and one["pinned"])
        self._name = one_line(one["name"]) if one else self._name
        self.desk.actions["repository.pin"].title = (
            later("Unpin repository") if self._pinned else later("Pin repository")
        )
        self.retitled.emit()
        self.desk.actions.update()

    def _show(self, history: list[HistoryEntry]) -> None:
        self.model.fill(history)
        if not history:
            self._shown.show_state().show_state(
                "clock",
                tr("No finished run yet"),
                tr("Every finished analysis of this repository stands here, with what it changed."),
                button=(tr("Analyze"), self._again),
            )
            return
        self._sentence.setText(self._words(history))
        alike = comparable(history)
        self._drawn = [*reversed(alike[:TREND])]
        self.trend.show_points([_point(entry) for entry in self._drawn], [tr(title) for _, title in MEASURES])
        self.amounts.show_runs(self._drawn)
        self.since.ask(alike)
        others = len(history) - len(alike)
        self._others.setText(
            trn(
                "{n} run of another scope measured other lines: it is in the list and not drawn.",
                "{n} runs of another scope measured other lines: they are in the list and not drawn.",
                others,
            )
        )
        self._others.setVisible(others > 0)
        self._shown.show_content()
        self.desk.actions.update()

    def _words(self, history: list[HistoryEntry]) -> str:
        """How often, what the newest found, and how line coverage went since the first."""
        count = trn("{n} finished run", "{n} finished runs", len(history))
        told = tr("{count}. The newest: {found}", count=count, found=found(history[0]["run"]))
        first, last = words.after_of(history[-1]["lines"]), words.after_of(history[0]["lines"])
        if len(history) < 2 or first is None or last is None:
            return f"{told}."
        return tr(
            "{told}; line coverage went from {first} to {last}.",
            told=told,
            first=words.share(first),
            last=words.share(last),
        )

    def _arranged(self, shown: int, total: int) -> None:
        self.filter.say_count(shown, total)
        if shown and self.table.value() is None:
            self.table.choose(self.model.key_at(0))
        self._fit()
        self.desk.actions.update()

    def _fit(self) -> None:
        """The table is as high as its rows; a long history scrolls by itself."""
        row_height = self.desk.theme.px(28)
        high = max(self.table.height_of_all(), row_height * LEAST_ROWS)
        self.table.setFixedHeight(min(high, row_height * MOST_ROWS))

    # -- what is chosen

    def chosen(self) -> list[HistoryEntry]:
        """The selected runs from top to bottom."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.value_at(at) for at in rows]

    def _selected(self, *_: object) -> None:
        self.desk.actions.update()

    def _allow(self) -> None:
        self.compare.set_possible(self._cant_compare())

    def _cant_open(self) -> str:
        return "" if self.chosen() else tr("Choose a run in the list.")

    def _cant_compare(self) -> str:
        if len(self.model.values) < 2:
            return tr("Two finished runs are needed.")
        return "" if 1 <= len(self.chosen()) <= 2 else tr("Choose one or two finished runs in the list.")

    def _pointed(self, number: int) -> None:
        """A run of the trend, in which the oldest is the first."""
        self.table.choose(self._drawn[number]["run"]["run"])

    # -- acts

    def _open(self, entry: HistoryEntry) -> None:
        self.desk.front.go(Place("results", run=entry["run"]["run"]))

    def _open_current(self) -> None:
        self._open(self.chosen()[0])

    def _compare(self) -> None:
        """The newer with the older, or one with the one before it."""
        runs = [entry["run"] for entry in self.chosen()]
        newer, *older = sorted(runs, key=lambda run: run["started_at"], reverse=True)
        self.desk.front.go(Place("compare", run=newer["run"], item=older[0]["run"] if older else ""))

    def _pin(self) -> None:
        self.desk.bridge.ask(
            self, "repository_pin", self._look_again, source=self.place.item, pinned=not self._pinned
        )

    def _look_again(self, _: object) -> None:
        self.refresh("")

    def _again(self) -> None:
        self.desk.front.new_analysis(self.place.item)

    def _menu(self, at: QPoint) -> None:
        if not self.table.indexAt(at).isValid():
            return
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for id_ in MENU:
            menu.addAction(self.desk.actions.action(id_))
        # After all actions are made: a new one knows nothing yet of what is possible.
        self.desk.actions.update()
        menu.popup(self.table.viewport().mapToGlobal(at))


def _point(entry: HistoryEntry) -> Point:
    at = entry["run"]["started_at"]
    values = tuple(words.after_of(measure_of(entry, name)) for name, _ in MEASURES)
    return Point(words.day(at), words.when(at), values)
