"""The results of a run: verdict, measures, every test that was written and what became of it."""

from __future__ import annotations

from qverify_desktop.ui.run_page import RunPage


class ResultsPage(RunPage):
    """To be filled."""
