"""The life of one call: is the answer known, may it be paid, is it its turn, what was sent, what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from qverify_desktop.domain.errors import ModelFailure, ModelsStopped
from qverify_desktop.domain.inquiries import Consent
from qverify_desktop.domain.model import Answer, Asker, CallState, Intent, RateLimit, Settlement
from qverify_desktop.gateway.budget import Budget, Verdict, decide
from qverify_desktop.gateway.consent import clock_stopped, inquiry_of
from qverify_desktop.gateway.errors import CallFailed, failure
from qverify_desktop.gateway.failover import Missed, Reaction, reaction_to
from qverify_desktop.gateway.ports import Ledger, Limiter, Person, ResponseCache
from qverify_desktop.gateway.prices import Prices, dollars
from qverify_desktop.gateway.provider import Endpoint, Messages, Provider, Reply

T = TypeVar("T")

#: Seconds between two looks whether a place is free.
LOOK_S = 0.2


@dataclass(frozen=True)
class Accounts:
    """Where calls are counted. Each part may be missing: a command without a state folder keeps nothing."""

    ledger: Ledger | None = None
    limiter: Limiter | None = None
    cache: ResponseCache | None = None
    prices: Prices | None = None
    month_budget_microusd: int = 0
    ask_percent: int = 80
    person: Person | None = None


@dataclass(frozen=True)
class Question:
    """One question as it goes to one end point. ``prompt_tokens`` are counted, ``window`` is the context asked of Ollama."""

    messages: Messages
    purpose: str
    most: int
    window: int
    prompt_tokens: int
    template: str = ""
    schema: Mapping[str, Any] | None = None

    def key(self, endpoint: Endpoint) -> str:
        """Digest of everything that shapes the answer (SHA-256 of JSON with sorted keys)."""
        shape = {
            "wire": endpoint.wire.value,
            "base": endpoint.base,
            "model": endpoint.model,
            "version": endpoint.api_version,
            "messages": self.messages,
            "most": self.most,
            "window": self.window,
            "template": self.template,
            "schema": self.schema,
        }
        return hashlib.sha256(json.dumps(shape, sort_keys=True, default=dict).encode()).hexdigest()


class Caller:
    """Makes calls over one transport, and counts them."""

    def __init__(
        self, provider: Provider, accounts: Accounts, timeout_s: float, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self._provider = provider
        self._accounts = accounts
        self._timeout_s = timeout_s
        self._sleep = sleep

    async def ask(self, name: str, endpoint: Endpoint, question: Question, limit: RateLimit, asker: Asker) -> Answer:
        """The answer of the end point ``name``, out of the cache where it is there. Raises ``Missed``."""
        started = time.monotonic()
        key = question.key(endpoint) if self._accounts.cache is not None and asker.cached else ""
        if key and (kept := await self._kept(key, name, endpoint, question, asker, started)):
            return kept
        note = await self._allow(endpoint, question, asker)
        estimate = self._estimate(endpoint, question)
        ticket = await self._turn(name, question, limit)
        try:
            call = await self._intend(name, endpoint, question, asker, estimate)
            reply, text = await self._attempt(endpoint, question, call, started, paid=estimate > 0)
        finally:
            if ticket and self._accounts.limiter is not None:
                await asyncio.shield(asyncio.to_thread(self._accounts.limiter.leave, ticket))
        answer = self._answer(endpoint, reply, text, started)
        await self._settle(call, CallState.ANSWERED, answer)
        if key:
            await asyncio.to_thread(self._keep, key, answer)
        return replace(answer, attempts=(note,)) if note else answer

    async def pause(self, name: str, seconds: float) -> None:
        """Let no process ask the end point for so long."""
        if self._accounts.limiter is not None and seconds > 0:
            await asyncio.to_thread(self._accounts.limiter.pause, name, seconds)

    async def _attempt(
        self, endpoint: Endpoint, question: Question, call: int, started: float, *, paid: bool
    ) -> tuple[Reply, str]:
        try:
            reply = await self._provider.complete(
                endpoint,
                question.messages,
                max_tokens=question.most,
                context_tokens=question.window,
                timeout_s=self._timeout_s,
            )
            return reply, _usable(reply, endpoint, question.most)
        except CallFailed as error:
            missed = Missed(failure(error, endpoint, self._timeout_s), reaction_to(error), error.retry_after_s)
            # Whoever began to answer may charge for it.
            doubt = paid and error.kind in ("cut", "timeout", "too_large")
            await self._fail(call, missed.failure.sentence, started, doubt=doubt)
            raise missed from None
        except Missed as missed:
            # It was answered, and so paid, though nothing can be used.
            await self._settle(
                call, CallState.FAILED, self._answer(endpoint, reply, "", started), missed.failure.sentence
            )
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._fail(call, "The question was called off.", started, doubt=paid))
            raise

    def _estimate(self, endpoint: Endpoint, question: Question) -> int:
        if self._accounts.prices is None:
            return 0
        price = self._accounts.prices.of(endpoint.wire.value, endpoint.model, local=endpoint.local)
        return price.most(question.prompt_tokens, question.most)

    def _cost(self, endpoint: Endpoint, reply: Reply) -> int:
        """By the person's and our own table; by the library's where only that knows the model."""
        if self._accounts.prices is None:
            return reply.cost_microusd
        price = self._accounts.prices.of(endpoint.wire.value, endpoint.model, local=endpoint.local)
        if not price.known and reply.cost_microusd:
            return reply.cost_microusd
        return price.cost(reply.prompt_tokens, reply.completion_tokens)

    async def _allow(self, endpoint: Endpoint, question: Question, asker: Asker) -> str:
        """Stop at a budget (``Missed``, so that a model that costs nothing may answer instead), and ask the person before one is
        nearly spent. Answers what to tell where nobody was there to be asked.

        What is spent is counted anew after each answer: other calls of the run went on meanwhile.
        """
        ledger, estimate = self._accounts.ledger, self._estimate(endpoint, question)
        if ledger is None or not estimate:
            return ""
        agreed: set[str] = set()
        while True:
            budgets = await self._budgets(ledger, asker, agreed)
            decision = decide(estimate, *budgets)
            if decision.verdict is Verdict.STOP:
                raise Missed(ModelFailure(decision.sentence, decision.remedy), Reaction.UNSENT)
            if decision.verdict is Verdict.ALLOW or self._accounts.person is None or not asker.run:
                return decision.sentence
            budget = next(one for one in budgets if one.name == decision.budget)
            with clock_stopped():
                reply = await self._accounts.person.ask(inquiry_of(asker.run, budget, estimate, decision.sentence))
            if reply is Consent.NOBODY:
                return decision.sentence
            if reply is Consent.STOP:
                raise Missed(
                    ModelsStopped(
                        f"You chose to finish without a model that costs something, before the budget of this {budget.name} "
                        f"({dollars(budget.limit_microusd)}) was spent.",
                        "Start the run again and answer otherwise, or with a higher budget.",
                    ),
                    Reaction.UNSENT,
                )
            agreed.add(budget.name)

    async def _budgets(self, ledger: Ledger, asker: Asker, agreed: Collection[str]) -> list[Budget]:
        """The budget of the run and the month's, as they are spent now."""
        month = datetime.now(UTC).strftime("%Y-%m")
        return [
            Budget(
                "run",
                asker.budget_microusd,
                await asyncio.to_thread(ledger.spent_by_run, asker.run) if asker.run else 0,
                "Start the run again with a higher --budget.",
                self._accounts.ask_percent,
                "run" in agreed,
            ),
            Budget(
                "month",
                self._accounts.month_budget_microusd,
                await asyncio.to_thread(ledger.spent_in_month, month),
                "Raise QVERIFY_MONTH_BUDGET_MICROUSD, or month_budget_microusd in the settings.",
                self._accounts.ask_percent,
                "month" in agreed,
            ),
        ]

    async def _turn(self, name: str, question: Question, limit: RateLimit) -> str:
        """Wait for the end point's queue and for a free place. Answers the ticket of the place, empty where none is needed."""
        limiter = self._accounts.limiter
        if limiter is None or limit == RateLimit():
            return ""
        if limit.requests_per_minute or limit.tokens_per_minute:
            wait = await asyncio.to_thread(limiter.reserve, name, question.prompt_tokens + question.most, limit)
            if wait > 0:
                await self._sleep(wait)
        while limit.at_once:
            ticket = await _whole(limiter.enter, name, limit, undo=limiter.leave)
            if ticket:
                return ticket
            await self._sleep(LOOK_S)
        return ""

    async def _intend(self, name: str, endpoint: Endpoint, question: Question, asker: Asker, estimate: int) -> int:
        if self._accounts.ledger is None:
            return 0
        intent = Intent(
            run=asker.run,
            source=asker.source,
            request=asker.request,
            purpose=question.purpose,
            deployment=name,
            provider=endpoint.wire.value,
            model=endpoint.model,
            prompt_tokens=question.prompt_tokens,
            estimate_microusd=estimate,
            sent_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        ledger = self._accounts.ledger
        off = Settlement(CallState.FAILED, sentence="The question was called off before it was sent.")
        return await _whole(ledger.intend, intent, undo=lambda call: ledger.settle(call, off))

    async def _settle(self, call: int, state: CallState, answer: Answer, sentence: str = "") -> None:
        if self._accounts.ledger is not None:
            settlement = Settlement(
                state,
                answer.prompt_tokens,
                answer.completion_tokens,
                answer.cost_microusd,
                answer.duration_ms,
                sentence,
            )
            await asyncio.to_thread(self._accounts.ledger.settle, call, settlement)

    async def _fail(self, call: int, sentence: str, started: float, *, doubt: bool = False) -> None:
        if self._accounts.ledger is not None:
            state = CallState.IN_DOUBT if doubt else CallState.FAILED
            settlement = Settlement(state, duration_ms=_ms(started), sentence=sentence)
            await asyncio.to_thread(self._accounts.ledger.settle, call, settlement)

    def _answer(self, endpoint: Endpoint, reply: Reply, text: str, started: float) -> Answer:
        return Answer(
            text=text,
            model=endpoint.model,
            provider=endpoint.wire.value,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cost_microusd=self._cost(endpoint, reply),
            duration_ms=_ms(started),
        )

    async def _kept(
        self, key: str, name: str, endpoint: Endpoint, question: Question, asker: Asker, started: float
    ) -> Answer | None:
        """An answer that was given before. It costs nothing, and stands in the ledger as such."""
        assert self._accounts.cache is not None
        found = await asyncio.to_thread(self._accounts.cache.get, key)
        try:
            kept = json.loads(found) if found else None
            counts = (int(kept["prompt_tokens"]), int(kept["completion_tokens"])) if kept else (0, 0)
            text = str(kept["text"]) if kept else ""
        except (ValueError, KeyError, TypeError):
            return None
        if not text.strip():
            return None
        answer = Answer(text, endpoint.model, endpoint.wire.value, *counts, 0, _ms(started), cached=True)
        call = await self._intend(name, endpoint, question, asker, 0)
        await self._settle(call, CallState.CACHED, answer)
        return answer

    def _keep(self, key: str, answer: Answer) -> None:
        assert self._accounts.cache is not None
        kept = {
            "text": answer.text,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
        }
        self._accounts.cache.put(key, json.dumps(kept))


async def _whole(work: Callable[..., T], *arguments: Any, undo: Callable[[T], None]) -> T:
    """``work`` in a thread. A caller that is called off meanwhile gets nothing, and what was done is undone."""
    done = asyncio.ensure_future(asyncio.to_thread(work, *arguments))
    try:
        return await asyncio.shield(done)
    except asyncio.CancelledError:
        with contextlib.suppress(Exception):
            result = await done
            if result:
                await asyncio.to_thread(undo, result)
        raise


def _ms(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _usable(reply: Reply, endpoint: Endpoint, most: int) -> str:
    place = endpoint.place[0].upper() + endpoint.place[1:]
    if reply.finish == "content_filter":
        held = ModelFailure(f"{place} held its answer back by its content filter.", "Try another model.")
        raise Missed(held, Reaction.REFUSED)
    if reply.text.strip():
        return reply.text
    if reply.thinking:
        words = f"{place} used all of its {most} tokens for thinking and gave no answer."
        raise Missed(ModelFailure(words, "Try a model that thinks less."), Reaction.NEXT)
    raise Missed(ModelFailure(f"{place} gave an empty answer.", "Try again, or try another model."), Reaction.NEXT)
