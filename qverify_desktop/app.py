"""The Qt start: first paint first, then the engine in a worker thread, one loop for both."""

from __future__ import annotations

import asyncio
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.theme import apply_theme, load_theme, system_theme
from qverify_desktop.ui.window import MainWindow

if TYPE_CHECKING:
    from qverify_desktop.engine.api import EngineApi


async def open_engine() -> EngineApi:
    """Import the heavy rooms off the GUI thread, then open the engine in the running loop."""

    composition = await asyncio.to_thread(importlib.import_module, "qverify_desktop.composition")
    engine: EngineApi = await composition.open_engine()
    # What was imported stays: a collection that walks all of it again and again would hold the window up.
    gc.freeze()
    return engine


def make_loop(app: QApplication) -> QEventLoop:
    """The one loop of window and engine. Its threads are Python's: qasync's own die with a running QThread."""
    loop = QEventLoop(app)
    loop.set_default_executor(ThreadPoolExecutor(thread_name_prefix="qverify"))
    return loop


async def _live(window: MainWindow, bridge: EngineBridge, sources: Sequence[str]) -> None:
    """From the first paint to an orderly end."""
    closed = asyncio.Event()
    window.closing.connect(closed.set)
    window.show()
    bridge.connect_engine()
    for source in sources[:1]:
        window.analyse(source)
    await closed.wait()
    await bridge.close()


def main(argv: Sequence[str]) -> int:
    """Open the window; ``argv`` are folders or git URLs to analyse."""
    # Worker threads let go of the interpreter five times sooner than by default, so that the window answers.
    sys.setswitchinterval(0.001)
    app = QApplication([sys.argv[0]])
    app.setApplicationName("QVerify")
    app.setDesktopFileName("qverify")
    app.setQuitOnLastWindowClosed(False)
    theme = load_theme(system_theme(app))
    apply_theme(app, theme)
    with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:

        async def run() -> None:
            bridge = EngineBridge(open_engine)
            window = MainWindow(theme, bridge)
            await _live(window, bridge, argv)

        runner.run(run())
    return 0
