"""What runs came to, one small chart each: tests kept, suspected defects, cost, time. The table below holds the same in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.trend import AMOUNTS, Kind, Series
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.bar_chart import Bar, BarChart
from qverify_desktop.ui.widgets.basics import column, label, row

TITLES = {
    "accepted": later("Tests kept"),
    "suspected": later("Suspected defects"),
    "cost_microusd": later("Cost"),
    "duration_ms": later("Time"),
}
HEIGHT = 104
#: Width at 100 % below which two stand side by side and not four.
WIDE = 860


@dataclass(frozen=True)
class _Unit:
    """In what a chart counts: so many of the series' own units, and how the scale tells a number of them."""

    size: int
    axis: Callable[[float], str]


def _unit(kind: Kind, most: int) -> _Unit:
    """Times in the largest unit that keeps the scale's numbers short."""
    if kind is Kind.MONEY:
        return _Unit(1, lambda amount: words.money(round(amount)) if amount else "$0")
    if kind is Kind.TIME:
        if most >= 2 * 3_600_000:
            return _Unit(3_600_000, lambda amount: tr("{n} h", n=f"{amount:g}"))
        if most >= 2 * 60_000:
            return _Unit(60_000, lambda amount: tr("{n} min", n=f"{amount:g}"))
        return _Unit(1_000, lambda amount: tr("{n} s", n=f"{amount:g}"))
    return _Unit(1, lambda amount: words.count(int(amount)) if amount == int(amount) else "")


def _told(kind: Kind, value: int) -> str:
    if kind is Kind.MONEY:
        return words.money(value)
    return words.duration(value) if kind is Kind.TIME else words.count(value)


class RunAmounts(QWidget):
    """The charts of ``domain.trend.AMOUNTS``. ``pointed`` is emitted with a run's number, the oldest being 0."""

    pointed = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._units = {series.name: _unit(series.kind, 0) for series in AMOUNTS}
        self.charts: dict[str, BarChart] = {}
        self._newest = {series.name: label("", "strong") for series in AMOUNTS}
        self._cells: list[QWidget] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(16)
        for series in AMOUNTS:
            self._cells.append(self._cell(series))
        self._columns = 0
        self._arrange()
        theme.changed.connect(self._arrange)

    def _cell(self, series: Series) -> QWidget:
        title = tr(TITLES[series.name])

        def told(amount: float) -> str:
            return _told(series.kind, round(amount * self._units[series.name].size))

        def axis(amount: float) -> str:
            return self._units[series.name].axis(amount)

        chart = BarChart(self._theme, tr("{what} over the last runs", what=title), told, height=HEIGHT, axis=axis)
        chart.pointed.connect(self.pointed)
        self.charts[series.name] = chart
        cell = QWidget()
        cell.setLayout(column(row(label(title, "small", "muted"), self._newest[series.name], None), chart, gap=0))
        return cell

    def show_runs(self, entries: Sequence[HistoryEntry]) -> None:
        """Finished runs from the oldest to the newest."""
        for series in AMOUNTS:
            values = [series.value(entry) for entry in entries]
            unit = self._units[series.name] = _unit(series.kind, max((one for one in values if one), default=0))
            known = [one for one in values if one is not None]
            self._newest[series.name].setText(_told(series.kind, known[-1]) if known else tr("unknown"))
            bars = []
            for number, (entry, value) in enumerate(zip(entries, values, strict=True)):
                at = entry["run"]["started_at"]
                amounts = () if value is None else (value / unit.size,)
                # Only the ends are labelled: the trend above has the days between.
                shown = words.day(at) if number in (0, len(entries) - 1) else ""
                bars.append(Bar(shown, amounts, words.when(at)))
            self.charts[series.name].show_bars(bars, [tr(TITLES[series.name])])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        columns = 4 if self.width() >= self._theme.px(WIDE) else 2
        if columns == self._columns:
            return
        self._columns = columns
        for number, cell in enumerate(self._cells):
            self._grid.addWidget(cell, number // columns, number % columns)
        for at in range(4):
            self._grid.setColumnStretch(at, 1 if at < columns else 0)
