"""The log's signing key."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from functools import cached_property

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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
