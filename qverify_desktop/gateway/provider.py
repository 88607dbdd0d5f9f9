"""What the gateway asks of a transport, so that the transport can be replaced."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from pydantic import SecretStr

from qverify_desktop.domain.question import Messages, Question


class Wire(StrEnum):
    """The protocol an end point speaks."""

    OLLAMA = "ollama"
    OPENAI = "openai"
    AZURE = "azure"
    ANTHROPIC = "anthropic"


_NAMES = {Wire.OLLAMA: "Ollama", Wire.AZURE: "Azure OpenAI", Wire.ANTHROPIC: "Anthropic"}


@dataclass(frozen=True)
class Endpoint:
    """Where a prompt goes. ``base`` is a URL without a trailing slash; ``local`` means that it is on this machine. On Azure
    ``model`` names a deployment of the resource, and ``api_version`` is the version of its interface.
    """

    wire: Wire
    base: str
    model: str
    local: bool
    key: SecretStr | None = field(default=None, repr=False)
    api_version: str = ""

    @property
    def place(self) -> str:
        """The end point as a sentence may name it."""
        return f"{_NAMES.get(self.wire, 'the model server')} at {self.base}"


@dataclass(frozen=True)
class Reply:
    """What a transport brings back. Tokens as the server counted them (0 where it did not say).

    ``finish`` is the server's word for why it stopped (``stop``, ``length``, ``content_filter``); ``thinking`` says that
    the server sent reasoning apart from the text. ``cost_microusd`` is in millionths of a US dollar. ``cached_tokens`` are a part
    of ``prompt_tokens``: those that the provider had in its own cache.
    """

    text: str
    finish: str
    thinking: bool
    prompt_tokens: int
    completion_tokens: int
    cost_microusd: int
    cached_tokens: int = 0


class Provider(Protocol):
    """One transport."""

    async def count(self, messages: Messages) -> int:
        """How many tokens the messages have, about (tokenizers differ between models)."""

    async def complete(
        self, endpoint: Endpoint, question: Question, *, context_tokens: int, timeout_s: float
    ) -> Reply:
        """One attempt, no retry. Of the question it needs what is said, the cap and the shape; ``context_tokens`` is the window to
        ask of Ollama. Cancelling closes the connection.

        Raises ``errors.CallFailed``.
        """

    def close(self) -> None:
        """End every call and let go of threads. Blocking, briefly."""
