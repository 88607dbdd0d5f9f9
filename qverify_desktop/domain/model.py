"""A language model's answer, as it passes between the gateway and the analysis."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """A model's answer. Money in millionths of a US dollar, durations in milliseconds.

    ``provider`` is the protocol that was spoken (``ollama``, ``openai``); token counts are the server's own, 0 where it
    did not say.
    """

    text: str
    model: str
    provider: str
    prompt_tokens: int
    completion_tokens: int
    cost_microusd: int
    duration_ms: int
