"""Models that a server on one's own machine keeps, and what happens while one is fetched or brought in."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AttentionShape:
    """What the size of a model's key and value cache follows from.

    ``layers`` are transformer blocks, ``kv_heads`` key and value heads of a block (the mean where blocks differ), ``key_length`` and
    ``value_length`` elements of one head. ``window`` is the sliding window in tokens (0: none); one block in
    ``full_every`` looks at the whole context all the same (0: none does).
    """

    layers: int
    kv_heads: float
    key_length: int
    value_length: int
    window: int = 0
    full_every: int = 0


@dataclass(frozen=True)
class StoredModel:
    """A model on a server's disk. ``digest`` is that of its manifest (hex), ``bytes`` the size of all its files."""

    name: str
    digest: str = ""
    bytes: int = 0
    parameters: str = ""
    quantization: str = ""
    family: str = ""


@dataclass(frozen=True)
class ModelFacts:
    """What a server says of one model. ``context_tokens`` is the longest context it was trained for, 0 where it says nothing;
    ``parameter_count`` its weights, 0 likewise; ``shape`` is missing where the metadata lacks it."""

    name: str
    context_tokens: int = 0
    parameter_count: int = 0
    parameters: str = ""
    quantization: str = ""
    family: str = ""
    capabilities: tuple[str, ...] = ()
    shape: AttentionShape | None = None


@dataclass(frozen=True)
class Fetched:
    """How far a transfer is: the server's own word for what it does, and bytes by layer (digest, done, all of it)."""

    status: str
    layers: tuple[tuple[str, int, int], ...] = ()

    @property
    def done(self) -> int:
        return sum(done for _, done, _ in self.layers)

    @property
    def total(self) -> int:
        """Bytes of the layers that are known so far: a server tells of each when it comes to it."""
        return sum(total for _, _, total in self.layers)
