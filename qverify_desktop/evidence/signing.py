"""The keys that sign: one for the log's checkpoints, another for attestations."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from qverify_desktop.evidence.note import VerifierKey


@dataclass(frozen=True)
class Signer:
    """Signs notes under ``name`` (the log's origin: no spaces, no plus).

    ``private`` are 32 raw bytes (RFC 8032) and never shown; ``protection`` says where the key is kept (``keyring``, or
    words that go into every answer, such as ``unprotected key``).
    """

    name: str
    private: bytes = field(repr=False)
    protection: str

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private)

    @property
    def public(self) -> bytes:
        """The public key, 32 raw bytes."""
        return self._key.public_key().public_bytes_raw()

    @cached_property
    def verifier_key(self) -> VerifierKey:
        """Name and public key; its text is what an auditor is given."""
        return VerifierKey(self.name, self.public)

    def sign(self, text: str) -> str:
        """``text`` (which ends in a newline) as a signed note; the same text gives the same note."""
        if not text.endswith("\n") or text.endswith("\n\n"):
            raise ValueError("The text of a note ends in one newline.")
        return f"{text}\n{self.line(text)}"

    def line(self, text: str) -> str:
        """The line of this key's signature below a note with ``text``."""
        signature = base64.b64encode(self.verifier_key.id + self._key.sign(text.encode())).decode()
        return f"— {self.name} {signature}\n"


@dataclass(frozen=True)
class AttestationSigner:
    """Signs attestations (DSSE v1) with an Ed25519 key of their own: what is signed for the one purpose can never be shown for
    the other. Fields as in ``Signer``."""

    private: bytes = field(repr=False)
    protection: str

    @cached_property
    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.private)

    @cached_property
    def public(self) -> bytes:
        """The public key as DER SubjectPublicKeyInfo (RFC 8410), as foreign tools read it."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    @property
    def key_id(self) -> str:
        """SHA-256 of ``public``, lower-case hex. DSSE takes it for a hint and for nothing else."""
        return hashlib.sha256(self.public).hexdigest()

    @property
    def announced(self) -> dict[str, str]:
        """What a run's first and last entry say about this key: whoever trusts the log's key gets this one from the log."""
        return {"public": base64.b64encode(self.public).decode(), "protection": self.protection}

    def envelope(self, payload_type: str, payload: bytes) -> dict[str, Any]:
        """A DSSE envelope, ready for JSON; the same payload gives the same envelope."""
        from securesystemslib.dsse import Envelope
        from securesystemslib.signer import CryptoSigner, SSlibKey  # type: ignore[attr-defined]

        raw = self._key.public_key().public_bytes_raw().hex()
        key = SSlibKey(self.key_id, "ed25519", "ed25519", {"public": raw})
        envelope = Envelope(payload, payload_type, {})
        envelope.sign(CryptoSigner(self._key, key))
        document: dict[str, Any] = envelope.to_dict()
        return document
