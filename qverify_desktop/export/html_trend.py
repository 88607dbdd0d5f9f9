"""The history of a repository as drawings of a report: numbers become places, without a script and without a library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.trend import AMOUNTS, SHARES, Kind, Series, comparable, rounded_scale, told

#: Size of a drawing in its own units; it is stretched to the room that there is.
WIDE, HIGH = 1000, 100
#: Bars take this part of their slot, in thousandths.
_BAR = 700


@dataclass(frozen=True)
class Curve:
    """One share over the runs: pieces of a line (a run that did not measure it leaves a gap), dots, newest value in words."""

    title: str
    newest: str
    pieces: tuple[str, ...]
    dots: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Bars:
    """One amount over the runs: for each run left, top, width and height of its bar."""

    title: str
    newest: str
    most: str
    bars: tuple[tuple[int, int, int, int], ...]


@dataclass(frozen=True)
class Trend:
    """``runs`` (oldest first) are drawn; ``others`` of the history have another scope and are only in the table."""

    runs: tuple[HistoryEntry, ...]
    others: int
    low: str
    high: str
    curves: tuple[Curve, ...]
    amounts: tuple[Bars, ...]

    @property
    def first_day(self) -> str:
        return self.runs[0]["run"]["started_at"][:10]

    @property
    def last_day(self) -> str:
        return self.runs[-1]["run"]["started_at"][:10]


def trend_of(history: Sequence[HistoryEntry]) -> Trend | None:
    """``history`` is newest first, and its first the run of the report. ``None`` where there is nothing to compare with."""
    if len(history) < 2:
        return None
    runs = tuple(reversed(comparable(history)))
    known = [value for series in SHARES for entry in runs if (value := series.value(entry)) is not None]
    low, high = rounded_scale(known)
    return Trend(
        runs,
        len(history) - len(runs),
        told(Kind.SHARE, low),
        told(Kind.SHARE, high),
        tuple(_curve(series, runs, low, high) for series in SHARES),
        tuple(_bars(series, runs) for series in AMOUNTS),
    )


def _curve(series: Series, runs: Sequence[HistoryEntry], low: int, high: int) -> Curve:
    values = [series.value(entry) for entry in runs]
    pieces: list[list[tuple[int, int]]] = [[]]
    for number, value in enumerate(values):
        if value is None:
            pieces.append([])
            continue
        x = WIDE * number // max(1, len(runs) - 1)
        pieces[-1].append((x, HIGH - HIGH * (value - low) // max(1, high - low)))
    known = [value for value in values if value is not None]
    return Curve(
        series.title,
        told(series.kind, known[-1] if known else None),
        tuple(" ".join(f"{x},{y}" for x, y in piece) for piece in pieces if len(piece) > 1),
        tuple(dot for piece in pieces for dot in piece),
    )


def _bars(series: Series, runs: Sequence[HistoryEntry]) -> Bars:
    values = [series.value(entry) for entry in runs]
    most = max((value for value in values if value is not None), default=0)
    slot = WIDE // len(runs)
    width = max(1, slot * _BAR // 1000)
    bars = []
    for number, value in enumerate(values):
        if value:
            high = max(2, HIGH * value // most)
            bars.append((number * slot + (slot - width) // 2, HIGH - high, width, high))
    newest = next((value for value in reversed(values) if value is not None), None)
    return Bars(series.title, told(series.kind, newest), told(series.kind, most), tuple(bars))
