"""Home: where a repository is dropped, what runs, and what is known of each repository."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import RepositoryView, RunView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.pages.home_columns import repository_columns, words_of
from qverify_desktop.ui.pages.home_health import HealthLine
from qverify_desktop.ui.widgets.basics import column, label, row
from qverify_desktop.ui.widgets.drop_zone import DropZone
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.running import RunningList
from qverify_desktop.ui.widgets.scroll_body import ScrollBody, scrolling
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Table, TableModel

#: Qt's own largest size (its macro is not in the binding).
QWIDGETSIZE_MAX = (1 << 24) - 1
#: Runs that stand above the repositories, in this order.
SHOWN = ("running", "queued", "paused")
#: The table scrolls by itself from so many rows on.
ROWS = 8
#: Window width below which the page's padding is smaller.
WIDE = 1200
MENU = ("home.open", "home.history", "home.again", "home.pin", "home.folder", "home.forget")


class HomePage(Page):
    """Drop zone, one line of health, running analyses, repositories."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.drop = DropZone(desk)
        self.health = HealthLine(desk)
        self.running = RunningList(desk)
        self._tools = self._build_table()
        self._shown = Shown(desk.theme, self.table)
        self._inside = column(self.drop, self.health, self.running, self._tools, self._shown, gap=16)
        self._inside.setStretch(4, 100)
        self._inside.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scrolling(ScrollBody(self._inside)))
        self._register()
        desk.theme.changed.connect(self._measure)
        self._measure()
        if not desk.bridge.is_ready:
            self._shown.show_waiting(tr("The engine is starting."))
            self._tools.hide()

    def _build_table(self) -> QWidget:
        """The table; answers the line above it."""
        theme = self.desk.theme
        self.model: TableModel[RepositoryView] = TableModel(
            repository_columns(), key=lambda one: one["source"], text=words_of, parent=self
        )
        self.table = Table(theme, self.model, tr("Repositories"), height="rich")
        self.table.opened.connect(self._open)
        self.table.chosen.connect(self._chosen)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.filter = FilterField(theme, tr("Filter"))
        self.filter.filtered.connect(self.model.set_filter)
        self.filter.left.connect(self.table.setFocus)
        self.model.arranged.connect(self._arranged)
        tools = QWidget()
        tools.setObjectName("clear")
        tools.setLayout(row(label(tr("Repositories"), "heading"), None, self.filter))
        return tools

    def _register(self) -> None:
        group = later("Repository")
        one, analyzed, folder = self._needs(), self._needs(run=True), self._needs(folder=True)
        acts = (
            Act("home.open", later("Open the last run"), group, self._open_current, icon="arrow-right"),
            Act("home.history", later("History of the repository"), group, self._history, icon="clock"),
            Act("home.again", later("Analyze again"), group, self._again, icon="play"),
            Act("home.pin", later("Pin or unpin"), group, self._pin, "P", "pin", single=True),
            Act("home.folder", later("Open folder of the repository"), group, self._folder, icon="folder-open"),
            Act("home.forget", later("Take it off this list"), group, self._forget, icon="x"),
        )
        reasons = {"home.open": analyzed, "home.folder": folder}
        for act in acts:
            act.place, act.reason = "home", reasons.get(act.id, one)
            self.desk.actions.add(act)

    def title(self) -> str:
        return tr("Home")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("new-analysis",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self.refresh("")
        self._check()

    def refresh(self, run: str) -> None:
        if self.desk.bridge.is_ready:
            self.desk.bridge.ask(self, "run_list", self._show_runs, failed=self._failed, key="runs")
            self.desk.bridge.ask(self, "repositories", self._show, failed=self._failed, key="repositories")

    def again(self) -> None:
        self.enter(self.place)

    def focus_filter(self) -> bool:
        if self._tools.isVisible():
            self.filter.setFocus()
        return self._tools.isVisible()

    def focus_content(self) -> None:
        (self.table if self._tools.isVisible() else self.drop.folder).setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _measure(self) -> None:
        side = 24 if self.window().width() >= WIDE else 16
        self._inside.setContentsMargins(side, 20 if side == 24 else side, side, side)
        self.drop.set_room(self.width() - 2 * side)
        self.health.set_room(self.width())
        self.filter.setMaximumWidth(self.desk.theme.px(220))
        self._fit()

    # -- health and runs

    def _check(self) -> None:
        self.desk.bridge.ask(self, "doctor_checks", self.health.show_checks, failed=self._no_health, key="health")

    def _no_health(self, error: QVerifyError) -> None:
        self.health.show_error(error)
        if not self.desk.bridge.is_ready:
            self._failed(error)

    def _show_runs(self, runs: list[RunView]) -> None:
        # Oldest first: the one that runs stands above those that wait for it.
        shown = [run for run in reversed(runs) if run["status"] in SHOWN]
        self.running.show_runs(sorted(shown, key=lambda run: SHOWN.index(run["status"])))

    # -- repositories

    def _failed(self, error: QVerifyError) -> None:
        again = partial(self.refresh, "") if self.desk.bridge.is_ready else None
        self._shown.show_state().show_error(error, again)
        self._fit()

    def _show(self, repositories: list[RepositoryView]) -> None:
        self._tools.setVisible(bool(repositories))
        self.model.fill(repositories)
        if repositories and self.table.value() is None:
            self.table.choose(repositories[0]["source"])
        self.desk.actions.update()

    def _arranged(self, shown: int, total: int) -> None:
        self.filter.say_count(shown, total)
        if shown:
            self._shown.show_content()
        elif total:
            self._shown.show_state().show_state(
                "filter",
                tr("No repository matches “{words}”", words=one_line(self.filter.text().strip())),
                tr("The list has {n} repositories. A word after ! is left out.", n=f"{total:,}"),
                button=(tr("Clear filter"), self._clear_filter),
            )
        else:
            self._shown.show_state().show_state(
                "folder",
                tr("No repository yet"),
                tr(
                    "Drop one on the window. To see how it goes, try the sample: it needs no model and no network, and ends with one suspected defect in about a minute."
                ),
                button=(tr("Try the sample"), self.desk.front.try_sample),
            )
        self._fit()
        self.desk.actions.update()

    def _clear_filter(self) -> None:
        self.filter.clear()
        self.filter.apply()
        self.filter.setFocus()

    def _fit(self) -> None:
        """The card is as high as its rows; a long list scrolls by itself."""
        rows = self._shown.currentWidget() is self.table
        high = self.table.height_of_all()
        least = high if self.model.rowCount() <= ROWS else self.desk.theme.px(56 * ROWS)
        self._shown.setMinimumHeight(least if rows else 0)
        self._shown.setMaximumHeight(high if rows else QWIDGETSIZE_MAX)

    # -- acts

    def _chosen(self, _: object) -> None:
        self.desk.actions.update()

    def _needs(self, *, run: bool = False, folder: bool = False) -> Callable[[], str]:
        def reason() -> str:
            one: RepositoryView | None = self.table.value()
            if one is None:
                return tr("Choose a repository in the list.")
            if run and one["last"] is None:
                return tr("It was not analyzed yet.")
            return tr("It is no folder of this machine.") if folder and not Path(one["source"]).is_absolute() else ""

        return reason

    def _open(self, one: RepositoryView) -> None:
        last = one["last"]
        if last is None:
            self.desk.front.new_analysis(one["source"])
        else:
            # What a finished run found comes before how it went.
            self.desk.front.go(Place("results" if last["status"] == "finished" else "run", run=last["run"]))

    def _open_current(self) -> None:
        self._open(self.table.value())

    def _history(self) -> None:
        self.desk.front.go(Place("repository", item=self.table.value()["source"]))

    def _again(self) -> None:
        self.desk.front.new_analysis(self.table.value()["source"])

    def _pin(self) -> None:
        one = self.table.value()
        self._change("repository_pin", source=one["source"], pinned=not one["pinned"])

    def _forget(self) -> None:
        one = self.table.value()
        self._change("repository_forget", source=one["source"])
        told = tr(
            "{name} is off this list. Its runs and evidence stay; another analysis brings it back.", name=one["name"]
        )
        self.desk.front.tell(Notice(one_line(told)))

    def _change(self, question: str, **params: Any) -> None:
        self.desk.bridge.ask(self, question, lambda _: self.refresh(""), **params)

    def _folder(self) -> None:
        self.desk.front.open_path(self.table.value()["source"])

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
