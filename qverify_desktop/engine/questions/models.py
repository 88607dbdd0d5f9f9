"""Questions about the models that an Ollama server keeps, and acts on them: pull, import, delete, recommend."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from qverify_desktop.domain.connections import Purpose
from qverify_desktop.domain.errors import BadInput, ModelFailure, QVerifyError
from qverify_desktop.domain.local_model import ModelFacts, StoredModel
from qverify_desktop.domain.model_views import (
    MachineMemoryView,
    RecommendationView,
    StoredModelsView,
    StoredModelView,
    TransfersView,
    TransferView,
)
from qverify_desktop.gateway.endpoint import is_local, parse_base, split_prefix
from qverify_desktop.gateway.model_fit import Fit, MachineMemory, fit, machine_memory, needed_bytes
from qverify_desktop.gateway.provider import Wire
from qverify_desktop.gateway.recommended import recommend
from qverify_desktop.settings.configuration import Configuration

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

#: Models that are asked for their details at once, and in all.
AT_ONCE = 4
MOST_SHOWN = 200


class ModelQuestions:
    """``api_base`` is a server's address; empty means the one of the settings where that is an Ollama, otherwise this machine's."""

    def __init__(self, context: Context) -> None:
        self._home = context.home
        self._models = context.models
        self._transfers = context.transfers
        #: What was shown before, by address, name and digest: a model under a digest never changes.
        self._known: dict[tuple[str, str, str], ModelFacts] = {}

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "stored_models": self.stored,
            "model_show": self.show,
            "model_pull": self.pull,
            "model_import": self.bring,
            "model_pause": self.pause,
            "model_resume": self.resume,
            "model_forget": self.forget,
            "model_delete": self.delete,
            "model_transfers": self.transfers,
            "model_recommend": self.recommend,
        }

    async def stored(self, api_base: str = "") -> StoredModelsView:
        """All models with size, context, memory and fit."""
        base = await self._server(api_base)
        machine, configuration = await asyncio.gather(asyncio.to_thread(machine_memory), self._configuration())
        try:
            found = await self._models.list(base)
        except QVerifyError as error:
            return _none(base, machine, error.sentence, error.remedy)
        if not found:
            return _none(base, machine, "Ollama answers, but has no model.", "Fetch one, or import one from a file.")
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(model: StoredModel) -> StoredModelView:
            async with gate:
                facts = await self._facts(model, base)
            return _stored(model, facts, base, machine, configuration.model_context_tokens)

        models = await asyncio.gather(*(one(model) for model in found[:MOST_SHOWN]))
        return {"api_base": base, "models": list(models), "machine": _memory(machine), "sentence": "", "remedy": ""}

    async def show(self, name: str, api_base: str = "") -> StoredModelView:
        """One model. Raises ``ModelFailure`` where there is none of the name."""
        base = await self._server(api_base)
        facts = await self._models.show(name, base)
        listed = [one for one in await self._models.list(base) if one.name in (name, f"{name}:latest")]
        machine, configuration = await asyncio.gather(asyncio.to_thread(machine_memory), self._configuration())
        model = listed[0] if listed else StoredModel(name)
        return _stored(model, facts, base, machine, configuration.model_context_tokens)

    async def pull(self, name: str, api_base: str = "", force: bool = False) -> TransferView:
        """Begin to fetch a model, or go on with it; answers at once. ``force``: also one that won't fit."""
        return await self._transfers.pull(name, await self._server(api_base), force is True)

    async def bring(self, path: str, name: str = "", api_base: str = "", force: bool = False) -> list[TransferView]:
        """Begin to import a GGUF file or the models of a saved folder; answers at once."""
        return await self._transfers.bring(Path(path), name, await self._server(api_base), force is True)

    async def pause(self, transfer: str) -> TransferView:
        return await self._transfers.pause(transfer)

    async def resume(self, transfer: str, force: bool = False) -> TransferView:
        return await self._transfers.resume(transfer, force is True)

    async def forget(self, transfer: str) -> None:
        await self._transfers.forget(transfer)

    async def delete(self, name: str, api_base: str = "") -> None:
        """Remove a model from the server's disk."""
        await self._models.delete(name, await self._server(api_base))

    async def transfers(self, after: int = 0) -> TransfersView:
        """All transfers; waits while their version is ``after`` (0: answers at once), some seconds at most."""
        return await self._transfers.watch(after) if after else self._transfers.view()

    async def recommend(self, api_base: str = "") -> RecommendationView:
        """What fits this machine, out of the table that comes with QVerify."""
        machine, base = await asyncio.gather(asyncio.to_thread(machine_memory), self._server(api_base))
        try:
            names = {one.name for one in await self._models.list(base)}
        except QVerifyError:
            names = set()
        return await asyncio.to_thread(recommend, machine, names)

    async def _facts(self, model: StoredModel, base: str) -> ModelFacts | None:
        key = (base, model.name, model.digest)
        if key not in self._known:
            try:
                self._known[key] = await self._models.show(model.name, base)
            except (ModelFailure, BadInput):
                return None
        return self._known[key]

    async def _configuration(self) -> Configuration:
        return await asyncio.to_thread(lambda: Configuration.load(home=self._home))

    async def _server(self, api_base: str) -> str:
        """The address that is meant. A server elsewhere is only asked where the settings or the caller name it as an Ollama."""
        if api_base:
            return parse_base(api_base)
        configuration = await self._configuration()
        own = configuration.api_base
        if not own:
            return ""
        named = split_prefix(configuration.model)[0] is Wire.OLLAMA
        base = parse_base(own)
        return base if named or (is_local(own) and await self._models.answers(base)) else ""


def refuse_pull(home: Path) -> None:
    """Raises ``ModelFailure`` where no model may be fetched: the server on this machine would use the network for us."""
    refusal = Configuration.load(home=home).policy.refusal(Purpose.MODEL_FETCH)
    if refusal is not None:
        raise ModelFailure(refusal.sentence, refusal.remedy)


def warning(base: str, weights: int) -> str:
    """Why weights of this size won't fit on this machine, empty where they do or the server is another. Blocking."""
    if base and not is_local(base):
        return ""
    machine = machine_memory()
    needed = needed_bytes(weights, None, 0)
    if fit(needed, machine) is not Fit.TOO_LARGE:
        return ""
    return (
        f"It needs at least {_gb(needed)} of memory, and this machine has {_gb(machine.total + machine.gpu_total)}."
    )


def _stored(
    model: StoredModel, facts: ModelFacts | None, base: str, machine: MachineMemory, most_context: int
) -> StoredModelView:
    context = facts.context_tokens if facts else 0
    asked = min(context or most_context, most_context)
    needed = needed_bytes(model.bytes, facts.shape if facts else None, asked) if model.bytes else 0
    here = not base or is_local(base)
    fits = fit(needed, machine) if here else Fit.UNKNOWN
    return {
        "name": model.name,
        "api_base": base,
        "digest": model.digest,
        "bytes": model.bytes,
        "parameters": model.parameters or (facts.parameters if facts else ""),
        "quantization": model.quantization or (facts.quantization if facts else ""),
        "family": model.family or (facts.family if facts else ""),
        "capabilities": list(facts.capabilities) if facts else [],
        "context_tokens": context,
        "asked_tokens": asked,
        "needed_bytes": needed,
        "fit": fits.value,
        "sentence": _FITS[fits].format(needed=_gb(needed), tokens=asked, has=_gb(machine.total + machine.gpu_total)),
        "warning": fits is Fit.TOO_LARGE,
    }


_FITS = {
    Fit.GPU: "Needs {needed} with {tokens} tokens of context and fits into the graphics card.",
    Fit.MEMORY: "Needs {needed} with {tokens} tokens of context and fits into memory.",
    Fit.TIGHT: "Needs {needed} with {tokens} tokens of context: other programs have to make room first.",
    Fit.TOO_LARGE: "Needs {needed} with {tokens} tokens of context and won't fit: this machine has {has}.",
    Fit.UNKNOWN: "How much memory its machine has is not known here.",
}


def _gb(count: int) -> str:
    return f"{count / 1e9:.1f} GB"


def _memory(machine: MachineMemory) -> MachineMemoryView:
    return {
        "total": machine.total,
        "free": machine.free,
        "gpu_total": machine.gpu_total,
        "gpu_free": machine.gpu_free,
    }


def _none(base: str, machine: MachineMemory, sentence: str, remedy: str) -> StoredModelsView:
    return {"api_base": base, "models": [], "machine": _memory(machine), "sentence": sentence, "remedy": remedy}
