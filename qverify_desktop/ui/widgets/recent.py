"""Earlier runs as a list: what was analysed, and the sentence that its verdict stood in."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from qverify_desktop.domain.progress import RunStatus, RunSummary
from qverify_desktop.ui.theme import Theme, pixmap

Index = QModelIndex | QPersistentModelIndex
ROW = Qt.ItemDataRole.UserRole

_STATUS = {
    RunStatus.QUEUED: ("ring-dashed", "text-muted", "Waits for its turn."),
    RunStatus.RUNNING: ("ring-arc", "accent-text", "Running."),
    RunStatus.INTERRUPTED: ("triangle-alert", "warning", "Interrupted; open it to go on."),
    RunStatus.CANCELLED: ("square-stop", "warning", "Cancelled; open it to go on."),
    RunStatus.FAILED: ("square-x", "danger", "It could not be finished."),
}
_VERDICT = {
    "nothing_suspected": ("circle-check", "success"),
    "defects_suspected": ("diamond-alert", "danger"),
}


def told(run: RunSummary) -> tuple[str, str, str]:
    """Icon, colour token and sentence of a run."""
    if run.status is RunStatus.FINISHED:
        shape, token = _VERDICT.get(run.verdict, ("triangle-alert", "warning"))
        return shape, token, run.sentence
    shape, token, words = _STATUS[run.status]
    return shape, token, run.sentence or words


class RecentModel(QAbstractListModel):
    """Rows are ``RunSummary`` values, newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[RunSummary] = []

    def fill(self, rows: list[RunSummary]) -> None:
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self._rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{PurePath(row.source).name}: {told(row)[2]}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return f"{row.source}\n{row.started_at}, run {row.run}"
        return row if role == ROW else None


class RecentDelegate(QStyledItemDelegate):
    """Name and day on one line, the sentence below."""

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(240, 56)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        row: RunSummary = index.data(ROW)
        rect: QRect = option.rect
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(rect, self._theme.colour("selection"))
        shape, token, sentence = told(row)
        ratio = painter.device().devicePixelRatioF()
        painter.drawPixmap(rect.left() + 16, rect.top() + 20, pixmap(shape, self._theme.colour(token), 16, ratio))
        left, width = rect.left() + 48, rect.width() - 64
        small = QFontMetrics(self._theme.font("small"))
        day = row.started_at[:16].replace("T", " ")
        used = small.horizontalAdvance(day)
        painter.setFont(self._theme.font("small"))
        painter.setPen(self._theme.colour("text-muted"))
        painter.drawText(QRect(left + width - used, rect.top() + 8, used, 20), Qt.AlignmentFlag.AlignVCenter, day)
        painter.drawText(
            QRect(left, rect.top() + 29, width, 18),
            Qt.AlignmentFlag.AlignVCenter,
            small.elidedText(sentence, Qt.TextElideMode.ElideRight, width),
        )
        painter.setFont(self._theme.font("strong"))
        painter.setPen(self._theme.colour("text"))
        name = PurePath(row.source).name or row.source
        painter.drawText(QRect(left, rect.top() + 8, width - used - 12, 20), Qt.AlignmentFlag.AlignVCenter, name)
        painter.restore()
