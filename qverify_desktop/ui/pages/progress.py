"""The page progress."""

from __future__ import annotations

from qverify_desktop.ui.run_page import RunPage


class ProgressPage(RunPage):
    """To be filled."""
