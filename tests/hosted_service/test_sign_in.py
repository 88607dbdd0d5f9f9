"""Who may ask: the device flow, tokens that have run out or are forged, keys that change, organisations, certificates."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.hosted_service.certificates import trap
from tests.hosted_service.issuer import AUDIENCE, CLIENT_ID, DEVICE_GRANT, MAKERS, SCOPES, Person
from tests.hosted_service.sending import Desktop, announce, problem, upload
from tests.hosted_service.service import HostedService
from tests.hosted_service.tokens import ALGORITHMS


class Flow:
    """The device flow as a client walks it: everything it knows comes from discovery."""

    def __init__(self, service: HostedService) -> None:
        self.http = httpx.Client(verify=service.tls(), trust_env=False)
        self.issuer = self.http.get(f"{service.url}/v1/service").json()["issuer"]
        self.found = self.http.get(f"{self.issuer}/.well-known/openid-configuration").json()
        asked = {"client_id": CLIENT_ID, "scope": SCOPES, "resource": AUDIENCE}
        self.begun = self.http.post(self.found["device_authorization_endpoint"], data=asked).json()

    def poll(self) -> dict[str, Any]:
        form = {"grant_type": DEVICE_GRANT, "device_code": self.begun["device_code"], "client_id": CLIENT_ID}
        answer: dict[str, Any] = self.http.post(self.found["token_endpoint"], data=form).json()
        return answer

    def refresh(self, token: str) -> dict[str, Any]:
        form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": CLIENT_ID}
        answer: dict[str, Any] = self.http.post(self.found["token_endpoint"], data=form).json()
        return answer

    def say(self, word: str) -> None:
        page = self.begun["verification_uri"]
        self.http.post(page, data={"user_code": self.begun["user_code"].lower(), "say": word}).raise_for_status()


def account(service: HostedService, token: str) -> httpx.Response:
    with service.http() as client:
        return client.get("/v1/account", headers={"Authorization": f"Bearer {token}"})


def test_a_person_signs_in_with_a_code(service: HostedService) -> None:
    service.issuer.interval_s = 0
    flow = Flow(service)
    assert flow.found["issuer"] == flow.issuer
    assert flow.poll() == {"error": "authorization_pending"}
    flow.say("yes")
    tokens = flow.poll()
    assert flow.poll() == {"error": "invalid_grant"}
    answer = account(service, tokens["access_token"]).json()
    assert answer["organisation"] == {"id": "org_example", "name": "Example Ltd"}
    assert answer["name"] == "Ada Example" and "imports" in answer["scopes"]
    assert problem(account(service, tokens["id_token"])) == "token-invalid"


def test_too_quick_denied_and_too_late(service: HostedService) -> None:
    flow = Flow(service)
    assert [flow.poll()["error"], flow.poll()["error"]] == ["authorization_pending", "slow_down"]
    service.issuer.interval_s = 0
    flow = Flow(service)
    flow.say("no")
    assert flow.poll() == {"error": "access_denied"}
    service.issuer.device_lifetime_s = -1
    assert Flow(service).poll() == {"error": "expired_token"}


def test_a_refresh_token_is_good_for_one_use(service: HostedService) -> None:
    service.issuer.interval_s = 0
    flow = Flow(service)
    flow.say("yes")
    first = flow.poll()
    second = flow.refresh(first["refresh_token"])
    assert account(service, second["access_token"]).status_code == 200
    assert flow.refresh(first["refresh_token"]) == {"error": "invalid_grant"}
    assert flow.refresh(second["refresh_token"]) == {"error": "invalid_grant"}  # the whole session has ended


def test_signing_out_ends_the_session(service: HostedService) -> None:
    service.issuer.interval_s = 0
    flow = Flow(service)
    flow.say("yes")
    tokens = flow.poll()
    flow.http.post(flow.found["revocation_endpoint"], data={"token": tokens["refresh_token"], "client_id": CLIENT_ID})
    assert flow.refresh(tokens["refresh_token"]) == {"error": "invalid_grant"}


Changes = dict[str, Any]


def public_text(service: HostedService, form: str) -> bytes:
    """The issuer's public key as an attacker may take it for the secret of an HMAC."""
    key = service.issuer.keys[service.issuer.kid].public_key()
    if form == "jwk":
        return json.dumps(service.issuer.key_set()["keys"][-1]).encode()
    return key.public_bytes(getattr(Encoding, form.upper()), PublicFormat.SubjectPublicKeyInfo)


def with_public_key(form: str) -> Callable[[HostedService], Changes]:
    return lambda service: {"header": {"alg": "HS256"}, "key": public_text(service, form)}


def gone_key(service: HostedService) -> Changes:
    """Signed by a key that the issuer publishes no longer."""
    kid = service.issuer.kid
    key = service.issuer.keys[kid]
    service.issuer.rotate(keep=False)
    return {"header": {"kid": kid}, "key": key}


#: What a token that doesn't hold has that a good one has not (or how that is found out), and the problem that it is.
NOW = int(time.time())
REFUSED: dict[str, tuple[Changes | Callable[[HostedService], Changes], str]] = {
    "expired": ({"exp": NOW - 90}, "token-expired"),
    "not yet, by more than clocks may differ": ({"nbf": NOW + 1800}, "token-invalid"),
    "issued in the future": ({"iat": NOW + 1800}, "token-invalid"),
    "no end": ({"exp": None}, "token-invalid"),
    "no subject": ({"sub": None}, "token-invalid"),
    "other audience": ({"aud": "https://elsewhere.test/api"}, "token-invalid"),
    "client as audience": ({"aud": CLIENT_ID}, "token-invalid"),
    "other issuer": ({"iss": "https://issuer.elsewhere.test"}, "token-invalid"),
    "no issuer": ({"iss": None}, "token-invalid"),
    "alg none": ({"header": {"alg": "none"}, "key": None}, "token-invalid"),
    "alg HS256 with the public key as PEM": (with_public_key("pem"), "token-invalid"),
    "alg HS256 with the public key as DER": (with_public_key("der"), "token-invalid"),
    "alg HS256 with the public key as JWK": (with_public_key("jwk"), "token-invalid"),
    "alg ES384": ({"header": {"alg": "ES384"}, "key": ec.generate_private_key(ec.SECP384R1())}, "token-invalid"),
    "a key that is gone": (gone_key, "token-invalid"),
    "unknown key": ({"header": {"kid": "unknown"}, "key": ec.generate_private_key(ec.SECP256R1())}, "token-invalid"),
    "other key of that name": ({"key": ec.generate_private_key(ec.SECP256R1())}, "token-invalid"),
    "no access token": ({"header": {"typ": "JWT"}}, "token-invalid"),
    "no organisation": ({"org_id": None}, "organisation-missing"),
}


def changes(service: HostedService, name: str) -> tuple[Changes, str]:
    changed, expected = REFUSED[name]
    return (changed(service) if callable(changed) else copy.deepcopy(changed)), expected


@pytest.mark.parametrize("name", REFUSED)
def test_a_token_that_does_not_hold(service: HostedService, name: str) -> None:
    assert account(service, service.issuer.token()).status_code == 200  # so that nothing else is refused
    changed, expected = changes(service, name)
    answer = account(service, service.issuer.token(**changed))
    assert problem(answer) == expected, answer.text
    assert ('error="invalid_token"' in answer.headers.get("www-authenticate", "")) == (answer.status_code == 401)


@pytest.mark.parametrize("algorithm", MAKERS)
def test_each_algorithm_of_the_contract_is_taken(service: HostedService, algorithm: str) -> None:
    assert algorithm in ALGORITHMS and len(MAKERS) == len(ALGORITHMS)
    service.issuer.rotate(algorithm=algorithm)
    token = service.issuer.token()
    assert jwt.get_unverified_header(token)["alg"] == algorithm
    assert account(service, token).json()["organisation"]["name"] == "Example Ltd"
    assert account(service, token).status_code == 200  # at the other replica
    head, body, signature = token.split(".")
    other = ("A" if signature[5] != "A" else "B").join((signature[:5], signature[6:]))
    assert problem(account(service, f"{head}.{body}.{other}")) == "token-invalid"
    # The key of one algorithm does not serve another.
    confused = {"alg": next(one for one in ALGORITHMS if one != algorithm)}
    forged = service.issuer.token(header=confused, key=MAKERS[confused["alg"]](), kid=service.issuer.kid)
    assert problem(account(service, forged)) == "token-invalid"


def test_what_is_no_token_at_all(service: HostedService) -> None:
    good = service.issuer.token()
    head, body, signature = good.split(".")
    for text in (
        "x",
        "a.b.c",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}",
        "." * 5000,
    ):
        assert problem(account(service, text)) == "token-invalid"
    with service.http() as client:
        for word in ("", "Basic abc", "Bearer", good):
            answer = client.get("/v1/account", headers={"Authorization": word})
            assert (problem(answer), answer.headers["www-authenticate"]) == ("token-missing", "Bearer")


def test_clocks_may_differ_by_a_minute(service: HostedService) -> None:
    now = int(time.time())
    assert account(service, service.issuer.token(exp=now - 30)).status_code == 200
    assert account(service, service.issuer.token(nbf=now + 40)).status_code == 200
    service.issuer.clock_offset_s = 40
    assert account(service, service.issuer.token()).status_code == 200
    service.issuer.clock_offset_s = 120
    assert problem(account(service, service.issuer.token())) == "token-invalid"


def test_the_issuer_changes_its_key(service: HostedService) -> None:
    old = service.issuer.token()
    assert account(service, old).status_code == 200
    service.issuer.rotate()
    assert [account(service, token).status_code for token in (old, service.issuer.token())] == [200, 200]
    service.issuer.rotate(keep=False)
    assert account(service, service.issuer.token()).status_code == 200
    assert account(service, service.issuer.token()).status_code == 200  # at the other replica too
    assert problem(account(service, old)) == "token-invalid"


def test_a_scope_that_was_not_granted(service: HostedService) -> None:
    with service.http(scope="openid imports") as client:
        assert client.get("/v1/imports").status_code == 200
        answer = client.get("/v1/usage")
        assert problem(answer) == "scope-missing"
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="usage"'


def test_another_organisation_sees_nothing(service: HostedService, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    other = Person("person-2", "Bob", "org_other", "Other Ltd")
    with service.http() as client, service.http(other) as stranger:
        id = upload(client, bundle)
        for method, path in (
            ("GET", ""), ("DELETE", ""), ("GET", "/parts"), ("POST", "/complete"), ("GET", "/events"),
        ):  # fmt: skip
            assert problem(stranger.request(method, f"/v1/imports/{id}{path}")) == "not-found"
        assert stranger.get("/v1/imports").json() == {"imports": []}
        # The same key and bundle are its own.
        answer = announce(stranger, bundle)
        assert answer.status_code == 201 and answer.json()["id"] != id


@pytest.mark.parametrize("kind", ["unknown", "expired", "host"])
def test_a_bad_certificate_hears_nothing(service: HostedService, kind: str) -> None:
    with trap(service.certificates.bad(kind)) as caught:
        with (
            httpx.Client(base_url=caught.url, verify=service.tls(), trust_env=False) as client,
            pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"),
        ):
            client.get("/v1/account", headers={"Authorization": f"Bearer {service.issuer.token()}"})
        assert not caught.heard
