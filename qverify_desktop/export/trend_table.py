"""Runs of repositories with their numbers as comma-separated values (RFC 4180): the same columns everywhere."""

from __future__ import annotations

from collections.abc import Sequence

from qverify_desktop.domain.result_views import TrendView
from qverify_desktop.domain.trend import SERIES, Kind
from qverify_desktop.export.csv_table import table

#: Shares in thousandths, money in millionths of a US dollar, as they are counted: a spreadsheet that sums would round.
COLUMNS = (
    *("repository", "run", "started_at", "commit", "scope", "model", "verdict"),
    *(f"{series.name}_permille" if series.kind is Kind.SHARE else series.name for series in SERIES),
)


def trend_table(trends: Sequence[TrendView]) -> str:
    """A line for each run, oldest first in each repository; a number that is not known is empty."""
    lines = (
        (
            *(trend["source"], entry["run"]["run"], entry["run"]["started_at"], entry["commit"]),
            *(entry["scope"], entry["model"], entry["run"]["verdict"]),
            *(series.value(entry) for series in SERIES),
        )
        for trend in trends
        for entry in reversed(trend["runs"])
    )
    return table(COLUMNS, lines)
