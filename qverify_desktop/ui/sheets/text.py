"""A sheet that shows a text to read and copy: a crash report, a checkpoint."""

from __future__ import annotations

from PySide6.QtWidgets import QPlainTextEdit, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button
from qverify_desktop.ui.widgets.sheet import Sheet


class TextSheet(Sheet):
    """The text in a read-only field, with a button that copies it."""

    def __init__(self, desk: Desk, title: str, text: str) -> None:
        super().__init__(desk.theme, title)
        self.text = QPlainTextEdit(text)
        self.text.setObjectName("code")
        self.text.setReadOnly(True)
        self.text.setFont(desk.theme.font("code"))
        self.text.setAccessibleName(title)
        self.body.addWidget(self.text, 1)
        self.foot.addStretch(1)
        self.foot.addWidget(
            Button(desk.theme, tr("Copy"), lambda: desk.front.copy(text, tr("Copied.")), icon="copy", kind="primary")
        )

    def first_focus(self) -> QWidget:
        return self.text
