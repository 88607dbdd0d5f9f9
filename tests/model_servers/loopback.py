"""What the scripted servers share: HTTP on loopback that says nothing on the terminal, notices who hung up, and ends with its ``with``."""

from __future__ import annotations

import contextlib
import json
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, TypeVar


class LoopbackServer(ThreadingHTTPServer):
    """Listens at a free port of this machine or at ``port``; ``url`` is its address without a path. ``stopping`` is set when it is about
    to end."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)
        self.stopping = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what is tested; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


Server = TypeVar("Server", bound=LoopbackServer)


@contextlib.contextmanager
def running(server: Server) -> Iterator[Server]:
    """The server, for the time of a ``with``; its end hangs up on everybody."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopping.set()
        server.shutdown()
        server.server_close()
        thread.join(5)


class LoopbackHandler(BaseHTTPRequestHandler):
    """Answers in whole or in chunks, silently. ``json_kind`` is the content type of JSON."""

    server: LoopbackServer
    protocol_version = "HTTP/1.1"
    json_kind = "application/json"

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: what was asked is kept elsewhere."""

    def read_json(self) -> Any:
        return json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))) or b"{}")

    def lower_headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def stays(self, seconds: float) -> bool:
        """Wait, and tell whether the client is still there at the end (or when the server stops)."""
        end = time.monotonic() + seconds
        while not self.server.stopping.is_set():
            left = end - time.monotonic()
            if select.select([self.connection], [], [], max(0.0, min(left, 0.02)))[0]:
                try:
                    if not self.connection.recv(1, socket.MSG_PEEK):
                        return False
                except OSError:
                    return False
                time.sleep(max(0.0, min(left, 0.02)))
            if left <= 0:
                break
        return True

    def begin_chunks(self, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, content: bytes) -> None:
        """One chunk (RFC 9112, section 7.1); an empty one is the last. Raises ``OSError`` where the client is gone."""
        self.wfile.write(f"{len(content):x}\r\n".encode() + content + b"\r\n")
        self.wfile.flush()

    def hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def answer_json(self, status: int, value: Any, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.answer(status, json.dumps(value).encode(), self.json_kind, headers=headers)

    def answer(
        self,
        status: int,
        content: bytes,
        kind: str,
        *,
        length: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """A whole answer; ``length`` is what it claims to be long, where that is not so."""
        with contextlib.suppress(OSError):
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()
