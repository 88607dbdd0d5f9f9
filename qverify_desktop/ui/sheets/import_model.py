"""The sheet that brings in a model from a GGUF file or a saved folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtWidgets import QLineEdit, QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, column, label, set_property
from qverify_desktop.ui.widgets.sheet import Sheet


class ImportModelSheet(Sheet):
    """``begin(path, name)`` is called once the person says so; a problem is shown by ``show_problem``."""

    def __init__(self, desk: Desk, path: str, begin: Callable[[ImportModelSheet, str, str], object]) -> None:
        super().__init__(desk.theme, tr("Import a model"))
        self._path, self._begin = Path(path), begin
        folder = self._path.is_dir()
        self.body.addWidget(label(self._path.name, "heading", wrap=True, select=True))
        self.body.addWidget(label(_about(self._path, folder), "body", "muted", wrap=True))
        self.field = QLineEdit()
        self.field.setAccessibleName(tr("Name"))
        self.field.setPlaceholderText(tr("all models in the folder") if folder else tr("made of the file's name"))
        self.field.returnPressed.connect(self.confirm)
        self.remark = label("", "small", "muted", wrap=True)
        self.body.addLayout(column(label(tr("Name"), "strong"), self.field, self.remark, gap=6))
        what = (
            tr("Weights, template and parameters go to Ollama as they are. Each part is checked by its digest.")
            if folder
            else tr("Ollama takes GGUF files. It reads the file's own template, where there is one.")
        )
        self.body.addWidget(label(what, wrap=True))
        self.body.addWidget(
            label(tr("Nothing is fetched from the network, and the files stay where they are."), wrap=True)
        )
        self.body.addStretch(1)
        self.next = Button(desk.theme, tr("Import"), self.confirm, kind="primary")
        self.foot.addStretch(1)
        self.foot.addWidget(Button(desk.theme, tr("Cancel"), self.close_wanted.emit, kind="ghost"))
        self.foot.addWidget(self.next)

    def first_focus(self) -> QWidget:
        return self.next

    def confirm(self) -> None:
        self.next.set_possible(tr("It begins."))
        self._begin(self, str(self._path), self.field.text().strip())

    def show_problem(self, problem: str) -> None:
        """Why it could not begin."""
        self.next.set_possible("")
        self.remark.setText(problem)
        set_property(self.remark, "tone", "danger")
        self.field.setAccessibleDescription(problem)


def _about(path: Path, folder: bool) -> str:
    if folder:
        return tr("A folder as Ollama keeps it, with manifests and blobs.")
    try:
        return tr("A file of {size}.", size=words.decimal_bytes(path.stat().st_size))
    except OSError as error:
        return tr("It can't be read ({reason}).", reason=error.strerror or "")
