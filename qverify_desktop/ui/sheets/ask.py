"""A question with two answers: what would happen, a way back, and the act itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import Button, label
from qverify_desktop.ui.widgets.sheet import Sheet


class AskSheet(Sheet):
    """``sentences`` say what would happen, the first of them large; ``act`` is the word of the button that does it. With ``danger``
    the keyboard begins at the way back."""

    def __init__(
        self,
        theme: Theme,
        title: str,
        sentences: Sequence[str],
        act: str,
        do: Callable[[], object],
        *,
        danger: bool = False,
    ) -> None:
        super().__init__(theme, title)
        self._do, self._danger = do, danger
        for at, sentence in enumerate(sentences):
            made = label(sentence, "heading", wrap=True) if at == 0 else label(sentence, wrap=True)
            self.body.addWidget(made)
        self.body.addStretch(1)
        self.back = Button(theme, tr("Cancel"), self.close_wanted.emit, kind="ghost")
        self.act = Button(theme, act, self.confirm, kind="danger" if danger else "primary")
        self.foot.addStretch(1)
        self.foot.addWidget(self.back)
        self.foot.addWidget(self.act)

    def first_focus(self) -> QWidget:
        return self.back if self._danger else self.act

    def confirm(self) -> None:
        self.close_wanted.emit()
        self._do()
