"""What a closed run says about itself in the words of the supply chain: in-toto Statements v1 in DSSE, and as Sigstore bundles.

Everything in a statement follows from the run's entries and its closing checkpoint, so that whoever has these can make the
statement anew and compare it byte for byte (``docs/attestation.md``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from qverify_desktop.evidence.canonical import canonical
from qverify_desktop.evidence.merkle import leaf_hash
from qverify_desktop.evidence.signing import AttestationSigner

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
#: Of our own. The host is one that nobody can own (RFC 6762); the type is a name and is not looked up.
RUN_TYPE = "https://qverify.local/attestation/run/v1"
SIGSTORE_MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"

#: Files in the bundle: all envelopes, one a line, and each of them as a Sigstore bundle.
ENVELOPES_FILE = "attest/run.intoto.jsonl"
SIGSTORE_FILES = ("attest/run.sigstore.json", "attest/test-result.sigstore.json")

#: Entries that a statement is made of, besides how many there are of each type.
TOLD = ("run_opened", "snapshot", "plan", "judgement", "reused", "verdict", "run_closed")
#: More tests than this are counted and not named.
MOST_NAMES = 50_000
_LIMIT = 64 << 20

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_IMAGE = re.compile(r"sha256:([0-9a-f]{64})")
_OUTCOMES = {"nothing_suspected": "PASSED", "defects_suspected": "FAILED"}


@dataclass(frozen=True)
class Facts:
    """A closed run up to its closing checkpoint.

    ``entries`` are its leaves of the types ``TOLD``, in order, with their numbers in the log; ``events`` counts all its
    entries by type; ``checkpoint`` is the signed text of the closing checkpoint, without signatures.
    """

    origin: str
    run: str
    entries: Sequence[tuple[int, bytes]]
    events: Mapping[str, int]
    checkpoint: str


def attest(facts: Facts, signer: AttestationSigner) -> bytes:
    """Both statements, each in a signed envelope, one a line: first the run's own, then the tests'."""
    statements = _statements(facts)
    envelopes = (signer.envelope(PAYLOAD_TYPE, canonical(statement, _LIMIT)) for statement in statements)
    return b"".join(canonical(envelope, 2 * _LIMIT) + b"\n" for envelope in envelopes)


def sigstore_bundles(envelopes: bytes) -> Iterable[tuple[str, bytes]]:
    """Each envelope as a Sigstore bundle v0.3 with the key's name as verification material: file name and content."""
    for name, line in zip(SIGSTORE_FILES, envelopes.splitlines(), strict=True):
        envelope = json.loads(line)
        hint = envelope["signatures"][0]["keyid"]
        bundle = {
            "mediaType": SIGSTORE_MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": hint}},
            "dsseEnvelope": envelope,
        }
        yield name, canonical(bundle, 3 * _LIMIT)


def _statements(facts: Facts) -> tuple[dict[str, Any], dict[str, Any]]:
    read = [(index, leaf, json.loads(leaf)) for index, leaf in facts.entries]
    opened, closed = read[0], read[-1]

    def data_of(type: str) -> list[Mapping[str, Any]]:
        return [entry["data"] for _, _, entry in read if entry["type"] == type]

    snapshot = next(iter(data_of("snapshot")), {})
    verdict = next(iter(data_of("verdict")), None)
    reused = next(iter(data_of("reused")), {}).get("relies_on")
    images = _images(data_of("plan"))
    subject = _subject(facts.checkpoint, snapshot)
    tests: dict[str, set[str]] = {"accepted": set(), "refused": set(), "suspected": set()}
    for judged in data_of("judgement"):
        name, kind = judged.get("test"), judged.get("verdict")
        if isinstance(name, str) and isinstance(kind, str) and kind in tests:
            tests[kind].add(name)
    run = {
        "log": facts.origin,
        "run": facts.run,
        "openedAt": opened[2]["at"],
        "closedAt": closed[2]["at"],
        "request": _flat(opened[2]["data"]),
        "outcome": _flat(closed[2]["data"]).get("outcome"),
        "verdict": None if verdict is None else _flat(verdict),
        "tests": {kind: len(names) for kind, names in tests.items()},
        "events": dict(facts.events),
        "images": [{"language": language, "digest": digest} for language, digest in images],
        "dirty": snapshot.get("dirty") is True,
        "baseCommit": _hash_or_none(snapshot.get("commit")),
        "reliesOn": reused if isinstance(reused, dict) else None,
        "first": {"index": opened[0], "leaf": leaf_hash(opened[1]).hex()},
        "last": {"index": closed[0], "leaf": leaf_hash(closed[1]).hex()},
    }
    said = verdict.get("verdict") if verdict is not None else None
    result = {
        "result": "FAILED" if tests["suspected"] else _OUTCOMES.get(str(said), "WARNED"),
        "configuration": [
            {"name": "run_opened", "digest": {"sha256": hashlib.sha256(opened[1]).hexdigest()}},
            *({"name": f"image {language}", "digest": {"sha256": digest}} for language, digest in images),
        ],
    }
    if len(tests["accepted"]) + len(tests["suspected"]) <= MOST_NAMES:
        names = {
            "passedTests": sorted(tests["accepted"]),
            "warnedTests": [],
            "failedTests": sorted(tests["suspected"]),
        }
        result.update(names)
    return _statement(subject, RUN_TYPE, run), _statement(subject, TEST_RESULT_TYPE, result)


def _statement(subject: list[dict[str, Any]], type: str, predicate: dict[str, Any]) -> dict[str, Any]:
    return {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": type, "predicate": predicate}


def _subject(checkpoint: str, snapshot: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The checkpoint, the tree that was analysed, and the commit when it is exactly that tree."""
    digests = [("checkpoint", "sha256", hashlib.sha256(checkpoint.encode()).hexdigest())]
    commit, tree = _hash_or_none(snapshot.get("commit")), _hash_or_none(snapshot.get("tree"))
    if commit and snapshot.get("dirty") is False:
        digests.append(("commit", "gitCommit", commit))
    if tree:
        digests.append(("tree", "gitTree", tree))
    return [{"name": name, "digest": {kind: digest}} for name, kind, digest in digests]


def _images(plans: Iterable[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Language and image (SHA-256, hex) of each plan, in order."""
    found: dict[tuple[str, str], None] = {}
    for plan in plans:
        language, digest = plan.get("language"), plan.get("image_digest")
        match = _IMAGE.fullmatch(digest) if isinstance(digest, str) else None
        if match and isinstance(language, str):
            found[language, match[1]] = None
    return list(found)


def _hash_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and _COMMIT.fullmatch(value) else None


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    """Facts of an entry without commitments and keys: single values, and lists of single values."""

    def single(value: Any) -> bool:
        return value is None or isinstance(value, str | int)

    return {
        key: value
        for key, value in data.items()
        if single(value) or (isinstance(value, list) and all(single(one) for one in value))
    }
