"""The Qt start: first paint first, then the engine in a worker thread, one loop for both."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

os.environ.setdefault("QT_API", "pyside6")

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
from qasync import QEventLoop

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.key_variables import StartKeys
from qverify_desktop.domain.network import desktop_hosts, is_loopback, permits
from qverify_desktop.ui import accessibility, language, unexpected
from qverify_desktop.ui.assembly import Window
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.preferences import Preferences, window_file
from qverify_desktop.ui.theme import SYSTEM, THEMES, Theme, load_fonts, system_theme

if TYPE_CHECKING:
    from qverify_desktop.engine.api import EngineApi

#: Seconds that another window's process may take to answer a second start.
HAND_OVER_SECONDS = 5.0


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


def handed_over(sources: Sequence[str]) -> bool:
    """Whether a window that is open already took the sources. Costs nothing where no process listens."""
    from qverify_desktop.engine.remote import RemoteEngine
    from qverify_desktop.engine.transport import address

    home = window_file().parent
    if not address(home).exists():
        return False

    async def ask() -> bool:
        with contextlib.suppress(OSError, TimeoutError, QVerifyError):
            async with asyncio.timeout(HAND_OVER_SECONDS):
                return await RemoteEngine(home).hand_over(sources)
        return False

    return asyncio.run(ask())


def make_theme(app: QApplication, preferences: Preferences) -> Theme:
    """The theme and zoom of the last time; ``QVERIFY_THEME`` overrides it."""
    chosen = os.environ.get("QVERIFY_THEME") or preferences.text("theme", SYSTEM)
    theme = Theme(chosen if chosen in THEMES else system_theme(app), preferences.number("zoom", 1.0))
    load_fonts()
    theme.apply(app)
    hints = app.styleHints()

    def follow() -> None:
        if preferences.text("theme", SYSTEM) == SYSTEM and not os.environ.get("QVERIFY_THEME"):
            theme.apply(app, name=system_theme(app))

    hints.colorSchemeChanged.connect(follow)
    return theme


async def _live(window: Window, bridge: EngineBridge, sources: Sequence[str]) -> None:
    """From the first paint to an orderly end."""
    closed = asyncio.Event()
    window.quitting.connect(closed.set)
    window.show()
    # After the window stands on the screen: what comes now costs.
    QTimer.singleShot(0, bridge.connect_engine)
    window.open_sources(sources)
    await closed.wait()
    window.hide()
    window.preferences.write()
    await bridge.close()


def _written_down(error: BaseException) -> QVerifyError:
    """The details of an error go to a file in the state folder."""
    from qverify_desktop.engine.crash import as_error

    return as_error(error, window_file().parent)


def make_app() -> QApplication:
    """The Qt application with its names."""
    app = QApplication([sys.argv[0]])
    app.setApplicationName("QVerify")
    app.setDesktopFileName("qverify")
    app.setQuitOnLastWindowClosed(False)
    accessibility.install()
    return app


def _desktop_refused() -> str:
    """Why no window may be opened on this desktop; empty where it may. Qt connects by itself, unseen by the interpreter."""
    elsewhere = [host for host in desktop_hosts(os.environ) if not is_loopback(host)]
    if not elsewhere:
        return ""
    from qverify_desktop.settings.configuration import Configuration

    try:
        policy = Configuration.load().policy
    except QVerifyError:
        return ""  # the window says it
    if not policy.air_gap or all(permits(host, policy.allowed) for host in elsewhere):
        return ""
    return (
        f"The air gap is on, so no window was opened on the desktop of {elsewhere[0]}. Use the command line (qverify analyze), "
        "or start it on a desktop of this machine."
    )


def main(argv: Sequence[str], on_window: Callable[[Window], None] | None = None) -> int:
    """Open the window; ``argv`` are folders, git URLs or bundles to open. ``on_window`` is called before it is shown."""
    StartKeys.take()
    if handed_over([os.path.abspath(one) if os.path.exists(one) else one for one in argv]):  # noqa: PTH100, PTH110
        return 0
    refused = _desktop_refused()
    if refused:
        print(f"qverify: {refused}", file=sys.stderr)
        return 3
    # Worker threads let go of the interpreter five times sooner than by default, so that the window answers.
    sys.setswitchinterval(0.001)
    app = make_app()
    preferences = Preferences(window_file())
    language.use(os.environ.get("QVERIFY_LANGUAGE") or preferences.text("language"))
    theme = make_theme(app, preferences)
    with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:

        async def run() -> None:
            bridge = EngineBridge(open_engine)
            window = Window(theme, bridge, preferences)
            unexpected.install(asyncio.get_running_loop(), _written_down, window.front.tell_error)
            if on_window is not None:
                on_window(window)
            await _live(window, bridge, argv)

        runner.run(run())
    return 0
