"""What the hosted service gives back for a bundle: its countersigned checkpoint, checked here before it is believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from qverify_desktop.domain.errors import HostedFailure
from qverify_desktop.evidence.note import COSIGNATURE, BadNote, VerifierKey, cosigned, open_note


@dataclass(frozen=True)
class Countersigned:
    """``note`` is our checkpoint with the service's line, ``at`` the time in it (seconds since 1970), ``sentence`` what was checked."""

    note: str
    at: int
    sentence: str

    @property
    def time(self) -> str:
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def check(result: Mapping[str, Any], ours: str, our_key: str, cosigner: str, pinned: str) -> Countersigned:
    """The countersigned checkpoint of an ``ImportResult``: the text is that of ``ours``, ``our_key`` still signs it, and the
    service's key countersigned it. ``cosigner`` is the key that the service says now, ``pinned`` the one that was kept at the
    sign-in (empty: none). Raises ``HostedFailure``."""
    note = result.get("checkpoint")
    if pinned and cosigner != pinned:
        raise _bad("it countersigns with another key than the one that was kept when you signed in")
    if not isinstance(note, str) or len(note) > 16_384:
        raise _bad("it gave no checkpoint")
    try:
        text, _ = open_note(ours, [VerifierKey.parse(our_key)])
        theirs, _ = open_note(note, [VerifierKey.parse(our_key)])
        if theirs != text:
            raise _bad("it countersigned another state of the log than the one that was sent")
        witness = VerifierKey.parse(pinned or cosigner, COSIGNATURE)
        line, at = cosigned(text, note.rpartition("\n\n")[2], witness)
        when = datetime.fromtimestamp(at, UTC)
    except BadNote as error:
        raise _bad(str(error).rstrip(".")) from None
    except (OverflowError, OSError, ValueError):
        raise _bad("its time is none") from None
    kept = "the key that was kept when you signed in" if pinned else "the key that the service names now"
    # Our own note and the one line that was checked: whatever else the service may have written is not kept.
    return Countersigned(
        f"{ours}{line}",
        at,
        f"Checked here: {witness.name} countersigned exactly this state of the log at {when:%Y-%m-%d %H:%M:%S} UTC, with {kept}.",
    )


def _bad(why: str) -> HostedFailure:
    return HostedFailure(
        f"The countersignature of the hosted service is not to be relied on: {why}.",
        "Nothing here was changed. Ask whoever runs the service, and compare its key with one that you got another way.",
    )
