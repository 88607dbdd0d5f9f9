"""A list of the engine that is looked at as long as it is shown: a question that answers once there is another version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from qverify_desktop.ui.bridge import EngineBridge, Pending

#: Between two questions where nothing has changed, or where nobody answered.
QUIET_MS = 2_000


class Watching:
    """Asks ``question`` for ``owner`` and hands every view to ``show``; the view's ``version`` is what the next question is after."""

    def __init__(self, owner: QWidget, bridge: EngineBridge, question: str, show: Callable[[Any], None]) -> None:
        self._owner, self._bridge, self._question, self._take = owner, bridge, question, show
        self._asked: Pending | None = None
        self._version = 0
        self._shown = False
        self._again = QTimer(owner)
        self._again.setSingleShot(True)
        self._again.setInterval(QUIET_MS)
        self._again.timeout.connect(self._watch)

    def start(self) -> None:
        """Look, and go on looking."""
        self._shown = True
        self.look()

    def look(self) -> None:
        """Look at once, whatever version was seen; for a person who has just changed something."""
        self._again.stop()
        self._version = 0
        self._watch()

    def stop(self) -> None:
        """Nobody sees it any more."""
        self._shown = False
        self._again.stop()
        if self._asked is not None:
            self._asked.cancel()

    def _watch(self) -> None:
        if self._shown:
            self._asked = self._bridge.ask(
                self._owner,
                self._question,
                self._show,
                # The owner may have ended; whoever owns the folder next is asked.
                failed=lambda _: self._again.start(),
                key=self._question,
                after=self._version,
            )

    def _show(self, view: Any) -> None:
        same, self._version = view["version"] == self._version, view["version"]
        self._take(view)
        if same:
            self._again.start()
        else:
            self._watch()
