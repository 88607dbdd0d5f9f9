"""Sending one bundle: announced, uploaded in parts that can be gone on with, watched until the service has checked it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted.connection import Answer, Asked, tried
from qverify_desktop.hosted.refusals import refusal, said, words_of
from qverify_desktop.hosted.service import HostedService, checked_id

#: Parts whose addresses are asked for at once: they expire.
BATCH = 8
#: Bytes read from the disk at once, the largest part and the most parts that are taken from the service.
PIECE, MOST_PART, MOST_PARTS = 1024 * 1024, 1 << 30, 10_000
#: Seconds for one part, besides what its bytes need at a slow line's 64 KiB a second.
PART_S, SLOW = 60.0, 64 * 1024
#: Seconds in which a bundle is announced: whoever waits is to be told soon that the service can't be reached.
ANNOUNCE_S = 10.0
#: How often an address that was refused, or parts that did not arrive, are asked for again.
TRIES = 4
#: States of imports and analyses that are their last.
FINAL = frozenset(("accepted", "rejected", "cancelled", "expired", "done", "failed"))
MOST_EVENT = 16 * 1024
#: Headers of ours that an address of a part can't name.
_OURS = frozenset(
    ("host", "content-length", "transfer-encoding", "connection", "authorization", "cookie", "te", "upgrade")
)

#: Bytes of the bundle that have arrived.
Sent = Callable[[int], None]


@dataclass(frozen=True)
class Announcement:
    """A bundle that is going to be sent; ``checkpoint`` is its closing note, ``public_key`` the installation's verifier key."""

    run: str
    size: int
    sha256: str
    disclosure: str
    checkpoint: str
    public_key: str

    def body(self) -> dict[str, Any]:
        return {
            "run": self.run,
            "size": self.size,
            "sha256": self.sha256,
            "disclosure": self.disclosure,
            "checkpoint": self.checkpoint,
            "public_key": self.public_key,
        }


@dataclass(frozen=True)
class Happened:
    """One event of an import or an analysis; the texts are the service's."""

    id: str
    state: str
    stage: str
    done: int
    total: int
    sentence: str


@dataclass(frozen=True)
class _Part:
    """One part of a bundle on the disk."""

    bundle: Path
    start: int
    length: int
    sent: Sent

    async def pieces(self) -> AsyncIterator[bytes]:
        """Its bytes, anew for every try."""
        done = 0
        with self.bundle.open("rb") as file:
            file.seek(self.start)
            while done < self.length:
                piece = await asyncio.to_thread(file.read, min(PIECE, self.length - done))
                if not piece:
                    raise HostedFailure("The bundle was changed while it was sent.", "Send it again.")
                yield piece
                done += len(piece)
                self.sent(done)


class Imports:
    """The imports of a service."""

    def __init__(self, service: HostedService) -> None:
        self._service = service

    async def announce(self, one: Announcement, key: str) -> dict[str, Any]:
        """``Import`` of the contract, new or the one that there is under this key. Raises ``HostedFailure``."""
        asked = self._service.call("POST", "/v1/imports", one.body(), key=key, deadline_s=ANNOUNCE_S)
        return _checked((await asked).json())

    async def get(self, id: str) -> dict[str, Any]:
        return _checked((await self._service.call("GET", f"/v1/imports/{checked_id(id)}")).json())

    async def cancel(self, id: str) -> None:
        """Give up an upload. Raises ``HostedFailure``."""
        await self._service.call("DELETE", f"/v1/imports/{checked_id(id)}")

    async def upload(self, id: str, bundle: Path, size: int, part_size: int, sent: Sent) -> dict[str, Any]:
        """Send the parts that are missing and say that all are there; answers the import. Raises ``HostedFailure``; what has arrived
        stays there and is not sent again."""
        base = f"/v1/imports/{checked_id(id)}"
        failure: HostedFailure | None = None
        for _ in range(TRIES):
            listed = (await self._service.call("GET", f"{base}/parts")).json()
            missing = _numbers(listed.get("missing"), -(-size // part_size))
            there = size - sum(_length(number, size, part_size) for number in missing)
            sent(there)
            for start in range(0, len(missing), BATCH):
                there = await self._send_batch(
                    base, missing[start : start + BATCH], bundle, size, part_size, there, sent
                )
            try:
                return _checked((await self._service.call("POST", f"{base}/complete")).json())
            except HostedFailure as error:
                if error.kind != "parts-missing":
                    raise
                failure = error
        raise failure or _senseless()

    async def _send_batch(
        self, base: str, numbers: list[int], bundle: Path, size: int, part_size: int, there: int, sent: Sent
    ) -> int:
        """Send these parts; answers how many bytes have arrived then."""
        signed = await self._addresses(base, numbers)
        for number in numbers:
            before = there

            def part_sent(done: int, before: int = before) -> None:
                sent(before + done)

            part = _Part(bundle, (number - 1) * part_size, _length(number, size, part_size), part_sent)
            for attempt in range(TRIES):
                answer = await self._put(part, *signed[number])
                if answer.status in (200, 201, 204):
                    break
                if answer.status != 403 or attempt + 1 == TRIES:
                    raise refusal(answer.status)
                # The address has expired.
                signed |= await self._addresses(base, [number])
            there = before + part.length
            sent(there)
        return there

    async def _put(self, part: _Part, url: str, headers: dict[str, str]) -> Answer:
        deadline_s = PART_S + part.length / SLOW
        asked = Asked("PUT", url, dict(headers), body=part.pieces, length=part.length, deadline_s=deadline_s)
        return await tried(lambda: self._service.connection.ask(asked), deadline_s)

    async def _addresses(self, base: str, numbers: list[int]) -> dict[int, tuple[str, dict[str, str]]]:
        """Address and headers for each of the parts."""
        told = (await self._service.call("POST", f"{base}/parts", {"numbers": numbers})).json()
        found: dict[int, tuple[str, dict[str, str]]] = {}
        for one in told.get("parts", ()):
            if isinstance(one, dict) and one.get("number") in numbers and isinstance(one.get("url"), str):
                await self._service.check_named(one["url"])
                found[one["number"]] = (one["url"], _headers(one.get("headers")))
        if {*found} != {*numbers}:
            raise _senseless()
        return found


async def watch(
    service: HostedService, path: str, after: str, told: Callable[[Happened], None], get: Callable[[], Awaitable[str]]
) -> str:
    """Follow what happens to something at ``path`` after the event of that id, to its final state, which is answered. Where the stream
    is cut it is gone on with; ``get`` asks for the state where it ends without one. A stream that never ends is left after ``WATCH_S``.
    Raises ``HostedFailure``."""
    last = after

    async def follow() -> str:
        nonlocal last
        async with service.events(f"{path}/events", last) as events:
            async for event in events:
                happened = _happened(event.id, event.data)
                if happened is None:
                    continue
                last = happened.id
                told(happened)
        state = await get()
        if state not in FINAL:
            raise _still_at_work()
        return state

    try:
        async with asyncio.timeout(WATCH_S):
            return await tried(follow, WATCH_S)
    except TimeoutError:
        raise _still_at_work() from None


def _still_at_work() -> HostedFailure:
    return HostedFailure("The hosted service is still at work.", "Look again later.", again=True)


#: Seconds that the service is watched before its answer is left for later.
WATCH_S = 900.0


def _happened(id: str, data: str) -> Happened | None:
    if len(data) > MOST_EVENT:
        return None
    try:
        facts = json.loads(data)
        return Happened(
            id,
            said(facts["state"]),
            said(facts.get("stage")),
            max(0, int(facts.get("done", 0))),
            max(0, int(facts.get("total", 0))),
            words_of(facts.get("sentence")),
        )
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return None


def _length(number: int, size: int, part_size: int) -> int:
    return min(part_size, size - (number - 1) * part_size)


def _numbers(ranges: object, parts: int) -> list[int]:
    """The numbers of ``PartRanges``, none beyond the last. Raises ``HostedFailure``."""
    found: list[int] = []
    for one in ranges if isinstance(ranges, list) else ():
        if not (isinstance(one, list) and len(one) == 2 and all(type(number) is int for number in one)):
            raise _senseless()
        first, last = one
        if not 1 <= first <= last <= parts:
            raise _senseless()
        found += range(first, last + 1)
        if len(found) > MOST_PARTS:
            raise _senseless()
    return found


def _headers(value: object) -> dict[str, str]:
    """Headers that belong to an address; what is ours, or is none, is left out."""
    found: dict[str, str] = {}
    entries: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else ()
    for name, text in entries:
        if not (isinstance(name, str) and isinstance(text, str) and name.isascii() and text.isascii()):
            continue
        sound = name.replace("-", "").isalnum() and text.isprintable() and len(text) <= 400 and len(found) < 10
        if sound and name.lower() not in _OURS:
            found[name.lower()] = text
    return found


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    """An import whose numbers and names can be used. Raises ``HostedFailure``."""
    checked_id(value.get("id"))
    part_size, parts = value.get("part_size"), value.get("parts")
    if type(part_size) is not int or type(parts) is not int or not isinstance(value.get("state"), str):
        raise _senseless()
    if not 1 <= part_size <= MOST_PART or not 1 <= parts <= MOST_PARTS:
        raise _senseless()
    return value


def _senseless() -> HostedFailure:
    return HostedFailure(
        "The hosted service answered with something that does not fit what it was asked. What was sent is kept there.",
        "Tell whoever runs it; the bundle stays here.",
    )
