"""Where the application's own files lie, in the source tree, installed, or frozen."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def resources_root() -> Path:
    """The folder that holds ``resources/`` and ``runtimes/``; ``QVERIFY_RESOURCES`` moves it."""
    moved = os.environ.get("QVERIFY_RESOURCES")
    if moved:
        return Path(moved)
    frozen = getattr(sys, "_MEIPASS", None)
    return Path(frozen) if frozen else Path(__file__).resolve().parents[2]
