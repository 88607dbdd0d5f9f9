"""Log left, proof right: what the page of the whole log and the evidence tab of a run have in common."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.log_views import EventPage
from qverify_desktop.ui.language import tr, trn
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.pages.evidence_parts.events import EventModel, EventTable
from qverify_desktop.ui.pages.evidence_parts.proof import ProofPane
from qverify_desktop.ui.widgets.basics import column, frame, label, line, row
from qverify_desktop.ui.widgets.filter_field import FilterField
from qverify_desktop.ui.widgets.master_detail import MasterDetail
from qverify_desktop.ui.widgets.state_view import Shown


class LogView(QWidget):
    """``open`` shows the log of a run (or all of it); ``refresh`` takes what was added since."""

    def __init__(self, desk: Desk, name: str) -> None:
        super().__init__()
        self.setObjectName("surface")
        self._desk = desk
        self._run: str | None = None
        self._text = ""
        self.model = EventModel(self._fetch, self)
        self.table = EventTable(desk.theme, self.model)
        self.proof = ProofPane(desk)
        self.table.chosen.connect(self.proof.show_entry)
        self.filter = FilterField(desk.theme, tr("Filter entries"))
        self.filter.filtered.connect(self._filter)
        self.filter.left.connect(self.table.setFocus)
        self._count = label("", "small", "muted")
        self._shown = Shown(desk.theme, self.table)
        left = frame("surface")
        head = row(self.filter, self._count, gap=12, margins=(16, 10, 16, 10))
        head.setStretch(0, 1)
        left.setLayout(column(head, line(), self._shown, gap=0))
        self.split = MasterDetail(desk.theme, desk.preferences, name, left, self.proof, 420)
        self.split.returned.connect(self.table.setFocus)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.split)

    def open(self, run: str) -> None:
        """Another log: its newest entries first."""
        if run != self._run:
            self._run = run
            self.model.begin(0)
            self.proof.show_run(run)
            self._shown.show_waiting()
        self.refresh()

    def refresh(self) -> None:
        """Ask how long the log is now."""
        self._ask(self._begin, -1, 1, "total")

    def _ask(self, then, start: int, limit: int, key: str) -> None:  # type: ignore[no-untyped-def]
        self._desk.bridge.ask(
            self,
            "evidence_log",
            then,
            failed=self._failed,
            key=key,
            run=self._run or "",
            text=self._text,
            start=start,
            limit=limit,
        )

    def _failed(self, error: QVerifyError) -> None:
        self._shown.show_state().show_error(error, self.refresh)

    def _begin(self, page: EventPage) -> None:
        total = page["total"]
        if page["complete"]:
            self._count.setText(trn("{n} entry", "{n} entries", total))
        else:
            self._count.setText(trn("{n} entry among the newest", "{n} entries among the newest", total))
        if not total:
            words = (
                tr("No entry matches.")
                if self._text
                else tr("Every step of an analysis becomes an entry of this log.")
            )
            self._shown.show_state().show_state("evidence", tr("Nothing here"), words)
            return
        self._shown.show_content()
        if self.model.total == 0 or total < self.model.total:
            self.model.begin(total)
            self.table.choose(total - 1)
            self.table.scrollToBottom()
        else:
            self.model.grow(total)

    def _fetch(self, start: int, limit: int) -> None:
        run, text = self._run, self._text

        def show(page: EventPage) -> None:
            if (run, text) == (self._run, self._text):
                self.model.show_page(page)

        self._ask(show, start, limit, f"page-{start}")

    def _filter(self, _: object) -> None:
        self._text = self.filter.text().strip()
        self.model.begin(0)
        self.refresh()
