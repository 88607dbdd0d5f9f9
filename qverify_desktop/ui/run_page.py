"""What the tabs of a run have in common: the run's context, and a title that says which run it is."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from qverify_desktop.domain.progress import RunEvent
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Page, Place
from qverify_desktop.ui.run_context import RunContext


class RunPage(Page):
    """A tab of a run. Subclasses override ``show_run`` (the overview is there or changed) and ``hear`` (an event came).

    ``begin_run`` is called when the tab is opened for another run than before: empty what an earlier one left.
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.context: RunContext | None = None
        self._shown_run = ""

    def title(self) -> str:
        overview = self.context.overview if self.context is not None else {}
        return str(overview["run"]["name"]) if overview else tr("Run")

    def subtitle(self) -> str:
        overview = self.context.overview if self.context is not None else {}
        if not overview:
            return ""
        started = str(overview["run"]["started_at"])[:16].replace("T", " ")
        return f"{overview['run']['run']} · {started}"

    def enter(self, place: Place) -> None:
        super().enter(place)
        context = self.desk.runs.of(place.run)
        fresh = self._shown_run != place.run
        self._let_go()
        self._shown_run = place.run
        self.context = context
        context.loaded.connect(self._loaded)
        context.heard.connect(self.hear)
        if fresh:
            self.begin_run()
        if context.overview:
            self._loaded()
        else:
            context.load()

    def leave(self) -> None:
        self._let_go()

    def refresh(self, run: str) -> None:
        if run == self.place.run and self.context is not None:
            self.context.load()

    def begin_run(self) -> None:
        """Another run than before is shown."""

    def show_run(self) -> None:
        """The overview was read or has changed."""

    def hear(self, event: RunEvent) -> None:
        """The run said something."""

    def _loaded(self) -> None:
        self.retitled.emit()
        self.show_run()

    def _let_go(self) -> None:
        if self.context is not None:
            self.context.loaded.disconnect(self._loaded)
            self.context.heard.disconnect(self.hear)
            # The context may be dropped when other runs are looked at: keep no reference beyond the visit.
            self.context = None
