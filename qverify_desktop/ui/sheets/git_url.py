"""The sheet that takes the address of a Git repository."""

from __future__ import annotations

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLineEdit, QWidget

from qverify_desktop.ui.drops import SCHEMES, is_url
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
        self.field = QLineEdit(held if not problem_of(held) else "")
        self.field.setPlaceholderText("https://host/owner/name.git")
        self.field.setAccessibleName(tr("Git URL"))
        self.field.selectAll()
        self.field.textChanged.connect(self._typed)
        self.field.returnPressed.connect(self.confirm)
        taken = tr("Taken from the clipboard.") if self.field.text() else ""
        self.remark = label(taken, "small", "muted", wrap=True)
        self.body.addLayout(column(label(tr("Git URL"), "strong"), self.field, self.remark, gap=6))
        fetched = tr(
            "It is fetched when the analysis starts, with your own ssh agent or credential helper. No hook, filter or "
            "submodule of it runs."
        )
        self.body.addWidget(label(fetched, "body", "muted", wrap=True))
        self.body.addStretch(1)
        self.next = Button(desk.theme, tr("Next"), self.confirm, kind="primary")
        self.foot.addStretch(1)
        self.foot.addWidget(Button(desk.theme, tr("Cancel"), self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.next)
        self._allow()

    def first_focus(self) -> QWidget:
        return self.field

    def confirm(self) -> None:
        """Go on to the sheet of a new analysis."""
        url = self.field.text().strip()
        problem = problem_of(url)
        if problem:
            self._say(problem)
        else:
            self._desk.front.new_analysis(url)

    def _typed(self, text: str) -> None:
        """Nobody is told off for an address that is only half typed."""
        url = text.strip()
        half = any(scheme.startswith(url) for scheme in SCHEMES)
        self._say("" if half else problem_of(url))
        self._allow()

    def _allow(self) -> None:
        self.next.set_possible("" if self.field.text().strip() else tr("Type the address of a Git repository."))

    def _say(self, problem: str) -> None:
        self.remark.setText(problem)
        set_property(self.remark, "tone", "danger" if problem else "muted")
        set_property(self.field, "error", "true" if problem else "false")
        self.field.setAccessibleDescription(problem)


def problem_of(url: str) -> str:
    """Why an address is not taken, as a sentence; empty when it is."""
    if not url:
        return tr("Type the address of a Git repository.")
    if any(char.isspace() for char in url):
        return tr("An address has no spaces or line breaks.")
    if "::" in url and url.partition("::")[0].isalnum():
        return tr("An address of this kind can start programs, so it is never taken.")
    if url.startswith(("/", "~", "./", "../")):
        return tr("This is a folder of this machine. Choose it with Open folder (Ctrl+O).")
    if not is_url(url) or url in SCHEMES:
        return tr("This is no address that is taken. It begins with https://, ssh:// or git@.")
    return ""
