"""Home: where a repository is dropped, what runs, and what is known of each repository."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QMenu, QScrollArea, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import CheckView, RepositoryView, RunView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting, words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, label, row
from qverify_desktop.ui.widgets.charts import paint_sparkline
from qverify_desktop.ui.widgets.drop_zone import DropZone
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.running import RunningList
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

#: Qt's own largest size (its macro is not in the binding).
QWIDGETSIZE_MAX = (1 << 24) - 1
LIVE = ("queued", "running")
#: The table scrolls by itself from so many rows on.
ROWS = 8


class HomePage(Page):
    """Drop zone, one line of health, running analyses, repositories."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self.drop = DropZone(desk)
        self._health_icon = IconLabel(theme, "ring-arc", "accent-text")
        self._health = label(tr("The engine is starting."), "strong")
        self._health_detail = label("", "small", "muted", wrap=True)
        self._checks = Button(theme, tr("Open checks"), lambda: desk.front.go(Place("environment")), kind="link")
        health = row(self._health_icon, self._health, self._health_detail, self._checks, gap=8)
        health.setStretch(2, 1)
        self.running = RunningList(desk)
        self.model: TableModel[RepositoryView] = TableModel(
            repository_columns(), key=lambda one: one["source"], parent=self
        )
        self.table = Table(theme, self.model, tr("Repositories"), height="rich")
        self.table.opened.connect(self._open)
        self.table.chosen.connect(lambda _: desk.actions.update())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.filter = FilterField(theme, tr("Filter"))
        self.filter.setMaximumWidth(theme.px(220))
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self._arranged)
        self.filter.left.connect(self.table.setFocus)
        self._tools = QWidget()
        self._tools.setObjectName("clear")
        self._tools.setLayout(row(label(tr("Repositories"), "heading"), None, self.filter))
        self._shown = Shown(theme, self.table)
        inside = QWidget()
        inside.setObjectName("page")
        self._inside = column(
            self.drop, health, self.running, self._tools, self._shown, gap=16, margins=(24, 20, 24, 24)
        )
        self._inside.setStretch(4, 100)
        self._inside.addStretch(1)
        inside.setLayout(self._inside)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)
        self._register()
        if not desk.bridge.is_ready:
            self._shown.show_waiting(tr("The engine is starting."))
            self._tools.hide()

    def _register(self) -> None:
        group = later("Repository")
        for act in (
            Act(
                "home.open",
                later("Open the last run"),
                group,
                self._open_current,
                icon="arrow-right",
                reason=self._needs(run=True),
            ),
            Act(
                "home.history",
                later("History of the repository"),
                group,
                self._history,
                icon="clock",
                reason=self._needs(),
            ),
            Act("home.again", later("Analyze again"), group, self._again, icon="play", reason=self._needs()),
            Act("home.pin", later("Pin or unpin"), group, self._pin, "P", "pin", single=True, reason=self._needs()),
            Act(
                "home.folder",
                later("Open folder of the repository"),
                group,
                self._folder,
                icon="folder-open",
                reason=self._needs(),
            ),
            Act("home.forget", later("Take it off this list"), group, self._forget, icon="x", reason=self._needs()),
        ):
            act.place = "home"
            self.desk.actions.add(act)

    def title(self) -> str:
        return tr("Home")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("new-analysis",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self.refresh("")
        self.desk.bridge.ask(self, "doctor_checks", self._show_health, failed=self._no_health, key="health")

    def refresh(self, run: str) -> None:
        if self.desk.bridge.is_ready:
            self.desk.bridge.ask(self, "run_list", self._show_runs, key="runs")
            self.desk.bridge.ask(self, "repositories", self._show, failed=self._failed, key="repositories")

    def focus_filter(self) -> bool:
        if self._tools.isVisible():
            self.filter.setFocus()
        return self._tools.isVisible()

    def focus_content(self) -> None:
        (self.table if self._tools.isVisible() else self.drop.folder).setFocus()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.drop.set_room(self.width())

    # -- health

    def _show_health(self, checks: list[CheckView]) -> None:
        missing = [check for check in checks if check["state"] == "blocking"]
        limited = [check for check in checks if check["state"] == "warning"]
        if missing:
            self._health_icon.show_icon("square-x", "danger", tr("Missing"))
            self._health.setText(tr("Something is missing."))
            self._health_detail.setText(missing[0]["sentence"])
            self._checks.say(tr("Fix it"))
        elif limited:
            self._health_icon.show_icon("circle-check", "success", tr("Ready"))
            self._health.setText(tr("Everything needed is ready."))
            remarks = trn("{n} remark: ", "{n} remarks: ", len(limited))
            self._health_detail.setText(remarks + limited[0]["sentence"])
            self._checks.say(tr("Open checks"))
        else:
            self._health_icon.show_icon("circle-check", "success", tr("Ready"))
            self._health.setText(tr("Everything needed is ready."))
            self._health_detail.setText("")
            self._checks.say(tr("Open checks"))

    def _no_health(self, error: QVerifyError) -> None:
        self._health_icon.show_icon("triangle-alert", "warning", tr("Warning"))
        self._health.setText(tr("The engine is not running."))
        self._health_detail.setText(f"{error.sentence} {error.remedy}".strip())
        if not self.desk.bridge.is_ready:
            self._failed(error)

    # -- lists

    def _show_runs(self, runs: list[RunView]) -> None:
        # Oldest first: the one that runs stands above those that wait for it.
        live = [run for run in reversed(runs) if run["status"] in LIVE]
        self.running.show_runs(sorted(live, key=lambda run: run["status"] != "running"))

    def _failed(self, error: QVerifyError) -> None:
        again = partial(self.refresh, "") if self.desk.bridge.is_ready else None
        self._shown.show_state().show_error(error, again)

    def _show(self, repositories: list[RepositoryView]) -> None:
        self._tools.setVisible(bool(repositories))
        self._shown.setMaximumHeight(QWIDGETSIZE_MAX)
        if not repositories:
            self._shown.show_state().show_state(
                "folder",
                tr("No repository yet"),
                tr(
                    "Drop one on the window. To see how it goes, try the sample: it needs no model and no network, and ends with one suspected defect in about a minute."
                ),
                button=(tr("Try the sample"), self.desk.front.try_sample),
            )
            return
        self.model.fill(repositories)
        if self.table.value() is None:
            self.table.choose(repositories[0]["source"])
        self._shown.show_content()
        self._fit()
        self.desk.actions.update()

    def _arranged(self, shown: int, total: int) -> None:
        self.filter.say_count(shown, total)
        self._fit()

    def _fit(self) -> None:
        """The card is as high as its rows; a long list scrolls by itself."""
        rows = self._shown.currentWidget() is self.table
        high = self.table.height_of_all()
        self._shown.setMinimumHeight(min(high, self.desk.theme.px(56 * ROWS)) if rows else 0)
        self._shown.setMaximumHeight(high if rows else QWIDGETSIZE_MAX)

    def _needs(self, run: bool = False) -> Callable[[], str]:
        def reason() -> str:
            one = self.table.value()
            if one is None:
                return tr("Choose a repository in the list.")
            return tr("It was not analyzed yet.") if run and one["last"] is None else ""

        return reason

    def _open(self, one: RepositoryView) -> None:
        if one["last"] is not None:
            self.desk.front.go(
                Place("run" if one["last"]["status"] != "finished" else "results", run=one["last"]["run"])
            )
        else:
            self.desk.front.new_analysis(one["source"])

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
        self._change("repository_forget", source=self.table.value()["source"])

    def _change(self, question: str, **params: Any) -> None:
        self.desk.bridge.ask(self, question, lambda _: self.refresh(""), **params)

    def _folder(self) -> None:
        self.desk.front.open_path(self.table.value()["source"])

    def _menu(self, at: QPoint) -> None:
        if not self.table.indexAt(at).isValid():
            return
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.desk.actions.update()
        for id in ("home.open", "home.history", "home.again", "home.pin", "home.folder", "home.forget"):
            menu.addAction(self.desk.actions.action(id))
        menu.popup(self.table.viewport().mapToGlobal(at))


def repository_columns() -> list[Column[RepositoryView]]:
    """Pin, name and place, last verdict, trend of line coverage, last run."""

    def look(one: RepositoryView) -> tuple[str, str]:
        shown = words.look_of_run(one["last"]) if one["last"] is not None else words.UNKNOWN
        return (shown.icon, shown.token) if one["last"] is not None else ("ring-dashed", "text-muted")

    def verdict(one: RepositoryView) -> str:
        last = one["last"]
        if last is None:
            return tr("Not analyzed yet")
        if last["status"] != "finished":
            return words.look_of_run(last).text()
        kept, found = words.kept(last["accepted"]), words.defects(last["suspected"])
        return f"{found}, {kept}"

    def values(one: RepositoryView) -> list[int | None]:
        return [point["lines"] for point in one["trend"]]

    def coverage(one: RepositoryView) -> str:
        known = [value for value in values(one) if value is not None]
        if not known:
            return ""
        moved = words.change(known[-2], known[-1]) if len(known) > 1 else ""
        return f"{words.share(known[-1])} {moved}".strip()

    def trend(painter: QPainter, rect: QRect, one: RepositoryView, theme: Theme) -> None:
        known = values(one)
        if not any(value is not None for value in known):
            return
        line = QRect(rect.left(), rect.center().y() - theme.px(12), theme.px(90), theme.px(24))
        if len(known) > 1:
            paint_sparkline(painter, line, theme, known)
        left = line.right() + theme.px(12) if len(known) > 1 else rect.left()
        place = QRect(left, rect.top(), rect.right() - left, rect.height())
        painting.text(painter, theme, place, coverage(one), "strong", "text")

    return [
        Column(
            tr("Name"),
            lambda one: one["name"],
            lambda one: one["name"].casefold(),
            icon=lambda one: ("pin", "accent-text") if one["pinned"] else None,
            font="strong",
            detail=lambda one: one["source"],
            tip=lambda one: one["source"],
            width=200,
            stretch=3,
        ),
        Column(tr("Last verdict"), verdict, verdict, icon=look, width=220, stretch=3),
        Column(
            tr("Line coverage"),
            coverage,
            lambda one: next((value for value in reversed(values(one)) if value is not None), None),
            paint=trend,
            width=230,
            from_width=760,
            searched=False,
        ),
        Column(
            tr("Last run"),
            lambda one: words.day(one["last"]["started_at"]) if one["last"] else "",
            lambda one: one["last"]["started_at"] if one["last"] else "",
            right=True,
            token="text-muted",
            width=110,
            searched=False,
        ),
    ]
