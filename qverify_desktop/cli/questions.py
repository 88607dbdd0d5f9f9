"""What a command asks the person on a terminal. Where there is none nothing is guessed, and what needs an answer is not done."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING

from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.progress import EventKind, RunEvent
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.terminal.output import clean

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine
    from qverify_desktop.domain.views import InquiryView

_POLICIES = {
    "y": CloudPolicy.ALLOWED,
    "yes": CloudPolicy.ALLOWED,
    "n": CloudPolicy.LOCAL_ONLY,
    "no": CloudPolicy.LOCAL_ONLY,
}


def can_ask() -> bool:
    """Whether somebody can read a question and type an answer."""
    return sys.stdin.isatty() and sys.stderr.isatty()


async def with_policy(engine: AnyEngine, request: AnalysisRequest) -> AnalysisRequest:
    """The request with the person's answer where a model elsewhere is named and nobody decided yet. Without an answer the engine
    refuses, and says which options give one."""
    if request.cloud or request.model == "none" or not can_ask():
        return request
    view = await engine.ask("repository_cloud", source=request.source, model=request.model, api_base=request.api_base)
    if view["cloud"] or not view["hosts"]:
        return request
    said = await typed_line(
        f"The model {request.model} is not on this machine. May prompts with source of {request.source} go to "
        f"{', '.join(view['hosts'])}? Secrets are masked before. The answer is kept for this repository. [y/n] "
    )
    return replace(request, cloud=_POLICIES.get(said.lower(), CloudPolicy.UNDECIDED).value)


async def typed_line(question: str) -> str:
    """The line that is typed after the question, without blanks at its ends; the loop goes on meanwhile, and cancelling ends
    the waiting. The end of the input (Ctrl+D) is a no."""
    print(clean(question), end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline() or "n")

    loop.add_reader(sys.stdin, read)
    try:
        return (await typed).strip()
    finally:
        loop.remove_reader(sys.stdin)


class Answering:
    """Asks on the terminal what a run wants to know while it is followed. ``pause`` keeps the progress away from the question."""

    def __init__(self, engine: AnyEngine, run: str, pause: Callable[[], AbstractContextManager[None]]) -> None:
        self._engine = engine
        self._run = run
        self._pause = pause
        self._task: asyncio.Task[None] | None = None

    def hear(self, event: RunEvent) -> None:
        """An inquiry was opened (then it is asked) or closed (then nobody need answer any more)."""
        if event.kind is EventKind.INQUIRY:
            before, self._task = self._task, None
            self._task = asyncio.get_running_loop().create_task(self._next(before, bool(event.text)))

    async def aclose(self) -> None:
        """Ask no further, and leave the terminal as it was."""
        await _ended(self._task)

    async def _next(self, before: asyncio.Task[None] | None, asks: bool) -> None:
        await _ended(before)
        if asks:
            await self._ask()

    async def _ask(self) -> None:
        # Whatever became of the run meanwhile, its events tell.
        with contextlib.suppress(QVerifyError):
            for one in await self._engine.ask("inquiries"):
                if one["run"] != self._run:
                    continue
                with self._pause():
                    said = await self._answer(one)
                if said == "cancel":
                    await self._engine.cancel(self._run)
                else:
                    await self._engine.ask("inquiry_answer", run=self._run, name=one["name"], reply=said)

    async def _answer(self, inquiry: InquiryView) -> str:
        while True:
            said = (await typed_line(f"{inquiry['sentence']}\n{_OFFERED} ")).lower()
            if said in _ANSWERS:
                return _ANSWERS[said]


async def _ended(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


_OFFERED = "[y] spend it up to the limit  [n] finish without models that cost something  [c] cancel the run:"
_ANSWERS = {"y": "go_on", "yes": "go_on", "n": "stop", "no": "stop", "c": "cancel", "cancel": "cancel"}
