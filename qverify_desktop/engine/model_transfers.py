"""Models on their way to a server: pulled or imported, paused, gone on with, remembered over a restart.

They belong to the process that owns the state folder; others watch through ``watch``. What a pull has fetched lies with the server;
here only what was asked for is remembered (``model-transfers.json``), so that it can be gone on with after a restart.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.local_model import Fetched
from qverify_desktop.domain.model_views import LayerView, TransfersView, TransferView
from qverify_desktop.gateway.saved_models import SavedModel, checked_name, read_folder, read_gguf

FILE = "model-transfers.json"
RUNNING, PAUSED, FAILED, DONE = "running", "paused", "failed", "done"
PULL, IMPORT = "pull", "import"
#: Seconds between two tellings of progress, and of a watcher's patience.
TELL_SECONDS = 0.1
WATCH_SECONDS = 20.0
MOST_FILE_BYTES = 1024 * 1024
MOST_TRANSFERS = 100
#: Layers of one transfer that are told of.
MOST_LAYERS = 50


class Models(Protocol):
    """What is asked of ``gateway.ollama_models.OllamaModels``."""

    async def pull(self, name: str, told: Callable[[Fetched], None], base: str = "") -> None: ...

    async def bring(self, model: SavedModel, told: Callable[[Fetched], None], base: str = "") -> None: ...


@dataclass
class Transfer:
    """One model on its way; what is written down has no leading underscore."""

    kind: str
    name: str
    api_base: str = ""
    source: str = ""
    state: str = RUNNING
    sentence: str = ""
    remedy: str = ""
    done: int = 0
    total: int = 0
    held: bool = False
    forced: bool = False
    _fetched: Fetched = field(default=Fetched(""))
    _telling: bool = False
    _task: asyncio.Task[None] | None = None

    @property
    def id(self) -> str:
        told = json.dumps([self.kind, self.name, self.api_base, self.source])
        return hashlib.sha256(told.encode()).hexdigest()[:12]


class ModelTransfers:
    """Made inside the running loop and used in it only. ``warn`` answers why so many bytes of weights won't fit on this machine,
    or nothing (blocking); ``refuse_pull`` raises where the network must not be used (blocking)."""

    def __init__(
        self,
        home: Path,
        models: Models,
        warn: Callable[[str, int], str],
        refuse_pull: Callable[[], None],
    ) -> None:
        self._file = home / FILE
        self._models = models
        self._warn = warn
        self._refuse_pull = refuse_pull
        self._loop = asyncio.get_running_loop()
        self._transfers: dict[str, Transfer] = {one.id: one for one in _load(self._file)}
        self._version = 1
        self._news = asyncio.Event()
        self._closing = False
        self._importing = asyncio.Lock()
        self._stopping: set[asyncio.Task[None]] = set()

    def view(self) -> TransfersView:
        return {"version": self._version, "transfers": [_view(one) for one in self._transfers.values()]}

    async def watch(self, after: int) -> TransfersView:
        """All transfers, as soon as their version is another than ``after``; at the latest after some seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WATCH_SECONDS):
                while self._version == after and not self._closing:
                    await self._news.wait()
        return self.view()

    def running(self) -> list[str]:
        """Names of the models that are on their way."""
        return [one.name for one in self._transfers.values() if one.state == RUNNING]

    async def pull(self, name: str, base: str, forced: bool) -> TransferView:
        """Have the server fetch a model, or go on with it. Raises ``BadInput`` or ``ModelFailure``."""
        await asyncio.to_thread(self._refuse_pull)
        return await self._begin(Transfer(PULL, checked_name(name), base, forced=forced))

    async def bring(self, path: Path, name: str, base: str, forced: bool) -> list[TransferView]:
        """Import a GGUF file, or the models (or the one called ``name``) of a saved folder. Raises ``BadInput``."""
        found = await asyncio.to_thread(_read, path, name)
        made = [Transfer(IMPORT, one.name, base, str(path), total=one.bytes, forced=forced) for one in found]
        return [await self._begin(one) for one in made]

    async def pause(self, transfer: str) -> TransferView:
        """Let go of the connection. What was fetched stays with the server."""
        one = self._find(transfer)
        if one.state == RUNNING:
            await self._stop(one, *_PAUSED[one.kind])
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

    async def forget(self, transfer: str) -> None:
        """Take it off the list. What the server has of it stays there until the server clears it up."""
        one = self._find(transfer)
        await self._stop(one)
        self._transfers.pop(one.id, None)
        await self._save()

    def close_network(self) -> None:
        """Pause whatever uses the network: the air gap was switched on."""
        for one in tuple(self._transfers.values()):
            if one.kind == PULL and one.state == RUNNING:
                stopping = self._loop.create_task(self._stop(one, *_AIR_GAP))
                self._stopping.add(stopping)
                stopping.add_done_callback(self._stopping.discard)

    async def close(self) -> None:
        """Pause everything, so that the next start can go on with it."""
        self._closing = True
        self._changed()
        for one in tuple(self._transfers.values()):
            if one.state == RUNNING:
                await self._stop(one, *_ENDED)

    # What goes on

    async def _begin(self, made: Transfer) -> TransferView:
        one = self._transfers.get(made.id)
        if one is None:
            if len(self._transfers) >= MOST_TRANSFERS:
                self._drop_done()
            if len(self._transfers) >= MOST_TRANSFERS:
                raise BadInput("Too many models are on their way.", "Take some off the list first.")
            one = self._transfers[made.id] = made
        elif one.state == RUNNING:
            return _view(one)
        one.forced = one.forced or made.forced
        self._run(one)
        await self._save()
        return _view(one)

    def _drop_done(self) -> None:
        self._transfers = {key: one for key, one in self._transfers.items() if one.state != DONE}

    def _run(self, one: Transfer) -> None:
        if self._closing:
            raise QVerifyError("QVerify is closing.", "Start it again, then try again.")
        one.state, one.sentence, one.remedy, one.held = RUNNING, "", "", False
        one._fetched = Fetched("")
        one._task = self._loop.create_task(self._work(one), name=f"model {one.name}")
        self._changed()

    async def _work(self, one: Transfer) -> None:
        try:
            if one.kind == PULL:
                await self._models.pull(one.name, self._teller(one), one.api_base)
            else:
                # One after the other: they share a disk, and often files.
                async with self._importing:
                    (model,) = await asyncio.to_thread(_read, Path(one.source), one.name)
                    if await self._hold(one, model.bytes):
                        return
                    await self._models.bring(model, self._teller(one), one.api_base)
        except QVerifyError as error:
            one.state, one.sentence, one.remedy = FAILED, error.sentence, error.remedy
        except Exception as error:  # noqa: BLE001 - a transfer that dies silently would stand as running for ever
            one.state, one.sentence, one.remedy = FAILED, f"It failed ({type(error).__name__}).", "Try again."
        else:
            one.state, one.held, one.sentence, one.remedy = DONE, False, "", ""
            one.done = one.total = max(one.done, one.total, one._fetched.total)
        finally:
            self._changed()
            await self._save()

    def _teller(self, one: Transfer) -> Callable[[Fetched], None]:
        """Takes progress in another thread and lets it through ten times a second."""

        def tell(fetched: Fetched) -> None:
            one._fetched = fetched
            if not one._telling and not self._loop.is_closed():
                one._telling = True
                with contextlib.suppress(RuntimeError):
                    self._loop.call_soon_threadsafe(self._loop.call_later, TELL_SECONDS, self._tell, one)

        return tell

    def _tell(self, one: Transfer) -> None:
        one._telling = False
        if one.state != RUNNING:
            return
        before = one.total
        one.done, one.total = one._fetched.done, max(one._fetched.total, one.total if one.kind == IMPORT else 0)
        if one.kind == PULL and one.total != before:
            looking = self._loop.create_task(self._look_at_size(one))
            self._stopping.add(looking)
            looking.add_done_callback(self._stopping.discard)
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

    async def _stop(self, one: Transfer, sentence: str = "", remedy: str = "") -> None:
        task, one._task = one._task, None
        if one.state == RUNNING:
            one.state, one.sentence, one.remedy = PAUSED, sentence, remedy
        if task is not None and not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self._save()
        self._changed()

    def _find(self, transfer: str) -> Transfer:
        one = self._transfers.get(transfer)
        if one is None:
            raise BadInput("This model is not on its way.", "Look at the list again.")
        return one

    def _changed(self) -> None:
        self._version += 1
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def _save(self) -> None:
        kept = [_kept(one) for one in self._transfers.values() if one.state != DONE]
        # A disk that is full must not end a transfer; it is only not remembered.
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_write, self._file, kept)


_PAUSED = {
    PULL: ("Paused. What was fetched is kept.", "Go on with it whenever you like."),
    IMPORT: ("Paused. Files that were handed over whole are kept.", "Go on with it; the file in hand begins anew."),
}
_AIR_GAP = ("The air gap was switched on, so fetching stopped. What was fetched is kept.", "Switch it off to go on.")
_ENDED = ("QVerify ended while it went on. What was fetched is kept.", "Go on with it.")


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


def _kept(one: Transfer) -> dict[str, Any]:
    names = ("kind", "name", "api_base", "source", "state", "sentence", "remedy", "done", "total", "held")
    return {name: getattr(one, name) for name in names}


def _load(file: Path) -> list[Transfer]:
    """What was on its way when QVerify ended; a file that can't be read counts as none."""
    try:
        with file.open("rb") as source:
            entries = json.loads(source.read(MOST_FILE_BYTES))
        found = [_checked(entry) for entry in entries[:MOST_TRANSFERS]]
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError, BadInput):
        return []
    return found


def _checked(entry: dict[str, Any]) -> Transfer:
    def text(name: str) -> str:
        return str(entry[name])[:4096]

    one = Transfer(text("kind"), text("name"), text("api_base"), text("source"), text("state"))
    one.sentence, one.remedy, one.held = text("sentence"), text("remedy"), entry["held"] is True
    one.done, one.total = max(0, int(entry["done"])), max(0, int(entry["total"]))
    checked_name(one.name)
    if one.kind not in (PULL, IMPORT) or one.state not in (RUNNING, PAUSED, FAILED):
        raise ValueError(one.kind)
    if one.state == RUNNING:
        one.state, (one.sentence, one.remedy) = PAUSED, _ENDED
    return one


def _write(file: Path, entries: list[dict[str, Any]]) -> None:
    """All or nothing."""
    if not entries:
        file.unlink(missing_ok=True)
        return
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{FILE}-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as target:
            json.dump(entries, target, indent=1)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
