"""The cosignature of a witness (C2SP tlog-witness, tlog-cosignature) on a checkpoint: it confirms that it saw the log only grow."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from qverify_desktop.domain.connections import Gate, Purpose
from qverify_desktop.evidence.exchange import Answer, Confirmed, NotConfirmed, post, said
from qverify_desktop.evidence.note import COSIGNATURE, BadNote, Checkpoint, VerifierKey, cosigned

SIZE_TYPE = "text/x.tlog.size"
#: Questions for one cosignature: a witness may have to say where it stands, and others may ask it meanwhile.
MOST_QUESTIONS = 4

#: The consistency proof from the first ``old`` leaves of the log to the first ``size``; raises ``IndexError`` for more than there are.
Growth = Callable[[int, int], list[bytes]]


def witness_key(text: str) -> VerifierKey:
    """The verifier key of a witness. Raises ``NotConfirmed``."""
    try:
        return VerifierKey.parse(text, COSIGNATURE)
    except BadNote as error:
        raise NotConfirmed(f"{error} Correct the setting witnesses.") from None


def cosign(note: str, witness: VerifierKey, url: str, old: int, growth: Growth, gate: Gate) -> Confirmed:
    """Ask for the cosignature on a checkpoint. ``old`` is how much of the log the witness has seen as far as is known here (0 for not
    at all); it says so itself where that is wrong. Blocking. Raises ``NotConfirmed``, with a sentence of its own for a fork."""
    text = note.rpartition("\n\n")[0] + "\n"
    size = Checkpoint.parse(text).size
    address, who = url.rstrip("/") + "/add-checkpoint", witness.name
    for _ in range(MOST_QUESTIONS):
        proof = "".join(f"{base64.b64encode(node).decode()}\n" for node in growth(old, size))
        answer = post(address, f"old {old}\n{proof}\n{note}".encode(), "text/plain", gate, Purpose.WITNESS)
        if answer.status == 200:
            try:
                line, at = cosigned(text, answer.body.decode("utf-8", "replace"), witness)
            except BadNote as error:
                raise NotConfirmed(f"The witness {who} answered, but its answer is of no use. {error}") from None
            return Confirmed(
                line.encode(), who, datetime.fromtimestamp(min(at, 1 << 37), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            )
        seen = _seen(answer)
        if answer.status != 409 or seen is None:
            raise _refusal(answer, who, urlsplit(url).hostname or "", old == size)
        if seen == old:
            raise _fork(who)
        if seen > size:
            raise _passed(who, seen, size, growth)
        old = seen
    raise NotConfirmed(
        f"The witness {who} says something else each time it is asked how much of the log it has seen."
    )


def _seen(answer: Answer) -> int | None:
    """How much of the log the witness says it has seen."""
    if answer.kind.partition(";")[0].strip().lower() != SIZE_TYPE:
        return None
    match = re.fullmatch(rb"(0|[1-9][0-9]{0,15})\n", answer.body)
    return int(match[1]) if match else None


def _refusal(answer: Answer, who: str, host: str, same_size: bool) -> NotConfirmed:
    if answer.status == 422 or (answer.status == 409 and same_size):
        return _fork(who)
    if answer.status == 404:
        return NotConfirmed(
            f"The witness {who} does not know this log. Give its operator the log's verifier key, then try again.",
            final=True,
        )
    if answer.status == 403:
        return NotConfirmed(
            f"The witness {who} does not know the key that signs this log. Give its operator the new verifier key, then try again.",
            final=True,
        )
    return said(answer, host)


def _fork(who: str) -> NotConfirmed:
    return NotConfirmed(
        f"The witness {who} has seen another history of this log: what it cosigned before does not lead to this checkpoint. One of the "
        "two was written anew, for example from an old backup. Nothing was cosigned.",
        final=True,
    )


def _passed(who: str, seen: int, size: int, growth: Growth) -> NotConfirmed:
    """The witness is ahead: of this checkpoint only, or of the whole log, which has lost entries then."""
    try:
        growth(size, seen)
    except IndexError:
        return NotConfirmed(
            f"The witness {who} has seen {seen} entries of this log, which are more than there are here: the log was set back, for "
            "example to an old backup. Nothing was cosigned.",
            final=True,
        )
    return NotConfirmed(
        f"The witness {who} has cosigned a later checkpoint of this log already, and takes none before it.",
        final=True,
    )
