"""Small GGUF files: written for tests, read back by the server of the tests (format: ggml, docs/gguf.md, version 3)."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

MAGIC = b"GGUF"
_UINT32, _STRING, _ARRAY = 4, 8, 9
#: The other kinds of values, as ``struct`` writes them.
_PLAIN = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

#: What a small model of the Llama family says of itself.
SMALL: dict[str, int | str] = {
    "general.architecture": "llama",
    "general.parameter_count": 7_000_000,
    "llama.context_length": 8192,
    "llama.block_count": 4,
    "llama.embedding_length": 256,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
}


def write(facts: dict[str, int | str] | None = None, weights: bytes = b"\0" * 4096) -> bytes:
    """A file with these facts and no tensors; ``weights`` only make it as long as wanted."""
    out = BytesIO()
    pairs = SMALL if facts is None else facts
    out.write(MAGIC + struct.pack("<IQQ", 3, 0, len(pairs)))
    for name, value in pairs.items():
        _text(out, name)
        if isinstance(value, str):
            out.write(struct.pack("<I", _STRING))
            _text(out, value)
        else:
            out.write(struct.pack("<II", _UINT32, value))
    out.write(weights)
    return out.getvalue()


def read(content: bytes) -> dict[str, Any]:
    """The facts of such a file. Raises ``ValueError`` for anything else."""
    source = BytesIO(content)
    if source.read(4) != MAGIC:
        raise ValueError("invalid file magic")
    version, _, count = struct.unpack("<IQQ", source.read(20))
    if version != 3:
        raise ValueError("unsupported version")
    facts: dict[str, Any] = {}
    for _ in range(count):
        name = _read_text(source)
        (kind,) = struct.unpack("<I", source.read(4))
        facts[name] = _read_value(source, kind)
    return facts


def _read_value(source: BytesIO, kind: int) -> Any:
    """A value; an array as ``None``, as a server shows those of a tokenizer."""
    if kind == _STRING:
        return _read_text(source)
    if kind != _ARRAY:
        form = f"<{_PLAIN[kind]}"
        return struct.unpack(form, source.read(struct.calcsize(form)))[0]
    inner, length = struct.unpack("<IQ", source.read(12))
    for _ in range(length):
        _read_value(source, inner)
    return None


def _text(out: BytesIO, text: str) -> None:
    raw = text.encode()
    out.write(struct.pack("<Q", len(raw)) + raw)


def _read_text(source: BytesIO) -> str:
    (length,) = struct.unpack("<Q", source.read(8))
    return source.read(length).decode()
