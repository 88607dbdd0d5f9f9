"""A theme for widgets under test, and a look at what they paint."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect
from PySide6.QtGui import QColor, QImage, QPainter

from qverify_desktop.ui import motion
from qverify_desktop.ui.theme import Theme


@pytest.fixture
def theme(qapp):
    made = Theme()
    made.apply(qapp, "light", 1.0)
    return made


@pytest.fixture
def still():
    """Reduced motion."""
    motion.reduce(True)
    yield
    motion.reduce(False)


@pytest.fixture
def moving(monkeypatch):
    """Motion, whatever the environment asks for."""
    monkeypatch.setattr(motion, "_off", False)


class Canvas:
    """A white picture to paint on, and questions about its pixels."""

    def __init__(self, width: int, height: int) -> None:
        self.image = QImage(width, height, QImage.Format.Format_RGB32)
        self.image.fill(QColor("#ffffff"))
        self.rect = QRect(0, 0, width, height)

    def paint(self, draw) -> None:
        painter = QPainter(self.image)
        draw(painter)
        painter.end()

    def colour(self, x: int, y: int) -> str:
        return self.image.pixelColor(x, y).name()

    def has(self, colour: QColor, rect: QRect | None = None) -> bool:
        """Whether any pixel has exactly this colour."""
        return self.count(colour, rect) > 0

    def count(self, colour: QColor, rect: QRect | None = None) -> int:
        where = rect or self.rect
        return sum(
            self.image.pixelColor(x, y).name() == colour.name()
            for y in range(where.top(), where.bottom() + 1)
            for x in range(where.left(), where.right() + 1)
        )


@pytest.fixture
def canvas(qapp):
    return Canvas


def grabbed(widget) -> Canvas:
    """What a widget paints."""
    made = Canvas(widget.width(), widget.height())
    made.image = widget.grab().toImage()
    return made


@pytest.fixture
def grab(qapp):
    return grabbed
