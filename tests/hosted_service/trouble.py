"""An upload that everything happens to; ``packaging/prove/hosted.py`` has it happen more often than the tests."""

from __future__ import annotations

import random
import socket
import ssl
import threading
import time
import urllib.parse
from typing import Any

import httpx

from tests.hosted_service.sending import Bundle, addresses, announce, outcome, put, upload
from tests.hosted_service.service import HostedService

#: Where a worker's replica may die, in the order of its work. After ``decided`` comes nothing but the commit.
POINTS = ("claimed", "joined", "read", "verified", "decided")


def cut_part(service: HostedService, part: dict[str, Any], bundle: Bundle, after: int) -> None:
    """Send the first ``after`` bytes of a part's body, then hang up."""
    url = urllib.parse.urlsplit(part["url"])
    assert url.hostname is not None and url.port is not None
    head = f"PUT {url.path}?{url.query} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Length: {part['size']}\r\n\r\n"
    body = bundle.raw[part["offset"] : part["offset"] + after]
    with (
        socket.create_connection((url.hostname, url.port), timeout=10) as plain,
        service.tls().wrap_socket(plain, server_hostname=url.hostname) as connection,
    ):
        connection.sendall(head.encode() + body)
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )  # a reset, as of a pulled plug


def patient(work: Any, *values: Any) -> Any:
    """Repeat what is safe to repeat until it is answered: what any client of the contract has to do."""
    end = time.monotonic() + 60
    while True:
        try:
            return work(*values)
        except (httpx.TransportError, httpx.HTTPStatusError, ssl.SSLError, OSError) as error:
            status = error.response.status_code if isinstance(error, httpx.HTTPStatusError) else 599
            if status < 500 or time.monotonic() > end:
                raise
            time.sleep(0.05)


def one_import(service: HostedService, id: str) -> None:
    """It is accepted, once, and its events tell so without a gap."""
    assert service.rows("select id, state from imports") == [(id, "accepted")]
    assert service.rows("select count(*) from logs") == [(1,)]
    told = service.rows("select id, body->>'state', body->>'type' from events where resource = %s order by id", id)
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    assert [state for _, state, type in told if type == "state"] == ["uploading", "checking", "accepted"]


def sent_through_trouble(service: HostedService, bundle: Bundle, dice: random.Random, where: str) -> None:
    """Upload with connections cut at random points; one replica is killed half-way, and the one that checks at ``where``."""
    with service.http() as client:
        service.fault("POST", "^/v1/imports$", cut="after")
        id = patient(announce, client, bundle).json()["id"]
        count = client.get(f"/v1/imports/{id}").json()["parts"]
        half = dice.randrange(1, count)
        for number in dice.sample(range(1, count + 1), half):
            (part,) = patient(addresses, client, id, [number])
            cut_part(service, part, bundle, dice.randrange(part["size"]))
            if dice.random() < 0.7:
                put(client, part, bundle).raise_for_status()
        first = dice.randrange(2)
        service.kill(first)
        service.storage_faults({"method": "PUT", "path": id, "times": 1, "cut_after": dice.randrange(4096)})
        service.fault("WORKER", f"imports {where}", kill="before")
        again = threading.Thread(target=service.start, args=(first,))
        again.start()
        assert patient(upload, client, bundle) == id
        again.join(60)
        assert patient(outcome, client, id)["state"] == "accepted"
    one_import(service, id)
    assert service.rows("select count(*) from faults where remaining > 0") == [(0,)]
