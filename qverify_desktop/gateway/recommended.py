"""The model for the machine at hand, out of a small table of facts (``resources/models.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.local_model import AttentionShape
from qverify_desktop.domain.locations import resources_root
from qverify_desktop.domain.model_views import RecommendationView, RecommendedView
from qverify_desktop.gateway.model_fit import Fit, MachineMemory, fit, needed_bytes

TABLE = "models.toml"
#: Without a graphics card a model reads all parameters that a token takes from memory for each token: at some 40 GB a
#: second and half a byte a parameter, 8 milliards give about ten tokens a second, below which nobody waits.
MOST_ACTIVE_WITHOUT_GPU = 8_000_000_000
SHORT, LONG = 8_192, 32_768
#: Any other is told with the recommendation.
COMMON_LICENSE = "Apache 2.0"


@dataclass(frozen=True)
class Known:
    """A model of the table."""

    name: str
    parameters: str
    active: int
    bytes: int
    shape: AttentionShape
    context: int
    languages: tuple[str, ...]
    license: str
    source: str

    def needed(self, context: int) -> int:
        return needed_bytes(self.bytes, self.shape, context)


def table() -> tuple[str, list[Known], list[dict[str, Any]]]:
    """The date of the facts, the models (best first), and the entries as they stand in the file. Blocking."""
    document = tomllib.loads((resources_root() / "resources" / TABLE).read_text("utf-8"))
    entries: list[dict[str, Any]] = document["models"]
    return str(document["date"]), [_known(one) for one in entries], entries


def recommend(machine: MachineMemory, stored: Collection[str]) -> RecommendationView:
    """The best of the table that fits: into the graphics card, or else into memory and is fast enough without one. Blocking."""
    date, models, _ = table()
    chosen = next((one for one in models if fit(one.needed(SHORT), machine) is Fit.GPU), None)
    chosen = chosen or next(
        (
            one
            for one in models
            if fit(one.needed(SHORT), machine) is Fit.MEMORY and one.active <= MOST_ACTIVE_WITHOUT_GPU
        ),
        None,
    )
    return {
        "name": chosen.name if chosen else "",
        "sentence": _sentence(chosen, machine),
        "models": [_view(one, date, machine, one.name in stored) for one in models],
        "machine": {
            "total": machine.total,
            "free": machine.free,
            "gpu_total": machine.gpu_total,
            "gpu_free": machine.gpu_free,
        },
    }


def _sentence(chosen: Known | None, machine: MachineMemory) -> str:
    has = f"{machine.total / 1e9:.0f} GB of memory, {machine.free / 1e9:.0f} GB of it free"
    has += f", and {machine.gpu_total / 1e9:.0f} GB on graphics cards" if machine.gpu_total else ", no graphics card"
    if chosen is None:
        return f"None of the known models fits this machine ({has}). Analyses work without a model."
    need = f"It needs {chosen.needed(SHORT) / 1e9:.1f} GB with {SHORT:,} tokens of context; there are {has}."
    licence = "" if chosen.license == COMMON_LICENSE else f" Its licence: {chosen.license}."
    return f"Recommended for this machine: {chosen.name}. {need}{licence}"


def _known(entry: dict[str, Any]) -> Known:
    head = int(entry["head"])
    return Known(
        str(entry["name"]),
        str(entry["parameters"]),
        int(entry["active"]),
        int(entry["bytes"]),
        AttentionShape(int(entry["layers"]), float(entry["kv_heads"]), head, head),
        int(entry["context"]),
        tuple(str(one) for one in entry["languages"]),
        str(entry["license"]),
        str(entry["source"]),
    )


def _view(one: Known, date: str, machine: MachineMemory, stored: bool) -> RecommendedView:
    return {
        "name": one.name,
        "parameters": one.parameters,
        "bytes": one.bytes,
        "memory_8k": one.needed(SHORT),
        "memory_32k": one.needed(LONG),
        "context_tokens": one.context,
        "languages": list(one.languages),
        "license": one.license,
        "source": one.source,
        "as_of": date,
        "fit": fit(one.needed(SHORT), machine).value,
        "stored": stored,
    }
