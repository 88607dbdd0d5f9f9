"""The page usage."""

from __future__ import annotations

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Page


class UsagePage(Page):
    """To be filled."""

    def title(self) -> str:
        return tr("Usage")
