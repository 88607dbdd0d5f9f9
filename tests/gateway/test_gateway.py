"""The gateway against real HTTP servers on loopback, in both wire formats, with every fault they can have."""

from __future__ import annotations

import asyncio
import logging
import time

import pytest
from pydantic import SecretStr

from qverify_desktop.domain.connections import Gate, Policy
from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.model import Answer, Asker
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.gateway.failover import Health
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.litellm_provider import LitellmProvider
from tests.model_servers.answers import Say, Script, text_of
from tests.model_servers.server import ModelServer, serving

ASK = [{"role": "user", "content": "Write a test."}]


class Keys:
    def __init__(self, **keys: str) -> None:
        self.keys = keys

    def values(self) -> list[str]:
        return list(self.keys.values())

    def for_provider(self, provider: str, *, general: bool = True) -> SecretStr | None:
        value = self.keys.get(provider.replace(".", "_"))
        return SecretStr(value) if value else None


WIRES = ("openai", "ollama", "azure", "anthropic")


def named(server: ModelServer) -> str:
    """The model as a person names it: a prefix for what no address tells."""
    return f"{server.wire}/scripted" if server.wire in ("azure", "anthropic") else "scripted"


async def complete(gateway: ModelGateway, server: ModelServer, *, max_tokens: int = 100) -> Answer:
    return await complete_with(gateway, server, ASK, max_tokens=max_tokens)


async def complete_with(
    gateway: ModelGateway, server: ModelServer, messages: Messages, *, max_tokens: int = 100
) -> Answer:
    """One question over a gateway that is closed afterwards."""
    try:
        return await gateway.complete(Question(messages, "test", max_tokens, named(server), server.url))
    finally:
        await gateway.close()


@pytest.mark.parametrize("wire", WIRES)
async def test_an_answer_with_its_tokens_and_no_cost(wire: str) -> None:
    script = Script([Say("def test_one(): assert True")])
    with serving(script, wire) as server:
        answer = await complete(ModelGateway(), server)
    assert answer.text == "def test_one(): assert True"
    assert (answer.model, answer.provider, answer.cost_microusd) == ("scripted", wire, 0)
    assert answer.prompt_tokens == len(ASK[0]["content"]) // 4
    assert answer.completion_tokens == len(answer.text) // 4
    assert answer.duration_ms >= 0
    assert [{"role": m["role"], "content": text_of(m)} for m in script.requests[0]["messages"]] == ASK
    assert not script.requests[0].get("tools")


async def test_tokens_are_always_capped_and_ollama_gets_its_window() -> None:
    for wire in ("openai", "ollama"):
        script = Script([Say("yes")])
        with serving(script, wire) as server:
            await complete(ModelGateway(), server, max_tokens=10**9)
        request = script.requests[0]
        if wire == "openai":
            assert request["max_tokens"] == 8192
            with serving(Script([Say("yes")])) as small:
                await complete(ModelGateway(answer_tokens=16), small, max_tokens=500)
            assert small.script.requests[0]["max_tokens"] == 16
        else:
            assert request["options"]["num_predict"] == 8192
            assert request["options"]["num_ctx"] >= 8192


async def test_a_prompt_over_ollamas_window_is_refused_before_it_is_cut_in_silence() -> None:
    script = Script([Say("yes")])
    with serving(script, "ollama", context_length=4096) as server:
        long = [{"role": "user", "content": "word " * 5000}]
        with pytest.raises(ModelFailure, match="window of 4096 tokens"):
            await ModelGateway().complete(Question(long, "test", 9, "scripted", server.url))
    assert script.requests == []


@pytest.mark.parametrize("wire", WIRES)
@pytest.mark.parametrize(
    ("say", "words"),
    [
        (Say(fault="500"), "status 500"),
        (Say(fault="401"), "_API_KEY"),
        (Say(fault="404", message="model not found"), "has no model"),
        (Say(fault="400", message="context too long"), "context too long"),
        (Say(fault="429", retry_after="3600"), "for 3600 seconds"),
        (Say(fault="302"), "redirects are not followed"),
        (Say(fault="html"), "web page"),
        (Say(fault="junk"), "no model's answer|empty answer"),
        (Say(fault="empty"), "empty answer"),
        (Say(fault="thinking"), "thinking"),
        (Say("half of this is lost" * 50, fault="cut"), "middle of its answer"),
    ],
)
async def test_every_fault_becomes_a_sentence(wire: str, say: Say, words: str) -> None:
    async def at_once(seconds: float) -> None:
        pass

    with serving(Script([say]), wire) as server, pytest.raises(ModelFailure, match=words) as caught:
        await complete(ModelGateway(sleep=at_once), server)
    assert caught.value.sentence.endswith(".")
    assert caught.value.sentence.count("{") == 0
    assert "litellm" not in str(caught.value).lower()
    assert "Traceback" not in str(caught.value)


async def test_a_content_filter_is_named() -> None:
    with (
        serving(Script([Say("held", fault="filter")])) as server,
        pytest.raises(ModelFailure, match="content filter"),
    ):
        await complete(ModelGateway(), server)


async def test_what_the_server_put_off_is_tried_again_after_the_wait_it_asked_for() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    script = Script([Say(fault="429", retry_after="7"), Say(fault="503"), Say("at last")])
    with serving(script) as server:
        answer = await complete(ModelGateway(sleep=sleep, health=Health(jitter=lambda: 1.0)), server)
    assert answer.text == "at last"
    assert waits == [7.0, 1.0]
    assert len(script.requests) == 3


@pytest.mark.parametrize("fault", ["400", "401", "html", "empty", "cut"])
async def test_what_may_have_been_charged_or_cannot_pass_is_asked_once(fault: str) -> None:
    script = Script([Say("text" * 100, fault=fault), Say("never")])
    with serving(script) as server, pytest.raises(ModelFailure):
        await complete(ModelGateway(), server)
    assert len(script.requests) == 1


@pytest.mark.parametrize("wire", WIRES)
async def test_a_slow_server_is_given_up_and_its_connection_closed(wire: str) -> None:
    script = Script([Say("late", delay_s=20)])
    with serving(script, wire) as server:
        await asyncio.to_thread(_load)
        started = time.monotonic()
        with pytest.raises(ModelFailure, match=r"within 0\.5 seconds"):
            await complete(ModelGateway(timeout_s=0.5), server)
        assert time.monotonic() - started < 5
        await _until(lambda: script.disconnects == 1)
    assert len(script.requests) == 1


@pytest.mark.parametrize("wire", WIRES)
async def test_cancelling_closes_the_connection(wire: str) -> None:
    script = Script([Say("late", delay_s=20)])
    with serving(script, wire) as server:
        task = asyncio.create_task(complete(ModelGateway(), server))
        await _until(lambda: len(script.requests) == 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await _until(lambda: script.disconnects == 1)
    assert len(script.requests) == 1


@pytest.mark.parametrize("wire", WIRES)
async def test_an_answer_over_the_cap_is_not_read_to_its_end(wire: str) -> None:
    script = Script([Say(fault="huge", size=64 * 1024 * 1024)])
    gateway = ModelGateway(provider=LitellmProvider(most_bytes=1024 * 1024))
    with serving(script, wire) as server:
        with pytest.raises(ModelFailure, match="over the size limit"):
            await complete(gateway, server)
        await _until(lambda: script.disconnects == 1)


async def test_a_server_that_is_not_there() -> None:
    with serving(Script([Say("x")])) as server:
        url = server.url
    with pytest.raises(ModelFailure, match="can't be reached"):
        await ModelGateway().complete(Question(ASK, "test", 9, "x", url))


async def test_a_key_is_sent_and_never_shown(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = "sk-verysecretverysecret123"
    script = Script([Say("yes"), Say(fault="401", message=f"Incorrect API key provided: {secret}")])
    gateway = ModelGateway(Keys(**{"127_0_0_1": secret}))
    with serving(script) as server:
        await complete(gateway, server)
        with pytest.raises(ModelFailure) as caught:
            await complete(gateway, server)
    assert script.headers[0]["authorization"] == f"Bearer {secret}"
    told = capfd.readouterr()
    assert secret not in str(caught.value) + caplog.text + told.out + told.err + repr(gateway)


async def test_openais_key_never_goes_to_another_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-fromtheenvironment")
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    script = Script([Say("yes")])
    with serving(script) as server:
        await complete(ModelGateway(Keys(openai="sk-openai")), server)
    assert "sk-" not in str(script.headers)
    assert "org-mine" not in str(script.headers)


async def test_a_key_is_not_sent_over_plain_http_to_another_machine() -> None:
    gateway = ModelGateway(Keys(models_example="sk-secret"))
    with pytest.raises(ModelFailure, match="plain http"):
        await gateway.complete(Question(ASK, "test", 9, "x", "http://models.example/v1"))


async def test_the_air_gap_lets_only_this_machine_through() -> None:
    gateway = ModelGateway(air_gap=True)
    for model, base in [
        ("x", "https://models.example"),
        ("openai/gpt-4.1", ""),
        ("ollama/x", "http://10.0.0.9:11434"),
    ]:
        with pytest.raises(ModelFailure, match="air gap"):
            await gateway.complete(Question(ASK, "test", 9, model, base))
    with serving(Script([Say("yes")])) as server:
        assert (await complete(gateway, server)).text == "yes"


async def test_a_proxy_from_the_environment_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with serving(Script([Say("yes")])) as server:
        assert (await complete(ModelGateway(), server)).text == "yes"


async def test_the_servers_protocol_is_asked_once() -> None:
    with serving(Script([Say("one"), Say("two")]), "ollama") as server:
        gateway = ModelGateway()
        await complete(gateway, server)
        await complete(gateway, server)
    assert server.paths == ["/api/tags", "/api/show", "/api/chat", "/api/chat"]


@pytest.mark.parametrize("wire", WIRES)
async def test_the_probe_is_content_with_a_model_that_is_listed_and_asks_it_nothing(wire: str) -> None:
    script = Script([Say("yes")])
    with serving(script, wire) as server:
        assert await ModelGateway().probe(named(server), server.url) == ""
    asked = 1 if wire == "azure" else 0
    assert len(script.requests) == asked, "Azure lists its deployments for nobody"


async def test_the_probe_names_a_model_that_anthropic_has_not() -> None:
    with serving(Script([Say("yes")]), "anthropic") as server:
        assert "has no model 'other'" in await ModelGateway().probe("anthropic/other", server.url)


@pytest.mark.parametrize(("wire", "header"), [("azure", "api-key"), ("anthropic", "x-api-key")])
async def test_each_wire_sends_the_key_of_its_own_host_in_its_own_header(
    wire: str, header: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ANTHROPIC_API_KEY", "AZURE_API_KEY", "AZURE_OPENAI_API_KEY", "OPENAI_API_KEY", "AZURE_AD_TOKEN"):
        monkeypatch.setenv(name, "sk-fromtheenvironment")
    script = Script([Say("yes"), Say("yes")])
    with serving(script, wire) as server:
        await complete(ModelGateway(Keys(**{"127_0_0_1": "sk-its-own"})), server)
        await complete(ModelGateway(Keys(anthropic="sk-not", azure="sk-not", openai="sk-not")), server)
    first, second = script.headers
    assert first[header] == "sk-its-own"
    assert "sk-" not in str({name: value for name, value in first.items() if name != header})
    assert "sk-" not in str(second), "a provider's key is for the provider, not for whoever speaks its protocol"


async def test_the_probe_names_what_is_missing() -> None:
    with serving(Script([Say("yes")]), "ollama") as server:
        assert "ollama pull other" in await ModelGateway().probe("other", server.url)
        url = server.url
    assert "can't be reached" in await ModelGateway().probe("scripted", url)
    assert "is not an http or https address" in await ModelGateway().probe("scripted", "nonsense")


async def test_a_probe_goes_nowhere_that_its_asker_may_not_ask() -> None:
    """It sends no source, but it shows somebody elsewhere that this model is about to be used."""
    said = await ModelGateway().probe("openai/gpt-4.1", "https://models.example.org/v1")
    assert "stay on this machine" in said and "models.example.org" in said


def _load() -> None:
    from qverify_desktop.gateway.litellm_provider import load

    load()


async def _until(condition: object, seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    assert callable(condition)
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("switch", "model", "base"),
    [
        ("allow_openai", "openai/gpt-4.1", ""),
        ("allow_anthropic", "anthropic/claude", ""),
        ("allow_azure", "azure/gpt-4.1", "https://mine.openai.azure.com"),
        ("allow_other_models", "x", "https://models.example/v1"),
        ("allow_other_models", "azure/x", "https://models.example"),
        ("allow_other_models", "ollama/x", "https://10.0.0.9:11434"),
    ],
)
async def test_each_provider_has_a_switch_that_counts_at_once(switch: str, model: str, base: str) -> None:
    gate = Gate(Policy(off=frozenset([switch])))
    gateway = ModelGateway(gate=gate)
    with pytest.raises(ModelFailure, match="switched off") as caught:
        await gateway.complete(Question(ASK, "test", 9, model, base, asker=Asker(cloud=True)))
    assert switch in caught.value.remedy
    with serving(Script([Say("yes")])) as server:
        assert (await complete(gateway, server)).text == "yes"
        gate.policy = Policy(off=frozenset(["allow_local_models"]))
        with pytest.raises(ModelFailure, match="switched off"):
            await complete(gateway, server)
        assert len(server.script.requests) == 1
