"""How far a run came, made from its events: stages with their times, targets, share done and time that remains. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qverify_desktop.domain.log_views import LogLine
from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, Stage

#: Share of a run's time that each stage takes, in percent; measured over the sample and five real projects.
WEIGHTS: Mapping[Stage, int] = {
    Stage.INTAKE: 2,
    Stage.DETECT: 1,
    Stage.IMAGE: 1,
    Stage.DEPENDENCIES: 4,
    Stage.BASELINE: 10,
    Stage.TARGETS: 2,
    Stage.GENERATE: 22,
    Stage.JUDGE: 50,
    Stage.TRIAGE: 2,
    Stage.REPORT: 5,
    Stage.SEAL: 1,
}
#: Below this share nothing is said about the time that remains.
LEAST_SHARE = 0.06
#: How a stage ended when the run did.
ENDS = {
    RunStatus.CANCELLED: "cancelled",
    RunStatus.FAILED: "failed",
    RunStatus.INTERRUPTED: "warning",
}


@dataclass
class StageState:
    """``state`` is next, now, done, warning, cancelled or failed; times in milliseconds since the run began."""

    stage: Stage
    state: str = "next"
    text: str = ""
    began_ms: int = 0
    ended_ms: int = 0
    done: int = 0
    total: int = 0

    def elapsed_ms(self, now_ms: int) -> int | None:
        """Time it took, or has taken so far; ``None`` when it did not begin."""
        if self.state == "next":
            return None
        return max(0, (now_ms if self.state == "now" else self.ended_ms) - self.began_ms)


@dataclass
class TargetState:
    """A target: the stage it came to, and what came of it there."""

    target: str
    stage: Stage
    text: str

    @property
    def file(self) -> str:
        return self.target.partition("::")[0]

    @property
    def symbol(self) -> str:
        return self.target.partition("::")[2] or self.target

    @property
    def pips(self) -> tuple[str, ...]:
        """Found, written, judged: done, now or open."""
        reached = {Stage.TARGETS: 1, Stage.GENERATE: 2, Stage.TRIAGE: 3}.get(self.stage, 1)
        return tuple("done" if at < reached else "now" if at == reached else "open" for at in range(3))


@dataclass(frozen=True)
class Writing:
    """What a model has written for a target so far: the end of it. ``over`` when it has ended."""

    target: str
    text: str
    over: bool = False


@dataclass
class RunProgress:
    """Takes events in their order; a late or repeated one changes nothing."""

    stages: dict[Stage, StageState] = field(default_factory=lambda: {stage: StageState(stage) for stage in Stage})
    targets: dict[str, TargetState] = field(default_factory=dict)
    writing: Writing | None = None
    status: RunStatus | None = None
    sentence: str = ""
    now_ms: int = 0
    sequence: int = -1

    def take(self, event: RunEvent) -> None:
        """Raises nothing, whatever comes."""
        if event.sequence <= self.sequence:
            return
        self.sequence, self.now_ms = event.sequence, max(self.now_ms, event.at_ms)
        if event.kind is EventKind.STATUS and event.status is not None:
            self._take_status(event)
        elif event.kind is EventKind.WRITING:
            self._take_writing(event)
        elif event.kind is EventKind.TARGET:
            self.targets[event.target] = TargetState(event.target, event.stage or Stage.TARGETS, event.text)
        elif event.stage is not None:
            self._take_stage(self.stages[event.stage], event)

    def take_line(self, run: str, line: LogLine) -> None:
        """A line of the log of a run that nobody watched: the event that it was made of."""
        stages = [stage for stage in Stage if stage.value == line["stage"]]
        kinds = [kind for kind in EventKind if kind.value == line["kind"]]
        if not kinds:
            return
        text, status = line["text"], None
        if kinds[0] is EventKind.TARGET:
            text = text.partition(": ")[2]
        if kinds[0] is EventKind.STATUS:
            word = text.partition(".")[0]
            status = next((one for one in RunStatus if one.value == word), None)
        self.take(
            RunEvent(
                run,
                line["number"],
                kinds[0],
                stages[0] if stages else None,
                text,
                status=status,
                at_ms=line["at_ms"],
                target=line["target"],
            )
        )

    def _take_status(self, event: RunEvent) -> None:
        self.status, self.sentence = event.status, event.text
        self.writing = self.writing if event.status is RunStatus.RUNNING else None
        end = ENDS.get(event.status) if event.status is not None else None
        for state in self.stages.values():
            if state.state == "now" and end is not None:
                state.state, state.ended_ms = end, event.at_ms

    def _take_writing(self, event: RunEvent) -> None:
        """What was written stays to be read until something else is, or the stage ends."""
        self.writing = Writing(event.target, event.text, event.done > 0)

    def _take_stage(self, state: StageState, event: RunEvent) -> None:
        if event.kind is EventKind.STAGE_STARTED:
            state.state, state.began_ms, state.text = "now", event.at_ms, ""
            state.done = state.total = 0
        elif event.kind is EventKind.STAGE_FINISHED:
            warned = "red" in event.text.split() or "lacks" in event.text
            state.state, state.ended_ms, state.text = "warning" if warned else "done", event.at_ms, event.text
            self.writing = None if event.stage is Stage.GENERATE else self.writing
        elif event.kind is EventKind.PROGRESS and state.state == "now":
            state.done, state.total, state.text = event.done, event.total, event.text or state.text

    @property
    def current(self) -> StageState | None:
        """The stage that is going on."""
        return next((state for state in self.stages.values() if state.state == "now"), None)

    @property
    def share(self) -> float:
        """How much of the run is done, from 0 to 1."""
        if self.status is RunStatus.FINISHED:
            return 1.0
        done = 0.0
        for stage, state in self.stages.items():
            if state.state in ("done", "warning"):
                done += WEIGHTS[stage]
            elif state.state == "now" and state.total:
                done += WEIGHTS[stage] * min(1.0, state.done / state.total)
        return done / sum(WEIGHTS.values())

    def remaining_ms(self, elapsed_ms: int, last_time_ms: int = 0) -> int | None:
        """About how long it will still take; ``last_time_ms`` is how long a run of this repository took before."""
        if last_time_ms > elapsed_ms:
            return last_time_ms - elapsed_ms
        if self.share < LEAST_SHARE:
            return None
        return round(elapsed_ms * (1 - self.share) / self.share)
