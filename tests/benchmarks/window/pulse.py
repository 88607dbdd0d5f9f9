"""An outside sampler: another process pings the window's loop through a socket every few milliseconds and times the echo."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
import time
from pathlib import Path

EVERY_S = 0.004


class Echo:
    """The window's end: answers each byte in a turn of the loop. ``begin`` starts the sampler, ``end`` gives its figures."""

    def __init__(self) -> None:
        self._ours, theirs = socket.socketpair()
        self._ours.setblocking(False)
        asyncio.get_running_loop().add_reader(self._ours, self._answer)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__)), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdout=subprocess.PIPE,
            text=True,
        )
        theirs.close()

    def _answer(self) -> None:
        data = self._ours.recv(64)
        if data:
            self._ours.send(data[:1])

    async def end(self) -> dict[str, float]:
        """Milliseconds: longest, how many over 50, samples."""
        asyncio.get_running_loop().remove_reader(self._ours)
        self._ours.close()
        out = await asyncio.to_thread(self._process.communicate)
        figures: dict[str, float] = json.loads(out[0])
        return figures


def sample(descriptor: int) -> None:
    line = socket.socket(fileno=descriptor)
    line.settimeout(30)
    delays: list[float] = []
    try:
        while True:
            sent = time.perf_counter()
            line.send(b".")
            if not line.recv(1):
                break
            delays.append((time.perf_counter() - sent) * 1000)
            time.sleep(EVERY_S)
    except OSError:
        pass
    delays.sort()
    over = sum(delay > 50 for delay in delays)
    longest = delays[-1] if delays else 0.0
    p999 = delays[int(len(delays) * 0.999)] if delays else 0.0
    print(json.dumps({"longest": round(longest, 1), "p999": round(p999, 1), "over_50": over, "samples": len(delays)}))


if __name__ == "__main__":
    sample(int(sys.argv[1]))
