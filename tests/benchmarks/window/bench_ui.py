"""The window measured: first paint against a bare Qt window, stalls of the loop seen by another process, large lists, memory.

    python -m tests.benchmarks.window.bench_ui [--write FILE] [--skip analysis]

Run under a display, on a machine that does nothing else: the first line says how busy it was. A part that fails leaves FILE as it is. "Page up" is from asking for a page to the frame that shows its content.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[3]
REPEAT = 7
PARTS = ("analysis", "lists")


def first_paint() -> tuple[float, float]:
    """Median seconds of a bare window and of ours, in turns."""
    times: dict[str, list[float]] = {"bare": [], "ours": []}
    for turn in range(REPEAT + 1):
        for kind, measured in times.items():
            with tempfile.TemporaryDirectory() as home:
                line = [sys.executable, "-m", "tests.benchmarks.window.paint_first", kind]
                ran = subprocess.run(
                    line,
                    cwd=ROOT,
                    env={**os.environ, "QVERIFY_HOME": home},
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                if turn:
                    measured.append(float(ran.stdout.split()[-1]))
    return statistics.median(times["bare"]), statistics.median(times["ours"])


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        await asyncio.sleep(0.002)


async def stalls(body: Callable[[], Awaitable[None]]) -> dict[str, float]:
    from tests.benchmarks.window.pulse import Echo

    echo = Echo()
    await asyncio.sleep(0.3)
    await body()
    return await echo.end()


async def analysis(home: Path) -> dict[str, Any]:
    """An analysis of the sample in the real window with the real engine."""
    os.environ["QVERIFY_HOME"] = str(home)
    from PySide6.QtWidgets import QApplication

    from qverify_desktop.app import open_engine
    from qverify_desktop.ui.assembly import Window
    from qverify_desktop.ui.bridge import EngineBridge
    from qverify_desktop.ui.preferences import Preferences
    from qverify_desktop.ui.theme import Theme, load_fonts

    theme = Theme("light")
    load_fonts()
    theme.apply(QApplication.instance())  # type: ignore[arg-type]
    bridge = EngineBridge(open_engine)
    window = Window(theme, bridge, Preferences(None))
    window.show()
    bridge.connect_engine()
    await until(lambda: bridge.is_ready)
    await asyncio.sleep(2)
    project = home.parent / "project"
    shutil.copytree(ROOT / "resources/sample", project)

    async def idle() -> None:
        await asyncio.sleep(4)

    async def run() -> None:
        from qverify_desktop.domain.results import AnalysisRequest

        window.front.start(AnalysisRequest(source=str(project)))
        await until(lambda: any(one["status"] == "finished" for one in window.listed), 400)
        await asyncio.sleep(1)

    found = {"idle": await stalls(idle), "analysis": await stalls(run)}
    found["memory_mb"] = round(psutil.Process().memory_info().rss / 1e6)  # type: ignore[assignment]
    window.hide()
    await bridge.close()
    return found


async def lists() -> dict[str, Any]:
    """Large lists over scripted answers, and a thousand events a second."""
    from PySide6.QtWidgets import QApplication

    from qverify_desktop.domain.progress import EventKind, RunEvent, Stage
    from qverify_desktop.ui.assembly import Window
    from qverify_desktop.ui.bridge import EngineBridge
    from qverify_desktop.ui.page import Place
    from qverify_desktop.ui.preferences import Preferences
    from qverify_desktop.ui.theme import Theme
    from tests.ui.desk import ScriptedEngine
    from tests.ui.samples import results
    from tests.ui.samples import window as samples

    runs = [
        results.run_view(run=f"r{n:013d}", started_at=f"2025-{n % 12 + 1:02d}-01T00:00:00Z") for n in range(10_000)
    ]
    tests = [
        results.test_view(
            f"pkg/m{n // 500}.py",
            f"f{n // 20}",
            f"test_{n}",
            "accepted" if n % 3 else "refused",
            "gain" if n % 3 else "no_gain",
        )
        for n in range(100_000)
    ]
    engine = ScriptedEngine(
        samples.answers(
            run_tests=tests,
            run_log=samples.log(1_000_000),
            evidence_log=samples.entries(1_000_000),
            run_test=lambda run, test: results.detail(next(one for one in tests if one["id"] == test)),
        )
    )

    async def open_engine() -> Any:
        return engine

    theme = Theme("light")
    theme.apply(QApplication.instance())  # type: ignore[arg-type]
    bridge = EngineBridge(open_engine)
    window = Window(theme, bridge, Preferences(None))
    window.resize(1440, 900)
    window.show()
    bridge.connect_engine()
    await asyncio.sleep(2)
    for name in ("runs", "evidence"):
        window.go(Place(name))
        await asyncio.sleep(0.5)
    for tab in ("results", "progress"):
        window.go(Place(tab, run=results.RUN))
        await asyncio.sleep(1.5)
    window.go(Place("home"))
    engine.answers["run_list"] = runs
    found: dict[str, Any] = {}

    async def page_up(name: str, place: Place, there: Callable[[], bool]) -> None:
        begun = time.perf_counter()
        window.go(place)
        await until(there, 30)
        window.page.repaint()
        found[name] = round((time.perf_counter() - begun) * 1000)
        await asyncio.sleep(1)

    pages = window._pages
    pages["runs"].model.fill([])  # type: ignore[attr-defined]
    await page_up("10,000 runs", Place("runs"), lambda: pages["runs"].model.rowCount() == 10_000)  # type: ignore[attr-defined]

    async def first_tests() -> None:
        await page_up(
            "100,000 tests",
            Place("results", run=samples.OTHER),
            lambda: pages["results"].list.model.shown_count == 100_000,
        )  # type: ignore[attr-defined]
        await asyncio.sleep(3)

    found["100,000 tests, stall"] = (await stalls(first_tests))["longest"]
    await page_up(
        "log of 1,000,000 lines",
        Place("progress", run=samples.OTHER),
        lambda: pages["progress"].log.view.model.rowCount() >= 1_000_000,
    )  # type: ignore[attr-defined]
    pages["evidence"].log.model.begin(0)  # type: ignore[attr-defined]
    await page_up(
        "1,000,000 log entries", Place("evidence"), lambda: pages["evidence"].log.model.line_at(999_999) is not None
    )  # type: ignore[attr-defined]
    window.go(Place("progress", run=results.RUN))
    await asyncio.sleep(1)

    async def events() -> None:
        page = pages["progress"]
        begun, told = time.perf_counter(), 0
        while (passed := time.perf_counter() - begun) < 5:
            while told < passed * 1000:
                told += 1
                page.hear(RunEvent(results.RUN, told, EventKind.PROGRESS, Stage.JUDGE, f"{told} of 9999", told, 9999))  # type: ignore[attr-defined]
            await asyncio.sleep(0.005)

    found["1,000 events a second"] = await stalls(events)
    found["memory_mb"] = round(psutil.Process().memory_info().rss / 1e6)
    window.hide()
    await bridge.close()
    return found


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", type=Path, default=ROOT / "docs/measurements/ui.md")
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", choices=PARTS, action="append", default=[])
    arguments = parser.parse_args()
    if arguments.only:
        return _part(arguments.only)
    load = os.getloadavg()[0]
    bare, ours = first_paint()
    lines = [
        "# The window, measured",
        "",
        f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, commit {_commit()}, {platform.machine()}, {os.cpu_count()} cores, Xvfb, "
        f"load {load:.1f} at the start.",
        "",
        f"- First paint: {ours:.3f} s against {bare:.3f} s of a bare Qt window, ratio {ours / bare:.2f} (goal 1.5).",
    ]
    failed = False
    for part in (part for part in PARTS if part not in arguments.skip):
        ran = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.window.bench_ui", "--only", part],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=600,
        )
        failed |= ran.returncode != 0
        # The sampling process outlives what failed and complains after it.
        why = [line for line in ran.stderr.splitlines() if line[:1].isalpha() and "BrokenPipe" not in line]
        lines += ran.stdout.splitlines() if not ran.returncode else [f"- {part}: failed. {' '.join(why[-1:])}"]
    text = "\n".join(lines) + "\n"
    print(text)
    if not failed and not arguments.skip:
        arguments.write.write_text(text, "utf-8")
    return int(failed)


def _part(name: str) -> int:
    from qverify_desktop.app import make_app, make_loop

    sys.setswitchinterval(0.001)
    app = make_app()
    with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:
        if name == "analysis":
            with tempfile.TemporaryDirectory() as folder:
                found = runner.run(analysis(Path(folder) / "home"))
        else:
            found = runner.run(lists())
    for key, value in found.items():
        if isinstance(value, dict):
            print(
                f"- Stall of the loop, {key}: longest {value['longest']} ms, {value['over_50']} of {value['samples']} samples above 50 ms, 99.9 % below {value['p999']} ms."
            )
        elif key == "memory_mb":
            print(f"- Memory at the end ({name}): {value} MB.")
        else:
            print(f"- {key}: {value} ms.")
    return 0


def _commit() -> str:
    ran = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or "unknown"


if __name__ == "__main__":
    sys.exit(main())
