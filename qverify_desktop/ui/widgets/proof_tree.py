"""Draws an inclusion proof: what is computed from the event in accent, hashes that the proof gives dashed."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from qverify_desktop.domain.log_views import EventView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting
from qverify_desktop.ui.widgets.proof_shape import (
    LEVELS,
    Knot,
    ProofShape,
    shape_of,
    words_of_fold,
    words_of_levels,
    words_of_proof,
)
from qverify_desktop.ui.widgets.words import count

BOX, LEVEL, FOLD, LEGEND, PADDING = 24, 48, 52, 32, 16
#: Least width of a leaf with its gap; below it fewer levels are drawn.
LEAF = 72
WIDEST = 120


class ProofTree(QWidget):
    """The proof of one event. Arrows walk through the boxes that hold a hash; Enter, Ctrl+C or a click copies it whole.

    ``copied`` gives the hash that is to be copied; the page puts it on the clipboard.
    """

    copied = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._event: EventView | None = None
        self._shape: ProofShape | None = None
        self._boxes: list[tuple[Knot, QRectF]] = []
        self._at = -1
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self._arrange)

    def show_event(self, event: EventView) -> None:
        self._event, self._at = event, -1
        self.setAccessibleName(tr("Inclusion proof of event {n}", n=count(event["line"]["index"])))
        self.setAccessibleDescription(words_of_proof(event))
        self._arrange()

    @property
    def shape(self) -> ProofShape | None:
        """What is drawn now."""
        return self._shape

    def box_of(self, hash: str) -> QRectF:
        """Where the box of a hash stands; empty when it is not drawn."""
        return next((rect for knot, rect in self._boxes if knot.hash == hash), QRectF())

    # Layout

    def _arrange(self) -> None:
        if self._event is None:
            return
        px = self._theme.px
        room = max(1, self.width() - 2 * px(PADDING)) // px(LEAF)
        levels = next((level for level in range(LEVELS, 0, -1) if 1 << level <= room), 1)
        self._shape = shape_of(self._event, levels)
        self._boxes = []
        inner = QRectF(self.rect()).adjusted(px(PADDING), px(PADDING), -px(PADDING), 0)
        top = inner.top()
        if self._shape.root is not None:
            top += px(BOX) + px(FOLD) - px(BOX)
        centre = self._place(self._shape.top, QRectF(inner.left(), top, inner.width(), px(BOX)))
        if self._shape.root is not None:
            width = min(inner.width(), px(WIDEST))
            self._boxes.append((self._shape.root, QRectF(centre - width / 2, inner.top(), width, px(BOX))))
        self.updateGeometry()
        self.update()

    def _place(self, knot: Knot, room: QRectF) -> float:
        """Give a box and all below it a place within ``room``; answers where its middle is."""
        px = self._theme.px
        centre = room.center().x()
        if knot.children:
            leaves = [sum(1 for box in child.all() if not box.children) for child in knot.children]
            left, middles = room.left(), []
            for child, number in zip(knot.children, leaves, strict=True):
                width = room.width() * number / sum(leaves)
                middles.append(self._place(child, QRectF(left, room.top() + px(LEVEL), width, px(BOX))))
                left += width
            centre = sum(middles) / len(middles)
        width = min(px(WIDEST), room.width() - px(12)) if knot.children else min(px(68), room.width() - px(6))
        width = max(width, 8.0)
        self._boxes.append((knot, QRectF(centre - width / 2, room.top(), width, px(BOX))))
        return centre

    def _depth(self, knot: Knot) -> int:
        return 1 + max((self._depth(child) for child in knot.children), default=0)

    def sizeHint(self) -> QSize:
        px = self._theme.px
        levels = self._depth(self._shape.top) if self._shape else LEVELS + 1
        folded = self._shape is None or self._shape.root is not None
        height = (levels - 1) * px(LEVEL) + px(BOX) + (px(FOLD) if folded else 0) + 2 * px(PADDING) + px(LEGEND)
        return QSize(px(640), height)

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self.sizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._shape is None:
            return
        painter = QPainter(self)
        rects = {id(knot): rect for knot, rect in self._boxes}
        # Lines of the path last, so that they lie over the grey ones.
        for on_path in (False, True):
            for knot, rect in self._boxes:
                for child in knot.children:
                    if child.on_path == on_path:
                        self._paint_line(painter, rect, rects[id(child)], on_path)
        if self._shape.root is not None:
            self._paint_fold(painter, rects[id(self._shape.root)], rects[id(self._shape.top)])
        for knot, rect in self._boxes:
            self._paint_box(painter, knot, rect)
        chosen = self._chosen()
        if chosen is not None and self.hasFocus():
            painting.fill(painter, self._theme, rects[id(chosen)].adjusted(-3, -3, 3, 3), "", 6, "focus-ring")
            painting.fill(painter, self._theme, rects[id(chosen)].adjusted(-2, -2, 2, 2), "", 5, "focus-ring")
        elif self.hasFocus():
            painting.ring(painter, self._theme, self.rect())
        self._paint_legend(painter)
        painter.end()

    def _paint_line(self, painter: QPainter, above: QRectF, below: QRectF, on_path: bool) -> None:
        painter.save()
        painter.setPen(
            QPen(self._theme.colour("accent"), 2) if on_path else QPen(self._theme.colour("border-strong"), 1)
        )
        middle = round((above.bottom() + below.top()) / 2)
        x, y = round(above.center().x()), round(below.center().x())
        painter.drawPolyline(
            [QPointF(x, above.bottom()), QPointF(x, middle), QPointF(y, middle), QPointF(y, below.top())]
        )
        painter.restore()

    def _paint_fold(self, painter: QPainter, root: QRectF, top: QRectF) -> None:
        assert self._shape is not None
        px = self._theme.px
        painter.save()
        pen = QPen(self._theme.colour("accent"), 2)
        if self._shape.folded:
            pen.setStyle(Qt.PenStyle.DotLine)
        painter.setPen(pen)
        x = round(root.center().x())
        painter.drawLine(QPointF(x, root.bottom() + 2), QPointF(x, top.top() - 2))
        painter.restore()
        if self._shape.folded:
            box = QRect(x + px(12), round(root.bottom()), self.width() - x - px(16), round(top.top() - root.bottom()))
            painting.text(painter, self._theme, box, words_of_fold(self._shape), "caption", "text-muted")

    def _paint_box(self, painter: QPainter, knot: Knot, rect: QRectF) -> None:
        theme = self._theme
        if knot.on_path:
            painting.fill(painter, theme, rect, "selection", 4, "accent")
            token, role = "text", "code-strong" if knot.kind == "event" else "code"
        elif knot.kind == "given":
            painting.fill(painter, theme, rect, "surface", 4)
            dashed(painter, theme, rect)
            token, role = "text-muted", "code"
        else:
            painting.fill(painter, theme, rect, "surface", 4, "border-strong")
            token, role = "text-muted", "code"
        side = theme.px(2)
        inner = rect.toRect().adjusted(side, 0, -side, 0)
        painting.text(painter, theme, inner, knot.label, role, token, painting.CENTRE)

    def _paint_legend(self, painter: QPainter) -> None:
        assert self._shape is not None
        theme, px = self._theme, self._theme.px
        top, left = self.height() - px(LEGEND), px(PADDING)
        right = words_of_levels(self._shape)
        width = painting.width_of(theme, right, "small")
        for kind, words in (("computed", tr("computed from the event")), ("given", tr("hash given in the proof"))):
            key = QRectF(left, top + px(12), px(12), px(8))
            if kind == "given":
                dashed(painter, theme, key, 2)
            else:
                painting.fill(painter, theme, key, "selection", 2, "accent")
            box = QRect(left + px(16), top, self.width() - left - px(16 + PADDING), px(LEGEND))
            left += px(16) + painting.text(painter, theme, box, words, "small", "text-muted") + px(16)
        if left + width < self.width() - px(PADDING):
            box = QRect(self.width() - px(PADDING) - width, top, width, px(LEGEND))
            painting.text(painter, theme, box, right, "small", "text-muted", painting.RIGHT)

    # Boxes by keyboard and mouse

    def _chosen(self) -> Knot | None:
        knots = self._shape.knots() if self._shape else []
        return knots[self._at] if 0 <= self._at < len(knots) else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        knots = self._shape.knots() if self._shape else []
        chosen = self._chosen()
        key = Qt.Key(event.key())
        copies = event.matches(QKeySequence.StandardKey.Copy) or key in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Right: 1, Qt.Key.Key_Down: -1, Qt.Key.Key_Left: -1}.get(key, 0)
        if copies and chosen is not None:
            self.copied.emit(chosen.hash)
        elif step and knots:
            self._at = min(len(knots) - 1, max(0, self._at + step))
            self._show_hash(knots[self._at])
            self.update()
        else:
            super().keyPressEvent(event)

    def _show_hash(self, knot: Knot) -> None:
        rect = next(rect for box, rect in self._boxes if box is knot)
        QToolTip.showText(self.mapToGlobal(rect.bottomLeft().toPoint()), self._words_of(knot), self)

    @staticmethod
    def _words_of(knot: Knot) -> str:
        kinds = {
            "event": tr("leaf hash of the event"),
            "computed": tr("computed from the event"),
            "given": tr("given in the proof"),
            "root": tr("root of the checkpoint"),
        }
        return f"{kinds[knot.kind]}\n{painting.one_line(knot.hash)}"

    def _knot_at(self, point: QPointF) -> Knot | None:
        return next((knot for knot, rect in self._boxes if knot.hash and rect.contains(point)), None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        knot = self._knot_at(event.position())
        if knot is not None and event.button() is Qt.MouseButton.LeftButton:
            self.copied.emit(knot.hash)
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        over = self._knot_at(event.position()) is not None
        self.setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        super().mouseMoveEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self._at = -1
        super().focusOutEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            knot = self._knot_at(QPointF(event.pos()))
            if knot is not None:
                QToolTip.showText(event.globalPos(), self._words_of(knot), self)
                return True
        return super().event(event)


def dashed(painter: QPainter, theme: Theme, rect: QRectF, radius: float = 4) -> None:
    """The dashed outline of a given hash."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    pen = QPen(theme.colour("info"), 1.5)
    pen.setDashPattern([2.0, 1.5])
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    corner = radius * theme.zoom
    painter.drawRoundedRect(rect.adjusted(0.75, 0.75, -0.75, -0.75), corner, corner)
    painter.restore()
