"""One prompt in, one answer out: policy, counting, bounded patience, and a sentence for every failure."""

from __future__ import annotations

import asyncio
import copy
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pydantic import SecretStr

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.domain.model import AUTO, Answer, Asker, Deployment, Masked, RateLimit
from qverify_desktop.domain.network import Network
from qverify_desktop.domain.preview import Destination
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.gateway.call import Accounts, Call, Caller
from qverify_desktop.gateway.consent import Patience
from qverify_desktop.gateway.endpoint import (
    host_of,
    key_name,
    needs_probe,
    of_deployment,
    parse_base,
    purpose_of,
    resolve,
)
from qverify_desktop.gateway.errors import CallFailed, failure
from qverify_desktop.gateway.failover import Health, Missed, Reaction
from qverify_desktop.gateway.guard import GuardedTransport
from qverify_desktop.gateway.litellm_provider import LitellmProvider
from qverify_desktop.gateway.masking import mask
from qverify_desktop.gateway.provider import Endpoint, Provider, Wire
from qverify_desktop.gateway.server import knows_model, model_context, speaks_ollama
from qverify_desktop.gateway.unsent import NothingSent, Unsent

#: Tries of a call that the server put off without charge, and seconds that are waited at most in between.
MOST_TRIES = 3
MOST_WAIT_S = 20.0
#: Tokenizers differ: what our count may be short of the model's own, in percent.
COUNT_MARGIN_PERCENT = 25


class Keys(Protocol):
    """Where keys come from (room ``settings``). The provider is ``openai``, ``ollama``, or an end point's host name."""

    def for_provider(self, provider: str, *, general: bool = True) -> SecretStr | None:
        """``general``: also the key for whatever end point is used."""

    def values(self) -> list[str]:
        """Every key that is held, for looking whether one stands in a prompt."""


class NoKeys:
    """No key for anybody."""

    def for_provider(self, provider: str, *, general: bool = True) -> SecretStr | None:
        return None

    def values(self) -> list[str]:
        return []


@dataclass(frozen=True)
class Candidate:
    """An end point that may answer: one of the person's order, or the model that was named."""

    name: str
    limit: RateLimit
    model: str = ""
    api_base: str = ""
    deployment: Deployment | None = None


class ModelGateway:
    """Implements ``analysis.ports.Gateway``.

    ``gate`` says which end points may be asked (without one ``air_gap`` refuses every one that is neither on this machine nor among
    ``allowed``); ``timeout_s`` is the patience with
    one attempt, ``total_s`` with a question; ``answer_tokens`` caps every answer (some models never stop by themselves);
    ``context_tokens`` is the largest window asked of Ollama. ``order`` are the person's end points for the model ``auto``;
    ``pass_refused`` asks the next one also what one refused (a content filter, a request that it can't use).
    """

    def __init__(
        self,
        keys: Keys | None = None,
        *,
        air_gap: bool = False,
        allowed: Sequence[Network] = (),
        timeout_s: float = 300.0,
        total_s: float = 1800.0,
        answer_tokens: int = 8192,
        context_tokens: int = 32768,
        order: Sequence[Deployment] = (),
        pass_refused: bool = False,
        accounts: Accounts | None = None,
        provider: Provider | None = None,
        health: Health | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        gate: Gate | None = None,
    ) -> None:
        self._keys = keys or NoKeys()
        self._gate = gate or Gate(Policy(air_gap=air_gap, allowed=tuple(allowed)))
        self._timeout_s = timeout_s
        self._total_s = total_s
        self._answer_tokens = answer_tokens
        self._context_tokens = context_tokens
        self._order = tuple(order)
        self._pass_refused = pass_refused
        self._provider = provider or LitellmProvider()
        self._accounts = accounts or Accounts()
        self._caller = Caller(self._provider, self._accounts, timeout_s, sleep)
        self._health = health or Health()
        self._sleep = sleep
        self._asks_servers = True
        self._wires: dict[str, bool] = {}
        self._contexts: dict[tuple[str, str], int] = {}
        self._unknown_to: dict[tuple[str, str], set[str]] = {}

    async def complete(self, question: Question) -> Answer:
        """The first answer that can be used, of the named model or of the person's order (``auto``).

        Raises ``ModelFailure`` with the sentence why there is none; cancelling closes the connection.
        """
        started = time.monotonic()
        question = await self._as_sent(question)
        try:
            async with asyncio.timeout(self._total_s) as deadline:
                with Patience(deadline) as patience:
                    answer = await self._first(self._candidates(question.model, question.api_base), question)
        except TimeoutError:
            raise ModelFailure(
                f"No model answered within {self._total_s:g} seconds, so the question was given up.",
                "Look at the models page for what each of them says.",
            ) from None
        return replace(answer, duration_ms=int((time.monotonic() - started - patience.held_s) * 1000))

    async def _as_sent(self, question: Question) -> Question:
        """Whoever asks has masked already, for the evidence; what is masked stays as it is, and nothing else is ever sent."""
        messages = list((await asyncio.to_thread(self.mask, question.messages)).messages)
        return replace(question, messages=messages, max_tokens=max(1, min(question.max_tokens, self._answer_tokens)))

    async def _first(self, candidates: Sequence[Candidate], question: Question) -> Answer:
        """The whole of the failover. A round asks one end point after the other. What only said "not now" is asked again in
        the next round, after the shortest of its waits; what may have been charged is asked once."""
        tried: list[str] = []
        last = ModelFailure("No model is set up.", "Set one on the settings page, or use --model none.")
        counts = dict.fromkeys((candidate.name for candidate in candidates), 0)
        due = [(0.0, candidate) for candidate in candidates]
        now = 0.0
        while due:
            soonest = min(when for when, _ in due)
            if soonest - now > MOST_WAIT_S:
                break
            if soonest > now:
                await self._sleep(soonest - now)
                now = soonest
            ready = [candidate for when, candidate in due if when <= now]
            due = [(when, candidate) for when, candidate in due if when > now]
            for candidate in ready:
                counts[candidate.name] += 1
                why, left = self._health.barred(candidate.name) if counts[candidate.name] == 1 else ("", 0.0)
                if why:
                    last = ModelFailure(why, "Wait, or look at the models page.")
                    tried.append(why)
                    due += [(now + left, candidate)] if left else []
                    continue
                # Before anything is awaited, so that of several questions one tries an end point that failed.
                self._health.trying(candidate.name)
                try:
                    answer = await self._one(candidate, question)
                    return replace(answer, attempts=(*tried, *answer.attempts))
                except Missed as missed:
                    last = missed.failure
                    tried.append(missed.failure.sentence)
                    wait = self._health.failed(candidate.name, missed)
                    if missed.reaction is Reaction.REFUSED and not self._pass_refused:
                        raise missed.failure from None
                    if missed.reaction is Reaction.AGAIN:
                        await self._caller.pause(candidate.name, missed.wait_s)
                        due += [(now + wait, candidate)] if counts[candidate.name] < MOST_TRIES else []
        raise last

    async def _one(self, candidate: Candidate, question: Question) -> Answer:
        """One end point, and once more each as it can take the question. Raises ``Missed``."""
        try:
            endpoint = await self._policy(candidate, question)
            mended: set[tuple[Reaction, str]] = set()
            while True:
                try:
                    answer = await self._ask(candidate, endpoint, question)
                    break
                except Missed as missed:
                    why = (missed.reaction, missed.part)
                    easier = await self._easier(missed, endpoint, question) if why not in mended else None
                    if easier is None:
                        raise
                    mended.add(why)
                    question = easier
        except Missed:
            raise
        except BaseException as error:
            # Called off, or the ledger can't be written: it says nothing of the end point.
            self._health.left(candidate.name)
            if isinstance(error, OSError):
                raise ModelFailure(
                    f"The ledger of model calls can't be written ({error.strerror or error}), so nothing was sent.",
                    "Make room on the disk that holds the state folder.",
                ) from error
            raise
        self._health.answered(candidate.name)
        return answer

    async def _easier(self, missed: Missed, endpoint: Endpoint, question: Question) -> Question | None:
        """The question in fewer tokens where it was too long, or without the part that the server doesn't know, which is
        remembered. ``None`` where nothing helps."""
        if missed.reaction is Reaction.PLAINER:
            self._unknown_to.setdefault((endpoint.base, endpoint.model), set()).add(missed.part)
            return question
        if missed.reaction is not Reaction.SHORTEN or question.shorter is None:
            return None
        count = await self._provider.count(question.messages)
        fewer = await asyncio.to_thread(question.shorter, missed.fits or count * 2 // 3)
        if fewer is None:
            return None
        return replace(question, messages=list((await asyncio.to_thread(self.mask, fewer)).messages))

    async def _ask(self, candidate: Candidate, endpoint: Endpoint, question: Question) -> Answer:
        counted, window = await self._window(endpoint, question.messages, question.max_tokens)
        without: dict[str, Any] = dict.fromkeys(self._unknown_to.get((endpoint.base, endpoint.model), ()))
        question = replace(question, **without)
        answer = await self._caller.ask(Call(candidate.name, endpoint, question, candidate.limit, counted, window))
        if question.hear is not None and not (answer.prompt_tokens or answer.cached or endpoint.local):
            # It counts nothing in a stream, and what is paid has to be counted.
            self._unknown_to.setdefault((endpoint.base, endpoint.model), set()).add("hear")
        return answer

    async def plan(self, question: Question) -> list[Destination]:
        """What ``complete`` would send to each end point in its order. No server is asked anything, nothing is counted or kept."""
        question = await self._as_sent(question)
        twin = copy.copy(self)
        twin._provider, twin._health, twin._asks_servers = Unsent(self._provider), Health(), False
        prices = self._accounts.prices
        twin._caller = Caller(twin._provider, Accounts(prices=prices), self._timeout_s, self._sleep)
        found = []
        for candidate in self._candidates(question.model, question.api_base):
            try:
                await twin._one(candidate, question)
            except Missed as missed:
                found.append(Destination(candidate.name, refused=str(missed.failure)))
            except NothingSent as stopped:
                counted = await self._provider.count(stopped.messages)
                found.append(stopped.destination(candidate.name, counted, prices))
        return found

    def _candidates(self, model: str, api_base: str) -> list[Candidate]:
        """The person's order for ``auto``, otherwise the one that was named."""
        if model == AUTO:
            return [Candidate(one.name, one.limit, deployment=one) for one in self._order]
        name = f"{model} at {api_base}" if api_base else model
        return [Candidate(name, RateLimit(), model, api_base)]

    async def _policy(self, candidate: Candidate, question: Question) -> Endpoint:
        """The end point with its key, if policy lets a prompt go there. Raises ``Missed``."""
        try:
            if candidate.deployment is not None:
                endpoint = of_deployment(candidate.deployment, question.purpose)
                self._allow(endpoint)
                endpoint = await self._with_key(endpoint, general=False)
            else:
                endpoint = await self._endpoint(candidate.model, candidate.api_base)
        except ModelFailure as error:
            raise Missed(error, Reaction.UNSENT) from None
        except BadInput as error:
            raise Missed(ModelFailure(error.sentence, error.remedy), Reaction.UNSENT) from None
        if not endpoint.local and not question.asker.cloud:
            raise Missed(
                ModelFailure(
                    f"Prompts of this repository stay on this machine, so nothing was sent to {host_of(endpoint.base)}.",
                    "Use a model on this machine, or allow models elsewhere for this repository.",
                ),
                Reaction.UNSENT,
            )
        return endpoint

    def mask(self, messages: Messages) -> Masked:
        """The messages without secrets: those of the repository, and this installation's own keys wherever they come from."""
        return mask(messages, self._keys.values())

    async def ollama(self, base: str) -> Endpoint:
        """The Ollama server at an address with its key, after policy. Raises ``ModelFailure``."""
        return await self._endpoint("ollama/any", base)

    def set_air_gap(self, on: bool) -> None:
        """From the next call on, ask nobody outside this machine, or anybody that is chosen."""
        self._gate.policy = replace(self._gate.policy, air_gap=on)

    def set_order(self, order: Sequence[Deployment]) -> None:
        """From the next question on, ask these for the model ``auto``."""
        self._order = tuple(order)

    def set_limits(
        self,
        *,
        pass_refused: bool,
        timeout_s: float,
        answer_tokens: int,
        context_tokens: int,
        month_budget_microusd: int,
        ask_percent: int,
    ) -> None:
        """From the next question on, go by these; see the class."""
        self._pass_refused = pass_refused
        self._timeout_s = timeout_s
        self._answer_tokens = answer_tokens
        self._context_tokens = context_tokens
        self._caller.set_limits(timeout_s, month_budget_microusd, ask_percent)

    def forget_failures(self) -> None:
        """Ask again who was set aside, for example after a key was changed."""
        self._health.forget()

    async def close(self) -> None:
        """End what is still asked. The gateway may be used again after it."""
        await asyncio.to_thread(self._provider.close)

    async def probe(self, model: str, api_base: str, *, asker: Asker = Asker()) -> str:
        """Empty when an end point knows the model, otherwise the sentence why not. Costs nothing where models are listed."""
        said = "No end points are set in the settings ([[deployments]])."
        say_yes = [{"role": "user", "content": "Say yes."}]
        question = Question(say_yes, "probe", 16, model, api_base, asker=replace(asker, cached=False))
        for candidate in self._candidates(model, api_base):
            try:
                endpoint = await self._policy(candidate, question)
                if not await self._listed(endpoint):
                    await self._first([candidate], question)
            except Missed as missed:
                said = str(missed.failure)
            except ModelFailure as error:
                said = str(error)
            else:
                return ""
        return said

    async def _listed(self, endpoint: Endpoint) -> bool:
        guard = await asyncio.to_thread(GuardedTransport, endpoint.base, local=endpoint.local)
        try:
            return await knows_model(endpoint, guard)
        except CallFailed as error:
            raise failure(error, endpoint, self._timeout_s) from None

    async def _endpoint(self, model: str, api_base: str) -> Endpoint:
        """The end point that a name and an address mean, with its key, after policy."""
        try:
            if needs_probe(model, api_base):
                base = parse_base(api_base)
                self._allow(resolve(model, api_base))
                if base not in self._wires and self._asks_servers:
                    self._wires[base] = await speaks_ollama(base)
                endpoint = resolve(model, api_base, self._wires.get(base, False))
            else:
                endpoint = resolve(model, api_base)
        except BadInput as error:
            raise ModelFailure(error.sentence, error.remedy) from None
        self._allow(endpoint)
        return await self._with_key(endpoint)

    async def _with_key(self, endpoint: Endpoint, *, general: bool = True) -> Endpoint:
        key = await asyncio.to_thread(lambda: self._keys.for_provider(key_name(endpoint), general=general))
        if key is not None and endpoint.base.startswith("http:") and not endpoint.local:
            raise ModelFailure(
                f"The key was not sent to {host_of(endpoint.base)}, because its address is plain http.",
                "Use an https address, or unset QVERIFY_API_KEY for a server that wants no key.",
            )
        return replace(endpoint, key=key)

    def _allow(self, endpoint: Endpoint) -> None:
        refusal = self._gate.refusal(purpose_of(endpoint), host_of(endpoint.base))
        if refusal is not None:
            raise ModelFailure(refusal.sentence, refusal.remedy)

    async def _window(self, endpoint: Endpoint, messages: Messages, most: int) -> tuple[int, int]:
        """Tokens of the prompt, and the context window to ask for. Ollama cuts a longer prompt in silence, so what can't fit is
        refused here (``Missed`` with the tokens that would fit)."""
        counted = await self._provider.count(messages)
        needed = counted * (100 + COUNT_MARGIN_PERCENT) // 100 + most + 64
        if endpoint.wire is not Wire.OLLAMA:
            return counted, needed
        at = (endpoint.base, endpoint.model)
        if at not in self._contexts and self._asks_servers:
            self._contexts[at] = await model_context(endpoint)
        limit = min(self._context_tokens, self._contexts.get(at, 0) or self._context_tokens)
        if needed > limit:
            failed = ModelFailure(
                f"The prompt has about {counted} tokens, which with the answer is over the window of {limit} tokens.",
                "Take a model with a longer context, or raise QVERIFY_MODEL_CONTEXT_TOKENS.",
            )
            raise Missed(
                failed, Reaction.SHORTEN, fits=max(0, (limit - most - 64) * 100 // (100 + COUNT_MARGIN_PERCENT))
            )
        return counted, min(limit, max(4096, -(-needed // 1024) * 1024))
