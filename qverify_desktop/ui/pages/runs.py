"""All runs: status or verdict, repository, start, sentence and counts, for ten thousand of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QBoxLayout, QMenu, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import RunView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.hosted_analyses import AnalysesPart
from qverify_desktop.ui.pages.runs_columns import GROUPS, LIVE, RESUMABLE, group_of, run_columns, words_of
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, label, row
from qverify_desktop.ui.widgets.chips import Choice, FilterChips
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Table, TableModel

#: Window width below which the page's padding is smaller.
WIDE = 1200
#: Page width below which chips, comparing and filter stand below each other.
ONE_LINE = 720
#: Height that the list has at least.
LEAST_LIST = 200
CANCELLABLE = (*LIVE, "paused", "interrupted")
MENU = ("runs.open", "runs.compare", "runs.resume", "runs.cancel")


class RunsPage(Page):
    """Chips and filter above the table; several runs can be chosen."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        #: The selected runs, ``None`` when they must be looked up again.
        self._chosen: list[RunView] | None = None
        self.model: TableModel[RunView] = TableModel(
            run_columns(), key=lambda run: run["run"], text=words_of, parent=self
        )
        self.table = Table(theme, self.model, tr("Runs"))
        self.table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.table.opened.connect(self._open)
        self.table.selectionModel().selectionChanged.connect(self._selected)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.filter = FilterField(theme, tr("Filter runs"))
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.table.setFocus)
        self.chips = FilterChips(theme, tr("Show runs that are"))
        self.chips.show_choices([Choice(key, tr(title), icon) for key, title, icon in GROUPS])
        self.chips.changed.connect(self._accept)
        self.model.arranged.connect(self._arranged)
        self.compare = Button(theme, tr("Compare"), partial(desk.actions.trigger, "runs.compare"), icon="compare")
        self.compare.set_possible(tr("Choose one or two finished runs in the list."))
        self._tools = row(self.chips, self.compare, self.filter, gap=12)
        self._rows = Shown(theme, self.table)
        self.hosted = AnalysesPart(desk, quiet=True)
        self._inside = column(self._tools, self._build_question(), self.hosted, self._rows, gap=12)
        # What the service runs is as high as its rows; the rest is the list's.
        self._inside.setStretchFactor(self._rows, 1)
        self.table.setMinimumHeight(theme.px(LEAST_LIST))
        self._shown = Shown(theme, scrolling(ScrollBody(self._inside)))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        self._register()
        desk.actions.changed.connect(self._allow)
        theme.changed.connect(self._measure)
        self._measure()

    def _build_question(self) -> QWidget:
        """Cancel asks in place."""
        theme = self.desk.theme
        self._asked: list[str] = []
        self._question = frame("sunken")
        self._question_words = label("", "body", wrap=True)
        self.yes = Button(theme, tr("Cancel run"), self._cancel, kind="danger", size="small")
        self.no = Button(theme, tr("Go on"), self._keep, kind="ghost", size="small")
        layout = row(
            IconLabel(theme, "square-stop", "warning"),
            self._question_words,
            self.yes,
            self.no,
            gap=12,
            margins=(16, 8, 12, 8),
        )
        layout.setStretch(1, 1)
        self._question.setLayout(layout)
        self._question.hide()
        return self._question

    def _register(self) -> None:
        group = later("Runs")
        for act in (
            Act("runs.open", later("Open the run"), group, self._open_current, icon="arrow-right"),
            Act("runs.resume", later("Resume the run"), group, self._resume, icon="play"),
            Act("runs.cancel", later("Cancel the run"), group, self._ask_cancel, icon="stop"),
            Act("runs.compare", later("Compare runs"), group, self._compare, icon="compare"),
        ):
            act.place = "runs"
            self.desk.actions.add(act)
        acts = self.desk.actions
        acts["runs.open"].reason = self._needs()
        acts["runs.resume"].reason = self._needs(RESUMABLE)
        acts["runs.cancel"].reason = self._needs(CANCELLABLE)
        acts["runs.compare"].reason = self._cant_compare

    def title(self) -> str:
        return tr("Runs")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("runs.resume", "new-analysis")

    def enter(self, place: Place) -> None:
        super().enter(place)
        if not self.model.values:
            self._shown.show_waiting()
        self.refresh("")
        self.hosted.show_part()

    def leave(self) -> None:
        self.hosted.hide_part()
        self._question.hide()
        super().leave()

    def refresh(self, run: str) -> None:
        self.desk.bridge.ask(self, "run_list", self._show, failed=self._failed, key="runs")

    def focus_filter(self) -> bool:
        seen = self.filter.isVisible()
        if seen:
            self.filter.setFocus()
        return seen

    def focus_content(self) -> None:
        if self._shown.currentWidget() is self._shown.content:
            self.table.setFocus()
        else:
            self._shown.state.button.setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self._question.isVisible():
            self._keep()
            return
        super().keyPressEvent(event)

    def _measure(self) -> None:
        side = 24 if self.window().width() >= WIDE else 16
        self._inside.setContentsMargins(side, 16, side, side)
        wide = self.width() >= self.desk.theme.px(ONE_LINE)
        self._tools.setStretch(0, 1 if wide else 0)
        for tool in (self.compare, self.filter):
            self._tools.setAlignment(tool, Qt.AlignmentFlag.AlignTop if wide else Qt.AlignmentFlag.AlignLeft)
        self._tools.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self.filter.setMaximumWidth(self.desk.theme.px(260))

    # -- what is shown

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, partial(self.refresh, ""))

    def _show(self, runs: list[RunView]) -> None:
        self.model.fill(runs)
        if not runs:
            self._shown.show_state().show_state(
                "runs",
                tr("Nothing was analyzed yet"),
                tr(
                    "Drop a folder on the window, or try the sample: it ends with one suspected defect in about a minute."
                ),
                button=(tr("Try the sample"), self.desk.front.try_sample),
                ghost=(tr("Open folder…"), self.desk.front.ask_folder),
            )
            return
        counts = Counter(group_of(run) for run in runs)
        self.chips.show_choices([Choice(key, tr(title), icon, count=counts[key]) for key, title, icon in GROUPS])
        self._shown.show_content()
        self.desk.actions.update()

    def _arranged(self, shown: int, total: int) -> None:
        self._chosen = None
        self.filter.say_count(shown, total)
        if shown:
            if self.table.value() is None:
                self.table.choose(self.model.key_at(0))
            self._rows.show_content()
        elif total:
            typed = one_line(self.filter.text().strip())
            heading = tr("No run matches “{words}”", words=typed) if typed else tr("No run is of this kind")
            self._rows.show_state().show_state(
                "filter",
                heading,
                tr("There are {n} runs. A word after ! is left out.", n=f"{total:,}"),
                button=(tr("Clear filter"), self._clear_filter),
            )
        self.desk.actions.update()

    def _accept(self, groups: frozenset[str]) -> None:
        self.model.set_accepts((lambda run: group_of(run) in groups) if groups else None)

    def _clear_filter(self) -> None:
        self.chips.set_on(frozenset())
        self.filter.clear()
        self.filter.apply()
        self.filter.setFocus()

    # -- what is chosen

    def chosen(self) -> list[RunView]:
        """The selected runs from top to bottom."""
        if self._chosen is None:
            rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
            self._chosen = [self.model.value_at(at) for at in rows]
        return self._chosen

    def _selected(self, *_: object) -> None:
        self._chosen = None
        self.desk.actions.update()

    def _of(self, statuses: tuple[str, ...]) -> list[RunView]:
        return [run for run in self.chosen() if run["status"] in statuses]

    def _allow(self) -> None:
        self.compare.set_possible(self._cant_compare())

    def _needs(self, statuses: tuple[str, ...] = ()) -> Callable[[], str]:
        def reason() -> str:
            runs = self.chosen()
            if not runs:
                return tr("Choose a run in the list.")
            if statuses and not self._of(statuses):
                return tr("Not possible while the run is {status}.", status=words.look_of_run(runs[0]).text().lower())
            return ""

        return reason

    def _cant_compare(self) -> str:
        runs = self.chosen()
        if not runs or len(runs) > 2:
            return tr("Choose one or two finished runs in the list.")
        if any(run["status"] != "finished" for run in runs):
            return tr("Only finished runs can be compared.")
        return "" if len({run["source"] for run in runs}) == 1 else tr("The runs are of different repositories.")

    # -- acts

    def _open(self, run: RunView) -> None:
        # What a finished run found comes before how it went.
        self.desk.front.go(Place("results" if run["status"] == "finished" else "run", run=run["run"]))

    def _open_current(self) -> None:
        self._open(self.chosen()[0])

    def _compare(self) -> None:
        """The newer with the older, or one with the one before it."""
        newer, *older = sorted(self.chosen(), key=lambda run: run["started_at"], reverse=True)
        self.desk.front.go(Place("compare", run=newer["run"], item=older[0]["run"] if older else ""))

    def _resume(self) -> None:
        runs = [run["run"] for run in self._of(RESUMABLE)]
        for run in runs:
            then = partial(self._follow, run) if len(runs) == 1 else self._look_again
            self.desk.bridge.do(self, partial(_go_on_with, run), then)
        if len(runs) > 1:
            self.desk.front.tell(Notice(trn("{n} run goes on.", "{n} runs go on.", len(runs))))

    def _follow(self, run: str, _: object) -> None:
        self.desk.runs.of(run).follow()
        self.desk.front.go(Place("progress", run=run))

    def _ask_cancel(self) -> None:
        runs = self._of(CANCELLABLE)
        self._asked = [run["run"] for run in runs]
        if len(runs) == 1:
            words_ = tr(
                "Cancel the run of {name}? What it finished stays recorded, and it can be resumed.",
                name=one_line(runs[0]["name"]),
            )
        else:
            words_ = tr(
                "Cancel {n} runs? What they finished stays recorded, and they can be resumed.", n=f"{len(runs):,}"
            )
        self._question_words.setText(words_)
        self.yes.setAccessibleDescription(words_)
        self._question.show()
        self.yes.setFocus()

    def _keep(self) -> None:
        self._question.hide()
        self.table.setFocus()

    def _cancel(self) -> None:
        self._keep()
        for run in self._asked:
            self.desk.bridge.do(self, partial(_stop, run), self._look_again)

    def _look_again(self, _: object) -> None:
        self.refresh("")

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


async def _go_on_with(run: str, engine: Any) -> None:
    await engine.resume(run)


async def _stop(run: str, engine: Any) -> None:
    await engine.cancel(run)
