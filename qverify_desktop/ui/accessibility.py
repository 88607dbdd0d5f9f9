"""Mends what assistive tools would make Qt stumble over.

Qt's own interface of a ``QScrollArea`` (6.11) reads beyond its children for an index that is out of range, which a screen
reader may ask for while the children change; the process ends with a segmentation fault. ``tests/ui/test_accessibility.py``
tells when Qt has mended it.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QScrollArea

_kept: dict[int, QAccessibleInterface] = {}
_installed = False


class ScrollAreaInterface(QAccessibleWidget):
    """A scroll area as a plain widget with its children: an index out of range is nobody."""

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        if not 0 <= index < self.childCount():
            return None
        return super().child(index)


def _make(key: str, of: QObject) -> QAccessibleInterface | None:
    if key != "QScrollArea" or not isinstance(of, QScrollArea):
        return None
    made = ScrollAreaInterface(of, QAccessible.Role.Client)
    # Qt keeps a bare pointer to it as long as the widget lives.
    place = id(of)
    _kept[place] = made
    of.destroyed.connect(lambda: _kept.pop(place, None))
    return made


def install() -> None:
    """Once a process, after the application was made and before the first window."""
    global _installed
    if not _installed:
        QAccessible.installFactory(_make)
        _installed = True
