"""What a window is told of the models that a server keeps. The same rules as in ``views``."""

from __future__ import annotations

from typing import TypedDict


class MachineMemoryView(TypedDict):
    """Bytes of memory in all and free, and of the graphics cards (0: not known, or none)."""

    total: int
    free: int
    gpu_total: int
    gpu_free: int


class StoredModelView(TypedDict):
    """A model on the server's disk. ``context_tokens`` is its own longest context, ``asked_tokens`` what QVerify asks of it at
    most, ``needed_bytes`` the memory for that, ``fit`` gpu, memory, tight, too_large or unknown (also where the server is another
    machine), ``sentence`` says it in words, ``warning`` whether it should be heeded before the model is used."""

    name: str
    api_base: str
    digest: str
    bytes: int
    parameters: str
    quantization: str
    family: str
    capabilities: list[str]
    context_tokens: int
    asked_tokens: int
    needed_bytes: int
    fit: str
    sentence: str
    warning: bool


class StoredModelsView(TypedDict):
    """What a server keeps. ``sentence`` and ``remedy`` say why nothing is listed, empty otherwise."""

    api_base: str
    models: list[StoredModelView]
    machine: MachineMemoryView
    sentence: str
    remedy: str


class LayerView(TypedDict):
    """A file of a model: its digest (or its path), bytes that are there, and all of its bytes."""

    name: str
    done: int
    total: int


class TransferView(TypedDict):
    """A model on its way. ``kind`` is pull or import, ``state`` running, paused, failed or done; ``status`` is the server's word for
    what it does; ``done`` and ``total`` count the bytes of the files known so far. ``sentence`` and ``remedy`` say why it stands still;
    ``held`` that it was stopped because it won't fit, so that going on is a decision."""

    transfer: str
    kind: str
    name: str
    api_base: str
    source: str
    state: str
    status: str
    done: int
    total: int
    layers: list[LayerView]
    sentence: str
    remedy: str
    held: bool


class TransfersView(TypedDict):
    """All transfers, oldest first. ``version`` grows with every change."""

    version: int
    transfers: list[TransferView]


class RecommendedView(TypedDict):
    """A model of the table. ``memory_8k`` and ``memory_32k`` are bytes needed with so much context, ``languages`` what it was measured
    or trained for, ``source`` where the facts come from, ``as_of`` their date; ``fit`` as in ``StoredModelView``."""

    name: str
    parameters: str
    bytes: int
    memory_8k: int
    memory_32k: int
    context_tokens: int
    languages: list[str]
    license: str
    source: str
    as_of: str
    fit: str
    stored: bool


class RecommendationView(TypedDict):
    """The models of the table, largest first; ``name`` is the one for this machine (empty where none fits)."""

    name: str
    sentence: str
    models: list[RecommendedView]
    machine: MachineMemoryView


class ModelView(TypedDict):
    """A model that can be used now. ``place`` is local or remote."""

    name: str
    provider: str
    api_base: str
    place: str
    bytes: int
    sentence: str


class ModelsView(TypedDict):
    """What answers on this machine; ``sentence`` says what is missing when nothing does."""

    models: list[ModelView]
    sentence: str
    remedy: str
