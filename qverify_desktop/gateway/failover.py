"""What a failure means for the next try: the same end point after a wait, the next one, or nobody."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.question import Question
from qverify_desktop.gateway.errors import CallFailed

#: Seconds of the first cool-down, and of the longest that no server asked for.
FIRST_S, LONGEST_S = 0.5, 60.0
_TOO_LONG = re.compile(
    r"(?i)context[ _]?(?:length|window|size)|maximum context|too many tokens|prompt is too long|token limit"
)
#: How servers name what they don't know of a request, by the question's field that it comes from. Old ones know neither.
_PARTS = {
    "schema": re.compile(r"(?i)format\b|output_config|json_?schema|\bgrammar"),
    "hear": re.compile(r"(?i)\bstream(?:ing|_options)?\b"),
}


class Reaction(Enum):
    """``AGAIN``: nothing was charged and it may pass, so the same end point after a wait, or another one now. ``NEXT``: another one.
    ``ASIDE``: another one, and this one no more while the process lives. ``SHORTEN``: the same one with a shorter prompt.
    ``PLAINER``: the same one without a part of the request that it doesn't know.
    ``REFUSED``: another one only where the person allows it, because it would be asked what this one refused. ``UNSENT``: another
    one; policy or a budget kept the question here, which says nothing of the end point."""

    AGAIN = "again"
    NEXT = "next"
    ASIDE = "aside"
    SHORTEN = "shorten"
    PLAINER = "plainer"
    REFUSED = "refused"
    UNSENT = "unsent"


class Missed(Exception):
    """One end point gave no answer. ``failure`` is the sentence for it, ``wait_s`` what the server asked for (0: nothing), ``fits``
    the tokens of a prompt that it would take (0: not known), ``part`` the field of the question that it doesn't know."""

    def __init__(
        self, failure: ModelFailure, reaction: Reaction, wait_s: float = 0.0, fits: int = 0, part: str = ""
    ) -> None:
        super().__init__(failure.sentence)
        self.failure = failure
        self.reaction = reaction
        self.wait_s = wait_s
        self.fits = fits
        self.part = part


def refused_part(error: CallFailed, question: Question) -> str:
    """The field of the question that a server refused by its name; empty where it refused something else."""
    if error.kind != "status" or error.status not in (400, 422, 501):
        return ""
    asked = (
        name for name, words in _PARTS.items() if getattr(question, name) is not None and words.search(error.detail)
    )
    return next(asked, "")


def reaction_to(error: CallFailed, part: str = "") -> Reaction:
    """What a failed call means, of which ``part`` was refused. A call that was cut or answered with nonsense may have been charged,
    so it is not repeated."""
    if error.kind != "status":
        return Reaction.NEXT
    if error.status in (401, 403):
        return Reaction.ASIDE
    if error.status in (400, 413, 422, 501):
        if error.status == 413 or _TOO_LONG.search(error.detail):
            return Reaction.SHORTEN
        if part:
            return Reaction.PLAINER
    if error.status in (400, 422):
        return Reaction.REFUSED
    return Reaction.AGAIN if error.may_pass else Reaction.NEXT


@dataclass
class _State:
    failures: int = 0
    until: float = 0.0
    probing: bool = False
    aside: str = ""


@dataclass
class Health:
    """Which end points are cooling down. After the cool-down one question tries the end point, and the others wait for what comes
    of it (a circuit breaker, half open)."""

    clock: Callable[[], float] = time.monotonic
    jitter: Callable[[], float] = lambda: random.uniform(0.75, 1.25)  # noqa: S311  (spreads waits, hides nothing)
    _states: dict[str, _State] = field(default_factory=dict)

    def barred(self, name: str) -> tuple[str, float]:
        """Why an end point is not asked now, and the seconds until it may be; empty and 0 where it is."""
        state = self._states.get(name)
        if state is None or (not state.failures and not state.aside):
            return "", 0.0
        if state.aside:
            return state.aside, 0.0
        left = state.until - self.clock()
        if left > 0:
            return f"{name} is left alone for another {left:.0f} seconds after it failed.", left
        if state.probing:
            return f"{name} failed before and is being tried by another question.", FIRST_S
        return "", 0.0

    def trying(self, name: str) -> None:
        """A question is sent there now."""
        state = self._states.get(name)
        if state is not None and state.failures:
            state.probing = True

    def answered(self, name: str) -> None:
        """It answers: whatever was held against it is forgotten."""
        self._states.pop(name, None)

    def left(self, name: str) -> None:
        """The question was called off, which says nothing of the end point."""
        if name in self._states:
            self._states[name].probing = False

    def failed(self, name: str, missed: Missed) -> float:
        """Note a failure; answers the seconds for which the end point is left alone."""
        state = self._states.setdefault(name, _State())
        state.probing = False
        if missed.reaction is Reaction.ASIDE:
            state.aside = (
                f"{missed.failure.sentence} It is not asked again until QVerify starts anew or its key changes."
            )
            return 0.0
        if missed.reaction in (Reaction.SHORTEN, Reaction.REFUSED, Reaction.UNSENT):
            return 0.0
        state.failures += 1
        wait = missed.wait_s or min(LONGEST_S, FIRST_S * 2 ** (state.failures - 1)) * self.jitter()
        state.until = self.clock() + wait
        return wait

    def forget(self) -> None:
        """Start anew, for example after a key was changed."""
        self._states.clear()
