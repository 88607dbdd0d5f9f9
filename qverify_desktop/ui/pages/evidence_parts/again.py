"""The card below a bundle's grade that has its tests executed again on this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from PySide6.QtWidgets import QCheckBox, QFileDialog, QFrame, QLineEdit

from qverify_desktop.domain.reproduction import ReproductionView
from qverify_desktop.ui.drops import is_url
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.sheets.new_analysis_parts import NetworkPart
from qverify_desktop.ui.widgets.basics import Button, column, label, row


class AgainCard(QFrame):
    """Asks for the source, begins, and shows the reproduction. ``asked`` gives bundle, key and checkpoint as they stand."""

    def __init__(self, desk: Desk, asked: Callable[[], Mapping[str, str]]) -> None:
        super().__init__()
        self.setObjectName("card")
        self._desk, self._asked = desk, asked
        theme = desk.theme
        self.source = QLineEdit()
        self.source.setPlaceholderText(tr("Folder or Git URL of what was analysed"))
        self.source.setAccessibleName(tr("Source of the run"))
        self.source.returnPressed.connect(self.begin)
        self.source.textChanged.connect(self._look)
        self.other = QCheckBox(tr("Where the pinned image is missing, use this machine's own and show what differs"))
        self.network = NetworkPart(desk)
        self.begin_button = Button(theme, tr("Execute again"), self.begin, icon="refresh")
        advice = tr(
            "Every accepted test and every suspected defect of the bundle is executed five times in the pinned image, locked away as in "
            "an analysis, and compared with what the evidence says. The source must be exactly what was analysed."
        )
        self.setLayout(
            column(
                label(tr("Execute it again"), "heading"),
                label(advice, "small", "muted", wrap=True),
                label(tr("Source"), "strong"),
                row(self.source, Button(theme, tr("Choose…"), self._choose, size="")),
                self.other,
                label(tr("Packages, where the run had some installed"), "strong"),
                self.network,
                row(self.begin_button, None),
                gap=8,
                margins=(16, 12, 16, 12),
            )
        )
        self._look()

    def allow(self, valid: bool) -> None:
        """Only a whole bundle is executed."""
        self.setVisible(valid)

    def clear(self) -> None:
        self.source.clear()
        self.other.setChecked(False)
        self.network.remember({})

    def begin(self) -> None:
        """Begin, and show how it goes."""
        if not self.begin_button.isEnabled():
            return
        self.begin_button.setEnabled(False)
        self._desk.bridge.ask(
            self,
            "reproduce",
            self._begun,
            failed=self._failed,
            source=self._text(),
            other_image=self.other.isChecked(),
            allow_install=self.network.allow_install(),
            packages=self.network.packages(),
            **self._asked(),
        )

    def _begun(self, view: ReproductionView) -> None:
        self._look()
        self._desk.front.go(Place("reproduction", item=view["id"]))

    def _failed(self, error: Exception) -> None:
        self._look()
        self._desk.bridge.problem.emit(error)

    def _text(self) -> str:
        text = self.source.text().strip()
        return text if is_url(text) or not text else str(Path(text).expanduser().absolute())

    def _look(self) -> None:
        self.begin_button.setEnabled(bool(self.source.text().strip()))

    def _choose(self) -> None:
        dialog = QFileDialog(self, tr("Choose what was analysed"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.source.setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()
