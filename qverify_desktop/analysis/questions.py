"""Questions to the model on one target's account: what was asked, what it said, what it cost, all of it in the evidence."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

from qverify_desktop.analysis.live import Live
from qverify_desktop.analysis.ports import Answer, Evidence, Gateway
from qverify_desktop.analysis.prompts import Prompt, content_of
from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.execution import Execution
from qverify_desktop.domain.model import Asker, Purpose
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.domain.results import AnalysisRequest

#: Masked secrets of one prompt whose place is recorded.
MOST_NAMED = 50
#: Tokens of one answer.
ANSWER_TOKENS = 4096
#: Rounds of repair after the first answer. A model on this machine costs nothing, and needs more of them.
ROUNDS = 3
ROUNDS_OF_LOCAL = 5
_LOOPBACK = re.compile(r"localhost|::1|127(?:\.\d{1,3}){3}")

#: The shape of a second opinion where a wire can hold a model to one. A test file is asked for in a fence: code inside JSON is code
#: that a model has to escape while it writes it.
EXPECTATIONS_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "expectations": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "call": {"type": "integer"},
                    "value": {"type": "string"},
                    "words": {"type": "string"},
                },
                "required": ["call", "value", "words"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["expectations"],
    "additionalProperties": False,
}


@dataclass
class Account:
    """What was asked and spent so far. Money in millionths of a US dollar, time in milliseconds."""

    target: str
    request: AnalysisRequest
    gateway: Gateway
    asker: Asker = Asker()
    live: Live | None = None
    left: int | None = None
    evidence: list[Evidence] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    cost_microusd: int = 0
    model_ms: int = 0
    local: bool = False
    asked: int = 0

    @property
    def used_up(self) -> bool:
        """Whether nothing is left of the budget."""
        return self.left is not None and self.cost_microusd >= self.left

    @property
    def rounds(self) -> int:
        return ROUNDS_OF_LOCAL if self.local else ROUNDS

    async def ask(
        self, prompt: Prompt, number: int, purpose: Purpose, schema: Mapping[str, Any] | None = None
    ) -> str:
        """One question, and the answer's text. Prompt and answer go into the evidence, and so does a question that got none.

        Raises ``ModelFailure``.
        """
        masked = await asyncio.to_thread(self.gateway.mask, prompt.messages)
        messages = list(masked.messages)
        self.asked += 1
        shortened: list[Messages] = []

        def shorter(limit: int) -> Messages | None:
            fewer = prompt.shorter(limit)
            if fewer is None:
                return None
            fewer = list(self.gateway.mask(fewer).messages)
            shortened.append(fewer)
            return fewer

        question = Question(
            messages,
            purpose,
            ANSWER_TOKENS,
            self.request.model,
            self.request.api_base,
            asker=replace(self.asker, request=f"{self.asker.request}/{self.asked}"),
            schema=schema,
            template=prompt.template,
            shorter=shorter,
            hear=self.live,
        )
        about = {
            "target": self.target,
            "round": number,
            "purpose": purpose.value,
            "model": self.request.model,
            "template": prompt.template,
            "request": question.digest,
        }
        self.evidence.append(Evidence("model_prompt", about, {"prompt": content_of(messages)}))
        if masked.secrets:
            # By rule and place: what is masked is neither sent nor recorded.
            places = [
                {"rule": one.rule, "message": one.message, "line": one.line} for one in masked.secrets[:MOST_NAMED]
            ]
            self.evidence.append(
                Evidence("secrets_masked", {**about, "secrets": len(masked.secrets), "places": places}, {})
            )
        try:
            answer = await self.gateway.complete(question)
        except ModelFailure as error:
            said = {"sentence": error.sentence.encode(), "remedy": error.remedy.encode()}
            self.evidence.append(Evidence("model_no_answer", about, said))
            raise
        finally:
            if self.live is not None:
                self.live.over()
            # The person is told of what was really sent, not of what was meant to be.
            for fewer in shortened[-1:]:
                self.evidence.append(Evidence("model_prompt_shortened", about, {"prompt": content_of(fewer)}))
        self._note(answer, about)
        return answer.text

    def _note(self, answer: Answer, about: Mapping[str, Any]) -> None:
        self.cost_microusd += answer.cost_microusd
        self.model_ms += answer.duration_ms
        self.local = answer.provider == "ollama" or is_loopback(self.request.api_base)
        facts = {
            **about,
            "model": answer.model,
            "provider": answer.provider,
            "prompt_tokens": answer.prompt_tokens,
            "completion_tokens": answer.completion_tokens,
            "cost_microusd": answer.cost_microusd,
            "duration_ms": answer.duration_ms,
            "cached": int(answer.cached),
        }
        blobs = {"answer": answer.text.encode("utf-8", "surrogatepass")}
        if answer.attempts:
            blobs["attempts"] = "\n".join(answer.attempts).encode("utf-8", "replace")
        self.evidence.append(Evidence("model_answer", facts, blobs))


def is_loopback(address: str) -> bool:
    """Whether an address (``http://127.0.0.1:8080``) is on this machine, by what it says."""
    try:
        host = urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return False
    return bool(_LOOPBACK.fullmatch(host))
