"""The log of a run below its targets: read by pages from the engine, followed while the run goes on."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.log_views import LogHits, LogPage
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Notice
from qverify_desktop.ui.widgets.log import LogView

#: New lines are asked for at most this often.
NEWS_MS = 300
MOST = 5_000


class RunLog(QWidget):
    """``show_run`` shows another run's log; ``hear`` says that something was told, so that new lines are asked for."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.setObjectName("surface")
        self.setProperty("pane", True)
        self._desk = desk
        self._run = ""
        self._total = 0
        self.view = LogView(desk.theme, self._fetch, self._search)
        self.view.refused.connect(lambda sentence: desk.front.tell(Notice(sentence, "warning")))
        self.view.copied.connect(lambda *_: desk.front.tell(Notice(tr("Copied."), "success")))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.view)
        self._news = QTimer(self, interval=NEWS_MS, singleShot=True)
        self._news.timeout.connect(self._ask_news)

    def show_run(self, run: str) -> None:
        """Another run: its newest lines first."""
        self._run, self._total = run, 0
        self.view.show_log(0, follow=True)
        self._desk.bridge.ask(self, "run_log", self._begin, failed=self._quiet, key="log", run=run, start=-1, limit=1)

    def set_live(self, live: bool) -> None:
        self.view.set_live(live)
        self._ask_news()

    def hear(self) -> None:
        """The run told something."""
        if not self._news.isActive():
            self._news.start()

    def _begin(self, page: LogPage) -> None:
        self._total = page["total"]
        self.view.show_log(self._total, follow=True)

    def _ask_news(self) -> None:
        if self._run:
            self._desk.bridge.ask(
                self,
                "run_log",
                self._append,
                failed=self._quiet,
                key="news",
                run=self._run,
                start=self._total,
                limit=MOST,
            )

    def _append(self, page: LogPage) -> None:
        if page["lines"] and page["start"] == self._total:
            self._total += len(page["lines"])
            self.view.append(page["lines"])
            if self._total < page["total"]:
                self._news.start()

    def _fetch(self, start: int, limit: int) -> None:
        """Lines that come into view."""
        run = self._run

        def show(page: LogPage) -> None:
            if run == self._run:
                self.view.show_page(page)

        def failed(_error: QVerifyError) -> None:
            if run == self._run:
                self.view.fetch_failed(start)

        self._desk.bridge.ask(self, "run_log", show, failed=failed, run=run, start=start, limit=limit)

    def _search(self, words: str) -> None:
        def show(hits: LogHits) -> None:
            self.view.show_hits(hits["words"], hits["rows"], hits["complete"])

        self._desk.bridge.ask(
            self, "run_log_search", show, failed=self._quiet, key="search", run=self._run, words=words
        )

    def _quiet(self, _error: QVerifyError) -> None:
        """A run that is gone or has no log shows an empty one."""
