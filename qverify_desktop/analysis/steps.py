"""A run as a sequence of recorded steps: typed results in the artefact store, events in the evidence, costs added up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, with_config

from qverify_desktop.analysis.ports import Evidence, Reporter
from qverify_desktop.analysis.services import Checkpoints, Services
from qverify_desktop.domain.execution import Execution, Job, JobResult, RuntimeImage
from qverify_desktop.domain.results import AnalysisRequest

T = TypeVar("T")


@dataclass(frozen=True)
class Spent:
    """What a step took. Milliseconds and millionths of a US dollar."""

    elapsed_ms: int = 0
    sandbox_ms: int = 0
    model_ms: int = 0
    cost_microusd: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(
            self.elapsed_ms + other.elapsed_ms,
            self.sandbox_ms + other.sandbox_ms,
            self.model_ms + other.model_ms,
            self.cost_microusd + other.cost_microusd,
        )


@with_config(ConfigDict(ser_json_bytes="base64", val_json_bytes="base64"))
@dataclass(frozen=True)
class Recorded:
    """The stored form of a step: its value as JSON text and what it took."""

    value: str
    spent: Spent


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def _adapter(kind: type[T]) -> TypeAdapter[T]:
    """Adapters are costly to build, so each is built once."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


@dataclass
class StepContext:
    """Handed to a step's body: runs jobs and collects what the evidence will say."""

    run: str
    services: Services
    image: RuntimeImage | None
    source: Path
    dependencies: Path | None
    events: list[Evidence] = field(default_factory=list)
    sandbox_ms: int = 0
    model_ms: int = 0
    cost_microusd: int = 0

    def record(self, type: str, data: Mapping[str, Any], blobs: Mapping[str, bytes] | None = None) -> None:
        """Add an event to the evidence of this step (written when the step ends, in one transaction with its result)."""
        self.events.append(Evidence(type, data, blobs or {}))

    async def execute(self, job: Job, *, dependencies: Path | None = None, source: Path | None = None) -> JobResult:
        """Run a job in a fresh container and record the execution; ``dependencies`` and ``source`` instead of the run's own."""
        if self.image is None:
            raise ValueError("A job needs an image; prepare it first.")
        result = await self.services.sandbox.run(
            job, self.image, source or self.source, run=self.run, dependencies=dependencies or self.dependencies
        )
        self.note_execution(result.execution, result.output, result.problem)
        return result

    def note_execution(self, execution: Execution, output: str = "", problem: str = "") -> None:
        """Record a container that ran."""
        self.sandbox_ms += execution.duration_ms
        self.record(
            "execution",
            {
                "purpose": execution.purpose,
                "container": execution.container,
                "image": execution.image,
                "image_digest": execution.image_digest,
                "argv": [_printable(a) for a in execution.argv],
                "exit_code": execution.exit_code,
                "duration_ms": execution.duration_ms,
                "timed_out": execution.timed_out,
                "oom_killed": execution.oom_killed,
                "output_truncated": execution.output_truncated,
                "network": execution.network,
                "problem": problem,
            },
            {"output": output.encode("utf-8", "replace")} if output else {},
        )


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:500]


@dataclass
class Steps:
    """The steps of one run, in order. ``spent`` is the sum over all steps, also those answered from a checkpoint."""

    run: str
    request: AnalysisRequest
    services: Services
    checkpoints: Checkpoints
    reporter: Reporter
    spent: Spent = Spent()
    image: RuntimeImage | None = None
    dependencies: Path | None = None

    @property
    def folder(self) -> Path:
        return self.services.workspace / self.run

    @property
    def source(self) -> Path:
        return self.folder / "tree"

    async def step(self, name: str, kind: type[T], body: Callable[[StepContext], Awaitable[T]]) -> T:
        """Run ``body`` as the durable step ``name`` and answer its value; ``kind`` is the value's type (for JSON)."""

        async def recorded() -> str:
            known = await asyncio.to_thread(self.services.journal.recorded, self.run, name)
            if known is not None:
                return known
            context = StepContext(self.run, self.services, self.image, self.source, self.dependencies)
            began = time.monotonic()
            value = await body(context)
            spent = Spent(
                round((time.monotonic() - began) * 1000), context.sandbox_ms, context.model_ms, context.cost_microusd
            )
            digest = await asyncio.to_thread(self._store, kind, value, spent)
            return await asyncio.to_thread(self.services.journal.record, self.run, name, digest, context.events)

        digest = await self.checkpoints.step(name, recorded)
        value, spent = await asyncio.to_thread(self._load, kind, digest)
        self.spent += spent
        return value

    def _store(self, kind: type[T], value: T, spent: Spent) -> str:
        """Values may be large: they are written and read in a thread, so that the loop of a window stays free."""
        text = _adapter(kind).dump_json(value).decode()
        return self.services.artefacts.put(_adapter(Recorded).dump_json(Recorded(text, spent)))

    def _load(self, kind: type[T], digest: str) -> tuple[T, Spent]:
        stored = _adapter(Recorded).validate_json(self.services.artefacts.get(digest))
        return _adapter(kind).validate_json(stored.value), stored.spent


def read_value(document: bytes, kind: type[T]) -> T:
    """The value of a recorded step from its artefact, for those who look at a finished run."""
    return _adapter(kind).validate_json(_adapter(Recorded).validate_json(document).value)
