"""Certificates of a test authority, and some that nobody should accept."""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import trustme

HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class Certificates:
    """``ca`` is what a client trusts; ``cert`` and ``key`` are the servers'. All PEM files in ``folder``."""

    folder: Path
    authority: trustme.CA = field(default_factory=lambda: trustme.CA(organization_name="QVerify tests"))

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.authority.cert_pem.write_to_path(str(self.ca))
        self._write(self.authority.issue_cert(*HOSTS), "server")

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def cert(self) -> Path:
        return self.folder / "server.pem"

    @property
    def key(self) -> Path:
        return self.folder / "server.key"

    def _write(self, made: trustme.LeafCert, name: str) -> tuple[str, str]:
        cert, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        cert.write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
        made.private_key_pem.write_to_path(str(key))
        key.chmod(0o600)
        return str(cert), str(key)

    def bad(self, kind: str) -> tuple[str, str]:
        """Certificate and key that are ``unknown`` (another authority), ``expired``, or for another ``host``."""
        past = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        made = {
            "unknown": lambda: trustme.CA(organization_name="Nobody").issue_cert(*HOSTS),
            "expired": lambda: self.authority.issue_cert(*HOSTS, not_after=past),
            "host": lambda: self.authority.issue_cert("elsewhere.example"),
        }[kind]()
        return self._write(made, kind)


@dataclass
class Trap:
    """A server with a bad certificate. ``heard`` is every byte that a client told it all the same: it has to stay empty."""

    url: str
    heard: bytearray = field(default_factory=bytearray)


@contextlib.contextmanager
def trap(certificate: tuple[str, str]) -> Iterator[Trap]:
    """A running ``Trap`` for the time of a ``with``."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)
    caught, stop = Trap(f"https://127.0.0.1:{listener.getsockname()[1]}"), threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):  # also what a client that turns away raises, and the time-out
                plain, _ = listener.accept()
                plain.settimeout(2)
                with context.wrap_socket(plain, server_side=True) as connection:
                    caught.heard += connection.recv(65536)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield caught
    finally:
        stop.set()
        thread.join(5)
        listener.close()
