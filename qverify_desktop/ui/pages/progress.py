"""A run while it goes on: its stages with their times, how far each target came, and the log."""

from __future__ import annotations

import time

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QScrollArea, QSplitter, QVBoxLayout, QWidget

from qverify_desktop.domain.log_views import LogPage
from qverify_desktop.domain.progress import STAGE_TITLES, EventKind, RunEvent
from qverify_desktop.ui.actions import Act
from qverify_desktop.ui.language import later, tr
from qverify_desktop.ui.models.run_progress import RunProgress, StageState, TargetState
from qverify_desktop.ui.page import Desk, Notice, Place
from qverify_desktop.ui.pages.progress_columns import target_columns
from qverify_desktop.ui.pages.progress_inquiry import InquiryBanner
from qverify_desktop.ui.pages.progress_log import RunLog
from qverify_desktop.ui.pages.progress_writing import WritingPane
from qverify_desktop.ui.run_page import RunPage
from qverify_desktop.ui.theme import tokens
from qverify_desktop.ui.widgets import words
from qverify_desktop.ui.widgets.basics import Button, IconLabel, column, frame, label, line, row
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.isolation import IsolationBadge
from qverify_desktop.ui.widgets.progress import ProgressBar
from qverify_desktop.ui.widgets.state_view import Shown
from qverify_desktop.ui.widgets.tables import Table, TableModel
from qverify_desktop.ui.widgets.timeline import Stop, Timeline

LEFT = 304
#: Lines of a log from which a run of another day is told.
MOST_LINES = 10_000
LIVE = ("queued", "running")
RESUMABLE = ("paused", "interrupted", "cancelled")


class ProgressPage(RunPage):
    """Timeline left, targets above the log at the right. Pause and cancel stand in the header; cancel asks in place."""

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.progress = RunProgress()
        self._began = 0.0
        self._cancelling = False
        self._dirty = False
        self._build()
        self._tick = QTimer(self, interval=tokens()["motion"]["progress-tick"])
        self._tick.timeout.connect(self._repaint)
        self._register()

    # -- acts

    def _register(self) -> None:
        group = later("Run")
        for act in (
            Act(
                "run.pause",
                later("Pause or resume the run"),
                group,
                self._pause,
                "Ctrl+P",
                "pause",
                reason=self._cant_pause,
            ),
            Act(
                "run.cancel",
                later("Cancel the run"),
                group,
                self._ask_cancel,
                "Ctrl+.",
                "stop",
                reason=self._cant_cancel,
            ),
        ):
            act.place = "progress"
            self.desk.actions.add(act)

    @property
    def buttons(self) -> tuple[str, ...]:
        status = self.context.status if self.context is not None else ""
        if status in LIVE:
            return ("run.cancel", "run.pause")
        return ("run.pause",) if status in RESUMABLE else ()

    def _cant_pause(self) -> str:
        status = self.context.status if self.context is not None else ""
        return "" if status in (*LIVE, *RESUMABLE) else tr("The run has ended.")

    def _cant_cancel(self) -> str:
        status = self.context.status if self.context is not None else ""
        return "" if status in (*LIVE, "paused", "interrupted") else tr("The run has ended.")

    def _pause(self) -> None:
        if self.context is None:
            return
        run = self.context.run
        if self.context.status in LIVE:
            self.desk.bridge.ask(self, "run_pause", self._pausing, run=run)
        else:
            self.desk.bridge.do(self, lambda engine: engine.resume(run), self._resumed)

    def _pausing(self, _: object) -> None:
        self.desk.front.tell(Notice(tr("The run pauses after the step that is running.")))

    def _resumed(self, _: object) -> None:
        if self.context is not None:
            self.begin_run()
            self.context.follow()
            self.context.load()

    def _ask_cancel(self) -> None:
        self._question.show()
        self._yes.setFocus()

    def _cancel(self) -> None:
        self._question.hide()
        if self.context is not None:
            run = self.context.run
            self._cancelling = True
            self._repaint()
            self.desk.bridge.do(self, lambda engine: engine.cancel(run), lambda _: None)

    # -- build

    def _build(self) -> None:
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.addWidget(self._build_stages())
        right = QSplitter(Qt.Orientation.Vertical)
        right.setChildrenCollapsible(False)
        right.addWidget(self._build_targets())
        self.writing = WritingPane(self.desk.theme)
        right.addWidget(self.writing)
        self.log = RunLog(self.desk)
        right.addWidget(self.log)
        right.setSizes([420, 200, 300])
        self._split.addWidget(right)
        self._split.setStretchFactor(1, 1)
        px = self.desk.theme.px
        self._split.setSizes(self.desk.preferences.numbers("splitter.progress") or [px(LEFT), px(900)])
        kept = self.desk.preferences
        self._split.splitterMoved.connect(lambda *_: kept.set("splitter.progress", self._split.sizes()))
        self.inquiry = InquiryBanner(self.desk)
        self.inquiry.cancel_wanted.connect(self._cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.inquiry)
        layout.addWidget(self._split, 1)

    def _build_stages(self) -> QWidget:
        theme = self.desk.theme
        self._percent = label("", "metric")
        self._times = label("", "small", "muted")
        self._times.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.bar = ProgressBar(theme, tr("Progress of the analysis"))
        self._icon = IconLabel(theme)
        self._sentence = label("", "body", wrap=True, select=True)
        self.isolation = IsolationBadge(theme)
        self.stages = Timeline(theme, tr("Stages"))
        self._yes = Button(theme, tr("Cancel run"), self._cancel, kind="danger", size="small")
        no = Button(theme, tr("Go on"), lambda: self._question.hide(), kind="ghost", size="small")
        self._question = frame("tint")
        self._question.setProperty("tone", "warning")
        asked = label(tr("Cancel this run? What it finished stays recorded, and it can be resumed."), wrap=True)
        self._question.setLayout(column(asked, row(self._yes, no, None), margins=(12, 10, 12, 10)))
        self._question.hide()
        self._results = Button(theme, tr("Show results"), self._open_results, kind="primary")
        self._results.hide()
        inside = frame("pane")
        state = row(self._icon, self._sentence, gap=8)
        state.setStretch(1, 1)
        state.setAlignment(self._icon, Qt.AlignmentFlag.AlignTop)
        inside.setLayout(
            column(
                row(self._percent, None, self._times),
                self.bar,
                state,
                self.isolation,
                self._question,
                self._results,
                4,
                self.stages,
                None,
                gap=12,
                margins=(24, 20, 16, 16),
            )
        )
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setProperty("pane", True)
        area.setMinimumWidth(theme.px(220))
        area.setWidget(inside)
        return area

    def _build_targets(self) -> QWidget:
        theme = self.desk.theme
        self.targets: TableModel[TargetState] = TableModel(
            target_columns(), key=lambda target: target.target, parent=self
        )
        self.table = Table(theme, self.targets, tr("Targets"), plain=True)
        self.filter = FilterField(theme, tr("Filter targets"))
        self.filter.setMaximumWidth(theme.px(240))
        self.filter.filtered.connect(self.targets.set_filter)
        self.targets.arranged.connect(self.filter.say_count)
        self.filter.left.connect(self.table.setFocus)
        self.table.opened.connect(self._open_target)
        self._shown = Shown(theme, self.table)
        pane = frame("surface")
        pane.setProperty("pane", True)
        head = row(label(tr("Targets"), "heading"), None, self.filter, margins=(20, 10, 20, 10))
        pane.setLayout(column(head, line(), self._shown, gap=0))
        return pane

    # -- what the run says

    def focus_filter(self) -> bool:
        self.filter.setFocus()
        return True

    def focus_content(self) -> None:
        self.table.setFocus()

    def begin_run(self) -> None:
        self.progress = RunProgress()
        self._began = time.monotonic()
        self._question.hide()
        self.writing.show_writing(None)
        self.log.show_run(self.place.run)
        context = self.context
        for event in context.kept if context is not None else ():
            self.hear(event)
        self._repaint(force=True)

    def show_run(self) -> None:
        assert self.context is not None
        live = self.context.live
        self.isolation.show_request(self.context.overview["request"])
        self._cancelling = self._cancelling and live
        self.inquiry.show_run(self.place.run)
        self.log.set_live(live)
        if live:
            self._tick.start()
        else:
            self._tick.stop()
        pause = self.desk.actions["run.pause"]
        pause.title, pause.icon = (later("Pause"), "pause") if live else (later("Resume"), "play")
        self.retitled.emit()
        self._repaint(force=True)
        self.desk.actions.update()
        if not live and self.progress.sequence < 0:
            self._read_log()

    def _read_log(self) -> None:
        """A run of another day: what happened is read from its log."""
        run = self.place.run

        def take(page: LogPage) -> None:
            if run == self.place.run and self.progress.sequence < 0:
                for one in page["lines"]:
                    self.progress.take_line(run, one)
                self._repaint(force=True)

        self.desk.bridge.ask(
            self, "run_log", take, failed=lambda _: None, key="past", run=run, start=0, limit=MOST_LINES
        )

    def leave(self) -> None:
        self._tick.stop()
        super().leave()

    def hear(self, event: RunEvent) -> None:
        self.progress.take(event)
        if event.kind is EventKind.INQUIRY:
            self.inquiry.show_run(self.place.run)
        # Other processes' runs began before this page was opened: the events say when.
        self._began = min(self._began, time.monotonic() - event.at_ms / 1000)
        if event.kind in (EventKind.WRITING, EventKind.STAGE_FINISHED, EventKind.STATUS):
            self.writing.show_writing(self.progress.writing)
        if event.kind is not EventKind.WRITING:
            self.log.hear()
            self._dirty = True

    def _repaint(self, force: bool = False) -> None:
        """At most every 250 ms; the clock goes on even when nothing is heard."""
        context = self.context
        status = context.status if context is not None else ""
        live = status in LIVE
        elapsed = round((time.monotonic() - self._began) * 1000) if live else self.progress.now_ms
        self._show_share(status, elapsed)
        self.stages.fill([_stop(state, elapsed) for state in self.progress.stages.values()])
        self.stages.setMinimumHeight(self.stages.sizeHint().height())
        if self._dirty or force:
            self._dirty = False
            targets = list(self.progress.targets.values())
            self.targets.fill(targets)
            if targets:
                self._shown.show_content()
            else:
                self._show_no_targets(live)

    def _show_share(self, status: str, elapsed: int) -> None:
        context = self.context
        share = 1.0 if status == "finished" else self.progress.share
        self._percent.setText(f"{int(share * 100)} %")
        self.bar.show_progress(round(share * 1000), 1000)
        self.bar.set_tone({"paused": "paused", "cancelled": "warning", "failed": "danger"}.get(status, ""))
        if status == "finished" and context is not None:
            told = words.duration(int(context.overview["duration_ms"]))
            self._times.setText(tr("took {time}", time=told))
        elif status == "running":
            rest = self.progress.remaining_ms(elapsed)
            lines = [tr("{time} elapsed", time=words.elapsed(elapsed))]
            if rest is not None:
                lines.append(tr("about {time} left", time=words.elapsed(rest)))
            self._times.setText("\n".join(lines))
        else:
            self._times.setText("")
        if context is not None and context.overview:
            run = context.overview["run"]
            look = words.look_of_run(run)
            self._icon.show_icon(look.icon, look.token, look.text())
            self._sentence.setText(self._words(status, run["sentence"]))
            self._results.setVisible(status == "finished")

    def _words(self, status: str, sentence: str) -> str:
        if self._cancelling:
            return tr("Cancelling. Its containers are being removed.")
        if status == "queued":
            return tr("Queued. It starts when a container is free.")
        if status == "running":
            current = self.progress.current
            if self.inquiry.asks:
                return tr("Waiting for your answer")
            return tr(STAGE_TITLES[current.stage]) if current is not None else tr("Running")
        return sentence or tr("The run stopped. Nothing that was recorded is lost.")

    def _show_no_targets(self, live: bool) -> None:
        state = self._shown.show_state()
        if live:
            words_ = tr("They are listed as soon as the repository's own tests have run.")
            state.show_state("ring-dashed", tr("No targets yet"), words_)
        else:
            words_ = tr("What happened to each target is told while a run goes on. Its tests stand under Results.")
            state.show_state("flask", tr("The run has ended"), words_)

    def _open_target(self, target: TargetState) -> None:
        self.desk.front.go(Place("source", run=self.place.run, item=target.file))

    def _open_results(self) -> None:
        self.desk.front.go(Place("results", run=self.place.run))


def _stop(state: StageState, now_ms: int) -> Stop:
    elapsed = state.elapsed_ms(now_ms)
    remark = state.text
    if state.state == "now" and state.total and not remark:
        remark = tr("{done} of {total}", done=state.done, total=state.total)
    title = tr(STAGE_TITLES[state.stage])
    told = words.elapsed(elapsed) if elapsed is not None else ""
    return Stop(state.stage.value, title, state.state, remark, told)


__all__ = ["ProgressPage"]
