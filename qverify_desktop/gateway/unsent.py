"""A transport that sends nothing: it stops where a connection would be opened, with what would go over it."""

from __future__ import annotations

from qverify_desktop.domain.preview import Destination
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.gateway.endpoint import host_of
from qverify_desktop.gateway.prices import FREE, Prices
from qverify_desktop.gateway.provider import Endpoint, Provider, Reply


class NothingSent(Exception):
    """What would have been sent now, and where to."""

    def __init__(self, endpoint: Endpoint, messages: Messages, max_tokens: int) -> None:
        super().__init__("Nothing was sent.")
        self.endpoint = endpoint
        self.messages = messages
        self.max_tokens = max_tokens

    def destination(self, name: str, prompt_tokens: int, prices: Prices | None) -> Destination:
        """For a person: ``name`` is the end point's in the order, ``prompt_tokens`` are counted."""
        endpoint = self.endpoint
        price = prices.of(endpoint.wire.value, endpoint.model, local=endpoint.local) if prices is not None else FREE
        return Destination(
            name,
            host_of(endpoint.base),
            endpoint.wire.value,
            endpoint.model,
            endpoint.local,
            prompt_tokens=prompt_tokens,
            max_tokens=self.max_tokens,
            estimate_microusd=price.most(prompt_tokens, self.max_tokens),
            price_known=price.known,
            messages=tuple(self.messages),
        )


class Unsent:
    """Implements ``gateway.provider.Provider``; tokens are counted by the real transport, which needs no network for that."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def count(self, messages: Messages) -> int:
        return await self._provider.count(messages)

    async def complete(
        self, endpoint: Endpoint, question: Question, *, context_tokens: int, timeout_s: float
    ) -> Reply:
        """Always raises ``NothingSent``."""
        raise NothingSent(endpoint, question.messages, question.max_tokens)

    def close(self) -> None:
        """The real transport is not ours to close."""
