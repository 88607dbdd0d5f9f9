"""Bundles on their way: the whole way, the same twice, what is refused, and what the service countersigns."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from qverify_desktop.evidence.note import Checkpoint, VerifierKey, open_note
from tests.evidence.logs import OTHER_KEY
from tests.hosted_service.checkpoints import cosigned_at
from tests.hosted_service.sending import Desktop, addresses, announce, events, outcome, problem, put, upload
from tests.hosted_service.service import HostedService


def test_a_bundle_is_taken_checked_and_countersigned(
    service: HostedService, client: httpx.Client, desktop: Desktop
) -> None:
    bundle = desktop.run("r1")
    answer = announce(client, bundle)
    made = answer.json()
    assert (answer.status_code, answer.headers["location"]) == (201, f"/v1/imports/{made['id']}")
    assert made["state"] == "uploading" and made["parts"] > 1
    id = upload(client, bundle)
    assert id == made["id"]
    found = outcome(client, id)
    result = found["result"]
    assert (found["state"], result["grade"], result["events"]) == ("accepted", "UNANCHORED", 4)
    # Both signatures hold: the desktop's own and the service's, over the same text.
    text, signers = open_note(result["checkpoint"], [VerifierKey.parse(desktop.key)])
    assert len(signers) == 1 and Checkpoint.parse(text).size == result["size"] == 4
    assert abs(cosigned_at(result["checkpoint"], service.cosigner) - time.time()) < 60
    assert client.get("/v1/service").json()["cosigner"] == service.cosigner
    known = client.get("/v1/checkpoints", params={"origin": found["origin"]}).json()
    assert (known["checkpoint"], known["size"]) == (result["checkpoint"], 4)
    # Completing once more changes nothing.
    assert client.post(f"/v1/imports/{id}/complete").json()["state"] == "accepted"
    assert client.get("/v1/usage").json()["quotas"][0]["used"] == 1


def test_later_runs_extend_and_earlier_ones_still_fit(client: httpx.Client, desktop: Desktop) -> None:
    first, second, third = (desktop.run(f"r{number}") for number in range(3))
    for number, bundle in enumerate((second, third, first)):
        assert outcome(client, upload(client, bundle, f"key-of-the-bundle-{number}"))["state"] == "accepted"
    assert client.get("/v1/checkpoints", params={"origin": "qverify.test/log"}).json()["size"] == 12
    pages = [client.get("/v1/imports", params={"limit": 2}).json()]
    pages.append(client.get("/v1/imports", params={"limit": 2, "cursor": pages[0]["next"]}).json())
    assert [one["run"] for page in pages for one in page["imports"]] == ["r0", "r2", "r1"]
    assert "next" not in pages[1]


def test_the_same_key_is_one_import_wherever_it_is_sent(service: HostedService, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    with service.http(replica=0) as one, service.http(replica=1) as other, ThreadPoolExecutor(8) as senders:
        answers = list(senders.map(lambda at: announce((one, other)[at % 2], bundle), range(8)))
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len({answer.json()["id"] for answer in answers}) == 1
        assert problem(announce(other, bundle.other(disclosure="headers"))) == "idempotency-key-reused"
        # The same bundle under another key is the same import too.
        answer = announce(other, bundle, "another-key-of-the-test")
        assert (answer.status_code, answer.json()["id"]) == (200, answers[0].json()["id"])
    assert service.rows("select count(*) from imports") == [(1,)]


def test_what_is_missing_can_be_asked_and_sent(client: httpx.Client, desktop: Desktop) -> None:
    bundle = desktop.run("r1", steps=12)
    id = announce(client, bundle).json()["id"]
    count = client.get(f"/v1/imports/{id}").json()["parts"]
    assert count >= 4
    for part in addresses(client, id, [2, 4]):
        assert put(client, part, bundle).status_code == 200
    parts = client.get(f"/v1/imports/{id}/parts").json()
    assert (parts["arrived"], parts["missing"][:2]) == ([[2, 2], [4, 4]], [[1, 1], [3, 3]])
    answer = client.post(f"/v1/imports/{id}/complete")
    assert problem(answer) == "parts-missing" and answer.json()["missing"] == parts["missing"]
    answer = client.post(f"/v1/imports/{id}/parts", json={"numbers": [count + 1]})
    assert problem(answer) == "invalid"
    # A part that is too short is none.
    (part,) = addresses(client, id, [1])
    assert put(client, part | {"size": part["size"] - 1}, bundle).status_code == 200
    assert client.get(f"/v1/imports/{id}/parts").json()["missing"][0] == [1, 1]
    assert upload(client, bundle) == id
    assert outcome(client, id)["state"] == "accepted"


def test_an_address_is_for_one_part_and_a_while(
    service: HostedService, client: httpx.Client, desktop: Desktop
) -> None:
    bundle = desktop.run("r1")
    id = announce(client, bundle).json()["id"]
    (part,) = addresses(client, id, [1])
    forged = part | {"url": part["url"].replace("partNumber=1", "partNumber=2")}
    assert put(client, forged, bundle).status_code == 403
    service.set(part_expires_s=1)
    (late,) = addresses(client, id, [2])
    time.sleep(2.1)  # the time in an address is in whole seconds
    assert put(client, late, bundle).status_code == 403
    assert client.get(f"/v1/imports/{id}/parts").json()["arrived"] == []


def test_giving_up(service: HostedService, client: httpx.Client, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    id = announce(client, bundle).json()["id"]
    (part,) = addresses(client, id, [1])
    assert [client.delete(f"/v1/imports/{id}").status_code for _ in range(2)] == [204, 204]
    assert put(client, part, bundle).status_code == 404
    answer = client.post(f"/v1/imports/{id}/complete")
    assert (problem(answer), answer.json()["state"]) == ("wrong-state", "cancelled")
    assert [event["state"] for event in events(client, f"/v1/imports/{id}")] == ["uploading", "cancelled"]
    # The bundle itself is not spoilt by that; an accepted one can't be given up.
    second = upload(client, bundle, "another-key-of-the-test")
    assert outcome(client, second)["state"] == "accepted"
    assert problem(client.delete(f"/v1/imports/{second}")) == "wrong-state"
    service.set(limits={"upload_expires_s": 1})
    third = announce(client, desktop.run("r2"), "third-key-of-the-test").json()["id"]
    assert [event["state"] for event in events(client, f"/v1/imports/{third}")] == ["uploading", "expired"]


def test_too_large(service: HostedService, client: httpx.Client, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    service.set(limits={"max_bundle_size": len(bundle.raw) - 1})
    answer = announce(client, bundle)
    assert (answer.status_code, problem(answer), answer.json()["limit"]) == (413, "too-large", len(bundle.raw) - 1)
    service.set(limits={"max_bundle_size": len(bundle.raw)})
    assert announce(client, bundle).status_code == 201
    assert problem(announce(client, bundle.other(run="x" * 70000), "key-for-a-large-body")) == "too-large"


def test_quotas(service: HostedService, client: httpx.Client, desktop: Desktop) -> None:
    service.set(quotas={"imports": 1, "analyses": 0})
    assert announce(client, desktop.run("r1")).status_code == 201
    answer = announce(client, desktop.run("r2"), "another-key-of-the-test")
    body = answer.json()
    assert (answer.status_code, problem(answer)) == (403, "quota-exhausted")
    assert (body["resource"], body["used"], body["limit"]) == ("imports", 1, 1)
    assert body["resets_at"] == client.get("/v1/usage").json()["period"]["end"]
    source = {"url": "https://git.test/a/b.git", "commit": "0" * 40}
    request = {"source": source, "scope": "all", "model": "none"}
    answer = client.post("/v1/analyses", json=request, headers={"Idempotency-Key": "key-of-an-analysis"})
    assert problem(answer) == "quota-exhausted"


def test_too_many_requests_at_both_replicas_together(service: HostedService, client: httpx.Client) -> None:
    service.set(rate={"requests": 5, "window_s": 3600})
    answers = [client.get("/v1/account") for _ in range(8)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert problem(answers[-1]) == "rate-limited"
    wait = int(answers[-1].headers["retry-after"])
    assert 0 < wait <= 3600 and abs(wait - answers[-1].json()["retry_after_s"]) <= 1
    assert client.get("/v1/service").status_code == 200


def test_bytes_that_were_changed(client: httpx.Client, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    at = bundle.raw.index(b'"exit_code":0')
    changed = bundle.raw[: at + 12] + b"1" + bundle.raw[at + 13 :]
    found = outcome(client, upload(client, bundle.altered(changed)))
    assert (found["state"], found["problem"]["type"]) == ("rejected", "urn:qverify:problem:bundle-invalid")
    junk = outcome(client, upload(client, bundle.altered(b"no archive"), "another-key-of-the-test"))
    assert junk["problem"]["type"] == "urn:qverify:problem:bundle-invalid"
    # Announced as the genuine one, sent otherwise.
    sent = bundle.altered(changed).other(sha256=bundle.announcement["sha256"])
    found = outcome(client, upload(client, sent, "third-key-of-the-test"))
    assert found["problem"]["type"] == "urn:qverify:problem:digest-mismatch"
    other = outcome(client, upload(client, bundle.other(run="r2"), "fourth-key-of-the-test"))
    assert other["problem"]["type"] == "urn:qverify:problem:announcement-mismatch"
    assert client.get("/v1/imports", params={"limit": 1}).json()["imports"][0]["problem"] == other["problem"]
    # None of these is in the way of the genuine one.
    assert outcome(client, upload(client, bundle, "fifth-key-of-the-test"))["state"] == "accepted"


def test_a_checkpoint_that_its_key_did_not_sign(client: httpx.Client, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    note = bundle.announcement["checkpoint"].replace("\n4\n", "\n5\n")
    answer = announce(client, bundle.other(checkpoint=note))
    assert problem(answer) == "invalid" and answer.json()["errors"][0]["pointer"] == "/checkpoint"


def test_a_log_that_was_written_anew(client: httpx.Client, desktop: Desktop, tmp_path: Path) -> None:
    genuine = desktop.run("r1")
    known = outcome(client, upload(client, genuine))["result"]["checkpoint"]
    rewritten = Desktop(tmp_path / "rewritten")
    same_size, longer = rewritten.run("r1", exit_code=1), rewritten.run("r2")
    rewritten.close()
    answer = announce(client, same_size, "another-key-of-the-test")
    assert (answer.status_code, problem(answer)) == (409, "diverged")
    assert answer.json()["known_checkpoint"]["checkpoint"] == known
    # At another size only the bundle itself can show it.
    found = outcome(client, upload(client, longer, "third-key-of-the-test"))
    assert (found["state"], found["problem"]["status"]) == ("rejected", 409)
    assert found["problem"]["known_checkpoint"]["checkpoint"] == known
    assert client.get("/v1/checkpoints", params={"origin": "qverify.test/log"}).json()["checkpoint"] == known


def test_a_shorter_log_that_was_written_anew(client: httpx.Client, desktop: Desktop, tmp_path: Path) -> None:
    desktop.run("r1", steps=4)
    outcome(client, upload(client, desktop.run("r2")))
    rewritten = Desktop(tmp_path / "rewritten")
    found = outcome(client, upload(client, rewritten.run("r1"), "another-key-of-the-test"))
    rewritten.close()
    assert found["problem"]["type"] == "urn:qverify:problem:diverged"


def test_another_key_for_a_known_log(client: httpx.Client, desktop: Desktop, tmp_path: Path) -> None:
    outcome(client, upload(client, desktop.run("r1")))
    other = Desktop(tmp_path / "other", OTHER_KEY)
    answer = announce(client, other.run("r1"), "another-key-of-the-test")
    other.close()
    assert (answer.status_code, problem(answer)) == (409, "key-changed")
    assert answer.json()["known_public_key"] == desktop.key


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"headers": {}}, "malformed"),
        ({"headers": {"Idempotency-Key": "short"}}, "malformed"),
        ({"params": {"x": "1"}}, "malformed"),
        ({"json": None, "content": b"{"}, "malformed"),
        ({"json": None, "content": b"\xff\xfe"}, "malformed"),
        ({"json": None, "content": b"[" * 60000}, "malformed"),
        ({"json": []}, "invalid"),
        ({"json": {"run": "r\x00"}}, "invalid"),
        ({"json": None, "content": b"{}", "headers": {"Content-Type": "text/plain"}}, "media-type"),
    ],
)
def test_requests_that_are_none(client: httpx.Client, words: dict[str, object], expected: str) -> None:
    headers = {"Idempotency-Key": "a-key-of-the-test-1", "Content-Type": "application/json"}
    headers |= words.get("headers", {})  # type: ignore[arg-type]
    if words.get("headers") == {}:
        del headers["Idempotency-Key"]
    asked = {"json": {}} | words | {"headers": headers}
    assert problem(client.post("/v1/imports", **asked)) == expected  # type: ignore[arg-type]


def test_events_can_be_resumed_at_the_other_replica(service: HostedService, desktop: Desktop) -> None:
    bundle = desktop.run("r1")
    service.fault("WORKER", "imports verified", delay_s=0.3)
    with service.http(replica=0) as one, service.http(replica=1) as other:
        id = upload(one, bundle)
        stream = events(one, f"/v1/imports/{id}")
        seen = [next(stream), next(stream)]
        stream.close()
        seen += events(other, f"/v1/imports/{id}", after=seen[-1]["id"])
        assert [event["id"] for event in seen] == list(range(1, len(seen) + 1))
        assert [event["state"] for event in seen if event["type"] == "state"] == ["uploading", "checking", "accepted"]
        last = {"Last-Event-ID": str(seen[-1]["id"])}
        assert one.get(f"/v1/imports/{id}/events", headers=last).status_code == 204
        assert problem(one.get(f"/v1/imports/{id}/events", headers={"Last-Event-ID": "x"})) == "malformed"
