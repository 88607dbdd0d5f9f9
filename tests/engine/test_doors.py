"""Lists that hear of what other doors do, and a second start that hands over to the window that is open."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine import control, messages, transport
from qverify_desktop.engine.changes import Changes
from qverify_desktop.engine.events import RunStatus
from qverify_desktop.engine.messages import OwnerGone
from qverify_desktop.engine.remote import RemoteEngine
from tests.engine.house import follow, house


async def until(listening: AsyncIterator[str], wanted: str) -> list[str]:
    """What is heard up to and with ``wanted``."""
    heard = []
    async with asyncio.timeout(30):
        async for name in listening:
            heard.append(name)
            if name == wanted:
                return heard
    raise AssertionError(f"the changes ended after {heard}")


# Changes


@pytest.mark.parametrize("far", [False, True])
async def test_a_list_hears_of_a_run_that_another_door_started(home: Path, source: Path, far: bool) -> None:
    async with house(home) as engine:
        here, there = (engine, RemoteEngine(home)) if far else (RemoteEngine(home), engine)
        changes = there.changes()
        assert await asyncio.wait_for(anext(changes), 10) == ""
        run = await here.start(AnalysisRequest(str(source)))
        await until(changes, run)
        while (await there.runs())[0].status is not RunStatus.FINISHED:
            await until(changes, run)
        await changes.aclose()  # type: ignore[attr-defined]
        async with asyncio.timeout(30):
            while engine._changes._readers:
                await asyncio.sleep(0.01)


async def test_pins_are_told_as_the_list_of_repositories(home: Path, source: Path) -> None:
    async with house(home) as engine:
        changes = engine.changes()
        assert await anext(changes) == ""
        await RemoteEngine(home).ask("repository_pin", source=str(source), pinned=True)
        assert await asyncio.wait_for(anext(changes), 10) == ""
        await changes.aclose()  # type: ignore[attr-defined]


async def test_names_that_wait_for_a_slow_reader_are_coalesced() -> None:
    changes = Changes()
    slow = changes.watch()
    assert await anext(slow) == ""
    for number in range(10_000):
        changes.tell(f"r{number % 3}")
    (reader,) = changes._readers
    assert len(reader.waiting) == 3
    assert [await anext(slow) for _ in range(3)] == ["r0", "r1", "r2"]
    changes.tell("r1")
    assert await anext(slow) == "r1"
    await slow.aclose()  # type: ignore[attr-defined]
    assert not changes._readers


async def test_a_peer_that_never_reads_is_let_go(home: Path, monkeypatch: pytest.MonkeyPatch, source: Path) -> None:
    monkeypatch.setattr(messages, "SLOW_READER_SECONDS", 0.2)
    async with house(home) as engine:
        _, writer = await transport.connect(home)
        writer.transport.pause_reading()
        writer.write(b'{"v": 1, "method": "changes"}\n')
        async with asyncio.timeout(30):
            while not engine._changes._readers:
                await asyncio.sleep(0.01)
            # Names that are long and each another one, so that the socket's buffers fill.
            for number in itertools.count():
                engine._changes.tell(f"{number:01000}")
                await asyncio.sleep(0)
                if not engine._changes._readers:
                    break
        writer.close()
        run = await RemoteEngine(home).start(AnalysisRequest(str(source)))
        assert (await follow(engine, run))[-1].status is RunStatus.FINISHED


async def test_an_engine_that_closes_does_not_wait_for_who_listens(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control, "LAST_ANSWERS_SECONDS", 3600.0)
    async with house(home):
        changes = RemoteEngine(home).changes()
        assert await asyncio.wait_for(anext(changes), 10) == ""
    with pytest.raises(OwnerGone):
        await asyncio.wait_for(anext(changes), 10)


# Hand-over

SECOND_START = """
import asyncio, json, sys
from pathlib import Path
from qverify_desktop.engine.remote import RemoteEngine
print(json.dumps(asyncio.run(RemoteEngine(Path(sys.argv[1])).hand_over(sys.argv[2:]))))
"""


async def second_start(home: Path, *sources: str) -> bool:
    """In a process of its own."""
    command = [sys.executable, "-c", SECOND_START, str(home), *sources]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60, check=True)
    return bool(json.loads(done.stdout))


async def test_another_process_hands_over_what_it_was_asked_to_open(home: Path) -> None:
    async with house(home) as engine:
        assert await second_start(home, "/a") is False, "no window: the second start opens one"
        taken: list[list[str]] = []
        engine.on_hand_over(lambda sources: taken.append(list(sources)))
        sources = ["/ünï and space", "https://example.org/b.git", "/x.qvevidence.zip"]
        assert await second_start(home, *sources) is True
        assert await second_start(home) is True, "nothing to open: the window only comes forward"
        assert taken == [sources, []]


async def test_a_window_that_fails_to_take_over_is_a_sentence_and_the_engine_lives(home: Path) -> None:
    def fail(_sources: object) -> None:
        raise RuntimeError("a bug with a secret in it")

    async with house(home) as engine:
        engine.on_hand_over(fail)
        with pytest.raises(QVerifyError) as caught:
            await RemoteEngine(home).hand_over(["/a"])
        assert "secret" not in str(caught.value)
        assert await RemoteEngine(home).runs() == []


@pytest.mark.parametrize(
    "params", [{"sources": "/a"}, {"sources": [1]}, {"sources": ["/a"] * 101}, {"sources": {}}, {"sources": ["a\0b"]}]
)
async def test_what_is_no_list_of_sources_is_refused(home: Path, params: dict[str, object]) -> None:
    async with house(home) as engine:
        taken: list[object] = []
        engine.on_hand_over(taken.append)
        reader, writer = await transport.connect(home)
        writer.write(json.dumps({"v": 1, "method": "hand_over", "params": params}).encode() + b"\n")
        answer = json.loads(await asyncio.wait_for(reader.readline(), 10))
        writer.close()
        assert answer["error"]["kind"] == BadInput.__name__ and not taken
