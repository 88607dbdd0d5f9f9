"""Checks a QVerify evidence bundle. One file that stands alone: the standard library and ``cryptography``, nothing else.

Run it as ``python -I verify.py BUNDLE``; ``--help`` tells the options. Exit code 0: whole (and, with ``--reproduction``, executed
again), 1: not, 2: unreadable. Formats: RFC 8785 (canonical JSON), RFC 6962 (Merkle tree), RFC 8032 (Ed25519), RFC 3161 with RFC
5652 and RFC 5816 (time stamps), RFC 5280 (revocation lists), C2SP signed-note, tlog-checkpoint, tlog-tiles, tlog-proof,
tlog-cosignature, DSSE v1, in-toto Statement v1, Sigstore bundle v0.3; what is ours is in
``docs/evidence-format.md``. Everything in a bundle is hostile.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import hmac
import io
import json
import operator
import re
import struct
import sys
import zipfile
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding

MEANINGS = {
    "INVALID": "Something was changed, left out or added after it was signed, or another key signed it. Don't rely on any of it.",
    "DIVERGED": "The bundle is whole in itself, but its log contradicts the checkpoint you know: the log was written anew.",
    "UNANCHORED": "It does not show when that was, or that the findings are right.",
    "TIMESTAMPED": "The authority that you named confirms that the log was so at that time at the latest. It does not show that the "
    "findings are right, that nobody was shown another log, or that the authority's certificate was not revoked, unless you gave "
    "its list with --tsa-crl.",
    "WITNESSED": "A witness that you named has seen the log grow up to here without a rewrite. It does not show that the findings "
    "are right.",
}
#: What is whole in itself and signed by somebody else.
STRANGE = (
    "The bundle is whole in itself, but does not rest on the key that you trust. Don't rely on it as that key's."
)
#: What a bundle that is whole shows of its run, before what its grade adds.
SHOWN = "Every event of this run is in the signed log, in order, none missing and none changed."
SHOWN_OF_HEADERS = (
    "The opening and the close of this run are in the signed log, in order and not changed, and its other events are counted there; they "
    "are not in the bundle."
)
REWRITTEN = (
    "Nor does it show that the holder of the key did not write the whole log anew: keep checkpoints yourself and give one with "
    "--known-checkpoint."
)
OPENED, CLOSED = "run_opened", "run_closed"
#: How much of the run a bundle shows, and what it leaves open that a full one would answer.
FULL, REDACTED, HEADERS = "full", "redacted", "headers"
NOT_SHOWN = {
    REDACTED: "A redacted bundle: it shows every event of the run and not the contents (source, prompts, answers, output) that "
    "the events commit to.",
    HEADERS: "Headers only: it shows that the run was announced, how it ended, how many events it has and that its log hides "
    "no other run; it does not show the events.",
}
#: What the JSON of a bundle looks like: exactly these fields, of exactly these types.
MANIFEST = {
    "format": str,
    "version": int,
    "origin": str,
    "run": str,
    "size": int,
    "key_protection": str,
    "entries": [[int]],
    "headers": [[int]],
    "checkpoints": [int],
    "keys": [str],
}
#: Version 2 has attestations and tiles of all levels, and says how much it shows.
MANIFESTS = {1: MANIFEST, 2: {**MANIFEST, "disclosure": str}}
ENTRY = {"v": int, "log": str, "run": str, "seq": int, "prev": str, "step": str, "type": str, "at": str, "data": dict}
#: What an entry says about an earlier run whose findings it takes over: the leaf that closed that run.
RELIES_ON = "relies_on"
RELIED = {"run": str, "index": int, "leaf": str}
#: What the opening of a record says that changes the signing key of the log; and the two ways.
KEY_CHANGE = "key_change"
CHANGE = {"kind": str, "old": str, "new": str}
ROTATED, REVOKED = "rotated", "revoked"
SALT = {"index": int, "key": str, "salt": str, "sha256": str}
#: Attestations: the types of in-toto, the files they lie in, the entries that they are made of.
PAYLOAD_TYPE, STATEMENT_TYPE = "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"
RUN_TYPE = "https://qverify.local/attestation/run/v1"
TEST_RESULT_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
SIGSTORE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
ENVELOPES_FILE = "attest/run.intoto.jsonl"
SIGSTORE_FILES = ("attest/run.sigstore.json", "attest/test-result.sigstore.json")
ENVELOPE = {"payload": str, "payloadType": str, "signatures": [{"keyid": str, "sig": str}]}
ANNOUNCED_KEY = {"public": str, "protection": str}
COMMITMENT = {"commitment": str, "bytes": int}
#: Entries of a reproduction: how an image, packages and a test compare with those of the bundle that was executed again, and the whole.
IMAGE_COMPARED, PACKAGES_COMPARED = "image_compared", "packages_compared"
TEST_COMPARED, REPRODUCED = "test_compared", "reproduced"
#: Entries of which only the first counts.
TOLD_ONCE = frozenset((OPENED, "snapshot", "reused", "verdict", REPRODUCED))
GIT_HASH = "[0-9a-f]{40}|[0-9a-f]{64}"
#: DER of a SubjectPublicKeyInfo up to the 32 bytes of an Ed25519 key (RFC 8410).
ED25519_DER = bytes.fromhex("302a300506032b6570032100")
MOST_NAMES, MAX_ATTESTATION = 50_000, 128 << 20
#: What an opening says of the key that changes none.
NOTHING: dict[str, Any] = {}
#: Characters of the name of another run; ours have some twenty.
MAX_NAME = 200
MAX_DEPTH, MAX_INTEGER, MAX_LEAF, PROVEN_ENTRIES = 32, 2**53 - 1, 65535, 10_000
#: Bytes: the largest file in a bundle, all files together, a small file; and, beyond some bytes, how far all may have been compressed.
MAX_MEMBER, MAX_TOTAL, MAX_SMALL, MAX_PACKED, MAX_RATIO = 1 << 30, 1 << 32, 16 << 20, 64 << 20, 50
#: Bytes of names and commitments that are kept in memory of one run.
MAX_KEPT = 512 << 20
#: Bytes of a time stamp or of a checkpoint with its cosignatures, and lines of signatures on one.
MAX_ANCHOR, MAX_SIGNATURES = 256 << 10, 64
#: Bytes of a file that was given to check against, and of a revocation list: those of large authorities have some.
MAX_GIVEN, MAX_CRL = 1 << 20, 64 << 20
#: First byte of the key in a verifier key (C2SP signed-note): what its signatures are over.
SIGNS_NOTES, COSIGNS = 1, 4


class BundleUnreadable(Exception):
    """No bundle, or nothing that was given to check it against can be read; ``sentence`` says what. Exit code 2."""

    exit_code = 2

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Broken(Exception):
    """One sentence of what does not hold."""


class Key(NamedTuple):
    """A verifier key of C2SP signed-note."""

    name: str
    id: bytes
    public: bytes


class Change(NamedTuple):
    """A recorded change of the log's signing key: the record's closing leaf is the last of the first ``size``."""

    size: int
    kind: str
    old: Key
    new: Key


class Head(NamedTuple):
    """A checkpoint: origin, number of leaves, root; ``signers`` are those of the known keys that signed it."""

    origin: str
    size: int
    root: bytes
    signers: list[Key]


def unbase64(text: str) -> bytes:
    """Base64 in its one canonical form."""
    with suppress(ValueError):
        raw = base64.b64decode(text, validate=True)
        if base64.b64encode(raw).decode() == text:
            return raw
    raise Broken(f"{text[:60]!a} is not base64")


def parse_key(text: str, kind: int = SIGNS_NOTES) -> Key:
    """Read ``name+hash+base64``; the hash is SHA-256(name || newline || kind || key)[:4]."""
    name, _, rest = text.partition("+")
    hash_text, _, encoded = rest.partition("+")
    raw = unbase64(encoded)
    expected = hashlib.sha256(name.encode("utf-8", "replace") + b"\n" + raw).digest()[:4]
    if not name or re.search(r"\s", name) or len(raw) != 33 or raw[0] != kind or expected.hex() != hash_text:
        raise Broken(f"{text[:120]!a} is no verifier key")
    return Key(name, expected, raw[1:])


def signature_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Ed25519, RFC 8032, section 5.1.7."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def dsse_message(payload_type: str, payload: bytes) -> bytes:
    """What a DSSE signature is over: the pre-authentication encoding of its protocol, version 1."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


#: Keys by what a signature line says of its key.
Named = Mapping[tuple[str, bytes], Key]


def named(keys: Iterable[Key]) -> Named:
    return {(key.name, key.id): key for key in keys}


def parse_checkpoint(raw: bytes, keys: Named, where: str) -> Head:
    """Read a signed checkpoint of three lines and check the signatures of ``keys``; those of others count nothing, nor does a second
    one of a key."""
    try:
        body, separator, block = raw.decode("utf-8").rpartition("\n\n")
    except UnicodeDecodeError:
        raise Broken(f"{where} is not UTF-8.") from None
    lines = body.split("\n")
    if not separator or not block.endswith("\n") or re.search(r"[\x00-\x09\x0b-\x1f]", body + block):
        raise Broken(f"{where} is no signed note.")
    if len(lines) != 3 or not lines[0] or not re.fullmatch(r"0|[1-9][0-9]{0,15}", lines[1]):
        raise Broken(f"{where} is no checkpoint of three lines.")
    root = unbase64(lines[2])
    if len(root) != 32:
        raise Broken(f"{where} has a malformed line.")
    signers: list[Key] = []
    for name, signature in signature_lines(block, where):
        key = keys.get((name, signature[:4]))
        if key is not None and key not in signers:
            if not signature_holds(key.public, (body + "\n").encode(), signature[4:]):
                raise Broken(f"The signature of {where} does not hold.")
            signers.append(key)
    return Head(lines[0], int(lines[1]), root, signers)


def signature_lines(block: str, where: str) -> list[tuple[str, bytes]]:
    """Name of the key, and its id with the signature, of each line below a note."""
    lines: list[tuple[str, bytes]] = []
    for line in block[:-1].split("\n"):
        if len(lines) == MAX_SIGNATURES:
            raise Broken(f"{where} has more than {MAX_SIGNATURES} signatures.")
        match = re.fullmatch(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)", line)
        signature = unbase64(match[2]) if match else b""
        if match is None or len(signature) < 5:
            raise Broken(f"{where} has a malformed line.")
        lines.append((match[1], signature))
    return lines


def canonical(value: Any) -> str:
    """RFC 8785 of a value that has no floats and no large integers, as all that is read here."""
    return ENCODER.encode(_ordered(value))


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [_ordered(inner) for inner in value] if isinstance(value, list) else value


def _in_order(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 8785, section 3.2.3: keys rise by their UTF-16 code units, so that none stands twice."""
    keys = [key.encode("utf-16-be") for key, _ in pairs]
    if any(map(operator.ge, keys, keys[1:])):
        raise ValueError("a key stands twice or out of order")
    return dict(pairs)


def _integer(text: str) -> int:
    if len(text) > 17 or abs(number := int(text)) > MAX_INTEGER:
        raise ValueError("an integer of 2**53 or more")
    return number


def _no_float(text: str) -> NoReturn:
    raise ValueError(f"{text[:40]} is no integer")


DECODER = json.JSONDecoder(
    object_pairs_hook=_in_order, parse_int=_integer, parse_float=_no_float, parse_constant=_no_float
)
ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
#: For the many entries: what these two let through is found by writing the value again, and by looking for long numbers.
PLAIN: Any = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float)
SCAN = PLAIN.scan_once
DIGITS, LONG_NUMBER = bytes(48 if 48 <= code < 58 else 32 for code in range(256)), b"0" * 16
ENTRY_FIELDS, ENTRY_TYPES = sorted(ENTRY), [ENTRY[field] for field in sorted(ENTRY)]


def fits(value: Any, shape: Any) -> bool:
    """Whether a value has the fields and types of a shape."""
    if isinstance(shape, dict):
        return (
            type(value) is dict and value.keys() == shape.keys() and all(fits(value[k], s) for k, s in shape.items())
        )
    if isinstance(shape, list):
        return type(value) is list and all(fits(inner, shape[0]) for inner in value)
    return type(value) is shape


def nested_deeply(value: Any, raw: bytes) -> bool:
    """Whether objects and arrays stand more than ``MAX_DEPTH`` deep in a value, which was written as ``raw``."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        inside = (one.values() if type(one) is dict else one for one in level)
        level = [inner for values in inside for inner in values if type(inner) in (dict, list)]
    return bool(level)


def strict_json(raw: bytes, where: str, shape: Any = dict) -> dict[str, Any]:
    """The object of a canonical text; any other spelling, a key twice, a float, bad UTF-8, other fields are refused."""
    try:
        text = raw.decode("utf-8")
        value: dict[str, Any] = DECODER.decode(text)
        if type(value) is not dict or nested_deeply(value, raw) or ENCODER.encode(value) != text:
            raise ValueError("not the canonical form of an object")
    except (ValueError, RecursionError) as error:
        raise Broken(f"{where} is not strict JSON ({ascii(str(error))[1:120]}).") from None
    if not fits(value, shape):
        raise Broken(f"{where} does not have the fields it should.")
    return value


def _written() -> Callable[[Any], str]:
    """The text of a value with its keys in order; ``JSONEncoder`` makes the same encoder of the C library anew at each call."""
    made = getattr(json.encoder, "c_make_encoder", None)
    if made is None:
        return json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
    basic = getattr(json.encoder, "encode_basestring", None)
    encode = made(None, ENCODER.default, basic, None, ":", ",", True, False, False)
    return lambda value: "".join(encode(value, 0))


written = _written()


def entry_of(raw: bytes, where: str) -> dict[str, Any]:
    """``strict_json`` of an entry, several times as fast for the texts that most entries are."""
    try:
        text = raw.decode("ascii")
        value, end = SCAN(text, 0)
        # A key that stands twice, another order, another spelling: written again it is another text.
        if (
            end == len(text)
            and written(value) == text
            and not nested_deeply(value, raw)
            and LONG_NUMBER not in raw.translate(DIGITS)
            and type(value) is dict
            and list(value) == ENTRY_FIELDS
            and [*map(type, value.values())] == ENTRY_TYPES
        ):
            return value
    except (ValueError, RecursionError, StopIteration):
        pass
    return strict_json(raw, where, ENTRY)


class Leaves:
    """Hashes of leaves whose entries are shown, by number, in little room: ranges that rise and don't touch."""

    def __init__(self) -> None:
        self.hashes = bytearray()
        #: The first leaf of each range, and how many hashes stand before its own.
        self.firsts, self.places = array("Q"), array("Q")

    def begin(self, first: int) -> bytearray:
        """Where the hashes from leaf ``first`` on are put, which is beyond all that are there."""
        self.firsts.append(first)
        self.places.append(len(self.hashes) // 32)
        return self.hashes

    def _end(self, at: int) -> int:
        """The number of the leaf after a range."""
        after = self.places[at + 1] if at + 1 < len(self.places) else len(self.hashes) // 32
        return self.firsts[at] + after - self.places[at]

    def find(self, index: int) -> bytes | None:
        at = bisect_right(self.firsts, index) - 1
        if at < 0 or index >= self._end(at):
            return None
        place = 32 * (self.places[at] + index - self.firsts[at])
        return bytes(self.hashes[place : place + 32])

    def overlaps(self, first: int, count: int) -> bool:
        at = bisect_left(self.firsts, first + count) - 1
        return at >= 0 and self._end(at) > first

    def differs(self, start: int, hashes: bytes) -> int | None:
        """The first leaf from ``start`` on that is shown and has another hash in ``hashes``."""
        at, end = max(0, bisect_right(self.firsts, start) - 1), start + len(hashes) // 32
        while at < len(self.firsts) and (first := self.firsts[at]) < end:
            low, high = max(first, start), min(self._end(at), end)
            place = 32 * (self.places[at] + low - first)
            shown, signed = (
                self.hashes[place : place + 32 * (high - low)],
                hashes[32 * (low - start) : 32 * (high - start)],
            )
            if low < high and shown != signed:
                return low + next(
                    n for n in range(high - low) if shown[32 * n : 32 * n + 32] != signed[32 * n : 32 * n + 32]
                )
            at += 1
        return None


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962, section 2.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def fold(stack: list[bytes]) -> bytes:
    """Root of a tree from its right edge, largest subtree first."""
    if not stack:
        return hashlib.sha256(b"").digest()
    node = stack[-1]
    for left in reversed(stack[:-1]):
        node = node_hash(left, node)
    return node


def included(leaf: bytes, index: int, size: int, proof: list[bytes], root: bytes) -> bool:
    """RFC 9162, section 2.1.3.2."""
    if not 0 <= index < size or len(leaf) != 32:
        return False
    fn, sn, node = index, size - 1, leaf
    for sibling in proof:
        if sn == 0 or len(sibling) != 32:
            return False
        if fn & 1 or fn == sn:
            node = node_hash(sibling, node)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = node_hash(node, sibling)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and node == root


class Der(NamedTuple):
    """One value of DER (X.690): its tag, its contents, and all its bytes."""

    tag: int
    content: bytes
    raw: bytes


INTEGER, BOOLEAN, OCTETS, OID, TIME, SEQUENCE, SET = 0x02, 0x01, 0x04, 0x06, 0x18, 0x30, 0x31
#: Context tags [0] to [2] of constructed values, and of a plain one.
TAG_0, TAG_1, PLAIN_0 = 0xA0, 0xA1, 0x80


def der(data: bytes, tag: int | None = None) -> list[Der]:
    """All values that stand one after the other in ``data``, or with ``tag`` the contents of the one value that it is. One level:
    nothing here recurses. Raises ``Broken`` for what is no DER with short tags."""
    values: list[Der] = []
    at = 0
    while at < len(data):
        start, kind = at, data[at]
        length, at = data[at + 1] if at + 1 < len(data) else 0x80, at + 2
        if length > 0x80:
            count = length & 0x7F
            length, at = int.from_bytes(data[at : at + count]), at + count
            if count > 3 or length < 0x80 or length >> 8 * (count - 1) == 0:
                raise Broken("it is no DER")
        elif length == 0x80 or kind & 0x1F == 0x1F:
            raise Broken("it is no DER")
        if at + length > len(data) or len(values) >= 1000:
            raise Broken("it is no DER")
        values.append(Der(kind, data[at : at + length], data[start : at + length]))
        at += length
    if tag is None:
        return values
    if len(values) != 1 or values[0].tag != tag:
        raise Broken("a field is not what it should be")
    return der(values[0].content)


class Fields:
    """The fields of a sequence, taken in order; ``take`` insists, ``maybe`` passes over one that is not there."""

    def __init__(self, values: Sequence[Der]) -> None:
        self.values = list(values)

    def maybe(self, tag: int) -> Der | None:
        return self.values.pop(0) if self.values and self.values[0].tag == tag else None

    def take(self, tag: int) -> Der:
        value = self.maybe(tag)
        if value is None:
            raise Broken("a field is missing")
        return value

    def end(self) -> None:
        if self.values:
            raise Broken("it has a field too many")


def number_of(value: Der) -> int:
    if not value.content or len(value.content) > 64:
        raise Broken("a number has no bytes or too many")
    return int.from_bytes(value.content, signed=True)


def oid(dotted: str) -> bytes:
    """Contents of an object identifier (X.690, section 8.19)."""
    first, second, *rest = map(int, dotted.split("."))
    encoded = bytearray()
    for part in (40 * first + second, *rest):
        groups = [part & 0x7F]
        while part := part >> 7:
            groups.insert(0, 0x80 | part & 0x7F)
        encoded += bytes(groups)
    return bytes(encoded)


SIGNED_DATA, TST_INFO = oid("1.2.840.113549.1.7.2"), oid("1.2.840.113549.1.9.16.1.4")
CONTENT_TYPE, MESSAGE_DIGEST = oid("1.2.840.113549.1.9.3"), oid("1.2.840.113549.1.9.4")
SIGNING_CERTIFICATE, SIGNING_CERTIFICATE_V2 = oid("1.2.840.113549.1.9.16.2.12"), oid("1.2.840.113549.1.9.16.2.47")
RSA, ED25519 = oid("1.2.840.113549.1.1.1"), oid("1.3.101.112")
DIGESTS = {
    oid("2.16.840.1.101.3.4.2.1"): hashes.SHA256(),
    oid("2.16.840.1.101.3.4.2.2"): hashes.SHA384(),
    oid("2.16.840.1.101.3.4.2.3"): hashes.SHA512(),
}
#: Signature algorithms that name their digest: RSA with PKCS #1 v1.5, and ECDSA.
SIGNATURE_DIGESTS = {
    **{
        oid(f"1.2.840.113549.1.1.{number}"): digest
        for number, digest in zip((11, 12, 13), DIGESTS.values(), strict=True)
    },
    **{
        oid(f"1.2.840.10045.4.3.{number}"): digest for number, digest in zip((2, 3, 4), DIGESTS.values(), strict=True)
    },
}
TIME_STAMPING = x509.ObjectIdentifier("1.3.6.1.5.5.7.3.8")


def digest_of(algorithm: hashes.HashAlgorithm, data: bytes) -> bytes:
    hashed = hashes.Hash(algorithm)
    hashed.update(data)
    return hashed.finalize()


def algorithm_of(value: Der) -> bytes:
    """The object identifier of an AlgorithmIdentifier; its parameters are empty or NULL for all that are known here."""
    fields = Fields(der(value.raw, SEQUENCE))
    name = fields.take(OID).content
    if (rest := fields.maybe(0x05)) is not None and rest.content:
        raise Broken("an algorithm has parameters that are not known here")
    fields.end()
    return name


class Stamp(NamedTuple):
    """A time stamp whose bytes agree with each other and with what was stamped. Who made it is another question."""

    at: datetime
    nonce: int | None
    signer: x509.Certificate
    others: list[x509.Certificate]


def parse_stamp(raw: bytes, stamped: bytes, trusted: Sequence[x509.Certificate] = ()) -> Stamp:
    """Read a TimeStampResp (RFC 3161, section 2.4.2) over ``stamped`` and check everything but whether the signer is trusted.

    ``trusted`` certificates are looked through for the signer's where the token does not carry it. Raises ``Broken``.
    """
    try:
        return _parse_stamp(raw, stamped, trusted)
    except Broken:
        raise
    except Exception as error:  # noqa: BLE001 - reading a hostile certificate raises errors of many kinds
        raise Broken(f"it has a shape that no time stamp has ({type(error).__name__})") from None


def _parse_stamp(raw: bytes, stamped: bytes, trusted: Sequence[x509.Certificate]) -> Stamp:
    response = Fields(der(raw, SEQUENCE))
    status = Fields(der(response.take(SEQUENCE).raw, SEQUENCE))
    if number_of(status.take(INTEGER)) not in (0, 1):
        raise Broken("the authority refused to stamp")
    content = Fields(der(response.take(SEQUENCE).raw, SEQUENCE))
    response.end()
    if content.take(OID).content != SIGNED_DATA:
        raise Broken("it holds no signed data")
    signed = Fields(der(der(content.take(TAG_0).content)[0].raw, SEQUENCE))
    content.end()
    number_of(signed.take(INTEGER))
    signed.take(SET)
    encapsulated = Fields(der(signed.take(SEQUENCE).raw, SEQUENCE))
    if encapsulated.take(OID).content != TST_INFO:
        raise Broken("what it signs is no time stamp")
    inside = der(encapsulated.take(TAG_0).content)
    if len(inside) != 1 or inside[0].tag != OCTETS:
        raise Broken("what it signs is no time stamp")
    certificates = _certificates(signed.maybe(TAG_0))
    signed.maybe(TAG_1)
    signers = der(signed.take(SET).content)
    signed.end()
    if len(signers) != 1:
        raise Broken("it has not one signature")
    at, nonce = _stamped_at(inside[0].content, stamped)
    signer = _signer(signers[0], inside[0].content, [*certificates, *trusted])
    return Stamp(at, nonce, signer, [one for one in certificates if one != signer])


def _certificates(field: Der | None) -> list[x509.Certificate]:
    values = [] if field is None else der(field.content)
    if len(values) > 16:
        raise Broken("it carries more than 16 certificates")
    return [x509.load_der_x509_certificate(value.raw) for value in values]


def _stamped_at(raw: bytes, stamped: bytes) -> tuple[datetime, int | None]:
    """Time and nonce of a TSTInfo (RFC 3161, section 2.4.2), which must be over ``stamped``."""
    info = Fields(der(raw, SEQUENCE))
    if number_of(info.take(INTEGER)) != 1:
        raise Broken("its version is not known here")
    info.take(OID)
    imprint = Fields(der(info.take(SEQUENCE).raw, SEQUENCE))
    algorithm = DIGESTS.get(algorithm_of(imprint.take(SEQUENCE)))
    if algorithm is None:
        raise Broken("its digest is not known here")
    if not hmac.compare_digest(imprint.take(OCTETS).content, digest_of(algorithm, stamped)):
        raise Broken("it is over something else")
    info.take(INTEGER)
    text = info.take(TIME).content.decode("ascii", "replace")
    match = re.fullmatch(r"([0-9]{14})(\.[0-9]{1,6})?Z", text)
    try:
        at = datetime.strptime(match[1] if match else "", "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise Broken("its time can't be read") from None
    info.maybe(SEQUENCE)
    info.maybe(BOOLEAN)
    nonce = info.maybe(INTEGER)
    info.maybe(TAG_0)
    info.maybe(TAG_1)
    info.end()
    return at, None if nonce is None else number_of(nonce)


def _signer(raw: Der, signed: bytes, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """The certificate whose key signed (RFC 5652, section 5.3), out of those at hand."""
    info = Fields(der(raw.raw, SEQUENCE))
    number_of(info.take(INTEGER))
    identifier = info.maybe(SEQUENCE) or info.take(PLAIN_0)
    digest = DIGESTS.get(algorithm_of(info.take(SEQUENCE)))
    attributes = info.take(TAG_0)
    scheme = algorithm_of(info.take(SEQUENCE))
    signature = info.take(OCTETS).content
    info.maybe(TAG_1)
    info.end()
    found: dict[bytes, Der] = {}
    for attribute in der(attributes.content):
        pair = Fields(der(attribute.raw, SEQUENCE))
        name, values = pair.take(OID).content, der(pair.take(SET).content)
        if name in found or len(values) != 1:
            raise Broken("an attribute stands twice")
        found[name] = values[0]
    if digest is None or found.get(CONTENT_TYPE, raw).content != TST_INFO:
        raise Broken("its signature is of a kind that is not known here")
    if not hmac.compare_digest(found.get(MESSAGE_DIGEST, raw).content, digest_of(digest, signed)):
        raise Broken("its signature is over something else")
    signer = next((one for one in certificates if _names(identifier, one)), None)
    if signer is None:
        raise Broken("it does not carry the certificate of its signer, and you gave none that fits")
    _check_bound(found, signer)
    # The attributes are signed as the SET that they are, not under the tag that they have in the token.
    _check_signature(signer, scheme, digest, signature, bytes([SET]) + attributes.raw[1:])
    return signer


def _names(identifier: Der, certificate: x509.Certificate) -> bool:
    if identifier.tag == PLAIN_0:
        with suppress(x509.ExtensionNotFound, ValueError):
            key = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
            return key.value.digest == identifier.content
        return False
    fields = Fields(der(identifier.raw, SEQUENCE))
    issuer, serial = fields.take(SEQUENCE).raw, number_of(fields.take(INTEGER))
    fields.end()
    return certificate.serial_number == serial and certificate.issuer.public_bytes() == issuer


def _check_bound(attributes: dict[bytes, Der], signer: x509.Certificate) -> None:
    """The signed attributes name the signer's certificate by its digest (RFC 5816; RFC 2634 with SHA-1), so that no other
    certificate for the same key can take its place."""
    modern, old = attributes.get(SIGNING_CERTIFICATE_V2), attributes.get(SIGNING_CERTIFICATE)
    value = modern or old
    if value is None:
        raise Broken("its signature does not name the certificate of its signer")
    first = Fields(der(der(Fields(der(value.raw, SEQUENCE)).take(SEQUENCE).content)[0].raw, SEQUENCE))
    algorithm: hashes.HashAlgorithm | None = hashes.SHA1()  # noqa: S303 - as RFC 2634 has it; the signature is over SHA-2
    if modern is not None:
        named = first.maybe(SEQUENCE)
        algorithm = hashes.SHA256() if named is None else DIGESTS.get(algorithm_of(named))
    if algorithm is None or first.take(OCTETS).content != signer.fingerprint(algorithm):
        raise Broken("its signature names another certificate")


def _check_signature(
    signer: x509.Certificate, scheme: bytes, digest: hashes.HashAlgorithm, signature: bytes, message: bytes
) -> None:
    algorithm = SIGNATURE_DIGESTS.get(scheme, digest)
    try:
        key = signer.public_key()
        if isinstance(key, rsa.RSAPublicKey) and (scheme == RSA or scheme in SIGNATURE_DIGESTS):
            key.verify(signature, message, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme in SIGNATURE_DIGESTS:
            key.verify(signature, message, ec.ECDSA(algorithm))
        elif isinstance(key, Ed25519PublicKey) and scheme == ED25519:
            key.verify(signature, message)
        else:
            raise Broken("its signature is of a kind that is not known here")
    except InvalidSignature:
        raise Broken("its signature does not hold") from None


def why_not(
    stamp: Stamp, trusted: Sequence[x509.Certificate], revoked: Sequence[x509.CertificateRevocationList] = ()
) -> str:
    """Why a stamp is none of an authority in ``trusted`` (certificates of authorities, or of who issued theirs), or was made with a
    certificate that one of the lists ``revoked`` takes back; empty where nothing speaks against it."""
    try:
        path = _path(stamp, trusted)
        for certificate, issuer in path:
            for crl in revoked:
                # What signed itself can't take itself back.
                if crl.issuer == certificate.issuer != certificate.subject:
                    _check_revoked(certificate, issuer, crl, stamp.at)
    except Broken as broken:
        return str(broken)
    except Exception as error:  # noqa: BLE001 - as above
        return f"a certificate in it can't be read ({type(error).__name__})"
    return ""


def unlisted(
    stamp: Stamp, trusted: Sequence[x509.Certificate], revoked: Sequence[x509.CertificateRevocationList]
) -> bool:
    """Whether a certificate on the way of a stamp that holds has no list of its issuer that is younger than the stamp."""
    listed = {crl.issuer for crl in revoked if crl.last_update_utc >= stamp.at}
    return any(one.issuer not in listed for one, _ in _path(stamp, trusted) if one.issuer != one.subject)


def _path(
    stamp: Stamp, trusted: Sequence[x509.Certificate]
) -> list[tuple[x509.Certificate, x509.Certificate | None]]:
    """The certificates from the signer's up to one that is trusted, each with who issued it, where that one is at hand."""
    try:
        usage = stamp.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, ValueError):
        raise Broken("its signer's certificate is not made for time stamps") from None
    if not usage.critical or list(usage.value) != [TIME_STAMPING]:
        raise Broken("its signer's certificate is not made for time stamps alone")
    known = {one.public_bytes(Encoding.DER) for one in trusted}
    path: list[tuple[x509.Certificate, x509.Certificate | None]] = []
    certificate, pool = stamp.signer, [*trusted, *stamp.others]
    while len(path) < 8:
        if not certificate.not_valid_before_utc <= stamp.at <= certificate.not_valid_after_utc:
            raise Broken("a certificate of its authority was not valid then")
        issuer = next((one for one in pool if one != certificate and _issued(one, certificate)), None)
        path.append((certificate, issuer))
        if certificate.public_bytes(Encoding.DER) in known:
            return path
        if issuer is None:
            break
        certificate = issuer
    raise Broken("it is by an authority that you did not name")


#: Reasons for which a key was given up and not lost: what it stamped before stays good (RFC 3161, section 4, item 1).
GIVEN_UP = (
    x509.ReasonFlags.unspecified,
    x509.ReasonFlags.affiliation_changed,
    x509.ReasonFlags.superseded,
    x509.ReasonFlags.cessation_of_operation,
)
#: Extensions of a revocation list that change nothing about which certificates it names.
KNOWN_IN_LISTS = (x509.CRLNumber, x509.AuthorityKeyIdentifier, x509.FreshestCRL, x509.IssuerAlternativeName)


def _check_revoked(
    certificate: x509.Certificate, issuer: x509.Certificate | None, crl: x509.CertificateRevocationList, at: datetime
) -> None:
    """Raises ``Broken`` where a list (RFC 5280, section 5) takes a certificate back with effect on a stamp made at ``at``, or can't be
    relied on: it is not its issuer's, or of a kind that names only some of the certificates."""
    if issuer is None or not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
        raise Broken("the revocation list that you gave is not signed by who issued the certificate")
    if any(one.critical and not isinstance(one.value, KNOWN_IN_LISTS) for one in crl.extensions):
        raise Broken("the revocation list that you gave is of a kind that is not known here")
    found = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
    if found is None:
        return
    reason = None
    with suppress(x509.ExtensionNotFound):
        reason = found.extensions.get_extension_for_class(x509.CRLReason).value.reason
    when = found.revocation_date_utc
    if reason in GIVEN_UP and at < when:
        return
    why = f" ({reason.value})" if reason is not None else ""
    raise Broken(f"a certificate of its authority was revoked on {when:%Y-%m-%dT%H:%M:%SZ}{why}")


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
        if not issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        with suppress(x509.ExtensionNotFound):
            return bool(issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign)
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return True


def cosigned_at(text: bytes, key: Key, signature: bytes) -> int | None:
    """Seconds since 1970 at which a witness cosigned the text of a checkpoint (C2SP tlog-cosignature, Ed25519); ``None`` where the
    signature (eight bytes of time and 64 of signature) does not hold."""
    if len(signature) != 72:
        return None
    at = int.from_bytes(signature[:8])
    message = b"cosignature/v1\ntime %d\n" % at + text
    return at if at < 1 << 37 and signature_holds(key.public, message, signature[8:]) else None


class Archive:
    """The zip file. Files are read by name; those that nobody asked for are found by ``unread``."""

    def __init__(self, path: Path) -> None:
        try:
            self.file = path.open("rb")
        except OSError as error:
            raise BundleUnreadable(f"{path} can't be read ({error.strerror}).") from None
        if not self.file.seekable():
            self.file.close()
            raise BundleUnreadable(
                f"{path} is a pipe, and a bundle is read from its end: save it to a file, and name that."
            )
        try:
            self.zip = zipfile.ZipFile(self.file)
            self.infos = sorted(self.zip.infolist(), key=lambda info: info.header_offset)
        except Exception:  # noqa: BLE001 - zipfile raises many kinds for bytes that are no archive
            self.file.close()
            raise BundleUnreadable(f"{path} is no zip archive, or its directory is damaged.") from None
        self.unread = {info.filename for info in self.infos}
        self.repacked = False

    def check(self) -> None:
        """Refuse what a bundle never has: a name twice, links, encryption, bombs, bytes outside of the files."""
        if len(self.unread) != len(self.infos):
            raise Broken("The archive has a name twice.")
        for info in self.infos:
            kind = info.external_attr >> 16 & 0o170000
            if info.filename != info.orig_filename or kind not in (0, 0o100000) or info.flag_bits & 0x2041:
                raise Broken(f"The archive holds something else than a plain file: {info.filename!a}.")
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise Broken(f"{info.filename!a} is compressed in a way that is not known here.")
            if info.header_offset < 0 or (info.compress_type == 0 and info.compress_size != info.file_size):
                raise Broken(f"The directory of the archive is damaged at {info.filename!a}.")
            if info.file_size > MAX_MEMBER:
                raise Broken(f"{info.filename!a} would unpack to {info.file_size} bytes.")
        whole, packed = sum(info.file_size for info in self.infos), self.file.seek(0, io.SEEK_END)
        if whole > min(MAX_TOTAL, max(MAX_PACKED, MAX_RATIO * packed)):
            raise Broken(f"The archive has {packed} bytes and would unpack to {whole}.")
        self._check_layout()

    def _check_layout(self) -> None:
        """Ours is the one archive of its files: stored, in order, no times. Packed anew by another program it may look
        otherwise all over; a difference here and there means that bytes were changed in place."""
        position, same, placed, directory = 0, 0, True, []
        for info in self.infos:
            name = info.filename.encode("utf-8", "replace")
            size = info.file_size & 0xFFFFFFFF
            fields = (20, 0, 0, 0, 0x21, info.CRC, size, size, len(name), 0)
            local = struct.pack("<4s5H3I2H", b"PK\3\4", *fields) + name
            self.file.seek(info.header_offset)
            same += self.file.read(len(local)) == local
            placed = placed and info.header_offset == position
            directory.append(struct.pack("<4s2H", b"PK\1\2", 0x0314, 20) + struct.pack("<4H3I2H", *fields[1:]))
            directory.append(struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, position & 0xFFFFFFFF) + name)
            position += len(local) + info.file_size
        count, central, end = len(self.infos), b"".join(directory), b""
        if count > 0xFFFF:
            # The counts of the ordinary end are too narrow (APPNOTE.TXT of PKWARE, 4.3.14 and 4.3.15).
            end += struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(central), position)
            end += struct.pack("<4sIQI", b"PK\6\7", 0, position + len(central), 1)
        shown = min(count, 0xFFFF)
        end += struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, shown, shown, len(central), position & 0xFFFFFFFF, 0)
        self.file.seek(position)
        if placed and same == len(self.infos) and self.file.read(len(central + end) + 1) == central + end:
            return
        if same or self.zip.comment or not self.infos or self.infos[0].header_offset:
            raise Broken("Bytes of the archive around its files were changed or added.")
        self.repacked = True

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        if name not in self.zip.NameToInfo:
            raise Broken(f"{name} is missing.")
        self.unread.discard(name)
        try:
            with self.zip.open(name) as stream:
                yield stream
        except Broken:
            raise
        except Exception:  # noqa: BLE001 - a wrong checksum, a header that contradicts the directory, bad deflate data …
            raise Broken(f"{name} is damaged.") from None

    def read(self, name: str, limit: int = MAX_SMALL) -> bytes:
        with self.open(name) as stream:
            data: bytes = stream.read(limit + 1)
        if len(data) > limit:
            raise Broken(f"{name} is over {limit} bytes.")
        return data

    def lines(self, name: str) -> Iterator[bytes]:
        """Lines of at most an entry's length, without their newlines."""
        rest = b""
        with self.open(name) as stream:
            while part := stream.read(1 << 18):
                *whole, rest = (rest + part).split(b"\n")
                for line in whole:
                    if len(line) > MAX_LEAF:
                        break
                    yield line
                else:
                    if len(rest) <= MAX_LEAF:
                        continue
                rest = b"too long"
                break
        if rest:
            raise Broken(f"{name} has a line that is too long or has no end.")


class Told:
    """What the entries of a run come to, kept while they pass by: its attestations are made of it, and what a reproduction is held
    against. Single entries are kept as they are, of the many only names and numbers."""

    def __init__(self) -> None:
        #: Data of the first entry of some types, and the opening and the close with their leaves' numbers and texts.
        self.first: dict[str, dict[str, Any]] = {}
        self.ends: list[tuple[int, bytes, dict[str, Any]]] = []
        self.counts: dict[str, int] = {}
        self.images: dict[tuple[str, str], None] = {}
        self.tests: dict[str, set[str]] = {"accepted": set(), "refused": set(), "suspected": set()}
        self.commitments: dict[str, tuple[str, int]] = {}
        self.relied_on: list[tuple[int, dict[str, Any]]] = []
        #: Of a reproduction: each test with what was claimed of it, how it ended; and whether images and packages were the run's.
        self.compared: dict[tuple[str, str], str] = {}
        self.same_images: list[bool] = []
        self.same_packages = True
        self._room = MAX_KEPT

    def _keep(self, *texts: str) -> None:
        self._room -= sum(map(len, texts)) + 200
        if self._room < 0:
            raise BundleUnreadable(
                f"The run names more tests and contents than this verifier takes into memory ({MAX_KEPT >> 20} MiB), so nothing is "
                "known of it."
            )

    def add(self, index: int, raw: bytes, entry: dict[str, Any]) -> None:
        kind, data = entry["type"], entry["data"]
        if kind not in self.counts:
            self._keep(kind)
        self.counts[kind] = self.counts.get(kind, 0) + 1
        for key, value in data.items():
            if type(value) is dict and fits(value, COMMITMENT):
                self._keep(key, value["commitment"])
                self.commitments[f"{index} {key}"] = (value["commitment"], value["bytes"])
        if RELIES_ON in data:
            if not fits(data[RELIES_ON], RELIED):
                raise Broken(f"An entry of the run relies on a run that was not closed before it (leaf {index}).")
            self._keep(data[RELIES_ON]["run"], data[RELIES_ON]["leaf"])
            self.relied_on.append((index, data[RELIES_ON]))
        if kind in (OPENED, CLOSED):
            self.ends.append((index, raw, entry))
        if kind in TOLD_ONCE:
            self.first.setdefault(kind, data)
        elif kind == "plan":
            language, digest = data.get("language"), data.get("image_digest")
            if type(language) is type(digest) is str and re.fullmatch("sha256:[0-9a-f]{64}", digest):
                self._keep(language, digest)
                self.images[language, digest.removeprefix("sha256:")] = None
        elif kind == "judgement":
            name, verdict = data.get("test"), data.get("verdict")
            if type(name) is type(verdict) is str and verdict in self.tests and name not in self.tests[verdict]:
                self._keep(name)
                self.tests[verdict].add(name)
        elif kind == TEST_COMPARED:
            name, verdict, state = (data.get(field) for field in ("test", "verdict", "state"))
            if type(name) is type(verdict) is type(state) is str:
                self._keep(name, verdict, state)
                self.compared[name, verdict] = state
        elif kind == IMAGE_COMPARED:
            self._keep()
            self.same_images.append(data.get("same") is True)
        elif kind == PACKAGES_COMPARED:
            self.same_packages = self.same_packages and data.get("same") is True


class Anchors(NamedTuple):
    """Whom the person who verifies trusts to confirm when: certificates of time-stamp authorities with lists of those that were
    revoked, keys of witnesses."""

    authorities: list[x509.Certificate]
    revoked: list[x509.CertificateRevocationList]
    witnesses: list[Key]


class Verification:
    """One bundle under examination. Methods raise ``Broken``; the first problem of a step ends that step."""

    def __init__(self, archive: Archive, trusted: Key | None, known: Head | None, anchors: Anchors) -> None:
        self.archive, self.trusted, self.known, self.named = archive, trusted, known, anchors
        self.problems: list[str] = []
        self.notices: list[str] = []
        #: What holds against the key and the checkpoint that were given; and why the key does not.
        self.confirmed: list[str] = []
        self.strange = ""
        self.diverged, self.events, self.note, self.run, self.origin, self.size = "", 0, b"", "", "", 0
        self.version, self.disclosure = 1, FULL
        self.announced: Any = None
        self.leaves = {"entries": Leaves(), "headers": Leaves()}
        self.roots: dict[int, bytes] = {}
        self.told = Told()
        self.others: dict[str, Any] = {"closed": {}, "open": 0}
        self.attestations = 0
        self.signers: dict[int, set[Key]] = {}
        self.changes: list[Change] = []
        self.anchors: list[dict[str, Any]] = []

    def examine(self) -> None:
        """Each step needs those before it, up to the tree; the last ones stand for themselves."""
        with self._step():
            self.archive.check()
            self._manifest()
            self._checkpoints()
            if self.disclosure == HEADERS:
                self._own_headers()
            else:
                self._own_entries()
            self._headers()
            self._keys()
            self._tree()
            rest = (self._proofs, self._blobs, self._attestations, self._known_checkpoint, self._anchors)
            for step in (*rest, self._nothing_else):
                with self._step():
                    step()

    @contextmanager
    def _step(self) -> Iterator[None]:
        try:
            yield
        except Broken as broken:
            self.problems.append(str(broken))
        except BundleUnreadable:
            raise
        except Exception as error:  # noqa: BLE001 - hostile input that nobody thought of is refused, never let through
            self.problems.append(f"The bundle has a shape that no bundle has ({type(error).__name__}).")

    def _manifest(self) -> None:
        manifest = strict_json(self.archive.read("bundle.json"), "bundle.json")
        if manifest.get("format") != "qverify-evidence":
            raise BundleUnreadable("The archive is no QVerify evidence bundle.")
        version = manifest.get("version")
        if type(version) is not int or version not in MANIFESTS:
            raise BundleUnreadable(
                f"This verifier reads versions 1 and 2 of bundles, not {ascii(version)[:20]}: get a newer one."
            )
        if not fits(manifest, MANIFESTS[version]):
            raise Broken("bundle.json does not have the fields of a bundle.")
        self.version, self.disclosure = version, manifest.get("disclosure", FULL)
        if self.disclosure not in (FULL, *NOT_SHOWN):
            raise Broken("bundle.json does not say how much the bundle shows.")
        if self.disclosure in NOT_SHOWN:
            self.notices.append(NOT_SHOWN[self.disclosure])
        sizes = manifest["checkpoints"]
        if sizes != sorted(set(sizes)) or sizes[-1:] != [manifest["size"]]:
            raise Broken("bundle.json: checkpoints are not in order up to the size of the log.")
        self.manifest, self.keys = manifest, named(map(parse_key, manifest["keys"]))
        self.origin, self.run, self.size = manifest["origin"], manifest["run"], manifest["size"]
        if len(self.keys) != len(manifest["keys"]):
            raise Broken("bundle.json names a key twice.")
        if any(key.name != self.origin for key in self.keys.values()):
            raise Broken("bundle.json names a key of another log.")

    def _checkpoints(self) -> None:
        self.note = self.archive.read("checkpoint")
        if self.note != self.archive.read(f"checkpoints/{self.size}"):
            raise Broken("checkpoint and the last of checkpoints/ differ.")
        for size in self.manifest["checkpoints"]:
            where = f"checkpoints/{size}"
            head = parse_checkpoint(self.archive.read(where), self.keys, where)
            if not head.signers or (head.origin, head.size) != (self.origin, size):
                raise Broken(f"{where} is not a signed checkpoint of this log at that size.")
            self.signers[size] = set(head.signers)
            self.roots[size] = head.root
        if set().union(*self.signers.values()) != set(self.keys.values()):
            raise Broken("bundle.json names a key that signed nothing.")

    def _keys(self) -> None:
        """Who may have signed which checkpoint, as the log's own records of changes have it; and the key that you trust.

        The checkpoint over such a record is signed by the old key and the new one, every later one by the new one alone.
        """
        changes = sorted(self.changes)
        in_use: Key | None = None
        retired: set[Key] = set()
        since, at = 0, 0
        for size, signers in self.signers.items():
            while at < len(changes) and changes[at].size <= size:
                change, at = changes[at], at + 1
                where, since = f"The change of the signing key at entry {change.size - 1}", change.size
                if change.kind == REVOKED and change.old in retired and change.new == in_use:
                    signed = {change.new}
                elif in_use in (None, change.old):
                    signed = {change.old, change.new}
                else:
                    raise Broken(f"{where} is about a key that was not in use then.")
                if self.signers.get(change.size) != signed:
                    raise Broken(f"{where} was not signed by the keys that it names.")
                in_use = change.new
                retired.add(change.old)
            if in_use is not None and since < size and signers != {in_use}:
                raise Broken(
                    f"checkpoints/{size} was signed by a key that was not in use then, but rotated or revoked."
                )
        self.changes = changes
        for change in self.changes:
            if change.kind == REVOKED:
                self.notices.append(
                    f"The signing key {change.old.id.hex()} was revoked at entry {change.size - 1}; what it signed before rests on it."
                )
        self._trusted_key()

    @property
    def faults(self) -> list[str]:
        """Whatever makes the bundle INVALID, in sentences."""
        return [*self.problems, *([self.strange] if self.strange else [])]

    def _trusted_key(self) -> None:
        """Whether the key that you trust, or one that it handed on to, signed the close. A bundle of another is examined on."""
        if self.trusted is None:
            self.notices.append(
                "The key that was used comes from the bundle itself and shows nothing about who made it: give --public-key."
            )
            return
        # A rotation that the old key signed hands its trust on; a revocation does not.
        reached, explained, which = self.trusted, {self.trusted}, "The key that you gave"
        for change in self.changes:
            if change.old == reached and change.kind == REVOKED and change.size <= self.size:
                self.strange = (
                    f"{which} was revoked at entry {change.size - 1} of this log: get the new one by another way."
                )
                return
            if change.old == reached:
                reached = change.new
                explained.add(reached)
                self.notices.append(f"{which} was rotated at entry {change.size - 1}; the new one signed since.")
                which = f"The key {reached.id.hex()}, to which the one that you gave had handed over,"
        if reached not in self.signers[self.size]:
            self.strange = "The closing checkpoint was not signed by the key that you gave."
            return
        handed = "" if reached == self.trusted else ", by way of the changes that the log records"
        self.confirmed.append(f"The log is signed with the key that you gave{handed}.")
        for change in reversed(self.changes):
            if change.new in explained:
                explained.add(change.old)
        if set(self.keys.values()) - explained:
            self.notices.append("Earlier checkpoints were signed by another key than the one you gave.")

    def _change(self, opening: dict[str, Any], size: int) -> None:
        """Note what the opening of a record says about the signing key; the record's last leaf is number ``size - 1``."""
        said = opening.get(KEY_CHANGE)
        if said is None:
            return
        if not fits(said, CHANGE) or said["kind"] not in (ROTATED, REVOKED) or said["old"] == said["new"]:
            raise Broken("A record of the log changes the signing key in a way that is not known here.")
        self.changes.append(Change(size, said["kind"], parse_key(said["old"]), parse_key(said["new"])))

    def _leaf(self, index: int) -> bytes:
        """Hash of an entry that is shown."""
        found = (leaves.find(index) for leaves in self.leaves.values())
        return next(leaf for leaf in found if leaf is not None)

    def _indexes(self, field: str) -> Iterator[int]:
        for first, count in self._ranges(field):
            yield from range(first, first + count)

    def _ranges(self, field: str) -> Iterator[tuple[int, int]]:
        """Leaf numbers from [first, count] pairs, which rise and do not touch."""
        pairs, end = self.manifest[field], -1
        for pair in pairs:
            if len(pair) != 2 or pair[0] <= end or pair[1] < 1 or sum(pair) > self.size:
                raise Broken(f"bundle.json: {field} are not in order within the log.")
            yield pair[0], pair[1]
            end = sum(pair)

    def _entries(self, field: str) -> Iterator[tuple[int, bytes, bytes, dict[str, Any]]]:
        """Number, hash and text of each entry, and what it says."""
        lines, name, number = self.archive.lines(f"{field}.jsonl"), f"{field}.jsonl", 0
        origin, sha256, leaves = self.origin, hashlib.sha256, self.leaves[field]
        for first, count in self._ranges(field):
            if any(one.overlaps(first, count) for one in self.leaves.values() if one is not leaves):
                raise Broken(f"{name} line {number + 1} has no place in the log.")
            hashes = leaves.begin(first)
            for index in range(first, first + count):
                raw, number = next(lines, None), number + 1
                if raw is None:
                    raise Broken(f"{name} has fewer lines than bundle.json says.")
                entry = entry_of(raw, f"{name} line {number}")
                if entry["v"] != 1 or entry["log"] != origin:
                    raise Broken(f"{name} line {number} is no entry of this log.")
                leaf = sha256(b"\x00" + raw).digest()
                hashes += leaf
                yield index, leaf, raw, entry
        if next(lines, None) is not None:
            raise Broken(f"{name} line {number + 1} has no place in the log.")

    def _own_entries(self) -> None:
        """The run from its opening to its close: no gap, no other beginning, each entry linked to the one before."""
        prev, at, step_back, index = "", "", False, -1
        entry: dict[str, Any] = {}
        first: dict[str, Any] = {}
        for index, leaf, raw, entry in self._entries("entries"):
            first = first or entry
            if entry["run"] != self.run or entry["seq"] != self.events or entry["prev"] != prev:
                raise self._changed(index) or Broken(
                    f"Entry {self.events} of the run does not follow the one before it."
                )
            if (entry["type"] == OPENED) != (self.events == 0):
                raise Broken("The run does not begin with its opening, or is opened twice.")
            if self.told.ends[1:]:
                raise Broken(f"Entry {self.events} of the run follows its close.")
            self.events, prev = self.events + 1, leaf.hex()
            step_back, at = step_back or entry["at"] < at, entry["at"]
            self.told.add(index, raw, entry)
        if not entry or entry["type"] != CLOSED or entry["data"].get("entries") != self.events:
            raise Broken("The run does not end with a close that counts all of its entries.")
        self._sealed(first, index, entry["data"])
        if step_back:
            self.notices.append(
                "The clock of the machine was set back during the run; the order of the events is not affected."
            )

    def _changed(self, last: int) -> Broken | None:
        """Of the entries up to leaf ``last``, where one does not follow, the first that is not the leaf of the log that it says; ``None``
        where the hashes are of no help. The tiles are not proven to be the log's yet, so this only says where to look."""
        leaves = self.leaves["entries"]
        shown = takewhile(lambda index: index <= last, self._indexes("entries"))
        for tile in {index // 256: None for index in shown}:
            width = min(256, self.size - tile * 256)
            with suppress(Broken):
                other = leaves.differs(tile * 256, self.archive.read(tile_name(tile, width), 8192))
                if other is not None:
                    return Broken(f"Leaf {other} of the log is not the entry that the bundle shows for it.")
        return None

    def _own_headers(self) -> None:
        """The opening and the close of a run whose other entries are not shown."""
        shown = [(index, entry) for index, _, _, entry in self._entries("entries")]
        if len(shown) != 2 or {entry["run"] for _, entry in shown} != {self.run}:
            raise Broken("entries.jsonl does not hold the opening and the close of the run and nothing else.")
        (first, opened), (last, closed) = shown
        if (opened["type"], opened["seq"], opened["prev"]) != (OPENED, 0, "") or closed["type"] != CLOSED:
            raise Broken("The run does not begin with its opening and end with its close.")
        self.events = closed["seq"] + 1
        if closed["data"].get("entries") != self.events or not 0 < closed["seq"] <= last - first:
            raise Broken("The close of the run counts other entries than there can be.")
        self._sealed(opened, last, closed["data"])

    def _sealed(self, opening: dict[str, Any], index: int, data: dict[str, Any]) -> None:
        """What the run's opening and close say about the rest of the log and about the keys."""
        self._change(opening["data"], index + 1)
        self.close, self.before, self.announced = index, data.get("others"), data.get("attestation_key")
        key, protection = data.get("key"), self.manifest["key_protection"]
        if not isinstance(key, dict) or key.get("protection") != protection:
            raise Broken("bundle.json says another protection of the key than the run's close.")
        if protection != "keyring":
            self.notices.append(f"Protection of the signing key: {ascii(protection)[1:-1][:80]}.")

    def _headers(self) -> None:
        """Opening and close of the other runs account for every leaf that is not shown."""
        #: Leaf that opened a run, of those that are open what its opening says of the key; and leaves that closed one.
        opened: dict[str, int] = {}
        open_runs: dict[str, dict[str, Any]] = {}
        closed: dict[int, str] = {}
        hidden, seen = self.size - self.events, {"opened": 0, "closed": 0}
        for index, _, _, entry in self._entries("headers"):
            run, kind, data = entry["run"], entry["type"], entry["data"]
            if run == self.run or kind not in (OPENED, CLOSED) or len(run) > MAX_NAME:
                raise Broken(f"headers.jsonl has an entry that is no header of another run (leaf {index}).")
            if index < self.close:
                seen["opened" if kind == OPENED else "closed"] += 1
            if kind == CLOSED and run in open_runs and data.get("entries") == entry["seq"] + 1:
                if entry["seq"] > index - opened[run]:
                    raise Broken(f"The close of another run counts more entries than there are (leaf {index}).")
                closed[index] = run
                self._change(open_runs.pop(run), index + 1)
                self._ended(data.get("outcome"))
                hidden -= int(entry["seq"])
            elif kind == OPENED and run not in opened and entry["seq"] == 0 and not entry["prev"]:
                opened[run] = index
                open_runs[run] = {KEY_CHANGE: data[KEY_CHANGE]} if KEY_CHANGE in data else NOTHING
                hidden -= 1
            else:
                raise Broken(f"The header of another run does not fit its others (leaf {index}).")
        if seen != self.before or hidden < 0 or (hidden and not open_runs):
            raise Broken("The headers of the other runs do not account for all entries of the log.")
        for own, relied in self.told.relied_on:
            if closed.get(relied["index"]) != relied["run"] or relied["index"] >= own:
                raise Broken(f"An entry of the run relies on a run that was not closed before it (leaf {own}).")
            if self._leaf(relied["index"]).hex() != relied["leaf"]:
                raise Broken(f"An entry of the run relies on another close of a run than the log's (leaf {own}).")
        self.others["open"] = len(open_runs)
        if open_runs:
            self.notices.append(
                f"{len(open_runs)} other runs had not ended when this one was sealed; they have {hidden} entries besides. What these "
                "are, and that no further run is among them, shows only in a bundle that was sealed after they ended."
            )

    def _ended(self, outcome: Any) -> None:
        """Count how the other runs ended, in few words."""
        ended: dict[str, int] = self.others["closed"]
        word = ascii(outcome)[1:-1] if type(outcome) is str and len(outcome) <= 40 else "unknown"
        word = word if word in ended or len(ended) < 20 else "otherwise"
        ended[word] = ended.get(word, 0) + 1

    def _tree(self) -> None:
        """Root of every checkpoint from all leaf hashes, which also shows that each extends the ones before it."""
        wanted = {size for size in (*self.roots, self.known.size if self.known else 0) if size <= self.size}
        stack: list[bytes] = []
        computed, count = ({0: fold(stack)} if 0 in wanted else {}), 0
        #: Hashes of the subtrees of 256, 65,536 … leaves: the tiles of the levels above the leaves.
        rows: dict[int, bytearray] = {}
        sha256 = hashlib.sha256
        for tile in range((self.size + 255) // 256):
            width = min(256, self.size - tile * 256)
            name = tile_name(tile, width)
            hashes = self.archive.read(name, 8192)
            if len(hashes) != 32 * width:
                raise Broken(f"{name} does not hold {width} hashes.")
            for leaves in self.leaves.values():
                if (other := leaves.differs(count, hashes)) is not None:
                    raise Broken(f"Leaf {other} of the log is not the entry that the bundle shows for it.")
            for at in range(0, len(hashes), 32):
                node, bits = hashes[at : at + 32], count
                height = 0
                while bits & 1:
                    node, bits, height = sha256(b"\x01" + stack.pop() + node).digest(), bits >> 1, height + 1
                    if height & 7 == 0:
                        rows.setdefault(height >> 3, bytearray()).extend(node)
                stack.append(node)
                count += 1
                if count in wanted:
                    computed[count] = fold(stack)
        for size, root in self.roots.items():
            if computed[size] != root:
                raise Broken(f"The hashes of the log do not lead to the root signed in checkpoints/{size}.")
        for level, row in rows.items() if self.version > 1 else ():
            for at in range(0, len(row), 8192):
                hashes = bytes(row[at : at + 8192])
                name = tile_name(at // 8192, len(hashes) // 32, level)
                if self.archive.read(name, 8192) != hashes:
                    raise Broken(f"{name} does not hold the hashes of the tiles below it.")
        self.known_root = computed.get(self.known.size) if self.known else None

    def _proofs(self) -> None:
        own = list(self._indexes("entries"))
        for index in own if len(own) <= PROVEN_ENTRIES else (own[0], own[-1]):
            name = f"proofs/{index}.tlog-proof"
            text, head = self.archive.read(name), f"c2sp.org/tlog-proof@v1\nindex {index}\n".encode()
            if not text.startswith(head) or not text.endswith(b"\n" + self.note):
                raise Broken(f"{name} is no proof for this entry and checkpoint.")
            lines = text[len(head) : -len(self.note) - 1].decode("ascii", "replace").split("\n")
            proof = [unbase64(line) for line in lines[:-1]]
            if lines[-1] or not included(self._leaf(index), index, self.size, proof, self.roots[self.size]):
                raise Broken(f"{name} does not lead to the signed root.")

    def _blobs(self) -> None:
        """Salts open the commitments of the entries; a blob or salt that is not there was withheld, which is no fault."""
        if self.disclosure != FULL:
            return
        shown: dict[str, int] = {}
        opened: set[str] = set()
        for number, raw in enumerate(self.archive.lines("salts.jsonl"), 1):
            where = f"salts.jsonl line {number}"
            line = strict_json(raw, where, SALT)
            place = f"{line['index']} {line['key']}"
            if place not in self.told.commitments or place in opened:
                raise Broken(f"{where} belongs to no commitment of this run.")
            if not all(re.fullmatch(r"[0-9a-f]{64}", line[field]) for field in ("salt", "sha256")):
                raise Broken(f"{where} holds no salt and digest.")
            message = b"qverify.blob.v1\x00" + bytes.fromhex(line["sha256"])
            made = hmac.new(bytes.fromhex(line["salt"]), message, hashlib.sha256).hexdigest()
            committed, size = self.told.commitments[place]
            if made != committed or shown.setdefault(line["sha256"], size) != size:
                raise Broken(f"{where} does not open its commitment.")
            opened.add(place)
        missing = 0
        for digest, size in shown.items():
            name = f"blobs/{digest}"
            missing += name not in self.archive.zip.NameToInfo
            if name in self.archive.zip.NameToInfo:
                with self.archive.open(name) as stream:
                    hashed, length = hashlib.sha256(), 0
                    while part := stream.read(1 << 20):
                        hashed.update(part)
                        length += len(part)
                if (hashed.hexdigest(), length) != (digest, size):
                    raise Broken(f"{name} is not what the run committed to.")
        withheld = missing + len(self.told.commitments) - len(opened)
        if withheld:
            self.notices.append(
                f"Contents that are not in the bundle (withheld or deleted): {withheld}. The log commits to them."
            )

    def _attestations(self) -> None:
        """The run in the words of in-toto: made anew from the entries and compared, then the signatures. The key is the one that
        the log announced, so whoever trusts the log's key needs no other."""
        files = (ENVELOPES_FILE, *SIGSTORE_FILES)
        if self.disclosure == HEADERS:
            return
        if self.version == 1 or not any(name in self.archive.zip.NameToInfo for name in files):
            if self.announced is not None:
                self.notices.append("The run's attestations were left out of the bundle.")
            return
        if not fits(self.announced, ANNOUNCED_KEY):
            raise Broken("The bundle has attestations, but the run's close announces no key for them.")
        public = unbase64(self.announced["public"])
        if len(public) != 44 or not public.startswith(ED25519_DER):
            raise Broken("The key for attestations that the run's close announces is no Ed25519 key.")
        if self.announced["protection"] not in ("keyring", self.manifest["key_protection"]):
            protection = ascii(self.announced["protection"])[1:-1][:80]
            self.notices.append(f"Protection of the key that signed the attestations: {protection}.")
        lines = self.archive.read(ENVELOPES_FILE, MAX_ATTESTATION).split(b"\n")
        if len(lines) != 3 or lines[2]:
            raise Broken(f"{ENVELOPES_FILE} does not hold two attestations.")
        for number, (raw, statement) in enumerate(zip(lines, self._statements(), strict=False), 1):
            where = f"{ENVELOPES_FILE} line {number}"
            envelope = strict_json(raw, where, ENVELOPE)
            payload = unbase64(envelope["payload"])
            if payload != canonical(statement).encode():
                raise Broken(f"{where} says something else than the entries of the run.")
            keyid = hashlib.sha256(public).hexdigest()
            signatures = envelope["signatures"]
            if envelope["payloadType"] != PAYLOAD_TYPE or [one["keyid"] for one in signatures] != [keyid]:
                raise Broken(f"{where} is no in-toto statement under the key that the run's close announces.")
            message = dsse_message(PAYLOAD_TYPE, payload)
            if not signature_holds(public[len(ED25519_DER) :], message, unbase64(signatures[0]["sig"])):
                raise Broken(f"The signature of {where} does not hold.")
            bundle = {
                "mediaType": SIGSTORE_TYPE,
                "verificationMaterial": {"publicKey": {"hint": keyid}},
                "dsseEnvelope": envelope,
            }
            name = SIGSTORE_FILES[number - 1]
            if self.archive.read(name, MAX_ATTESTATION) != canonical(bundle).encode():
                raise Broken(f"{name} is not the same attestation as {where}.")
            self.attestations += 1

    def _statements(self) -> list[dict[str, Any]]:
        """What the run's entries come to: the run's own statement and that of its tests (``docs/attestation.md``)."""
        (first, opening, opened), (last, _, closed) = self.told.ends
        snapshot, verdict = self.told.first.get("snapshot", NOTHING), self.told.first.get("verdict")
        relied, tests = self.told.first.get("reused", NOTHING).get(RELIES_ON), self.told.tests
        commit, tree = (
            value if isinstance(value := snapshot.get(name), str) and re.fullmatch(GIT_HASH, value) else None
            for name in ("commit", "tree")
        )
        run = {
            "log": self.origin,
            "run": self.run,
            "openedAt": opened["at"],
            "closedAt": closed["at"],
            "request": flat(opened["data"]),
            "outcome": flat(closed["data"]).get("outcome"),
            "verdict": None if verdict is None else flat(verdict),
            "tests": {kind: len(names) for kind, names in tests.items()},
            "events": self.told.counts,
            "images": [{"language": language, "digest": digest} for language, digest in self.told.images],
            "dirty": snapshot.get("dirty") is True,
            "baseCommit": commit,
            "reliesOn": relied if isinstance(relied, dict) else None,
            "first": {"index": first, "leaf": self._leaf(first).hex()},
            "last": {"index": last, "leaf": self._leaf(last).hex()},
        }
        words = verdict.get("verdict") if verdict else None
        ended = {"nothing_suspected": "PASSED", "defects_suspected": "FAILED"}.get(str(words), "WARNED")
        result: dict[str, Any] = {
            "result": "FAILED" if tests["suspected"] else ended,
            "configuration": [{"name": OPENED, "digest": {"sha256": hashlib.sha256(opening).hexdigest()}}],
        }
        for language, digest in self.told.images:
            result["configuration"].append({"name": f"image {language}", "digest": {"sha256": digest}})
        if len(tests["accepted"]) + len(tests["suspected"]) <= MOST_NAMES:
            result |= {"passedTests": sorted(tests["accepted"]), "failedTests": sorted(tests["suspected"])}
            result["warnedTests"] = []
        signed = self.note.rpartition(b"\n\n")[0] + b"\n"
        subject = [{"name": "checkpoint", "digest": {"sha256": hashlib.sha256(signed).hexdigest()}}]
        if commit and snapshot.get("dirty") is False:
            subject.append({"name": "commit", "digest": {"gitCommit": commit}})
        if tree:
            subject.append({"name": "tree", "digest": {"gitTree": tree}})
        return [
            {"_type": STATEMENT_TYPE, "subject": subject, "predicateType": kind, "predicate": predicate}
            for kind, predicate in ((RUN_TYPE, run), (TEST_RESULT_TYPE, result))
        ]

    def _known_checkpoint(self) -> None:
        if self.known is None:
            return
        if self.known.origin != self.origin:
            self.notices.append("The checkpoint you know is of another log, so it says nothing about this one.")
        elif self.known.size > self.size:
            self.notices.append(
                "The checkpoint you know is younger than this bundle, so the two were not compared. A bundle stays as the run's end sealed "
                "it: give a checkpoint from before, or verify the bundle of a run that ended after it."
            )
        elif self.known.root != self.known_root:
            self.diverged = (
                f"The first {self.known.size} entries of this log are not those of the checkpoint you know."
            )
        else:
            self.confirmed.append(
                f"The log extends the checkpoint that you know ({self.known.size} entries): nothing up to there was written anew."
            )

    def _anchors(self) -> None:
        """What others confirmed about the closing checkpoint; each counts only where you named who it is by."""
        stamp, cosigned = f"anchors/{self.size}.tsr", f"anchors/{self.size}.checkpoint"
        if stamp in self.archive.zip.NameToInfo:
            self._time_stamp(stamp)
        elif self.named.authorities:
            self.notices.append("The bundle holds no time stamp.")
        if cosigned in self.archive.zip.NameToInfo:
            self._cosignatures(cosigned)
        elif self.named.witnesses:
            self.notices.append("The bundle holds no cosignature of a witness.")

    def _time_stamp(self, name: str) -> None:
        raw, trusted = self.archive.read(name, MAX_ANCHOR), self.named.authorities
        try:
            stamp = parse_stamp(raw, self.note, trusted)
            reason = why_not(stamp, trusted, self.named.revoked)
        except Broken as broken:
            raise Broken(f"The time stamp {name} is of no use: {broken}.") from None
        by = ascii(stamp.signer.subject.rfc4514_string())[1:-1][:200]
        at = stamp.at.strftime("%Y-%m-%dT%H:%M:%SZ")
        self.anchors.append({"kind": "time_stamp", "by": by, "at": at, "counts": not reason})
        if reason and not trusted:
            reason = "you named no authority; give its certificate with --tsa-certificate"
        if reason:
            self.notices.append(f"A time stamp of {at} by {by} proves nothing here: {reason}.")
            return
        if stamp.signer.not_valid_after_utc < datetime.now(UTC):
            self.notices.append("The certificate of the time-stamp authority was valid then and has expired since.")
        if self.named.revoked and unlisted(stamp, trusted, self.named.revoked):
            self.notices.append(
                "The revocation lists that you gave do not cover every certificate of the time-stamp authority, or are older than the stamp."
            )

    def _cosignatures(self, name: str) -> None:
        raw, strangers = self.archive.read(name, MAX_ANCHOR), 0
        if not raw.startswith(self.note) or not raw.endswith(b"\n") or len(raw) == len(self.note):
            raise Broken(f"{name} is not the closing checkpoint with further signatures.")
        text = self.note.rpartition(b"\n\n")[0] + b"\n"
        added = raw[len(self.note) :].decode("utf-8", "replace")
        seen: set[Key] = set()
        witnesses = named(self.named.witnesses)
        for who, signature in signature_lines(added, name):
            key = witnesses.get((who, signature[:4]))
            if key is None:
                strangers += 1
                continue
            at = cosigned_at(text, key, signature[4:])
            if at is None:
                raise Broken(f"The cosignature of {ascii(who)[1:-1][:120]} in {name} does not hold.")
            if key not in seen:
                when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                self.anchors.append({"kind": "witness", "by": ascii(who)[1:-1][:200], "at": when, "counts": True})
            seen.add(key)
        if strangers:
            self.notices.append(
                f"Cosignatures by keys that you did not name prove nothing here ({strangers}): give the witness's key with --witness."
            )

    def _nothing_else(self) -> None:
        if self.problems:
            return  # A step that ended early has left files of the bundle unread.
        if self.archive.unread:
            raise Broken(f"The archive holds a file that is no part of a bundle: {min(self.archive.unread)[:120]!a}.")
        if self.archive.repacked:
            self.notices.append(
                "The archive was packed anew by another program; its contents are whole all the same."
            )

    def answer(self) -> dict[str, Any]:
        reached = {anchor["kind"] for anchor in self.anchors if anchor["counts"]}
        anchored = "WITNESSED" if "witness" in reached else "TIMESTAMPED" if reached else "UNANCHORED"
        grade = "INVALID" if self.faults else "DIVERGED" if self.diverged else anchored
        return {
            "grade": grade,
            "grades": [grade],
            "valid": grade not in ("INVALID", "DIVERGED"),
            "problems": [*self.faults, *([self.diverged] if self.diverged else [])],
            "confirmed": self.confirmed if grade not in ("INVALID", "DIVERGED") else [],
            "events": self.events,
            "checkpoint": self.note.decode("utf-8", "replace"),
            "notices": self.notices,
            "meaning": self._meaning(grade),
            "said": self._said(),
            "run": self.run,
            "origin": self.origin,
            "size": self.size,
            "disclosure": self.disclosure,
            "attestations": self.attestations,
            "anchors": self.anchors,
            "others": self.others,
            "record": record_in(self),
        }

    def _meaning(self, grade: str) -> str:
        if grade in ("INVALID", "DIVERGED"):
            return MEANINGS[grade] if self.problems or self.diverged else STRANGE
        shown = SHOWN_OF_HEADERS if self.disclosure == HEADERS else SHOWN
        compared = self.known is not None and self.known_root == self.known.root
        rewritten = REWRITTEN if grade == "UNANCHORED" and not compared else ""
        return " ".join(filter(None, (shown, MEANINGS[grade], rewritten)))

    def _said(self) -> dict[str, Any] | None:
        """What the run's entries say of it; ``None`` where they don't hold or are not shown."""
        if self.problems or self.disclosure == HEADERS or len(self.told.ends) != 2:
            return None
        opened, closed = (entry for _, _, entry in self.told.ends)
        snapshot, verdict = (self.told.first.get(kind, NOTHING) for kind in ("snapshot", "verdict"))
        texts = {
            "commit": snapshot.get("commit"),
            "tree": snapshot.get("tree"),
            "opened_at": opened["at"],
            "closed_at": closed["at"],
            "outcome": closed["data"].get("outcome"),
            "verdict": verdict.get("verdict"),
        }
        return {
            **{field: plain(text) if type(text) is str else "" for field, text in texts.items()},
            "dirty": snapshot.get("dirty") is True,
            **{kind: len(names) for kind, names in self.told.tests.items()},
            "images": [f"{plain(language)} sha256:{digest}" for language, digest in self.told.images],
        }


def record_in(bundle: Verification) -> dict[str, Any] | None:
    """What a bundle that is whole says of a reproduction, ``None`` where it is no record of one: its name (``record``), ``about`` (the
    run), ``origin`` of that run's log, ``checkpoint_sha256`` of its closing checkpoint, ``outcome``, counts, and a ``sentence``."""
    said = bundle.told.first.get(REPRODUCED)
    if said is None or bundle.faults:
        return None
    of = said["of"] if type(said.get("of")) is dict else NOTHING
    texts = {"about": of.get("run"), "origin": of.get("origin"), "checkpoint_sha256": of.get("checkpoint_sha256")}
    counts = {field: said.get(field) for field in ("tests", "agrees", "differs", "not_run")}
    told: dict[str, Any] = {
        "record": plain(bundle.run),
        **{field: plain(text) if type(text) is str else "" for field, text in texts.items()},
        "outcome": plain(said["outcome"]) if type(said.get("outcome")) is str else "",
        **{field: count if type(count) is int and count >= 0 else 0 for field, count in counts.items()},
    }
    sentence = (
        f"This is the record of a reproduction of the run {told['about']}: {told['outcome'].replace('_', ' ')}; of {told['tests']} "
        f"tests {told['agrees']} agree, {told['differs']} differ, {told['not_run']} not run."
    )
    return {**told, "sentence": sentence}


def checkpoint_digest(note: bytes) -> str:
    """SHA-256 (hex) over a checkpoint's three lines: what it says of the log, whoever signed it."""
    return hashlib.sha256(note.partition(b"\n\n")[0] + b"\n").hexdigest()


def reproduced_by(bundle: Verification, record: Verification, key_given: bool) -> dict[str, Any]:
    """What the record of a reproduction adds to a bundle that is whole: whether it ``holds``, a ``sentence``, and what it says."""
    told = record_in(record)
    try:
        _check_record(bundle, record, told)
    except Broken as broken:
        return {**(told or {}), "holds": False, "sentence": str(broken)}
    assert told is not None
    if not key_given:
        sentence = (
            f"A record says that all of its {told['tests']} tests were executed again and agreed, but shows nothing about who says so: give "
            "the verifier key of whoever executed them with --reproduction-key."
        )
        return {**told, "holds": False, "sentence": sentence}
    sentence = (
        f"All of its {told['tests']} tests were executed again in the pinned image and agreed, as record {told['record']} says, signed "
        "by the key that you gave."
    )
    if record.signers[record.size] & set(bundle.keys.values()):
        sentence += " The same key signed the bundle, so nobody else executed them."
    return {**told, "holds": True, "sentence": sentence}


def _check_record(bundle: Verification, record: Verification, told: dict[str, Any] | None) -> None:
    """Raises ``Broken`` unless the record shows that every test of the bundle was executed again and agreed."""
    if record.faults:
        raise Broken(f"The record of the reproduction is INVALID: {record.faults[0]}")
    if told is None:
        headers = "shows headers only, so it does not say what came of it"
        what = headers if record.disclosure == HEADERS else "is a bundle, but no record of a reproduction"
        raise Broken(f"The record that was given {what}.")
    if told["checkpoint_sha256"] != checkpoint_digest(bundle.note) or told["about"] != plain(bundle.run):
        raise Broken(f"The record is of another bundle, of the run {told['about']}.")
    opening, closed, whole = record.told.first[OPENED], record.told.ends[-1][2]["data"], record.told.first[REPRODUCED]
    once = (record.told.counts[REPRODUCED], opening.get("of"), closed.get("outcome"))
    if once != (1, whole["of"], whole["outcome"]):
        raise Broken("The record says other things at its opening or its close than of what came of it.")
    if told["outcome"] != REPRODUCED or told["agrees"] != told["tests"] or not told["tests"]:
        raise Broken(told["sentence"])
    compared, count = record.told.compared, record.told.counts.get(TEST_COMPARED, 0)
    if count != told["tests"] or len(compared) != count or set(compared.values()) != {"agrees"}:
        raise Broken(f"The record says that all of {told['tests']} tests agreed, but does not show it test by test.")
    if not record.told.same_images or not all(record.told.same_images):
        raise Broken("The record does not show that its tests were executed in the pinned images.")
    if not record.told.same_packages:
        raise Broken("The record says that its tests were executed with other packages than the run's.")
    if bundle.disclosure == HEADERS:
        raise Broken(
            "The bundle shows headers only, so which tests it has can't be compared with the record: use a redacted or full one."
        )
    claimed = {(name, verdict) for verdict in ("accepted", "suspected") for name in bundle.told.tests[verdict]}
    if left_out := claimed - compared.keys():
        raise Broken(f"The record leaves out {len(left_out)} of the {len(claimed)} tests of the bundle.")
    if compared.keys() - claimed:
        raise Broken("The record is about tests that the bundle does not have.")


def plain(text: str) -> str:
    """Text of a bundle on one line of ASCII, so that it can't act on a terminal or pass for another text."""
    return ascii(text[:200])[1:-1]


def flat(data: dict[str, Any]) -> dict[str, Any]:
    """The facts of an entry that are single values or lists of such: no commitments, no keys."""
    single = (type(None), str, int)
    return {
        key: value
        for key, value in data.items()
        if isinstance(value, single) or (isinstance(value, list) and all(isinstance(one, single) for one in value))
    }


def tile_name(number: int, width: int, level: int = 0) -> str:
    """C2SP tlog-tiles: ``tile/0/x001/234``, of a partial tile ``tile/0/x001/234.p/17``."""
    path = f"{number % 1000:03d}"
    while number := number // 1000:
        path = f"x{number % 1000:03d}/{path}"
    return f"tile/{level}/{path}" if width == 256 else f"tile/{level}/{path}.p/{width}"


def verify_bundle(
    path: Path | str,
    *,
    public_key: str = "",
    known_checkpoint: Path | str | None = None,
    tsa_certificates: Sequence[Path | str] = (),
    tsa_crls: Sequence[Path | str] = (),
    witnesses: Sequence[str] = (),
    reproduction: Path | str | None = None,
    reproduction_key: str = "",
) -> dict[str, Any]:
    """Grade a bundle against the verifier key that you trust and the file of a checkpoint that you kept, where given; and against
    files (PEM) with certificates of time-stamp authorities and the verifier keys of witnesses, without which no anchor counts. With the
    record of a ``reproduction`` under the key of whoever executed it, say whether that shows the bundle executed again.

    The answer is ready for JSON: ``grade``, ``grades`` (with REPRODUCED where it is shown), ``valid``, ``problems`` and ``notices``
    (sentences), ``events`` (the run's entries), ``checkpoint`` (the closing signed note: keep it, it is the next time's known one),
    ``confirmed`` (sentences on what holds against the key and the checkpoint that you gave), ``meaning``, ``said`` (what the run says of
    itself: commit, tree, times, verdict, counts, images; ``None`` where that does not hold or is not shown), ``run``, ``origin``, ``size`` (of the log), ``disclosure``, ``attestations`` (how many hold), ``anchors`` (``kind``,
    ``by``, ``at`` in RFC 3339, and whether each ``counts``), ``others`` (the other runs of the log: how many are ``open``, and how the
    ``closed`` ones ended), ``record`` (what the bundle says of a reproduction, where it is the record of one), and with a
    ``reproduction`` whether it ``holds``. Raises ``BundleUnreadable``.
    """
    anchors = Anchors(
        [one for file in tsa_certificates for one in read_certificates(Path(file))],
        [one for file in tsa_crls for one in read_revoked(Path(file))],
        read_witnesses(witnesses),
    )
    examined = _examined(path, public_key, known_checkpoint, anchors)
    answer = examined.answer()
    if reproduction is None and reproduction_key.strip():
        raise BundleUnreadable(
            "A --reproduction-key says who executed the tests again, but no record of that was given: add --reproduction RECORD."
        )
    if reproduction is not None and answer["valid"]:
        record = _examined(reproduction, reproduction_key, None, Anchors([], [], []))
        answer["reproduction"] = reproduced_by(examined, record, bool(reproduction_key.strip()))
        if answer["reproduction"]["holds"]:
            answer["grades"].append("REPRODUCED")
    return answer


def _examined(path: Path | str, key: str, known_checkpoint: Path | str | None, anchors: Anchors) -> Verification:
    try:
        trusted = parse_key(key.strip()) if key.strip() else None
    except Broken as broken:
        raise BundleUnreadable(f"The public key is malformed: {broken}. It looks like name+hash+key.") from None
    archive = Archive(Path(path))
    with archive.file:
        if "bundle.json" not in archive.zip.NameToInfo:
            raise BundleUnreadable(f"{path} is no QVerify evidence bundle: it has no bundle.json.")
        known = None if known_checkpoint is None else read_known(Path(known_checkpoint), trusted)
        verification = Verification(archive, trusted, known, anchors)
        verification.examine()
    return verification


def read_file(path: Path, what: str, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except OSError as error:
        raise BundleUnreadable(f"{what} {path} can't be read ({error.strerror}).") from None
    if len(raw) > most:
        raise BundleUnreadable(f"{what} {path} is over {most >> 20} MiB.")
    return raw


def read_certificates(path: Path) -> list[x509.Certificate]:
    raw = read_file(path, "The certificate", MAX_GIVEN)
    try:
        return x509.load_pem_x509_certificates(raw) if b"-----BEGIN" in raw else [x509.load_der_x509_certificate(raw)]
    except Exception:  # noqa: BLE001 - a version or an algorithm that does not exist raises errors of other kinds
        raise BundleUnreadable(f"{path} holds no certificate (X.509, PEM or DER).") from None


def read_revoked(path: Path) -> list[x509.CertificateRevocationList]:
    """The revocation lists (RFC 5280, section 5) of a file: one in DER, or any number in PEM."""
    raw = read_file(path, "The revocation list", MAX_CRL)
    blocks = re.findall(rb"-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----", raw)
    try:
        return [x509.load_pem_x509_crl(block) for block in blocks] or [x509.load_der_x509_crl(raw)]
    except Exception:  # noqa: BLE001 - as above
        raise BundleUnreadable(f"{path} holds no revocation list (X.509, PEM or DER).") from None


def read_witnesses(texts: Sequence[str]) -> list[Key]:
    try:
        return [parse_key(text.strip(), COSIGNS) for text in texts]
    except Broken as broken:
        raise BundleUnreadable(f"The key of a witness is malformed: {broken}. It looks like name+hash+key.") from None


def read_known(path: Path, trusted: Key | None) -> Head:
    """A kept checkpoint; one that was typed or scanned from paper may end its lines in another way, not end the last one, or have a
    signature on the line below its name, as a narrow sheet has it."""
    raw = read_file(path, "The known checkpoint", MAX_GIVEN)
    raw = raw.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").rstrip() + b"\n"
    raw = re.sub(rb"(?m)^(\xe2\x80\x94 [^\s]+)\n(?=[A-Za-z0-9+/=]+$)", rb"\1 ", raw)
    try:
        return parse_checkpoint(raw, named([trusted] if trusted else []), "The known checkpoint")
    except Broken as broken:
        raise BundleUnreadable(f"{path} is of no use as a known checkpoint. {broken}") from None


#: Options: name, what follows it, whether it may be given again, and what it is.
OPTIONS = (
    ("--public-key", "VKEY", False, "the verifier key you trust: name+hash+key"),
    ("--known-checkpoint", "FILE", False, "a checkpoint of this log that you kept"),
    (
        "--tsa-certificate",
        "FILE",
        True,
        "certificate (PEM) of a time-stamp authority that you trust, or of who issued its",
    ),
    (
        "--tsa-crl",
        "FILE",
        True,
        "list of revoked certificates (PEM or DER) by who issued a time-stamp authority's; none is fetched",
    ),
    ("--witness", "VKEY", True, "verifier key of a witness that you trust"),
    (
        "--reproduction",
        "RECORD",
        False,
        "the record that `qverify reproduce --out` wrote: adds REPRODUCED where it shows it",
    ),
    ("--reproduction-key", "VKEY", False, "the verifier key of whoever executed it again"),
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """What a bundle is checked against; ``checked`` reads it back."""
    parser.add_argument("bundle", metavar="BUNDLE")
    for name, value, again, what in OPTIONS:
        if again:
            parser.add_argument(name, action="append", default=[], metavar=value, help=f"{what}; may be given again")
        else:
            parser.add_argument(name, default="", metavar=value, help=what)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def checked(options: argparse.Namespace) -> dict[str, Any]:
    """``verify_bundle`` as the command line asks for it."""
    return verify_bundle(
        options.bundle,
        public_key=options.public_key,
        known_checkpoint=options.known_checkpoint or None,
        tsa_certificates=options.tsa_certificate,
        tsa_crls=options.tsa_crl,
        witnesses=options.witness,
        reproduction=options.reproduction or None,
        reproduction_key=options.reproduction_key,
    )


def exit_code(answer: dict[str, Any]) -> int:
    """0 whole, and executed again where that was asked; 1 not."""
    return 0 if answer["valid"] and answer.get("reproduction", {}).get("holds", True) else 1


def lines_of(answer: dict[str, Any]) -> Iterator[str]:
    """An answer for a person."""
    yield f"{', '.join(answer['grades'])}. {answer['meaning']}"
    if answer["run"]:
        yield f"{answer['events']} events of the run {plain(answer['run'])}, log {plain(answer['origin'])}."
    if answer["valid"] and answer["checkpoint"]:
        yield f"Closing checkpoint: {' '.join(plain(line) for line in answer['checkpoint'].split(chr(10))[1:3])}"
    yield from (f"  holds: {sentence}" for sentence in answer["confirmed"])
    if answer["said"] and answer["valid"]:
        yield from (f"  {line}" for line in said_lines(answer["said"]))
    others = answer["others"]
    if answer["valid"] and (others["open"] or others["closed"]):
        words = [f"{word} {count}" for word, count in sorted(others["closed"].items())]
        words += [f"not ended {others['open']}"] if others["open"] else []
        yield f"  other runs of the log, by how they ended: {', '.join(words)}"
    for anchor in answer["anchors"]:
        if anchor["counts"]:
            verb = "time-stamped" if anchor["kind"] == "time_stamp" else "cosigned"
            yield f"  anchor: {verb} by {anchor['by']} on {anchor['at']}"
    if "reproduction" in answer:
        word = "reproduction" if answer["reproduction"]["holds"] else "not shown to be reproduced"
        yield f"  {word}: {answer['reproduction']['sentence']}"
    elif answer["record"]:
        yield f"  record: {answer['record']['sentence']}"
    yield from (f"  problem: {sentence}" for sentence in answer["problems"])
    yield from (f"  notice: {sentence}" for sentence in answer["notices"])


def said_lines(said: dict[str, Any]) -> Iterator[str]:
    """What a run says of itself."""
    yield "What the run says of itself; that it was recorded is proven, not that it is right:"
    if said["tree"]:
        commit = f"commit {said['commit']}" if said["commit"] else "no commit"
        yield f"  source: {commit}{', with uncommitted changes' if said['dirty'] else ''}; git tree {said['tree']}"
    yield f"  from {said['opened_at']} to {said['closed_at']}, ended as {said['outcome'].replace('_', ' ')}"
    if said["verdict"]:
        counts = ", ".join(f"{said[kind]} {kind}" for kind in ("accepted", "refused", "suspected"))
        yield f"  verdict: {said['verdict'].replace('_', ' ')}; tests: {counts}"
    yield from (f"  image: {image}" for image in said["images"])


def printable(line: str) -> str:
    """Names of files may hold what moves a terminal's cursor, and so may the words of an error."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def main(argv: list[str] | None = None) -> int:
    """Print the grade and the sentences, or one JSON document; answer the exit code."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Check a QVerify evidence bundle.")
    add_options(parser)
    options = parser.parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a letter gets its number instead.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        answer = checked(options)
    except BundleUnreadable as error:
        print(printable(error.sentence), file=sys.stderr)
        return error.exit_code
    if options.json:
        print(json.dumps(answer, indent=2))
    else:
        for line in lines_of(answer):
            print(printable(line))
    return exit_code(answer)


if __name__ == "__main__":
    sys.exit(main())
