"""Streamed answers over all four protocols: heard as they come, whole or failed, and counted by the server alone."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import pytest

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.model import Answer
from qverify_desktop.domain.question import Question
from qverify_desktop.gateway.errors import CallFailed
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.litellm_provider import LitellmProvider
from qverify_desktop.gateway.provider import Wire
from qverify_desktop.gateway.streams import fold_of
from tests.gateway.test_failover import FAULTS, GOOD, at_once, deployments, three
from tests.gateway.test_gateway import ASK, WIRES, _load, _until, named
from tests.model_servers.answers import Say, Script
from tests.model_servers.server import ModelServer, serving
from tests.model_servers.streams import frames

TEXT = "def test_one():\n    assert größe(3) == '…'\n"


class Heard:
    """What was heard, and whether the question was still open then."""

    def __init__(self) -> None:
        self.pieces: list[str] = []

    def __call__(self, piece: str) -> None:
        self.pieces.append(piece)

    @property
    def text(self) -> str:
        """Since it last began anew."""
        begun = max((at for at, piece in enumerate(self.pieces) if not piece), default=-1)
        return "".join(self.pieces[begun + 1 :])


async def listen(
    server: ModelServer, heard: Heard | None, gateway: ModelGateway | None = None, schema: Any = None
) -> Answer:
    asking = gateway or ModelGateway(sleep=at_once)
    try:
        return await asking.complete(Question(ASK, "test", 100, named(server), server.url, schema=schema, hear=heard))
    finally:
        if gateway is None:
            await asking.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_what_is_written_is_heard_while_it_is(wire: str) -> None:
    heard = Heard()
    with serving(Script([Say(TEXT, pause_s=0.05)]), wire) as server:
        await asyncio.to_thread(_load)
        asking = asyncio.create_task(listen(server, heard))
        await _until(lambda: len(heard.text) > 6)
        assert not asking.done(), "it is heard before it is whole"
        answer = await asking
    assert answer.text == heard.text == TEXT
    assert (answer.prompt_tokens, answer.completion_tokens) == (len(ASK[0]["content"]) // 4, len(TEXT) // 4)
    assert heard.pieces[0] == "", "it says that it begins"


@pytest.mark.parametrize("wire", WIRES)
async def test_a_streamed_answer_is_the_plain_one(wire: str) -> None:
    answers = []
    for heard in (None, Heard()):
        with serving(Script([Say(TEXT, cached=2)]), wire) as server:
            gateway = ModelGateway()
            answers.append(await gateway.complete(Question(ASK, "test", 100, named(server), server.url, hear=heard)))
            await gateway.close()
            assert bool(server.script.requests[0].get("stream")) is (heard is not None or wire == "ollama")
    plain, streamed = answers
    assert plain.prompt_tokens == 3 and plain.cached_tokens == (0 if wire == "ollama" else 2)
    assert {**vars(plain), "duration_ms": 0} == {**vars(streamed), "duration_ms": 0}


@pytest.mark.parametrize("wire", ["openai", "azure", "ollama"])
async def test_counts_that_a_server_leaves_out_are_not_made_up(wire: str) -> None:
    for heard in (None, Heard()):
        with serving(Script([Say(TEXT, counts=False)]), wire) as server:
            answer = await listen(server, heard)
        assert answer.text == TEXT
        assert (answer.prompt_tokens, answer.completion_tokens) == (0, 0)


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("say", "words"),
    [
        (Say(TEXT, fault="cut"), "middle of its answer"),
        (Say(TEXT, fault="ends"), "middle of its answer"),
        (Say(TEXT, fault="breaks", message="The engine is overloaded"), "gave up in the middle.*overloaded"),
        (Say(fault="500"), "status 500"),
        (Say(fault="401"), "_API_KEY"),
        (Say(fault="html"), "web page"),
        (Say(fault="junk"), "no model's answer|empty answer"),
        (Say(fault="empty"), "empty answer"),
        (Say(fault="thinking"), "thinking"),
    ],
)
async def test_every_fault_of_a_stream_becomes_a_sentence(wire: str, say: Say, words: str) -> None:
    script = Script([say])
    with serving(script, wire) as server, pytest.raises(ModelFailure, match=words):
        await listen(server, Heard())
    assert len(script.requests) == (3 if say.fault == "500" else 1)


@pytest.mark.parametrize("wire", ["openai", "azure", "anthropic"])
async def test_a_content_filter_is_named(wire: str) -> None:
    with serving(Script([Say("held", fault="filter")]), wire) as server, pytest.raises(ModelFailure, match="filter"):
        await listen(server, Heard())


STREAM_FAULTS = {
    "cut": Say(TEXT, fault="cut"),
    "ends": Say(TEXT, fault="ends"),
    "breaks": Say(TEXT, fault="breaks"),
    "stays": Say(TEXT, fault="stays"),
    **{name: FAULTS[name] for name in ("empty", "html", "503")},
}


@pytest.mark.parametrize("position", [0, 1])
@pytest.mark.parametrize("fault", STREAM_FAULTS)
async def test_a_stream_that_fails_is_answered_by_the_next(fault: str, position: int) -> None:
    says = [Say(fault="503") if n < position else STREAM_FAULTS[fault] if n == position else GOOD for n in range(3)]
    scripts = [Script([say]) for say in says]
    heard = Heard()
    with three(*scripts) as servers:
        gateway = ModelGateway(order=deployments(servers), timeout_s=1.5, sleep=at_once)
        answer = await gateway.complete(Question(ASK, "generate", 100, hear=heard))
        await gateway.close()
        if fault == "stays":
            await _until(lambda: scripts[position].disconnects == 1)
    assert answer.text == GOOD.text == heard.text, "what the one before wrote is not left standing"
    assert [len(script.requests) for script in scripts] == [1] * (position + 2) + [0] * (1 - position)
    assert heard.pieces.count("") == position + 2


@pytest.mark.parametrize("wire", WIRES)
async def test_cancelling_in_the_middle_closes_the_connection(wire: str) -> None:
    script, heard = Script([Say(TEXT * 20, pause_s=0.05)]), Heard()
    with serving(script, wire) as server:
        asking = asyncio.create_task(listen(server, heard))
        await _until(lambda: len(heard.text) > 6)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        begun = time.monotonic()
        await _until(lambda: script.disconnects == 1)
        assert time.monotonic() - begun < 2


@pytest.mark.parametrize("wire", WIRES)
async def test_a_stream_over_the_cap_is_not_read_to_its_end(wire: str) -> None:
    script = Script([Say("x" * 3_000_000, piece=50_000)])
    gateway = ModelGateway(provider=LitellmProvider(most_bytes=1024 * 1024))
    with serving(script, wire) as server, pytest.raises(ModelFailure, match="over the size limit"):
        await listen(server, Heard(), gateway)
    await gateway.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_a_server_that_does_not_stream_is_understood(wire: str) -> None:
    with serving(Script([Say(TEXT, plain=True)]), wire) as server:
        answer = await listen(server, Heard())
    assert answer.text == TEXT and answer.completion_tokens == len(TEXT) // 4


SHAPE = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


async def test_each_protocol_asks_for_a_shape_in_its_own_words() -> None:
    strict = {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": SHAPE}}
    expected = {
        "openai": ("response_format", strict),
        "azure": ("response_format", strict),
        "ollama": ("format", SHAPE),
    }
    for wire in WIRES:
        with serving(Script([Say("{}")]), wire) as server:
            await listen(server, Heard(), schema=SHAPE)
        request = server.script.requests[0]
        assert not {"tools", "tool_choice", "functions"} & request.keys()
        if wire in expected:
            name, shape = expected[wire]
            assert request[name] == shape
        else:
            assert not {"output_format", "output_config"} & request.keys(), "this model is not known to keep to one"


async def test_anthropics_own_models_are_held_to_a_shape_without_a_tool() -> None:
    with serving(Script([Say("{}")]), "anthropic") as server:
        gateway = ModelGateway()
        ask = Question(ASK, "test", 100, "anthropic/claude-sonnet-4-5-20250929", server.url, schema=SHAPE)
        await gateway.complete(ask)
        await gateway.close()
    request = server.script.requests[0]
    assert request["output_format"] == {"type": "json_schema", "schema": SHAPE}
    assert not {"tools", "tool_choice"} & request.keys()


@pytest.mark.parametrize(
    ("wire", "part"),
    [
        ("openai", "response_format"),
        ("azure", "response_format"),
        ("openai", "stream_options"),
        ("ollama", "format"),
    ],
)
async def test_a_part_that_a_server_does_not_know_is_left_out_from_then_on(wire: str, part: str) -> None:
    says = [Say("{}", refuses=part)]
    script = Script(says)
    with serving(script, wire) as server:
        gateway = ModelGateway(sleep=at_once)
        for _ in range(2):
            answer = await listen(server, Heard(), gateway, SHAPE)
            assert answer.text == "{}"
        await gateway.close()
    assert [part in request for request in script.requests] == [True, False, False]


async def test_both_parts_may_be_unknown_and_what_else_is_refused_stays_refused() -> None:
    script = Script(
        [
            Say(fault="400", message="unknown field stream_options"),
            Say(fault="422", message="response_format: extra inputs are not permitted"),
            Say(fault="400", message="response_format is still not to my liking"),
        ]
    )
    with serving(script) as server, pytest.raises(ModelFailure, match="not to my liking"):
        await listen(server, Heard(), schema=SHAPE)
    assert len(script.requests) == 3


def fold(wire: str, content: bytes, sizes: random.Random) -> tuple[str, dict[str, Any]]:
    """The text that was heard and the answer, of bytes that come in pieces of any size."""
    folding, heard, at = fold_of(Wire(wire)), "", 0
    while at < len(content) and not folding.ended:
        size = sizes.randint(1, 40)
        heard += folding.feed(content[at : at + size])
        at += size
    if not folding.ended:
        heard += folding.close()
    return heard, folding.answer()


@pytest.mark.parametrize("wire", WIRES)
async def test_it_does_not_matter_where_the_bytes_are_cut(wire: str) -> None:
    usage = {"input_tokens": 1, "output_tokens": 2} if wire == "anthropic" else {"prompt_tokens": 1}
    plain: dict[str, Any] = {
        "openai": {"id": "1", "choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}], "usage": usage},
        "anthropic": {"content": [{"type": "text", "text": TEXT}], "stop_reason": "end_turn", "usage": usage},
        "ollama": {"created_at": "", "message": {"content": TEXT}, "done": True, "eval_count": 2},
    }["openai" if wire == "azure" else wire]
    asked = {"stream_options": {"include_usage": True}}
    content = b"".join(frames(wire, plain, Say(TEXT), asked))
    sizes = random.Random(7)
    answers = {json.dumps(fold(wire, content, sizes)) for _ in range(200)}
    assert len(answers) == 1
    heard, answer = json.loads(answers.pop())
    assert heard == TEXT
    whole = answer["choices"][0]["message"]["content"] if "choices" in answer else answer
    whole = whole["message"]["content"] if "message" in whole else whole
    assert whole == TEXT or whole["content"] == [{"type": "text", "text": TEXT}]
    assert answer.get("usage", usage) == usage


@pytest.mark.parametrize("wire", WIRES)
def test_nothing_that_a_server_sends_raises_anything_but_a_failed_call(wire: str) -> None:
    """Values of every type in every place of a frame, and noise."""
    sizes = random.Random(3)
    values: list[Any] = [None, 3, -1.5, True, "x", [], [1], {}, {"text": 3}, [[]], "\ud800", 10**40]
    names = ("type", "index", "delta", "message", "choices", "usage", "content_block", "done", "error", "content")
    for _ in range(3_000):
        value = {name: sizes.choice([*values, {n: sizes.choice(values) for n in names}]) for name in names}
        value["type"] = sizes.choice(["message_start", "content_block_start", "content_block_delta", "message_delta"])
        frame = json.dumps(value).encode() if sizes.random() < 0.9 else sizes.randbytes(40)
        content = frame + b"\n" if wire == "ollama" else b"data: " + frame + b"\n\n"
        folding = fold_of(Wire(wire))
        try:
            folding.feed(content)
            folding.close()
            json.dumps(folding.answer())
        except CallFailed as failed:
            assert failed.kind in ("cut", "broke", "unreadable")
    deep = b"[" * 100_000 + b"\n"
    with pytest.raises(CallFailed):
        fold_of(Wire(wire)).feed(deep if wire == "ollama" else b"data: " + deep + b"\n")


def test_a_line_that_drips_in_is_not_copied_for_every_drop() -> None:
    folding = fold_of(Wire.OPENAI)
    begun = time.process_time()
    for _ in range(300_000):
        folding.feed(b"x" * 8)
    assert time.process_time() - begun < 3
