"""Questions about keys of models: which there are and where, setting and removing one, opening the key file.

A key and a passphrase come in and never go out again; neither is in an answer, an error or an event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.settings_views import KeysView
from qverify_desktop.settings.configuration import Configuration

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler


class KeyQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._keys = context.keys
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "keys": self.keys,
            "key_set": self.set,
            "key_remove": self.remove,
            "keys_unlock": self.unlock,
            "keys_check": self.check,
            "keys_passphrase": self.change_passphrase,
        }

    async def keys(self) -> KeysView:
        """Every key that is known, without the key."""
        return await asyncio.to_thread(self._view)

    def _view(self) -> KeysView:
        keys = self._keys
        file = "none" if not keys.has_file() else "locked" if keys.is_locked() else "open"
        return {
            "keys": [
                {"provider": one.provider, "store": one.store.value, "ending": one.ending, "counts": one.counts}
                for one in keys.listed()
            ],
            "stores": [{"store": store.value, "sentence": sentence} for store, sentence in keys.stores().items()],
            "usual": keys.usual().value,
            "file": file,
            "problem": str(keys.problem) if keys.problem is not None and file == "locked" else "",
        }

    async def set(self, provider: str, key: str, store: str = "", passphrase: str = "") -> KeysView:
        """Keep a key. Raises like ``ApiKeys.put``."""
        _texts(provider, key, store, passphrase)
        return await self._changed(lambda: self._keys.put(provider, key, store, passphrase))

    async def remove(self, provider: str, store: str = "") -> KeysView:
        """Forget a key in one store, or wherever it is kept."""
        _texts(provider, store)
        return await self._changed(lambda: self._keys.remove(provider, store))

    async def unlock(self, passphrase: str) -> KeysView:
        """Open the key file for as long as this process lives."""
        _texts(passphrase)
        return await self._changed(lambda: self._keys.unlock(passphrase))

    async def check(self, passphrase: str) -> int:
        """How many keys the passphrase opens; changes nothing."""
        _texts(passphrase)
        return await asyncio.to_thread(self._keys.check, passphrase)

    async def change_passphrase(self, old: str, new: str) -> KeysView:
        """Seal the key file under another passphrase."""
        _texts(old, new)
        return await self._changed(lambda: self._keys.change_passphrase(old, new))

    async def _changed(self, change: Callable[[], object]) -> KeysView:
        """An end point whose key was refused is asked again with the new one."""
        await asyncio.to_thread(change)
        self._context.apply(await asyncio.to_thread(lambda: Configuration.load(home=self._context.home)))
        return await self.keys()


def _texts(*values: object) -> None:
    if not all(isinstance(value, str) and len(value) <= 4096 for value in values):
        raise BadInput("Keys, providers and passphrases are texts.")
