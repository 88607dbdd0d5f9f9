"""Brings the spans of ``highlighting`` onto the lines of a code view that are in view, as soon as they are known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QObject
from PySide6.QtGui import QTextLayout
from PySide6.QtWidgets import QPlainTextEdit

from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.code_text import ShownText, units
from qverify_desktop.ui.widgets.highlighting import Span, formats, lex
from qverify_desktop.ui.widgets.slices import Slices

#: Texts up to so many characters are coloured at once (some 5 ms).
AT_ONCE = 8000


class CodeColours(QObject):
    """Lexes in slices from the top. Lines get their formats when they come into view, so a long file costs what is seen.

    A block's user state is the generation of its formats; a new text or theme begins a new generation.
    """

    def __init__(self, theme: Theme, view: QPlainTextEdit) -> None:
        super().__init__(view)
        self._theme, self._view = theme, view
        self._formats = formats(theme)
        self._content = ShownText()
        self._spans: list[Sequence[Span]] = []
        self._generation = 0
        self._missing = -1
        self._slices = Slices(self)

    def begin(self, content: ShownText, language: str) -> None:
        """Colour a new text; a short one before it is painted, so that it does not flicker."""
        self._slices.stop()
        self._content, self._spans, self._missing = content, [], -1
        self._generation += 1
        work = self._lexing(lex(content.text, language, self._spans))
        self._slices.run(work, self.show_visible, now=len(content.text) <= AT_ONCE)
        self.show_visible()

    def restyle(self) -> None:
        """The theme changed."""
        self._formats = formats(self._theme)
        self._generation += 1
        self.show_visible()

    def finish(self) -> None:
        """Lex the rest now."""
        self._slices.finish()

    def show_visible(self) -> None:
        """Give the lines in view their formats."""
        block = self._view.firstVisibleBlock()
        rows = self._view.viewport().height() // max(1, round(self._view.blockBoundingRect(block).height())) + 2
        last = block.blockNumber() + rows
        self._missing = -1
        dirty, length = -1, 0
        while block.isValid() and block.blockNumber() <= last:
            index = block.blockNumber()
            if index >= len(self._spans):
                self._missing = index
                break
            if block.userState() != self._generation:
                block.setUserState(self._generation)
                ranges = self._ranges(self._content.lines[index], self._spans[index])
                if ranges or block.layout().formats():
                    block.layout().setFormats(ranges)
                    dirty = block.position() if dirty < 0 else dirty
                    length = block.position() + block.length() - dirty
            block = block.next()
        if dirty >= 0:
            self._view.document().markContentsDirty(dirty, length)

    def _ranges(self, line: str, spans: Sequence[Span]) -> list[QTextLayout.FormatRange]:
        made = []
        plain = line.isascii()
        for column, length, kind in spans:
            one = QTextLayout.FormatRange()
            one.start = column if plain else units(line, column)
            end = column + length if plain else units(line, column + length)
            one.length = end - one.start
            one.format = self._formats[kind]
            made.append(one)
        return made

    def _lexing(self, work: Iterator[None]) -> Iterator[None]:
        for _ in work:
            if 0 <= self._missing < len(self._spans):
                self.show_visible()
            yield
