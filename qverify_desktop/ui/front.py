"""What the window does for its pages: go somewhere, tell something, open sheets, start analyses, open files."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication
from PySide6.QtWidgets import QFileDialog

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.domain.settings_views import SettingsView
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Notice, Place
from qverify_desktop.ui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from qverify_desktop.ui.shell import Shell


class WindowFront:
    """The window as its pages see it (``page.Front``)."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def go(self, place: Place) -> None:
        self._shell.go(place)

    def tell(self, notice: Notice) -> None:
        self._shell.toasts.show_notice(notice)

    def tell_error(self, error: QVerifyError) -> None:
        self.tell(Notice(f"{error.sentence} {error.remedy}".strip(), "warning"))

    def open_sheet(self, sheet: Sheet) -> None:
        self._shell.sheets.open(sheet)

    def close_sheet(self) -> None:
        self._shell.sheets.close_sheet()

    def new_analysis(self, source: str = "") -> None:
        from qverify_desktop.ui.sheets.new_analysis import NewAnalysisSheet

        self.open_sheet(NewAnalysisSheet(self._shell.desk, source))

    def take_sources(self, sources: Sequence[str]) -> None:
        """One source opens the sheet; several are queued as they were analyzed the last time."""
        if len(sources) == 1:
            self.new_analysis(sources[0])
            return
        for source in sources:
            self.start(AnalysisRequest(source=source), show=False)
        self.tell(Notice(trn("{n} analysis is queued.", "{n} analyses are queued.", len(sources)), "success"))
        self.go(Place("home"))

    def start(self, request: AnalysisRequest, *, show: bool = True) -> None:
        def started(run: str) -> None:
            self._shell.runs.of(run).follow()
            if show:
                self.go(Place("progress", run=run))

        self._shell.bridge.do(self._shell, lambda engine: engine.start(request), started)

    def try_sample(self) -> None:
        """Analyze the sample repository: no model, no network."""
        self.start(AnalysisRequest(source=str(resources_root() / "resources/sample")))

    def use_zoom(self, zoom: float) -> None:
        self._shell.use_zoom(zoom)

    def open_path(self, path: str) -> None:
        if path and not QDesktopServices.openUrl(QUrl.fromLocalFile(path)):
            self.tell(Notice(tr("No program of this desktop opens {path}.", path=path), "warning"))

    def open_address(self, address: str) -> None:
        url = QUrl(address, QUrl.ParsingMode.StrictMode)
        web = url.isValid() and url.scheme() in ("https", "http") and bool(url.host())
        if not web or not QDesktopServices.openUrl(url):
            self.tell(Notice(tr("No browser opens {address}.", address=address[:200]), "warning"))

    def open_in_editor(self, file: str, line: int) -> None:
        def chosen(settings: SettingsView) -> None:
            template = settings["editor"]
            if not template:
                self.open_path(file)
                return
            try:
                words = [word.replace("{file}", file).replace("{line}", str(line)) for word in shlex.split(template)]
                # The editor is the person's own program and lives on after this one.
                subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL)
            except (OSError, ValueError) as error:
                text = tr("The editor can't be started ({reason}). Set it on the settings page.", reason=str(error))
                self.tell(Notice(text, "warning", tr("Settings"), lambda: self.go(Place("settings"))))

        self._shell.bridge.ask(self._shell, "settings", chosen)

    def copy(self, text: str, said: str) -> None:
        QGuiApplication.clipboard().setText(text)
        self.tell(Notice(said, "success"))

    def ask_folder(self) -> None:
        dialog = QFileDialog(self._shell, tr("Open the folder of a repository"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.new_analysis)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def ask_bundle(self) -> None:
        """Choose an evidence bundle to verify."""
        dialog = QFileDialog(
            self._shell, tr("Open an evidence bundle"), "", tr("Evidence bundles (*.qvevidence.zip)")
        )
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self.check_bundle)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_as(self, suggestion: str, pattern: str, then: Callable[[str], object]) -> None:
        dialog = QFileDialog(self._shell, tr("Save as"), suggestion, pattern)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.selectFile(suggestion)
        dialog.fileSelected.connect(then)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def check_bundle(self, path: str) -> None:
        self.go(Place("bundle", item=path))
