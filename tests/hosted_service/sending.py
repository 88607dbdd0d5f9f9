"""A desktop without a desktop: bundles of a real log, and the requests that send them, one function each."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from qverify_desktop.domain.disclosure import Disclosure
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.evidence.verify import verify_bundle
from tests.evidence.logs import KEY, ORIGIN, House

IDEMPOTENCY_KEY = "a-key-of-the-test-1"


@dataclass(frozen=True)
class Bundle:
    """A bundle in memory, and what is announced of it."""

    raw: bytes
    announcement: dict[str, Any]

    def other(self, **changed: Any) -> Bundle:
        """The same with another announcement."""
        return Bundle(self.raw, self.announcement | changed)

    def altered(self, raw: bytes) -> Bundle:
        """Other bytes, announced as they are."""
        return Bundle(raw, self.announcement | {"size": len(raw), "sha256": hashlib.sha256(raw).hexdigest()})


class Desktop:
    """A log with runs."""

    def __init__(self, folder: Path, key: bytes = KEY) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.house, self.key = House(folder, key), str(Signer(ORIGIN, key, "").verifier_key)

    def close(self) -> None:
        self.house.close()

    def change_key(self, record: str, kind: str, key: bytes | None, revoked: str = "") -> Bundle:
        """Rotate or revoke the key that signs; without ``key`` the earlier one ``revoked`` is. Answers the bundle of the record."""
        heir = None if key is None else Signer(ORIGIN, key, "")
        self.house.journal.change_key(record, kind, heir, revoked=revoked)
        self.key = self.house.journal.verifier_key
        return self.bundle(record)

    def run(self, name: str, steps: int = 2, exit_code: int = 0) -> Bundle:
        """A run and its bundle."""
        self.house.whole_run(name, steps, exit_code)
        return self.bundle(name)

    def bundle(self, name: str, disclosure: Disclosure = Disclosure.FULL) -> Bundle:
        """The bundle of a run that was made before."""
        path = self.house.folder / f"{name}.qvevidence.zip"
        self.house.journal.bundle(name, path, disclosure)
        raw = path.read_bytes()
        checkpoint = verify_bundle(path)["checkpoint"]
        announcement = {"run": name, "size": 0, "sha256": "", "disclosure": str(disclosure), "checkpoint": checkpoint}
        return Bundle(raw, announcement | {"public_key": self.key}).altered(raw)


def announce(client: httpx.Client, bundle: Bundle, key: str = IDEMPOTENCY_KEY) -> httpx.Response:
    return client.post("/v1/imports", json=bundle.announcement, headers={"Idempotency-Key": key})


def addresses(client: httpx.Client, id: str, numbers: list[int]) -> list[dict[str, Any]]:
    answer = client.post(f"/v1/imports/{id}/parts", json={"numbers": numbers})
    answer.raise_for_status()
    parts: list[dict[str, Any]] = answer.json()["parts"]
    return parts


def put(client: httpx.Client, part: dict[str, Any], bundle: Bundle) -> httpx.Response:
    """Send one part to its address, without the token."""
    content = bundle.raw[part["offset"] : part["offset"] + part["size"]]
    request = httpx.Request(part["method"], part["url"], content=content, headers=part["headers"])
    return client.send(request)


def upload(client: httpx.Client, bundle: Bundle, key: str = IDEMPOTENCY_KEY) -> str:
    """Announce, send what is missing, complete; the import's id."""
    answer = announce(client, bundle, key)
    answer.raise_for_status()
    id: str = answer.json()["id"]
    missing = client.get(f"/v1/imports/{id}/parts").json()["missing"]
    numbers = [number for first, last in missing for number in range(first, last + 1)]
    for at in range(0, len(numbers), 100):
        for part in addresses(client, id, numbers[at : at + 100]):
            put(client, part, bundle).raise_for_status()
    client.post(f"/v1/imports/{id}/complete").raise_for_status()
    return id


def events(client: httpx.Client, path: str, after: int = 0) -> Generator[dict[str, Any], None, None]:
    """Events of ``/v1/imports/ID`` or ``/v1/analyses/ID`` as they come; ends with the stream, which a minute is enough for."""
    end = time.monotonic() + 60
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
    with client.stream("GET", f"{path}/events", headers=headers) as answer:
        answer.raise_for_status()
        for line in answer.iter_lines():
            assert time.monotonic() < end, f"{path} does not end"
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))


def outcome(client: httpx.Client, id: str) -> dict[str, Any]:
    """An import at its end."""
    for _ in events(client, f"/v1/imports/{id}"):
        pass
    found: dict[str, Any] = client.get(f"/v1/imports/{id}").json()
    return found


def problem(answer: httpx.Response) -> str:
    """Name of the problem; the answer has to be one."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body = answer.json()
    assert body["status"] == answer.status_code
    assert body["request_id"] == answer.headers["request-id"]
    return str(body["type"].rpartition(":")[2])
