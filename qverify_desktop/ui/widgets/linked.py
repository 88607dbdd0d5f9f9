"""Two views that scroll together."""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QAbstractScrollArea, QScrollBar


class _Link(QObject):
    """Keeps two scroll bars at the same value. One that is shorter stays at its end and does not pull the other back."""

    def __init__(self, a: QScrollBar, b: QScrollBar, parent: QObject) -> None:
        super().__init__(parent)
        self._a, self._b = a, b
        self._moving = False
        a.valueChanged.connect(self._from_a)
        b.valueChanged.connect(self._from_b)

    def _from_a(self, value: int) -> None:
        self._move(self._b, value)

    def _from_b(self, value: int) -> None:
        self._move(self._a, value)

    def _move(self, other: QScrollBar, value: int) -> None:
        if not self._moving:
            self._moving = True
            other.setValue(value)
            self._moving = False


def link_scrolling(a: QAbstractScrollArea, b: QAbstractScrollArea) -> None:
    """Scroll both when one is scrolled, up and down and sideways, as long as they live. ``b`` begins where ``a`` stands."""
    for mine, other in (
        (a.verticalScrollBar(), b.verticalScrollBar()),
        (a.horizontalScrollBar(), b.horizontalScrollBar()),
    ):
        _Link(mine, other, a)
        other.setValue(mine.value())
