"""What would be sent to a model, before anything is: the same messages, on the same way, up to the transport."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qverify_desktop.domain.model import MaskedSecret


@dataclass(frozen=True)
class Destination:
    """One end point, in the order in which they would be asked. ``refused`` is the sentence why nothing would go there, and then
    only ``name`` is sure to be known.

    ``messages`` are those for this end point (shorter ones where its context is too short), ``prompt_tokens`` counted by our own
    tokenizer; ``estimate_microusd`` is the most that the call can cost, in millionths of a US dollar, ``price_known`` whether by a
    price of this model.
    """

    name: str
    host: str = ""
    provider: str = ""
    model: str = ""
    local: bool = False
    refused: str = ""
    prompt_tokens: int = 0
    max_tokens: int = 0
    estimate_microusd: int = 0
    price_known: bool = True
    messages: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class Preview:
    """One question as it would go out: to whom, for what, what it says, and what was taken out of it before."""

    purpose: str
    template: str
    messages: tuple[Mapping[str, str], ...]
    secrets: tuple[MaskedSecret, ...] = ()
    destinations: tuple[Destination, ...] = ()
    schema: Mapping[str, Any] | None = None
