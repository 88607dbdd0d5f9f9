"""What an Ollama server keeps on its disk, in Ollama's own layout, and the registry that it fetches from.

Blobs lie as ``blobs/sha256-HEX``, unfinished ones beside them with ``-partial``; a model is a manifest that names its blobs
(``manifests/HOST/NAMESPACE/NAME/TAG``). Content is checked by its digest before it gets its name.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.model_servers import gguf

HOST = "registry.ollama.ai"
MODEL = "application/vnd.ollama.image.model"
TEMPLATE = "application/vnd.ollama.image.template"
SYSTEM = "application/vnd.ollama.image.system"
PARAMETERS = "application/vnd.ollama.image.params"
LICENSE = "application/vnd.ollama.image.license"
ADAPTER = "application/vnd.ollama.image.adapter"
CONFIG = "application/vnd.docker.container.image.v1+json"


def digest_of(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Registry:
    """Models that can be pulled: media type and content of each layer. ``served`` counts the bytes that went out."""

    models: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    served: int = 0

    def add(self, name: str, *layers: tuple[str, bytes]) -> None:
        self.models[full_name(name)] = [*layers, (CONFIG, json.dumps({"model_format": "gguf"}).encode())]


def full_name(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


class Store:
    """One folder of models."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs"
        self.blobs.mkdir(parents=True, exist_ok=True)

    def blob(self, digest: str) -> Path:
        return self.blobs / digest.replace(":", "-")

    def partial(self, digest: str) -> Path:
        return self.blobs / f"{digest.replace(':', '-')}-partial"

    def manifest(self, name: str) -> Path:
        path, _, tag = full_name(name).rpartition(":")
        parts = path.split("/")
        parts = [HOST, "library", *parts][-3:] if len(parts) < 2 else [HOST, *parts][-3:]
        return self.folder.joinpath("manifests", *parts, tag)

    def keep(self, content: bytes) -> dict[str, Any]:
        """Store a blob, and name it as a layer does."""
        digest = digest_of(content)
        unfinished = self.blobs / f"upload-{secrets.token_hex(8)}"
        unfinished.write_bytes(content)
        unfinished.replace(self.blob(digest))
        return {"digest": digest, "size": len(content)}

    def write(self, name: str, layers: list[tuple[str, bytes]]) -> None:
        """A whole model at once."""
        named = [{"mediaType": kind, **self.keep(content)} for kind, content in layers]
        config = next((one for one in named if one["mediaType"] == CONFIG), None)
        config = config or {"mediaType": CONFIG, **self.keep(b'{"model_format": "gguf"}')}
        file = self.manifest(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        document = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": config,
            "layers": [one for one in named if one["mediaType"] != CONFIG],
        }
        file.write_text(json.dumps(document))

    def names(self) -> list[str]:
        found = []
        for file in sorted((self.folder / "manifests").glob("*/*/*/*")):
            host, space, name, tag = file.relative_to(self.folder / "manifests").parts
            prefix = f"{space}/" if (host, space) != (HOST, "library") else ""
            found.append(f"{prefix}{name}:{tag}")
        return found

    def read(self, name: str) -> dict[str, Any] | None:
        file = self.manifest(name)
        document: dict[str, Any] | None = json.loads(file.read_bytes()) if file.is_file() else None
        return document

    def layers(self, name: str) -> dict[str, bytes]:
        """Contents by media type (the last of each)."""
        document = self.read(name) or {"layers": []}
        return {one["mediaType"]: self.blob(one["digest"]).read_bytes() for one in document["layers"]}

    def size(self, name: str) -> int:
        document = self.read(name) or {"layers": [], "config": {"size": 0}}
        return sum(one["size"] for one in [*document["layers"], document["config"]])

    def facts(self, name: str) -> dict[str, Any]:
        """What the model's weights say of themselves."""
        return gguf.read(self.layers(name)[MODEL])

    def delete(self, name: str) -> bool:
        """Remove a model and the blobs that no other names."""
        document = self.read(name)
        if document is None:
            return False
        self.manifest(name).unlink()
        used = {one["digest"] for other in self.names() for one in (self.read(other) or {"layers": []})["layers"]}
        for one in [*document["layers"], document["config"]]:
            if one["digest"] not in used:
                self.blob(one["digest"]).unlink(missing_ok=True)
        return True
