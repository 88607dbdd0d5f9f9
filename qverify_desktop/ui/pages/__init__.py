"""The pages of the window, by name. A page's module is imported at its first visit, so that the window paints first."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING

from qverify_desktop.ui.language import later

if TYPE_CHECKING:
    from qverify_desktop.ui.page import Desk, Page


@dataclass(frozen=True)
class Entry:
    """How a page is named, drawn and found. ``title`` is an English catalogue text."""

    title: str
    icon: str
    module: str
    factory: str


#: Pages of the rail in their order (Ctrl+1 …); the last two stand at its foot.
RAIL = {
    "home": Entry(later("Home"), "home", "home", "HomePage"),
    "runs": Entry(later("Runs"), "runs", "runs", "RunsPage"),
    "evidence": Entry(later("Evidence"), "evidence", "evidence", "EvidencePage"),
    "models": Entry(later("Models"), "model", "models", "ModelsPage"),
    "usage": Entry(later("Usage"), "usage", "usage", "UsagePage"),
    "environment": Entry(later("Environment"), "environment", "environment", "EnvironmentPage"),
    "settings": Entry(later("Settings"), "settings", "settings", "SettingsPage"),
}
FOOT = ("environment", "settings")

#: Tabs of a run in their order.
TABS = {
    "progress": Entry(later("Progress"), "play", "progress", "ProgressPage"),
    "results": Entry(later("Results"), "flask", "results", "ResultsPage"),
    "defects": Entry(later("Suspected defects"), "diamond-alert", "defects", "DefectsPage"),
    "source": Entry(later("Source"), "code", "source", "SourcePage"),
    "run-evidence": Entry(later("Evidence"), "evidence", "run_evidence", "RunEvidencePage"),
    "report": Entry(later("Report"), "report", "report", "ReportPage"),
}

#: Pages that are reached from others.
OTHERS = {
    "repository": Entry(later("History"), "clock", "repository", "RepositoryPage"),
    "compare": Entry(later("Compare"), "compare", "compare", "ComparePage"),
    "reproduction": Entry(later("Executed again"), "refresh", "reproduction", "ReproductionPage"),
    "bundle": Entry(later("Bundle"), "shield", "bundle", "BundlePage"),
}

PAGES = {**RAIL, **TABS, **OTHERS}


def build(name: str, desk: Desk) -> Page:
    """Import and make a page."""
    entry = PAGES[name]
    made: Page = getattr(import_module(f"{__name__}.{entry.module}"), entry.factory)(desk)
    made.name = name
    return made
