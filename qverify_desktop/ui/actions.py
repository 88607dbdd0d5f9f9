"""The one registry of what a person can do: menus, shortcuts, the command palette and buttons all read it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.language import tr
from qverify_desktop.ui.theme import Theme


@dataclass
class Act:
    """Something a person can do.

    ``title`` and ``group`` are English catalogue texts. ``keys`` is a portable shortcut, empty for none; ``single`` marks a
    single letter, which acts only while a list or its detail has focus. ``reason`` answers why it is not possible
    now, empty when it is. ``place`` limits it to a page's name (empty: everywhere).
    """

    id: str
    title: str
    group: str
    run: Callable[[], object]
    keys: str = ""
    icon: str = ""
    place: str = ""
    single: bool = False
    more_keys: tuple[str, ...] = ()
    reason: Callable[[], str] = field(default=lambda: "")

    def words(self) -> str:
        return tr(self.title)


class ActionRegistry(QObject):
    """All acts by id. ``changed`` is emitted when what is possible may have changed."""

    changed = Signal()

    def __init__(self, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._acts: dict[str, Act] = {}
        self._actions: dict[str, QAction] = {}
        theme.changed.connect(self._draw)

    def add(self, act: Act) -> Act:
        """Register an act; an id that is there is a mistake of ours (``ValueError``)."""
        if act.id in self._acts:
            raise ValueError(f"There is an action {act.id} already.")
        self._acts[act.id] = act
        return act

    def __getitem__(self, id: str) -> Act:
        return self._acts[id]

    def __iter__(self) -> Iterator[Act]:
        return iter(tuple(self._acts.values()))

    def trigger(self, id: str) -> bool:
        """Do it if it is possible; answers whether it was."""
        act = self._acts[id]
        if act.reason():
            return False
        act.run()
        return True

    def action(self, id: str) -> QAction:
        """The Qt action of an act, for menus. One per act; without its shortcut, which ``bind`` gives to the window."""
        found = self._actions.get(id)
        if found is None:
            act = self._acts[id]
            found = QAction(act.words(), self)
            found.triggered.connect(lambda: self.trigger(id))
            self._actions[id] = found
            self._draw_one(id)
        return found

    def bind(self, window: QWidget, allowed: Callable[[Act], bool], acts: Iterable[Act]) -> None:
        """Give acts with keys their shortcuts in this window. ``allowed`` is asked at each key press."""
        for act in acts:
            if not act.keys:
                continue
            shortcut = QAction(act.words(), window)
            keys = [QKeySequence(one) for one in (act.keys, *act.more_keys)]
            shortcut.setShortcuts(keys)
            shortcut.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.triggered.connect(lambda _=False, act=act: self.trigger(act.id) if allowed(act) else None)
            window.addAction(shortcut)

    def update(self) -> None:
        """Say that what is possible may have changed."""
        for id, action in self._actions.items():
            reason = self._acts[id].reason()
            action.setEnabled(not reason)
            action.setToolTip(reason or self._acts[id].words())
        self.changed.emit()

    def _draw(self) -> None:
        for id in self._actions:
            self._draw_one(id)

    def _draw_one(self, id: str) -> None:
        icon = self._acts[id].icon
        if icon:
            self._actions[id].setIcon(self._theme.icon(icon))


def shown_keys(keys: str) -> str:
    """A shortcut as a person reads it: ``Ctrl Shift N``."""
    text = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
    return text.replace("++", "+Plus").replace("+", " ").replace("Plus", "+").strip()
