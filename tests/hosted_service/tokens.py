"""Who is asking: access tokens in the profile of RFC 9068, checked against the issuer's keys."""

from __future__ import annotations

import asyncio
import json
import ssl
import urllib.request
from typing import Any

import jwt

from tests.hosted_service.contract import Refusal

ALGORITHMS = ["ES256", "EdDSA", "RS256"]
#: Seconds that clocks may differ.
LEEWAY_S = 60
#: Seconds after which the issuer's keys are fetched again; a key it does not know is looked for at once.
KEYS_LAST_S = 1


class Tokens:
    """Checks access tokens of one issuer for one audience."""

    def __init__(self, issuer: str, audience: str, ca: str) -> None:
        self.issuer, self.audience = issuer, audience
        self.context = ssl.create_default_context(cafile=ca)
        self._keys: jwt.PyJWKClient | None = None

    def _client(self) -> jwt.PyJWKClient:
        if self._keys is None:
            address = f"{self.issuer}/.well-known/openid-configuration"
            with urllib.request.urlopen(address, context=self.context, timeout=5) as answer:
                found = json.load(answer)
            if found["issuer"] != self.issuer:
                raise ValueError("The issuer calls itself something else.")
            self._keys = jwt.PyJWKClient(
                found["jwks_uri"], lifespan=KEYS_LAST_S, cooldown_duration=0, ssl_context=self.context, timeout=5
            )
        return self._keys

    async def claims(self, authorization: str) -> dict[str, Any]:
        """The claims of a bearer token. Raises ``Refusal``: 401, or 503 where the issuer can't be asked for its keys."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Refusal("token-missing", "Sign in first.", headers={"WWW-Authenticate": "Bearer"})
        return await asyncio.to_thread(self._claims, token.strip())

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("typ", "").lower().removeprefix("application/") != "at+jwt":
                raise jwt.InvalidTokenError("It is no access token.")
            if header.get("alg") not in ALGORITHMS:
                raise jwt.InvalidAlgorithmError("Its algorithm is not accepted.")
            key = self._client().get_signing_key(str(header.get("kid")))
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self.audience,
                issuer=self.issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "iat", "sub", "aud", "iss", "jti"]},
            )
        except jwt.ExpiredSignatureError:
            raise refused("token-expired", "The access token has run out. Refresh it.") from None
        except jwt.PyJWKClientConnectionError:
            raise Refusal(
                "unavailable", "The issuer can't be asked for its keys.", headers={"Retry-After": "1"}
            ) from None
        except (jwt.PyJWTError, ValueError, AttributeError, TypeError) as error:
            raise refused("token-invalid", f"Sign in again. {ascii(error)[:200]}") from None
        if not isinstance(claims.get("org_id"), str) or not isinstance(claims.get("org_name"), str):
            raise Refusal("organisation-missing", "Ask whoever runs your organisation to let you in.")
        return claims


def refused(name: str, detail: str) -> Refusal:
    return Refusal(name, detail, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})


def need_scope(claims: dict[str, Any], scope: str) -> None:
    """Raises ``Refusal``: 403 where the token may not do that."""
    if scope and scope not in str(claims.get("scope", "")).split():
        headers = {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'}
        raise Refusal("scope-missing", f"This sign-in lacks the scope {scope}. Sign in again.", headers=headers)
