"""A question to a language model, as whoever asks it puts it: one value through analysis, gateway, transport and recording."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from qverify_desktop.domain.model import AUTO, Asker

#: What is said to a model, in order: each with its ``role`` (``system``, ``user``, ``assistant``) and its ``content``.
Messages = list[dict[str, str]]
#: The same question in at most so many tokens; ``None`` where nothing is left to leave out.
Shorter = Callable[[int], Messages | None]
#: Is told what a model writes, piece by piece, from another thread; an empty piece says that it begins anew. Never blocks or raises.
Hear = Callable[[str], None]


@dataclass(frozen=True)
class Question:
    """What is asked, of whom, and on whose account.

    ``model`` is a name as a person gives it, or ``auto`` for the person's order; ``api_base`` the server's address, empty for the
    one that the name means. ``max_tokens`` caps the answer. ``schema`` (JSON Schema) is the shape of the answer where the wire
    can hold a model to one; the answer may have another all the same. ``template`` names the prompt's template with its version.
    ``shorter`` is asked for the messages where a model takes fewer tokens than they have. Where somebody wants to ``hear`` what
    is written while it is, the answer is streamed.
    """

    messages: Messages
    purpose: str
    max_tokens: int
    model: str = AUTO
    api_base: str = ""
    asker: Asker = Asker()
    schema: Mapping[str, Any] | None = None
    template: str = ""
    shorter: Shorter | None = field(default=None, compare=False, repr=False)
    hear: Hear | None = field(default=None, compare=False, repr=False)

    @property
    def digest(self) -> str:
        """Under what the answer is found again in a recorded run (SHA-256 in lower-case hex).

        Only what is said counts: a recording is answered whatever model it is played to.
        """
        asked = [self.messages, str(self.purpose), self.max_tokens]
        text = json.dumps(asked, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()
