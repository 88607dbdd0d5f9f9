"""Access and refresh token of one sign-in, and the form in which a vault keeps them."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from qverify_desktop.domain.errors import HostedFailure

#: Names in the vault: one token each, because some keyrings take only short values.
ACCESS, REFRESH, FACTS = "hosted/access", "hosted/refresh", "hosted/session"
MOST_TOKEN = 16_384
#: Seconds before its end at which an access token counts as spent, and its life where the issuer does not say.
EARLY_S, USUAL_S = 30, 300


class Vault(Protocol):
    """Where secrets are kept: keyring, key file, or this process (``settings.secrets.ApiKeys``). All may block."""

    def secret(self, name: str) -> str: ...

    def keep_secrets(self, secrets: Mapping[str, str], store: str = "", passphrase: str = "") -> None: ...

    def forget_secrets(self, names: tuple[str, ...]) -> None: ...


@dataclass(frozen=True)
class Tokens:
    """A sign-in. Times are seconds of this machine's clock (0: not said), taken from lives and not from the issuer's clock, so that
    a wrong clock on either side does no harm. ``organisation`` and ``account`` are what the access token says, for showing
    only: only the service can check it."""

    issuer: str
    access: str
    refresh: str
    access_until: float
    signed_in_at: float
    refresh_until: float = 0.0
    organisation: str = ""
    account: str = ""

    @property
    def spent(self) -> bool:
        return time.time() >= self.access_until - EARLY_S

    def __repr__(self) -> str:
        return f"Tokens({self.issuer!r})"


def tokens_of(answer: Mapping[str, Any], issuer: str, before: Tokens | None = None) -> Tokens:
    """Tokens out of a token endpoint's answer (RFC 6749, section 5.1). An issuer may keep the refresh token as it was. Raises
    ``HostedFailure`` for an answer that holds none."""
    access, refresh = answer.get("access_token"), answer.get("refresh_token", before.refresh if before else "")
    if not _is_token(access) or str(answer.get("token_type", "bearer")).lower() != "bearer":
        raise HostedFailure("The sign-in gave no access that can be used.", "Tell whoever runs the sign-in.")
    life, sign_in_life = _seconds(answer.get("expires_in")), _seconds(answer.get("refresh_expires_in"))
    now = time.time()
    claims = claims_of(str(access))
    return Tokens(
        issuer=issuer,
        access=str(access),
        refresh=str(refresh) if _is_token(refresh) else "",
        access_until=now + (life or USUAL_S),
        refresh_until=now + sign_in_life if sign_in_life else 0.0,
        signed_in_at=before.signed_in_at if before else now,
        organisation=_first(claims, "org_name", "org_id"),
        account=_first(claims, "name", "email", "sub"),
    )


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says (RFC 7519), unchecked: empty for anything else."""
    parts = token.split(".")
    if len(parts) != 3 or len(parts[1]) > MOST_TOKEN:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def load(vault: Vault) -> Tokens | None:
    """The sign-in that is kept; ``None`` for none, or one that can't be read. May block."""
    try:
        facts = json.loads(vault.secret(FACTS) or "null")
        if not isinstance(facts, dict):
            return None
        return Tokens(
            issuer=str(facts["issuer"]),
            access=vault.secret(ACCESS),
            refresh=vault.secret(REFRESH),
            access_until=float(facts["access_until"]),
            signed_in_at=float(facts["signed_in_at"]),
            refresh_until=float(facts["refresh_until"]),
            organisation=str(facts.get("organisation", ""))[:200],
            account=str(facts.get("account", ""))[:200],
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def keep(vault: Vault, tokens: Tokens, store: str = "", passphrase: str = "") -> None:
    """Keep a sign-in. May block; raises like the vault."""
    facts = {
        "issuer": tokens.issuer,
        "access_until": tokens.access_until,
        "signed_in_at": tokens.signed_in_at,
        "refresh_until": tokens.refresh_until,
        "organisation": tokens.organisation,
        "account": tokens.account,
    }
    secrets = {ACCESS: tokens.access, REFRESH: tokens.refresh, FACTS: json.dumps(facts)}
    vault.keep_secrets({name: value for name, value in secrets.items() if value}, store, passphrase)


def forget(vault: Vault) -> None:
    vault.forget_secrets((ACCESS, REFRESH, FACTS))


def _seconds(value: object) -> int:
    """A life as an issuer may say it; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9 else 0


def _is_token(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MOST_TOKEN and all(32 < ord(char) < 127 for char in value)


def _first(claims: Mapping[str, Any], *names: str) -> str:
    for name in names:
        value = claims.get(name)
        if isinstance(value, str) and value:
            return "".join(char for char in value if char.isprintable())[:200]
    return ""
