"""A gateway that answers out of a recording: what was asked and answered in a run before, and nothing else.

Nothing of it opens a connection, so a run can be replayed with no network, no key and no cost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.model import Answer, Asker, Masked
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.gateway.masking import mask


@dataclass(frozen=True)
class Recorded:
    """One question of a run by its digest, with the answer, or the sentence and remedy of the failure that came instead."""

    request: str
    answer: Answer | None = None
    sentence: str = ""
    remedy: str = ""


class RecordedGateway:
    """Implements ``analysis.ports.Gateway`` over a recording.

    The same question asked twice is answered in the order of the recording, and the last answer repeats. ``asked`` counts the
    questions, ``unknown`` those that the recording does not hold: with them the replay is not the run that was recorded.
    """

    def __init__(self, recorded: Iterable[Recorded]) -> None:
        self._lock = Lock()
        self._known: dict[str, list[Recorded]] = {}
        for one in recorded:
            self._known.setdefault(one.request, []).append(one)
        self.asked = 0
        self.unknown = 0

    async def complete(self, question: Question) -> Answer:
        """The recorded answer. Raises ``ModelFailure`` where a failure was recorded, or nothing."""
        with self._lock:
            self.asked += 1
            found = self._known.get(question.digest, [])
            if not found:
                self.unknown += 1
                raise ModelFailure(
                    "The recording holds no answer to this question, and no model was asked.",
                    "What is asked depends on the repository, the sandbox image and this version of QVerify.",
                )
            one = found.pop(0) if len(found) > 1 else found[0]
        if one.answer is None:
            raise ModelFailure(one.sentence, one.remedy)
        return one.answer

    def mask(self, messages: Messages) -> Masked:
        return mask(messages)

    async def probe(self, model: str, api_base: str, *, asker: Asker = Asker()) -> str:
        """Empty where the recording holds anything."""
        return "" if self._known else "The recording holds no answers of a model."

    def set_air_gap(self, on: bool) -> None:
        """Nobody is asked either way."""

    async def close(self) -> None:
        """Nothing is open."""
