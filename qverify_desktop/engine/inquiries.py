"""The engine asks the person while a run goes on. One question of a run is asked once; its answer is a recorded step of the run.

Whoever watches a run and can answer is told by an event of the bus and asks what is open (``open``). The answer goes into the
evidence at once, with the same guarantee as any other step: after a restart it is read there and nobody is asked again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from qverify_desktop.analysis.ports import Artefacts, Evidence, Journal
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.inquiries import Consent, Inquiry
from qverify_desktop.engine.durable import Interrupted

#: Hours for which a run waits for an answer; then it rests until it is gone on with, and asks again.
MOST_HOURS = 4.0

Tell = Callable[[Inquiry, bool], None]


@dataclass(eq=False)
class _Open:
    """An inquiry that is being settled: who waits for it, and where the answer arrives."""

    inquiry: Inquiry
    reply: asyncio.Future[Consent]
    task: asyncio.Task[Consent] | None = None
    waiting: int = 0
    told: bool = field(default=False)


class Inquiries:
    """Implements ``gateway.ports.Person``. Used in the engine's loop only; ``connect`` comes before the first question."""

    def __init__(self, journal: Journal, artefacts: Artefacts) -> None:
        self._journal = journal
        self._artefacts = artefacts
        self._tell: Tell = lambda inquiry, is_open: None
        self._attended: Callable[[str], bool] = lambda run: False
        self._open: dict[tuple[str, str], _Open] = {}

    def connect(self, tell: Tell, attended: Callable[[str], bool]) -> None:
        """``tell`` is called when an inquiry opens and when it is closed, ``attended`` says whether somebody could answer for a
        run."""
        self._tell, self._attended = tell, attended

    async def ask(self, inquiry: Inquiry) -> Consent:
        """The person's answer; cancelling takes the question back where nobody else waits for it. Raises ``QVerifyError`` where it
        was not answered in hours."""
        key = (inquiry.run, inquiry.name)
        one = self._open.get(key)
        if one is None:
            one = self._open[key] = _Open(inquiry, asyncio.get_running_loop().create_future())
            one.task = asyncio.get_running_loop().create_task(self._settle(one))
        assert one.task is not None
        one.waiting += 1
        try:
            return await asyncio.shield(one.task)
        finally:
            one.waiting -= 1
            if not one.waiting and not one.task.done():
                one.task.cancel()

    def open(self) -> list[Inquiry]:
        """Those that wait for an answer, the oldest first."""
        return [one.inquiry for one in self._open.values() if one.told and not one.reply.done()]

    def answer(self, run: str, name: str, reply: Consent) -> None:
        """Raises ``BadInput`` where nothing of this name is open (somebody answered before)."""
        one = self._open.get((run, name))
        if one is None or not one.told or one.reply.done():
            raise BadInput(f"Nothing is asked in the run {run} now; it was answered already, or the run went on.")
        if reply is Consent.NOBODY:
            raise BadInput("The answer is neither go_on nor stop.")
        one.reply.set_result(reply)
        if reply is Consent.GO_ON and one.inquiry.shared:
            for other in self._open.values():
                if other.inquiry.shared and other.inquiry.name == name and other.told and not other.reply.done():
                    other.reply.set_result(reply)

    def rest(self, run: str) -> None:
        """The run is about to pause: it waits for no answer, and asks again when it is gone on with."""
        for one in self._open.values():
            if one.inquiry.run == run and one.told and not one.reply.done():
                one.reply.set_exception(Interrupted("The run pauses while it waits for an answer."))

    def look_again(self) -> None:
        """Somebody left. What nobody can answer any more is not waited for."""
        for one in self._open.values():
            if one.told and not one.reply.done() and not self._attended(one.inquiry.run):
                one.reply.set_result(Consent.NOBODY)

    async def _settle(self, one: _Open) -> Consent:
        inquiry = one.inquiry
        try:
            known = await asyncio.to_thread(self._known, inquiry)
            if known is not None:
                return known
            if not self._attended(inquiry.run):
                return Consent.NOBODY
            one.told = True
            self._tell(inquiry, True)
            try:
                async with asyncio.timeout(MOST_HOURS * 3600):
                    reply = await one.reply
            except TimeoutError:
                raise QVerifyError(
                    f"Nobody answered for {MOST_HOURS:g} hours, so the run rests. What it finished is recorded, and nothing was spent "
                    "meanwhile.",
                    f"Go on with: qverify resume {inquiry.run}",
                ) from None
            if reply is not Consent.NOBODY:
                await asyncio.to_thread(self._record, inquiry, reply)
            return reply
        finally:
            self._open.pop((inquiry.run, inquiry.name), None)
            if one.told:
                self._tell(inquiry, False)

    def _known(self, inquiry: Inquiry) -> Consent | None:
        """The answer that the run was given before; of what is shared also the consent that another run was given, which then
        stands in the evidence of this one too."""
        digest = self._journal.recorded(inquiry.run, _step(inquiry))
        if digest is not None:
            return self._read(digest)
        for run, digest in self._journal.recorded_by(_step(inquiry)) if inquiry.shared else ():
            if self._read(digest) is Consent.GO_ON:
                self._record(inquiry, Consent.GO_ON, {"answered_in": run})
                return Consent.GO_ON
        return None

    def _read(self, digest: str) -> Consent | None:
        with contextlib.suppress(QVerifyError, ValueError, KeyError, TypeError):
            return Consent(json.loads(self._artefacts.get(digest))["reply"])
        return None

    def _record(self, inquiry: Inquiry, reply: Consent, more: Mapping[str, str] = MappingProxyType({})) -> None:
        digest = self._artefacts.put(json.dumps({"inquiry": inquiry.name, "reply": reply.value}).encode())
        data = {"inquiry": inquiry.name, "reply": reply.value, **inquiry.facts, **more}
        event = Evidence("person_answered", data, {})
        self._journal.record(inquiry.run, _step(inquiry), digest, [event])


def _step(inquiry: Inquiry) -> str:
    return f"inquiry.{inquiry.name}"
