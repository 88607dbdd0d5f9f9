"""The part of the models page that gets models: a recommendation, a field to fetch one, import, and what is on its way."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QLineEdit, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.model_views import RecommendationView, TransfersView, TransferView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.pages.models_transfers import TransferList
from qverify_desktop.ui.sheets.import_model import ImportModelSheet
from qverify_desktop.ui.watching import Watching
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, label, row, set_property

_COMMANDS = ("ollama pull ", "ollama run ")


class FetchPart(QWidget):
    """``came`` is emitted when a model has come, so that the list is read anew."""

    came = Signal()

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("clear")
        theme = desk.theme
        self._desk = desk
        self._watching = Watching(self, desk.bridge, "model_transfers", self._show)
        self._recommended = ""
        self.advice = label("", "body", wrap=True, select=True)
        self.take = Button(theme, "", self._take, size="small")
        self._advice = frame("tint")
        told = row(IconLabel(theme, "model", "accent-text"), self.advice, self.take, gap=12, margins=(16, 10, 12, 10))
        told.setStretch(1, 1)
        self._advice.setLayout(told)
        self._advice.hide()
        self.field = QLineEdit()
        self.field.setAccessibleName(tr("Name of a model"))
        self.field.setPlaceholderText("qwen2.5-coder:7b")
        self.field.returnPressed.connect(self.fetch)
        self.field.textChanged.connect(lambda _: self._say(""))
        self.button = Button(theme, tr("Fetch"), self.fetch, icon="download")
        self.file = Button(theme, tr("Import file…"), self.choose_file, icon="file")
        self.folder = Button(theme, tr("Import folder…"), self.choose_folder, icon="folder")
        self.remark = label("", "small", "muted", wrap=True)
        self.list = TransferList(theme, self._act)
        field = row(self.field, self.button, self.file, self.folder)
        field.setStretch(0, 1)
        self.setLayout(column(self._advice, field, self.remark, self.list, gap=8))
        self._say("")

    # What goes on

    def show_part(self) -> None:
        """The page is shown: look, and go on looking."""
        self._watching.start()
        self._desk.bridge.ask(
            self, "model_recommend", self._recommend, failed=lambda _: self._advice.hide(), key="recommend"
        )

    def hide_part(self) -> None:
        self._watching.stop()

    def _show(self, view: TransfersView) -> None:
        if self.list.show_all(view["transfers"]):
            self.came.emit()

    def _recommend(self, view: RecommendationView) -> None:
        chosen = next((one for one in view["models"] if one["name"] == view["name"]), None)
        self._recommended = view["name"]
        self.advice.setText(view["sentence"])
        self.take.setVisible(chosen is not None and not chosen["stored"])
        self.take.say(tr("Fetch it"))
        self._advice.setVisible(bool(view["sentence"]) and not (chosen and chosen["stored"]))

    # Acts

    def fetch(self) -> None:
        """Fetch what the field names."""
        name = self.field.text().strip()
        for command in _COMMANDS:
            # What a model's page in the library offers to copy.
            name = name.removeprefix(command).strip()
        if not name:
            self._say(tr("Type the name of a model, such as qwen2.5-coder:7b."), problem=True)
            self.field.setFocus()
            return
        self._pull(name)

    def choose_file(self) -> None:
        dialog = QFileDialog(self, tr("Import a model"), "", tr("Models (*.gguf)"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        self._open(dialog)

    def choose_folder(self) -> None:
        dialog = QFileDialog(self, tr("Import a saved folder of models"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        self._open(dialog)

    def _open(self, dialog: QFileDialog) -> None:
        dialog.fileSelected.connect(self.ask_import)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_import(self, path: str) -> None:
        """Open the sheet that brings in a file or folder."""
        self._desk.front.open_sheet(ImportModelSheet(self._desk, path, self._begin_import))

    def _begin_import(self, sheet: ImportModelSheet, path: str, name: str) -> None:
        def begun(_: list[TransferView]) -> None:
            sheet.close_wanted.emit()
            self._looked()

        def failed(error: QVerifyError) -> None:
            sheet.show_problem(f"{error.sentence} {error.remedy}".strip())

        self._desk.bridge.ask(sheet, "model_import", begun, failed=failed, key="import", path=path, name=name)

    def _take(self) -> None:
        self._pull(self._recommended)

    def _pull(self, name: str) -> None:
        def begun(_: Any) -> None:
            self.field.clear()
            self._looked()

        self._desk.bridge.ask(self, "model_pull", begun, failed=self._failed, key="pull", name=name)

    def _act(self, what: str, view: TransferView) -> None:
        params: dict[str, Any] = {"transfer": view["transfer"]} | ({"force": True} if what == "force" else {})
        question = "model_resume" if what == "force" else f"model_{what}"
        self._desk.bridge.ask(self, question, lambda _: self._looked(), failed=self._failed, **params)

    def _looked(self) -> None:
        """Something was begun or changed: look at once."""
        self._watching.look()

    def _failed(self, error: QVerifyError) -> None:
        self._say(f"{error.sentence} {error.remedy}".strip(), problem=True)

    def _say(self, words: str, *, problem: bool = False) -> None:
        self.remark.setText(words)
        self.remark.setVisible(bool(words))
        set_property(self.remark, "tone", "danger" if problem else "muted")
        set_property(self.field, "error", "true" if problem else "false")
        self.field.setAccessibleDescription(words)
