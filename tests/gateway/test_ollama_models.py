"""Models of an Ollama server, managed by the real client over a server that keeps real files."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from qverify_desktop.domain.errors import BadInput, ModelFailure
from qverify_desktop.domain.local_model import Fetched
from qverify_desktop.domain.network import networks
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.ollama_models import OllamaModels
from qverify_desktop.gateway.saved_models import read_folder, read_gguf
from qverify_desktop.settings.secrets import ApiKeys
from tests.gateway.test_import import run
from tests.model_servers import gguf
from tests.model_servers.ollama_server import OLD, OllamaServer, serving_ollama
from tests.model_servers.ollama_store import MODEL, PARAMETERS, SYSTEM, TEMPLATE, Registry, Store, digest_of

WEIGHTS = gguf.write(weights=os.urandom(2 * 1024 * 1024))
TEXT = b"{{ .Prompt }}"


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    registry.add("tiny", (MODEL, WEIGHTS), (TEMPLATE, TEXT))
    return registry


@pytest.fixture
def server(tmp_path: Path, registry: Registry) -> Iterator[OllamaServer]:
    with serving_ollama(tmp_path / "models", registry) as server:
        yield server


@pytest.fixture
def models() -> Iterator[OllamaModels]:
    models = OllamaModels(ModelGateway().ollama)
    yield models
    models.close()


def nothing(_: Fetched) -> None:
    """Who does not want to be told."""


# List, show, delete


async def test_list_and_show_tell_what_the_server_knows(server: OllamaServer, models: OllamaModels) -> None:
    server.store.write("tiny", [(MODEL, WEIGHTS)])
    (listed,) = await models.list(server.url)
    assert (listed.name, listed.bytes) == ("tiny:latest", server.store.size("tiny"))
    assert (listed.parameters, listed.quantization, listed.family) == ("7M", "Q4_K_M", "llama")
    facts = await models.show("tiny:latest", server.url)
    assert (facts.context_tokens, facts.parameter_count) == (8192, 7_000_000)
    assert (facts.quantization, facts.capabilities) == ("Q4_K_M", ("completion",))
    assert facts.shape is not None
    assert (facts.shape.layers, facts.shape.kv_heads, facts.shape.key_length) == (4, 2, 32)


async def test_delete_removes_the_model_and_its_own_files_only(server: OllamaServer, models: OllamaModels) -> None:
    server.store.write("tiny", [(MODEL, WEIGHTS), (TEMPLATE, TEXT)])
    server.store.write("twin", [(MODEL, WEIGHTS)])
    await models.delete("tiny:latest", server.url)
    assert [one.name for one in await models.list(server.url)] == ["twin:latest"]
    assert server.store.blob(digest_of(WEIGHTS)).is_file()
    assert not server.store.blob(digest_of(TEXT)).exists()


async def test_a_long_list_is_read_and_an_endless_one_is_not(server: OllamaServer, models: OllamaModels) -> None:
    many = [{"model": f"model-{number}:latest", "size": number} for number in range(1_000)]
    filler = {"details": {"family": "x" * 400}}
    server.lists_as = json.dumps({"models": [one | filler for one in many]}).encode()
    assert len(server.lists_as) > 400_000
    assert len(await models.list(server.url)) == 1_000
    server.lists_as = b'{"models": [' + b" " * 9 * 1024 * 1024 + b"]}"
    with pytest.raises(ModelFailure, match="over the size limit"):
        await models.list(server.url)
    server.lists_as = b'{"models": [{"model": "a\\u001b[1m"}, {"model": null}, {"model": "fine"}]}'
    assert [(one.name, one.bytes) for one in await models.list(server.url)] == [("fine", 0)]


@pytest.mark.parametrize("act", ["show", "delete"])
async def test_a_model_that_is_not_there_is_a_sentence(server: OllamaServer, models: OllamaModels, act: str) -> None:
    with pytest.raises(ModelFailure, match="no model 'nobody'"):
        await getattr(models, act)("nobody", server.url)


@pytest.mark.parametrize("name", ["", "a b", "../x", "x:y:z", "-x", "x\x1b[1m", "y" * 300])
async def test_a_name_that_is_none_is_asked_nobody(server: OllamaServer, models: OllamaModels, name: str) -> None:
    with pytest.raises(BadInput):
        await models.pull(name, nothing, server.url)
    assert server.requests == []


# Pull


async def test_a_pull_tells_bytes_of_each_layer(server: OllamaServer, models: OllamaModels) -> None:
    told: list[Fetched] = []
    await models.pull("tiny", told.append, server.url)
    assert told[0] == Fetched("pulling manifest")
    assert told[-1].status == "success"
    weights = digest_of(WEIGHTS)
    counts = [done for one in told for digest, done, _ in one.layers if digest == weights]
    assert counts == sorted(counts)
    assert len(set(counts)) > 10
    assert {digest: (done, total) for digest, done, total in told[-1].layers}[weights] == (len(WEIGHTS), len(WEIGHTS))
    assert told[-1].done == told[-1].total == server.store.size("tiny")
    assert server.store.layers("tiny")[MODEL] == WEIGHTS


async def paused_at(models: OllamaModels, server: OllamaServer, most: int) -> list[Fetched]:
    """Pull until about ``most`` bytes are there, then let go."""
    told: list[Fetched] = []
    enough = asyncio.Event()
    loop = asyncio.get_running_loop()

    def tell(fetched: Fetched) -> None:
        told.append(fetched)
        if fetched.done >= most:
            loop.call_soon_threadsafe(enough.set)

    pulling = asyncio.create_task(models.pull("tiny", tell, server.url))
    async with asyncio.timeout(30):
        await enough.wait()
    pulling.cancel()
    await asyncio.gather(pulling, return_exceptions=True)
    async with asyncio.timeout(10):
        while not server.broken_off:
            await asyncio.sleep(0.01)
    return told


async def test_pause_closes_the_connection_and_resume_fetches_only_the_rest(
    server: OllamaServer, models: OllamaModels
) -> None:
    await paused_at(models, server, 512 * 1024)
    partial = server.store.partial(digest_of(WEIGHTS))
    there = partial.stat().st_size
    await asyncio.sleep(0.1)
    assert there == partial.stat().st_size < len(WEIGHTS)
    told: list[Fetched] = []
    # A new process would have a client of its own.
    models.close()
    again = OllamaModels(ModelGateway().ollama)
    await again.pull("tiny", told.append, server.url)
    again.close()
    first = next(one for one in told if one.layers)
    assert first.done > there
    assert server.registry.served == server.store.size("tiny")
    assert server.store.layers("tiny")[MODEL] == WEIGHTS


async def test_a_server_that_goes_in_the_middle_keeps_what_it_has(
    tmp_path: Path, registry: Registry, models: OllamaModels
) -> None:
    with serving_ollama(tmp_path / "models", registry) as server:
        server.cut_after = 512 * 1024
        with pytest.raises(ModelFailure, match=r"ended or was stopped in the middle\. What was fetched is kept"):
            await models.pull("tiny", nothing, server.url)
    with pytest.raises(ModelFailure, match="can't be reached"):
        await models.pull("tiny", nothing, server.url)
    with serving_ollama(tmp_path / "models", registry) as server:
        await models.pull("tiny", nothing, server.url)
        assert registry.served == server.store.size("tiny")


async def test_a_full_disk_is_a_sentence_and_goes_on_once_there_is_room(
    server: OllamaServer, models: OllamaModels
) -> None:
    server.disk_bytes = 1024 * 1024
    with pytest.raises(ModelFailure) as caught:
        await models.pull("tiny", nothing, server.url)
    assert "disk that holds Ollama's models is full" in caught.value.sentence
    assert "Make room" in caught.value.remedy
    server.disk_bytes = 0
    await models.pull("tiny", nothing, server.url)
    assert server.registry.served == server.store.size("tiny")


async def test_each_error_inside_a_stream_is_a_sentence_of_its_own(
    server: OllamaServer, models: OllamaModels
) -> None:
    with pytest.raises(ModelFailure, match="no model 'nobody' in the library"):
        await models.pull("nobody", nothing, server.url)
    server.unreachable = True
    with pytest.raises(ModelFailure, match="can't reach the place"):
        await models.pull("tiny", nothing, server.url)
    server.unreachable, server.rotten = False, True
    with pytest.raises(ModelFailure, match="was damaged"):
        await models.pull("tiny", nothing, server.url)
    server.rotten = False
    await models.pull("tiny", nothing, server.url)
    assert server.store.layers("tiny")[MODEL] == WEIGHTS


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, b"<html>Sign in</html>", "text/html", "web page"),
        (200, b'{"status": "pulling manifest"}\n{"stat', "application/x-ndjson", "no model's answer"),
        (200, b'{"status": "pulling manifest"}\n[1, 2]\n', "application/x-ndjson", "no model's answer"),
        (200, b'{"status": "pulling manifest"}\n', "application/x-ndjson", "in the middle"),
        (200, b'{"status": {"a": 1}, "total": "x"}\n', "application/x-ndjson", "no model's answer"),
        (200, b'{"status": "' + b"x" * 1_000_000, "application/x-ndjson", "over the size limit"),
        (404, b"404 page not found", "text/plain", "does not manage models"),
        (404, b'{"error": "404 page not found"}', "application/json", "does not manage models"),
        (412, b'{"error": "requires a newer version of Ollama"}', "application/json", "too old"),
        (401, b'{"error": "unauthorized"}', "application/json", "refused the key"),
        (302, b"", "text/plain", "points elsewhere"),
        (503, b"busy", "text/plain", "status 503"),
    ],
)
async def test_whatever_a_server_answers_is_a_sentence(
    server: OllamaServer, models: OllamaModels, status: int, body: bytes, kind: str, words: str
) -> None:
    server.pulls_as = (status, body, kind)
    with pytest.raises(ModelFailure, match=words) as caught:
        await models.pull("tiny", nothing, server.url)
    assert caught.value.remedy


# Import


async def test_a_gguf_file_becomes_a_model_and_is_sent_once(
    tmp_path: Path, server: OllamaServer, models: OllamaModels
) -> None:
    file = tmp_path / "My Model.Q4_K_M.gguf"
    file.write_bytes(WEIGHTS)
    told: list[Fetched] = []
    model = read_gguf(file)
    assert model.name == "my-model.q4_k_m"
    await models.bring(model, told.append, server.url)
    assert [one.name for one in await models.list(server.url)] == ["my-model.q4_k_m:latest"]
    assert server.store.layers(model.name)[MODEL] == WEIGHTS
    assert {"reading the file", "handing the file over", "success"} <= {one.status for one in told}
    handed = [one.done for one in told if one.status == "handing the file over"]
    assert handed == sorted(handed)
    assert handed[-1] == len(WEIGHTS)
    await models.bring(read_gguf(file, "another:q4"), nothing, server.url)
    assert server.uploaded == len(WEIGHTS)
    assert (await models.show("another:q4", server.url)).context_tokens == 8192


async def test_a_saved_folder_is_carried_over_whole(
    tmp_path: Path, server: OllamaServer, models: OllamaModels
) -> None:
    saved = Store(tmp_path / "stick" / "models")
    layers = [
        (MODEL, WEIGHTS),
        (TEMPLATE, TEXT),
        (SYSTEM, b"You write tests."),
        (PARAMETERS, b'{"stop": ["<end>"], "temperature": 0.1}'),
        ("application/vnd.docker.container.image.v1+json", b'{"renderer": "qwen3-coder", "parser": "qwen3-coder"}'),
    ]
    saved.write("tiny:7m", layers)
    saved.write("someone/own:latest", [(MODEL, WEIGHTS)])
    found = read_folder(tmp_path / "stick")
    assert [(one.name, one.bytes) for one in found] == [
        ("tiny:7m", len(WEIGHTS)),
        ("someone/own:latest", len(WEIGHTS)),
    ]
    for one in found:
        await models.bring(one, nothing, server.url)
    assert server.store.names() == ["tiny:7m", "someone/own:latest"]
    for kind, content in layers[:3]:
        assert server.store.layers("tiny:7m")[kind] == content
    assert json.loads(server.store.layers("tiny:7m")[PARAMETERS]) == {"stop": ["<end>"], "temperature": 0.1}
    assert (server.created[0]["renderer"], server.created[0]["parser"]) == ("qwen3-coder", "qwen3-coder")
    assert server.uploaded == len(WEIGHTS)


async def test_a_damaged_copy_is_refused_by_its_digest(
    tmp_path: Path, server: OllamaServer, models: OllamaModels
) -> None:
    saved = Store(tmp_path / "stick")
    saved.write("tiny", [(MODEL, WEIGHTS)])
    blob = saved.blob(digest_of(WEIGHTS))
    blob.write_bytes(WEIGHTS[:-1] + bytes([WEIGHTS[-1] ^ 1]))
    (model,) = read_folder(tmp_path / "stick")
    with pytest.raises(ModelFailure, match="damaged"):
        await models.bring(model, nothing, server.url)
    assert server.store.names() == []


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("missing", "is missing"),
        ("short", "another size"),
        ("manifest", "no JSON"),
        ("kind", "parts"),
        ("outside", "is missing"),
        ("template", "damaged"),
    ],
)
def test_a_folder_that_is_not_whole_is_refused_before_anything_is_sent(
    tmp_path: Path, fault: str, words: str
) -> None:
    saved = Store(tmp_path)
    kind = "application/vnd.ollama.image.tensor" if fault == "kind" else TEMPLATE
    saved.write("tiny", [(MODEL, WEIGHTS), (kind, TEXT)])
    blob = saved.blob(digest_of(WEIGHTS))
    if fault == "missing":
        blob.unlink()
    elif fault == "short":
        blob.write_bytes(WEIGHTS[:-1])
    elif fault == "outside":
        (tmp_path.parent / "elsewhere").write_bytes(WEIGHTS)
        blob.unlink()
        blob.symlink_to(tmp_path.parent / "elsewhere")
    elif fault == "template":
        saved.blob(digest_of(TEXT)).write_bytes(TEXT[::-1])
    elif fault == "manifest":
        saved.manifest("tiny").write_text("{")
    with pytest.raises(BadInput, match=words) as caught:
        read_folder(tmp_path)
    assert caught.value.remedy


def test_what_is_no_gguf_and_no_folder_of_models_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "weights.safetensors"
    file.write_bytes(b"\x10\0\0\0")
    with pytest.raises(BadInput, match="no GGUF"):
        read_gguf(file)
    with pytest.raises(BadInput, match="can't be read"):
        read_gguf(tmp_path / "gone.gguf")
    with pytest.raises(BadInput, match="no folder manifests"):
        read_folder(tmp_path)


async def test_an_old_server_imports_nothing_and_is_told_apart(
    tmp_path: Path, server: OllamaServer, models: OllamaModels
) -> None:
    server.version = OLD
    file = tmp_path / "x.gguf"
    file.write_bytes(WEIGHTS)
    with pytest.raises(ModelFailure, match=r"Ollama 0.5.4 .* too old") as caught:
        await models.bring(read_gguf(file), nothing, server.url)
    assert "0.5.5" in caught.value.remedy
    assert server.uploaded == 0


async def test_a_full_disk_while_a_file_is_handed_over(
    tmp_path: Path, server: OllamaServer, models: OllamaModels
) -> None:
    server.disk_bytes = 1024 * 1024
    file = tmp_path / "x.gguf"
    file.write_bytes(WEIGHTS)
    with pytest.raises(ModelFailure, match=r"full|in the middle"):
        await models.bring(read_gguf(file), nothing, server.url)
    assert server.store.names() == []


async def test_a_file_that_the_server_can_not_use(tmp_path: Path, server: OllamaServer, models: OllamaModels) -> None:
    file = tmp_path / "x.gguf"
    file.write_bytes(b"GGUF\x09\0\0\0" + bytes(16))
    with pytest.raises(ModelFailure, match="can't use the file"):
        await models.bring(read_gguf(file), nothing, server.url)


# Policy


def test_the_client_is_loaded_late_and_not_on_the_thread_that_asks(tmp_path: Path) -> None:
    code = """
import asyncio, sys, threading
from tests.model_servers.ollama_server import serving_ollama
from qverify_desktop.gateway.gateway import ModelGateway
from qverify_desktop.gateway.ollama_models import OllamaModels

seen = []
def audit(event, args):
    if event == "import" and args[0] == "ollama":
        seen.append(threading.current_thread() is threading.main_thread())
sys.addaudithook(audit)

async def ask(url):
    models = OllamaModels(ModelGateway().ollama)
    before = "ollama" in sys.modules
    await models.list(url)
    models.close()
    return before

with serving_ollama(__import__("pathlib").Path("store")) as server:
    print(asyncio.run(ask(server.url)), seen, "litellm" in sys.modules)
"""
    assert run(code, tmp_path) == "False [False] False\n"


async def test_no_key_out_of_the_environment_is_sent_and_the_own_one_is(
    server: OllamaServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OLLAMA_API_KEY", "canary-in-the-environment")
    for keys in (ApiKeys({}), ApiKeys({"ollama": SecretStr("own-key")})):
        models = OllamaModels(ModelGateway(keys).ollama)
        await models.list(server.url)
        models.close()
    assert [one.get("authorization", "") for one in server.headers] == ["", "Bearer own-key"]


async def test_the_air_gap_refuses_a_server_elsewhere_unless_it_is_allowed() -> None:
    gateway = ModelGateway(air_gap=True, allowed=networks(["10.99.0.0/16"]))
    with pytest.raises(ModelFailure, match="air gap"):
        await gateway.ollama("http://192.0.2.1:11434")
    assert (await gateway.ollama("http://10.99.1.1:11434")).base == "http://10.99.1.1:11434"


async def test_nobody_listens_is_a_sentence(models: OllamaModels) -> None:
    with pytest.raises(ModelFailure, match="can't be reached") as caught:
        await models.list("http://127.0.0.1:9")
    assert "ollama serve" in caught.value.remedy
