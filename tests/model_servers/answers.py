"""What a scripted server says, in order or by what the prompt holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


@dataclass(frozen=True)
class Say:
    """One answer, or one fault.

    ``fault`` is one of: empty (no text), html (a web page with 200), slow (``delay_s`` before the answer), cut (the
    connection ends inside the body), huge (``size`` bytes of body), junk (JSON that is no answer), thinking (reasoning only),
    filter (held back), or a status such as ``429`` with ``retry_after``. In a stream alone: ends (it ends in good order, but in
    the middle of the answer), breaks (an error comes inside it), stays (nothing more comes, and the connection stays open).
    ``when`` is text the prompt must hold. ``refuses`` names a part of requests (``response_format``, ``stream_options``): a
    request that has it gets a 400 which names it. A stream comes in pieces of ``piece`` characters, ``pause_s`` apart; ``plain``
    answers in one piece whoever asked for a stream. ``cached`` tokens of the prompt were in the provider's own cache.
    """

    text: str = ""
    fault: str = ""
    when: str = ""
    delay_s: float = 0.0
    retry_after: str = ""
    size: int = 0
    message: str = "scripted fault"
    refuses: str = ""
    piece: int = 6
    pause_s: float = 0.0
    plain: bool = False
    counts: bool = True
    cached: int = 0


def text_of(message: dict[str, Any]) -> str:
    """What a message says: Anthropic's protocol has parts where the others have text."""
    content = message.get("content", "")
    return "".join(str(one.get("text", "")) for one in content) if isinstance(content, list) else str(content)


@dataclass
class Script:
    """Answers in order; one with ``when`` is kept for prompts that hold its text, and repeats there. The last one repeats."""

    answers: Sequence[Say]
    requests: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    disconnects: int = 0
    _used: set[int] = field(default_factory=set)
    _lock: Lock = field(default_factory=Lock)

    def next(self, request: dict[str, Any], headers: dict[str, str]) -> Say:
        """The answer to this request, which is kept for the test to look at."""
        prompt = "\n".join(text_of(m) for m in request.get("messages", []))
        with self._lock:
            self.requests.append(request)
            self.headers.append(headers)
            fitting = [n for n, say in enumerate(self.answers) if say.when in prompt]
            fresh = [n for n in fitting if n not in self._used]
            special = [n for n in fitting if self.answers[n].when]
            fresh_special = [n for n in special if n not in self._used]
            number = (fresh_special or special[-1:] or fresh or [len(self.answers) - 1])[0]
            self._used.add(number)
            return self.answers[number]
