"""A question's account: what was really sent is in the evidence, each question has a name of its own for the ledger."""

from __future__ import annotations

from typing import Any

import pytest

from qverify_desktop.analysis.context import Passage
from qverify_desktop.analysis.prompts import Prompt, render, tokens
from qverify_desktop.analysis.questions import EXPECTATIONS_SCHEMA, Account, is_loopback
from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.model import Answer, Asker, Masked, Purpose
from qverify_desktop.domain.question import Question
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.gateway.masking import mask
from qverify_desktop.gateway.recording import Recorded, RecordedGateway
from tests.analysis.test_prompts import PASSAGES, VALUES


class Narrow:
    """A model whose context takes ``limit`` tokens, and that asks for a shorter prompt once."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.sent: list[list[dict[str, str]]] = []
        self.askers: list[Asker] = []
        self.schemas: list[Any] = []

    def mask(self, messages: list[dict[str, str]]) -> Masked:
        return mask(messages)

    async def complete(self, question: Question) -> Answer:
        messages = question.messages
        self.askers.append(question.asker)
        self.schemas.append(question.schema)
        if tokens(messages) > self.limit:
            assert question.shorter is not None
            shorter = question.shorter(self.limit)
            if shorter is None:
                raise ModelFailure("It does not fit.", "Take another model.")
            messages = shorter
        self.sent.append(messages)
        return Answer("yes", "m", "openai", 1, 1, 5, 7, cached=True, attempts=("The first did not answer.",))


def prompt() -> Prompt:
    return render("generate", VALUES, (*PASSAGES, Passage("Callers", "call " * 400, 6)))


def account(gateway: Any) -> Account:
    return Account("t", AnalysisRequest("o", model="m"), gateway, Asker(run="r", request="r/python.0.model.0"))


async def test_a_shortened_prompt_is_in_the_evidence_as_it_was_sent() -> None:
    gateway = Narrow(tokens(prompt().messages) - 200)
    asking = account(gateway)
    assert await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA) == "yes"
    assert [e.type for e in asking.evidence] == ["model_prompt", "model_prompt_shortened", "model_answer"]
    sent = "\n\n".join(f"[{m['role']}]\n{m['content']}" for m in gateway.sent[0])
    assert asking.evidence[1].blobs["prompt"].decode() == sent
    assert "Callers" not in sent
    assert asking.evidence[2].data["cached"] == 1
    assert asking.evidence[2].blobs["attempts"] == b"The first did not answer."
    assert (asking.cost_microusd, asking.model_ms) == (5, 7)
    assert gateway.schemas == [EXPECTATIONS_SCHEMA]


async def test_a_failure_is_in_the_evidence_with_its_sentence() -> None:
    asking = account(Narrow(10))
    with pytest.raises(ModelFailure):
        await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA)
    assert asking.evidence[-1].type == "model_no_answer"
    assert asking.evidence[-1].blobs == {"sentence": b"It does not fit.", "remedy": b"Take another model."}


async def test_each_question_has_a_name_of_its_own_that_is_the_same_when_a_step_is_repeated() -> None:
    names = []
    for _ in range(2):
        gateway = Narrow(10**6)
        asking = account(gateway)
        for _ in range(3):
            await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA)
        names.append([asker.request for asker in gateway.askers])
    assert names[0] == names[1] == [f"r/python.0.model.0/{n}" for n in (1, 2, 3)]


async def test_what_was_recorded_is_answered_and_nothing_else() -> None:
    messages = prompt().messages
    digest = Question(messages, Purpose.GENERATE, 4096).digest
    first, second = (Answer(text, "m", "openai", 1, 2, 3, 4) for text in ("one", "two"))
    gateway = RecordedGateway([Recorded(digest, first), Recorded(digest, None, "It was down.", "Start it."), Recorded(digest, second)])  # fmt: skip
    asking = account(gateway)
    assert await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA) == "one"
    with pytest.raises(ModelFailure, match="It was down"):
        await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA)
    assert await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA) == "two"
    assert await asking.ask(prompt(), 0, Purpose.GENERATE, EXPECTATIONS_SCHEMA) == "two", "the last one repeats"
    with pytest.raises(ModelFailure, match="no answer to this question"):
        await asking.ask(prompt(), 0, Purpose.REPAIR, EXPECTATIONS_SCHEMA)
    assert (gateway.asked, gateway.unknown) == (5, 1)
    assert await gateway.probe("m", "") == ""
    assert await RecordedGateway([]).probe("m", "") != ""


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:11434/v1", True),
        ("localhost:11434", True),
        ("http://[::1]:1/", True),
        ("https://api.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("http://localhost.example.com", False),
        ("http://[::1", False),
        ("", False),
    ],
)
def test_an_address_on_this_machine_is_known(address: str, local: bool) -> None:
    assert is_loopback(address) is local


def test_the_digest_of_a_question_is_the_one_of_runs_that_are_recorded_already() -> None:
    """Another digest would leave every recording without its answers."""
    ask = [{"role": "user", "content": "Schreib einen Test für n < 3."}]
    plain = Question(ask, Purpose.GENERATE, 4096)
    assert plain.digest == "44cdb8abab90c7e5445bb6b58c608b3cacdec537ac05873c4fee560f84f0200c"
    other = Question(ask, "generate", 4096, "m", "http://x", Asker(run="r"), {"type": "object"}, "generate 3")
    assert other.digest == plain.digest
