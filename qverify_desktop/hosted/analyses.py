"""Analyses that the service runs, and what an organisation's plan holds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.hosted.refusals import said, words_of
from qverify_desktop.hosted.service import SHOWN_S, HostedService, checked_id

MOST_LISTED = 100
MOST_ROWS = 24
_LARGEST = (1 << 53) - 1


#: Bytes of a bundle that are fetched at most.
MOST_BUNDLE = 4 << 30


@dataclass(frozen=True)
class BundleAddress:
    """A pre-signed address (whoever has it can read the bundle), and what the service says lies there."""

    url: str
    size: int
    sha256: str

    def __repr__(self) -> str:
        return f"BundleAddress({self.size}, {self.sha256!r})"


class Analyses:
    """The analyses of a service, and the account that they are run for. Answers are as the contract has them, with texts and numbers bounded. Each raises ``HostedFailure``."""

    def __init__(self, service: HostedService) -> None:
        self._service = service

    async def begin(self, request: dict[str, Any], key: str) -> dict[str, Any]:
        return analysis_of((await self._service.call("POST", "/v1/analyses", request, key=key)).json())

    async def list(self) -> list[dict[str, Any]]:
        """The newest."""
        told = (await self._service.call("GET", f"/v1/analyses?limit={MOST_LISTED}", deadline_s=SHOWN_S)).json()
        entries = told.get("analyses")
        return [
            analysis_of(one)
            for one in (entries if isinstance(entries, list) else [])[:MOST_LISTED]
            if isinstance(one, dict)
        ]

    async def get(self, id: str) -> dict[str, Any]:
        return analysis_of((await self._service.call("GET", f"/v1/analyses/{checked_id(id)}")).json())

    async def cancel(self, id: str) -> dict[str, Any]:
        return analysis_of((await self._service.call("POST", f"/v1/analyses/{checked_id(id)}/cancel")).json())

    async def bundle(self, id: str) -> BundleAddress:
        """Where the bundle of one that is done can be fetched for some minutes."""
        told = (await self._service.call("GET", f"/v1/analyses/{checked_id(id)}/bundle")).json()
        url, size, digest = told.get("url"), number(told.get("size")), told.get("sha256")
        if not isinstance(url, str) or not 0 < size <= MOST_BUNDLE or not re.fullmatch("[0-9a-f]{64}", str(digest)):
            raise HostedFailure(
                "The hosted service gave no address of a bundle that could be fetched. Nothing was written.",
                "Tell whoever runs it.",
            )
        return BundleAddress(url, size, str(digest))

    async def result(self, id: str) -> dict[str, Any]:
        """``AnalysisResult`` of one that is done, as it came."""
        told = (await self._service.call("GET", f"/v1/analyses/{checked_id(id)}")).json()
        return _object(told.get("result"))

    async def account(self) -> dict[str, Any]:
        """Who is signed in, as the service has it."""
        return account_of((await self._service.call("GET", "/v1/account", deadline_s=SHOWN_S)).json())

    async def usage(self) -> dict[str, Any]:
        """Plan, quotas and invoices."""
        return usage_of((await self._service.call("GET", "/v1/usage", deadline_s=SHOWN_S)).json())


def analysis_of(value: dict[str, Any]) -> dict[str, Any]:
    """What is shown of an ``Analysis``."""
    request, result = _object(value.get("request")), _object(value.get("result"))
    source, problem = _object(request.get("source")), _object(value.get("problem"))
    return {
        "id": checked_id(value.get("id")),
        "state": said(value.get("state")),
        "label": said(request.get("label")),
        "url": said(source.get("url")),
        "commit": said(source.get("commit"))[:64],
        "scope": said(request.get("scope")),
        "created_at": said(value.get("created_at"))[:30],
        "updated_at": said(value.get("updated_at"))[:30],
        "stage": said(value.get("stage")),
        "done": number(value.get("done")),
        "total": number(value.get("total")),
        "cost_micro": number(value.get("cost_micro")),
        "currency": said(value.get("currency"))[:3],
        "region": said(value.get("region")),
        "tests": number(result.get("tests")),
        "suspected_defects": number(result.get("suspected_defects")),
        "coverage_before": number(result.get("coverage_before")),
        "coverage_after": number(result.get("coverage_after")),
        "report_url": address(result.get("report_url")),
        "problem": words_of(problem.get("detail") or problem.get("title")),
    }


def account_of(value: dict[str, Any]) -> dict[str, Any]:
    """What is shown of an ``Account``."""
    scopes = value.get("scopes")
    return {
        "organisation": said(_object(value.get("organisation")).get("name")),
        "account": said(value.get("name") or value.get("subject")),
        "scopes": [said(one)[:60] for one in (scopes if isinstance(scopes, list) else [])[:20]],
        "expires_at": said(value.get("expires_at"))[:30],
    }


def usage_of(value: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a ``Usage``."""
    plan, period = _object(value.get("plan")), _object(value.get("period"))
    return {
        "organisation": said(_object(value.get("organisation")).get("name")),
        "plan": said(plan.get("title")),
        "renews_at": said(plan.get("renews_at"))[:30],
        "start": said(period.get("start"))[:30],
        "end": said(period.get("end"))[:30],
        "currency": said(value.get("currency"))[:3],
        "cost_micro": number(value.get("cost_micro")),
        "quotas": [
            {
                "resource": said(one.get("resource")),
                "unit": said(one.get("unit")),
                "used": number(one.get("used")),
                "limit": number(one.get("limit")) if one.get("limit") is not None else -1,
            }
            for one in _objects(value.get("quotas"))
        ],
        "invoices": [
            {
                "number": said(one.get("number")),
                "state": said(one.get("state")),
                "issued_at": said(one.get("issued_at"))[:30],
                "due_at": said(one.get("due_at"))[:30],
                "amount_micro": number(one.get("amount_micro")),
                "currency": said(one.get("currency"))[:3],
                "url": address(one.get("url")),
            }
            for one in _objects(value.get("invoices"))
        ],
    }


def number(value: object) -> int:
    """A whole number of the contract; 0 for anything else."""
    return value if type(value) is int and 0 <= value <= _LARGEST else 0


def address(value: object) -> str:
    """An address that a person may open in a browser; empty for anything else."""
    sound = isinstance(value, str) and value.startswith("https://") and len(value) <= 4096 and value.isprintable()
    return str(value) if sound and " " not in str(value) else ""


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _objects(value: object) -> list[dict[str, Any]]:
    return [one for one in (value if isinstance(value, list) else [])[:MOST_ROWS] if isinstance(one, dict)]
