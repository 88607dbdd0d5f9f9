"""Fetching a file from an address that the service names: exactly the bytes that were announced, or nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from pathlib import Path

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted.analyses import BundleAddress
from qverify_desktop.hosted.connection import Asked
from qverify_desktop.hosted.imports import PART_S, SLOW, TRIES
from qverify_desktop.hosted.refusals import refusal
from qverify_desktop.hosted.service import SILENCE_S, HostedService

#: Bytes that have arrived, of how many.
Arrived = Callable[[int, int], None]


async def download(
    service: HostedService, find: Callable[[], Awaitable[BundleAddress]], path: Path, arrived: Arrived
) -> BundleAddress:
    """Write what lies at the address that ``find`` asks for into ``path``; asked anew where it has expired or the connection is cut.
    Raises ``HostedFailure``; ``path`` holds nothing to rely on then."""
    for attempt in range(TRIES):
        there = await find()
        await service.check_named(there.url)
        try:
            async with asyncio.timeout(PART_S + there.size / SLOW):
                await _fetched(service, there, path, arrived)
            return there
        except TimeoutError:
            raise HostedFailure("The bundle came too slowly, so it was not read on.", _AGAIN, again=True) from None
        except HostedFailure as failure:
            # 403: the address has expired.
            if attempt + 1 == TRIES or not (failure.again or failure.status == 403):
                raise
            await asyncio.sleep(failure.wait_s if 0 < failure.wait_s < PART_S else attempt)
    raise AssertionError("there is one try at least")


async def _fetched(service: HostedService, there: BundleAddress, path: Path, arrived: Arrived) -> None:
    digest, size = hashlib.sha256(), 0
    async with service.connection.pieces(Asked("GET", there.url), SILENCE_S) as (answer, pieces):
        if answer.status != 200:
            raise refusal(answer.status)
        with path.open("wb") as file:
            async for piece in pieces:
                size += len(piece)
                if size > there.size:
                    break
                digest.update(piece)
                await asyncio.to_thread(file.write, piece)
                arrived(size, there.size)
    if size < there.size:
        raise HostedFailure("The connection was cut before the bundle was whole.", _AGAIN, again=True)
    if size > there.size or digest.hexdigest() != there.sha256:
        raise HostedFailure(
            "What came is not the bundle that the hosted service announced: size or digest differ. It was thrown away.",
            "Try again; if it stays so, tell whoever runs the service.",
        )


_AGAIN = "Try again."
