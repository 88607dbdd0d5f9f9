"""Three end points in the person's order, each a real server: every fault in every position, counted by the servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.model import Answer, Asker, Deployment, RateLimit
from qverify_desktop.domain.question import Question
from qverify_desktop.gateway.call import Accounts
from qverify_desktop.gateway.failover import Health
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.prices import Prices
from qverify_desktop.settings.secrets import ApiKeys
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_answers import ModelAnswers
from qverify_desktop.storage.model_calls import ModelCalls
from qverify_desktop.storage.model_limits import ModelLimits
from tests.gateway.test_gateway import ASK
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import ModelServer, serving

WIRES = ("azure", "anthropic", "ollama")
NO_LIMIT = RateLimit()
GOOD = Say("def test_one(): assert True")
FAULTS = {
    "429": Say(fault="429"),
    "429 for long": Say(fault="429", retry_after="3600"),
    "500": Say(fault="500"),
    "503": Say(fault="503"),
    "slow": Say("late", delay_s=20),
    "cut": Say("half of this is lost" * 50, fault="cut"),
    "empty": Say(fault="empty"),
    "html": Say(fault="html"),
    "junk": Say(fault="junk"),
    "thinking": Say(fault="thinking"),
    "401": Say(fault="401"),
    "404": Say(fault="404"),
    "too long": Say(fault="400", message="This model's maximum context length is 9 tokens."),
}


@contextlib.contextmanager
def three(*scripts: Script) -> Iterator[list[ModelServer]]:
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(serving(script, wire)) for script, wire in zip(scripts, WIRES, strict=True)]


def deployments(servers: list[ModelServer], limit: RateLimit = NO_LIMIT) -> list[Deployment]:
    return [
        Deployment(name=wire, wire=wire, model="scripted", base=server.url, limit=limit)
        for wire, server in zip(WIRES, servers, strict=True)
    ]


async def ask(gateway: ModelGateway, asker: Asker = Asker()) -> Answer:
    return await gateway.complete(Question(ASK, "generate", 100, asker=asker))


async def at_once(seconds: float) -> None:
    """A wait that no test waits for."""


@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("fault", FAULTS)
async def test_every_fault_in_every_position(fault: str, position: int) -> None:
    """Those before it say that they can't now; those after it answer."""
    scripts = [
        Script([Say(fault="503")] if n < position else [FAULTS[fault]] if n == position else [GOOD]) for n in range(3)
    ]
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), timeout_s=1.5, sleep=sleep)
        try:
            if position < 2:
                answer = await ask(gateway)
                assert answer.text == GOOD.text and answer.provider == WIRES[position + 1]
                assert len(answer.attempts) == position + 1 and all(one.endswith(".") for one in answer.attempts)
            else:
                with pytest.raises(ModelFailure) as caught:
                    await ask(gateway)
                assert caught.value.sentence.endswith(".")
        finally:
            await gateway.close()
    counts = [len(script.requests) for script in scripts]
    if position < 2:
        assert counts == [1] * (position + 2) + [0] * (1 - position) and waits == []
    else:
        passing = fault in ("429", "500", "503")
        assert counts == [3, 3, 3 if passing else 1], "what said 'not now' is asked three times, all else once"


async def test_what_each_server_asks_to_wait_is_waited_for_each() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(round(seconds, 3))

    scripts = [
        Script([Say(fault="429", retry_after="8"), GOOD]),
        Script([Say(fault="503")]),
        Script([Say(fault="404")]),
    ]
    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), sleep=sleep, health=Health(jitter=lambda: 1.0))
        assert (await ask(gateway)).provider == "azure"
        await gateway.close()
    assert waits == [0.5, 1.0, 6.5], "the second is asked after half a second and one more, the first after its eight"
    assert [len(script.requests) for script in scripts] == [2, 3, 1]


async def test_nobody_is_asked_again_who_wants_an_hour() -> None:
    scripts = [Script([Say(fault="429", retry_after="3600")]) for _ in WIRES]
    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), sleep=at_once)
        with pytest.raises(ModelFailure):
            await ask(gateway)
        await gateway.close()
    assert [len(script.requests) for script in scripts] == [1, 1, 1]


async def test_each_gets_its_own_key_and_nobody_the_general_one() -> None:
    scripts = [Script([Say(fault="503")]), Script([Say(fault="503")]), Script([GOOD])]
    with three(*scripts) as servers:
        keys = ApiKeys.take({"QVERIFY_API_KEY": "sk-for-whoever-is-used"})
        gateway = ModelGateway(keys, order=deployments(servers), sleep=at_once)
        await ask(gateway)
        await gateway.close()
    assert "sk-for" not in str([script.headers for script in scripts])


async def test_a_policy_that_kept_a_question_here_says_nothing_of_the_end_point() -> None:
    scripts = [Script([GOOD]) for _ in WIRES]
    with three(*scripts) as servers:
        far = Deployment("far", "openai", "gpt", "https://models.example.org/v1")
        gateway = ModelGateway(order=[far, *deployments(servers)])
        for _ in range(2):
            answer = await ask(gateway, Asker(cloud=False))
            assert "stay on this machine" in answer.attempts[0]
        await gateway.close()


@pytest.mark.parametrize("fault", ["400", "filter"])
async def test_what_one_refused_is_asked_elsewhere_only_where_that_is_allowed(fault: str) -> None:
    for allowed in (False, True):
        scripts = [Script([Say("x", fault=fault)]), Script([GOOD]), Script([GOOD])]
        if fault == "filter":
            scripts = [Script([GOOD]), Script([Say("x", fault=fault)]), Script([GOOD])]
        with three(*scripts) as servers:
            order = deployments(servers) if fault == "400" else deployments(servers)[1:]
            gateway = ModelGateway(order=order, pass_refused=allowed, sleep=at_once)
            if allowed:
                assert (await ask(gateway)).text == GOOD.text
            else:
                with pytest.raises(ModelFailure):
                    await ask(gateway)
            await gateway.close()


async def test_one_with_a_wrong_key_is_set_aside_until_keys_change() -> None:
    scripts = [Script([Say(fault="401"), GOOD]), Script([GOOD]), Script([GOOD])]
    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), sleep=at_once)
        first, second = await ask(gateway), await ask(gateway)
        assert (first.provider, second.provider) == ("anthropic", "anthropic")
        assert len(scripts[0].requests) == 1 and "key" in second.attempts[0]
        gateway.forget_failures()
        assert (await ask(gateway)).provider == "azure"
        await gateway.close()


async def test_one_that_failed_cools_down_and_is_then_tried_by_one_question() -> None:
    now = [100.0]
    scripts = [Script([Say(fault="500"), Say("slow", delay_s=0.6), GOOD]), Script([GOOD]), Script([GOOD])]
    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), health=Health(clock=lambda: now[0], jitter=lambda: 1.0))
        await ask(gateway)
        await ask(gateway)
        assert len(scripts[0].requests) == 1, "it is left alone while it cools down"
        now[0] += 1
        answers = await asyncio.gather(*(ask(gateway) for _ in range(4)))
        assert len(scripts[0].requests) == 2, "one question tries it, the others go on"
        assert sorted(one.provider for one in answers) == ["anthropic", "anthropic", "anthropic", "azure"]
        assert (await ask(gateway)).provider == "azure"
        await gateway.close()


async def test_nothing_goes_elsewhere_against_the_policy() -> None:
    scripts = [Script([GOOD]) for _ in WIRES]
    with three(*scripts) as servers:
        far = Deployment("far", "openai", "gpt", "https://models.example.org/v1")
        gateway = ModelGateway(order=[far, *deployments(servers)])
        answer = await ask(gateway, Asker(cloud=False))
        assert answer.provider == "azure" and "stay on this machine" in answer.attempts[0]
        alone = ModelGateway(order=[far])
        with pytest.raises(ModelFailure, match="stay on this machine"):
            await ask(alone, Asker(cloud=False))
        closed = ModelGateway(order=[far], air_gap=True)
        with pytest.raises(ModelFailure, match="air gap"):
            await ask(closed)
        for one in (gateway, alone, closed):
            await one.close()


async def test_a_prompt_that_is_too_long_is_sent_shorter_before_anybody_else_is_asked() -> None:
    scripts = [Script([FAULTS["too long"], GOOD]), Script([GOOD]), Script([GOOD])]
    limits: list[int] = []

    def shorter(limit: int) -> list[dict[str, str]]:
        limits.append(limit)
        return [{"role": "user", "content": "Short."}]

    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers))
        answer = await gateway.complete(Question(ASK, "generate", 100, shorter=shorter))
        await gateway.close()
    assert answer.provider == "azure" and len(limits) == 1
    assert [len(script.requests) for script in scripts] == [2, 0, 0]


async def test_nobody_is_set_up() -> None:
    with pytest.raises(ModelFailure, match="No model is set up"):
        await ask(ModelGateway())


class Kept:
    """Real ledger, limiter and cache over a real database."""

    def __init__(self, folder: Path) -> None:
        self.database = Database(folder / "qverify.db")
        holder = Holder(self.database)
        self.calls = ModelCalls(self.database, holder)
        self.accounts = Accounts(
            ledger=self.calls,
            limiter=ModelLimits(self.database, holder),
            cache=ModelAnswers(self.database),
            prices=Prices.load(folder),
        )

    def states(self) -> list[str]:
        with self.database.reading() as session:
            rows = session.connection().exec_driver_sql("SELECT state FROM model_calls ORDER BY call").all()
        return [str(row[0]) for row in rows]


async def test_every_call_is_in_the_ledger_and_an_answer_is_paid_once(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    scripts = [Script([Say(fault="500")]), Script([GOOD]), Script([GOOD])]
    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), accounts=kept.accounts, sleep=at_once)
        first = await ask(gateway, Asker(run="r"))
        again = await ask(gateway, Asker(run="r"))
        fresh = await ask(gateway, Asker(run="r", cached=False))
        await gateway.close()
    assert (first.cached, again.cached, fresh.cached) == (False, True, False)
    assert again.text == first.text and again.cost_microusd == 0
    assert kept.states() == ["failed", "answered", "cached", "answered"]
    assert len(scripts[1].requests) == 2


async def test_a_call_that_is_called_off_is_settled_and_its_place_free(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    scripts = [Script([Say("late", delay_s=20)]), Script([GOOD]), Script([GOOD])]
    with three(*scripts) as servers:
        order = deployments(servers, RateLimit(at_once=1))
        gateway = ModelGateway(order=order, accounts=kept.accounts)
        task = asyncio.create_task(ask(gateway))
        while not scripts[0].requests:
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert kept.states() == ["failed"]
        assert kept.accounts.limiter is not None
        assert kept.accounts.limiter.enter("azure", RateLimit(at_once=1))
        await gateway.close()


async def test_a_budget_stops_what_costs_and_what_is_free_goes_on(tmp_path: Path) -> None:
    kept = Kept(tmp_path)
    with serving(Script([GOOD]), "ollama") as local:
        far = Deployment("far", "openai", "gpt-4.1", "https://models.example.org/v1")
        near = Deployment("near", "ollama", "scripted", local.url)
        gateway = ModelGateway(order=[far, near], accounts=kept.accounts)
        answer = await ask(gateway, Asker(run="r", cloud=True, budget_microusd=1))
        await gateway.close()
    assert answer.provider == "ollama" and "budget of this run" in answer.attempts[0]


@pytest.mark.parametrize("wire", ["openai", "azure", "anthropic"])
async def test_what_the_provider_had_cached_is_paid_at_its_own_price_and_counted(wire: str, tmp_path: Path) -> None:
    prices = "input = 1_000_000_000\noutput = 0\ncached_input = 100_000_000\n"
    (tmp_path / "prices.toml").write_text(f'[prices."{wire}/scripted"]\n{prices}')
    kept = Kept(tmp_path)
    with serving(Script([Say("yes", cached=2)]), wire) as server:
        order = [Deployment("one", wire, "scripted", server.url)]
        gateway = ModelGateway(order=order, accounts=kept.accounts)
        answer = await ask(gateway)
        await gateway.close()
    assert (answer.prompt_tokens, answer.cached_tokens) == (3, 2)
    assert answer.cost_microusd == 1_000 + 2 * 100
    with kept.database.reading() as session:
        row = session.connection().exec_driver_sql("SELECT cached_tokens, cost_microusd FROM model_calls").one()
    assert tuple(row) == (2, 1_200)


async def test_what_a_server_did_not_count_is_paid_by_our_own_count(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text('[prices."openai/scripted"]\ninput = 1_000_000\noutput = 3_000_000\n')
    kept = Kept(tmp_path)
    with serving(Script([Say("x" * 300, counts=False)])) as server:
        gateway = ModelGateway(
            order=[Deployment("one", "openai", "scripted", server.url)], accounts=kept.accounts, sleep=at_once
        )
        answer = await ask(gateway)
        await gateway.close()
    assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0), "the counts stay the server's own"
    assert 300 < answer.cost_microusd <= 330


async def test_who_counts_nothing_in_a_stream_and_may_be_paid_is_not_asked_for_one_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with serving(Script([Say("yes", counts=False)])) as server:
        # 127.0.0.1 in a notation that no policy takes for this machine.
        base = server.url.replace("127.0.0.1", "0x7f.1")
        gateway = ModelGateway(order=[Deployment("far", "openai", "scripted", base)])
        for _ in range(2):
            await gateway.complete(Question(ASK, "generate", 100, asker=Asker(cloud=True), hear=lambda piece: None))
        await gateway.close()
    assert ["stream" in request for request in server.script.requests] == [True, False]
