"""The page source."""

from __future__ import annotations

from qverify_desktop.ui.run_page import RunPage


class SourcePage(RunPage):
    """To be filled."""
