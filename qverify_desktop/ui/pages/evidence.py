"""The page evidence."""

from __future__ import annotations

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.page import Page


class EvidencePage(Page):
    """To be filled."""

    def title(self) -> str:
        return tr("Evidence")
