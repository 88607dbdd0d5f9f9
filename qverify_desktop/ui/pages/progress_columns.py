"""Columns of the table of targets while a run goes on."""

from __future__ import annotations

from PySide6.QtCore import QRect
from PySide6.QtGui import QPainter

from qverify_desktop.domain.progress import Stage
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.models.run_progress import TargetState
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import steps
from qverify_desktop.ui.widgets.tables import Column

#: Names of what a target goes through, in the order of ``TargetState.pips``.
PIPS = (later("found"), later("tests written"), later("judged"))


def target_columns() -> list[Column[TargetState]]:
    """Function, its file, how far it came, what came of it."""

    def pips(painter: QPainter, rect: QRect, target: TargetState, theme: Theme) -> None:
        steps.paint_steps(painter, rect, theme, target.pips)

    def look(target: TargetState) -> tuple[str, str]:
        if "suspected" in target.text:
            return "diamond-alert", "danger"
        if target.stage is Stage.TRIAGE:
            kept = not target.text.startswith("0 kept")
            return ("circle-check", "success") if kept else ("circle-slash", "text-muted")
        return ("ring-arc", "accent-text") if target.stage is Stage.GENERATE else ("ring-dashed", "text-muted")

    return [
        Column(tr("Function"), lambda t: t.symbol, lambda t: t.symbol, icon=look, font="code", width=180, stretch=2),
        Column(
            tr("File"),
            lambda t: t.file,
            lambda t: t.file,
            token="text-muted",
            width=140,
            stretch=2,
            from_width=560,
            path=True,
        ),
        Column(
            tr("Steps"),
            lambda t: steps.words_of_steps([tr(name) for name in PIPS], t.pips),
            lambda t: t.pips.count("done"),
            paint=pips,
            width=96,
            searched=False,
        ),
        Column(tr("State"), lambda t: t.text, lambda t: t.text, token="text-muted", width=150, stretch=2),
    ]
