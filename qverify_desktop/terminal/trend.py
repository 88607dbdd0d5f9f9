"""Repositories over their runs as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from qverify_desktop.domain.trend import SERIES, told

#: Widest name of a repository.
_NAME = 28
#: Headings that fit over a column.
_HEADS = {
    "lines": "lines",
    "branches": "branches",
    "mutants": "mutants",
    "accepted": "kept",
    "suspected": "suspected",
    "cost_microusd": "cost",
    "duration_ms": "time",
}


def overview(trends: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """A line for each repository: its name, and how it went."""
    if not trends:
        yield "No analysis has finished yet."
    for trend in trends:
        name = trend["name"] if len(trend["name"]) <= _NAME else f"{trend['name'][: _NAME - 1]}…"
        yield f"{name:<{_NAME}}  {trend['sentence']}"
        yield f"{'':<{_NAME}}  {trend['source']}"


def history(trend: Mapping[str, Any]) -> Iterator[str]:
    """The runs of one repository, newest first, a column for each number."""
    yield f"{trend['name']}: {trend['sentence']}"
    heads = ["run", "started", "scope", *(_HEADS[series.name] for series in SERIES)]
    rows = [
        [
            entry["run"]["run"],
            entry["run"]["started_at"],
            entry["scope"] or "unknown",
            *(told(series.kind, series.value(entry)) for series in SERIES),
        ]
        for entry in trend["runs"]
    ]
    widths = [max(len(row[at]) for row in [heads, *rows]) for at in range(len(heads))]
    # Numbers stand right, so that they can be compared by eye.
    for row in [heads, *rows]:
        cells = [
            cell.ljust(width) if at < 3 else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
    if trend["total"] > len(trend["runs"]):
        yield f"and {trend['total'] - len(trend['runs']):,} older ones"
