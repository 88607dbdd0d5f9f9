"""Signed notes (C2SP signed-note), checkpoints (C2SP tlog-checkpoint) and cosignatures (C2SP tlog-cosignature), all with
Ed25519 (RFC 8032)."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

#: Signature types of Ed25519 in C2SP signed-note: over a note, and a witness's over a checkpoint and the time.
ED25519, COSIGNATURE = b"\x01", b"\x04"
MAX_SIGNATURES = 64

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/=]+)")
_SIZE = re.compile(r"0|[1-9][0-9]{0,17}")


class BadNote(ValueError):
    """A text that is no signed note, no checkpoint or no verifier key, or a signature that does not hold."""


@dataclass(frozen=True)
class VerifierKey:
    """A public key with its name. ``public`` are 32 raw bytes; ``kind`` is the signature type."""

    name: str
    public: bytes
    kind: bytes = ED25519

    @property
    def id(self) -> bytes:
        """SHA-256(name || 0x0A || kind || public)[:4]."""
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(self.kind + self.public).decode()}"

    @classmethod
    def parse(cls, text: str, kind: bytes = ED25519) -> VerifierKey:
        """Read ``name+hash+base64`` of that kind. Raises ``BadNote``."""
        name, _, rest = text.partition("+")
        hash_text, _, encoded = rest.partition("+")
        raw = _decoded(encoded)
        if not name or re.search(r"\s", name) or len(raw) != 33 or raw[:1] != kind:
            raise BadNote(
                "It is no verifier key of an Ed25519 signature."
                if kind == ED25519
                else "It is no verifier key of a witness."
            )
        key = cls(name, raw[1:], kind)
        if str(key) != text or key.id.hex() != hash_text:
            raise BadNote("The verifier key's hash does not fit its name and key.")
        return key

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether ``signature`` (64 bytes) is this key's over ``message``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


def open_note(note: str, keys: Sequence[VerifierKey]) -> tuple[str, tuple[VerifierKey, ...]]:
    """The note's text and which of ``keys`` signed it; signatures by other keys count nothing.

    Raises ``BadNote`` when it is malformed, when a known key's signature does not hold, or when no known key signed.
    """
    body, separator, block = note.rpartition("\n\n")
    if not separator or not block.endswith("\n") or _CONTROL.search(note):
        raise BadNote("It is no signed note.")
    text, lines = body + "\n", block[:-1].split("\n")
    signers: list[VerifierKey] = []
    for line in lines[: MAX_SIGNATURES + 1]:
        match = _SIGNATURE.fullmatch(line)
        raw = _decoded(match[2]) if match else b""
        if match is None or len(raw) < 5:
            raise BadNote("A signature line is malformed.")
        for key in keys:
            if key.name == match[1] and key.id == raw[:4]:
                if not key.verifies(text.encode(), raw[4:]):
                    raise BadNote(f"The signature of {key.name} does not hold.")
                signers.append(key)
    if len(lines) > MAX_SIGNATURES:
        raise BadNote(f"It has more than {MAX_SIGNATURES} signatures.")
    if not signers:
        raise BadNote("No known key has signed it.")
    return text, tuple(dict.fromkeys(signers))


def cosigned(text: str, lines: str, witness: VerifierKey) -> tuple[str, int]:
    """The line with the witness's cosignature over the checkpoint ``text``, out of ``lines`` of signatures, and the time in it in
    seconds since 1970 (C2SP tlog-cosignature, Ed25519). Lines of other keys count nothing. Raises ``BadNote`` where there is none,
    or it does not hold."""
    for line in lines.split("\n")[:MAX_SIGNATURES]:
        match = _SIGNATURE.fullmatch(line)
        raw = _decoded(match[2]) if match else b""
        if match is None or match[1] != witness.name or raw[:4] != witness.id:
            continue
        at = int.from_bytes(raw[4:12])
        if (
            len(raw) != 76
            or at >> 63
            or not witness.verifies(f"cosignature/v1\ntime {at}\n{text}".encode(), raw[12:])
        ):
            raise BadNote(f"The cosignature of {witness.name} does not hold.")
        return f"{line}\n", at
    raise BadNote(f"It holds no cosignature of {witness.name}.")


@dataclass(frozen=True)
class Checkpoint:
    """Head of a log: its origin, its number of leaves, and the root of its tree."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read the text of a note; extension lines are refused. Raises ``BadNote``."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0] or not _SIZE.fullmatch(lines[1]):
            raise BadNote("It is no checkpoint of three lines.")
        root = _decoded(lines[2])
        if len(root) != 32:
            raise BadNote("The checkpoint's root is no SHA-256 hash.")
        return cls(lines[0], int(lines[1]), root)


def _decoded(text: str) -> bytes:
    """Base64 in its one canonical form. Raises ``BadNote``."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    if base64.b64encode(raw).decode() != text:
        raise BadNote("It holds text that is no base64.")
    return raw
