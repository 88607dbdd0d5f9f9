"""The control socket under friendly and hostile peers; the engine behind it is a scripted one."""

import asyncio
import contextlib
import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.errors import BadInput, EvidenceUnreadable, QVerifyError
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import control, transport, wire
from qverify_desktop.engine.control import ControlServer
from qverify_desktop.engine.events import EventKind, RunEvent, RunStatus, RunSummary, Stage
from qverify_desktop.engine.messages import OwnerGone
from qverify_desktop.engine.remote import RemoteEngine


class Scripted:
    """An ``EngineApi`` that answers from a script and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.go = asyncio.Event()
        self.watchers = 0
        self.server: ControlServer

    async def start(self, request: AnalysisRequest) -> str:
        self.asked.append(request)
        return "r0000000000001"

    async def watch(self, run: str, attend: bool = False) -> AsyncIterator[RunEvent]:
        self.watchers += 1
        try:
            yield RunEvent(run, 1, EventKind.STATUS, status=RunStatus.RUNNING)
            yield RunEvent(run, 2, EventKind.PROGRESS, Stage.JUDGE, "täst ✓", 3, 9)
            await self.go.wait()
            yield RunEvent(run, 3, EventKind.STATUS, status=RunStatus.FINISHED)
        finally:
            self.watchers -= 1

    async def cancel(self, run: str) -> None:
        raise BadInput("It is over.", "Nothing to do.")

    async def resume(self, run: str) -> None:
        raise RuntimeError("a bug with a secret in it")

    async def runs(self) -> list[RunSummary]:
        return [RunSummary("r1", "/src", RunStatus.FINISHED, "2026-01-01T00:00:00Z", accepted=3)]

    async def show(self, run: str) -> dict[str, Any]:
        return {"run": run, "tests": ["x" * 1000] * 3000}

    async def export(self, run: str, format: str, path: Path) -> Path:
        self.asked.append((run, format, path))
        return path

    async def verify(
        self,
        bundle: Path,
        *,
        public_key: str = "",
        known_checkpoint: Path | None = None,
        tsa_certificates: Sequence[Path] = (),
        witnesses: Sequence[str] = (),
    ) -> dict[str, Any]:
        if tsa_certificates or witnesses:
            return {"tsa_certificates": [str(file) for file in tsa_certificates], "witnesses": list(witnesses)}
        raise EvidenceUnreadable(f"{bundle} is no bundle.")

    async def runtimes(self, action: str, names: list[str]) -> list[dict[str, Any]]:
        return [{"action": action, "names": names}]

    async def doctor(self, fix: bool) -> list[dict[str, Any]]:
        return [{"fix": fix}]

    async def ask(self, question: str, /, **params: Any) -> Any:
        if question == "long":
            return "x" * int(params["length"])
        self.asked.append((question, params))
        if question == "wait":
            await self.go.wait()
            return "waited"
        return {"question": question, "params": params}

    async def close(self) -> None:
        raise AssertionError("a peer must not close the engine")


@asynccontextmanager
async def served(home: Path) -> AsyncIterator[Scripted]:
    engine = Scripted()
    engine.server = server = ControlServer(engine, home)
    await server.open()
    try:
        yield engine
    finally:
        await server.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.01)


async def raw(home: Path, line: bytes) -> dict[str, Any]:
    reader, writer = await transport.connect(home)
    writer.write(line)
    try:
        return dict(json.loads(await asyncio.wait_for(reader.readline(), 5)))
    finally:
        writer.close()


async def test_every_request_crosses_and_comes_back_whole(tmp_path: Path) -> None:
    async with served(tmp_path) as engine:
        remote = RemoteEngine(tmp_path)
        request = AnalysisRequest("/src/ünï", Scope("files", glob="*.py"), "m", "http://h", 7, 9, True, "/out")
        assert await remote.start(request) == "r0000000000001"
        assert engine.asked == [request]
        assert (await remote.runs())[0].accepted == 3
        assert len((await remote.show("r1"))["tests"]) == 3000
        assert await remote.export("r1", "html", tmp_path / "a.html") == tmp_path / "a.html"
        assert await remote.runtimes("list", ["python"]) == [{"action": "list", "names": ["python"]}]
        assert await remote.doctor(True) == [{"fix": True}]
        assert await remote.ping() == os.getpid()


async def test_errors_keep_their_kind_sentence_and_remedy(tmp_path: Path) -> None:
    async with served(tmp_path):
        remote = RemoteEngine(tmp_path)
        with pytest.raises(BadInput) as caught:
            await remote.cancel("r1")
        assert (caught.value.sentence, caught.value.remedy) == ("It is over.", "Nothing to do.")
        with pytest.raises(EvidenceUnreadable):
            await remote.verify(tmp_path / "x")
        with pytest.raises(QVerifyError) as unexpected:
            await remote.resume("r1")
        assert "secret" not in str(unexpected.value)
        assert (await remote.runs())[0].run == "r1"


async def test_a_question_crosses_with_any_parameters(tmp_path: Path) -> None:
    async with served(tmp_path):
        params = {"question": "ünï", "self": [1, None], "params": {"a": {}}, "method": "runs"}
        assert await RemoteEngine(tmp_path).ask("echo", **params) == {"question": "echo", "params": params}


async def test_an_answer_of_tens_of_megabytes_crosses_whole(tmp_path: Path) -> None:
    async with served(tmp_path):
        answer = await RemoteEngine(tmp_path).ask("long", length=80 * 1024 * 1024)
        assert len(answer) == 80 * 1024 * 1024


async def test_an_answer_over_the_cap_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "ANSWER_BYTES", 10_000)
    async with served(tmp_path):
        with pytest.raises(QVerifyError) as caught:
            await RemoteEngine(tmp_path).ask("long", length=10_000)
        assert "too long" in caught.value.sentence and not isinstance(caught.value, OwnerGone)


async def test_watching_streams_and_ends_with_the_run(tmp_path: Path) -> None:
    async with served(tmp_path) as engine:
        seen = []
        async for event in RemoteEngine(tmp_path).watch("r1"):
            seen.append(event)
            if event.sequence == 2:
                assert event.text == "täst ✓" and event.stage is Stage.JUDGE
                engine.go.set()
        assert [e.sequence for e in seen] == [1, 2, 3] and seen[-1].status is RunStatus.FINISHED


async def test_a_watcher_that_hangs_up_during_silence_is_let_go(tmp_path: Path) -> None:
    async with served(tmp_path) as engine:
        events = RemoteEngine(tmp_path).watch("r1")
        await anext(events)
        await anext(events)
        assert engine.watchers == 1
        await events.aclose()  # type: ignore[attr-defined]
        await until(lambda: not engine.watchers)


async def test_an_owner_that_goes_away_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "LAST_ANSWERS_SECONDS", 0.1)
    async with served(tmp_path):
        events = RemoteEngine(tmp_path).watch("r1")
        await anext(events)
        await anext(events)
        rest = asyncio.ensure_future(anext(events))
        await asyncio.sleep(0.05)
    with pytest.raises(OwnerGone) as caught:
        await asyncio.wait_for(rest, 5)
    assert "resume" in caught.value.remedy
    with pytest.raises(OwnerGone):
        await RemoteEngine(tmp_path).runs()


@pytest.mark.parametrize("turns", range(8))
async def test_a_peer_who_is_being_accepted_while_the_owner_closes_is_hung_up_on(tmp_path: Path, turns: int) -> None:
    """However far the loop got with it: in line, accepted, in its handler, asked."""
    server = ControlServer(Scripted(), tmp_path)
    await server.open()
    with socket.socket(socket.AF_UNIX) as silent, socket.socket(socket.AF_UNIX) as asking:
        for peer in (silent, asking):
            peer.connect(str(transport.address(tmp_path)))
            peer.settimeout(5)
        asking.sendall(b'{"v": 1, "method": "runs"}\n')
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.close()
        for peer in (silent, asking):
            with contextlib.suppress(ConnectionResetError):
                while await asyncio.to_thread(peer.recv, 1 << 16):
                    pass


async def test_an_answer_that_is_due_goes_out_before_the_owner_closes(tmp_path: Path) -> None:
    """As when ``cancel`` ends the owner's last run."""
    async with served(tmp_path) as engine:
        going = asyncio.ensure_future(RemoteEngine(tmp_path).ask("wait"))
        await until(lambda: ("wait", {}) in engine.asked)
        closing = asyncio.ensure_future(engine.server.close())
        await asyncio.sleep(0)
        engine.go.set()
        assert await asyncio.wait_for(going, 5) == "waited"
        await closing


async def test_an_owner_that_hangs_up_while_it_is_written_to_is_a_sentence(tmp_path: Path) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    listener = transport.serve(tmp_path, hang_up)
    try:
        # Longer than what the kernel takes in one go, so that the writer has to wait.
        with pytest.raises(OwnerGone) as caught:
            await asyncio.wait_for(RemoteEngine(tmp_path).ask("echo", text="x" * 1_000_000), 5)
        assert caught.value.remedy
    finally:
        await listener.close()


async def test_a_request_that_is_too_long_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    async with served(tmp_path) as engine:
        with pytest.raises(BadInput, match="too long"):
            await RemoteEngine(tmp_path).ask("echo", text="x" * transport.REQUEST_BYTES)
        assert engine.asked == []


HOSTILE = [
    b"\n",
    b"hello\n",
    b"[]\n",
    b"null\n",
    b"\xff\xfe\x00\n",
    b"[" * 100_000 + b"\n",
    b'{"v": 2, "method": "runs"}\n',
    b'{"v": 1}\n',
    b'{"v": 1, "method": ["runs"]}\n',
    b'{"v": 1, "method": "runs", "params": 5}\n',
    b'{"v": 1, "method": "close"}\n',
    b'{"v": 1, "method": "__init__"}\n',
    b'{"v": 1, "method": "_run"}\n',
    b'{"v": 1, "method": "show", "params": {}}\n',
    b'{"v": 1, "method": "show", "params": {"run": 5}}\n',
    b'{"v": 1, "method": "show", "params": {"run": "a\\u0000b"}}\n',
    b'{"v": 1, "method": "watch", "params": {"run": null}}\n',
    b'{"v": 1, "method": "export", "params": {"run": "r", "format": "html", "path": "relative"}}\n',
    b'{"v": 1, "method": "runtimes", "params": {"action": "list", "names": [1]}}\n',
    b'{"v": 1, "method": "ask", "params": {}}\n',
    b'{"v": 1, "method": "ask", "params": {"question": 5}}\n',
    b'{"v": 1, "method": "ask", "params": {"question": "echo", "params": []}}\n',
    b'{"v": 1, "method": "start", "params": {}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": "/x", "seed": -1}}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": "/x", "max_targets": true}}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": "/x", "budget_microusd": -1}}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": "/x", "scope": {"kind": "rm"}}}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": ""}}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": "/x", "allow_install": 1}}}\n',
    b'{"v": 1, "method": "start", "params": {"request": {"source": "/x", "sandbox": "chroot"}}}\n',
    b"x" * (transport.REQUEST_BYTES + 100) + b"\n",
]


@pytest.mark.parametrize("line", HOSTILE, ids=range(len(HOSTILE)))
async def test_bad_input_is_answered_with_a_sentence_and_nothing_breaks(tmp_path: Path, line: bytes) -> None:
    async with served(tmp_path) as engine:
        answer = await raw(tmp_path, line)
        assert answer["error"]["sentence"].endswith(".")
        assert engine.asked == []
        assert (await RemoteEngine(tmp_path).runs())[0].run == "r1"


async def test_silence_and_half_lines_do_not_hold_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "REQUEST_SECONDS", 0.2)
    async with served(tmp_path):
        peers = [await transport.connect(tmp_path) for _ in range(control.CONNECTIONS)]
        peers[0][1].write(b'{"v": 1, "method"')
        await asyncio.sleep(0.6)
        assert (await RemoteEngine(tmp_path).runs())[0].run == "r1"
        for _, writer in peers:
            writer.close()


async def test_the_socket_is_private(tmp_path: Path) -> None:
    async with served(tmp_path):
        path = transport.address(tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert not path.exists()


async def test_a_deep_state_folder_gets_a_short_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = tmp_path / "run"
    runtime.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime) if len(str(runtime)) < 60 else "")
    home = tmp_path / ("long" * 30) / ("longer" * 20)
    other = tmp_path / ("long" * 30) / ("longer" * 19)
    home.mkdir(parents=True)
    assert len(os.fsencode(transport.address(home))) <= 100
    assert transport.address(home) != transport.address(other)
    async with served(home):
        assert (await RemoteEngine(home).runs())[0].run == "r1"


async def test_a_folder_prepared_by_a_link_is_refused(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "control").symlink_to(elsewhere)
    with pytest.raises(OSError):
        await ControlServer(Scripted(), tmp_path).open()


async def test_another_user_is_not_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel names this process as the peer; to a server of another user that is a stranger."""
    async with served(tmp_path) as engine:
        _, writer = await transport.connect(tmp_path)
        user = os.getuid()
        monkeypatch.setattr(transport.os, "getuid", lambda: user + 1)
        second_reader, second = await asyncio.open_unix_connection(transport.address(tmp_path))
        second.write(b'{"v": 1, "method": "runtimes", "params": {"action": "list"}}\n')
        with contextlib.suppress(ConnectionResetError):
            assert await asyncio.wait_for(second_reader.read(), 5) == b""
        with pytest.raises(PermissionError):
            await transport.connect(tmp_path)
        monkeypatch.undo()
        assert engine.asked == []
        writer.close()


def test_a_request_survives_the_database() -> None:
    request = AnalysisRequest("/x", Scope("changed", ref="main"), seed=3)
    assert wire.request_from_json(json.loads(wire.request_key(request))) == request
    assert wire.request_key(request) != wire.request_key(AnalysisRequest("/x", Scope("changed", ref="main"), seed=4))
