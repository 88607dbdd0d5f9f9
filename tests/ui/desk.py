"""A desk for pages under test: real theme, registry, preferences and bridge over an engine that answers from a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QWidget

from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.progress import RunEvent
from qverify_desktop.ui.actions import ActionRegistry
from qverify_desktop.ui.bridge import EngineBridge
from qverify_desktop.ui.page import Desk
from qverify_desktop.ui.preferences import Preferences
from qverify_desktop.ui.run_context import RunContexts
from qverify_desktop.ui.theme import Theme


class ScriptedEngine:
    """``answers`` maps a question to its answer, to a function of its parameters, or to an error that is raised.

    ``asked`` holds what was asked, in order, as (question, parameters); engine methods are noted as (name, arguments).
    """

    def __init__(self, answers: Mapping[str, Any] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.events: list[RunEvent] = []

    async def ask(self, question: str, /, **params: Any) -> Any:
        self.asked.append((question, params))
        answer = self.answers.get(question, BadInput(f"There is no question {question!r}."))
        if callable(answer):
            answer = answer(**params)
        if isinstance(answer, QVerifyError):
            raise answer
        return answer

    async def watch(self, run: str, attend: bool = False) -> AsyncIterator[RunEvent]:
        for event in self.events:
            yield event

    async def changes(self) -> AsyncIterator[str]:
        await asyncio.Event().wait()
        yield ""

    async def close(self) -> None:
        return None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_") or name == "on_hand_over":
            raise AttributeError(name)

        async def method(*args: Any, **kwargs: Any) -> Any:
            self.asked.append((name, {"args": args, **kwargs}))
            answer = self.answers.get(name)
            if isinstance(answer, QVerifyError):
                raise answer
            return answer

        return method


class NotedFront(QObject):
    """Notes what pages ask of the window, as (method, arguments)."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.sheet: QWidget | None = None

    def open_sheet(self, sheet: QWidget) -> None:
        self.calls.append(("open_sheet", (sheet,)))
        self.sheet = sheet

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):
            raise AttributeError(name)
        return lambda *args, **kwargs: self.calls.append((name, (*args, *kwargs.values())))


def make_desk(engine: ScriptedEngine, theme_name: str = "light", zoom: float = 1.0) -> Desk:
    """A desk whose bridge is connecting to ``engine``; call inside a running loop (qasync fixture ``loop``)."""
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    theme = Theme(theme_name, zoom)
    theme.apply(app)

    async def open_engine() -> Any:
        return engine

    bridge = EngineBridge(open_engine)
    front = NotedFront()
    desk = Desk(theme, bridge, ActionRegistry(theme), Preferences(None), front, RunContexts(bridge))  # type: ignore[arg-type]
    bridge.connect_engine()
    return desk
