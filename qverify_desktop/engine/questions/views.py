"""Domain values as the shapes of ``domain.views``: pure functions."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import urlsplit

from qverify_desktop.domain.progress import RunSummary
from qverify_desktop.domain.result_views import HistoryEntry
from qverify_desktop.domain.results import Fraction, Measure
from qverify_desktop.domain.views import MeasureView, RunView


def canonical(source: str) -> str:
    """One text for each way to name the same source: a folder without ``~``, ``..`` and a slash at its end (links stay), an
    address without user names and passwords."""
    text = source.strip()
    if "://" not in text:
        return os.path.normpath(Path(text).expanduser()) if text.startswith(("/", "~")) else text
    try:
        parts = urlsplit(text)
    except ValueError:
        return text.rpartition("@")[2]
    user = parts.username if parts.scheme in ("ssh", "git+ssh", "ssh+git") else None
    host = parts.netloc.rpartition("@")[2]
    kept = parts._replace(netloc=f"{user}@{host}" if user else host, query="", fragment="")
    return kept.geturl().rstrip("/")


def name_of(source: str) -> str:
    """A repository's short name: the last part of its path or address, without ``.git``."""
    last = source.rstrip("/\\").replace("\\", "/").rpartition("/")[2].rpartition(":")[2]
    return last.removesuffix(".git").removesuffix(".bundle") or PurePath(source).name or source


def run_view(summary: RunSummary) -> RunView:
    return {
        "run": summary.run,
        "source": canonical(summary.source),
        "name": name_of(summary.source),
        "status": summary.status.value,
        "stage": summary.stage,
        "verdict": summary.verdict,
        "sentence": summary.sentence,
        "started_at": summary.started_at,
        "accepted": summary.accepted,
        "refused": summary.refused,
        "suspected": summary.suspected,
    }


def measure_view(before: Fraction, after: Fraction) -> MeasureView:
    return {
        "before_part": before.part,
        "before_whole": before.whole,
        "after_part": after.part,
        "after_whole": after.whole,
    }


def measure_views(before: Measure, after: Measure) -> dict[str, MeasureView]:
    """All three measures by name."""
    return {
        name: measure_view(getattr(before, name), getattr(after, name)) for name in ("lines", "branches", "mutants")
    }


def kept_measure(numbers: Sequence[int]) -> MeasureView:
    """A measure as the table of runs keeps it (``storage.runs.measures_of``)."""
    old, old_whole, new, new_whole = numbers
    return {"before_part": old, "before_whole": old_whole, "after_part": new, "after_whole": new_whole}


NOTHING: MeasureView = {"before_part": 0, "before_whole": 0, "after_part": 0, "after_whole": 0}


def history_entry(summary: RunSummary, kept: Mapping[str, Any] | None) -> HistoryEntry:
    """A finished run with its kept measures; of a run of an older version they are unknown."""
    numbers = kept or {}

    def measure(name: str) -> MeasureView:
        return kept_measure(numbers[name]) if name in numbers else NOTHING

    return {
        "run": run_view(summary),
        "commit": str(numbers.get("commit", "")),
        "scope": str(numbers.get("scope", "")),
        "model": str(numbers.get("model", "")),
        "lines": measure("lines"),
        "branches": measure("branches"),
        "mutants": measure("mutants"),
        "cost_microusd": numbers.get("cost_microusd"),
        "duration_ms": numbers.get("duration_ms"),
    }


def thousandths(part: int, whole: int) -> int | None:
    """A share in thousandths, ``None`` of an empty whole."""
    return round(part * 1000 / whole) if whole else None
