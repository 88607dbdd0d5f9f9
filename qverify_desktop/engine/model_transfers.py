"""Models on their way to a server: pulled or imported, paused, gone on with, remembered over a restart (``transfers``).

What a pull has fetched lies with the server; here only what was asked for is remembered (``model-transfers.json``), so that it can
be gone on with after a restart.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.local_model import Fetched
from qverify_desktop.domain.model_views import LayerView, TransfersView, TransferView
from qverify_desktop.engine.transfers import DONE, FAILED, PAUSED, RUNNING, Moving, Said, Transfers
from qverify_desktop.gateway.saved_models import SavedModel, checked_name, read_folder, read_gguf

FILE = "model-transfers.json"
PULL, IMPORT = "pull", "import"
#: Layers of one transfer that are told of.
MOST_LAYERS = 50


class Models(Protocol):
    """What is asked of ``gateway.ollama_models.OllamaModels``."""

    async def pull(self, name: str, told: Callable[[Fetched], None], base: str = "") -> None: ...

    async def bring(self, model: SavedModel, told: Callable[[Fetched], None], base: str = "") -> None: ...


@dataclass
class Transfer(Moving):
    """One model on its way; what is written down has no leading underscore."""

    kind: str
    name: str
    api_base: str = ""
    source: str = ""
    held: bool = False
    forced: bool = False
    _fetched: Fetched = field(default=Fetched(""))

    @property
    def id(self) -> str:
        told = json.dumps([self.kind, self.name, self.api_base, self.source])
        return hashlib.sha256(told.encode()).hexdigest()[:12]


class ModelTransfers(Transfers[Transfer]):
    """``warn`` answers why so many bytes of weights won't fit on this machine, or nothing (blocking); ``refuse_pull`` raises where
    the network must not be used (blocking)."""

    ended = ("QVerify ended while it went on. What was fetched is kept.", "Go on with it.")
    too_many = ("Too many models are on their way.", "Take some off the list first.")
    unknown = ("This model is not on its way.", "Look at the list again.")

    def __init__(
        self,
        home: Path,
        models: Models,
        warn: Callable[[str, int], str],
        refuse_pull: Callable[[], None],
    ) -> None:
        super().__init__(home / FILE, _checked)
        self._models = models
        self._warn = warn
        self._refuse_pull = refuse_pull
        self._importing = asyncio.Lock()

    def view(self) -> TransfersView:
        return {"version": self._version, "transfers": [_view(one) for one in self._transfers.values()]}

    async def watch(self, after: int) -> TransfersView:
        """All transfers, as soon as their version is another than ``after``; at the latest after some seconds."""
        await self.watch_version(after)
        return self.view()

    def running(self) -> list[str]:
        """Names of the models that are on their way."""
        return [one.name for one in self._transfers.values() if one.state == RUNNING]

    async def pull(self, name: str, base: str, forced: bool) -> TransferView:
        """Have the server fetch a model, or go on with it. Raises ``BadInput`` or ``ModelFailure``."""
        await asyncio.to_thread(self._refuse_pull)
        return await self._added(Transfer(PULL, checked_name(name), base, forced=forced))

    async def bring(self, path: Path, name: str, base: str, forced: bool) -> list[TransferView]:
        """Import a GGUF file, or the models (or the one called ``name``) of a saved folder. Raises ``BadInput``."""
        found = await asyncio.to_thread(_read, path, name)
        made = [Transfer(IMPORT, one.name, base, str(path), total=one.bytes, forced=forced) for one in found]
        return [await self._added(one) for one in made]

    async def pause(self, transfer: str) -> TransferView:
        """Let go of the connection. What was fetched stays with the server."""
        one = self._find(transfer)
        await self._pause(one)
        return _view(one)

    async def resume(self, transfer: str, forced: bool) -> TransferView:
        """Go on, also with what was held because it won't fit. Raises ``BadInput`` or ``ModelFailure``."""
        one = self._find(transfer)
        if one.kind == PULL:
            await asyncio.to_thread(self._refuse_pull)
        one.forced = one.forced or forced
        if one.state != RUNNING:
            self._run(one)
        return _view(one)

    def close_network(self) -> None:
        """Pause whatever uses the network: the air gap was switched on."""
        for one in tuple(self._transfers.values()):
            if one.kind == PULL and one.state == RUNNING:
                self._do_aside(self._stop(one, *_AIR_GAP))

    # What goes on

    async def _added(self, made: Transfer) -> TransferView:
        standing = self._transfers.get(made.id)
        if standing is not None and standing.state != RUNNING:
            standing.forced = standing.forced or made.forced
        return _view(await self._begin(made))

    def _begun(self, one: Transfer) -> None:
        one.held = False
        one._fetched = Fetched("")

    def _paused(self, one: Transfer) -> Said:
        return _PAUSED[one.kind]

    def _kept(self, one: Transfer) -> dict[str, Any] | None:
        names = ("kind", "name", "api_base", "source", "state", "sentence", "remedy", "done", "total", "held")
        return {name: getattr(one, name) for name in names} if one.state != DONE else None

    async def _carry(self, one: Transfer) -> bool:
        if one.kind == PULL:
            # Of one that goes on the size is known, and is no news any more.
            if one.total and await self._hold(one, one.total):
                return False
            await self._models.pull(one.name, self._teller(one), one.api_base)
        else:
            # One after the other: they share a disk, and often files.
            async with self._importing:
                (model,) = await asyncio.to_thread(_read, Path(one.source), one.name)
                if await self._hold(one, model.bytes):
                    return False
                await self._models.bring(model, self._teller(one), one.api_base)
        one.held = False
        one.done = one.total = max(one.done, one.total, one._fetched.total)
        return True

    def _teller(self, one: Transfer) -> Callable[[Fetched], None]:
        """Takes progress in another thread and lets it through ten times a second."""

        def tell(fetched: Fetched) -> None:
            one._fetched = fetched
            self._tell_soon(one, self._tell)

        return tell

    def _tell(self, one: Transfer) -> None:
        if one.state != RUNNING:
            return
        before = one.total
        one.done, one.total = one._fetched.done, max(one._fetched.total, one.total if one.kind == IMPORT else 0)
        if one.kind == PULL and one.total != before:
            self._do_aside(self._look_at_size(one))
        self._changed()

    async def _look_at_size(self, one: Transfer) -> None:
        """A server tells how large a model is only once it fetches it: what won't fit is held then."""
        task = one._task
        if await self._hold(one, one.total) and task is not None and not task.done():
            task.cancel()
        await self._save()

    async def _hold(self, one: Transfer, weights: int) -> bool:
        """Whether it was stopped, because it won't fit and nobody said that it may go on all the same."""
        warning = "" if one.forced else await asyncio.to_thread(self._warn, one.api_base, weights)
        if not warning or one.state != RUNNING or one.forced:
            return False
        one.state, one.held, one.sentence = PAUSED, True, f"{warning} It was stopped before more of it came."
        one.remedy = "Go on with it all the same, or take a smaller model."
        self._changed()
        return True


_PAUSED = {
    PULL: ("Paused. What was fetched is kept.", "Go on with it whenever you like."),
    IMPORT: ("Paused. Files that were handed over whole are kept.", "Go on with it; the file in hand begins anew."),
}
_AIR_GAP = ("The air gap was switched on, so fetching stopped. What was fetched is kept.", "Switch it off to go on.")


def _read(path: Path, name: str) -> list[SavedModel]:
    """The model of a file, or those of a folder. Raises ``BadInput``."""
    if not path.is_absolute():
        raise BadInput("What is imported needs an absolute path.")
    if not path.is_dir():
        return [read_gguf(path, name)]
    found = read_folder(path)
    chosen = [one for one in found if not name or one.name in (name, f"{name}:latest")]
    if not chosen:
        raise BadInput(
            f"The folder holds no model {name!r}.", f"It holds: {', '.join(one.name for one in found[:20])}."
        )
    return chosen


def _view(one: Transfer) -> TransferView:
    layers: list[LayerView] = [
        {"name": name, "done": done, "total": total} for name, done, total in one._fetched.layers[:MOST_LAYERS]
    ]
    return {
        "transfer": one.id,
        "kind": one.kind,
        "name": one.name,
        "api_base": one.api_base,
        "source": one.source,
        "state": one.state,
        "status": one._fetched.status if one.state == RUNNING else "",
        "done": one.done,
        "total": one.total,
        "layers": layers,
        "sentence": one.sentence,
        "remedy": one.remedy,
        "held": one.held,
    }


def _checked(entry: Mapping[str, Any]) -> Transfer:
    def text(name: str) -> str:
        return str(entry[name])[:4096]

    one = Transfer(text("kind"), text("name"), text("api_base"), text("source"), state=text("state"))
    one.sentence, one.remedy, one.held = text("sentence"), text("remedy"), entry["held"] is True
    one.done, one.total = max(0, int(entry["done"])), max(0, int(entry["total"]))
    checked_name(one.name)
    if one.kind not in (PULL, IMPORT) or one.state not in (RUNNING, PAUSED, FAILED):
        raise ValueError(one.kind)
    return one
