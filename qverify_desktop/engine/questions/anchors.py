"""Questions about who else confirmed a checkpoint, and about the key that signs the log."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.log_views import AnchorsView, AnchorView, SigningKeysView
from qverify_desktop.engine.anchoring import Anchoring
from qverify_desktop.engine.signing_keys import SigningKeys
from qverify_desktop.storage.anchors import TIME_STAMP
from qverify_desktop.storage.schema import AnchorRow

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler


class AnchorQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "evidence_anchors": self.anchors,
            "evidence_anchor": self.anchor,
            "signing_key": self.key,
            "signing_key_rotate": self.rotate,
            "signing_key_revoke": self.revoke,
        }

    async def anchors(self, run: str) -> AnchorsView:
        run = await self._context.find(run)
        return await asyncio.to_thread(self._anchors, run)

    async def anchor(self, run: str) -> AnchorsView:
        """Ask for what is not held, also of services that were set after the run; what was refused is asked again. Raises
        ``BadInput`` where nobody is set to ask."""
        run = await self._context.find(run)
        return await asyncio.to_thread(self._anchor, run)

    def _anchors(self, run: str) -> AnchorsView:
        anchoring, keys = self._parts()
        size = keys.journal.closing(run)
        rows = anchoring.store.of(size) if size else []
        return {"size": size, "asked": bool(anchoring.wanted()), "anchors": [_view(row) for row in rows]}

    def _anchor(self, run: str) -> AnchorsView:
        anchoring, keys = self._parts()
        if not anchoring.wanted():
            raise BadInput(
                "Nobody is set to confirm checkpoints.",
                "Name a time-stamp authority or a witness in the settings (time_stamp_authority, witnesses).",
            )
        keys.journal.anchor(run)
        anchoring.ask_again()
        return self._anchors(run)

    async def key(self) -> SigningKeysView:
        return await asyncio.to_thread(self._parts()[1].show)

    async def rotate(self, reason: str = "") -> SigningKeysView:
        return await asyncio.to_thread(self._parts()[1].rotate, _text("reason", reason))

    async def revoke(self, key: str = "", reason: str = "") -> SigningKeysView:
        return await asyncio.to_thread(self._parts()[1].revoke, _text("key", key), _text("reason", reason))

    def _parts(self) -> tuple[Anchoring, SigningKeys]:
        if self._context.anchoring is None or self._context.signing_keys is None:
            raise BadInput("This engine keeps no evidence of its own.")
        return self._context.anchoring, self._context.signing_keys


def _view(row: AnchorRow) -> AnchorView:
    by = row.by or row.name.partition("+")[0]
    return {
        "kind": "time_stamp" if row.kind == TIME_STAMP else "witness",
        "by": by,
        "state": row.state,
        "at": row.made_at,
        "sentence": row.sentence,
    }


def _text(name: str, value: object) -> str:
    """A text as it may come over the socket. Raises ``BadInput``."""
    if not isinstance(value, str):
        raise BadInput(f"The parameter {name} must be a text.")
    return value
