"""Analyses that the service runs: asked for once, watched, ended, taken over when a replica dies, fetched and verified."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from qverify_desktop.evidence.verify import verify_bundle
from tests.hosted_service.checkpoints import cosigned_at
from tests.hosted_service.sending import events, problem
from tests.hosted_service.service import HostedService

SOURCE = {"url": "https://git.test/group/project.git", "commit": "0123456789abcdef" * 2 + "01234567"}
REQUEST = {"source": SOURCE, "scope": "all", "model": "default", "label": "Nightly"}


def ask(client: httpx.Client, key: str = "key-of-an-analysis", **changed: Any) -> httpx.Response:
    return client.post("/v1/analyses", json=REQUEST | changed, headers={"Idempotency-Key": key})


def test_an_analysis_from_asking_to_its_bundle(service: HostedService, client: httpx.Client, tmp_path: Path) -> None:
    asked = ask(client)
    id = asked.json()["id"]
    assert (asked.status_code, asked.json()["state"]) == (201, "queued")
    assert (ask(client).status_code, ask(client).json()["id"]) == (200, id)
    assert problem(ask(client, scope="changed:main")) == "idempotency-key-reused"
    told = list(events(client, f"/v1/analyses/{id}"))
    assert [event["id"] for event in told] == list(range(1, len(told) + 1))
    assert [event["state"] for event in told if event["type"] == "state"] == ["queued", "running", "done"]
    stages = [event["stage"] for event in told if event["type"] == "progress"]
    assert list(dict.fromkeys(stages)) == ["cloning", "detecting", "running", "closing"]
    found = client.get(f"/v1/analyses/{id}").json()
    assert (found["request"], found["cost_micro"]) == (REQUEST, 8 * 1250)
    assert client.get("/v1/analyses").json()["analyses"] == [found]
    address = client.get(f"/v1/analyses/{id}/bundle").json()
    with httpx.Client(verify=service.tls(), trust_env=False) as bare:
        fetched = bare.get(address["url"])
    (tmp_path / "bundle.zip").write_bytes(fetched.content)
    result = found["result"]
    answer = verify_bundle(tmp_path / "bundle.zip", public_key=result["public_key"])
    assert (answer["grade"], answer["run"], answer["origin"]) == ("UNANCHORED", result["run"], result["origin"])
    assert len(fetched.content) == result["bundle"]["size"] == address["size"]
    assert cosigned_at(result["checkpoint"], service.cosigner)
    usage = client.get("/v1/usage").json()
    assert (usage["cost_micro"], usage["quotas"][2]["used"]) == (10_000, 1)


def test_somebody_ends_it(service: HostedService, client: httpx.Client) -> None:
    service.set(pace_s=0.2)
    id = ask(client).json()["id"]
    assert problem(client.get(f"/v1/analyses/{id}/bundle")) == "wrong-state"
    told = []
    for event in events(client, f"/v1/analyses/{id}"):
        told.append(event["state"])
        if event["stage"] == "detecting" and "cancelled" not in told:
            assert client.post(f"/v1/analyses/{id}/cancel").json()["state"] == "cancelled"
    assert told[-1] == "cancelled"
    assert client.post(f"/v1/analyses/{id}/cancel").json()["state"] == "cancelled"


def test_it_fails(service: HostedService, client: httpx.Client) -> None:
    service.set(failing_analyses=True)
    id = ask(client, model="none").json()["id"]
    assert list(events(client, f"/v1/analyses/{id}"))[-1]["state"] == "failed"
    found = client.get(f"/v1/analyses/{id}").json()
    assert found["problem"]["status"] == 500 and "result" not in found and found["cost_micro"] == 0


def test_its_replica_dies(service: HostedService, client: httpx.Client) -> None:
    """The stream is cut or goes on at the other replica; events go on counting, and the result is there once."""
    service.fault("WORKER", "analyses detecting", kill="before")
    id = ask(client).json()["id"]
    told: list[dict[str, Any]] = []
    while not told or told[-1]["state"] != "done":
        try:
            for event in events(client, f"/v1/analyses/{id}", after=told[-1]["id"] if told else 0):
                told.append(event)
        except httpx.TransportError:
            continue
    assert [event["id"] for event in told] == list(range(1, len(told) + 1))
    assert [event["state"] for event in told if event["type"] == "state"] == ["queued", "running", "done"]
    assert [event["stage"] for event in told].count(
        "cloning"
    ) == 5  # begun anew: once with the start, twice with two steps
    assert service.rows("select tries from analyses") == [(2,)]
