"""Photograph the window: ``make screenshots`` under Xvfb. One process per pixel ratio.

usage: python -m tests.screenshots.render OUT [--scale 2] [--language de] [--zoom 2.0] [--size 1024x720] [SCENE…]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any


async def photograph(
    out: Path, names: list[str], scale: int, zoom: float = 1.0, size: tuple[int, int] | None = None
) -> int:
    """Render the scenes; answers how many pictures were made. ``zoom`` is the text's, ``size`` takes the place of each scene's."""
    from PySide6.QtWidgets import QApplication

    from qverify_desktop.ui.assembly import Window
    from qverify_desktop.ui.bridge import EngineBridge
    from qverify_desktop.ui.preferences import Preferences
    from qverify_desktop.ui.theme import Theme, load_fonts
    from tests.screenshots.scenes import SCENES
    from tests.ui.desk import ScriptedEngine
    from tests.ui.samples.window import answers

    app = QApplication.instance()
    assert isinstance(app, QApplication)
    load_fonts()
    made = 0
    for scene in [one for one in SCENES if not names or one.name in names]:
        for theme_name in scene.themes:
            engine = ScriptedEngine(answers(**scene.answers))
            engine.events = list(scene.events)

            async def open_engine(engine: ScriptedEngine = engine) -> Any:
                return engine

            theme = Theme(theme_name, zoom)
            theme.apply(app)
            bridge = EngineBridge(open_engine)
            window = Window(theme, bridge, Preferences(None))
            window.resize(*(size or scene.size))
            window.show()
            bridge.connect_engine()
            await _settled(engine)
            window.go(scene.place)
            await _settled(engine)
            if scene.act is not None:
                scene.act(window)
                await _settled(engine)
            picture = window.grab()
            suffix = f"@{scale}x" if scale > 1 else ""
            picture.save(str(out / f"{scene.name}-{theme_name}{suffix}.png"))
            made += 1
            window.hide()
            await bridge.close()
            window.deleteLater()
            await asyncio.sleep(0.05)
    return made


async def _settled(engine: Any) -> None:
    """Until nothing more is asked and what is delayed has happened."""
    until, asked = time.monotonic() + 6, -1
    while asked != len(engine.asked) and time.monotonic() < until:
        asked = len(engine.asked)
        await asyncio.sleep(0.45)


def _size(text: str) -> tuple[int, int]:
    width, height = text.split("x")
    return int(width), int(height)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--language", default="en", help="code of a catalogue, for example de")
    parser.add_argument("--zoom", type=float, default=1.0, help="size of the text, for example 2.0")
    parser.add_argument(
        "--size", type=_size, help="size of the window instead of each scene's own, for example 1024x720"
    )
    parser.add_argument("scenes", nargs="*")
    arguments = parser.parse_intermixed_args()
    os.environ["QT_SCALE_FACTOR"] = str(arguments.scale)
    os.environ["QVERIFY_REDUCED_MOTION"] = "1"
    from qverify_desktop.app import make_app, make_loop
    from qverify_desktop.ui import language

    language.use(arguments.language)
    arguments.out.mkdir(parents=True, exist_ok=True)
    app = make_app()
    with asyncio.Runner(loop_factory=lambda: make_loop(app)) as runner:
        made = runner.run(
            photograph(arguments.out, arguments.scenes, arguments.scale, arguments.zoom, arguments.size)
        )
    print(f"{made} pictures in {arguments.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
