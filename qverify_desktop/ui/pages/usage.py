"""Usage: what models took, by month and by run. Nothing is estimated: these are the answers in the evidence log."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.views import UsageRow, UsageView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.bar_chart import Bar, BarChart, Legend
from qverify_desktop.ui.widgets.basics import column, label, row
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

#: Months in the chart.
MONTHS = 12


class UsagePage(Page):
    """A sentence with the sums, a chart of tokens by month, and a table of runs."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._sentence = label("", "verdict", wrap=True)
        self.chart = BarChart(theme, tr("Tokens by month"), lambda amount: words.count(round(amount)))
        self.model: TableModel[UsageRow] = TableModel(
            _columns(), key=lambda one: (one["run"]["run"], one["model"]), parent=self
        )
        self.table = Table(theme, self.model, tr("Model use by run"))
        self.table.opened.connect(lambda one: desk.front.go(Place("run", run=one["run"]["run"])))
        self.filter = FilterField(theme, tr("Filter runs"))
        self.filter.setMaximumWidth(theme.px(240))
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self.filter.say_count)
        self.filter.left.connect(self.table.setFocus)
        content = QWidget()
        content.setObjectName("page")
        tools = row(label(tr("Runs that asked a model"), "heading"), None, self.filter)
        content.setLayout(
            column(
                self._sentence,
                row(
                    label(tr("Tokens by month"), "heading"),
                    None,
                    Legend(theme, [tr("Prompt tokens"), tr("Answer tokens")]),
                ),
                self.chart,
                tools,
                self.table,
                gap=12,
                margins=(24, 20, 24, 24),
            )
        )
        self._shown = Shown(theme, content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._shown)
        desk.actions.add(
            Act(
                "usage.export",
                later("Save as CSV…"),
                later("Usage"),
                self._export,
                icon="download",
                place="usage",
                reason=lambda: "" if self.model.values else tr("Nothing was used yet."),
            )
        )

    def title(self) -> str:
        return tr("Usage")

    @property
    def buttons(self) -> tuple[str, ...]:
        return ("usage.export",)

    def enter(self, place: Place) -> None:
        super().enter(place)
        self.refresh("")

    def refresh(self, run: str) -> None:
        self.desk.bridge.ask(self, "usage", self._show, failed=self._failed, key="usage")

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, lambda: self.refresh(""))

    def _show(self, usage: UsageView) -> None:
        self.model.fill(usage["rows"])
        self.desk.actions.update()
        if not usage["rows"]:
            self._shown.show_state().show_state(
                "usage",
                tr("No model was asked yet"),
                tr(
                    "Analyses without a model are free and use none. What models take is counted here, by run and month."
                ),
                button=(tr("Models"), lambda: self.desk.front.go(Place("models"))),
            )
            return
        calls = trn("{n} call", "{n} calls", usage["calls"])
        cost = words.money(usage["cost_microusd"]) if usage["cost_microusd"] else tr("free")
        self._sentence.setText(tr("{calls} to models, {cost}.", calls=calls, cost=cost))
        self.chart.show_bars(_months(usage["rows"]), [tr("Prompt tokens"), tr("Answer tokens")])
        self._shown.show_content()

    def _export(self) -> None:
        self.desk.front.save_as("qverify-usage.csv", "*.csv", self._write)

    def _write(self, path: str) -> None:
        try:
            Path(path).write_text(as_csv(list(self.model.values)), "utf-8")
        except OSError as error:
            text = tr("The file can't be written ({reason}). Choose another one.", reason=error.strerror or "")
            self.desk.front.tell(Notice(text, "warning"))
            return
        self.desk.front.tell(Notice(tr("Saved: {path}", path=path), "success"))


def as_csv(rows: list[UsageRow]) -> str:
    """One line per run and model. A text that a spreadsheet would take for a formula is kept from being one."""
    memory = io.StringIO()
    writer = csv.writer(memory)
    names = ("calls", "prompt_tokens", "completion_tokens", "cost_microusd", "model_ms")
    writer.writerow(["run", "repository", "started_at", "model", "provider", *names])
    for one in rows:
        texts = [one["run"]["run"], one["run"]["name"], one["run"]["started_at"], one["model"], one["provider"]]
        safe = [f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text for text in texts]
        writer.writerow([*safe, *(one[name] for name in names)])  # type: ignore[literal-required]
    return memory.getvalue()


def _months(rows: list[UsageRow]) -> list[Bar]:
    sums: dict[str, list[int]] = {}
    for one in rows:
        month = sums.setdefault(one["run"]["started_at"][:7], [0, 0])
        month[0] += one["prompt_tokens"]
        month[1] += one["completion_tokens"]
    return [Bar(month, (float(a), float(b)), month) for month, (a, b) in sorted(sums.items())[-MONTHS:]]


def _columns() -> list[Column[UsageRow]]:
    def number(name: str, title: str) -> Column[UsageRow]:
        def value(one: UsageRow) -> int:
            return int(one[name])  # type: ignore[literal-required]

        return Column(title, lambda one: words.count(value(one)), value, right=True, width=110, searched=False)

    return [
        Column(
            tr("Repository"), lambda one: one["run"]["name"], lambda one: one["run"]["name"], width=140, stretch=1
        ),
        Column(
            tr("Run"),
            lambda one: words.when(one["run"]["started_at"]),
            lambda one: one["run"]["started_at"],
            tip=lambda one: words.moment(one["run"]["started_at"]),
            width=150,
        ),
        Column(tr("Model"), lambda one: one["model"], lambda one: one["model"], width=140, stretch=1),
        number("calls", tr("Calls")),
        number("prompt_tokens", tr("Prompt tokens")),
        number("completion_tokens", tr("Answer tokens")),
        Column(
            tr("Cost"),
            lambda one: words.money(one["cost_microusd"]) if one["cost_microusd"] else tr("free"),
            lambda one: one["cost_microusd"],
            right=True,
            width=90,
        ),
    ]
