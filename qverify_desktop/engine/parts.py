"""What the engine is made of: built by ``composition``, owned by the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from qverify_desktop.analysis.ports import Sandbox
from qverify_desktop.analysis.services import Services
from qverify_desktop.engine.anchoring import Anchoring
from qverify_desktop.engine.inquiries import Inquiries
from qverify_desktop.engine.lock import HomeLock
from qverify_desktop.engine.runner import Analyze, RunRecords
from qverify_desktop.engine.signing_keys import SigningKeys
from qverify_desktop.gateway.ollama_models import OllamaModels
from qverify_desktop.hosted.service import HostedService
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.secrets import ApiKeys
from qverify_desktop.storage.database import Database


class Machine(Protocol):
    """What this machine offers besides analyses: runtimes and the doctor. Needs no state folder."""

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]: ...

    async def doctor(self, fix: bool) -> list[dict[str, Any]]: ...

    async def sweep(self) -> int: ...

    async def close(self) -> None: ...


@dataclass(frozen=True)
class Parts:
    """What ``composition`` builds and hands to the engine. ``dispose`` closes the databases; ``apply`` gives changed
    settings to the rooms; ``in_doubt`` are calls of an earlier process that were open, by end point; ``inquiries`` is through whom
    the rooms ask the person while a run goes on; ``anchoring`` has checkpoints confirmed, ``signing_keys`` changes the log's key,
    ``hosted`` is the hosted service."""

    home: Path
    lock: HomeLock
    services: Services
    records: RunRecords
    machine: Machine
    analyze: Analyze
    dispose: Callable[[], Awaitable[None]]
    database: Database
    keys: ApiKeys
    apply: Callable[[Configuration], None]
    models: OllamaModels
    in_doubt: Mapping[str, int] = field(default_factory=dict)
    inquiries: Inquiries | None = None
    anchoring: Anchoring | None = None
    signing_keys: SigningKeys | None = None
    hosted: HostedService | None = None

    @property
    def sandbox(self) -> Sandbox:
        return self.services.sandbox
