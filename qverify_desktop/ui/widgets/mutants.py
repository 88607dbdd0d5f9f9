"""Mutants on the lines that a test covers, in as many columns as there is room for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QPainter, QResizeEvent
from PySide6.QtWidgets import QListView, QStyle, QStyleOptionViewItem, QWidget

from qverify_desktop.domain.result_views import MutantView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.assertions import on_one_line
from qverify_desktop.ui.widgets.whole_list import WholeDelegate, WholeList
from qverify_desktop.ui.widgets.words import MUTANT, UNKNOWN

#: Pixels at 100 %: height of a row, narrowest column.
HEIGHT, LEAST = 24, 320


def change_of(mutant: MutantView) -> str:
    """The change in code: "minutes=minutes → minutes=0"."""
    return f"{on_one_line(mutant['original'])} → {on_one_line(mutant['replacement'])}"


class MutantDelegate(WholeDelegate):
    """Shape of the status, line, change."""

    def height(self, value: Any, width: int) -> int:
        return self.theme.px(HEIGHT)

    def draw(self, painter: QPainter, option: QStyleOptionViewItem, value: Any, row: int) -> None:
        theme, px = self.theme, self.theme.px
        rect: QRect = option.rect
        if option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(rect, theme.colour("surface-hover"))
        look = MUTANT.get(value["status"], UNKNOWN)
        top = rect.top() + (rect.height() - px(16)) / 2
        painting.icon(painter, theme, look.icon, look.token, rect.left() + px(4), top)
        line = tr("line {line}", line=value["line"])
        width = max(px(46), painting.width_of(theme, line, "small"))
        where = QRect(rect.left() + px(24), rect.top(), width, rect.height())
        painting.text(painter, theme, where, line, "small", "text-muted")
        left = where.right() + px(8)
        change = QRect(left, rect.top(), max(0, rect.right() - px(8) - left), rect.height())
        painting.text(painter, theme, change, change_of(value), "code")


class MutantGrid(WholeList):
    """``chosen`` gives the mutant, ``opened`` the one that is to be seen in the source."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Mutants on the lines it covers"), parent)
        self.setProperty("plain", "true")
        self.setItemDelegate(MutantDelegate(theme, self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(True)
        self.setMouseTracking(True)

    def show_mutants(self, mutants: Sequence[MutantView]) -> None:
        """Killed ones first."""
        ranked = sorted(mutants, key=lambda one: one["status"] not in ("killed", "timed_out"))
        values = []
        for one in ranked:
            line = tr("line {line}", line=one["line"])
            values.append((one, f"{MUTANT.get(one['status'], UNKNOWN).text()}, {line}, {change_of(one)}"))
        self._measure()
        self.fill(values)

    @property
    def columns(self) -> int:
        return max(1, self.viewport().width() // self.theme.px(LEAST))

    def row_width(self) -> int:
        return max(1, self.viewport().width() // self.columns)

    def height_of_all(self) -> int:
        return -(-self.rows.rowCount() // self.columns) * self.theme.px(HEIGHT)

    def _measure(self) -> None:
        self.setGridSize(QSize(self.row_width(), self.theme.px(HEIGHT)))

    def fit(self) -> None:
        self._measure()
        super().fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._measure()
        super().resizeEvent(event)
