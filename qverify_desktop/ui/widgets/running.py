"""Runs that go on or wait, each with its stage, bar, time, pause and cancel: few enough for a widget each."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import QTimer, Signal
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from qverify_desktop.domain.progress import STAGE_TITLES, RunEvent
from qverify_desktop.domain.views import RunView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.models.run_progress import RunProgress
from qverify_desktop.ui.page import Desk, Notice, Place
from qverify_desktop.ui.theme import tokens
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconButton, IconLabel, column, frame, label, line, row
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.progress import ProgressBar
from qverify_desktop.ui.widgets.spinner import Spinner

#: Runs that are shown; the rest waits behind them on the page of runs.
MOST = 6


class RunningRow(QFrame):
    """One run that is queued or running."""

    def __init__(self, desk: Desk, run: RunView) -> None:
        super().__init__()
        self.setObjectName("clear")
        theme = desk.theme
        self.run, self._desk = run, desk
        self._progress = RunProgress()
        self._began = time.monotonic()
        name = ElidedLabel("strong")
        name.setText(run["name"])
        name.setFixedWidth(theme.px(180))
        self._ring: QWidget = Spinner(theme) if run["status"] == "running" else IconLabel(theme, "ring-dashed")
        self._stage = ElidedLabel("small")
        self._time = label("", "small", "muted")
        self.bar = ProgressBar(theme, tr("Progress of {name}", name=run["name"]))
        middle = column(row(self._stage, None, self._time), self.bar, gap=4)
        self.open = IconButton(theme, "arrow-right", tr("Open the run of {name}", name=run["name"]), self._open)
        self.pause = IconButton(theme, "pause", tr("Pause {name}", name=run["name"]), self._pause)
        self.stop = IconButton(theme, "stop", tr("Cancel {name}", name=run["name"]), self._ask)
        self._yes = Button(theme, tr("Cancel run"), self._cancel, kind="danger", size="small")
        self._no = Button(theme, tr("Go on"), self._keep, kind="ghost", size="small")
        layout = row(
            self._ring,
            name,
            middle,
            self._yes,
            self._no,
            self.pause,
            self.stop,
            self.open,
            gap=12,
            margins=(16, 10, 12, 10),
        )
        layout.setStretch(2, 1)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._keep()
        self.pause.setVisible(run["status"] == "running")
        self._tick = QTimer(self, interval=tokens()["motion"]["progress-tick"] * 2)
        self._tick.timeout.connect(self._show)
        if run["status"] == "running":
            desk.bridge.watch(self, run["run"], self._hear)
            self._tick.start()
        self._show()

    def _hear(self, event: RunEvent) -> None:
        self._progress.take(event)
        self._began = min(self._began, time.monotonic() - event.at_ms / 1000)

    def _show(self) -> None:
        if self.run["status"] == "queued":
            self._stage.setText(tr("Starts when the analysis before it is done."))
            self.bar.hide()
            return
        current = self._progress.current
        title = tr(STAGE_TITLES[current.stage]) if current is not None else tr("Running")
        more = f": {current.text}" if current is not None and current.text else ""
        self._stage.setText(f"{title}{more}")
        elapsed = round((time.monotonic() - self._began) * 1000)
        rest = self._progress.remaining_ms(elapsed)
        left = tr(", about {time} left", time=words.elapsed(rest)) if rest is not None else ""
        self._time.setText(f"{words.elapsed(elapsed)}{left}")
        self.bar.show_progress(round(self._progress.share * 1000), 1000)

    def _open(self) -> None:
        self._desk.front.go(Place("progress", run=self.run["run"]))

    def _pause(self) -> None:
        said = tr("The run pauses after the step that is running.")
        self._desk.bridge.ask(self, "run_pause", lambda _: self._desk.front.tell(Notice(said)), run=self.run["run"])

    def _ask(self) -> None:
        """Cancel asks in place."""
        for button in (self._yes, self._no):
            button.show()
        self.stop.hide()
        self._yes.setFocus()

    def _keep(self) -> None:
        for button in (self._yes, self._no):
            button.hide()
        self.stop.show()

    def _cancel(self) -> None:
        self._keep()
        run = self.run["run"]
        self._desk.bridge.do(self, lambda engine: engine.cancel(run), lambda _: None)


class RunningList(QWidget):
    """A card with a row per live run; ``shown`` says whether there is any."""

    shown = Signal(bool)

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("clear")
        self._desk = desk
        self.rows: dict[tuple[str, str], RunningRow] = {}
        self._list = QVBoxLayout()
        self._list.setContentsMargins(0, 0, 0, 0)
        self._list.setSpacing(0)
        card = frame("card")
        card.setLayout(self._list)
        self._more = label("", "small", "muted")
        self.setLayout(column(label(tr("Running and queued"), "heading"), card, self._more, gap=8))
        self.hide()

    def show_runs(self, runs: Sequence[RunView]) -> None:
        """Rows that stay keep their progress."""
        wanted = {(run["run"], run["status"]): run for run in runs[:MOST]}
        if list(wanted) != list(self.rows):
            kept = self.rows
            self.rows = {
                key: kept.pop(key) if key in kept else RunningRow(self._desk, run) for key, run in wanted.items()
            }
            for gone in kept.values():
                gone.hide()
                gone.deleteLater()
            self._fill()
        rest = len(runs) - len(wanted)
        self._more.setText(tr("and {n} more", n=rest) if rest > 0 else "")
        self._more.setVisible(rest > 0)
        self.setVisible(bool(wanted))
        self.shown.emit(bool(wanted))

    def _fill(self) -> None:
        while (item := self._list.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None and not isinstance(widget, RunningRow):
                widget.deleteLater()
        for number, one in enumerate(self.rows.values()):
            if number:
                self._list.addWidget(line())
            self._list.addWidget(one)
            one.show()
