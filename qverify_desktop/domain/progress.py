"""What a person sees while a run goes on: stages, progress, log lines. Never part of the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class RunStatus(StrEnum):
    """Life of a run as shown in lists."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    FINISHED = "finished"
    FAILED = "failed"


class Stage(StrEnum):
    """Stages in their order."""

    INTAKE = "intake"
    DETECT = "detect"
    IMAGE = "image"
    DEPENDENCIES = "dependencies"
    BASELINE = "baseline"
    TARGETS = "targets"
    GENERATE = "generate"
    JUDGE = "judge"
    TRIAGE = "triage"
    REPORT = "report"
    SEAL = "seal"


STAGE_TITLES = {
    Stage.INTAKE: "Take a snapshot",
    Stage.DETECT: "Detect languages",
    Stage.IMAGE: "Prepare the sandbox image",
    Stage.DEPENDENCIES: "Check dependencies",
    Stage.BASELINE: "Run the existing tests",
    Stage.TARGETS: "Find what is untested",
    Stage.GENERATE: "Write tests",
    Stage.JUDGE: "Judge the tests",
    Stage.TRIAGE: "Look into failures",
    Stage.REPORT: "Write the report",
    Stage.SEAL: "Seal the evidence",
}


class EventKind(StrEnum):
    """Kinds of bus events."""

    STATUS = "status"
    STAGE_STARTED = "stage_started"
    STAGE_FINISHED = "stage_finished"
    PROGRESS = "progress"
    LOG = "log"
    TARGET = "target"
    INQUIRY = "inquiry"
    WRITING = "writing"


@dataclass(frozen=True)
class RunEvent:
    """One event on the bus. ``done`` of ``total`` where ``kind`` is ``PROGRESS``; ``text`` is one line for a person.

    ``status`` is set where ``kind`` is ``STATUS``; a run's last event is a ``STATUS`` that is neither queued nor running.
    ``at_ms`` is milliseconds since the run was started or resumed. ``target`` is the id of a target where ``kind`` is
    ``TARGET``: ``stage`` says how far it came, ``text`` what came of it there. Where ``kind`` is ``WRITING``, ``text`` is the end of
    what a model has written for ``target`` so far, in lines, and ``done`` 1 when it has ended; only the last of these is ever kept.
    Where ``kind`` is ``INQUIRY`` the run asks the person something (``text`` is the question) or asks it no more (empty); what is
    open is asked of the engine.
    """

    run: str
    sequence: int
    kind: EventKind
    stage: Stage | None = None
    text: str = ""
    done: int = 0
    total: int = 0
    status: RunStatus | None = None
    at_ms: int = 0
    target: str = ""


@dataclass(frozen=True)
class RunSummary:
    """One line of the list of runs. ``started_at`` is RFC 3339 UTC."""

    run: str
    source: str
    status: RunStatus
    started_at: str
    verdict: str = ""
    sentence: str = ""
    accepted: int = 0
    refused: int = 0
    suspected: int = 0
    stage: str = ""
