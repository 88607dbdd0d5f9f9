"""A budget asks before it is passed: real gateway, ledger, journal and HTTP server; the person answers, late, twice, never, or
after a restart."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from qverify_desktop.analysis.ports import Evidence
from qverify_desktop.domain.errors import BadInput, ModelFailure, ModelsStopped
from qverify_desktop.domain.inquiries import Consent, Inquiry
from qverify_desktop.domain.model import Answer, Asker
from qverify_desktop.domain.progress import EventKind, RunStatus
from qverify_desktop.domain.question import Question
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.inquiries import Inquiries
from qverify_desktop.engine.remote import RemoteEngine
from qverify_desktop.evidence.journal import EvidenceJournal
from qverify_desktop.evidence.signing import Signer
from qverify_desktop.gateway.call import Accounts
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.prices import Prices
from qverify_desktop.storage.artefacts import ArtefactStore
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.holders import Holder
from qverify_desktop.storage.model_calls import ModelCalls
from tests.engine.house import ScriptedAnalysis, follow, house
from tests.gateway.test_gateway import ASK
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import ModelServer, serving

#: A token of answer costs a millionth of a dollar, so a call of at most 100 tokens is estimated with 100.
PRICES = '[prices."openai/*"]\ninput = 0\noutput = 1_000_000\ncached_input = 0\n'
CALL = 100


class Desk:
    """One process's rooms over a state folder: where a person answers what the gateway asks."""

    def __init__(self, home: Path, **options: int) -> None:
        home.mkdir(exist_ok=True)
        (home / "prices.toml").write_text(PRICES)
        self.database = Database(home / "qverify.db")
        artefacts = ArtefactStore(home / "artefacts")
        key = Ed25519PrivateKey.from_private_bytes(b"k" * 32).private_bytes_raw()
        self.journal = EvidenceJournal(self.database, artefacts, Signer("qverify.local/test", key, "unprotected key"))
        for run in ("r", "r2"):
            self.journal.record(
                run, "open", artefacts.put(b"1"), [Evidence("run_opened", {"application": "test"}, {})]
            )
        self.ledger = ModelCalls(self.database, Holder(self.database))
        self.inquiries = Inquiries(self.journal, artefacts)
        self.present = True
        self.told: list[tuple[str, bool]] = []
        self.inquiries.connect(lambda one, is_open: self.told.append((one.name, is_open)), lambda run: self.present)
        accounts = Accounts(
            ledger=self.ledger,
            prices=Prices.load(home),
            person=self.inquiries,
            month_budget_microusd=options.get("month", 0),
        )
        self.gateway = ModelGateway(accounts=accounts, total_s=options.get("total_s", 60))

    async def ask(self, server: ModelServer, budget: int = 120, run: str = "r") -> Answer:
        asker = Asker(run=run, budget_microusd=budget)
        return await self.gateway.complete(Question(ASK, "generate", CALL, "m", f"{server.url}/v1", asker=asker))

    async def opened(self, count: int = 1) -> list[Inquiry]:
        async with asyncio.timeout(20):
            while len(self.inquiries.open()) < count:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        return self.inquiries.open()

    def answers(self) -> list[dict[str, object]]:
        """What the evidence says that the person answered."""
        with self.database.reading() as session:
            rows = session.connection().exec_driver_sql(
                "SELECT leaf FROM entries WHERE type = 'person_answered' ORDER BY 1"
            )
            return [json.loads(row[0])["data"] for row in rows.all()]

    async def close(self) -> None:
        await self.gateway.close()
        self.database.close()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(tmp_path / "home")
    yield made
    await made.close()


@pytest.fixture
def script() -> Script:
    return Script([Say("def test_one(): assert True")])


@pytest.fixture
def server(script: Script) -> Iterator[ModelServer]:
    with serving(script, "openai") as running:
        yield running


async def test_nothing_is_sent_before_the_answer_and_two_questions_ask_once(
    desk: Desk, server: ModelServer, script: Script
) -> None:
    asking = [asyncio.create_task(desk.ask(server)) for _ in range(2)]
    [one] = await desk.opened()
    assert len(script.requests) == 0, "the call waits"
    assert one.facts == {"budget": "run", "spent_microusd": 0, "estimate_microusd": 100, "limit_microusd": 120}
    assert "budget" in one.sentence and desk.ledger.spent_by_run("r") == 0
    desk.inquiries.answer("r", one.name, Consent.GO_ON)
    first, second = await asyncio.gather(*asking, return_exceptions=True)
    assert {type(first), type(second)} <= {Answer, ModelFailure} and isinstance(first, Answer | ModelFailure)
    assert len(script.requests) >= 1 and desk.told == [(one.name, True), (one.name, False)]
    assert [(said["reply"], said["limit_microusd"]) for said in desk.answers()] == [("go_on", 120)]
    with pytest.raises(BadInput, match="answered already"):
        desk.inquiries.answer("r", one.name, Consent.STOP)


async def test_it_goes_on_up_to_the_limit_and_no_further(desk: Desk, server: ModelServer, script: Script) -> None:
    asking = asyncio.create_task(desk.ask(server))
    [one] = await desk.opened()
    desk.inquiries.answer("r", one.name, Consent.GO_ON)
    assert (await asking).attempts == ()
    spent = desk.ledger.spent_by_run("r")
    assert 0 < spent < 20, "the next call still fits"
    await desk.ask(server)
    with pytest.raises(ModelFailure, match="so it was not made"):
        while True:
            await desk.ask(server)
    assert desk.ledger.spent_by_run("r") <= 120 and len(desk.answers()) == 1


async def test_stop_sends_nothing_and_is_not_asked_again(desk: Desk, server: ModelServer, script: Script) -> None:
    asking = asyncio.create_task(desk.ask(server))
    [one] = await desk.opened()
    desk.inquiries.answer("r", one.name, Consent.STOP)
    with pytest.raises(ModelsStopped, match="You chose to finish"):
        await asking
    with pytest.raises(ModelsStopped):
        await desk.ask(server)
    assert len(script.requests) == 0 and len(desk.told) == 2 and [one["reply"] for one in desk.answers()] == ["stop"]


@pytest.mark.parametrize("reply", [Consent.GO_ON, Consent.STOP])
async def test_a_restart_finds_the_answer_and_asks_what_was_open(
    tmp_path: Path, server: ModelServer, script: Script, reply: Consent
) -> None:
    first = Desk(tmp_path / "home")
    asking = asyncio.create_task(first.ask(server))
    [one] = await first.opened()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.sleep(0.05)
    assert first.inquiries.open() == [] and first.told[-1] == (one.name, False), "the question went with its run"
    await first.close()
    second = Desk(tmp_path / "home")
    asking = asyncio.create_task(second.ask(server))
    [again] = await second.opened()
    assert again.name == one.name
    second.inquiries.answer("r", again.name, reply)
    await asyncio.gather(asking, return_exceptions=True)
    await second.close()
    third = Desk(tmp_path / "home")
    done = await asyncio.gather(third.ask(server), return_exceptions=True)
    assert isinstance(done[0], Answer if reply is Consent.GO_ON else ModelsStopped)
    assert third.told == [] and len(third.answers()) == 1
    await third.close()


async def test_where_nobody_is_there_it_goes_on_to_the_limit_and_says_so(desk: Desk, server: ModelServer) -> None:
    desk.present = False
    answer = await desk.ask(server)
    assert "budget" in answer.attempts[0] and desk.answers() == [] and desk.told == []


async def test_one_who_leaves_is_not_waited_for(desk: Desk, server: ModelServer) -> None:
    asking = asyncio.create_task(desk.ask(server))
    await desk.opened()
    desk.present = False
    desk.inquiries.look_again()
    assert "budget" in (await asking).attempts[0] and desk.answers() == []


async def test_time_to_think_is_not_the_model_s(tmp_path: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path / "home", total_s=2)
    await desk.ask(server, budget=0)
    asking = asyncio.create_task(desk.ask(server))
    [one] = await desk.opened()
    await asyncio.sleep(2.5)
    desk.inquiries.answer("r", one.name, Consent.GO_ON)
    assert (await asking).duration_ms < 2000
    await desk.close()


async def test_the_month_s_budget_asks_the_same(tmp_path: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path / "home", month=110)
    asking = asyncio.create_task(desk.ask(server, budget=1_000_000))
    [one] = await desk.opened()
    assert one.facts["budget"] == "month" and one.facts["limit_microusd"] == 110
    desk.inquiries.answer("r", one.name, Consent.GO_ON)
    assert (await asking).attempts == ()
    await desk.close()


async def test_the_month_s_budget_is_agreed_to_once_for_all_runs(tmp_path: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path / "home", month=124)
    asking = [asyncio.create_task(desk.ask(server, 1_000_000, run)) for run in ("r", "r2")]
    one, other = await desk.opened(2)
    assert one.name == other.name and {one.run, other.run} == {"r", "r2"}
    desk.inquiries.answer("r2", one.name, Consent.GO_ON)
    # Two calls of 100 at once don't fit, so the second may be refused: by the limit, not by a question.
    await asyncio.gather(*asking, return_exceptions=True)
    assert desk.inquiries.open() == [] and len(desk.told) == 4
    assert [(said["reply"], said.get("answered_in")) for said in desk.answers()] == [("go_on", None)] * 2
    await desk.close()
    later = Desk(tmp_path / "home", month=124)
    later.journal.record("r3", "open", "0" * 64, [Evidence("run_opened", {"application": "test"}, {})])
    await later.ask(server, 1_000_000, "r3")
    [taken] = [said["answered_in"] for said in later.answers() if "answered_in" in said]
    assert later.told == [] and taken in ("r", "r2")
    await later.close()
    # Another limit is another question.
    raised = Desk(tmp_path / "home", month=130)
    asking = [asyncio.create_task(raised.ask(server, 1_000_000, "r3"))]
    [again] = await raised.opened()
    raised.inquiries.answer("r3", again.name, Consent.GO_ON)
    await asyncio.gather(*asking)
    await raised.close()


async def test_a_no_to_the_month_s_budget_is_of_its_run_alone(tmp_path: Path, server: ModelServer) -> None:
    desk = Desk(tmp_path / "home", month=110)
    asking = [asyncio.create_task(desk.ask(server, 1_000_000, run)) for run in ("r", "r2")]
    one, _ = await desk.opened(2)
    desk.inquiries.answer("r", one.name, Consent.STOP)
    with pytest.raises(ModelsStopped):
        await asking[0]
    assert [left.run for left in desk.inquiries.open()] == ["r2"]
    desk.inquiries.answer("r2", one.name, Consent.GO_ON)
    assert (await asking[1]).attempts == ()
    # What its own run was told first stays.
    with pytest.raises(ModelsStopped):
        await desk.ask(server, 1_000_000, "r")
    await desk.close()


async def test_both_budgets_ask_one_after_the_other(tmp_path: Path, server: ModelServer, script: Script) -> None:
    desk = Desk(tmp_path / "home", month=110)
    asking = asyncio.create_task(desk.ask(server))
    [run] = await desk.opened()
    desk.inquiries.answer("r", run.name, Consent.GO_ON)
    while not [one for one in desk.inquiries.open() if one.name != run.name]:
        await asyncio.sleep(0.01)
    [month] = desk.inquiries.open()
    assert len(script.requests) == 0
    desk.inquiries.answer("r", month.name, Consent.STOP)
    with pytest.raises(ModelsStopped, match="this month"):
        await asking
    await desk.close()


# Over the engine's doors


class Asks:
    """An analysis whose step ``work`` asks the person."""

    def __init__(self) -> None:
        self.inquiries: Inquiries | None = None
        self.run = ""
        self.heard: list[Consent] = []

    async def __call__(self, step: str) -> None:
        if step == "work":
            while not (self.inquiries and self.run):
                await asyncio.sleep(0.01)
            self.heard.append(
                await self.inquiries.ask(Inquiry(self.run, "budget.run.5", "Spend it?", {"budget": "run"}))
            )


@pytest.mark.parametrize("far", [False, True])
async def test_a_window_or_a_terminal_answers_and_the_bundle_holds_it(
    tmp_path: Path, source: Path, far: bool
) -> None:
    asks, home = Asks(), tmp_path / "home"
    async with house(home, ScriptedAnalysis(asks)) as engine:
        door = RemoteEngine(home) if far else engine
        asks.inquiries = engine._inquiries
        run = await door.start(AnalysisRequest(str(source)))
        events = []

        async def attend() -> None:
            async for event in door.watch(run, attend=True):
                events.append(event)

        watching = asyncio.create_task(attend())
        while not engine._attended(run):
            await asyncio.sleep(0.01)
        asks.run = run
        while not (asked := await door.ask("inquiries")):
            await asyncio.sleep(0.02)
        assert asked == [{"run": run, "name": "budget.run.5", "sentence": "Spend it?", "facts": {"budget": "run"}}]
        for wrong in ({"reply": "perhaps"}, {"reply": "nobody"}, {"reply": "go_on", "name": "other"}):
            with pytest.raises(BadInput):
                await door.ask("inquiry_answer", **{"run": run, "name": "budget.run.5", **wrong})
        await door.ask("inquiry_answer", run=run[:12], name="budget.run.5", reply="go_on")
        await watching
        assert asks.heard == [Consent.GO_ON] and await door.ask("inquiries") == []
        assert [one.text for one in events if one.kind is EventKind.INQUIRY] == ["Spend it?", ""]
        page = await door.ask("evidence_log", run=run, text="person answered", start=0, limit=10)
        assert "The person was asked and answered: go on." in [one["words"] for one in page["entries"]]
        bundle = await door.export(run, "evidence", tmp_path / "run.zip")
        assert (await door.verify(bundle))["valid"]


async def test_an_open_window_attends_every_run_and_leaving_answers_for_nobody(tmp_path: Path, source: Path) -> None:
    asks, home = Asks(), tmp_path / "home"
    async with house(home, ScriptedAnalysis(asks)) as engine:
        asks.inquiries = engine._inquiries
        changes = RemoteEngine(home).changes()
        assert await anext(changes) == ""
        run = await engine.start(AnalysisRequest(str(source)))
        asks.run = run
        while not await engine.ask("inquiries"):
            await asyncio.sleep(0.02)
        await changes.aclose()  # type: ignore[attr-defined]
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED
        assert asks.heard == [Consent.NOBODY]


async def test_cancelling_the_run_takes_its_question_back(tmp_path: Path, source: Path) -> None:
    asks, home = Asks(), tmp_path / "home"
    async with house(home, ScriptedAnalysis(asks)) as engine:
        asks.inquiries = engine._inquiries
        changes = engine.changes()
        await anext(changes)
        run = await engine.start(AnalysisRequest(str(source)))
        asks.run = run
        while not await engine.ask("inquiries"):
            await asyncio.sleep(0.02)
        await engine.cancel(run)
        assert await engine.ask("inquiries") == [] and asks.heard == []
        await changes.aclose()  # type: ignore[attr-defined]


async def test_a_run_that_is_paused_while_it_asks_pauses_and_asks_again(tmp_path: Path, source: Path) -> None:
    asks, home = Asks(), tmp_path / "home"
    async with house(home, ScriptedAnalysis(asks)) as engine:
        asks.inquiries = engine._inquiries
        changes = engine.changes()
        await anext(changes)
        run = await engine.start(AnalysisRequest(str(source)))
        asks.run = run
        while not await engine.ask("inquiries"):
            await asyncio.sleep(0.02)
        await engine.ask("run_pause", run=run)
        assert (await follow(engine, run))[-1].status is RunStatus.PAUSED
        assert await engine.ask("inquiries") == [] and asks.heard == []
        await engine.resume(run)
        while not (asked := await engine.ask("inquiries")):
            await asyncio.sleep(0.02)
        await engine.ask("inquiry_answer", run=run, name=asked[0]["name"], reply="stop")
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED and asks.heard == [Consent.STOP]
        await changes.aclose()  # type: ignore[attr-defined]
