"""The page run evidence."""

from __future__ import annotations

from qverify_desktop.ui.run_page import RunPage


class RunEvidencePage(RunPage):
    """To be filled."""
