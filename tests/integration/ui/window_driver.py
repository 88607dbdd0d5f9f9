"""Drives the real window with the real engine and prints what happened as JSON; run as a program under a display.

Drops a folder, watches it to its verdict, verifies, starts a second run, cancels it, closes. Beside it a thread samples the
loop: it posts a ping every few milliseconds and measures how long the loop takes to answer.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from pathlib import Path

os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication

from qverify_desktop.app import make_loop, open_engine
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.theme import apply_theme, load_theme, system_theme
from qverify_desktop.ui.window import MainWindow


class LoopSampler(threading.Thread):
    """Measures from outside the loop how long a ping waits for its answer. Seconds."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(daemon=True)
        self.loop, self.delays, self.on = loop, [], True

    def run(self) -> None:
        while self.on:
            answered = threading.Event()
            sent = time.perf_counter()
            self.loop.call_soon_threadsafe(answered.set)
            answered.wait(10)
            self.delays.append((time.perf_counter() - sent, sent))
            time.sleep(0.004)


async def until(condition, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(what)
        await asyncio.sleep(0.05)


async def drop(window: MainWindow, folder: str, shot=None) -> None:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(folder)])
    where, copy = QPoint(200, 200), Qt.DropAction.CopyAction
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(where, copy, mime, buttons, keys))
    if shot is not None:
        await shot("drag-over")
    QApplication.sendEvent(window, QDropEvent(QPointF(where), copy, mime, buttons, keys))


async def drive(window: MainWindow, bridge: EngineBridge, folder: str, shots: Path) -> dict:
    states: list[str] = []
    answers: list[dict] = []
    bridge.verified.connect(answers.append)

    async def shot(name: str) -> None:
        # Give the loop its turns; processing events in here would enter tasks a second time.
        await asyncio.sleep(0.2)
        states.append(name)
        window.grab().save(str(shots / f"{name}.png"))

    window.show()
    await shot("starting")
    bridge.connect_engine()
    await until(lambda: window.page.state == "idle", 60, "the engine did not come up")
    sampler = LoopSampler(asyncio.get_running_loop())
    await shot("idle")
    await drop(window, folder, shot)
    began = time.monotonic()
    sampler.start()
    await until(lambda: window.page.progress.value() >= 4 or window.page.state != "running", 300, "no progress")
    await until(lambda: window.page.state in ("finished", "failed"), 600, "no verdict")
    wall = time.monotonic() - began
    sampler.on = False
    await shot(window.page.state)
    sentence = window.page.verdict.text()
    document = window._document
    window.page.verify_button.click()
    await until(lambda: bool(answers), 60, "no answer of the verifier")
    await shot("verified")
    await drop(window, folder)
    await until(lambda: window.page.progress.value() >= 4, 300, "the second run did not start")
    await shot("running")
    window.page.cancel_button.click()
    await until(lambda: window.page.state == "cancelled", 60, "the run was not cancelled")
    await shot("cancelled")
    delays = sorted(delay for delay, _ in sampler.delays)
    return {
        "states": states,
        "sentence": sentence,
        "document": document,
        "verified": answers[0],
        "wall_s": round(wall, 2),
        "samples": len(delays),
        "stall_ms": {
            "longest": round(delays[-1] * 1000, 1),
            "over_50": sum(delay > 0.05 for delay in delays),
            "p999": round(delays[int(len(delays) * 0.999)] * 1000, 1),
            "median": round(delays[len(delays) // 2] * 1000, 2),
        },
    }


def main() -> None:
    folder, shots = sys.argv[1], Path(sys.argv[2])
    sys.setswitchinterval(0.001)
    app = QApplication([])
    app.setQuitOnLastWindowClosed(False)
    theme = load_theme(system_theme(app))
    apply_theme(app, theme)

    async def run() -> dict:
        bridge = EngineBridge(open_engine)
        window = MainWindow(theme, bridge)
        try:
            return await drive(window, bridge, folder, shots)
        finally:
            await bridge.close()

    with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:
        print(json.dumps(runner.run(run())))


if __name__ == "__main__":
    main()
