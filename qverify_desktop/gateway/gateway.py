"""One prompt in, one answer out: policy, counting, bounded patience, and a sentence for every failure."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from pydantic import SecretStr

from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.domain.model import Answer, Asker, Masked
from qverify_desktop.gateway.endpoint import host_of, key_name, needs_probe, parse_base, resolve
from qverify_desktop.gateway.errors import CallFailed, failure
from qverify_desktop.gateway.guard import GuardedTransport
from qverify_desktop.gateway.litellm_provider import LitellmProvider
from qverify_desktop.gateway.masking import mask
from qverify_desktop.gateway.provider import Endpoint, Messages, Provider, Reply, Wire
from qverify_desktop.gateway.server import knows_model, model_context, speaks_ollama

#: Tries of a call that the server put off without charge, and seconds that are waited at most in between.
MOST_TRIES = 3
MOST_WAIT_S = 20.0
#: Tokenizers differ: what our count may be short of the model's own, in percent.
COUNT_MARGIN_PERCENT = 25


class Keys(Protocol):
    """Where keys come from (room ``settings``). The provider is ``openai``, ``ollama``, or an end point's host name."""

    def for_provider(self, provider: str) -> SecretStr | None: ...

    def values(self) -> list[str]:
        """Every key that is held, for looking whether one stands in a prompt."""


class NoKeys:
    """No key for anybody."""

    def for_provider(self, provider: str) -> SecretStr | None:
        return None

    def values(self) -> list[str]:
        return []


class ModelGateway:
    """Implements ``analysis.ports.Gateway``.

    ``air_gap`` refuses every end point that is not on this machine; ``timeout_s`` is the patience with one attempt;
    ``answer_tokens`` caps every answer (some models never stop by themselves); ``context_tokens`` is the largest window
    asked of Ollama.
    """

    def __init__(
        self,
        keys: Keys | None = None,
        *,
        air_gap: bool = False,
        timeout_s: float = 300.0,
        answer_tokens: int = 8192,
        context_tokens: int = 32768,
        provider: Provider | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._keys = keys or NoKeys()
        self._air_gap = air_gap
        self._timeout_s = timeout_s
        self._answer_tokens = answer_tokens
        self._context_tokens = context_tokens
        self._provider = provider or LitellmProvider()
        self._sleep = sleep
        self._wires: dict[str, bool] = {}
        self._contexts: dict[tuple[str, str], int] = {}

    async def complete(
        self,
        messages: Messages,
        *,
        model: str,
        api_base: str,
        max_tokens: int,
        purpose: str,
        asker: Asker = Asker(),
        shorter: Callable[[int], Messages | None] | None = None,
        schema: Mapping[str, Any] | None = None,
        template: str = "",
    ) -> Answer:
        """Raises ``ModelFailure`` with the sentence why; cancelling closes the connection.

        ``purpose`` names the call for whoever keeps a ledger; this transport sends it nowhere.
        """
        started = time.monotonic()
        # Whoever asks has masked already, for the evidence; what is masked stays as it is, and nothing else is ever sent.
        messages = list((await asyncio.to_thread(self.mask, messages)).messages)
        endpoint = await self._endpoint(model, api_base)
        most = max(1, min(max_tokens, self._answer_tokens))
        window = await self._window(endpoint, messages, most)
        reply = await self._patiently(endpoint, messages, most, window)
        text = _usable(reply, endpoint, most)
        return Answer(
            text=text,
            model=endpoint.model,
            provider=endpoint.wire.value,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cost_microusd=reply.cost_microusd,
            duration_ms=int((time.monotonic() - started) * 1000),
        )

    def mask(self, messages: Messages) -> Masked:
        """The messages without secrets: those of the repository, and this installation's own keys wherever they come from."""
        return mask(messages, self._keys.values())

    def set_air_gap(self, on: bool) -> None:
        """From the next call on, ask nobody outside this machine, or anybody that is chosen."""
        self._air_gap = on

    async def close(self) -> None:
        """End what is still asked. The gateway may be used again after it."""
        await asyncio.to_thread(self._provider.close)

    async def probe(self, model: str, api_base: str) -> str:
        """Empty when the end point knows the model, otherwise the sentence why not. Costs nothing where models are listed."""
        try:
            endpoint = await self._endpoint(model, api_base)
            if not await self._listed(endpoint):
                await self._patiently(endpoint, [{"role": "user", "content": "Say yes."}], 16, 2048)
        except ModelFailure as error:
            return str(error)
        return ""

    async def _listed(self, endpoint: Endpoint) -> bool:
        guard = await asyncio.to_thread(GuardedTransport, endpoint.base, local=endpoint.local)
        try:
            return await knows_model(endpoint, guard)
        except CallFailed as error:
            raise failure(error, endpoint, self._timeout_s) from None

    async def _endpoint(self, model: str, api_base: str) -> Endpoint:
        """The end point with its key, after policy."""
        try:
            if needs_probe(model, api_base):
                base = parse_base(api_base)
                self._allow(resolve(model, api_base))
                if base not in self._wires:
                    self._wires[base] = await speaks_ollama(base)
                endpoint = resolve(model, api_base, self._wires[base])
            else:
                endpoint = resolve(model, api_base)
        except BadInput as error:
            raise ModelFailure(error.sentence, error.remedy) from None
        self._allow(endpoint)
        key = await asyncio.to_thread(self._keys.for_provider, key_name(endpoint))
        if key is not None and endpoint.base.startswith("http:") and not endpoint.local:
            raise ModelFailure(
                f"The key was not sent to {host_of(endpoint.base)}, because its address is plain http.",
                "Use an https address, or unset QVERIFY_API_KEY for a server that wants no key.",
            )
        return replace(endpoint, key=key)

    def _allow(self, endpoint: Endpoint) -> None:
        if self._air_gap and not endpoint.local:
            raise ModelFailure(
                f"The air gap is on, so nothing was sent to {host_of(endpoint.base)}.",
                "Use a model on this machine, or switch the air gap off (QVERIFY_AIR_GAP=false).",
            )

    async def _window(self, endpoint: Endpoint, messages: Messages, most: int) -> int:
        """The context window to ask for. Ollama cuts a longer prompt in silence, so what can't fit is refused here."""
        counted = await self._provider.count(messages)
        needed = counted * (100 + COUNT_MARGIN_PERCENT) // 100 + most + 64
        if endpoint.wire is not Wire.OLLAMA:
            return needed
        at = (endpoint.base, endpoint.model)
        if at not in self._contexts:
            self._contexts[at] = await model_context(endpoint)
        limit = min(self._context_tokens, self._contexts[at] or self._context_tokens)
        if needed > limit:
            raise ModelFailure(
                f"The prompt has about {counted} tokens, which with the answer is over the window of {limit} tokens.",
                "Take a model with a longer context, or raise QVERIFY_MODEL_CONTEXT_TOKENS.",
            )
        return min(limit, max(4096, -(-needed // 1024) * 1024))

    async def _patiently(self, endpoint: Endpoint, messages: Messages, most: int, window: int) -> Reply:
        """Try again only what the server put off without charge, and only when it asks for a short wait."""
        for tried in range(1, MOST_TRIES + 1):
            try:
                return await self._provider.complete(
                    endpoint, messages, max_tokens=most, context_tokens=window, timeout_s=self._timeout_s
                )
            except CallFailed as error:
                wait = error.retry_after_s or 0.5 * tried
                if not error.may_pass or tried == MOST_TRIES or wait > MOST_WAIT_S:
                    raise failure(error, endpoint, self._timeout_s) from None
                await self._sleep(wait)
        raise AssertionError("unreachable")


def _usable(reply: Reply, endpoint: Endpoint, most: int) -> str:
    place = endpoint.place[0].upper() + endpoint.place[1:]
    if reply.finish == "content_filter":
        raise ModelFailure(f"{place} held its answer back by its content filter.", "Try another model.")
    if reply.text.strip():
        return reply.text
    if reply.thinking:
        raise ModelFailure(
            f"{place} used all of its {most} tokens for thinking and gave no answer.", "Try a model that thinks less."
        )
    raise ModelFailure(f"{place} gave an empty answer.", "Try again, or try another model.")
