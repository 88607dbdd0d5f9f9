"""What the replicas share: the tables, events with their order, settings of the test."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
import re
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tests.hosted_service.contract import check_event

Row = dict[str, Any]
Connection = psycopg.AsyncConnection[Row]

TABLES = """
create table imports (
    number bigserial, id text primary key, org text not null, state text not null, request jsonb not null,
    sha256 text not null, upload text not null, created timestamptz not null default now(),
    updated timestamptz not null default now(), expires timestamptz not null, result jsonb, problem jsonb,
    lease_owner text, lease_until timestamptz, tries int not null default 0);
create unique index one_of_a_kind on imports (org, sha256) where state in ('uploading', 'checking', 'accepted');
create table analyses (
    number bigserial, id text primary key, org text not null, state text not null, request jsonb not null,
    created timestamptz not null default now(), updated timestamptz not null default now(), stage text not null default '',
    done bigint not null default 0, total bigint not null default 0, cost bigint not null default 0,
    result jsonb, problem jsonb, bundle text not null default '',
    lease_owner text, lease_until timestamptz, tries int not null default 0);
create table keys (org text, key text, digest text not null, resource text not null, primary key (org, key));
create table logs (
    org text, origin text, public_key text not null, size bigint not null, root text not null, note text not null,
    cosigned text not null, bundle text not null, accepted timestamptz not null, primary key (org, origin));
create table key_changes (
    org text, origin text, size bigint, kind text not null, old text not null, new text not null,
    primary key (org, origin, size));
create table checkpoints (org text, origin text, size bigint, root text not null, primary key (org, origin, size));
create table events (resource text, id bigint, body jsonb not null, primary key (resource, id));
create table settings (name text primary key, value jsonb not null);
create table rates (org text, started bigint, requests bigint not null, primary key (org, started));
create table faults (
    number bigserial primary key, method text not null, path text not null, action jsonb not null, remaining int not null);
"""
TABLE_NAMES = tuple(re.findall(r"create table (\w+)", TABLES))
FINAL = frozenset({"accepted", "rejected", "cancelled", "expired", "done", "failed"})
ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class Store:
    """A connection for each piece of work (PostgreSQL is beside us), and one that stays for the small questions of every request."""

    def __init__(self, dsn: str) -> None:
        self.dsn = dsn
        self._standing: Connection | None = None
        self._turn = asyncio.Lock()

    async def ask(self, sql: str, *values: Any) -> Row | None:
        """The first row of a statement that stands for itself."""
        async with self._turn:
            if self._standing is None or self._standing.broken:
                self._standing = await psycopg.AsyncConnection.connect(
                    self.dsn, autocommit=True, row_factory=dict_row
                )
            return await one(self._standing, sql, *values)

    @asynccontextmanager
    async def connection(self, autocommit: bool = False) -> AsyncIterator[Connection]:
        """A transaction, unless ``autocommit``; rows are dicts."""
        connection = await psycopg.AsyncConnection.connect(self.dsn, autocommit=autocommit, row_factory=dict_row)
        async with connection:
            yield connection


async def one(connection: Connection, sql: str, *values: Any) -> Row | None:
    """The first row."""
    return await (await connection.execute(sql, values)).fetchone()


async def rows(connection: Connection, sql: str, *values: Any) -> list[Row]:
    return await (await connection.execute(sql, values)).fetchall()


async def happened(
    connection: Connection,
    resource: str,
    type: str,
    state: str,
    sentence: str,
    *,
    stage: str = "",
    done: int = 0,
    total: int = 0,
) -> None:
    """Append an event. The caller holds the lock on the row of ``resource``, which orders them."""
    last = await one(connection, "select coalesce(max(id), 0) as id from events where resource = %s", resource)
    event = {"id": last["id"] + 1 if last else 1, "at": text(now()), "type": type, "state": state, "stage": stage}
    event |= {"done": done, "total": total, "sentence": sentence}
    check_event(event)
    await connection.execute("insert into events values (%s, %s, %s)", (resource, event["id"], Jsonb(event)))
    await connection.execute("select pg_notify('events', %s)", (resource,))


async def alone(connection: Connection, org: str) -> None:
    """Until the transaction ends nobody else creates anything for ``org``: keys, quotas and duplicates are looked at in peace."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", (org,))


async def known_key(connection: Connection, org: str, key: str, body: Mapping[str, Any]) -> tuple[str, bool]:
    """The resource that ``key`` made before (empty for none), and whether that was with the same body."""
    row = await one(connection, "select digest, resource from keys where org = %s and key = %s", org, key)
    return ("", True) if row is None else (row["resource"], row["digest"] == _digest(body))


async def keep_key(connection: Connection, org: str, key: str, body: Mapping[str, Any], resource: str) -> None:
    await connection.execute("insert into keys values (%s, %s, %s, %s)", (org, key, _digest(body), resource))


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def fresh(kind: str) -> str:
    """A new id such as ``imp_…``."""
    return f"{kind}_" + "".join(secrets.choice(ALPHABET) for _ in range(26))


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def text(moment: dt.datetime) -> str:
    """RFC 3339 in UTC."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
