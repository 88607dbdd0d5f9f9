"""A gateway that goes the whole way of a question up to the transport, and stops there: what would be sent, to whom, at what price.

It is no second way: policy, masking, packing and counting are those of the real gateway, whose transport is exchanged for one that
notes what it is given. Servers are asked nothing either; what only they know (a shorter context) shows when the question is put.
"""

from __future__ import annotations

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.domain.model import Answer, Asker, Masked
from qverify_desktop.domain.preview import Preview
from qverify_desktop.domain.question import Messages, Question
from qverify_desktop.gateway.gateway import ModelGateway


class PreviewGateway:
    """Implements ``analysis.ports.Gateway`` over the real one. ``previews`` are the questions that were put, in order; none is
    answered."""

    def __init__(self, gateway: ModelGateway) -> None:
        self._gateway = gateway
        self._masked: list[Masked] = []
        self.previews: list[Preview] = []

    async def complete(self, question: Question) -> Answer:
        """Notes the question. Always raises ``ModelFailure``: nobody is asked."""
        destinations = await self._gateway.plan(question)
        # Whoever asks has masked before, for the evidence: what was taken out then is what is missing now.
        secrets = next((one.secrets for one in reversed(self._masked) if list(one.messages) == question.messages), ())
        said = next((one.messages for one in destinations if not one.refused), tuple(question.messages))
        self.previews.append(
            Preview(str(question.purpose), question.template, said, secrets, tuple(destinations), question.schema)
        )
        raise ModelFailure("This is a preview, so nothing was sent.")

    def mask(self, messages: Messages) -> Masked:
        masked = self._gateway.mask(messages)
        self._masked.append(masked)
        return masked

    async def probe(self, model: str, api_base: str, *, asker: Asker = Asker()) -> str:
        """Nobody is asked; empty, so that the question is put."""
        return ""

    def set_air_gap(self, on: bool) -> None:
        """The real gateway's holds."""
