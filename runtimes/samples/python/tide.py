"""A few lines of real code, so that an image is proved by running some."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def highest(levels: Iterable[float]) -> float:
    """Highest level. Raises ``ValueError`` when there is none."""
    return max(levels)


def next_high_water(last: datetime, zone: str) -> datetime:
    """The high water that follows ``last``, 12 hours 25 minutes later, in the zone's local time."""
    return (last + timedelta(hours=12, minutes=25)).astimezone(ZoneInfo(zone))


async def settle(levels: list[float]) -> float:
    """Mean of the levels, taken after one turn of the loop."""
    await asyncio.sleep(0)
    return sum(levels) / len(levels)
