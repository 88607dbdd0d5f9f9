"""Suspected defects of a run, each with the words it contradicts."""

from __future__ import annotations

from qverify_desktop.ui.run_page import RunPage


class DefectsPage(RunPage):
    """To be filled."""
