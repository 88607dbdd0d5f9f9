"""What models took as comma-separated values (RFC 4180): the same columns for the window and the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from qverify_desktop.domain.usage_views import ModelCallView, ModelSumView
from qverify_desktop.export.csv_table import table

#: Money in millionths of a US dollar, as it is counted: a spreadsheet that sums dollars would round.
SUM_COLUMNS = (
    *("first_at", "calls", "failed", "cached", "doubtful", "prompt_tokens", "completion_tokens"),
    *("cost_microusd", "doubtful_microusd", "model_ms"),
)
CALL_COLUMNS = (
    *("call", "sent_at", "run", "repository", "purpose", "deployment", "provider", "model", "state"),
    *("prompt_tokens", "completion_tokens", "cost_microusd", "estimate_microusd", "model_ms", "sentence"),
)
GROUP_COLUMNS = {
    "run": ("run", "repository"),
    "repository": ("repository",),
    "provider": ("provider", "model"),
    "month": ("month",),
}


def sums_table(by: str, rows: Sequence[ModelSumView]) -> str:
    """A line for each group; ``by`` is a key of ``GROUP_COLUMNS``."""
    lines = ([*row["group"], *_values(row, SUM_COLUMNS)] for row in rows)
    return table((*GROUP_COLUMNS[by], *SUM_COLUMNS), lines)


def calls_table(rows: Sequence[ModelCallView]) -> str:
    """A line for each call."""
    return table(CALL_COLUMNS, (_values(row, CALL_COLUMNS) for row in rows))


def _values(row: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    return [row[name] for name in names]
