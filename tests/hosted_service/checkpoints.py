"""Checkpoints as the service sees them: what a desktop signed, and the service's own line below (C2SP tlog-cosignature)."""

from __future__ import annotations

import base64
import hashlib
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from qverify_desktop.evidence.note import BadNote, Checkpoint, VerifierKey, open_note
from tests.hosted_service.contract import Refusal

COSIGNATURE = b"\x04"


@dataclass(frozen=True)
class Cosigner:
    """The service's key. ``seed`` are 32 bytes."""

    name: str
    seed: bytes

    @property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        """SHA-256(name || 0x0A || 0x04 || public)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + COSIGNATURE + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(COSIGNATURE + self.public).decode()}"

    def cosign(self, note: str, at: int) -> str:
        """``note`` with one more line; ``at`` is seconds since 1970."""
        text = note.rpartition("\n\n")[0] + "\n"
        signature = self._key.sign(message(text, at))
        line = base64.b64encode(self.id + struct.pack(">Q", at) + signature).decode()
        return f"{note}— {self.name} {line}\n"


def message(text: str, at: int) -> bytes:
    """What a cosignature of type ``cosignature/v1`` signs."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def cosigned_at(note: str, key: str) -> int:
    """When the key (name+hash+base64, type 0x04) signed ``note``. Raises ``ValueError`` where it did not. For tests."""
    name, _, rest = key.partition("+")
    raw = base64.b64decode(rest.partition("+")[2], validate=True)
    if raw[:1] != COSIGNATURE or len(raw) != 33:
        raise ValueError("no key of a cosigner")
    id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    body, _, block = note.rpartition("\n\n")
    for line in block.splitlines():
        _, signer, encoded = line.split(" ")
        signature = base64.b64decode(encoded, validate=True)
        if signer == name and signature[:4] == id:
            (at,) = struct.unpack(">Q", signature[4:12])
            Ed25519PublicKey.from_public_bytes(raw[1:]).verify(signature[12:], message(body + "\n", at))
            return int(at)
    raise ValueError("no such cosignature")


def announced(note: str, public_key: str) -> Checkpoint:
    """The checkpoint that a desktop announces. Raises ``Refusal``: 422 unless its own key signed it."""
    where = "/public_key"
    try:
        key = VerifierKey.parse(public_key)
        where = "/checkpoint"
        text, _ = open_note(note, [key])
        checkpoint = Checkpoint.parse(text)
        if checkpoint.origin != key.name:
            raise BadNote("Its origin is not the name of the key.")
    except BadNote as error:
        errors = [{"pointer": where, "detail": str(error)}]
        raise Refusal("invalid", "The checkpoint can't be used; the errors say why.", errors=errors) from None
    return checkpoint


def root_text(checkpoint: Checkpoint) -> str:
    return base64.b64encode(checkpoint.root).decode()
