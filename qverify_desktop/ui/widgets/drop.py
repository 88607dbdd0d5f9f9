"""The place where a repository is dropped. The whole window takes the drop; this shows it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from qverify_desktop.ui.theme import Theme, icon, pixmap


def dropped_source(mime: QMimeData) -> str:
    """The folder or git URL in a drag, empty where there is none."""
    for url in mime.urls():
        if url.isLocalFile() and Path(url.toLocalFile()).is_dir():
            return url.toLocalFile()
    text = mime.text().strip() if mime.hasText() else ""
    if text.startswith(("https://", "ssh://", "git@")) and "\n" not in text:
        return text
    return ""


class DropZone(QFrame):
    """Heading, one sentence, and the keyboard's way to the same acts."""

    open_folder = Signal()
    open_sample = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drop")
        self.setAccessibleName("Drop a repository here")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 20)
        layout.setSpacing(16)
        picture = QLabel()
        picture.setPixmap(pixmap("download", theme.colour("accent-text"), 24, 2.0))
        layout.addWidget(picture)
        words = QVBoxLayout()
        words.setSpacing(4)
        heading = QLabel("Drop a repository anywhere on this window")
        heading.setFont(theme.font("heading"))
        sentence = QLabel("A folder or a Git URL. Its code only ever runs in a locked container without a network.")
        sentence.setProperty("role", "muted")
        sentence.setFont(theme.font("small"))
        sentence.setWordWrap(True)
        words.addWidget(heading)
        words.addWidget(sentence)
        layout.addLayout(words, 1)
        self.folder_button = QPushButton("Open folder…")
        self.folder_button.setIcon(icon("folder-open", theme.colour("text")))
        self.folder_button.setToolTip("Ctrl+O")
        self.folder_button.clicked.connect(self.open_folder)
        self.sample_button = QPushButton("Try the sample")
        self.sample_button.setProperty("kind", "ghost")
        self.sample_button.clicked.connect(self.open_sample)
        for button in (self.folder_button, self.sample_button):
            button.setCursor(Qt.CursorShape.PointingHandCursor)
            layout.addWidget(button)

    def set_over(self, over: bool) -> None:
        """Show that a drag would be taken."""
        self.setProperty("over", "true" if over else "false")
        self.style().unpolish(self)
        self.style().polish(self)
