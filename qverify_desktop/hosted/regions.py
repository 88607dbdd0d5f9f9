"""The entries to one service, in the order in which they are tried: those that a person set, then those that the service names."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted.refusals import said

#: Seconds for which a region that failed is asked last, and how many are taken from the service.
ASIDE_S = 30.0
MOST_REGIONS = 50


@dataclass(frozen=True)
class Region:
    """``refusal`` says why it is never used (empty: it may be)."""

    id: str
    title: str
    endpoint: str
    accepts: bool
    is_set: bool
    is_current: bool
    refusal: str = ""


class Regions:
    """``set_`` are base addresses in the order of the settings."""

    def __init__(self, set_: tuple[str, ...]) -> None:
        self.set = set_
        self._told: tuple[Region, ...] = ()
        self._aside: dict[str, float] = {}

    def order(self) -> list[str]:
        """Base addresses as they are tried: those that failed a moment ago last."""
        told = (one.endpoint for one in self._told if not one.is_set and one.accepts and not one.refusal)
        now = time.monotonic()
        return sorted([*self.set, *told], key=lambda base: self._aside.get(base, 0.0) > now)

    def put_aside(self, base: str) -> None:
        self._aside[base] = time.monotonic() + ASIDE_S

    async def take(self, told: Mapping[str, Any], check: Callable[[str], Awaitable[None]]) -> list[Region]:
        """Take over ``Regions`` of the contract; ``check`` refuses an address that the service may not name. Answers all regions, set ones
        first and in their order."""
        listed = told.get("regions")
        found: dict[str, Region] = {}
        for one in (listed if isinstance(listed, list) else [])[:MOST_REGIONS]:
            if not isinstance(one, dict) or not isinstance(one.get("endpoint"), str):
                continue
            base, refusal = one["endpoint"].rstrip("/"), ""
            is_set = base in self.set
            if not is_set:
                try:
                    await check(base)
                except HostedFailure as error:
                    refusal = error.sentence
            id, current = said(one.get("id"))[:40], one.get("id") == told.get("current")
            accepts = one.get("accepts") is not False
            found[base] = Region(id, said(one.get("title"))[:100], base, accepts, is_set, current, refusal)
        first = [found.pop(base, Region("", "", base, True, True, False)) for base in self.set]
        self._told = (*first, *found.values())
        return list(self._told)
