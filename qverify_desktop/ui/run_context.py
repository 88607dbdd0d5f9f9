"""What the window knows of one run, shared by the tabs that show it: overview, status and the events as they come."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from PySide6.QtCore import QObject, Signal

from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus
from qverify_desktop.domain.views import RunOverview
from qverify_desktop.ui.bridge import EngineBridge, Pending

#: Runs whose events and overview are kept while other pages are shown.
KEPT = 8
LIVE = (RunStatus.QUEUED, RunStatus.RUNNING)


class RunContext(QObject):
    """One run. ``overview`` is empty until ``loaded``; ``heard`` carries what the engine says while it goes on.

    ``stages`` and counters belong to the progress page; this only hands events on and keeps those that a page that is
    opened late must know (statuses and stages, not log lines: these are in ``run_log``).
    """

    loaded = Signal()
    heard = Signal(object)
    decided = Signal()

    def __init__(self, run: str, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run = run
        self.overview: RunOverview | dict[str, Any] = {}
        self.kept: list[RunEvent] = []
        self._bridge = bridge
        self._watching: Pending | None = None

    @property
    def status(self) -> str:
        return str(self.overview["run"]["status"]) if self.overview else ""

    @property
    def live(self) -> bool:
        return self.status in LIVE

    def load(self) -> None:
        """Ask for the overview, and follow the run while it goes on; ``loaded`` follows."""
        self._bridge.ask(self, "run_overview", self._take, key="overview", run=self.run)

    def follow(self) -> None:
        """Follow from the first event again, after a start or a resume."""
        self.kept.clear()
        self._watching = self._bridge.watch(self, self.run, self._hear)

    def stop(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    def _take(self, overview: RunOverview) -> None:
        self.overview = overview
        if self.live and self._watching is None:
            self.follow()
        self.loaded.emit()

    def _hear(self, event: RunEvent) -> None:
        self._keep(event)
        self.heard.emit(event)
        if event.status is not None and event.status not in LIVE:
            self._watching = None
            self.load()

    def _keep(self, event: RunEvent) -> None:
        """Of the progress of a stage only the last word is kept, of what a model writes nothing; a long run has thousands."""
        if event.kind in (EventKind.LOG, EventKind.WRITING):
            return
        if event.kind is EventKind.PROGRESS and self.kept and self.kept[-1].kind is EventKind.PROGRESS:
            self.kept[-1] = event
        else:
            self.kept.append(event)


class RunContexts(QObject):
    """The runs that were looked at last. ``loaded`` carries the name of one whose overview was read."""

    loaded = Signal(str)

    def __init__(self, bridge: EngineBridge, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._contexts: OrderedDict[str, RunContext] = OrderedDict()

    def of(self, run: str) -> RunContext:
        """The context of a run, made and asked for when it is new. Keep no reference beyond the page's visit."""
        found = self._contexts.get(run)
        if found is None:
            found = self._contexts[run] = RunContext(run, self._bridge, self)
            found.loaded.connect(self._tell_loaded)
            found.load()
        self._contexts.move_to_end(run)
        while len(self._contexts) > KEPT:
            oldest = next(iter(self._contexts.values()))
            self._contexts.pop(oldest.run)
            oldest.stop()
            oldest.deleteLater()
        return found

    def _tell_loaded(self) -> None:
        context = self.sender()
        if isinstance(context, RunContext):
            self.loaded.emit(context.run)

    def changed(self, run: str) -> None:
        """The engine said that a run's listing changed."""
        if run in self._contexts:
            self._contexts[run].load()
