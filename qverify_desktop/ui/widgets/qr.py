"""A QR code: modules as whole pixels, always black on white, with the quiet zone of four modules."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme

#: ISO/IEC 18004: four modules of white around the code.
QUIET = 4
SIDE = 160

Matrix = Sequence[Sequence[bool]]


def matrix_of(text: str) -> Matrix | None:
    """The modules for a text, ``None`` where the library is missing or the text is too long for a code."""
    try:
        segno = importlib.import_module("segno")
    except ImportError:
        return None
    try:
        made = segno.make(text, micro=False, error="m")
    except ValueError:
        return None
    return [[bool(module) for module in line] for line in made.matrix]


class QrCode(QWidget):
    """Draws a matrix of modules. The text that it holds stands beside it on the page."""

    def __init__(self, theme: Theme, parent: QWidget | None = None, *, side: int = SIDE) -> None:
        super().__init__(parent)
        self._theme, self._side = theme, side
        self._matrix: Matrix = ()
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("QR code"))
        theme.changed.connect(self.updateGeometry)

    def show_text(self, text: str) -> bool:
        """Encode a text; answers whether it could (else nothing is drawn)."""
        matrix = matrix_of(text)
        self.show_matrix(matrix or ())
        self.setAccessibleDescription(tr("It holds the text beside it.") if matrix else "")
        return matrix is not None

    def show_matrix(self, matrix: Matrix) -> None:
        """A square of modules, true for black, without the quiet zone."""
        self._matrix = matrix
        self.updateGeometry()
        self.update()

    def module(self, side: int) -> int:
        """Device pixels of one module in a square of so many device pixels; at least 1."""
        return max(1, side // (len(self._matrix) + 2 * QUIET))

    def sizeHint(self) -> QSize:
        """About the wished side, and as large as whole pixels need."""
        ratio = self.devicePixelRatioF()
        modules = len(self._matrix) + 2 * QUIET
        # Two device pixels at least, so that a camera can read it.
        pixels = max(2, self.module(round(self._theme.px(self._side) * ratio)))
        side = -int(-modules * pixels // ratio)
        return QSize(side, side)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._matrix:
            return
        painter = QPainter(self)
        ratio = self.devicePixelRatioF()
        side = round(min(self.width(), self.height()) * ratio)
        module = self.module(side)
        # Drawn in device pixels: a scaled module would get a grey edge.
        painter.scale(1 / ratio, 1 / ratio)
        whole = module * (len(self._matrix) + 2 * QUIET)
        painter.fillRect(QRectF(0, 0, whole, whole), Qt.GlobalColor.white)
        for y, line in enumerate(self._matrix):
            for x, black in enumerate(line):
                if black:
                    at = QRectF((x + QUIET) * module, (y + QUIET) * module, module, module)
                    painter.fillRect(at, Qt.GlobalColor.black)
        painter.end()
