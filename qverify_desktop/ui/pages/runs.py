"""All runs: status or verdict, repository, start, sentence and counts, for ten thousand of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import RunView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import column, row
from qverify_desktop.ui.widgets.chips import Choice, FilterChips
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

LIVE = ("queued", "running")
RESUMABLE = ("paused", "interrupted", "cancelled")
#: Groups of the chips.
GROUPS = (
    ("live", later("Running"), "ring-arc"),
    ("suspected", later("Defects suspected"), "diamond-alert"),
    ("clean", later("Nothing suspected"), "circle-check"),
    ("stopped", later("Stopped"), "square-stop"),
    ("other", later("Inconclusive or failed"), "triangle-alert"),
)


def group_of(run: RunView) -> str:
    """The chip that a run belongs to."""
    if run["status"] in LIVE:
        return "live"
    if run["status"] in RESUMABLE:
        return "stopped"
    verdicts = {"defects_suspected": "suspected", "nothing_suspected": "clean"}
    return verdicts.get(run["verdict"], "other") if run["status"] == "finished" else "other"


class RunsPage(Page):
    """Chips and filter above the table."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self.model: TableModel[RunView] = TableModel(run_columns(), key=lambda run: run["run"], parent=self)
        self.table = Table(theme, self.model, tr("Runs"))
        self.table.opened.connect(self._open)
        self.table.chosen.connect(lambda _: desk.actions.update())
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._menu)
        self.filter = FilterField(theme, tr("Filter runs"))
        self.filter.setMaximumWidth(theme.px(260))
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self.filter.say_count)
        self.filter.left.connect(self.table.setFocus)
        self.chips = FilterChips(theme, tr("Show runs that are"))
        self.chips.show_choices([Choice(key, tr(title), icon) for key, title, icon in GROUPS])
        self.chips.changed.connect(self._accept)
        content = QWidget()
        content.setObjectName("page")
        tools = row(self.chips, self.filter, gap=16)
        tools.setStretch(0, 1)
        tools.setAlignment(self.filter, Qt.AlignmentFlag.AlignTop)
        content.setLayout(column(tools, self.table, gap=12, margins=(24, 16, 24, 24)))
        self._shown = Shown(theme, content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        group = later("Runs")
        for act in (
            Act(
                "runs.open",
                later("Open the run"),
                group,
                self._open_current,
                icon="arrow-right",
                reason=self._needs(),
            ),
            Act(
                "runs.resume",
                later("Resume the run"),
                group,
                self._resume,
                icon="play",
                reason=self._needs(RESUMABLE),
            ),
            Act("runs.cancel", later("Cancel the run"), group, self._cancel, icon="stop", reason=self._needs(LIVE)),
            Act(
                "runs.compare",
                later("Compare with the one before"),
                group,
                self._compare,
                icon="compare",
                reason=self._needs(("finished",)),
            ),
        ):
            act.place = "runs"
            desk.actions.add(act)

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

    def refresh(self, run: str) -> None:
        self.desk.bridge.ask(self, "run_list", self._show, failed=self._failed, key="runs")

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, partial(self.refresh, ""))

    def _show(self, runs: list[RunView]) -> None:
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
        self.model.fill(runs)
        counts = Counter(group_of(run) for run in runs)
        self.chips.show_choices([Choice(key, tr(title), icon, count=counts[key]) for key, title, icon in GROUPS])
        if self.table.value() is None:
            self.table.choose(runs[0]["run"])
        self._shown.show_content()
        self.desk.actions.update()

    def _accept(self, groups: frozenset[str]) -> None:
        self.model.set_accepts((lambda run: group_of(run) in groups) if groups else None)

    def _needs(self, statuses: tuple[str, ...] = ()) -> Callable[[], str]:
        def reason() -> str:
            run = self.table.value()
            if run is None:
                return tr("Choose a run in the list.")
            if statuses and run["status"] not in statuses:
                return tr("Not possible while the run is {status}.", status=words.look_of_run(run).text().lower())
            return ""

        return reason

    def _open(self, run: RunView) -> None:
        self.desk.front.go(Place("run", run=run["run"]))

    def _open_current(self) -> None:
        self._open(self.table.value())

    def _resume(self) -> None:
        run = self.table.value()["run"]

        def resumed(_: object) -> None:
            self.desk.runs.of(run).follow()
            self.desk.front.go(Place("progress", run=run))

        self.desk.bridge.do(self, lambda engine: engine.resume(run), resumed)

    def _cancel(self) -> None:
        run = self.table.value()["run"]
        self.desk.bridge.do(self, lambda engine: engine.cancel(run), lambda _: self.refresh(run))

    def _compare(self) -> None:
        self.desk.front.go(Place("compare", run=self.table.value()["run"]))

    def _menu(self, at: QPoint) -> None:
        if not self.table.indexAt(at).isValid():
            return
        menu = QMenu(self.table)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.desk.actions.update()
        for id in ("runs.open", "runs.resume", "runs.cancel", "runs.compare"):
            menu.addAction(self.desk.actions.action(id))
        menu.popup(self.table.viewport().mapToGlobal(at))


def run_columns() -> list[Column[RunView]]:
    """What a table of runs tells."""

    def look(run: RunView) -> tuple[str, str]:
        shown = words.look_of_run(run)
        return shown.icon, shown.token

    def number(name: str, title: str) -> Column[RunView]:
        def value(run: RunView) -> int:
            return int(run[name])  # type: ignore[literal-required]

        return Column(
            title,
            lambda run: words.count(value(run)) if run["status"] == "finished" else "",
            value,
            right=True,
            width=88,
            from_width=760,
            searched=False,
        )

    return [
        Column(
            tr("State"),
            lambda run: words.look_of_run(run).text(),
            lambda run: run["status"] + run["verdict"],
            icon=look,
            width=170,
        ),
        Column(
            tr("Repository"),
            lambda run: run["name"],
            lambda run: run["name"].casefold(),
            font="strong",
            tip=lambda run: run["source"],
            width=140,
            stretch=1,
        ),
        Column(
            tr("Started"),
            lambda run: words.moment(run["started_at"]),
            lambda run: run["started_at"],
            token="text-muted",
            width=190,
        ),
        Column(tr("Verdict"), lambda run: run["sentence"], width=160, stretch=3, from_width=620),
        number("accepted", tr("Kept")),
        number("refused", tr("Refused")),
        number("suspected", tr("Suspected")),
    ]
