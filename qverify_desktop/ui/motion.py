"""How long things move: the design's durations, and none at all where a person asked for reduced motion."""

from __future__ import annotations

import os

from qverify_desktop.ui.theme import tokens

_off = os.environ.get("QVERIFY_REDUCED_MOTION", "") not in ("", "0")


def reduce(off: bool) -> None:
    """Motion off or on, from the settings."""
    global _off
    _off = off or os.environ.get("QVERIFY_REDUCED_MOTION", "") not in ("", "0")


def reduced() -> bool:
    return _off


def duration(name: str) -> int:
    """Milliseconds of a motion token; 0 with reduced motion."""
    return 0 if _off else int(tokens()["motion"][name])
