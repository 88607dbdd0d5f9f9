"""Models in files: a GGUF file, or a folder as an Ollama server keeps it, carried over from another machine.

Such a folder holds ``manifests/HOST/NAMESPACE/NAME/TAG`` (a manifest each, of the form of an OCI image's) and ``blobs/sha256-HEX``.
It may come from anywhere, so what is read is bounded, and a name leads nowhere but into the folder.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qverify_desktop.domain.errors import BadInput

GGUF_MAGIC = b"GGUF"
MOST_MANIFEST_BYTES = 1024 * 1024
#: Texts beside the weights: templates, licences, parameters.
MOST_TEXT_BYTES = 1024 * 1024
MOST_SAVED = 200
MOST_LAYERS = 200
#: The registry and the namespace that a short name means.
LIBRARY = ("registry.ollama.ai", "library")

_KIND = "application/vnd.ollama.image."
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: A part of a model's name (Ollama, types/model/name.go).
_PART = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}"
_NAME = re.compile(rf"(?:{_PART}(?::\d{{1,5}})?/)?(?:{_PART}/)?{_PART}(?::{_PART})?")
_WEIGHTS = ("model", "projector")
_TEXTS = {"template": "template", "system": "system"}


@dataclass(frozen=True)
class SavedFile:
    """A file that becomes a blob; ``digest`` (``sha256:HEX``) is empty where it is not known yet."""

    path: Path
    bytes: int
    digest: str = ""


@dataclass(frozen=True)
class SavedModel:
    """A model in files: its weights, its adapters, and what else a server has to be told when it makes the model of them."""

    name: str
    weights: tuple[SavedFile, ...]
    adapters: tuple[SavedFile, ...] = ()
    told: tuple[tuple[str, Any], ...] = ()

    @property
    def bytes(self) -> int:
        return sum(one.bytes for one in (*self.weights, *self.adapters))


def checked_name(name: str) -> str:
    """A model's name as a server can take it. Raises ``BadInput``."""
    plain = name.strip()
    if len(plain) > 200 or not _NAME.fullmatch(plain):
        raise BadInput(
            f"{plain[:80]!r} can't be the name of a model.",
            "Names are such as qwen2.5-coder:7b: letters, digits, dots, dashes, and a tag after a colon.",
        )
    return plain


def name_of(file: Path) -> str:
    """A model's name made of a file's."""
    plain = re.sub(r"[^a-z0-9_.-]+", "-", file.name[: -len(file.suffix)].lower()).strip("-.")[:80]
    return plain or "imported"


def read_gguf(file: Path, name: str = "") -> SavedModel:
    """A model that is one GGUF file. Raises ``BadInput`` for anything else."""
    try:
        with file.open("rb") as source:
            magic = source.read(4)
        size = file.stat().st_size
    except OSError as error:
        raise BadInput(f"The file {file} can't be read ({error.strerror}).", "Choose another file.") from None
    if magic != GGUF_MAGIC:
        raise BadInput(
            f"{file.name} is no GGUF file.",
            "Weights in another form (safetensors, PyTorch) have to be converted first, for example with llama.cpp.",
        )
    return SavedModel(checked_name(name) if name else name_of(file), (SavedFile(file, size),))


def read_folder(folder: Path) -> list[SavedModel]:
    """The models in a saved folder, by name. Raises ``BadInput`` where there is none, or one of them is not whole."""
    root = next((one for one in (folder, folder / "models") if (one / "manifests").is_dir()), None)
    if root is None:
        raise BadInput(
            f"{folder} is no folder of models as Ollama keeps it: it holds no folder manifests.",
            "Copy the whole folder (on Linux ~/.ollama/models or /usr/share/ollama/.ollama/models) and choose that.",
        )
    manifests = [file for file in sorted((root / "manifests").glob("*/*/*/*")) if not file.name.startswith(".")]
    found = [_read_manifest(root, file) for file in manifests[:MOST_SAVED] if file.is_file()]
    if not found:
        raise BadInput(f"The folder {folder} holds no model.", "Choose the folder that holds manifests and blobs.")
    return found


def _read_manifest(root: Path, file: Path) -> SavedModel:
    host, space, model, tag = file.relative_to(root / "manifests").parts
    before = [] if (host, space) == LIBRARY else [space] if host == LIBRARY[0] else [host, space]
    name = checked_name("/".join([*before, f"{model}:{tag}"]))
    document = _json(_read(file, MOST_MANIFEST_BYTES, name), name)
    layers = document.get("layers") if isinstance(document, dict) else None
    if not isinstance(layers, list) or not all(isinstance(one, dict) for one in layers) or len(layers) > MOST_LAYERS:
        raise BadInput(f"The manifest of {name} can't be read.", "Copy the folder again.")
    weights: list[SavedFile] = []
    adapters: list[SavedFile] = []
    told: dict[str, Any] = _of_config(root, document, name)
    for layer in layers:
        kind = str(layer.get("mediaType", "")).removeprefix(_KIND)
        blob = _blob(root, layer, name)
        if kind in _WEIGHTS:
            weights.append(blob)
        elif kind == "adapter":
            adapters.append(blob)
        elif kind in _TEXTS:
            told[_TEXTS[kind]] = _text(blob, name)
        elif kind == "license":
            told.setdefault("license", []).append(_text(blob, name))
        elif kind in ("params", "messages"):
            told["parameters" if kind == "params" else kind] = _json(_content(blob, name), name)
        else:
            raise BadInput(
                f"{name} has parts that Ollama's interface does not take ({kind[:60] or 'without a type'}).",
                "Copy the folder into Ollama's own folder of models instead; it is seen there at once.",
            )
    if not weights:
        raise BadInput(f"{name} has no weights.", "Models that run elsewhere (cloud) can't be imported.")
    return SavedModel(name, tuple(weights), tuple(adapters), tuple(told.items()))


def _of_config(root: Path, document: Any, name: str) -> dict[str, Any]:
    """How Ollama's own code writes and reads the model's turns, where the config names it."""
    config = document.get("config") if isinstance(document, dict) else None
    if not isinstance(config, dict):
        return {}
    said = _json(_content(_blob(root, config, name), name), name)
    values = {key: said.get(key) for key in ("renderer", "parser")} if isinstance(said, dict) else {}
    return {key: value for key, value in values.items() if isinstance(value, str) and 0 < len(value) <= 100}


def _blob(root: Path, layer: dict[str, Any], name: str) -> SavedFile:
    digest = str(layer.get("digest", ""))
    if not _DIGEST.fullmatch(digest):
        raise BadInput(f"The manifest of {name} names a part that is none.", "Copy the folder again.")
    path = root / "blobs" / digest.replace(":", "-")
    inside = path.resolve().is_relative_to(root.resolve())
    size = path.stat().st_size if inside and path.is_file() else -1
    if size < 0 or size != layer.get("size", size):
        what = "is missing" if size < 0 else "has another size than it should"
        raise BadInput(f"A part of {name} {what} ({path.name[:19]}…).", "Copy the folder again, whole.")
    return SavedFile(path, size, digest)


def _read(file: Path, most: int, name: str) -> bytes:
    try:
        with file.open("rb") as source:
            content = source.read(most + 1)
    except OSError as error:
        raise BadInput(f"A part of {name} can't be read ({error.strerror}).", "Copy the folder again.") from None
    if len(content) > most:
        raise BadInput(f"A part of {name} is longer than such a part can be.", "Copy the folder again.")
    return content


def _content(blob: SavedFile, name: str) -> bytes:
    """A small part, if it is what its digest says. The large ones are checked by the server that takes them."""
    content = _read(blob.path, MOST_TEXT_BYTES, name)
    if f"sha256:{hashlib.sha256(content).hexdigest()}" != blob.digest:
        raise BadInput(f"A part of {name} is damaged ({blob.path.name[:19]}…).", "Copy the folder again.")
    return content


def _text(blob: SavedFile, name: str) -> str:
    return _content(blob, name).decode("utf-8", "replace")


def _json(content: bytes, name: str) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        raise BadInput(f"A part of {name} can't be read (it is no JSON).", "Copy the folder again.") from None
