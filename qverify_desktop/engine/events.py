"""The words in which the engine speaks to a window or a command."""

from qverify_desktop.domain.progress import (
    STAGE_TITLES,
    EventKind,
    RunEvent,
    RunStatus,
    RunSummary,
    Stage,
)

#: A run in one of these is over, or rests until it is gone on with; its last event says which.
ENDED = frozenset(
    {RunStatus.PAUSED, RunStatus.INTERRUPTED, RunStatus.CANCELLED, RunStatus.FINISHED, RunStatus.FAILED}
)

#: A run in one of these can be gone on with.
RESUMABLE = frozenset({RunStatus.PAUSED, RunStatus.INTERRUPTED, RunStatus.CANCELLED, RunStatus.FAILED})

__all__ = ["ENDED", "RESUMABLE", "STAGE_TITLES", "EventKind", "RunEvent", "RunStatus", "RunSummary", "Stage"]
