"""What only the person can decide while a run goes on, and the answer: how any part of it asks, whoever shows the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Consent(StrEnum):
    """``NOBODY``: nobody is there who could answer, so the rule for that holds; it is no answer and is not recorded."""

    GO_ON = "go_on"
    STOP = "stop"
    NOBODY = "nobody"


@dataclass(frozen=True)
class Inquiry:
    """A decision that a run waits for.

    ``name`` (lower case, digits, dots, hyphens) is the same whenever the same is asked: a run asks it once, however many of its
    parts do, and after a restart the answer is found again. ``sentence`` is what a person reads; ``facts`` are whole numbers and
    words for the evidence and for a window's own words (money in millionths of a US dollar, as ``spent_microusd``). ``shared``
    is about more than the run: ``GO_ON`` holds for every run that asks the same, ``STOP`` for its own alone.
    """

    run: str
    name: str
    sentence: str
    facts: Mapping[str, int | str] = field(default_factory=dict)
    shared: bool = False
