"""A round-robin TCP proxy in front of the replicas; TLS ends behind it. A replica that can't be reached is left out."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator


class Balancer:
    """``ports`` are those of the replicas, in order; a test may change the list. ``taken`` counts connections by port."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.taken: dict[int, int] = {}
        self.port = 0
        self._turn = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            for _ in range(len(self.ports)):
                port = self.ports[self._turn % len(self.ports)]
                self._turn += 1
                try:
                    onward = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
                self.taken[port] = self.taken.get(port, 0) + 1
                await self._join((reader, writer), onward)
                return
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _join(
        self,
        one: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        other: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Pass bytes both ways until one side ends; what ended one side ends the other."""
        ways = [asyncio.create_task(_pass(one[0], other[1])), asyncio.create_task(_pass(other[0], one[1]))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            for _, writer in (one, other):
                with contextlib.suppress(OSError, asyncio.TimeoutError):
                    writer.close()
                    await asyncio.wait_for(writer.wait_closed(), 0.2)
                writer.transport.abort()

    async def _run(self, started: threading.Event, stop: asyncio.Event) -> None:
        listening = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = listening.sockets[0].getsockname()[1]
        started.set()
        await stop.wait()
        listening.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(65536):
            writer.write(piece)
            await writer.drain()


@contextlib.contextmanager
def balancing(ports: list[int]) -> Iterator[Balancer]:
    """A running balancer for the time of a ``with``, in a thread with a loop of its own."""
    balancer, started, stop = Balancer(ports), threading.Event(), asyncio.Event()
    thread = threading.Thread(
        target=balancer._loop.run_until_complete, args=(balancer._run(started, stop),), daemon=True
    )
    thread.start()
    started.wait(10)
    try:
        yield balancer
    finally:
        balancer._loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        balancer._loop.close()
