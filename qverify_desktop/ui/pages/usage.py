"""Usage: what models took, by the ledger of calls. Nothing is estimated but what is said to be in doubt."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.usage_views import ModelSumView, ModelUsageView
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.page import Desk, Notice, Page, Place
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.bar_chart import Bar, BarChart, Legend
from qverify_desktop.ui.widgets.basics import column, label, row
from qverify_desktop.ui.widgets.chips import Choice, Segmented
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Column, Table, TableModel

#: Months in the chart.
MONTHS = 12
#: Where the run's name stands in a row's group.
_RUN_AT = {"run": 0, "call": 1}


class UsagePage(Page):
    """A sentence with the sums, a chart of tokens by month, and a table by what the person chooses."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self._sentence = label("", "verdict", wrap=True)
        self._doubt = label("", "body", "muted", wrap=True)
        self.chart = BarChart(theme, tr("Tokens by month"), lambda amount: words.count(round(amount)))
        self.model: TableModel[ModelSumView] = TableModel(
            _columns(), key=lambda one: tuple(one["group"]), parent=self
        )
        self.table = Table(theme, self.model, tr("Model use"))
        self.table.opened.connect(self._open)
        self.by = Segmented(
            theme,
            tr("Shown by"),
            [
                Choice("run", tr("Run")),
                Choice("repository", tr("Repository")),
                Choice("provider", tr("Model")),
                Choice("month", tr("Month")),
                Choice("call", tr("Call")),
            ],
        )
        self.by.changed.connect(lambda _: self.refresh(""))
        self.filter = FilterField(theme, tr("Filter"))
        self.filter.setMaximumWidth(theme.px(240))
        self.filter.filtered.connect(self.model.set_filter)
        self.model.arranged.connect(self.filter.say_count)
        self.filter.left.connect(self.table.setFocus)
        content = QWidget()
        content.setObjectName("page")
        legend = Legend(theme, [tr("Prompt tokens"), tr("Answer tokens")])
        content.setLayout(
            column(
                self._sentence,
                self._doubt,
                row(label(tr("Tokens by month"), "heading"), None, legend),
                self.chart,
                row(self.by, None, self.filter),
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
        self.desk.bridge.ask(self, "model_usage", self._show, failed=self._failed, key="usage", by=self.by.chosen())

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    def _open(self, one: ModelSumView) -> None:
        at = _RUN_AT.get(self.by.chosen())
        if at is not None and len(one["group"]) > at:
            self.desk.front.go(Place("run", run=one["group"][at]))

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, lambda: self.refresh(""))

    def _show(self, usage: ModelUsageView) -> None:
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
        total = usage["total"]
        calls = trn("{n} call", "{n} calls", total["calls"])
        cost = words.money(total["cost_microusd"])
        month = words.money(usage["this_month_microusd"])
        self._sentence.setText(
            tr("{calls} to models, {cost}; this month {month}.", calls=calls, cost=cost, month=month)
        )
        self._doubt.setText(_besides(total))
        self._doubt.setVisible(bool(self._doubt.text()))
        self.chart.show_bars(_months(usage["months"]), [tr("Prompt tokens"), tr("Answer tokens")])
        self._shown.show_content()

    def _export(self) -> None:
        by = self.by.chosen()
        self.desk.front.save_as(f"qverify-usage-by-{by}.csv", "*.csv", partial(self._fetch, by))

    def _fetch(self, by: str, path: str) -> None:
        """The engine writes the table, so that it is the one of ``qverify usage --csv``."""
        self.desk.bridge.ask(
            self, "model_usage_csv", partial(self._write, path), failed=self._not_saved, key="usage.csv", by=by
        )

    def _not_saved(self, error: QVerifyError) -> None:
        self.desk.front.tell(Notice(f"{error.sentence} {error.remedy}".strip(), "warning"))

    def _write(self, path: str, table: str) -> None:
        try:
            Path(path).write_text(table, "utf-8", newline="")
        except OSError as error:
            text = tr("The file can't be written ({reason}). Choose another one.", reason=error.strerror or "")
            self.desk.front.tell(Notice(text, "warning"))
            return
        self.desk.front.tell(Notice(tr("Saved: {path}", path=path), "success"))


def _besides(total: ModelSumView) -> str:
    """What is not in the sums: calls that cost nothing, or perhaps something."""
    parts = []
    if total["cached"]:
        parts.append(trn("{n} answer came out of the cache.", "{n} answers came out of the cache.", total["cached"]))
    if total["failed"]:
        parts.append(trn("{n} call failed.", "{n} calls failed.", total["failed"]))
    if total["doubtful"]:
        said = trn("{n} call is open or in doubt", "{n} calls are open or in doubt", total["doubtful"])
        most = words.money(total["doubtful_microusd"])
        parts.append(tr("{calls} and may cost up to {most} more.", calls=said, most=most))
    return " ".join(parts)


def _months(rows: list[ModelSumView]) -> list[Bar]:
    """Oldest first; the ledger's are newest first."""
    return [
        Bar(one["name"], (float(one["prompt_tokens"]), float(one["completion_tokens"])), one["name"])
        for one in sorted(rows, key=lambda one: one["name"])[-MONTHS:]
    ]


def _columns() -> list[Column[ModelSumView]]:
    def number(name: str, title: str, width: int = 110) -> Column[ModelSumView]:
        def value(one: ModelSumView) -> int:
            return int(one[name])  # type: ignore[literal-required]

        return Column(title, lambda one: words.count(value(one)), value, right=True, width=width, searched=False)

    return [
        Column(tr("Name"), lambda one: one["name"], lambda one: one["name"], width=160, stretch=1),
        Column(
            tr("Since"),
            lambda one: words.when(one["first_at"]),
            lambda one: one["first_at"],
            tip=lambda one: words.moment(one["first_at"]),
            width=170,
        ),
        number("calls", tr("Calls"), 70),
        number("cached", tr("From cache"), 100),
        number("doubtful", tr("In doubt"), 80),
        number("prompt_tokens", tr("Prompt tokens")),
        number("completion_tokens", tr("Answer tokens")),
        Column(
            tr("Cost"),
            lambda one: words.money(one["cost_microusd"]),
            lambda one: one["cost_microusd"],
            right=True,
            width=90,
        ),
    ]
