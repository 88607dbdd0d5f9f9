"""An OpenID Connect issuer with the device flow: Discovery 1.0, RFC 8628, 6749 (refresh), 7009, 7517, 8707, 9068."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
import urllib.parse
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

CLIENT_ID = "qverify-desktop"
AUDIENCE = "https://hosted.test/api"
SCOPES = "openid profile offline_access imports analyses usage"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"

#: Keys that sign access tokens, and algorithm families of RFC 7518 and RFC 8037 by name.
Private = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
MAKERS: dict[str, Callable[[], Private]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@dataclass(frozen=True)
class Person:
    """Somebody who can sign in."""

    subject: str = "person-1"
    name: str = "Ada Example"
    org_id: str = "org_example"
    org_name: str = "Example Ltd"


@dataclass
class Device:
    """One device flow on its way. ``decision`` is None until the person has said something."""

    user_code: str
    scope: str
    audience: str
    ends: float
    asked: float = 0.0
    interval: int = 1
    decision: Person | str | None = None


@dataclass
class Session:
    """One sign-in: the refresh token that is good now, and those that were."""

    person: Person
    scope: str
    audience: str
    current: str = ""
    ended: bool = False


class Refused(Exception):
    """An error answer of RFC 6749, section 5.2."""


@dataclass
class Issuer:
    """The issuer's state; a test changes it directly. ``access_lifetime_s`` and ``clock_offset_s`` are seconds."""

    url: str
    access_lifetime_s: int = 300
    device_lifetime_s: int = 600
    interval_s: int = 1
    clock_offset_s: int = 0
    keys: dict[str, Private] = field(default_factory=dict)
    #: Claims and the like (see ``token``) that every token gets, for tests of tokens that don't hold.
    forged: dict[str, Any] = field(default_factory=dict)
    devices: dict[str, Device] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    #: Requests that came to each end point, for tests that count them.
    asked: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rotate()

    @property
    def kid(self) -> str:
        """Of the key that signs now: the newest."""
        return list(self.keys)[-1]

    def rotate(self, keep: bool = True, algorithm: str = "ES256") -> str:
        """Sign with a new key from now on; ``keep`` the older ones among those that are published."""
        if not keep:
            self.keys.clear()
        self.keys[secrets.token_hex(8)] = MAKERS[algorithm]()
        return self.kid

    def token(self, person: Person | None = None, scope: str = SCOPES, **changed: Any) -> str:
        """An access token. ``changed`` replaces claims (None takes one away); ``header`` replaces fields of the header, and
        ``key`` signs in place of the issuer's."""
        person, now = person or Person(), int(time.time()) + self.clock_offset_s
        header = {"typ": "at+jwt", "kid": self.kid} | changed.pop("header", {})
        key = changed.pop("key", self.keys.get(header["kid"]))
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": person.subject,
            "aud": AUDIENCE,
            "iat": now,
            "jti": secrets.token_hex(8),
        }
        claims |= {"exp": now + self.access_lifetime_s, "scope": scope, "client_id": CLIENT_ID, "name": person.name}
        claims |= {"org_id": person.org_id, "org_name": person.org_name} | changed
        claims = {name: value for name, value in claims.items() if value is not None}
        if isinstance(key, str | bytes):
            return signed_by_secret(header, claims, key)
        return jwt.encode(claims, key, algorithm=header.get("alg", algorithm_of(key)), headers=header)

    def decide(self, user_code: str, decision: Person | str | None = None) -> None:
        """What the person does on the issuer's page: sign in as somebody, or ``"denied"``."""
        wanted = user_code.replace("-", "").upper()
        for device in self.devices.values():
            if device.user_code.replace("-", "") == wanted:
                device.decision = decision or Person()
                return
        raise KeyError(user_code)

    def begin(self, form: Mapping[str, str]) -> dict[str, Any]:
        """RFC 8628, section 3.1."""
        self._client(form)
        letters = "BCDFGHJKLMNPQRSTVWXZ"
        code = "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(2))
        scope = " ".join(word for word in form.get("scope", "openid").split() if word in SCOPES.split())
        device = Device(
            code,
            scope,
            form.get("resource", AUDIENCE),
            time.time() + self.device_lifetime_s,
            interval=self.interval_s,
        )
        device_code = secrets.token_urlsafe(32)
        self.devices[device_code] = device
        page = f"{self.url}/device"
        answer = {
            "device_code": device_code,
            "user_code": code,
            "verification_uri": page,
            "interval": self.interval_s,
        }
        return answer | {
            "verification_uri_complete": f"{page}?user_code={code}",
            "expires_in": self.device_lifetime_s,
        }

    def grant(self, form: Mapping[str, str]) -> dict[str, Any]:
        """RFC 8628, section 3.4, and RFC 6749, section 6."""
        self._client(form)
        if form.get("grant_type") == DEVICE_GRANT:
            return self._answer(self._device(form.get("device_code", "")))
        if form.get("grant_type") != "refresh_token":
            raise Refused("unsupported_grant_type")
        token = form.get("refresh_token", "")
        session = self.sessions.get(token)
        if session is None or session.ended:
            raise Refused("invalid_grant")
        if session.current != token:
            session.ended = (
                True  # RFC 9700, section 4.14.2: a used one that comes again was stolen, or its answer was
            )
            raise Refused("invalid_grant")
        return self._answer(session)

    def _client(self, form: Mapping[str, str]) -> None:
        if form.get("client_id") != CLIENT_ID:
            raise Refused("invalid_client")

    def _device(self, device_code: str) -> Session:
        device, now = self.devices.get(device_code), time.time()
        if device is None:
            raise Refused("invalid_grant")
        if now > device.ends:
            raise Refused("expired_token")
        early, device.asked = now - device.asked < device.interval - 0.1, now
        if early:
            device.interval += 5
            raise Refused("slow_down")
        if device.decision is None:
            raise Refused("authorization_pending")
        del self.devices[device_code]
        if not isinstance(device.decision, Person):
            raise Refused("access_denied")
        return Session(device.decision, device.scope, device.audience)

    def _answer(self, session: Session) -> dict[str, Any]:
        session.current = secrets.token_urlsafe(32)
        self.sessions[session.current] = session
        access = self.token(session.person, session.scope, **({"aud": session.audience} | deepcopy(self.forged)))
        identity = {"typ": "JWT", "kid": self.kid}
        show = self.token(session.person, session.scope, aud=CLIENT_ID, header=identity)
        answer = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self.access_lifetime_s,
            "id_token": show,
        }
        return answer | {"refresh_token": session.current, "refresh_expires_in": 30 * 86400, "scope": session.scope}

    def revoke(self, form: Mapping[str, str]) -> None:
        """RFC 7009; a token that is not known is no error."""
        if (session := self.sessions.get(form.get("token", ""))) is not None:
            session.ended = True

    def key_set(self) -> dict[str, Any]:
        """RFC 7517."""
        sets = []
        for kid, key in self.keys.items():
            algorithm = algorithm_of(key)
            public = json.loads(jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key()))
            sets.append(public | {"kid": kid, "use": "sig", "alg": algorithm})
        return {"keys": sets}

    def discovery(self) -> dict[str, Any]:
        """OpenID Connect Discovery 1.0, section 3."""
        return {
            "issuer": self.url,
            "device_authorization_endpoint": f"{self.url}/device_authorization",
            "token_endpoint": f"{self.url}/token",
            "revocation_endpoint": f"{self.url}/revoke",
            "jwks_uri": f"{self.url}/jwks",
            "authorization_endpoint": f"{self.url}/authorize",
            "response_types_supported": ["none"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": sorted({algorithm_of(key) for key in self.keys.values()}),
            "token_endpoint_auth_methods_supported": ["none"],
            "grant_types_supported": [DEVICE_GRANT, "refresh_token"],
            "scopes_supported": SCOPES.split(),
        }


def algorithm_of(key: object) -> str:
    """The algorithm of RFC 7518 or RFC 8037 that a key signs with; that of the usual key for none."""
    kinds = {ed25519.Ed25519PrivateKey: "EdDSA", rsa.RSAPrivateKey: "RS256"}
    return next((name for kind, name in kinds.items() if isinstance(key, kind)), "ES256")


def signed_by_secret(header: Mapping[str, Any], claims: Mapping[str, Any], secret: str | bytes) -> str:
    """A JWT signed by HMAC-SHA-256 (RFC 7518, section 3.2), whatever the secret is: libraries refuse to make this attack."""
    secret = secret.encode() if isinstance(secret, str) else secret
    said = b".".join(_text(json.dumps(part).encode()) for part in ({"alg": "HS256", **header}, claims))
    return (said + b"." + _text(hmac.digest(secret, said, "sha256"))).decode()


def _text(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def application(issuer: Issuer) -> FastAPI:
    """The issuer over HTTP."""
    app = FastAPI(openapi_url=None)

    async def form(request: Request) -> dict[str, str]:
        issuer.asked[request.url.path] = issuer.asked.get(request.url.path, 0) + 1
        body = (await request.body())[:65536].decode("utf-8", "replace")
        return dict(urllib.parse.parse_qsl(body)[:40])

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return JSONResponse({"error": str(error)}, 401 if str(error) == "invalid_client" else 400)

    @app.get("/.well-known/openid-configuration")
    async def discovery() -> Response:
        return JSONResponse(issuer.discovery())

    @app.get("/jwks")
    async def key_set() -> Response:
        return JSONResponse(issuer.key_set())

    @app.post("/device_authorization")
    async def begin(request: Request) -> Response:
        return JSONResponse(issuer.begin(await form(request)), headers={"Cache-Control": "no-store"})

    @app.post("/token")
    async def grant(request: Request) -> Response:
        return JSONResponse(issuer.grant(await form(request)), headers={"Cache-Control": "no-store"})

    @app.post("/revoke")
    async def revoke(request: Request) -> Response:
        issuer.revoke(await form(request))
        return Response()

    @app.get("/device")
    async def page(user_code: str = "") -> Response:
        shown = "".join(letter for letter in user_code[:20] if letter.isalnum() or letter == "-")
        field = f'<input name="user_code" value="{shown}">'
        buttons = '<button name="say" value="yes">Let it in</button><button name="say" value="no">Don\'t</button>'
        return HTMLResponse(f'<form method="post">{field}{buttons}</form>')

    @app.post("/device")
    async def decide(request: Request) -> Response:
        said = await form(request)
        try:
            issuer.decide(said.get("user_code", ""), None if said.get("say") == "yes" else "denied")
        except KeyError:
            return HTMLResponse("No such code.", 404)
        return HTMLResponse("Done. You can close this page.")

    return app
