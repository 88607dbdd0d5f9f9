"""A server that speaks Ollama's management interface over a real folder (Ollama, docs/api.md), with faults to order.

What matters is as in the original: a pull goes on from what lies unfinished on the disk, the end of a connection ends it and keeps
what was fetched, errors after the first line come inside the stream, an uploaded blob is checked by its digest, and what
answers nothing but a status has neither a body nor a content type.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from tests.model_servers import gguf
from tests.model_servers.loopback import LoopbackHandler, LoopbackServer, running
from tests.model_servers.ollama_store import (
    ADAPTER,
    LICENSE,
    MODEL,
    PARAMETERS,
    SYSTEM,
    TEMPLATE,
    Registry,
    Store,
    digest_of,
    full_name,
)

OLD = "0.5.4"


class OllamaServer(LoopbackServer):
    """``chunk`` bytes are fetched every ``tick_s``. Faults, each on until it is taken back:

    ``disk_bytes``: a pull or an upload that would take the store beyond it ends with the error of a full disk;
    ``unreachable``: the registry can't be reached; ``rotten``: what is fetched does not have its digest; ``cut_after``: the
    connection is cut after so many bytes of a pull; ``pulls_as``: status and body for every pull (a proxy, another server);
    ``lists_as``: the body of its list.
    """

    def __init__(
        self, folder: Path, registry: Registry | None = None, *, port: int = 0, version: str = "0.12.3"
    ) -> None:
        super().__init__(_Handler, port)
        self.store = Store(folder)
        self.registry = registry or Registry()
        self.version = version
        self.chunk, self.tick_s = 64 * 1024, 0.01
        self.disk_bytes = 0
        self.unreachable = self.rotten = False
        self.cut_after = 0
        self.lists_as = b""
        self.pulls_as: tuple[int, bytes, str] | None = None
        self.requests: list[tuple[str, str]] = []
        self.headers: list[dict[str, str]] = []
        self.created: list[dict[str, Any]] = []
        self.uploaded = self.broken_off = 0

    def used(self) -> int:
        return sum(file.stat().st_size for file in self.store.blobs.iterdir())

    def is_full(self, more: int) -> bool:
        return bool(self.disk_bytes) and self.used() + more > self.disk_bytes


def serving_ollama(
    folder: Path, registry: Registry | None = None, **options: Any
) -> AbstractContextManager[OllamaServer]:
    """A running server for the time of a ``with``."""
    return running(OllamaServer(folder, registry, **options))


class _Gone(Exception):
    """The client hung up, or is hung up on."""


class _Handler(LoopbackHandler):
    server: OllamaServer
    json_kind = "application/json; charset=utf-8"

    def do_GET(self) -> None:
        self._note()
        if self.path == "/api/version":
            return self.answer_json(200, {"version": self.server.version})
        if self.path == "/api/tags" and self.server.lists_as:
            return self.answer(200, self.server.lists_as, "application/json")
        if self.path == "/api/tags":
            return self.answer_json(200, {"models": [self._entry(name) for name in self.server.store.names()]})
        return self.answer_json(404, {"error": "404 page not found"})

    def do_HEAD(self) -> None:
        self._note()
        digest = self.path.rpartition("/")[2]
        self._bare(200 if self.server.store.blob(digest).is_file() else 404)

    def do_POST(self) -> None:
        self._note()
        if self.path.startswith("/api/blobs/"):
            return self._upload(self.path.rpartition("/")[2])
        request = self.read_json()
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "/api/show": self._show,
            "/api/pull": self._pull,
            "/api/create": self._create,
        }
        if self.path not in acts:
            return self.answer_json(404, {"error": "404 page not found"})
        return acts[self.path](request)

    def do_DELETE(self) -> None:
        self._note()
        request = self.read_json()
        if not self.server.store.delete(request["model"]):
            return self.answer_json(404, {"error": f"model '{request['model']}' not found"})
        return self._bare(200)

    def _note(self) -> None:
        self.server.requests.append((self.command, self.path))
        self.server.headers.append(self.lower_headers())

    # What is kept

    def _entry(self, name: str) -> dict[str, Any]:
        store = self.server.store
        return {
            "name": name,
            "model": name,
            "modified_at": "2026-01-01T00:00:00Z",
            "size": store.size(name),
            "digest": digest_of(json.dumps(store.read(name)).encode())[7:],
            "details": self._details(store.facts(name)),
        }

    def _details(self, facts: dict[str, Any]) -> dict[str, Any]:
        count = facts.get("general.parameter_count", 0)
        family = facts.get("general.architecture", "")
        return {
            "parent_model": "",
            "format": "gguf",
            "family": family,
            "families": [family],
            "parameter_size": f"{count / 1e6:.0f}M",
            "quantization_level": "Q4_K_M",
        }

    def _show(self, request: dict[str, Any]) -> None:
        store, name = self.server.store, request.get("model", "")
        if store.read(name) is None:
            return self.answer_json(404, {"error": f"model '{name}' not found"})
        facts, layers = store.facts(name), store.layers(name)
        answer = {
            "modelfile": "# Modelfile",
            "template": layers.get(TEMPLATE, b"").decode(),
            "details": self._details(facts),
            "model_info": facts | {"tokenizer.ggml.tokens": None},
            "capabilities": ["completion"],
            "modified_at": "2026-01-01T00:00:00Z",
        }
        return self.answer_json(200, answer)

    # Pull

    def _pull(self, request: dict[str, Any]) -> None:
        server = self.server
        if server.pulls_as is not None:
            return self.answer(*server.pulls_as)
        self._stream()
        try:
            self._fetch(full_name(request["model"]))
        except _Gone:
            server.broken_off += 1
            self.hang_up()
        return None

    def _fetch(self, name: str) -> None:
        server, store = self.server, self.server.store
        self._line({"status": "pulling manifest"})
        if server.unreachable:
            said = 'pull model manifest: Get "https://registry.ollama.ai/v2/": dial tcp: lookup registry.ollama.ai: no such host'
            return self._line({"error": said}, last=True)
        layers = server.registry.models.get(name)
        if layers is None:
            return self._line({"error": "pull model manifest: file does not exist"}, last=True)
        for _, content in layers:
            if not self._layer(content):
                return self._line({"error": "write blob: no space left on device"}, last=True)
        self._line({"status": "verifying sha256 digest"})
        blobs = [store.blob(digest_of(content)) for _, content in layers]
        rotten = [blob for blob in blobs if digest_of(blob.read_bytes())[7:] != blob.name[7:]]
        if rotten:
            for blob in rotten:
                blob.unlink()
            return self._line({"error": "digest mismatch, file must be downloaded again"}, last=True)
        self._line({"status": "writing manifest"})
        store.write(name, layers)
        return self._line({"status": "success"}, last=True)

    def _layer(self, content: bytes) -> bool:
        """Fetch one layer, going on from what lies there; false where the disk is full."""
        server, store, digest = self.server, self.server.store, digest_of(content)
        told = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": len(content)}
        if store.blob(digest).is_file():
            self._line(told | {"completed": len(content)})
            return True
        partial = store.partial(digest)
        with partial.open("ab") as file:
            while file.tell() < len(content):
                self._stay(server.tick_s)
                piece = content[file.tell() : file.tell() + server.chunk]
                if server.is_full(len(piece)):
                    return False
                server.registry.served += len(piece)
                file.write(piece)
                file.flush()
                if server.cut_after and file.tell() >= server.cut_after:
                    raise _Gone
                # The original leaves out what is zero.
                self._line(told | {"completed": file.tell()})
        if server.rotten:
            partial.write_bytes(bytes(len(content)))
        partial.rename(store.blob(digest))
        return True

    # Import

    def _upload(self, digest: str) -> None:
        server, store = self.server, self.server.store
        taken = bytearray()
        try:
            for piece in self._body():
                taken += piece
                server.uploaded += len(piece)
                if server.is_full(len(taken)):
                    self.answer_json(500, {"error": "write blob: no space left on device"})
                    return self.hang_up()
        except (OSError, ValueError, _Gone):
            server.broken_off += 1
            return self.hang_up()
        content = bytes(taken)
        if digest_of(content) != digest:
            return self.answer_json(
                400, {"error": f'digest mismatch, expected "{digest}", got "{digest_of(content)}"'}
            )
        store.keep(content)
        return self._bare(201)

    def _body(self) -> Iterator[bytes]:
        length = self.headers.get("content-length")
        if length is not None:
            left = int(length)
            while left:
                self._stay(0 if self.server.tick_s < 0.02 else self.server.tick_s)
                piece = self.rfile.read1(min(left, 1 << 20))
                if not piece:
                    raise _Gone
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline().strip() or b"", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _create(self, request: dict[str, Any]) -> None:
        server, store = self.server, self.server.store
        server.created.append(request)
        files = request.get("files") or {}
        if not files or tuple(map(int, server.version.split("."))) <= (0, 5, 4):
            return self.answer_json(400, {"error": "neither 'from' or 'files' was specified"})
        layers: list[tuple[str, bytes]] = []
        self._stream()
        self._line({"status": "parsing GGUF"})
        for kind, named in ((MODEL, files), (ADAPTER, request.get("adapters") or {})):
            for digest in named.values():
                blob = store.blob(digest)
                content = blob.read_bytes() if blob.is_file() else b""
                try:
                    gguf.read(content)
                except ValueError as error:
                    return self._line({"error": str(error)}, last=True)
                layers.append((kind, content))
        for kind, field in ((TEMPLATE, "template"), (SYSTEM, "system")):
            if request.get(field):
                layers.append((kind, request[field].encode()))
        if request.get("parameters"):
            layers.append((PARAMETERS, json.dumps(request["parameters"]).encode()))
        for text in request.get("license") or []:
            layers.append((LICENSE, text.encode()))
        self._line({"status": "writing manifest"})
        store.write(request["model"], layers)
        return self._line({"status": "success"}, last=True)

    # HTTP

    def _stay(self, seconds: float) -> None:
        """Wait. Raises ``_Gone`` when the client is, or this server is about to be."""
        pulling = self.command == "POST" and self.path == "/api/pull"
        # Of an upload there is more to read, which says nothing of its client.
        gone = not self.stays(seconds) if pulling else self.server.stopping.wait(seconds)
        if gone or self.server.stopping.is_set():
            raise _Gone

    def _stream(self) -> None:
        self.begin_chunks("application/x-ndjson")

    def _line(self, value: dict[str, Any], *, last: bool = False) -> None:
        try:
            self.chunk(json.dumps(value).encode() + b"\n")
            if last:
                self.chunk(b"")
        except OSError:
            raise _Gone from None

    def _bare(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
