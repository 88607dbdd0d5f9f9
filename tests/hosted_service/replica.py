"""One replica, a process: ``python -m tests.hosted_service.replica`` with its configuration as JSON on standard input.

It listens on the socket that was inherited as descriptor ``fd``. All that it knows is in the database and the object store.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import secrets
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import fastapi
from fastapi.responses import Response, StreamingResponse
from psycopg.types.json import Jsonb
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from tests.hosted_service import account, analyses, imports
from tests.hosted_service.bundles import Bundles
from tests.hosted_service.checkpoints import Cosigner
from tests.hosted_service.contract import Operation, Refusal, Request, operations
from tests.hosted_service.faults import Faults
from tests.hosted_service.house import DEFAULTS, Answer, House
from tests.hosted_service.listening import server
from tests.hosted_service.store import Store, one
from tests.hosted_service.tokens import Tokens, need_scope
from tests.hosted_service.worker import work

Handler = Callable[[House, Request], Awaitable[Answer]]
EndPoint = Callable[[fastapi.Request], Awaitable[Response]]
HANDLERS: dict[str, Handler] = {
    "getService": account.get_service,
    "getRegions": account.get_regions,
    "getAccount": account.get_account,
    "getUsage": account.get_usage,
    "getCheckpoint": imports.get_checkpoint,
    "createImport": imports.create_import,
    "listImports": imports.list_imports,
    "getImport": imports.get_import,
    "cancelImport": imports.cancel_import,
    "listParts": imports.list_parts,
    "signParts": imports.sign_parts,
    "completeImport": imports.complete_import,
    "watchImport": imports.watch_import,
    "createAnalysis": analyses.create_analysis,
    "listAnalyses": analyses.list_analyses,
    "getAnalysis": analyses.get_analysis,
    "cancelAnalysis": analyses.cancel_analysis,
    "watchAnalysis": analyses.watch_analysis,
    "getAnalysisBundle": analyses.get_analysis_bundle,
}
PROBLEM = "application/problem+json"


async def body_of(incoming: fastapi.Request, limit: int) -> bytes:
    """The body. Raises ``Refusal`` where it is longer than ``limit``, before all of it was read."""
    raw = b""
    async for piece in incoming.stream():
        raw += piece
        if len(raw) > limit:
            raise Refusal(
                "too-large", f"A body may have {limit} bytes.", limit=limit, headers={"Connection": "close"}
            )
    return raw


async def within_rate(house: House, org: str) -> None:
    """Raises ``Refusal``: 429 where the organisation has asked too often, at whichever replica."""
    async with house.store.connection() as connection:
        rate = await house.setting(connection, "rate")
        if rate is None:
            return
        window = int(time.time() // rate["window_s"])
        row = await one(
            connection,
            "insert into rates values (%s, %s, 1) on conflict (org, started) do update set requests = rates.requests + 1 "
            "returning requests",
            org,
            window,
        )
    if row is not None and row["requests"] > rate["requests"]:
        left = math.ceil((window + 1) * rate["window_s"] - time.time())
        raise Refusal("rate-limited", f"Wait {left} s.", headers={"Retry-After": str(left)}, retry_after_s=left)


async def answered(house: House, operation: Operation, incoming: fastapi.Request, request_id: str) -> Answer:
    """Sign-in, rate, contract, and only then the work."""
    claims: dict[str, Any] = {}
    if not operation.open:
        claims = await house.tokens.claims(incoming.headers.get("authorization", ""))
        need_scope(claims, operation.scope)
        await within_rate(house, claims["org_id"])
    headers = dict(incoming.headers)
    query = operation.check_parameters(incoming.path_params, incoming.query_params.multi_items(), headers)
    async with house.store.connection() as connection:
        limits = await house.setting(connection, "limits")
    body = operation.check_body(await body_of(incoming, limits["max_body_size"]), headers.get("content-type", ""))
    request = Request(incoming.path_params, query, headers, body, claims, request_id)
    return await HANDLERS[operation.name](house, request)


def refusal_answer(refusal: Refusal, request_id: str) -> Answer:
    return Answer(refusal.status, refusal.body(request_id), refusal.headers)


def end_point(house: House, operation: Operation) -> EndPoint:
    """What FastAPI calls for an operation: whatever happens, the answer is one of the contract's."""

    async def serve(incoming: fastapi.Request) -> Response:
        request_id = secrets.token_hex(16)
        try:
            try:
                answer = await answered(house, operation, incoming, request_id)
            except Refusal as refusal:
                answer = refusal_answer(refusal, request_id)
            return checked(operation, answer, request_id)
        except ClientDisconnect:
            return Response(None, 499)  # to nobody
        except Exception:  # a defect here, or a broken contract: said on standard error, and to nobody else
            traceback.print_exc(file=sys.stderr)
            sys.stderr.flush()
            answer = refusal_answer(Refusal("internal", "Try again; that is safe."), request_id)
            return checked(operation, answer, request_id)

    return serve


def by_method(methods: Mapping[str, EndPoint]) -> EndPoint:
    async def serve(incoming: fastapi.Request) -> Response:
        return await methods[incoming.method](incoming)

    return serve


def checked(operation: Operation, answer: Answer, request_id: str) -> Response:
    """The response. Raises ``ContractBroken`` where the contract has none like it."""
    headers = {"Request-Id": request_id, "Cache-Control": "no-store"} | dict(answer.headers)
    if answer.stream is not None:
        operation.check_answer(answer.status, headers, "text/event-stream", None)
        return StreamingResponse(answer.stream, answer.status, headers, "text/event-stream")
    if answer.body is None:
        operation.check_answer(answer.status, headers, "", None)
        return Response(None, answer.status, headers)
    media = PROBLEM if answer.status >= 400 else "application/json"
    operation.check_answer(answer.status, headers, media, answer.body)
    raw = json.dumps(answer.body, ensure_ascii=False).encode()
    return Response(raw, answer.status, headers, media)


def application(house: House) -> fastapi.FastAPI:
    """The API with every operation of the contract, and ``/_test/`` for tests."""

    @contextlib.asynccontextmanager
    async def living(_: fastapi.FastAPI) -> AsyncIterator[None]:
        worker = asyncio.create_task(work(house))
        yield
        worker.cancel()

    app = fastapi.FastAPI(openapi_url=None, lifespan=living, redirect_slashes=False)
    for path, of_path in itertools.groupby(operations(), lambda operation: operation.path):
        # One route for each path, so that `Allow` of a 405 names all its methods.
        methods = {operation.method.upper(): end_point(house, operation) for operation in of_path}
        app.add_api_route(path, by_method(methods), methods=list(methods), response_model=None)

    @app.exception_handler(HTTPException)
    async def unknown(_: fastapi.Request, error: HTTPException) -> Response:
        request_id = secrets.token_hex(16)
        name = "method-not-allowed" if error.status_code == 405 else "not-found"
        body = Refusal(name, "See the contract.").body(request_id)
        headers = {"Request-Id": request_id} | dict(error.headers or {})
        return Response(json.dumps(body).encode(), error.status_code, headers, PROBLEM)

    @app.put("/_test/settings")
    async def set_settings(incoming: fastapi.Request) -> dict[str, Any]:
        """Settings by name, see ``house.DEFAULTS``; null sets one back."""
        async with house.store.connection() as connection:
            for name, value in (await incoming.json()).items():
                assert name in DEFAULTS
                await connection.execute("delete from settings where name = %s", (name,))
                if value is not None:
                    await connection.execute("insert into settings values (%s, %s)", (name, Jsonb(value)))
        return {}

    @app.post("/_test/faults")
    async def plan_fault(incoming: fastapi.Request) -> dict[str, Any]:
        """One fault more, see ``faults.py``."""
        fault = await incoming.json()
        async with house.store.connection() as connection:
            await connection.execute(
                "insert into faults (method, path, action, remaining) values (%s, %s, %s, %s)",
                (fault["method"], fault["path"], Jsonb(fault["action"]), fault.get("times", 1)),
            )
        return {}

    @app.delete("/_test/faults")
    async def drop_faults() -> dict[str, Any]:
        async with house.store.connection() as connection:
            await connection.execute("delete from faults")
        return {}

    return app


def main() -> None:
    given = json.load(sys.stdin)
    with tempfile.TemporaryDirectory(prefix="qv-replica-") as scratch:
        house = House(
            name=f"{given['name']}-{secrets.token_hex(4)}",
            store=Store(given["dsn"]),
            bundles=Bundles(given["storage"], given["ca"]),
            tokens=Tokens(given["issuer"], given["audience"], given["ca"]),
            cosigner=Cosigner(given["cosigner"], bytes.fromhex(given["seed"])),
            region=given["region"],
            regions=given["regions"],
            client_id=given["client_id"],
            scratch=Path(scratch),
        )
        listener = socket.socket(fileno=given["fd"])
        server(Faults(application(house), house.store), given["cert"], given["key"]).run(sockets=[listener])


if __name__ == "__main__":
    main()
