"""Signing in by the OAuth 2.0 device flow (RFC 8628) at an issuer that is discovered (OpenID Connect Discovery 1.0), and out again
(RFC 7009)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted.connection import Answer, Asked, Connection, tried
from qverify_desktop.hosted.refusals import refusal, said, words_of
from qverify_desktop.hosted.tokens import Tokens, tokens_of

SCOPE = "openid profile offline_access imports analyses usage"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
#: Seconds between two questions where the issuer says nothing, what a ``slow_down`` adds (RFC 8628, section 3.5), bounds of both.
USUAL_INTERVAL_S, SLOWER_S, LONGEST_INTERVAL_S, LONGEST_CODE_S = 5, 5, 60, 3600
SECONDS = 20.0


class SignInRefused(HostedFailure):
    """The person, the issuer or time said no: nobody is signed in."""


@dataclass(frozen=True)
class Issuer:
    """What is used of an issuer's metadata; ``revocation`` may be empty."""

    issuer: str
    device: str
    token: str
    revocation: str


@dataclass(frozen=True)
class DeviceCode:
    """What the person is shown (``code``, ``address``; ``whole_address`` holds both, for a QR code) and what is asked with.
    ``expires_in`` and ``interval`` are seconds."""

    code: str
    address: str
    whole_address: str
    expires_in: int
    interval: int
    device: str

    def __repr__(self) -> str:
        return f"DeviceCode({self.code!r})"


class SignIn:
    """One client of one issuer; ``check`` refuses an address that the issuer may not name."""

    def __init__(
        self, connection: Connection, issuer: str, client: str, audience: str, check: Callable[[str], Awaitable[None]]
    ) -> None:
        self._connection = connection
        self.issuer = issuer
        self._client = client
        self._audience = audience
        self._check = check
        self._found: Issuer | None = None

    async def discover(self) -> Issuer:
        """The issuer's metadata, asked once. Raises ``HostedFailure``."""
        if self._found is None:
            asked = Asked("GET", f"{self.issuer.rstrip('/')}/.well-known/openid-configuration", deadline_s=SECONDS)
            answer = await tried(lambda: self._connection.ask(asked), SECONDS)
            if answer.status != 200:
                raise refusal(answer.status, answer.body)
            facts = answer.json()
            # Section 4.3 of the discovery: the issuer is exactly the one that was asked for.
            if facts.get("issuer") != self.issuer:
                raise HostedFailure(
                    "The sign-in names itself otherwise than it is called here, so it was not used.",
                    "Correct the address of the sign-in in the settings (hosted_issuer).",
                )
            found = Issuer(
                self.issuer,
                _address(facts, "device_authorization_endpoint"),
                _address(facts, "token_endpoint"),
                str(facts.get("revocation_endpoint") or ""),
            )
            for address in filter(None, (found.device, found.token, found.revocation)):
                await self._check(address)
            self._found = found
        return self._found

    async def begin(self) -> DeviceCode:
        """Ask for a code. Raises ``HostedFailure``."""
        issuer = await self.discover()
        answer = await self._post(
            issuer.device, {"client_id": self._client, "scope": SCOPE, "resource": self._audience}
        )
        if answer.status != 200:
            raise _oauth_refusal(answer)
        facts = answer.json()
        code, address = said(facts.get("user_code")), str(facts.get("verification_uri", ""))
        whole = str(facts.get("verification_uri_complete") or address)
        device = facts.get("device_code")
        if not code or not isinstance(device, str) or not (_shows(address) and _shows(whole)):
            raise HostedFailure("The sign-in gave no code that can be shown.", "Tell whoever runs it.")
        return DeviceCode(
            code,
            address,
            whole,
            _whole(facts.get("expires_in"), 600, LONGEST_CODE_S),
            _whole(facts.get("interval"), USUAL_INTERVAL_S, LONGEST_INTERVAL_S),
            device,
        )

    async def wait(self, code: DeviceCode) -> Tokens:
        """Ask until the person has said yes. Raises ``SignInRefused`` for a no or a code that expired, ``HostedFailure``."""
        issuer = await self.discover()
        until, interval = time.monotonic() + code.expires_in, float(code.interval)
        form = {"grant_type": DEVICE_GRANT, "device_code": code.device, "client_id": self._client}
        while time.monotonic() + interval < until:
            await asyncio.sleep(interval)
            try:
                answer = await self._post(issuer.token, form)
            except HostedFailure as error:
                if not error.again:
                    raise
                interval = min(2 * interval, LONGEST_INTERVAL_S)
                continue
            if answer.status == 200:
                return tokens_of(answer.json(), self.issuer)
            error_name = _error_of(answer)
            if error_name == "slow_down":
                interval = min(interval + SLOWER_S, LONGEST_INTERVAL_S)
            elif error_name != "authorization_pending":
                raise _oauth_refusal(answer)
        raise SignInRefused("The code expired before it was confirmed. Nobody is signed in.", "Sign in again.")

    async def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for the old ones. Raises ``SignInRefused`` where the issuer takes them no more, ``HostedFailure``."""
        issuer = await self.discover()
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh, "client_id": self._client}
        answer = await self._post(issuer.token, form)
        if answer.status != 200:
            raise _oauth_refusal(answer)
        return tokens_of(answer.json(), self.issuer, tokens)

    async def revoke(self, tokens: Tokens) -> bool:
        """Have the issuer forget the sign-in; answers whether it did. Raises ``HostedFailure``."""
        issuer = await self.discover()
        if not issuer.revocation:
            return False
        done = True
        for token, hint in ((tokens.refresh, "refresh_token"), (tokens.access, "access_token")):
            if token:
                form = {"token": token, "token_type_hint": hint, "client_id": self._client}
                done = (await self._post(issuer.revocation, form)).status == 200 and done
        return done

    async def _post(self, url: str, form: dict[str, str]) -> Answer:
        # A refresh token may be good for one use: it is not sent twice by itself.
        headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
        return await self._connection.ask(Asked("POST", url, headers, urlencode(form).encode(), deadline_s=SECONDS))


_REFUSED = {
    "access_denied": ("The sign-in was refused. Nobody is signed in.", "Sign in again if that was a mistake."),
    "expired_token": ("The code expired before it was confirmed. Nobody is signed in.", "Sign in again."),
    "invalid_grant": (
        "This sign-in has ended: it expired or was revoked. What was queued here is kept.",
        "Sign in again: qverify hosted sign-in",
    ),
    "invalid_client": (
        "The sign-in does not know this QVerify.",
        "Correct the name under which it is known (hosted_client) in the settings.",
    ),
    "unauthorized_client": (
        "The sign-in does not let this QVerify sign in with a code.",
        "Ask whoever runs the sign-in to allow the device flow for it.",
    ),
}


def _oauth_refusal(answer: Answer) -> HostedFailure:
    name = _error_of(answer)
    if name in _REFUSED:
        return SignInRefused(*_REFUSED[name], status=answer.status)
    return (
        refusal(answer.status, answer.body)
        if answer.status >= 500
        else SignInRefused(
            f"The sign-in refused ({words_of(name) or answer.status}). Nobody is signed in.",
            "Sign in again.",
            status=answer.status,
        )
    )


def _error_of(answer: Answer) -> str:
    try:
        return str(answer.json().get("error", ""))[:100]
    except HostedFailure:
        return ""


def _address(facts: dict[str, Any], name: str) -> str:
    value = facts.get(name)
    if not isinstance(value, str) or not value:
        raise HostedFailure(
            f"The sign-in names no {name.replace('_', ' ')}, so QVerify can't sign in there.",
            "Ask whoever runs it to allow the device flow (RFC 8628).",
        )
    return value


def _shows(address: str) -> bool:
    """Whether an address may be shown to be opened: the web's schemes, short enough for a QR code, printable."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return (
        parts.scheme in ("https", "http") and bool(parts.hostname) and len(address) < 1000 and address.isprintable()
    )


def _whole(value: object, usual: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return usual
    return min(value, most)
