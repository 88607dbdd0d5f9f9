"""The sheet that takes the address of a Git repository."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from qverify_desktop.ui.drops import is_url
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets.basics import Button, column, label, set_property
from qverify_desktop.ui.widgets.sheet import Sheet


class GitUrlSheet(Sheet):
    """One field, filled from the clipboard when that holds an address; the next sheet asks for the rest."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk.theme, tr("Analyze a Git URL"))
        self._desk = desk
        held = (QGuiApplication.clipboard().text() or "").strip()
        self.field = QLineEdit(held if is_url(held) else "")
        self.field.setPlaceholderText("https://host/owner/name.git")
        self.field.setAccessibleName(tr("Git URL"))
        self.field.textChanged.connect(lambda _: self._say())
        self.field.returnPressed.connect(self.confirm)
        self._problem = label("", "small", "danger", wrap=True)
        self._problem.hide()
        self.body.addLayout(column(label(tr("Git URL"), "strong"), self.field, self._problem, gap=6))
        self.body.addWidget(
            label(
                tr(
                    "It is fetched when the analysis starts, with your own ssh agent or credential helper. No hook, filter or "
                    "submodule of it runs."
                ),
                "body",
                "muted",
                wrap=True,
            )
        )
        self.body.addStretch(1)
        self.next = Button(desk.theme, tr("Next"), self.confirm, kind="primary")
        self.foot.addStretch(1)
        self.foot.addWidget(Button(desk.theme, tr("Cancel"), self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.next)
        self._say()

    def first_focus(self) -> QWidget:
        return self.field

    def confirm(self) -> None:
        """Go on to the sheet of a new analysis."""
        url = self.field.text().strip()
        if is_url(url):
            self._desk.front.new_analysis(url)
        else:
            self._problem.setText(tr("This is no address that is taken. It begins with https://, ssh:// or git@."))
            self._problem.show()
            set_property(self.field, "error", "true")
            self.field.setAccessibleDescription(self._problem.text())

    def _say(self) -> None:
        url = self.field.text().strip()
        self.next.set_possible("" if url else tr("Type the address of a Git repository."))
        if is_url(url):
            self._problem.hide()
            set_property(self.field, "error", "false")
            self.field.setAccessibleDescription("")
