"""The life of one call: is the answer known, may it be paid, is it its turn, what was sent, what came of it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from qverify_desktop.domain.errors import ModelFailure, ModelsStopped
from qverify_desktop.domain.inquiries import Consent
from qverify_desktop.domain.model import Answer, Asker, CallState, Intent, RateLimit, Settlement
from qverify_desktop.domain.question import Question
from qverify_desktop.gateway.budget import Budget, Verdict, decide
from qverify_desktop.gateway.consent import clock_stopped, inquiry_of
from qverify_desktop.gateway.errors import CallFailed, failure
from qverify_desktop.gateway.failover import Missed, Reaction, reaction_to, refused_part
from qverify_desktop.gateway.ports import Ledger, Limiter, Person, ResponseCache
from qverify_desktop.gateway.prices import Prices, dollars
from qverify_desktop.gateway.provider import Endpoint, Provider, Reply

T = TypeVar("T")

#: Seconds between two looks whether a place is free.
LOOK_S = 0.2
#: Bytes of text for a token, at least: tokenizers take three to four of code.
BYTES_OF_A_TOKEN = 3


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
class Call:
    """A question as it goes to one end point, which the person's order calls ``name``. ``prompt_tokens`` are counted, ``window``
    is the context asked of Ollama."""

    name: str
    endpoint: Endpoint
    question: Question
    limit: RateLimit
    prompt_tokens: int
    window: int

    def key(self) -> str:
        """Digest of everything that shapes the answer (SHA-256 of JSON with sorted keys)."""
        shape = {
            "wire": self.endpoint.wire.value,
            "base": self.endpoint.base,
            "model": self.endpoint.model,
            "version": self.endpoint.api_version,
            "messages": self.question.messages,
            "most": self.question.max_tokens,
            "window": self.window,
            "template": self.question.template,
            "schema": self.question.schema,
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

    def set_limits(self, timeout_s: float, month_budget_microusd: int, ask_percent: int) -> None:
        """From the next call on, go by these."""
        self._timeout_s = timeout_s
        self._accounts = replace(self._accounts, month_budget_microusd=month_budget_microusd, ask_percent=ask_percent)

    async def ask(self, call: Call) -> Answer:
        """The end point's answer, out of the cache where it is there. Raises ``Missed``."""
        started = time.monotonic()
        key = call.key() if self._accounts.cache is not None and call.question.asker.cached else ""
        if key and (kept := await self._kept(key, call, started)):
            return kept
        note = await self._allow(call)
        estimate = self._estimate(call)
        ticket = await self._turn(call)
        try:
            number = await self._intend(call, estimate)
            reply, text = await self._attempt(call, number, started, paid=estimate > 0)
            answer = self._answer(call, reply, text, started)
            await self._settle(number, CallState.ANSWERED, answer, key=key)
        finally:
            if ticket and self._accounts.limiter is not None:
                await asyncio.shield(asyncio.to_thread(self._accounts.limiter.leave, ticket))
        return replace(answer, attempts=(note,)) if note else answer

    async def pause(self, name: str, seconds: float) -> None:
        """Let no process ask the end point for so long."""
        if self._accounts.limiter is not None and seconds > 0:
            await asyncio.to_thread(self._accounts.limiter.pause, name, seconds)

    async def _attempt(self, call: Call, number: int, started: float, *, paid: bool) -> tuple[Reply, str]:
        endpoint = call.endpoint
        if call.question.hear is not None:
            call.question.hear("")
        try:
            reply = await self._provider.complete(
                endpoint, call.question, context_tokens=call.window, timeout_s=self._timeout_s
            )
            return reply, _usable(reply, endpoint, call.question.max_tokens)
        except CallFailed as error:
            part = refused_part(error, call.question)
            missed = Missed(
                failure(error, endpoint, self._timeout_s), reaction_to(error, part), error.retry_after_s, part=part
            )
            # Whoever began to answer may charge for it.
            doubt = paid and error.kind in ("cut", "broke", "timeout", "too_large")
            await self._fail(number, missed.failure.sentence, started, doubt=doubt)
            raise missed from None
        except Missed as missed:
            # It was answered, and so paid, though nothing can be used.
            await self._settle(
                number, CallState.FAILED, self._answer(call, reply, "", started), missed.failure.sentence
            )
            raise
        except asyncio.CancelledError:
            await asyncio.shield(self._fail(number, "The question was called off.", started, doubt=paid))
            raise

    def _estimate(self, call: Call) -> int:
        if self._accounts.prices is None:
            return 0
        endpoint = call.endpoint
        price = self._accounts.prices.of(endpoint.wire.value, endpoint.model, local=endpoint.local)
        return price.most(call.prompt_tokens, call.question.max_tokens)

    def _cost(self, call: Call, reply: Reply) -> int:
        """By the person's and our own table; by the library's where only that knows the model. What a server did not count is paid
        all the same, so it is paid by our own count, rather too high."""
        if self._accounts.prices is None:
            return reply.cost_microusd
        endpoint = call.endpoint
        price = self._accounts.prices.of(endpoint.wire.value, endpoint.model, local=endpoint.local)
        if not price.known and reply.cost_microusd:
            return reply.cost_microusd
        if not reply.prompt_tokens and not reply.completion_tokens:
            return price.cost(call.prompt_tokens, len(reply.text.encode("utf-8", "replace")) // BYTES_OF_A_TOKEN)
        return price.cost(reply.prompt_tokens, reply.completion_tokens, reply.cached_tokens)

    async def _allow(self, call: Call) -> str:
        """Stop at a budget (``Missed``, so that a model that costs nothing may answer instead), and ask the person before one is
        nearly spent. Answers what to tell where nobody was there to be asked.

        What is spent is counted anew after each answer: other calls of the run went on meanwhile.
        """
        ledger, estimate, asker = self._accounts.ledger, self._estimate(call), call.question.asker
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

    async def _turn(self, call: Call) -> str:
        """Wait for the end point's queue and for a free place. Answers the ticket of the place, empty where none is needed."""
        limiter, name, limit = self._accounts.limiter, call.name, call.limit
        if limiter is None or limit == RateLimit():
            return ""
        tokens = call.prompt_tokens + call.question.max_tokens

        def begin() -> tuple[str, float]:
            # Both at once where nothing is to be waited for: each way into a thread and back takes its time.
            queued = limit.requests_per_minute or limit.tokens_per_minute
            wait = limiter.reserve(name, tokens, limit) if queued else 0.0
            return (limiter.enter(name, limit) if limit.at_once and wait <= 0 else "", wait)

        ticket, wait = await _whole(begin, undo=lambda begun: limiter.leave(begun[0]))
        if wait > 0:
            await self._sleep(wait)
        while limit.at_once and not ticket:
            ticket = await _whole(limiter.enter, name, limit, undo=limiter.leave)
            if not ticket:
                await self._sleep(LOOK_S)
        return ticket

    async def _intend(self, call: Call, estimate: int) -> int:
        if self._accounts.ledger is None:
            return 0
        asker = call.question.asker
        intent = Intent(
            run=asker.run,
            source=asker.source,
            request=asker.request,
            purpose=str(call.question.purpose),
            deployment=call.name,
            provider=call.endpoint.wire.value,
            model=call.endpoint.model,
            prompt_tokens=call.prompt_tokens,
            estimate_microusd=estimate,
            sent_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        )
        ledger = self._accounts.ledger
        off = Settlement(CallState.FAILED, sentence="The question was called off before it was sent.")
        return await _whole(ledger.intend, intent, undo=lambda number: ledger.settle(number, off))

    async def _settle(self, number: int, state: CallState, answer: Answer, sentence: str = "", key: str = "") -> None:
        """Note what a call came to, and keep its answer under ``key`` where there is one."""

        def note() -> None:
            if ledger is not None:
                ledger.settle(number, settlement)
            if key:
                self._keep(key, answer)

        ledger = self._accounts.ledger
        if ledger is not None or key:
            settlement = Settlement(
                state,
                answer.prompt_tokens,
                answer.completion_tokens,
                answer.cost_microusd,
                answer.duration_ms,
                sentence,
                answer.cached_tokens,
            )
            await asyncio.to_thread(note)

    async def _fail(self, number: int, sentence: str, started: float, *, doubt: bool = False) -> None:
        if self._accounts.ledger is not None:
            state = CallState.IN_DOUBT if doubt else CallState.FAILED
            settlement = Settlement(state, duration_ms=_ms(started), sentence=sentence)
            await asyncio.to_thread(self._accounts.ledger.settle, number, settlement)

    def _answer(self, call: Call, reply: Reply, text: str, started: float) -> Answer:
        return Answer(
            text=text,
            model=call.endpoint.model,
            provider=call.endpoint.wire.value,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            cost_microusd=self._cost(call, reply),
            duration_ms=_ms(started),
            cached_tokens=reply.cached_tokens,
        )

    async def _kept(self, key: str, call: Call, started: float) -> Answer | None:
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
        answer = Answer(text, call.endpoint.model, call.endpoint.wire.value, *counts, 0, _ms(started), cached=True)
        await self._settle(await self._intend(call, 0), CallState.CACHED, answer)
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
