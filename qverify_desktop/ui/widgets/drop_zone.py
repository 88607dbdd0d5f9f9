"""The zone that says what may be dropped, with the keyboard's way to the same acts."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, holder, label, row
from qverify_desktop.ui.widgets.flow import FlowLayout

#: Below this width the buttons stand under the words.
NARROW = 1000


class DropZone(QFrame):
    """Heading, sentence, and buttons for folder, URL, sample and bundle."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drop")
        self.setAccessibleName(tr("Drop a repository anywhere on this window"))
        theme, acts = desk.theme, desk.actions
        words = column(
            label(tr("Drop a repository anywhere on this window"), "heading", wrap=True),
            label(
                tr(
                    "A folder, several folders, a Git URL or an evidence bundle. Its code only ever runs in a locked container without a network."
                ),
                "small",
                "muted",
                wrap=True,
            ),
            gap=4,
        )
        self.folder = Button(
            theme, tr("Open folder"), lambda: acts.trigger("open-folder"), icon="folder-open", keys="Ctrl+O", cap=True
        )
        self.url = Button(theme, tr("Git URL"), lambda: acts.trigger("git-url"), icon="globe", keys="Ctrl+Shift+N")
        self.sample = Button(theme, tr("Try the sample"), lambda: acts.trigger("sample"), kind="ghost")
        self.bundle = Button(
            theme, tr("Verify a bundle"), lambda: acts.trigger("open-bundle"), kind="ghost", keys="Ctrl+Shift+V"
        )
        self._buttons = holder(FlowLayout(self.folder, self.url, self.sample, self.bundle, gap=8))
        tile = frame("tint")
        tile.setProperty("tone", "accent")
        tile.setLayout(row(IconLabel(theme, "download", "accent-text", 24), margins=(12, 12, 12, 12)))
        self._theme = theme
        self._across = QHBoxLayout()
        self._across.setSpacing(16)
        self._across.addWidget(tile, 0, Qt.AlignmentFlag.AlignVCenter)
        self._across.addLayout(words, 1)
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(20, 20, 20, 20)
        self._layout.setSpacing(16)
        self._layout.addLayout(self._across)
        self._below = False
        self._across.addWidget(self._buttons)
        self._buttons.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        # Fixed would keep it at the height that it has in one line, whatever its height for its width is.
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)

    def set_room(self, width: int) -> None:
        """Put the buttons beside the words or below them."""
        below = width < self._theme.px(NARROW)
        if below == self._below:
            return
        self._below = below
        self._buttons.setSizePolicy(
            QSizePolicy.Policy.Preferred if below else QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred
        )
        (self._across if below else self._layout).removeWidget(self._buttons)
        (self._layout if below else self._across).addWidget(self._buttons)
