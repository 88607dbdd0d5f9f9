"""Runs that go on, wait or are paused, each with its stage, bar, time, pause and cancel: few enough for a widget each."""

from __future__ import annotations

import time
from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.progress import STAGE_TITLES, RunEvent
from qverify_desktop.domain.views import RunView
from qverify_desktop.ui.bridge import Pending
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.models.run_progress import RunProgress
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.theme import tokens
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconButton, IconLabel, column, frame, label, line, row
from qverify_desktop.ui.widgets.elided import ElidedLabel
from qverify_desktop.ui.widgets.painting import one_line
from qverify_desktop.ui.widgets.progress import ProgressBar
from qverify_desktop.ui.widgets.spinner import Spinner

#: Runs that are shown; the rest waits behind them on the page of runs.
MOST = 6
#: Width of the names at 100 %.
NAME = 180


class RunningRow(QFrame):
    """One run that is running, queued or paused."""

    def __init__(self, desk: Desk, run: RunView) -> None:
        super().__init__()
        self.setObjectName("clear")
        self.run, self._desk = run, desk
        self._progress = RunProgress()
        self._began = time.monotonic()
        self._before = ""
        #: What a person asked for and the engine has not done yet: a sentence.
        self._asked = ""
        self._pausing = False
        self._build()
        self._watching: Pending | None = None
        self._tick = QTimer(self, interval=tokens()["motion"]["progress-tick"] * 2)
        self._tick.timeout.connect(self._show)
        if run["status"] == "running":
            self._watching = desk.bridge.watch(self, run["run"], self._hear)
            self._tick.start()
        desk.theme.changed.connect(self._measure)
        self._measure()
        self._show_pause()
        self._show()

    def _build(self) -> None:
        theme, run = self._desk.theme, self.run
        name = one_line(run["name"])
        self.setAccessibleName(name)
        self._ring = self._shape()
        told = ElidedLabel("strong")
        told.setText(name)
        since = ElidedLabel("small", "muted")
        since.setText(tr("Started {when}", when=words.day(run["started_at"])))
        since.setVisible(run["status"] == "running" and bool(run["started_at"]))
        self._names = QWidget()
        self._names.setObjectName("clear")
        self._names.setLayout(column(told, since, gap=0))
        tone = "" if run["status"] == "running" else "muted"
        self._stage = ElidedLabel("small", tone, Qt.TextElideMode.ElideRight)
        self._time = label("", "small", "muted")
        self.bar = ProgressBar(theme, tr("Progress of {name}", name=name))
        self.bar.setVisible(run["status"] == "running")
        middle = column(row(self._stage, None, self._time), self.bar, gap=6)
        self.open = IconButton(theme, "arrow-right", tr("Open the run of {name}", name=name), self._open)
        self.pause = IconButton(theme, "pause", "", self._pause)
        self.stop = IconButton(theme, "stop", tr("Cancel {name}", name=name), self._ask)
        self.yes = Button(theme, tr("Cancel run"), self._cancel, kind="danger", size="small")
        self.no = Button(theme, tr("Go on"), self._keep, kind="ghost", size="small")
        self.yes.hide()
        self.no.hide()
        self.yes.setAccessibleDescription(tr("Cancel {name}", name=name))
        layout = row(
            *(self._ring, self._names, middle, self.yes, self.no, self.pause, self.stop, self.open),
            gap=12,
            margins=(16, 10, 12, 10),
        )
        layout.setStretch(2, 1)
        self.setLayout(layout)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def _shape(self) -> QWidget:
        if self.run["status"] == "running":
            return Spinner(self._desk.theme)
        look = words.look_of_run(self.run)
        return IconLabel(self._desk.theme, look.icon, look.token, words=look.text())

    def _measure(self) -> None:
        self._names.setFixedWidth(self._desk.theme.px(NAME))

    def leave(self) -> None:
        """The run is shown no more."""
        self._tick.stop()
        if self._watching is not None:
            self._watching.cancel()
        self.hide()
        self.deleteLater()

    def wait_for(self, name: str) -> None:
        """Say which analysis this one, when it is queued, stands behind."""
        if self._before != name:
            self._before = name
            self._show()

    # -- what it says

    def _hear(self, event: RunEvent) -> None:
        self._progress.take(event)
        # Runs of other processes began before this was opened: the events say when.
        self._began = min(self._began, time.monotonic() - event.at_ms / 1000)

    def _show(self) -> None:
        self._stage.setText(one_line(self._asked or self._sentence()))
        if self.run["status"] != "running":
            return
        elapsed = round((time.monotonic() - self._began) * 1000)
        rest = self._progress.remaining_ms(elapsed)
        left = tr(", about {time} left", time=words.elapsed(rest)) if rest is not None else ""
        self._time.setText(f"{words.elapsed(elapsed)}{left}")
        self.bar.show_progress(round(self._progress.share * 1000), 1000)

    def _sentence(self) -> str:
        if self.run["status"] == "paused":
            return self.run["sentence"] or tr("The run is paused. What it finished is recorded.")
        if self.run["status"] == "queued":
            if self._before:
                return tr("Starts when {name} is done.", name=self._before)
            return tr("Starts when the analysis before it is done.")
        current = self._progress.current
        title = tr(STAGE_TITLES[current.stage]) if current is not None else tr("Running")
        return f"{title}: {current.text}" if current is not None and current.text else title

    def _show_pause(self) -> None:
        name = one_line(self.run["name"])
        goes_on = self.run["status"] == "paused" or self._pausing
        self.pause.set_icon("play" if goes_on else "pause")
        self.pause.say(tr("Resume {name}", name=name) if goes_on else tr("Pause {name}", name=name))
        self.bar.set_tone("paused" if self._pausing else "")

    def _say_asked(self, sentence: str) -> None:
        self._asked = sentence
        self._show()

    # -- what it does

    def _open(self) -> None:
        self._desk.front.go(Place("progress", run=self.run["run"]))

    def _pause(self) -> None:
        run, bridge = self.run["run"], self._desk.bridge
        if self.run["status"] == "paused" or self._pausing:
            bridge.do(self, lambda engine: engine.resume(run), self._goes_on, failed=self._failed)
        else:
            bridge.ask(self, "run_pause", self._pauses, failed=self._failed, run=run)

    def _pauses(self, _: object) -> None:
        """A queued run pauses at once; a running one may still take its pause back."""
        if self.run["status"] == "running":
            self._pausing = True
            self._say_asked(tr("The run pauses after the step that is running."))
            self._show_pause()

    def _goes_on(self, _: object) -> None:
        self._pausing = False
        self._say_asked("")
        self._show_pause()

    def _ask(self) -> None:
        """Cancel asks in place."""
        for button in (self.yes, self.no):
            button.show()
        self._say_asked(tr("Cancel this run? It can be resumed."))
        self._time.hide()
        self.stop.hide()
        self.yes.setFocus()

    def _keep(self) -> None:
        self.stop.show()
        self.stop.setFocus()
        self._end_question()
        self._say_asked(tr("The run pauses after the step that is running.") if self._pausing else "")

    def _end_question(self) -> None:
        for button in (self.yes, self.no):
            button.hide()
        self._time.show()

    def _cancel(self) -> None:
        run = self.run["run"]
        self._end_question()
        self.pause.setEnabled(False)
        self._say_asked(tr("Cancelling. Its containers are being removed."))
        self.open.setFocus()
        self._desk.bridge.do(self, lambda engine: engine.cancel(run), failed=self._failed)

    def _failed(self, error: QVerifyError) -> None:
        self._pausing = False
        self.pause.setEnabled(True)
        self.stop.show()
        self._say_asked("")
        self._show_pause()
        self._desk.front.tell_error(error)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.yes.isVisible():
            self._keep()
            return
        super().keyPressEvent(event)


class RunningList(QWidget):
    """A card with a row per run; ``shown`` says whether there is any."""

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
        self.more = Button(desk.theme, "", lambda: desk.front.go(Place("runs")), kind="link")
        self.heading = label(tr("Running and queued"), "heading")
        self.setLayout(column(self.heading, card, row(self.more, None), gap=8))
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
                gone.leave()
            self._fill()
        self._say_order()
        rest = len(runs) - len(wanted)
        self.more.say(tr("and {n} more", n=rest) if rest > 0 else "")
        self.more.setVisible(rest > 0)
        self.setVisible(bool(wanted))
        self.shown.emit(bool(wanted))

    def _say_order(self) -> None:
        """Only one that waits alone knows behind which it stands: a resumed run queues at the end, whenever it began."""
        running = [one for one in self.rows.values() if one.run["status"] == "running"]
        queued = [one for one in self.rows.values() if one.run["status"] == "queued"]
        alone = len(running) == len(queued) == 1
        for one in queued:
            one.wait_for(one_line(running[0].run["name"]) if alone else "")

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
