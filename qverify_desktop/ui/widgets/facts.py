"""A line of small facts, each an icon and some words; it wraps to as many lines as it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from qverify_desktop.ui.theme import Theme, tokens
from qverify_desktop.ui.widgets import painting

#: Pixels at 100 % between facts, between lines, and after an icon.
BETWEEN, LINES, AFTER_ICON = 16, 4, 6


@dataclass(frozen=True)
class Fact:
    """``lead`` is a number set in bold before the words; ``spoken`` is read out instead of both."""

    text: str
    icon: str = ""
    token: str = "text-muted"
    icon_token: str = ""
    lead: str = ""
    role: str = "small"
    spoken: str = ""

    def words(self) -> str:
        return painting.one_line(self.spoken or f"{self.lead} {self.text}".strip())


class Facts(QWidget):
    """Facts from left to right. One that is wider than the widget is cut in its middle."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._facts: tuple[Fact, ...] = ()
        self.setObjectName("clear")
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        theme.changed.connect(self.updateGeometry)

    def show_facts(self, facts: Sequence[Fact]) -> None:
        self._facts = tuple(facts)
        self.setAccessibleName(", ".join(fact.words() for fact in self._facts))
        self.updateGeometry()
        self.update()

    def _width_of(self, fact: Fact) -> int:
        px = self._theme.px
        lead = painting.width_of(self._theme, fact.lead, "strong")
        words = painting.width_of(self._theme, fact.text, fact.role)
        return (px(16 + AFTER_ICON) if fact.icon else 0) + lead + (px(4) if fact.lead else 0) + words

    def _lines(self, width: int) -> tuple[list[tuple[Fact, QRect]], int]:
        px, height = self._theme.px, self._theme.px(tokens()["type"]["body"]["line"])
        at, placed = QPoint(0, 0), []
        for fact in self._facts:
            wanted = min(self._width_of(fact), max(1, width))
            if at.x() and at.x() + wanted > width:
                at = QPoint(0, at.y() + height + px(LINES))
            placed.append((fact, QRect(at.x(), at.y(), wanted, height)))
            at.setX(at.x() + wanted + px(BETWEEN))
        return placed, at.y() + height

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        return self._lines(width)[1]

    def sizeHint(self) -> QSize:
        between = self._theme.px(BETWEEN)
        width = sum(self._width_of(fact) + between for fact in self._facts) - between
        return QSize(max(0, width), self._theme.px(tokens()["type"]["body"]["line"]))

    def minimumSizeHint(self) -> QSize:
        return QSize(self._theme.px(80), self._theme.px(tokens()["type"]["body"]["line"]))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        for fact, rect in self._lines(self.width())[0]:
            self._paint(painter, fact, rect)
        painter.end()

    def _paint(self, painter: QPainter, fact: Fact, rect: QRect) -> None:
        theme, px = self._theme, self._theme.px
        if fact.icon:
            top = rect.top() + (rect.height() - px(16)) / 2
            painting.icon(painter, theme, fact.icon, fact.icon_token or fact.token, rect.left(), top)
            rect = rect.adjusted(px(16 + AFTER_ICON), 0, 0, 0)
        if fact.lead:
            used = painting.text(painter, theme, rect, fact.lead, "strong", fact.icon_token or fact.token)
            rect = rect.adjusted(used + px(4), 0, 0, 0)
        painting.text(painter, theme, rect, fact.text, fact.role, fact.token, elide=painting.MIDDLE)
