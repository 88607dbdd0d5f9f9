"""Following what is on its way, models as well as bundles, on a terminal: to its end, or until Ctrl+C."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine


@dataclass(frozen=True)
class Listing:
    """A question that answers with a list and its version, as soon as there is another one than ``after``: its name, the field of the
    answer that holds the list, and the field of an entry that names it."""

    question: str
    field: str
    name: str


async def watched(
    engine: AnyEngine, listing: Listing, wanted: Collection[str], tell: Callable[[dict[str, Any]], None]
) -> list[dict[str, Any]] | None:
    """The wanted entries as they ended; ``None`` where a person stopped watching. ``tell`` is called with each as it stands."""
    loop, stop, version = asyncio.get_running_loop(), asyncio.Event(), 0
    loop.add_signal_handler(signal.SIGINT, stop.set)
    try:
        while True:
            asking = asyncio.ensure_future(engine.ask(listing.question, after=version))
            stopping = asyncio.ensure_future(stop.wait())
            await asyncio.wait({asking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if stop.is_set():
                asking.cancel()
                await asyncio.gather(asking, return_exceptions=True)
                return None
            view = await asking
            version = view["version"]
            found = [one for one in view[listing.field] if one[listing.name] in wanted]
            for one in found:
                tell(one)
            if all(one["state"] != "running" for one in found):
                return found
    finally:
        loop.remove_signal_handler(signal.SIGINT)
