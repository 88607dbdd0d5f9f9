"""What delegates and painted widgets share: icons, one line of text, badges, the background and the ring of a row."""

from __future__ import annotations

import time

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyleOptionViewItem

from qverify_desktop.ui import motion
from qverify_desktop.ui.theme import Theme, tokens

LEFT = Qt.AlignmentFlag.AlignLeft
RIGHT = Qt.AlignmentFlag.AlignRight
CENTRE = Qt.AlignmentFlag.AlignHCenter
END = Qt.TextElideMode.ElideRight
MIDDLE = Qt.TextElideMode.ElideMiddle
_MIDDLE = Qt.AlignmentFlag.AlignVCenter
#: Shapes of coverage, which are painted and no icons.
BARS = ("bar-solid", "bar-half", "bar-hollow")
#: The shape that turns.
RING = "ring-arc"
#: Longest text that is laid out; what a row shows is far shorter.
LONGEST = 1000
_TONES = {
    "success": ("success-bg", "success"),
    "warning": ("warning-bg", "warning"),
    "danger": ("danger-bg", "danger"),
    "info": ("info-bg", "info"),
    "accent": ("accent-bg", "accent-text"),
}


_rings: list[QRect] = []


def take_rings() -> list[QRect]:
    """Where turning rings were painted since the last call, in the painted widget's coordinates."""
    global _rings
    taken, _rings = _rings, []
    return taken


def angle() -> float:
    """Where every ring stands now, in degrees; 0 with reduced motion."""
    turn = int(tokens()["motion"]["spinner-turn"])
    return 0.0 if motion.reduced() else time.monotonic() * 1000 % turn * 360 / turn


def one_line(text: str) -> str:
    """A text of unknown origin on one line: control and direction characters stand as escapes."""
    text = text[:LONGEST]
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def icon(painter: QPainter, theme: Theme, name: str, token: str, x: float, y: float, size: int = 16) -> None:
    """Draw an icon with its left top corner there; ``size`` at 100 %."""
    if name in BARS:
        _bar(painter, theme, name, token, QRectF(x, y, theme.px(size), theme.px(size)))
    elif name == RING:
        _ring(painter, theme, token, x, y, size)
    elif name:
        painter.drawPixmap(QPointF(x, y), theme.pixmap(name, token, size, painter.device().devicePixelRatioF()))


def _ring(painter: QPainter, theme: Theme, token: str, x: float, y: float, size: int) -> None:
    whole, half = theme.px(size), theme.px(size) / 2
    _rings.append(painter.worldTransform().mapRect(QRectF(x, y, whole, whole)).toAlignedRect())
    picture = theme.pixmap(RING, token, size, painter.device().devicePixelRatioF())
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.translate(x + half, y + half)
    painter.rotate(angle())
    painter.drawPixmap(QPointF(-half, -half), picture)
    painter.restore()


def _bar(painter: QPainter, theme: Theme, name: str, token: str, rect: QRectF) -> None:
    colour, width = theme.colour(token), theme.px(4)
    bar = QRectF(rect.center().x() - width / 2, rect.top() + 1, width, rect.height() - 2)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    if name != "bar-hollow":
        painter.fillRect(bar if name == "bar-solid" else bar.adjusted(0, 0, 0, -bar.height() / 2), colour)
    painter.setPen(QPen(colour, 1))
    painter.drawRect(bar.adjusted(0, 0, -1, -1))
    painter.restore()


def text(
    painter: QPainter,
    theme: Theme,
    rect: QRect,
    words: str,
    role: str = "body",
    token: str = "text",
    align: Qt.AlignmentFlag = LEFT,
    elide: Qt.TextElideMode = END,
) -> int:
    """Draw one line in the middle of the rectangle's height and answer the width that it took."""
    if not words or rect.width() <= 0:
        return 0
    metrics = theme.metrics(role)
    shown = metrics.elidedText(one_line(words), elide, rect.width())
    painter.setFont(theme.font(role))
    painter.setPen(theme.colour(token))
    painter.drawText(rect, int(align | _MIDDLE | Qt.TextFlag.TextSingleLine), shown)
    return min(metrics.horizontalAdvance(shown), rect.width())


def width_of(theme: Theme, words: str, role: str = "body") -> int:
    """How wide ``text`` would draw these words."""
    # Eliding measures in fractions of a pixel, so that the rounded advance may be too little by one.
    return theme.metrics(role).horizontalAdvance(one_line(words)) + 1 if words else 0


def badge_width(theme: Theme, words: str, icon_name: str = "") -> int:
    return width_of(theme, words, "caption") + theme.px(12) + (theme.px(16) if icon_name else 0)


def badge(
    painter: QPainter,
    theme: Theme,
    x: int,
    middle: int,
    words: str,
    tone: str = "",
    icon_name: str = "",
    most: int = 0,
) -> int:
    """Draw a tinted word from ``x`` on around the line ``middle``; ``most`` limits its width. Answers its width."""
    back, front = _TONES.get(tone, ("neutral-bg", "text-muted"))
    width, height = badge_width(theme, words, icon_name), theme.px(18)
    width = min(width, most) if most else width
    rect = QRect(x, middle - height // 2, width, height)
    fill(painter, theme, QRectF(rect), back, 4)
    left = theme.px(6)
    if icon_name:
        size = theme.px(12)
        icon(painter, theme, icon_name, front, rect.left() + left, rect.top() + (height - size) / 2, 12)
        left += theme.px(16)
    text(painter, theme, rect.adjusted(left, 0, -theme.px(6), 0), words, "caption", front)
    return width


def fill(painter: QPainter, theme: Theme, rect: QRectF, token: str, radius: float = 0, border: str = "") -> None:
    """A rounded rectangle; ``radius`` at 100 %, ``border`` a token for a 1 px line inside it."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(theme.colour(border), 1) if border else Qt.PenStyle.NoPen)
    painter.setBrush(theme.colour(token) if token else QColor(Qt.GlobalColor.transparent))
    corner = min(radius * theme.zoom, rect.height() / 2, rect.width() / 2)
    painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5) if border else rect, corner, corner)
    painter.restore()


def row_background(painter: QPainter, theme: Theme, option: QStyleOptionViewItem, rect: QRect | None = None) -> None:
    """The fill of a row: selected before hovered."""
    state = option.state
    where: QRect = rect if rect is not None else option.rect
    if state & QStyle.StateFlag.State_Selected:
        painter.fillRect(where, theme.colour("selection"))
    elif state & QStyle.StateFlag.State_MouseOver:
        painter.fillRect(where, theme.colour("surface-hover"))


def ring(painter: QPainter, theme: Theme, rect: QRect) -> None:
    """The focus ring inside a row: 2 px."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    pen = QPen(theme.colour("focus-ring"), 2)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    painter.setPen(pen)
    painter.drawRect(rect.adjusted(1, 1, -1, -1))
    painter.restore()


def underline(painter: QPainter, theme: Theme, rect: QRect, token: str = "border") -> None:
    """The 1 px line at the bottom of a row."""
    painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), theme.colour(token))
