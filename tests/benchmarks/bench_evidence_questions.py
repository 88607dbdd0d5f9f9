"""``python -m tests.benchmarks.bench_evidence_questions [EVENTS]``: what a window asks of a log of EVENTS (1,000,000) entries.

Prints one JSON object: milliseconds of each question (the first time, then the median of further ones) and peak memory.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from qverify_desktop.engine.questions.catalogue import Context
from qverify_desktop.engine.questions.evidence import EvidenceQuestions
from tests.benchmarks.bench_evidence import fill
from tests.evidence.logs import House

FURTHER = 20


async def whole_name(run: str) -> str:
    return run


def questions_of(house: House) -> EvidenceQuestions:
    context = SimpleNamespace(home=house.folder, database=house.database, find=whole_name)
    return EvidenceQuestions(cast(Context, context))


async def timed(ask: Callable[[int], Awaitable[Any]]) -> dict[str, float]:
    """Milliseconds of the first answer and the median of ``FURTHER`` ones; ``ask`` gets a number that differs each time."""
    took = []
    for number in range(FURTHER + 1):
        began = time.perf_counter()
        await ask(number)
        took.append(1000 * (time.perf_counter() - began))
    return {"first_ms": round(took[0], 1), "median_ms": round(statistics.median(took[1:]), 2)}


async def measure(house: House, events: int) -> dict[str, Any]:
    asked = questions_of(house)
    step = events // (FURTHER + 2)
    log, search = asked.log, {"limit": 200, "start": -200}
    return {
        "page": await timed(lambda n: log(start=n * step, limit=200)),
        "page_of_run": await timed(lambda n: log(run="large", start=n * step, limit=200)),
        "search_many": await timed(lambda n: log(text="judge", **search)),
        "search_none": await timed(lambda n: log(text="nowhere", **search)),
        "search_none_of_run": await timed(lambda n: log(run="large", text="nowhere", **search)),
        "checkpoint": await timed(lambda n: asked.checkpoint("large")),
        "event_first_ever": await timed(lambda n: asked.event(n * step + 1)),
        "event_after_restart": await timed(lambda n: questions_of(house).event(n * step + 1)),
    }


def peak_kb() -> int:
    """Of this program alone; ``getrusage`` begins with the peak of the process that started it."""
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))


def ask(folder: Path, events: int) -> None:
    """In a process of its own, so that its memory is that of the answers."""
    house = House(folder)
    before = peak_kb()
    answer = asyncio.run(measure(house, events))
    after = peak_kb()
    house.close()
    print(json.dumps({"log_entries": events, **answer, "peak_grew_mb": (after - before) >> 10}, indent=2))


def main() -> None:
    events = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        ask(Path(sys.argv[2]), events)
        return
    with tempfile.TemporaryDirectory() as name:
        house = House(Path(name))
        fill(house, events)
        house.whole_run("small")
        house.close()
        subprocess.run([sys.executable, "-m", __spec__.name, str(events), name], check=True)


if __name__ == "__main__":
    main()
