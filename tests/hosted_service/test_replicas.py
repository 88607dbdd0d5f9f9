"""What goes wrong between client and service: cut connections, replicas that are killed, answers that are lost. One import each time."""

from __future__ import annotations

import random
import time
from typing import Any

import httpx
import pytest

from tests.hosted_service.sending import Desktop, announce, events, outcome, problem, upload
from tests.hosted_service.service import HostedService
from tests.hosted_service.trouble import one_import, sent_through_trouble


def test_cut_at_random_points_and_killed_twice_is_one_import(service: HostedService, desktop: Desktop) -> None:
    sent_through_trouble(service, desktop.run("r1", steps=20), random.Random(7), "decided")


def test_a_worker_that_hangs_loses_its_lease(service: HostedService, desktop: Desktop) -> None:
    """The other replica takes over; what the first finds when it wakes up counts nothing."""
    service.fault("WORKER", "imports verified", delay_s=0.5)
    with service.http() as client:
        id = upload(client, desktop.run("r1"))
        while service.rows("select remaining from faults") != [(0,)]:
            time.sleep(0.01)
        ((owner,),) = service.rows("select lease_owner from imports")
        hanging = next(n for n, replica in enumerate(service.replicas) if owner.startswith(replica.name))
        service.pause(hanging)
        try:
            with service.http(replica=1 - hanging) as other:
                assert outcome(other, id)["state"] == "accepted"
        finally:
            service.resume(hanging)
        with service.http(replica=hanging) as woken:
            time.sleep(0.6)  # it has the rest of its pause before it tries to accept
            assert woken.get(f"/v1/imports/{id}").json()["state"] == "accepted"
    one_import(service, id)


def test_an_answer_that_got_lost(service: HostedService, client: httpx.Client, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    for cut, count in (("before", 0), ("after", 1)):
        service.fault("POST", "^/v1/imports$", cut=cut)
        with pytest.raises(httpx.TransportError):
            announce(client, bundle)
        assert service.rows("select count(*) from imports") == [(count,)]
    assert announce(client, bundle).status_code == 200
    id = upload(client, bundle)
    service.fault("GET", "/events$", cut_after=200)
    seen: list[dict[str, Any]] = []
    with pytest.raises(httpx.TransportError):
        seen.extend(events(client, f"/v1/imports/{id}"))
    assert outcome(client, id)["state"] == "accepted"


@pytest.mark.parametrize(("status", "name"), [(429, "rate-limited"), (500, "internal"), (503, "unavailable")])
def test_planned_answers(service: HostedService, client: httpx.Client, status: int, name: str) -> None:
    service.fault("GET", "^/v1/account$", times=2, status=status, retry_after=7)
    for _ in range(2):
        answer = client.get("/v1/account")
        assert (answer.status_code, problem(answer)) == (status, name)
        assert answer.headers.get("retry-after") == (None if status == 500 else "7")
    assert client.get("/v1/account").status_code == 200


def test_slow_answers(service: HostedService, client: httpx.Client) -> None:
    service.fault("GET", "^/v1/account$", delay_s=0.4)
    with pytest.raises(httpx.ReadTimeout):
        client.get("/v1/account", timeout=0.2)
    assert client.get("/v1/account").status_code == 200


def test_replicas_take_turns_and_cover_for_each_other(service: HostedService, client: httpx.Client) -> None:
    assert service.balancer is not None
    service.balancer.taken.clear()
    for _ in range(6):
        client.get("/v1/regions").raise_for_status()
    assert list(service.balancer.taken.values()) == [3, 3]
    service.kill(0)
    for _ in range(4):
        client.get("/v1/account").raise_for_status()
