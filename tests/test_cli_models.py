"""``qverify models`` as a person and a script meet it, over a server that keeps real files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.model_servers import gguf
from tests.model_servers.ollama_server import OllamaServer, serving_ollama
from tests.model_servers.ollama_store import MODEL, TEMPLATE, Registry, Store
from tests.test_cli import ROOT, assert_one_sentence, qverify

WEIGHTS = gguf.write(weights=os.urandom(12 * 1024 * 1024))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OllamaServer]:
    registry = Registry()
    registry.add("tiny", (MODEL, WEIGHTS), (TEMPLATE, b"{{ .Prompt }}"))
    with serving_ollama(tmp_path / "models", registry) as server:
        yield server


def models(*arguments: str, home: Path, server: OllamaServer) -> subprocess.CompletedProcess[str]:
    return qverify("models", *arguments, "--api-base", server.url, home=home, QVERIFY_KEYRING="false")


def begin(*arguments: str, home: Path, server: OllamaServer) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "qverify_desktop.cli", "models", *arguments, "--api-base", server.url]
    environment = {**os.environ, "QVERIFY_HOME": str(home), "QVERIFY_KEYRING": "false"}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for_bytes(server: OllamaServer, least: int) -> None:
    until = time.monotonic() + 60
    while server.registry.served < least:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_ctrl_c_pauses_and_the_same_command_goes_on(home: Path, server: OllamaServer) -> None:
    pulling = begin("pull", "tiny", home=home, server=server)
    wait_for_bytes(server, 1_000_000)
    pulling.send_signal(signal.SIGINT)
    _, said = pulling.communicate(timeout=60)
    assert pulling.returncode == 130, said
    assert "Go on with: qverify models pull tiny" in said
    assert 0 < server.registry.served < len(WEIGHTS)
    listed = json.loads(models("list", "--json", home=home, server=server).stdout)
    assert [(one["name"], one["state"]) for one in listed["transfers"]] == [("tiny", "paused")]
    done = models("pull", "tiny", "--json", home=home, server=server)
    assert done.returncode == 0, done.stderr
    (one,) = json.loads(done.stdout)["transfers"]
    assert (one["state"], one["done"]) == ("done", server.store.size("tiny"))
    assert server.registry.served == server.store.size("tiny")


def test_another_command_pauses_what_this_one_fetches_and_takes_over_when_it_dies(
    home: Path, server: OllamaServer
) -> None:
    pulling = begin("pull", "tiny", home=home, server=server)
    wait_for_bytes(server, 500_000)
    paused = models("pause", "tiny", home=home, server=server)
    assert (paused.returncode, "paused" in paused.stdout) == (0, True), paused.stderr
    _, said = pulling.communicate(timeout=60)
    assert (pulling.returncode, said.splitlines()[-2].startswith("qverify: tiny: Paused.")) == (4, True), said
    first = begin("pull", "tiny", home=home, server=server)
    wait_for_bytes(server, 1_000_000)
    second = begin("pull", "tiny", home=home, server=server)
    time.sleep(2)
    first.kill()
    first.communicate(timeout=60)
    out, said = second.communicate(timeout=60)
    assert second.returncode == 0, said
    assert "is there" in out
    # What was on its way to the connection that died may come twice, not more.
    assert server.registry.served - server.store.size("tiny") <= 2 * server.chunk


def test_import_show_list_and_rm(home: Path, server: OllamaServer, tmp_path: Path) -> None:
    file = tmp_path / "Own Model.gguf"
    file.write_bytes(WEIGHTS)
    done = models("import", str(file), "own:q4", home=home, server=server)
    assert (done.returncode, done.stdout) == (0, "own:q4: is there (12.6 MB)\n"), done.stderr
    Store(tmp_path / "stick").write("second", [(MODEL, WEIGHTS)])
    assert models("import", str(tmp_path / "stick"), home=home, server=server).returncode == 0
    assert server.uploaded == len(WEIGHTS)
    listed = models("list", home=home, server=server).stdout.splitlines()
    assert [line.split()[0] for line in listed] == ["own:q4", "second:latest"]
    assert "8,192 tokens" in listed[0]
    shown = models("show", "own:q4", home=home, server=server).stdout
    assert "completion" in shown
    assert "fits" in shown
    assert models("rm", "own:q4", home=home, server=server).returncode == 0
    assert server.store.names() == ["second:latest"]


def test_what_goes_wrong_is_one_sentence(home: Path, server: OllamaServer, tmp_path: Path) -> None:
    assert_one_sentence(models("rm", "nobody", home=home, server=server), 4)
    assert_one_sentence(models("rm", home=home, server=server), 2)
    assert_one_sentence(models("show", "a", "b", home=home, server=server), 2)
    assert_one_sentence(models("import", str(tmp_path), home=home, server=server), 2)
    assert_one_sentence(models("pull", "../../x", home=home, server=server), 2)
    failed = models("pull", "nobody", home=home, server=server)
    assert failed.returncode == 4
    assert "no model 'nobody' in the library" in failed.stderr
    assert "Traceback" not in failed.stderr
    gap = qverify("models", "pull", "tiny", "--api-base", server.url, home=home, QVERIFY_AIR_GAP="true")
    assert gap.returncode == 4
    assert "air gap" in gap.stderr


def test_recommend_names_a_model_or_says_why_none(home: Path, server: OllamaServer) -> None:
    view = json.loads(models("recommend", "--json", home=home, server=server).stdout)
    assert view["name"] in {"", *(one["name"] for one in view["models"])}
    assert view["machine"]["total"] > 0
    assert "Facts as of" in models("recommend", home=home, server=server).stdout


def test_the_application_itself_takes_the_command(home: Path, server: OllamaServer) -> None:
    server.store.write("tiny", [(MODEL, WEIGHTS)])
    command = [sys.executable, "main.py", "models", "list", "--json", "--api-base", server.url]
    environment = {**os.environ, "QVERIFY_HOME": str(home), "QVERIFY_KEYRING": "false", "QT_QPA_PLATFORM": "none"}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert [one["name"] for one in json.loads(ran.stdout)["models"]] == ["tiny:latest"], ran.stderr
