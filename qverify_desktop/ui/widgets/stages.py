"""The stages of a run as a list that ticks by: icon, title, what came of it, elapsed time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyledItemDelegate, QStyleOptionViewItem

from qverify_desktop.domain.progress import STAGE_TITLES, EventKind, RunEvent, RunStatus, Stage
from qverify_desktop.ui.theme import Theme, pixmap

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole


@dataclass
class StageRow:
    """``state`` is open, now, done, warning or cancelled."""

    stage: Stage
    state: str = "open"
    text: str = ""
    began_ms: int = 0
    ended_ms: int = 0


STATE_WORDS = {
    "open": "not started",
    "now": "running",
    "done": "done",
    "warning": "done with a remark",
    "cancelled": "cancelled",
    "failed": "failed",
}


class StageModel(QAbstractListModel):
    """Rows of all stages, driven by run events."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows = [StageRow(stage) for stage in Stage]

    def reset(self) -> None:
        self.beginResetModel()
        self.rows = [StageRow(stage) for stage in Stage]
        self.endResetModel()

    def apply(self, event: RunEvent) -> None:
        """Take an event in; unknown and late events change nothing."""
        if event.kind is EventKind.STATUS and event.status in (RunStatus.CANCELLED, RunStatus.FAILED):
            for running in [row for row in self.rows if row.state == "now"]:
                self._set(running, "cancelled" if event.status is RunStatus.CANCELLED else "failed", event.at_ms)
            return
        row = next((r for r in self.rows if r.stage is event.stage), None)
        if row is None:
            return
        if event.kind is EventKind.STAGE_STARTED:
            row.began_ms, row.text = event.at_ms, ""
            self._set(row, "now", event.at_ms)
        elif event.kind is EventKind.STAGE_FINISHED:
            row.text = event.text
            self._set(row, "warning" if "red" in event.text.split() or "lacks" in event.text else "done", event.at_ms)
        elif event.kind is EventKind.PROGRESS and row.state == "now":
            row.text = event.text or f"{event.done} of {event.total}"
            self._set(row, "now", event.at_ms)

    def _set(self, row: StageRow, state: str, at_ms: int) -> None:
        row.state, row.ended_ms = state, at_ms
        index = self.index(self.rows.index(row))
        self.dataChanged.emit(index, index)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return STAGE_TITLES[row.stage]
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return f"{STAGE_TITLES[row.stage]}: {STATE_WORDS[row.state]}. {row.text}"
        return row if role == ROW else None


ICONS = {
    "open": ("ring-dashed", "text-muted"),
    "now": ("ring-arc", "accent-text"),
    "done": ("circle-check", "success"),
    "warning": ("triangle-alert", "warning"),
    "cancelled": ("square-stop", "warning"),
    "failed": ("square-x", "danger"),
}


class StageDelegate(QStyledItemDelegate):
    """Paints a stage: status shape with the joining line, title, remark, time."""

    HEIGHT = 48

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(200, self.HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: StageRow = index.data(ROW)
        rect: QRect = option.rect
        painter.save()
        name, token = ICONS[row.state]
        ratio = painter.device().devicePixelRatioF()
        left, top = rect.left() + 16, rect.top() + 6
        painter.drawPixmap(left, top, pixmap(name, self._theme.colour(token), 16, ratio))
        if index.row() < index.model().rowCount() - 1:
            painter.setPen(QPen(self._theme.colour("border-strong"), 1))
            painter.drawLine(left + 8, top + 21, left + 8, rect.bottom() + 1)
        text_left = left + 28
        right = rect.right() - 16
        time = _clock(row.ended_ms - row.began_ms) if row.state in ("done", "warning", "now", "cancelled") else ""
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("text-muted"))
        time_width = QFontMetrics(self._theme.font("small")).horizontalAdvance(time)
        painter.drawText(QRect(right - time_width, top - 2, time_width, 20), Qt.AlignmentFlag.AlignVCenter, time)
        remark = QFontMetrics(self._theme.font("small")).elidedText(
            row.text, Qt.TextElideMode.ElideRight, right - text_left
        )
        painter.drawText(QRect(text_left, top + 18, right - text_left, 16), Qt.AlignmentFlag.AlignVCenter, remark)
        painter.setFont(self._theme.font("strong" if row.state == "now" else "body"))
        painter.setPen(self._theme.colour("text-muted" if row.state == "open" else "text"))
        painter.drawText(
            QRect(text_left, top - 2, right - text_left - time_width - 8, 20),
            Qt.AlignmentFlag.AlignVCenter,
            index.data(),
        )
        painter.restore()


def _clock(milliseconds: int) -> str:
    seconds = max(0, milliseconds) // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"
