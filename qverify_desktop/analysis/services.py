"""What a run is given: the capability rooms, joined by ``composition``, and the engine's durable checkpoints."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from qverify_desktop.analysis.ports import Artefacts, Gateway, Journal, Repositories, Sandbox
from qverify_desktop.languages.base import Language


@dataclass(frozen=True)
class Services:
    """The rooms an analysis works with. ``workspace`` holds a folder per run and the cache of installed dependencies."""

    repositories: Repositories
    sandbox: Sandbox
    journal: Journal
    artefacts: Artefacts
    gateway: Gateway
    languages: tuple[Language, ...]
    workspace: Path

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
