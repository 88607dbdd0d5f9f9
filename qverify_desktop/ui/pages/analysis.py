"""The first page: drop a repository, watch the stages, read the verdict, open report and bundle."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QListView,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, RunSummary, Stage
from qverify_desktop.ui.theme import Theme, pixmap
from qverify_desktop.ui.widgets.drop import DropZone
from qverify_desktop.ui.widgets.rows import VALUE, RowDelegate, RowModel
from qverify_desktop.ui.widgets.stages import StageDelegate, StageModel
from qverify_desktop.ui.widgets.told import defect_row, run_row, verdict_shape

#: Log lines are shown in one go at this interval, so that a flood of events can't hold the window up.
FLUSH_MS = 100
LOG_LINES = 20_000


class AnalysisPage(QWidget):
    """``state`` is starting, idle, running, cancelling, finished, cancelled or failed; widgets follow it."""

    cancel_wanted = Signal()
    report_wanted = Signal()
    bundle_wanted = Signal()
    tests_wanted = Signal()
    verify_wanted = Signal()
    resume_wanted = Signal()
    run_wanted = Signal(object)
    home_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("page")
        self._theme = theme
        self._pending: list[str] = []
        self.state = "starting"
        self.drop = DropZone(theme)
        self.stages = StageModel(self)
        self.defects = RowModel(defect_row, self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(24, 20, 24, 16)
        layout.setSpacing(16)
        layout.addWidget(self.drop)
        layout.addLayout(self._build_verdict())
        self._body = QSplitter(Qt.Orientation.Horizontal)
        self._body.setChildrenCollapsible(False)
        self._stages_frame = self._build_stages()
        self._body.addWidget(self._stages_frame)
        self._body.addWidget(self._build_detail())
        self._body.setStretchFactor(1, 1)
        self._body.setSizes([320, 760])
        layout.addWidget(self._build_recent(), 1)
        layout.addWidget(self._body, 1)
        layout.addLayout(self._build_actions())
        self._flush = QTimer(self, interval=FLUSH_MS, singleShot=True)
        self._flush.timeout.connect(self._show_log)
        self.set_state("starting", "Getting ready…")

    def _build_verdict(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        self._verdict_icon = QLabel()
        self.verdict = QLabel()
        self.verdict.setFont(self._theme.font("verdict"))
        self.verdict.setWordWrap(True)
        self.verdict.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.verdict.setAccessibleName("Verdict")
        self.verdict.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        row.addWidget(self._verdict_icon, 0, Qt.AlignmentFlag.AlignTop)
        row.addWidget(self.verdict, 1)
        return row

    def _build_recent(self) -> QWidget:
        """Earlier runs; an empty list says what will stand here."""
        self.recent = RowModel(run_row, self)
        self.recent_view = QListView()
        self.recent_view.setModel(self.recent)
        self.recent_view.setItemDelegate(RowDelegate(self._theme, self.recent_view))
        self.recent_view.setAccessibleName("Earlier analyses")
        self.recent_view.activated.connect(lambda index: self.run_wanted.emit(index.data(VALUE)))
        self.recent_view.clicked.connect(lambda index: self.run_wanted.emit(index.data(VALUE)))
        empty = QLabel(
            "Nothing has been analysed yet. Drop a folder, or try the sample: it needs no model and no network, "
            "and ends with one suspected defect in about a minute."
        )
        empty.setProperty("role", "muted")
        empty.setWordWrap(True)
        empty.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._recent = QStackedWidget()
        self._recent.addWidget(empty)
        self._recent.addWidget(self.recent_view)
        return self._recent

    def show_runs(self, runs: list[RunSummary]) -> None:
        """Fill the list of earlier runs."""
        self.recent.fill(runs)
        self._recent.setCurrentIndex(1 if runs else 0)

    def _build_stages(self) -> QWidget:
        frame = QFrame()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(0, 0, 12, 0)
        self.progress = QProgressBar()
        self.progress.setRange(0, len(Stage))
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the analysis")
        self.stage_view = QListView()
        self.stage_view.setObjectName("stages")
        self.stage_view.setModel(self.stages)
        self.stage_view.setItemDelegate(StageDelegate(self._theme, self.stage_view))
        self.stage_view.setSelectionMode(QListView.SelectionMode.NoSelection)
        self.stage_view.setAccessibleName("Stages")
        layout.addWidget(self.progress)
        layout.addWidget(self.stage_view, 1)
        return frame

    def _build_detail(self) -> QWidget:
        self.log = QPlainTextEdit(readOnly=True)
        self.log.setObjectName("log")
        self.log.setFont(self._theme.font("code"))
        self.log.setMaximumBlockCount(LOG_LINES)
        self.log.setAccessibleName("Log")
        self.log.setPlaceholderText("What the analysis does is written here as it happens.")
        self.defect_view = QListView()
        self.defect_view.setModel(self.defects)
        self.defect_view.setItemDelegate(RowDelegate(self._theme, self.defect_view))
        self.defect_view.setAccessibleName("Suspected defects")
        self.defect_view.selectionModel().currentChanged.connect(self._show_defect)
        self.defect_detail = QPlainTextEdit(readOnly=True)
        self.defect_detail.setFont(self._theme.font("code"))
        self.defect_detail.setAccessibleName("Detail of the suspected defect")
        self._numbers = QLabel()
        self._numbers.setProperty("role", "muted")
        self._numbers.setWordWrap(True)
        results = QSplitter(Qt.Orientation.Vertical)
        results.setChildrenCollapsible(False)
        results.addWidget(self.defect_view)
        results.addWidget(self.defect_detail)
        results.setSizes([200, 240])
        frame = QFrame()
        layout = QVBoxLayout(frame)
        layout.setContentsMargins(12, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self._numbers)
        self._detail = QStackedWidget()
        self._detail.addWidget(self.log)
        self._detail.addWidget(results)
        layout.addWidget(self._detail, 1)
        return frame

    def _build_actions(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)

        def button(text: str, signal: Any, kind: str = "") -> QPushButton:
            made = QPushButton(text)
            if kind:
                made.setProperty("kind", kind)
            made.clicked.connect(signal)
            row.addWidget(made)
            return made

        self.show_log = QPushButton("Show log")
        self.show_log.setProperty("kind", "ghost")
        self.show_log.setCheckable(True)
        self.show_log.toggled.connect(lambda on: self._detail.setCurrentIndex(0 if on else 1))
        self.home_button = button("All analyses", self.home_wanted, "ghost")
        row.addWidget(self.show_log)
        row.addStretch(1)
        self.cancel_button = button("Cancel run", self.cancel_wanted)
        self.resume_button = button("Resume", self.resume_wanted)
        self.verify_button = button("Verify evidence", self.verify_wanted)
        self.bundle_button = button("Show bundle", self.bundle_wanted)
        self.tests_button = button("Show tests", self.tests_wanted)
        self.report_button = button("Open report", self.report_wanted, "primary")
        return row

    def set_state(self, state: str, sentence: str, shape: str = "", token: str = "text-muted") -> None:
        """Say one sentence and show just the acts that are possible now."""
        self.state = state
        self.verdict.setText(sentence)
        self._verdict_icon.setVisible(bool(shape))
        if shape:
            self._verdict_icon.setPixmap(pixmap(shape, self._theme.colour(token), 24, 2.0))
        busy = state in ("running", "cancelling")
        shown = state in ("running", "cancelling", "finished", "cancelled", "failed")
        self.drop.setVisible(not busy)
        self.drop.setEnabled(state != "starting")
        self._body.setVisible(shown)
        # A run of another day is opened without its events: what it went through stands in its report.
        self._stages_frame.setVisible(state != "finished" or any(row.state != "open" for row in self.stages.rows))
        self._recent.setVisible(not shown)
        self.home_button.setVisible(state in ("finished", "cancelled", "failed"))
        self.cancel_button.setVisible(busy)
        self.cancel_button.setEnabled(state == "running")
        self.resume_button.setVisible(state in ("cancelled", "failed"))
        for one in (self.verify_button, self.bundle_button, self.tests_button, self.report_button):
            one.setVisible(state == "finished")
        has_results = state == "finished" and self.defects.rowCount() > 0
        self.show_log.setVisible(has_results)
        self._detail.setCurrentIndex(1 if has_results and not self.show_log.isChecked() else 0)
        self._numbers.setVisible(state == "finished")

    def begin(self, source: str) -> None:
        """A run starts: empty what an earlier one left."""
        self.stages.reset()
        self.defects.fill([])
        self.log.clear()
        self._pending.clear()
        self.defect_detail.clear()
        self.progress.setValue(0)
        self.set_state("running", f"Analysing {source}", "ring-arc", "accent-text")

    def apply(self, event: RunEvent) -> None:
        """Take in an event of the run."""
        self.stages.apply(event)
        if event.kind is EventKind.STAGE_FINISHED and event.stage is not None:
            self.progress.setValue(list(Stage).index(event.stage) + 1)
        if event.text:
            stamp = f"{event.at_ms // 60000:02d}:{event.at_ms % 60000 / 1000:06.3f}"
            self._pending.append(f"{stamp}  {event.stage or 'run':<13}{event.text}")
            if not self._flush.isActive():
                self._flush.start()
        if event.kind is EventKind.STATUS:
            self._apply_status(event)

    def _apply_status(self, event: RunEvent) -> None:
        if event.status is RunStatus.CANCELLED:
            self.set_state(
                "cancelled",
                "Cancelled. What was finished is kept; Resume goes on from there.",
                "square-stop",
                "warning",
            )
        elif event.status in (RunStatus.FAILED, RunStatus.INTERRUPTED):
            self.set_state(
                "failed", event.text or "The run stopped. Nothing that was recorded is lost.", "square-x", "danger"
            )

    def _show_log(self) -> None:
        self.log.appendPlainText("\n".join(self._pending))
        self._pending.clear()

    def show_document(self, document: dict[str, Any]) -> None:
        """A finished run: the sentence first, then its numbers and its suspected defects."""
        defects = document["suspected_defects"]
        self.defects.fill(defects)
        self._numbers.setText(_numbers(document))
        shape, token = verdict_shape(document["verdict"])
        self.progress.setValue(len(Stage))
        self.set_state("finished", document["sentence"], shape, token)
        if defects:
            self.defect_view.setCurrentIndex(self.defects.index(0))

    def show_grade(self, answer: dict[str, Any]) -> None:
        """What the verifier said about the bundle."""
        lines = "; ".join(answer["problems"]) or f"{answer['events']} events, every one of them proven."
        self._numbers.setText(f"Evidence: {answer['grade']}. {lines}")

    def _show_defect(self, current: QModelIndex) -> None:
        row = current.data(VALUE)
        if row:
            self.defect_detail.setPlainText(
                f"The words, in {row.get('evidence_file', row['file'])}:\n    {row['evidence_text']}\n\n"
                f"Call        {row['call']}\nExpected    {row['expected']}\nObserved    {row['observed']}\n\n"
                "Reproduced five times out of five in fresh containers."
            )


def _numbers(document: dict[str, Any]) -> str:
    def change(before: float | None, after: float | None) -> str:
        return " to ".join("unknown" if value is None else f"{value * 100:.1f} %" for value in (before, after))

    coverage, mutation = document["coverage"], document["mutation"]
    refused = sum(document["refused"].values())
    return (
        f"{document['accepted']} tests kept, {refused} refused.  "
        f"Lines {change(coverage['before']['lines'], coverage['after']['lines'])}, "
        f"branches {change(coverage['before']['branches'], coverage['after']['branches'])}, "
        f"mutants noticed {change(mutation['before'], mutation['after'])}.  "
        f"Evidence: {document['grade']}."
    )
