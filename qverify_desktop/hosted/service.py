"""The hosted service as ``docs/hosted-api.yaml`` has it: every call is tried at its regions in order, with a token where it needs one."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from qverify_desktop.domain.connections import Gate
from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted.connection import DEADLINE_S, Answer, Asked, Connection, Reach, tried
from qverify_desktop.hosted.named import check_named
from qverify_desktop.hosted.refusals import refusal, said
from qverify_desktop.hosted.regions import Region, Regions
from qverify_desktop.hosted.server_events import ServerEvent, read_events
from qverify_desktop.hosted.session import Session
from qverify_desktop.hosted.sign_in import SignIn
from qverify_desktop.hosted.tokens import Vault

#: Seconds for one try at one region.
TRY_S = 30.0
#: Seconds for what a person only looks at.
SHOWN_S = 10.0
#: Seconds without a byte after which a stream of events counts as cut; a comment comes at least every 15.
SILENCE_S = 60.0
#: Ids of the service's things: they become part of an address.
_ID = re.compile(r"(imp|ana)_[0-9a-z]{26}")


@dataclass(frozen=True)
class Place:
    """Where the service is: ``regions`` are base addresses in the order in which they are tried. ``issuer`` and ``client`` are empty
    where the service is to say them; ``key`` is the verifier key that it must countersign with (empty: not pinned)."""

    regions: tuple[str, ...] = ()
    issuer: str = ""
    client: str = ""
    key: str = ""
    reach: Reach = field(default_factory=Reach)


class HostedService:
    """One service as the settings name it. ``move`` takes over changed settings. Used in one running loop."""

    def __init__(self, vault: Vault, gate: Gate, place: Place | None = None) -> None:
        self._gate = gate
        self.place = place or Place()
        self.session = Session(vault)
        self._connection = Connection(self.place.reach, gate)
        self._facts: dict[str, Any] | None = None
        self._sign_in: SignIn | None = None
        self._regions = Regions(self.place.regions)
        self._old: list[Connection] = []

    def move(self, place: Place) -> None:
        """Use another place from the next call on."""
        if place == self.place:
            return
        self.place = place
        self._old.append(self._connection)
        self._connection = Connection(place.reach, self._gate)
        self._facts = self._sign_in = None
        self._regions = Regions(place.regions)

    async def close(self) -> None:
        for one in (*self._old, self._connection):
            await one.close()
        self._old.clear()

    @property
    def connection(self) -> Connection:
        return self._connection

    @property
    def host(self) -> str:
        """The host of the first region, for showing; empty where none is set."""
        return checked_host(self.place.regions[0]) if self.place.regions else ""

    # What it is, and who is signed in

    async def facts(self) -> dict[str, Any]:
        """``Service`` of the contract, asked once. Raises ``HostedFailure``."""
        if self._facts is None:
            facts = (await self.call("GET", "/v1/service", signed=False)).json()
            for name in ("issuer", "client_id", "audience", "cosigner"):
                if not isinstance(facts.get(name), str):
                    raise HostedFailure(
                        "What answers there is no hosted service of QVerify. Nothing was sent.",
                        "Correct the addresses of the hosted service in the settings.",
                    )
            self._facts = facts
        return self._facts

    async def sign_in(self) -> SignIn:
        """The sign-in of this place. Raises ``HostedFailure``."""
        if self._sign_in is None:
            facts = await self.facts()
            issuer = self.place.issuer or str(facts["issuer"])
            await self.check_named(issuer)
            self._sign_in = SignIn(
                self._connection,
                issuer,
                self.place.client or str(facts["client_id"]),
                str(facts["audience"]),
                self.check_named,
            )
        return self._sign_in

    async def regions(self) -> list[Region]:
        """All regions as they are tried, asked of the service; those that it names are tried from now on after the set ones. Raises
        ``HostedFailure``."""
        told = (await self.call("GET", "/v1/regions", signed=False, deadline_s=SHOWN_S)).json()
        return await self._regions.take(told, self.check_named)

    async def check_named(self, url: str) -> None:
        """Raises ``HostedFailure`` for an address that the service or its sign-in names and that is not used (``named``)."""
        await check_named(self._connection, url, filter(None, (*self.place.regions, self.place.issuer)))

    # Calls

    async def call(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        key: str = "",
        signed: bool = True,
        deadline_s: float = DEADLINE_S,
    ) -> Answer:
        """The answer of the first region that gives one. Every request of the contract can be repeated, so each may be tried again.
        Raises ``HostedFailure`` for a status that is no success."""
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if key:
            headers["idempotency-key"] = key
        content = None if body is None else json.dumps(body).encode()

        async def once() -> Answer:
            return await self._at_regions(
                lambda base: Asked(method, base + path, dict(headers), content, deadline_s=min(TRY_S, deadline_s)),
                signed,
            )

        answer = await tried(once, deadline_s)
        if not 200 <= answer.status < 300:
            raise refusal(answer.status, answer.body)
        return answer

    @asynccontextmanager
    async def events(self, path: str, after: str) -> AsyncIterator[AsyncIterator[ServerEvent]]:
        """What happens, after the event of that id; ends where nothing more will come, or the connection is cut. Raises
        ``HostedFailure``."""
        headers = {"accept": "text/event-stream", "cache-control": "no-store"}
        if after:
            headers["last-event-id"] = after
        failure: HostedFailure | None = None
        for base in self._order():
            asked = Asked("GET", base + path, dict(headers))
            asked.headers["authorization"] = f"Bearer {await self.session.access(await self.sign_in())}"
            try:
                async with self._connection.pieces(asked, SILENCE_S) as (answer, pieces):
                    if answer.status not in (200, 204):
                        raise refusal(answer.status, answer.body)
                    yield read_events(pieces)
                    return
            except HostedFailure as error:
                failure = error
                if not error.again or error.status == 429:
                    raise
                self._regions.put_aside(base)
        raise failure or _nowhere()

    async def _at_regions(self, make: Callable[[str], Asked], signed: bool) -> Answer:
        failure: HostedFailure | None = None
        for base in self._order():
            try:
                return await self._signed(make(base)) if signed else await self._connection.ask(make(base))
            except HostedFailure as error:
                # What an account may do is the same at every region.
                if not error.again or error.status == 429:
                    raise
                failure = error
                self._regions.put_aside(base)
        raise failure or _nowhere()

    async def _signed(self, asked: Asked) -> Answer:
        sign_in = await self.sign_in()
        token = await self.session.access(sign_in)
        asked.headers["authorization"] = f"Bearer {token}"
        answer = await self._connection.ask(asked)
        if answer.status != 401:
            return answer
        # The access token may have been spent on the way, or the issuer has changed its keys.
        asked.headers["authorization"] = f"Bearer {await self.session.access(sign_in, refused=token)}"
        return await self._connection.ask(asked)

    def _order(self) -> list[str]:
        if not self.place.regions:
            raise _nowhere()
        return self._regions.order()


def checked_id(value: object) -> str:
    """An id of an import or an analysis. Raises ``HostedFailure``: it becomes part of an address."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise HostedFailure("The hosted service named something by what is no name.", "Tell whoever runs it.")
    return value


def checked_host(base: str) -> str:
    """The host of an address with its port, for showing; the text where it is none."""
    return said(base.partition("://")[2].partition("/")[0].rpartition("@")[2] or base)


def _nowhere() -> HostedFailure:
    return HostedFailure(
        "No hosted service is set. Nothing was sent.",
        "Set its address in the settings (hosted_regions), for example https://hosted.example",
    )
