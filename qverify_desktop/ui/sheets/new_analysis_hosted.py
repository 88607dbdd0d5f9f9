"""The way from the sheet of a new analysis to one that the hosted service runs; there only where somebody is signed in."""

from __future__ import annotations

from collections.abc import Callable

from qverify_desktop.domain.hosted_views import HostedStatusView
from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Desk, Place
from qverify_desktop.ui.widgets.basics import Button
from qverify_desktop.ui.widgets.sheet import Sheet


class RunHosted(Button):
    """Closes ``sheet`` and goes to the page of the service with what ``source`` names."""

    def __init__(self, desk: Desk, sheet: Sheet, source: Callable[[], str]) -> None:
        super().__init__(desk.theme, tr("Run it at the hosted service…"), self._go, kind="link", icon="send")
        self._desk, self._sheet, self._source = desk, sheet, source
        self.hide()
        # Without an answer there is no service.
        desk.bridge.ask(self, "hosted_status", self._show, failed=lambda _: None, key="hosted")

    def _show(self, status: HostedStatusView) -> None:
        self.setVisible(status["signed_in"] and not status["closed"])

    def _go(self) -> None:
        source = self._source()
        self._sheet.close_wanted.emit()
        self._desk.front.go(Place("hosted", item=source))
