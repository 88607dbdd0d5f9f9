"""The layout of a code view's document: every line as high as the design says, whatever fonts its characters come from."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QTextBlock, QTextDocument
from PySide6.QtWidgets import QPlainTextDocumentLayout


class EvenLines(QPlainTextDocumentLayout):
    """``QPlainTextEdit`` knows no line height: it takes the font's. This gives ``line_height`` pixels to each line."""

    def __init__(self, document: QTextDocument) -> None:
        super().__init__(document)
        self.line_height = 20
        self.baseline = 14.0

    def blockBoundingRect(self, block: QTextBlock) -> QRectF:
        rect = super().blockBoundingRect(block)
        if not block.isValid() or not block.isVisible():
            return rect
        line = block.layout().lineAt(0)
        if line.isValid():
            top = self.baseline - line.ascent()
            if line.y() != top:
                line.setPosition(QPointF(line.x(), top))
        below = 0 if block.next().isValid() else self.document().documentMargin()
        rect.setHeight(self.line_height + below)
        return rect
