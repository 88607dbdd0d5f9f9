"""Checkpoints as signed notes: C2SP signed-note and tlog-checkpoint, Ed25519."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ED25519 = b"\x01"


@dataclass(frozen=True, repr=False)
class Signer:
    """The log's key. ``name`` is the log's origin; ``protection`` says where the key is kept, in words.

    ``private`` are the 32 raw bytes of the Ed25519 seed; they show in no representation.
    """

    name: str
    private: bytes
    protection: str

    def __repr__(self) -> str:
        return f"Signer({self.name!r}, {self.protection!r})"

    @property
    def public(self) -> bytes:
        key = Ed25519PrivateKey.from_private_bytes(self.private)
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def verifier_key(self) -> str:
        """``name+hash+key`` as C2SP signed-note defines it."""
        encoded = base64.b64encode(_ED25519 + self.public).decode()
        return f"{self.name}+{key_hash(self.name, self.public).hex()}+{encoded}"

    def sign(self, text: str) -> str:
        """The signed note of ``text``, which must end in a newline."""
        if not text.endswith("\n"):
            raise ValueError("The text of a note ends in a newline.")
        signature = Ed25519PrivateKey.from_private_bytes(self.private).sign(text.encode())
        line = base64.b64encode(key_hash(self.name, self.public) + signature).decode()
        return f"{text}\n— {self.name} {line}\n"


def key_hash(name: str, public: bytes) -> bytes:
    """First four bytes of SHA-256 over name, newline, algorithm and key (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:4]


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines of a C2SP tlog-checkpoint, without extension lines."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
