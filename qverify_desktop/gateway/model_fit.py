"""How much memory a model needs, and whether this machine has it.

    need = weights + cache + buffers

``weights`` is the size of the model's files: llama.cpp, which Ollama runs, maps them as they are. ``cache`` holds a key and a value for
each token of the context, in each block (llama.cpp, src/llama-kv-cache.cpp):

    cache = context * kv_heads * (key_length + value_length) * layers * 2 bytes

with 16-bit elements, which is what Ollama uses unless OLLAMA_KV_CACHE_TYPE says otherwise. Blocks with a sliding window hold their
window and one batch (512 tokens) instead of the context. For gemma-3-270m at 8,192 tokens that gives the 39.0 MiB that llama.cpp
itself tells of (``make prove-local-model`` compares). ``buffers`` for computing are some hundred MB and are taken as
512 MiB. The keys of the metadata are GGUF's (ggml, docs/gguf.md).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from qverify_desktop.domain.local_model import AttentionShape

MIB = 1024 * 1024
ELEMENT_BYTES = 2
BATCH_TOKENS = 512
BUFFER_BYTES = 512 * MIB
#: What the system and other programs keep of a machine's memory.
RESERVED_BYTES = 1536 * MIB
#: Of how many blocks one looks at the whole context, in families with a sliding window (llama.cpp, src/llama-model.cpp:
#: ``set_swa_pattern``). Those of other families all count in full, which is never too little.
FULL_EVERY = {"gemma2": 2, "gemma3": 6, "gemma3n": 5, "gptoss": 2, "gpt-oss": 2}
NVIDIA_SECONDS = 5.0
_MEMORY = Path("/proc/meminfo")


class Fit(StrEnum):
    """Whether a model fits: into the graphics card, into the machine's memory, only once other programs leave, or not at all."""

    GPU = "gpu"
    MEMORY = "memory"
    TIGHT = "tight"
    TOO_LARGE = "too_large"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class MachineMemory:
    """Bytes of memory in all and free now (0: not known), and of the graphics cards together (0: none was found)."""

    total: int
    free: int
    gpu_total: int = 0
    gpu_free: int = 0


def read_shape(info: Mapping[str, Any]) -> AttentionShape | None:
    """The shape that a model's metadata tells, ``None`` where it lacks something."""
    family = info.get("general.architecture")

    def number(name: str) -> float:
        value = info.get(f"{family}.{name}")
        if isinstance(value, list) and value and all(type(one) is int and 0 <= one < 2**20 for one in value):
            return sum(value) / len(value)
        return value if type(value) is int and 0 < value < 2**31 else 0

    layers, heads = number("block_count"), number("attention.head_count")
    kv_heads = number("attention.head_count_kv") or heads
    head = number("embedding_length") / heads if heads else 0
    key, value = number("attention.key_length") or head, number("attention.value_length") or head
    if not all((layers, kv_heads, key, value)):
        return None
    every = FULL_EVERY.get(str(family), 0)
    window = int(number("attention.sliding_window")) if every else 0
    return AttentionShape(int(layers), kv_heads, int(key), int(value), window, every if window else 0)


def cache_bytes(shape: AttentionShape, context: int) -> int:
    """Bytes of the key and value cache for so many tokens."""
    full = -(-shape.layers // shape.full_every) if shape.window and shape.full_every else shape.layers
    short = min(context, shape.window + BATCH_TOKENS)
    tokens = full * context + (shape.layers - full) * short
    return int(tokens * shape.kv_heads * (shape.key_length + shape.value_length) * ELEMENT_BYTES)


def needed_bytes(weights: int, shape: AttentionShape | None, context: int) -> int:
    """Bytes that a model needs with this context; without its shape the weights and buffers alone, so at least that."""
    return weights + (cache_bytes(shape, context) if shape else 0) + BUFFER_BYTES


def fit(needed: int, machine: MachineMemory) -> Fit:
    """Whether so much fits. Ollama puts what the card can't hold into the machine's memory."""
    if not machine.total or not needed:
        return Fit.UNKNOWN
    if needed <= machine.gpu_total - BUFFER_BYTES:
        return Fit.GPU
    room = machine.total - RESERVED_BYTES + machine.gpu_total
    if needed > room:
        return Fit.TOO_LARGE
    return Fit.MEMORY if needed <= machine.free + machine.gpu_free else Fit.TIGHT


def machine_memory() -> MachineMemory:
    """This machine's memory now. Blocking: asks ``nvidia-smi`` where it is there."""
    total, free = _memory()
    gpu_total, gpu_free = _nvidia()
    return MachineMemory(total, free, gpu_total, gpu_free)


def _memory() -> tuple[int, int]:
    found: dict[str, int] = {}
    try:
        for line in _MEMORY.read_text("ascii", "replace").splitlines():
            name, _, rest = line.partition(":")
            number = rest.split()[:1]
            if number and number[0].isdecimal():
                found[name] = int(number[0]) * 1024
    except OSError:
        pass
    if "MemTotal" in found:
        return found["MemTotal"], found.get("MemAvailable", 0)
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return 0, 0
    return total, total


def _nvidia() -> tuple[int, int]:
    """Bytes of all NVIDIA cards together (``nvidia-smi`` tells MiB)."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return 0, 0
    command = [program, "--query-gpu=memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        ran = subprocess.run(
            command, capture_output=True, timeout=NVIDIA_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.SubprocessError):
        return 0, 0
    total = free = 0
    for line in ran.stdout[:10_000].decode("ascii", "replace").splitlines()[:64]:
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 2 and all(part.isdecimal() and len(part) < 9 for part in parts):
            total, free = total + int(parts[0]) * MIB, free + int(parts[1]) * MIB
    return (total, free) if ran.returncode == 0 else (0, 0)
