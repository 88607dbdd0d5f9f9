"""A witness, written from C2SP tlog-witness: it keeps its own state on the disk and cosigns only what extends it."""

import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.evidence.authority import served

Answer = tuple[int, str, bytes]


class WitnessServer:
    """``logs`` maps an origin to the public keys (32 bytes) that it trusts for it."""

    def __init__(self, name: str, folder: Path, logs: dict[str, list[bytes]], secret: bytes = b"\x21" * 32) -> None:
        self.name = name
        self.logs = logs
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._state = folder / "witness.json"
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    @property
    def id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n\x04" + self.public).digest()[:4]

    @property
    def verifier_key(self) -> str:
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(chr(4).encode() + self.public).decode()}"

    def seen(self, origin: str) -> tuple[int, str]:
        """Size and root of the latest checkpoint that was cosigned for a log."""
        found = json.loads(self._state.read_text()) if self._state.exists() else {}
        size, root = found.get(origin, (0, ""))
        return size, root

    def add_checkpoint(self, body: bytes) -> Answer:
        """The call of that name."""
        head, _, note = body.decode().partition("\n\n")
        old_line, *lines = head.split("\n")
        match = re.fullmatch(r"old (0|[1-9][0-9]*)", old_line)
        if match is None or len(lines) > 63:
            return 400, "text/plain", b"malformed\n"
        old, proof = int(match[1]), [base64.b64decode(line, validate=True) for line in lines]
        text, _, block = note.partition("\n\n")
        text += "\n"
        origin, size_text, root_text = text.split("\n")[:3]
        size = int(size_text)
        if origin not in self.logs:
            return 404, "text/plain", b"unknown log\n"
        if not any(self._holds(origin, text, line) for line in block.splitlines()):
            return 403, "text/plain", b"no trusted signature\n"
        if old > size:
            return 400, "text/plain", b"old size is beyond the checkpoint\n"
        with self._lock:
            last, last_root = self.seen(origin)
            if old != last:
                return 409, "text/x.tlog.size", f"{last}\n".encode()
            if old == size and root_text != last_root:
                return 409, "text/plain", b"another root\n"
            if old > 0 and not consistent(old, size, proof, base64.b64decode(last_root), base64.b64decode(root_text)):
                return 422, "text/plain", b"the proof does not hold\n"
            if old == 0 and proof:
                return 422, "text/plain", b"a proof from nothing\n"
            self._keep(origin, size, root_text)
        return 200, "text/plain", self.cosignature(text).encode()

    def cosignature(self, text: str, at: int | None = None) -> str:
        """A line over the text of a checkpoint (C2SP tlog-cosignature)."""
        at = int(time.time()) if at is None else at
        signature = self._key.sign(f"cosignature/v1\ntime {at}\n{text}".encode())
        return f"— {self.name} {base64.b64encode(self.id + at.to_bytes(8) + signature).decode()}\n"

    def _holds(self, origin: str, text: str, line: str) -> bool:
        _, name, encoded = line.split(" ")
        raw = base64.b64decode(encoded)
        for public in self.logs[origin]:
            if name != origin or raw[:4] != hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]:
                continue
            try:
                Ed25519PublicKey.from_public_bytes(public).verify(raw[4:], text.encode())
            except InvalidSignature:
                return False
            return True
        return False

    def _keep(self, origin: str, size: int, root: str) -> None:
        found = json.loads(self._state.read_text()) if self._state.exists() else {}
        temporary = self._state.with_suffix(".new")
        temporary.write_text(json.dumps({**found, origin: [size, root]}))
        temporary.replace(self._state)

    @contextmanager
    def running(self) -> Iterator[tuple[str, list[bytes]]]:
        """Served on loopback; yields the submission prefix and the bodies that came."""
        with served(self.add_checkpoint) as (url, asked):
            yield url, asked


def consistent(first: int, second: int, proof: list[bytes], old_root: bytes, new_root: bytes) -> bool:
    """RFC 6962, section 2.1.4.2 by recursion over PROOF's own definition: independent of the application's loop."""
    nodes = list(proof)

    def node(left: bytes, right: bytes) -> bytes:
        return hashlib.sha256(b"\x01" + left + right).digest()

    def walk(m: int, n: int, whole: bool) -> tuple[bytes, bytes]:
        """Hashes of the old part and of all of a subtree of ``n`` leaves, ``m`` of which are old."""
        if m == n:
            one = old_root if whole else nodes.pop()
            return one, one
        k = 1 << (n - 1).bit_length() - 1
        if m <= k:
            right = nodes.pop()
            old, new = walk(m, k, whole)
            return old, node(new, right)
        left = nodes.pop()
        old, new = walk(m - k, n - k, False)
        return node(left, old), node(left, new)

    try:
        old, new = walk(first, second, True)
    except IndexError:
        return False
    return not nodes and (old, new) == (old_root, new_root)
