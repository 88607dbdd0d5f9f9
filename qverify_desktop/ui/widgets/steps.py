"""The five judgements of a test as five pips: done, now (half), refused (outline and dash), open (outline)."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QRectF, QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets import painting

WIDTH, HEIGHT, GAP = 20, 6, 4
_WORDS = {"done": later("done"), "now": later("now"), "refused": later("refused"), "open": later("open")}


def width_of_steps(theme: Theme, number: int = 5) -> int:
    return number * theme.px(WIDTH) + (number - 1) * theme.px(GAP)


def paint_steps(painter: QPainter, rect: QRect, theme: Theme, states: Sequence[str]) -> None:
    """Draw pips from the left, in the middle of the height; they get narrower where there is too little room."""
    if not states:
        return
    gap, height = theme.px(GAP), theme.px(HEIGHT)
    width = min(theme.px(WIDTH), max(height, (rect.width() - gap * (len(states) - 1)) // len(states)))
    top = rect.top() + (rect.height() - height) // 2
    for number, state in enumerate(states):
        pip = QRectF(rect.left() + number * (width + gap), top, width, height)
        if state == "done":
            painting.fill(painter, theme, pip, "success", 3)
        elif state == "now":
            painting.fill(painter, theme, pip, "surface", 3, border="series-1")
            painting.fill(painter, theme, QRectF(pip.left(), pip.top(), pip.width() / 2, pip.height()), "series-1", 3)
        elif state == "refused":
            painting.fill(painter, theme, pip, "", 3, border="warning")
            dash = max(1.0, round(height / 4))
            bar = QRectF(pip.left() + width * 0.25, pip.center().y() - dash / 2, width * 0.5, dash)
            painting.fill(painter, theme, bar, "warning")
        else:
            painting.fill(painter, theme, pip, "", 3, border="border-strong")


def words_of_steps(names: Sequence[str], states: Sequence[str]) -> str:
    """The steps in words: "writing done, running now, 3 open"."""
    told = [
        f"{name} {tr(_WORDS.get(state, state))}"
        for name, state in zip(names, states, strict=False)
        if state != "open"
    ]
    left = sum(state == "open" for state in states)
    if left:
        told.append(tr("{n} open", n=left))
    return ", ".join(told)


class Steps(QWidget):
    """Pips for a layout."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._states: tuple[str, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.updateGeometry)

    def show_steps(self, steps: Sequence[Sequence[str]]) -> None:
        """(name, state) pairs, as ``TestDetail.steps`` has them."""
        self._states = tuple(state for _, state in steps)
        words = words_of_steps([name for name, _ in steps], self._states)
        self.setAccessibleName(words)
        self.setToolTip(words)
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(width_of_steps(self._theme, max(1, len(self._states))), self._theme.px(16))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        paint_steps(painter, self.rect(), self._theme, self._states)
        painter.end()
