"""What a run is given: the capability rooms, joined by ``composition``, and the engine's durable checkpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from qverify_desktop.analysis.ports import Artefacts, EarlierRuns, Gateway, Journal, Repositories, Sandbox
from qverify_desktop.domain.errors import MissingPrerequisite
from qverify_desktop.domain.execution import Isolation, isolation_of
from qverify_desktop.languages.base import Language


@dataclass(frozen=True)
class Services:
    """The rooms an analysis works with. ``workspace`` holds a folder per run and the cache of installed dependencies.
    ``reduced`` is the sandbox with reduced isolation, for runs that ask for it; without ``earlier`` no run knows of another."""

    repositories: Repositories
    sandbox: Sandbox
    journal: Journal
    artefacts: Artefacts
    gateway: Gateway
    languages: tuple[Language, ...]
    workspace: Path
    reduced: Sandbox | None = None
    earlier: EarlierRuns | None = None

    def under(self, sandbox: str) -> Services:
        """These services with the kind of sandbox that a run asked for. Raises ``MissingPrerequisite``: another kind never
        stands in for it."""
        if isolation_of(sandbox) is Isolation.CONTAINER:
            return self
        if self.reduced is None:
            raise MissingPrerequisite("There are no sandboxes without a container engine here.", "Use Docker.")
        return replace(self, sandbox=self.reduced)

    def language(self, name: str) -> Language:
        return next(language for language in self.languages if language.name == name)


class Checkpoints(Protocol):
    """Durable execution, provided by the engine."""

    async def step(self, name: str, body: Callable[[], Awaitable[str]]) -> str:
        """Run ``body`` at most once per finished checkpoint and answer its result (an artefact's digest); a step that
        was checkpointed before is answered from the checkpoint without running."""


class Direct:
    """Checkpoints without an engine: every step runs. The journal still keeps a recorded step from repeating."""

    async def step(self, name: str, body: Callable[[], Awaitable[str]]) -> str:
        return await body()
