"""The page report."""

from __future__ import annotations

from qverify_desktop.ui.run_page import RunPage


class ReportPage(RunPage):
    """To be filled."""
