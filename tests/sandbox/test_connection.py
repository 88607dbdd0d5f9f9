"""Engine failures, each played by a real HTTP server on a unix socket that speaks the engine's wire format."""

import asyncio
import json
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import MissingPrerequisite, QVerifyError, SandboxFailure
from qverify_desktop.domain.execution import Job, RuntimeImage
from qverify_desktop.sandbox import docker as docker_sandbox
from qverify_desktop.sandbox.connection import ENGINE_ERRORS, START_DOCKER, Connections, mending, unavailable
from qverify_desktop.sandbox.docker import DockerSandbox
from qverify_desktop.sandbox.owner import Owner

IMAGE = RuntimeImage("python", "qverify/python:latest", "sha256:" + "0" * 64)
Answer = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: object) -> Answer:
    def send(handler: BaseHTTPRequestHandler) -> None:
        content = json.dumps(body).encode()
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return send


def hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@contextmanager
def engine(folder: Path, answers: dict[str, Answer], seen: list[str] | None = None) -> Iterator[str]:
    """Serve ``answers`` by method and last word of the path; everything else is answered with 404."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            word = f"{self.command} {self.path.partition('?')[0].rpartition('/')[2]}"
            if seen is not None:
                seen.append(f"{self.command} {self.path}")
            answers.get(word, answer(404, {"message": "No such container"}))(self)

        do_GET = do_POST = do_DELETE = handle_any

        def log_message(self, *_: object) -> None:
            return

        def address_string(self) -> str:
            return "peer"

    path = str(folder / "engine.sock")
    server = socketserver.ThreadingUnixStreamServer(path, Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"unix://{path}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


VERSION: dict[str, Answer] = {"GET version": answer(200, {"ApiVersion": "1.41"})}


async def run(folder: Path, base_url: str) -> QVerifyError:
    sandbox = DockerSandbox(folder, Owner.of(folder / "home"), base_url=base_url)
    try:
        with pytest.raises(QVerifyError) as caught:
            await sandbox.run(Job("try", ("true",), overlay={"a": b""}), IMAGE, folder, run="r42")
    finally:
        await sandbox.close()
    inbox = folder / "home" / "sandbox" / "inbox"
    assert not inbox.exists() or not list(inbox.iterdir())
    return caught.value


async def test_no_socket_is_a_failure_with_the_way_on(tmp_path: Path) -> None:
    error = await run(tmp_path, f"unix://{tmp_path}/nowhere.sock")
    assert isinstance(error, SandboxFailure)
    assert "Docker stopped answering" in error.sentence
    assert "Nothing that was recorded is lost." in error.sentence
    assert "`qverify resume r42`" in error.remedy


async def test_a_full_disk_is_said(tmp_path: Path) -> None:
    full = answer(500, {"message": "mkdir /var/lib/docker/x: no space left on device"})
    with engine(tmp_path, VERSION | {"POST create": full}) as url:
        error = await run(tmp_path, url)
    assert isinstance(error, MissingPrerequisite)
    assert "disk is full" in error.sentence
    assert "qverify resume r42" in error.remedy


async def test_a_vanished_image_is_said(tmp_path: Path) -> None:
    gone = answer(404, {"message": f"No such image: {IMAGE.digest}"})
    with engine(tmp_path, VERSION | {"POST create": gone}) as url:
        error = await run(tmp_path, url)
    assert isinstance(error, MissingPrerequisite)
    assert "qverify/python:latest is no longer there" in error.sentence
    assert "qverify runtimes build" in error.remedy


async def test_a_refusal_is_quoted(tmp_path: Path) -> None:
    with engine(tmp_path, VERSION | {"POST create": answer(400, {"message": "Minimum memory\nlimit is 6MB"})}) as url:
        error = await run(tmp_path, url)
    assert isinstance(error, SandboxFailure)
    assert "Minimum memory limit is 6MB" in error.sentence


async def test_an_answer_lost_in_create_still_removes_the_container_by_its_name(tmp_path: Path) -> None:
    seen: list[str] = []
    removed = answer(200, {})
    with engine(tmp_path, VERSION | {"POST create": hang_up, "DELETE": removed}, seen) as url:
        error = await run(tmp_path, url)
    assert isinstance(error, SandboxFailure)
    created = next(line for line in seen if line.startswith("POST") and "create" in line)
    name = created.rpartition("name=")[2]
    assert name.startswith("qverify-")
    assert any(line.startswith("DELETE") and f"/containers/{name}?" in line for line in seen)


@pytest.mark.parametrize("body", ["nonsense", [1, 2], {}, {"Id": None}])
async def test_an_engine_that_speaks_nonsense_is_a_failure(tmp_path: Path, body: object) -> None:
    with engine(tmp_path, VERSION | {"POST create": answer(201, body)}) as url:
        assert isinstance(await run(tmp_path, url), SandboxFailure)


async def test_an_image_that_is_not_built_is_said_without_asking_the_engine(tmp_path: Path) -> None:
    sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url="unix:///nowhere.sock")
    with pytest.raises(MissingPrerequisite, match="not built"):
        await sandbox.run(Job("try", ("true",)), RuntimeImage("python", "qverify/python"), tmp_path, run="r1")
    await sandbox.close()


async def test_available_says_why_not(tmp_path: Path) -> None:
    sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url=f"unix://{tmp_path}/nowhere.sock")
    assert "its socket is missing" in await sandbox.available()
    with pytest.raises(MissingPrerequisite, match="socket is missing"):
        await sandbox.image("python")
    with pytest.raises(SandboxFailure, match="socket is missing"):
        await sandbox.sweep()
    await sandbox.close()


async def test_available_gives_up_on_an_engine_that_never_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(docker_sandbox, "PROBE_TIMEOUT_S", 0.2)
    with engine(tmp_path, {"GET version": lambda _: time.sleep(1)}) as url:
        sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url=url)
        begun = time.monotonic()
        reason = await sandbox.available()
        assert time.monotonic() - begun < 0.9
        assert reason.startswith("Docker does not answer")
        await sandbox.close()


async def test_a_closed_sandbox_runs_nothing_more(tmp_path: Path) -> None:
    sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url="unix:///nowhere.sock")
    await sandbox.close()
    with pytest.raises(SandboxFailure, match="closed"):
        await sandbox.run(Job("try", ("true",)), IMAGE, tmp_path, run="r1")


def test_every_thread_has_a_connection_of_its_own(tmp_path: Path) -> None:
    seen: list[str] = []
    with engine(tmp_path, VERSION, seen) as url:
        connections = Connections(url)
        mine = connections.client()
        assert connections.client() is mine
        other: list[object] = []
        thread = threading.Thread(target=lambda: other.append(connections.client()))
        thread.start()
        thread.join()
        assert other[0] is not mine
        connections.close()
    assert len(seen) == 1, "the version is asked for once only"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("unix:///nonexistent/docker.sock", "unix:///nonexistent/docker.sock"),
        ("tcp://127.0.0.1:1", "tcp://127.0.0.1:1"),
        ("tcp://me:hunter2@127.0.0.1:1", "tcp://127.0.0.1:1"),
        ("ssh://me:hunter2@127.0.0.1:1", "ssh://127.0.0.1:1"),
        ("nonsense", "nonsense"),
    ],
)
@pytest.mark.parametrize("place", ["DOCKER_HOST", "the settings"])
def test_an_engine_that_somebody_named_is_named_again_without_secrets(
    monkeypatch: pytest.MonkeyPatch, address: str, shown: str, place: str
) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    if place == "DOCKER_HOST":
        monkeypatch.setenv("DOCKER_HOST", address)
    base_url = address if place == "the settings" else None
    connections = Connections(base_url)
    with pytest.raises(ENGINE_ERRORS) as caught:
        connections.client()
    connections.close()
    sentence = unavailable(caught.value)
    assert sentence.endswith(f" at {shown}, the address in {place}.")
    assert "hunter2" not in sentence
    assert mending(base_url) == f"Start Docker there, or correct the address in {place},"


def test_the_engine_of_this_machine_is_started_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    assert mending(None) == START_DOCKER


async def test_what_can_t_be_removed_does_not_hold_up_the_sweep(tmp_path: Path) -> None:
    seen: list[str] = []
    owner = Owner.of(tmp_path / "home")
    left = [{"Id": name, "Labels": {}} for name in ("busy", "other")]
    answers = VERSION | {"GET json": answer(200, left), "DELETE busy": answer(500, {"message": "device is busy"}),
                         "DELETE other": answer(204, {})}  # fmt: skip
    with engine(tmp_path, answers, seen) as url:
        sandbox = DockerSandbox(tmp_path, owner, base_url=url)
        assert await sandbox.sweep() == 1
        await sandbox.close()
    assert [line.partition("?")[0].rpartition("/")[2] for line in seen if "DELETE" in line] == ["busy", "other"]


async def test_closing_while_the_engine_is_asked_how_it_isolates(tmp_path: Path) -> None:
    def slow(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(0.5)
        answer(200, {})(handler)

    seen: list[str] = []
    with engine(tmp_path, VERSION | {"GET info": slow}, seen) as url:
        sandbox = DockerSandbox(tmp_path, Owner.of(tmp_path), base_url=url)
        tasks = [asyncio.create_task(sandbox.run(Job("x", ("true",)), IMAGE, tmp_path, run="r5")) for _ in range(3)]
        await asyncio.sleep(0.2)
        await sandbox.close()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        await sandbox.close()
    assert [str(end) for end in ended] == ["The sandbox is closed. Run `qverify resume r5`."] * 3
    assert not [line for line in seen if "create" in line]


def test_nothing_is_opened_after_the_end(tmp_path: Path) -> None:
    with engine(tmp_path, VERSION) as url:
        connections = Connections(url)
        connections.client()
        connections.close()
        with pytest.raises(ConnectionError, match="closed"):
            connections.client()
    behind_ssh = Connections("ssh://nobody@127.0.0.1:1")
    behind_ssh.close()
    with pytest.raises(ConnectionError, match="are closed"):
        behind_ssh.client()
