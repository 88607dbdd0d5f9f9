"""The strip beside a code view that shows a whole file at once: where lines are missed, which mutants survived, what is suspected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QHelpEvent, QMouseEvent, QPainter, QPaintEvent, QPolygonF, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QSizePolicy, QToolTip, QWidget

from qverify_desktop.ui.language import later, tr, trn
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.code import MARGIN, CodeView
from qverify_desktop.ui.widgets.line_states import MISSED, PARTIAL

KILLED, SURVIVED, DEFECT = "killed", "survived", "defect"
#: Kinds in the order in which they are painted: what matters most comes last and stands on top.
KINDS = (KILLED, PARTIAL, MISSED, SURVIVED, DEFECT)
_TOKENS = {KILLED: "killed", PARTIAL: "partial", MISSED: "missed", SURVIVED: "survived", DEFECT: "danger"}
_WORDS = {
    KILLED: later("Line {line}: a mutant was killed."),
    SURVIVED: later("Line {line}: a mutant survived."),
    DEFECT: later("Line {line}: a suspected defect."),
}
_COUNTS = {
    KILLED: (later("{n} killed mutant"), later("{n} killed mutants")),
    PARTIAL: (later("{n} partial line"), later("{n} partial lines")),
    MISSED: (later("{n} missed line"), later("{n} missed lines")),
    SURVIVED: (later("{n} surviving mutant"), later("{n} surviving mutants")),
    DEFECT: (later("{n} suspected defect"), later("{n} suspected defects")),
}
#: Pixels at 100 %: the strip, the height of a bar, the size of a symbol, and how near a click must be to a mark.
WIDTH, BAR, SYMBOL, NEAR = 20, 4, 8, 4


@dataclass(frozen=True)
class Mark:
    """Something on a line: ``killed``, ``survived`` (mutants) or ``defect``. ``words`` replace its usual words."""

    line: int
    kind: str
    words: str = ""


class OverviewStrip(QWidget):
    """Stands right of a code view and takes gaps from its coverage. A click jumps to the nearest mark, or to that part of the
    file; dragging scrolls. The keyboard has the code view's own ``next_gap`` for it."""

    def __init__(self, theme: Theme, view: CodeView, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._view = theme, view
        self._others: Sequence[Mark] = ()
        self._marks: list[Mark] = []
        self._places: list[tuple[int, Mark]] = []
        self.setAccessibleName(tr("Overview of the file"))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(True)
        view.marked.connect(self._gather)
        view.verticalScrollBar().valueChanged.connect(self._scrolled)
        theme.changed.connect(self._measure)
        self._gather()

    def show_marks(self, marks: Sequence[Mark]) -> None:
        """Show these beside the gaps. They stay until others are given; show them after the file's text."""
        self._others = tuple(marks)
        self._gather()

    @property
    def marks(self) -> Sequence[Mark]:
        """All that is shown, gaps among it."""
        return tuple(self._marks)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(WIDTH), self._theme.px(40))

    def _gather(self) -> None:
        gaps = [Mark(line, one.state) for line, one in self._view.coverage.items() if one.state in (PARTIAL, MISSED)]
        known = [
            mark for mark in (*gaps, *self._others) if self._view.first_line <= mark.line <= self._view.last_line
        ]
        self._marks = sorted(known, key=lambda mark: (KINDS.index(mark.kind), mark.line))
        counts = Counter(mark.kind for mark in self._marks)
        words = [trn(*_COUNTS[kind], counts[kind]) for kind in reversed(KINDS) if counts[kind]]
        self.setAccessibleDescription(", ".join(words) or tr("Nothing is marked."))
        self._measure()

    def _measure(self) -> None:
        """Marks of a kind that fall on the same pixels are drawn once."""
        places: dict[tuple[int, str], Mark] = {}
        for mark in self._marks:
            places.setdefault((self._y_of(mark.line), mark.kind), mark)
        self._places = [(y, mark) for (y, _), mark in places.items()]
        self.updateGeometry()
        self.update()

    def _scale(self) -> float:
        """Pixels of a line; never more than the view's own, so that a short file's marks stand beside their lines."""
        room = self.height() - 2 * self._theme.px(MARGIN)
        return min(self._view.row_height, room / max(1, self._view.line_count))

    def _y_of(self, line: int) -> int:
        return self._theme.px(MARGIN) + int((line - self._view.first_line + 0.5) * self._scale())

    def _line_at(self, y: float) -> int:
        index = int((y - self._theme.px(MARGIN)) / max(0.001, self._scale()))
        return self._view.first_line + max(0, min(index, self._view.line_count - 1))

    def mark_at(self, y: float) -> Mark | None:
        """The nearest mark at a height; of several the one that matters most."""
        reach = self._theme.px(NEAR)
        near = [
            (abs(place - y), -KINDS.index(mark.kind), mark) for place, mark in self._places if abs(place - y) <= reach
        ]
        return min(near, key=lambda one: one[:2])[2] if near else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def _scrolled(self) -> None:
        self.update()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.fillRect(self.rect(), theme.colour("surface-sunken"))
        self._paint_view(painter)
        painter.fillRect(QRect(0, 0, 1, self.height()), theme.colour("border"))
        for y, mark in self._places:
            self._paint_mark(painter, y, mark)

    def _paint_view(self, painter: QPainter) -> None:
        """Which part of the file is in view."""
        rows = [line for line, _ in self._view.rows_on_screen()]
        if not rows or len(rows) >= self._view.line_count:
            return
        half = self._scale() / 2
        top, bottom = int(self._y_of(rows[0]) - half), int(self._y_of(rows[-1]) + half)
        height = max(self._theme.px(8), bottom - top)
        painter.fillRect(QRect(0, top, self.width(), height), self._theme.colour("surface-pressed"))

    def _paint_mark(self, painter: QPainter, y: int, mark: Mark) -> None:
        theme, px = self._theme, self._theme.px
        colour = theme.colour(_TOKENS[mark.kind])
        if mark.kind in (PARTIAL, MISSED):
            rect = QRect(px(3), y - px(BAR) // 2, px(6), max(3, px(BAR)))
            wall = max(1, px(1))
            painter.fillRect(rect, colour)
            hole = rect.adjusted(wall, wall, -wall, -wall)
            if mark.kind == PARTIAL:
                hole.setLeft(rect.center().x() + 1)
            painter.fillRect(hole, theme.colour("surface-sunken"))
            return
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        centre, half = QPointF(px(WIDTH) - px(6), y), px(SYMBOL) / 2
        painter.drawPolygon(_diamond(centre, half) if mark.kind == DEFECT else _hexagon(centre, half))
        if mark.kind == KILLED:
            painter.setBrush(theme.colour("surface-sunken"))
            painter.drawPolygon(_hexagon(centre, half - max(1, px(1.5))))
        painter.restore()

    # Mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() is Qt.MouseButton.LeftButton:
            y = event.position().y()
            mark = self.mark_at(y)
            self._view.go_to_line(mark.line if mark else self._line_at(y))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        y = event.position().y()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._view.go_to_line(self._line_at(y))
        elif self.mark_at(y):
            self.setCursor(Qt.CursorShape.PointingHandCursor)
        else:
            self.unsetCursor()

    def wheelEvent(self, event: QWheelEvent) -> None:
        QApplication.sendEvent(self._view.viewport(), event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() is QEvent.Type.ToolTip:
            mark = self.mark_at(event.pos().y())
            if mark:
                QToolTip.showText(event.globalPos(), self.words_of(mark), self)
            else:
                QToolTip.hideText()
                event.ignore()
            return True
        return super().event(event)

    def words_of(self, mark: Mark) -> str:
        """What resting on a mark tells."""
        if mark.words or mark.kind not in _WORDS:
            return mark.words or self._view.words_of(mark.line)
        return tr(_WORDS[mark.kind], line=f"{mark.line:,}")


def _diamond(centre: QPointF, half: float) -> QPolygonF:
    return QPolygonF([centre + QPointF(*to) for to in ((0, -half), (half, 0), (0, half), (-half, 0))])


def _hexagon(centre: QPointF, half: float) -> QPolygonF:
    side = half * 0.87
    corners = ((0, -half), (side, -half / 2), (side, half / 2), (0, half), (-side, half / 2), (-side, -half / 2))
    return QPolygonF([centre + QPointF(*to) for to in corners])
