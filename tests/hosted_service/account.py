"""Operations about the service itself, who is signed in, and the plan."""

from __future__ import annotations

import datetime as dt

from tests.hosted_service.contract import Request, document
from tests.hosted_service.house import Answer, House, month, used
from tests.hosted_service.store import now, text

UNITS = {"imports": "count", "import_bytes": "bytes", "analyses": "count", "model_cost": "micro"}


async def get_service(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        limits = await house.setting(connection, "limits")
    return Answer(
        200,
        {
            "name": "QVerify hosted (tests)",
            "version": document()["info"]["version"],
            "region": house.region,
            "issuer": house.tokens.issuer,
            "client_id": house.client_id,
            "audience": house.tokens.audience,
            "scopes": ["imports", "analyses", "usage"],
            "cosigner": str(house.cosigner),
            "limits": limits,
            "now": text(now()),
        },
    )


async def get_regions(house: House, request: Request) -> Answer:
    async with house.store.connection() as connection:
        accepts = await house.setting(connection, "accepts")
    return Answer(
        200, {"current": house.region, "regions": [region | {"accepts": accepts} for region in house.regions]}
    )


async def get_account(house: House, request: Request) -> Answer:
    claims = request.claims
    ends = dt.datetime.fromtimestamp(claims["exp"], dt.UTC)
    body = {
        "subject": claims["sub"],
        "organisation": {"id": claims["org_id"], "name": claims["org_name"]},
        "scopes": claims.get("scope", "").split(),
        "expires_at": text(ends),
    }
    return Answer(200, body | ({"name": claims["name"]} if "name" in claims else {}))


async def get_usage(house: House, request: Request) -> Answer:
    start, end = month()
    async with house.store.connection() as connection:
        limits, have = await house.setting(connection, "quotas"), await used(connection, request.org)
    before = start - dt.timedelta(days=1)
    invoice = {
        "id": f"inv_{before:%Y%m}",
        "number": f"{before:%Y-%m}-0001",
        "state": "paid",
        "issued_at": text(start),
        "due_at": text(start + dt.timedelta(days=14)),
        "amount_micro": 49_000_000,
        "currency": "USD",
        "url": "https://hosted.test/invoices/0001",
    }
    return Answer(
        200,
        {
            "organisation": {"id": request.org, "name": request.claims["org_name"]},
            "plan": {"id": "team", "title": "Team", "renews_at": text(end)},
            "period": {"start": text(start), "end": text(end)},
            "quotas": [
                {"resource": name, "unit": UNITS[name], "used": have[name], "limit": limits[name]} for name in UNITS
            ],
            "currency": "USD",
            "cost_micro": have["model_cost"],
            "invoices": [invoice],
        },
    )
