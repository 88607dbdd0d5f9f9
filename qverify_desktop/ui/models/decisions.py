"""Decisions of a person on their way to the engine: one after the other, in the order they were made."""

from __future__ import annotations

from collections import deque
from typing import Any

from PySide6.QtCore import QObject, Signal

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.ui.bridge import EngineBridge


class Decisions(QObject):
    """``refused`` carries the error of a decision that the engine did not take; ``settled`` follows when none waits any more."""

    refused = Signal(object)
    settled = Signal()

    def __init__(self, bridge: EngineBridge, question: str, parent: QObject | None = None) -> None:
        """``question`` is ``tests_decide`` or ``defect_decide``."""
        super().__init__(parent)
        self._bridge, self._question = bridge, question
        self._waiting: deque[dict[str, Any]] = deque()
        self._sending = False

    @property
    def busy(self) -> bool:
        return self._sending

    def send(self, **params: Any) -> None:
        """Ask the question with these parameters after those that wait."""
        self._waiting.append(params)
        if not self._sending:
            self._next()

    def _next(self) -> None:
        self._sending = bool(self._waiting)
        if self._sending:
            params = self._waiting.popleft()
            self._bridge.ask(self, self._question, self._taken, failed=self._failed, **params)
        else:
            self.settled.emit()

    def _taken(self, _: object) -> None:
        self._next()

    def _failed(self, error: QVerifyError) -> None:
        self.refused.emit(error)
        self._next()
