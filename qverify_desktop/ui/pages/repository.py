"""History of a repository: its finished runs with their measures, the trend, and two of them side by side."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import HistoryEntry, MeasureView, RepositoryView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import column, label, row
from qverify_desktop.ui.widgets.charts import Sparkline
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

#: Runs in the trend.
TREND = 30


class RepositoryPage(Page):
    """``place.item`` is the source."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._name = ""
        self._pinned = False
        self._path = ElidedLabel("small", "muted")
        self._sentence = label("", "verdict", wrap=True)
        self.trend = Sparkline(theme, tr("Line coverage of the last runs"))
        self.filter = FilterField(theme, tr("Filter runs"))
        self.filter.setMaximumWidth(theme.px(240))
        self.model: TableModel[HistoryEntry] = TableModel(
            history_columns(), key=lambda entry: entry["run"]["run"], parent=self
        )
        self.table = Table(theme, self.model, tr("Finished runs"))
        self.table.opened.connect(self._open)
        self.table.chosen.connect(lambda _: desk.actions.update())
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self.filter.say_count)
        self.filter.left.connect(self.table.setFocus)
        content = QWidget()
        content.setObjectName("page")
        head = column(self._sentence, self._path, gap=4)
        tools = row(label(tr("Finished runs"), "heading"), None, self.trend, 16, self.filter, gap=8)
        content.setLayout(column(head, 8, tools, self.table, gap=12, margins=(24, 20, 24, 24)))
        self._shown = Shown(theme, content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        group = later("Repository")
        for act in (
            Act(
                "repository.compare",
                later("Compare with the one before"),
                group,
                self._compare,
                icon="compare",
                reason=self._cant_compare,
            ),
            Act("repository.pin", later("Pin or unpin"), group, self._pin, icon="pin"),
            Act("repository.again", later("Analyze again"), group, self._again, icon="play"),
        ):
            act.place = "repository"
            desk.actions.add(act)

    def title(self) -> str:
        return self._name or tr("History")

    def subtitle(self) -> str:
        return tr("pinned") if self._pinned else ""

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("repository.compare", "repository.pin", "repository.again")

    def enter(self, place: Place) -> None:
        fresh = place.item != self.place.item
        super().enter(place)
        if fresh:
            self._name = place.item.rstrip("/").rpartition("/")[2]
            self._path.setText(place.item)
            self._shown.show_waiting()
        self.refresh("")

    def refresh(self, run: str) -> None:
        source = self.place.item
        self.desk.bridge.ask(
            self, "repository_history", self._show, failed=self._failed, key="history", source=source
        )
        self.desk.bridge.ask(self, "repositories", self._show_pin, key="pin")

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, partial(self.refresh, ""))

    def _show_pin(self, repositories: list[RepositoryView]) -> None:
        one = next((one for one in repositories if one["source"] == self.place.item), None)
        self._pinned = bool(one and one["pinned"])
        self._name = one["name"] if one else self._name
        self.retitled.emit()

    def _show(self, history: list[HistoryEntry]) -> None:
        self.retitled.emit()
        if not history:
            self._shown.show_state().show_state(
                "clock",
                tr("No finished run yet"),
                tr("Every finished analysis of this repository stands here, with what it changed."),
                button=(tr("Analyze"), self._again),
            )
            return
        self.model.fill(history)
        lines = [words.after_of(entry["lines"]) for entry in reversed(history[:TREND])]
        self.trend.show_values(lines)
        count = trn("{n} finished run", "{n} finished runs", len(history))
        last = history[0]
        self._sentence.setText(f"{count}. {last['run']['sentence']}")
        if self.table.value() is None:
            self.table.choose(last["run"]["run"])
        self._shown.show_content()
        self.desk.actions.update()

    def _open(self, entry: HistoryEntry) -> None:
        self.desk.front.go(Place("results", run=entry["run"]["run"]))

    def _cant_compare(self) -> str:
        return "" if len(self.model.values) > 1 else tr("Two finished runs are needed.")

    def _compare(self) -> None:
        entry = self.table.value()
        run = entry["run"]["run"] if entry is not None else ""
        self.desk.front.go(Place("compare", run=run, item=""))

    def _pin(self) -> None:
        self.desk.bridge.ask(
            self, "repository_pin", lambda _: self.refresh(""), source=self.place.item, pinned=not self._pinned
        )

    def _again(self) -> None:
        self.desk.front.new_analysis(self.place.item)


def history_columns() -> list[Column[HistoryEntry]]:
    """Day, verdict, commit, and each measure after with its change."""

    def measure(name: str, title: str) -> Column[HistoryEntry]:
        def value(entry: HistoryEntry) -> MeasureView:
            return entry[name]  # type: ignore[literal-required, no-any-return]

        def told(entry: HistoryEntry) -> str:
            moved = words.change(words.before_of(value(entry)), words.after_of(value(entry)))
            return f"{words.share(words.after_of(value(entry)))}  {moved}".strip()

        return Column(
            title,
            told,
            lambda entry: words.after_of(value(entry)),
            right=True,
            width=128,
            searched=False,
        )

    return [
        Column(
            tr("Run"),
            lambda entry: words.moment(entry["run"]["started_at"]),
            lambda entry: entry["run"]["started_at"],
            width=190,
        ),
        Column(
            tr("Verdict"),
            lambda entry: entry["run"]["sentence"],
            lambda entry: entry["run"]["verdict"],
            icon=lambda entry: (words.look_of_run(entry["run"]).icon, words.look_of_run(entry["run"]).token),
            width=220,
            stretch=1,
        ),
        Column(
            tr("Commit"),
            lambda entry: words.short_hash(entry["commit"]) if entry["commit"] else "",
            font="code",
            token="text-muted",
            width=96,
            from_width=860,
        ),
        measure("lines", tr("Lines")),
        measure("branches", tr("Branches")),
        measure("mutants", tr("Mutants")),
    ]
