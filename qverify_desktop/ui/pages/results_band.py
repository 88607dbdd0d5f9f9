"""The head of the results: the verdict in one sentence, then what was before and after."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from qverify_desktop.domain.views import RunOverview
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.models.results import TestSet
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import column, label, set_property
from qverify_desktop.ui.widgets.charts import StackedBar
from qverify_desktop.ui.widgets.facts import Fact, Facts
from qverify_desktop.ui.widgets.isolation import IsolationBadge
from qverify_desktop.ui.widgets.meter import Meter
from qverify_desktop.ui.widgets.words import TEST

#: Widths at 100 % from which four and three measures stand side by side; below it is two.
FOUR, THREE = 1000, 520


class Written(QWidget):
    """How many tests were written, and what became of them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.caption = label("", "small", "muted", wrap=True)
        self.facts = Facts(theme)
        self.bar = StackedBar(theme, tr("What became of the tests"))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.caption)
        layout.addStretch(1)
        layout.addWidget(self.facts)
        layout.addStretch(1)
        layout.addWidget(self.bar)

    def show_counts(self, kept: int, suspected: int, refused: int) -> None:
        written = kept + suspected + refused
        self.caption.setText(trn("{n} test written", "{n} tests written", written))
        words = (
            (kept, TEST["accepted"], trn("kept", "kept", kept), "success"),
            (suspected, TEST["suspected"], trn("defect", "defects", suspected), "danger"),
            (refused, TEST["refused"], trn("refused", "refused", refused), "border-control"),
        )
        self.facts.show_facts(
            [Fact(word, look.icon, icon_token=look.token, lead=f"{n:,}") for n, look, word, _ in words]
        )
        self.bar.show_parts([(n, token, word) for n, _, word, token in words])


class ResultsBand(QFrame):
    """``set_room`` leaves the measures out where the page is too low for them, and all of it beside a detail."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("band")
        self._theme = theme
        self.verdict = label("", "verdict", wrap=True, select=True)
        self.isolation = IsolationBadge(theme)
        self.lines = Meter(theme, tr("Lines"))
        self.branches = Meter(theme, tr("Branches"))
        self.mutants = Meter(theme, tr("Mutants killed"))
        self.written = Written(theme)
        self._columns = 0
        self._low = False
        self.measures = QWidget()
        self.measures.setObjectName("clear")
        self._grid = QGridLayout(self.measures)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setVerticalSpacing(12)
        self.setLayout(column(self.verdict, self.isolation, self.measures, gap=12))
        theme.changed.connect(self._fit)
        self._fit()

    def show_overview(self, overview: RunOverview) -> None:
        self.verdict.setText(overview["run"]["sentence"])
        self.isolation.show_request(overview["request"])
        self.lines.show_measure(overview["lines"])
        self.branches.show_measure(overview["branches"])
        self.mutants.show_measure(overview["mutants"])

    def show_tests(self, tests: TestSet) -> None:
        counts = tests.chips()
        self.written.show_counts(counts["kept"], counts["suspected"], counts["refused"])

    def set_room(self, height: int, detail: bool) -> None:
        """How high the page is, and whether a test stands alone on it."""
        low = height < self._theme.px(360)
        if low != self._low:
            self._low = low
            self.measures.setVisible(not low)
            set_property(self.verdict, "type", "strong" if low else "verdict")
        self.setVisible(not (low and detail))

    def _fit(self) -> None:
        px, width = self._theme.px, self.width()
        padding = px(24 if width >= px(900) else 16)
        self.layout().setContentsMargins(padding, px(18), padding, px(18))  # type: ignore[union-attr]
        columns = 4 if width >= px(FOUR) else 3 if width >= px(THREE) else 2
        if columns == self._columns:
            return
        self._columns = columns
        self._grid.setHorizontalSpacing(px(32))
        # Three measures leave the counts to the chips below.
        meters: list[QWidget] = [self.lines, self.branches, self.mutants, self.written]
        shown = meters[:3] if columns == 3 else meters
        for at in range(4):
            self._grid.setColumnStretch(at, 1 if at < columns else 0)
        for at, meter in enumerate(meters):
            self._grid.removeWidget(meter)
            meter.setVisible(meter in shown)
            if meter in shown:
                self._grid.addWidget(meter, at // columns, at % columns)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
