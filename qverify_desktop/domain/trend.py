"""How a repository goes from run to run: which numbers are followed, their value in one run, and the change in words.

The one table for the window's charts, the command line, the CSV file and the report, so that all of them say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.views import MeasureView

#: A trend's scale spans at least 12 points (in thousandths), so that noise stays flat.
LEAST_SPAN = 120


class Kind(StrEnum):
    """What a number counts: a share in thousandths, a count, millionths of a US dollar, or milliseconds."""

    SHARE = "share"
    COUNT = "count"
    MONEY = "money"
    TIME = "time"


@dataclass(frozen=True)
class Series:
    """A number that is followed over runs. ``value`` is ``None`` where the run did not measure it, or an older version did
    not keep it."""

    name: str
    title: str
    kind: Kind
    value: Callable[[HistoryEntry], int | None]


def after_of(measure: MeasureView) -> int | None:
    """A measure with the accepted tests, in thousandths."""
    return thousandths(measure["after_part"], measure["after_whole"])


def thousandths(part: int, whole: int) -> int | None:
    """A share in thousandths, rounded; all and nothing only where it is so. ``None`` of an empty whole."""
    if whole <= 0:
        return None
    exact = round(part * 1000 / whole)
    if part >= whole:
        return exact
    return min(999, max(1, exact)) if part > 0 else exact


SERIES: tuple[Series, ...] = (
    Series("lines", "Line coverage", Kind.SHARE, lambda entry: after_of(entry["lines"])),
    Series("branches", "Branch coverage", Kind.SHARE, lambda entry: after_of(entry["branches"])),
    Series("mutants", "Mutation score", Kind.SHARE, lambda entry: after_of(entry["mutants"])),
    Series("accepted", "Tests kept", Kind.COUNT, lambda entry: entry["run"]["accepted"]),
    Series("suspected", "Suspected defects", Kind.COUNT, lambda entry: entry["run"]["suspected"]),
    Series("cost_microusd", "Cost", Kind.MONEY, lambda entry: entry["cost_microusd"]),
    Series("duration_ms", "Time", Kind.TIME, lambda entry: entry["duration_ms"]),
)
SHARES = tuple(series for series in SERIES if series.kind is Kind.SHARE)
AMOUNTS = tuple(series for series in SERIES if series.kind is not Kind.SHARE)


def comparable(entries: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    """Of runs, newest first, those with the scope of the newest: others measured other lines, and a line through both would
    tell of the scope and not of the code. An older version did not keep the scope; its runs stay."""
    return [entry for entry in entries if entry["scope"] in (entries[0]["scope"], "") or not entries[0]["scope"]]


def scale(values: Sequence[int]) -> tuple[int, int]:
    """Bottom and top of a trend's scale: the values' own range, widened to 12 points within 0 to 100 %."""
    low, high = min(values), max(values)
    if high - low < LEAST_SPAN:
        middle = (low + high) // 2
        low, high = middle - LEAST_SPAN // 2, middle + LEAST_SPAN // 2
        if low < 0:
            low, high = 0, LEAST_SPAN
        if high > 1000:
            low, high = 1000 - LEAST_SPAN, 1000
    return low, high


def rounded_scale(values: Sequence[int]) -> tuple[int, int]:
    """The same in whole tens of points, so that the words of a grid are short; all of it for no values."""
    low, high = scale(values) if values else (0, 1000)
    return low // 100 * 100, min(1000, -(-high // 100) * 100)


def told(kind: Kind, value: int | None) -> str:
    """A value for a person: "88.6 %", "12,904", "$0.31", "1.6 s"; "unknown" for ``None``."""
    if value is None:
        return "unknown"
    if kind is Kind.SHARE:
        return f"{value / 10:.1f} %"
    if kind is Kind.MONEY:
        return (
            "free" if value == 0 else f"${value / 1_000_000:.2f}" if value >= 95_000 else f"${value / 1_000_000:.4f}"
        )
    if kind is Kind.TIME:
        seconds = round(value / 1000)
        if seconds >= 3600:
            return f"{seconds // 3600} h {seconds % 3600 // 60} min"
        return f"{seconds // 60} min {seconds % 60} s" if seconds >= 60 else f"{value / 1000:.1f} s"
    return f"{value:,}"


def sentence(entries: Sequence[HistoryEntry]) -> str:
    """How often, and how line coverage and mutation score went; ``entries`` newest first."""
    count = "1 finished run" if len(entries) == 1 else f"{len(entries)} finished runs"
    if len(entries) < 2:
        return f"{count}."
    went = []
    for series in (SERIES[0], SERIES[2]):
        known = [value for value in map(series.value, reversed(entries)) if value is not None]
        if len(known) > 1:
            went.append(
                f"{series.title.lower()} went from {told(series.kind, known[0])} to {told(series.kind, known[-1])}"
            )
    return f"{count}: {' and '.join(went)}." if went else f"{count}; their measures can't be compared."
