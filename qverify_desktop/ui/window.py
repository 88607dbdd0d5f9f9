"""The window: takes drops anywhere, carries actions, and joins page and bridge."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QUrl, Signal
from PySide6.QtGui import (
    QAction,
    QCloseEvent,
    QDesktopServices,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QMainWindow, QVBoxLayout, QWidget

from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.progress import RunEvent, RunStatus, RunSummary
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.pages.analysis import AnalysisPage
from qverify_desktop.ui.theme import Theme, pixmap
from qverify_desktop.ui.widgets.drop import dropped_source
from qverify_desktop.ui.widgets.told import run_row


class MainWindow(QMainWindow):
    """One page for now; closing asks the application to end, it doesn't end by itself."""

    closing = Signal()

    def __init__(self, theme: Theme, bridge: EngineBridge) -> None:
        super().__init__()
        self.setWindowTitle("QVerify")
        self.setMinimumSize(960, 640)
        self.resize(1180, 800)
        self.setAcceptDrops(True)
        self._theme, self._bridge = theme, bridge
        self._run = ""
        self._document: dict[str, Any] = {}
        self._waiting: list[str] = []
        self.page = AnalysisPage(theme)
        self._health = QLabel("Starting")
        central = QWidget()
        layout = QVBoxLayout(central)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._build_header())
        layout.addWidget(self.page, 1)
        layout.addWidget(self._build_status())
        self.setCentralWidget(central)
        self._join()

    def _build_header(self) -> QWidget:
        header = QWidget()
        header.setObjectName("header")
        header.setFixedHeight(56)
        row = QHBoxLayout(header)
        row.setContentsMargins(24, 0, 24, 0)
        logo = QLabel()
        logo.setPixmap(pixmap("shield-check", self._theme.colour("accent-text"), 20, 2.0))
        title = QLabel("QVerify")
        title.setFont(self._theme.font("title"))
        row.addWidget(logo)
        row.addWidget(title)
        row.addStretch(1)
        return header

    def _build_status(self) -> QWidget:
        bar = QWidget()
        bar.setObjectName("statusbar")
        bar.setFixedHeight(28)
        row = QHBoxLayout(bar)
        row.setContentsMargins(24, 0, 24, 0)
        self._health.setFont(self._theme.font("small"))
        self._health.setProperty("role", "muted")
        row.addWidget(self._health)
        row.addStretch(1)
        note = QLabel("Tests never have a network")
        note.setFont(self._theme.font("small"))
        note.setProperty("role", "muted")
        row.addWidget(note)
        return bar

    def _join(self) -> None:
        page, bridge = self.page, self._bridge
        page.drop.open_folder.connect(self.choose_folder)
        page.drop.open_sample.connect(lambda: self.analyse(str(resources_root() / "resources/sample")))
        page.cancel_wanted.connect(self.cancel)
        page.resume_wanted.connect(self._resume)
        page.report_wanted.connect(lambda: self._open(self._document.get("report", "")))
        page.bundle_wanted.connect(lambda: self._open_folder_of(self._document.get("bundle", "")))
        page.tests_wanted.connect(lambda: self._open(self._document.get("out", "")))
        page.verify_wanted.connect(lambda: bridge.verify(self._document["bundle"]))
        bridge.ready.connect(self._ready)
        bridge.unavailable.connect(lambda sentence: page.set_state("starting", sentence, "square-x", "danger"))
        bridge.run_started.connect(self._started)
        bridge.run_event.connect(self._event)
        bridge.document.connect(self._finished)
        bridge.runs.connect(page.show_runs)
        page.run_wanted.connect(self._open_run)
        page.home_wanted.connect(self._go_home)
        bridge.verified.connect(page.show_grade)
        bridge.problem.connect(self._problem)
        for name, keys, act in (
            ("Open folder", QKeySequence("Ctrl+O"), self.choose_folder),
            ("Cancel run", QKeySequence("Ctrl+."), self.cancel),
            ("Verify evidence", QKeySequence("Ctrl+Shift+V"), self._verify),
            ("Quit", QKeySequence("Ctrl+Q"), self.close),
        ):
            action = QAction(name, self)
            action.setShortcut(keys)
            action.triggered.connect(act)
            self.addAction(action)

    def analyse(self, source: str) -> None:
        """Start with a folder or URL; asked for before the engine is up, it starts when it is."""
        if self.page.state in ("running", "cancelling"):
            self._health.setText("One analysis is running. Drop it again when that has ended.")
            return
        if self.page.state == "starting":
            self._waiting = [source]
            return
        self._document = {}
        self.page.begin(source)
        self._bridge.start(source)

    def choose_folder(self) -> None:
        """Ask for a folder without entering a nested event loop."""
        dialog = QFileDialog(self, "Open the folder of a repository")
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(self.analyse)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def cancel(self) -> None:
        if self.page.state == "running" and self._run:
            self.page.set_state(
                "cancelling", "Cancelling; the containers are being removed.", "square-stop", "warning"
            )
            self._bridge.cancel(self._run)

    def _resume(self) -> None:
        if self._run:
            self.page.begin(self._run)
            self._bridge.resume(self._run)

    def _verify(self) -> None:
        if self._document.get("bundle"):
            self._bridge.verify(self._document["bundle"])

    def _ready(self) -> None:
        self._health.setText("Ready")
        self._go_home()
        for source in self._waiting:
            self.analyse(source)
        self._waiting = []

    def _go_home(self) -> None:
        self.page.set_state("idle", "Which repository shall be analysed?")
        self._bridge.list_runs()

    def _open_run(self, run: RunSummary) -> None:
        """Show a finished run, or go on with one that was interrupted or cancelled."""
        if self.page.state != "idle":
            return
        self._run = run.run
        if run.status is RunStatus.FINISHED:
            self.page.begin(run.source)
            self._bridge.show(run.run)
        elif run.status in (RunStatus.INTERRUPTED, RunStatus.CANCELLED):
            self._resume()
        else:
            self._health.setText(run_row(run).detail)

    def _started(self, run: str) -> None:
        self._run = run
        self._health.setText(f"Run {run}")

    def _event(self, event: RunEvent) -> None:
        if event.run == self._run:
            self.page.apply(event)

    def _finished(self, document: dict[str, Any]) -> None:
        self._document = document
        self.page.show_document(document)
        self._health.setText("Ready")

    def _problem(self, sentence: str) -> None:
        self._health.setText("Ready")
        if self.page.state in ("running", "cancelling"):
            self.page.set_state("failed", sentence, "square-x", "danger")
        else:
            self._health.setText(sentence)

    def _open(self, path: str) -> None:
        if path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(path))

    def _open_folder_of(self, path: str) -> None:
        if path:
            QDesktopServices.openUrl(QUrl.fromLocalFile(str(Path(path).parent)))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped_source(event.mimeData()) and self.page.state not in ("running", "cancelling"):
            self.page.drop.set_over(True)
            event.acceptProposedAction()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self.page.drop.set_over(False)

    def dropEvent(self, event: QDropEvent) -> None:
        self.page.drop.set_over(False)
        source = dropped_source(event.mimeData())
        if source:
            event.acceptProposedAction()
            self.analyse(source)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ignore, hide, and let the application end in order: running analyses are interrupted and resume next time."""
        event.ignore()
        self.hide()
        self.closing.emit()
