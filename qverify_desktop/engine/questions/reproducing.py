"""Questions about executing somebody else's bundle again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.reproduction import ReproductionRequest, ReproductionView

if TYPE_CHECKING:
    from qverify_desktop.engine.questions.catalogue import Context, Handler

_MOST_TEXT = 4096


class ReproductionQuestions:
    """Blocking work goes to threads."""

    def __init__(self, context: Context) -> None:
        self._reproductions = context.reproductions

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "reproduce": self.start,
            "reproduction": self.watch,
            "reproduction_stop": self.stop,
        }

    async def start(
        self,
        bundle: str,
        source: str = "",
        public_key: str = "",
        known_checkpoint: str = "",
        other_image: bool = False,
        allow_install: bool = False,
        packages: str = "",
        sandbox: str = "",
    ) -> ReproductionView:
        """Begin; the answer's ``id`` is asked for with ``reproduction``. Raises ``BadInput``."""
        texts = (bundle, source, public_key, known_checkpoint, packages, sandbox)
        if not all(isinstance(text, str) and len(text) <= _MOST_TEXT and "\0" not in text for text in texts):
            raise BadInput("A parameter is no text, or too long.")
        if sandbox not in ("", "docker", "bubblewrap"):
            raise BadInput("There is no such sandbox.", "Choose docker or bubblewrap.")
        return await self._reproductions.start(
            ReproductionRequest(
                bundle,
                source,
                public_key,
                known_checkpoint,
                other_image is True,
                allow_install is True,
                packages,
                sandbox,
            )
        )

    async def watch(self, id: str, after: int = -1) -> ReproductionView:
        """Where it is; waits while its version is ``after``, some seconds at most."""
        return await self._reproductions.watch(id, after)

    async def stop(self, id: str) -> ReproductionView:
        return await self._reproductions.stop(id)
