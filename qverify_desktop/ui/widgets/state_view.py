"""What stands where nothing can be shown: empty, waiting, or an error. It teaches: heading, sentence, at most two buttons."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QStackedWidget, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme
from qverify_desktop.ui.widgets.basics import Button, IconLabel, label, row

#: Words of a state are no wider than this at 100 %.
WIDTH = 460


class StateView(QWidget):
    """Icon 24, heading, sentence, one button, one ghost."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.setObjectName("clear")
        self.icon = IconLabel(theme, size=24)
        self.heading = label("", "heading", wrap=True)
        self.sentence = label("", "body", "muted", wrap=True, select=True)
        for words in (self.heading, self.sentence):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setMaximumWidth(theme.px(WIDTH))
        self.button = Button(theme, "", self._press)
        self.ghost = Button(theme, "", self._press_ghost, kind="ghost")
        self._run: Callable[[], object] | None = None
        self._run_ghost: Callable[[], object] | None = None
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addStretch(2)
        layout.addWidget(self.icon, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addLayout(row(None, self.heading, None))
        layout.addLayout(row(None, self.sentence, None))
        layout.addSpacing(8)
        layout.addLayout(row(None, self.button, self.ghost, None))
        layout.addStretch(3)

    def show_state(
        self,
        icon: str,
        heading: str,
        sentence: str,
        *,
        token: str = "text-muted",
        button: tuple[str, Callable[[], object]] | None = None,
        ghost: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        """Say what is so and offer what can be done."""
        self.icon.show_icon(icon, token)
        self.heading.setText(heading)
        self.sentence.setText(sentence)
        self._fit()
        for made, wish in ((self.button, button), (self.ghost, ghost)):
            made.setVisible(wish is not None)
            if wish is not None:
                made.say(wish[0])
        self._run = button[1] if button else None
        self._run_ghost = ghost[1] if ghost else None

    def show_error(self, error: QVerifyError, again: Callable[[], object] | None = None) -> None:
        """What happened and what to do next, with a button that tries again."""
        sentence = f"{error.sentence} {error.remedy}".strip()
        self.show_state(
            "triangle-alert",
            tr("This can't be shown now"),
            sentence,
            token="warning",
            button=(tr("Try again"), again) if again else None,
        )

    def _fit(self) -> None:
        """A wrapping label in a centring row would else take the narrowest width it can wrap to."""
        room = self.width() - 2 * self._theme.px(12)
        for words in (self.heading, self.sentence):
            wanted = words.fontMetrics().horizontalAdvance(words.text()) + 8
            words.setMinimumWidth(max(0, min(self._theme.px(WIDTH), wanted, room)))

    def minimumSizeHint(self) -> QSize:
        """Not the words' present width: the pane may become narrower."""
        return QSize(self._theme.px(120), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _press(self) -> None:
        if self._run is not None:
            self._run()

    def _press_ghost(self) -> None:
        if self._run_ghost is not None:
            self._run_ghost()


class Shown(QStackedWidget):
    """Either the content or a state in its place."""

    def __init__(self, theme: Theme, content: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.state = StateView(theme)
        self.content = content
        self.addWidget(content)
        self.addWidget(self.state)

    def show_content(self) -> None:
        self.setCurrentWidget(self.content)

    def show_state(self) -> StateView:
        """Show the state; the caller fills it."""
        self.setCurrentWidget(self.state)
        return self.state

    def show_waiting(self, sentence: str = "") -> None:
        self.state.show_state("ring-arc", tr("One moment"), sentence or tr("It is being read."), token="accent-text")
        self.setCurrentWidget(self.state)
