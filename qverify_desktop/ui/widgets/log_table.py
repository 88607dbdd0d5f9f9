"""The lines of a log on screen: number, time, stage and text, and the end that is followed."""

from __future__ import annotations

from PySide6.QtCore import QAbstractItemModel, QRect, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from qverify_desktop.domain.log_views import LogLine
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.code_text import shown_in_row
from qverify_desktop.ui.widgets.line_table import Index, LineDelegate, LineTable
from qverify_desktop.ui.widgets.log_model import LINE, LogModel, clock

#: Pixels at 100 % between columns, and characters of time (at least) and stage.
_GAP, _TIME, _STAGE = 16, 8, 12


class LogTable(LineTable):
    """``following`` is true while the newest lines are kept in view; scrolling up ends it, scrolling to the end begins it."""

    follow_changed = Signal(bool)
    scrolled = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(theme, tr("Log"), parent)
        self.following = True
        self._own_move = False
        self.lines = LogDelegate(theme, self)
        self.setItemDelegate(self.lines)
        self.verticalScrollBar().valueChanged.connect(self._moved)

    def set_following(self, on: bool) -> None:
        """Keep the newest lines in view from now on, or stay where one is."""
        if on:
            self._to_end()
        if on != self.following:
            self.following = on
            self.follow_changed.emit(on)

    def setModel(self, model: QAbstractItemModel | None) -> None:
        super().setModel(model)
        if isinstance(model, LogModel):
            model.rowsInserted.connect(self._follow)
            model.modelReset.connect(self._follow)
            model.loaded.connect(self._learn_width)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._follow()
        self.scrolled.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.model() is not None and not self.model().rowCount():
            painter = QPainter(self.viewport())
            rect = self.viewport().rect().adjusted(self._theme.px(16), 0, -self._theme.px(16), 0)
            painting.text(
                painter, self._theme, rect, tr("Nothing is logged yet."), "body", "text-muted", painting.CENTRE
            )

    def _follow(self) -> None:
        if self.following:
            self._to_end()

    def _to_end(self) -> None:
        self._own_move = True
        self.scrollToBottom()
        self._own_move = False

    def _moved(self, value: int) -> None:
        if not self._own_move:
            at_end = value >= self.verticalScrollBar().maximum()
            if at_end != self.following:
                self.following = at_end
                self.follow_changed.emit(at_end)
        self.scrolled.emit()

    def _learn_width(self, start: int, lines: list[LogLine]) -> None:
        times = max((len(clock(one["at_ms"])) for one in lines), default=0)
        self.lines.time_letters = max(self.lines.time_letters, times)
        longest = max((shown_in_row(one["text"]) for one in lines), key=len, default="")
        self.widen(
            self.lines.text_left() + self._theme.metrics("code").horizontalAdvance(longest) + self._theme.px(_GAP)
        )


class LogDelegate(LineDelegate):
    """One line. Number, time and stage stay where they are when the text is scrolled sideways."""

    def __init__(self, theme: Theme, view: LineTable) -> None:
        super().__init__(theme, view)
        self.time_letters = _TIME

    def text_left(self) -> int:
        """Where the text begins, before it is scrolled sideways."""
        gap = self._theme.px(_GAP)
        return gap + sum(width + gap for width in self._columns() if width)

    def _columns(self) -> tuple[int, int, int]:
        """Widths of number, time and stage. In a narrow view the number goes first, then the stage: half is for the text."""
        width, gap = self._theme.metrics("code").horizontalAdvance, self._theme.px(_GAP)
        model = self._view.model()
        number = f"{max(999, model.rowCount() if model else 0):,}"
        # Widths are rounded, and a pixel too few cuts a word that fits.
        columns = [width(words) + 2 for words in (number, "0" * self.time_letters, "0" * _STAGE)]
        for leaves in (0, 2):
            if 2 * (sum(columns) + 4 * gap) > self._view.viewport().width():
                columns[leaves] = 0
        return columns[0], columns[1], columns[2]

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        theme, gap = self._theme, self._theme.px(_GAP)
        row: QRect = option.rect
        line: LogLine | None = index.data(LINE)
        ground = "selection" if self.is_selected(option) else "surface-sunken"
        across = self.across(option)
        painter.save()
        painter.fillRect(across, theme.colour(ground))
        left = self.text_left()
        if line is None:
            painting.text(painter, theme, across.adjusted(left, 0, 0, 0), "…", "code", "text-disabled")
        else:
            painter.setClipRect(across.adjusted(left, 0, 0, 0))
            self.paint_code(painter, row.adjusted(left, 0, 0, 0), shown_in_row(line["text"]), "syntax-text")
            painter.setClipping(False)
            cells = (
                (f"{line['number']:,}", "line-number", painting.RIGHT),
                (clock(line["at_ms"]), "text-muted", painting.RIGHT),
                (shown_in_row(line["stage"]), "text-muted", painting.LEFT),
            )
            at = gap
            for (words, token, align), width in zip(cells, self._columns(), strict=True):
                if not width:
                    continue
                cell = QRect(at, row.top(), width, row.height())
                painting.text(painter, theme, cell, words, "code", token, align, Qt.TextElideMode.ElideRight)
                at += width + gap
        self.paint_ring(painter, option, index)
        painter.restore()
