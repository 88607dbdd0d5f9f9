"""The one face of the engine: what windows and commands may ask of it.

``facade.Engine`` implements it in the process that owns the state folder; ``remote.RemoteEngine`` implements the same over
the control socket. Every answer is JSON-ready or a domain value. Every error is a ``QVerifyError``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from qverify_desktop.domain.progress import RunEvent, RunSummary
from qverify_desktop.domain.results import AnalysisRequest


class EngineApi(Protocol):
    """Actions and queries of the application."""

    async def start(self, request: AnalysisRequest) -> str:
        """Queue an analysis; answers the run's id at once. Raises ``BadInput`` for a source that can't be analysed."""

    def watch(self, run: str, attend: bool = False) -> AsyncIterator[RunEvent]:
        """Events of a run from its first (replayed) to its last; ends when the run ended. With ``attend`` the run may ask the
        person while this is read: the reader shows what is open and answers it (``inquiries``, ``inquiry_answer``)."""

    async def cancel(self, run: str) -> None:
        """Stop a run; what was finished stays recorded."""

    async def resume(self, run: str) -> None:
        """Go on with an interrupted or cancelled run from its last finished step."""

    async def runs(self) -> list[RunSummary]:
        """All runs, newest first."""

    async def show(self, run: str) -> dict[str, Any]:
        """A run as the JSON document of ``analyze --json`` (``docs/analyze.schema.json``). ``run`` may be a unique prefix."""

    async def export(self, run: str, format: str, path: Path) -> Path:
        """Write a report: html, junit, sarif, markdown, csv, patch, or evidence (the bundle)."""

    async def verify(
        self,
        bundle: Path,
        *,
        public_key: str = "",
        known_checkpoint: Path | None = None,
        tsa_certificates: Sequence[Path] = (),
        witnesses: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Grade a bundle (``docs/verify.schema.json``). Raises ``EvidenceUnreadable``."""

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        """``list``, ``build`` or ``check`` sandbox runtimes."""

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        """Checks of this machine: ``id``, ``title``, ``state`` (ok, warning, blocking), ``sentence``, ``remedy``, ``fixable``."""

    async def ask(self, question: str, /, **params: Any) -> Any:
        """Answer a question of the catalogue in engine/questions (JSON-ready). Raises BadInput for an unknown question or bad parameters."""

    def changes(self) -> AsyncIterator[str]:
        """Names of runs whose listing changed, from now on; an empty name for the list of repositories. It begins with an
        empty one as soon as it listens: whoever reads a list after it misses nothing. Waiting names are coalesced. Whoever reads
        it is a window, in which the person is asked what any run wants to know."""

    async def hand_over(self, sources: Sequence[str]) -> bool:
        """Have the window of the owning process open these; false when it has no window."""

    async def close(self) -> None:
        """Interrupt running analyses (they resume next time), kill their containers, close the databases."""
