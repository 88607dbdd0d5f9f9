"""What every part of a replica needs, and what the test may set."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.hosted_service.bundles import Bundles
from tests.hosted_service.checkpoints import Cosigner
from tests.hosted_service.contract import Refusal
from tests.hosted_service.store import Connection, Store, one, text
from tests.hosted_service.tokens import Tokens

#: Settings of a test, by name, with what holds when nothing was set. Durations are seconds, sizes bytes.
DEFAULTS: dict[str, Any] = {
    "limits": {
        "max_body_size": 65536,
        "max_bundle_size": 64 << 20,
        "part_size": 4096,
        "max_parts": 10000,
        "upload_expires_s": 3600,
    },
    "part_expires_s": 300,
    "lease_s": 1.0,
    "keep_alive_s": 15,
    "quotas": {"imports": None, "import_bytes": None, "analyses": None, "model_cost": None},
    "rate": None,  # {"requests": 5, "window_s": 2} for each organisation
    "pace_s": 0.01,  # of one step of an analysis
    "failing_analyses": False,
    "accepts": True,
}


@dataclass(frozen=True)
class Answer:
    """An answer of an operation. ``stream`` are server-sent events in place of a body."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: AsyncIterator[bytes] | None = None


@dataclass(frozen=True)
class House:
    """One replica."""

    name: str
    store: Store
    bundles: Bundles
    tokens: Tokens
    cosigner: Cosigner
    region: str
    regions: list[dict[str, Any]]
    client_id: str
    scratch: Path

    async def setting(self, connection: Connection, name: str) -> Any:
        found = await self.store.setting(connection, name)
        default = DEFAULTS[name]
        if isinstance(default, dict):
            return default | (found or {})
        return default if found is None else found

    async def stored(self, work: Callable[..., Any], *values: Any) -> Any:
        """Blocking work with the object store."""
        return await asyncio.to_thread(work, *values)


def month() -> tuple[dt.datetime, dt.datetime]:
    """Start and end of the period that quotas count in: this calendar month, UTC."""
    start = dt.datetime.now(dt.UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return start, (start + dt.timedelta(days=32)).replace(day=1)


async def used(connection: Connection, org: str) -> dict[str, int]:
    """What an organisation has used of each quota in this period; what failed or was given up counts nothing."""
    start, _ = month()
    imports = await one(
        connection,
        "select count(*) as n, coalesce(sum((request->>'size')::bigint), 0)::bigint as bytes from imports where org = %s "
        "and created >= %s and state in ('uploading', 'checking', 'accepted')",
        org,
        start,
    )
    analyses = await one(
        connection,
        "select count(*) filter (where state in ('queued', 'running', 'done')) as n, coalesce(sum(cost), 0)::bigint as cost "
        "from analyses where org = %s and created >= %s",
        org,
        start,
    )
    assert imports is not None and analyses is not None
    return {
        "imports": imports["n"],
        "import_bytes": imports["bytes"],
        "analyses": analyses["n"],
        "model_cost": analyses["cost"],
    }


async def make_room(house: House, connection: Connection, org: str, wanted: Mapping[str, int]) -> None:
    """Raises ``Refusal`` where a quota has no room for what is ``wanted``."""
    limits, have = await house.setting(connection, "quotas"), await used(connection, org)
    for resource, more in wanted.items():
        limit = limits[resource]
        if limit is not None and have[resource] + more > limit:
            raise Refusal(
                "quota-exhausted",
                f"The plan's quota of {resource} is used up. It begins anew with the next period.",
                resource=resource,
                used=have[resource],
                limit=limit,
                resets_at=text(month()[1]),
            )
