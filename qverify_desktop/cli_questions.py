"""What a command asks the person on a terminal. Where there is none nothing is guessed, and what needs an answer is not done."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.terminal import clean

if TYPE_CHECKING:
    from qverify_desktop.composition import AnyEngine

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
    the waiting."""
    print(clean(question), end="", file=sys.stderr, flush=True)
    loop = asyncio.get_running_loop()
    typed: asyncio.Future[str] = loop.create_future()

    def read() -> None:
        if not typed.done():
            typed.set_result(sys.stdin.readline())

    loop.add_reader(sys.stdin, read)
    try:
        return (await typed).strip()
    finally:
        loop.remove_reader(sys.stdin)
