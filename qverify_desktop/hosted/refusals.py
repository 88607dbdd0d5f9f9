"""What an answer with an error status means for a person: a sentence, what is safe, what to do (RFC 9457 problem details)."""

from __future__ import annotations

import json
import re
from typing import Any

from qverify_desktop.domain.errors import HostedFailure

#: How the names of problems begin.
TYPES = "urn:qverify:problem:"
#: Characters of the service's own words that are repeated.
MOST_WORDS = 200

#: Status: what happened and what is safe, what to do.
_SAID = {
    400: (
        "The hosted service did not understand the request. Nothing was stored.",
        "Update QVerify, then try again.",
    ),
    401: (
        "The hosted service does not take this sign-in any more. What was queued here is kept.",
        "Sign in again: qverify hosted sign-in",
    ),
    402: ("The plan of your organisation does not cover this. Nothing was stored.", "See: qverify hosted usage"),
    403: (
        "Your account may not do this at the hosted service. Nothing was stored.",
        "Ask whoever runs your organisation there, or sign in with another account.",
    ),
    404: ("The hosted service does not have this (any more).", "Look at the list again."),
    409: (
        "The hosted service already has something else under this name. What it has is unchanged.",
        "Look at the list of what was sent, then send it again.",
    ),
    410: ("What was begun at the hosted service has expired there.", "Send it again; it begins anew."),
    413: (
        "The bundle is larger than the hosted service takes. Nothing was stored.",
        "Send it redacted or with its headers only: qverify hosted send RUN --content headers",
    ),
    422: (
        "The hosted service looked at the bundle and refused it. It was not stored.",
        "Check it here first: qverify verify BUNDLE",
    ),
    429: ("The hosted service asks to wait.", "It is tried again by itself at the time that the service named."),
}
#: The same by the name of the problem, where it says more than the status.
_NAMED = {
    "diverged": (
        "The hosted service knows a checkpoint of this log that this bundle does not extend: there are two histories of one log. "
        "Nothing was stored, and what it has is unchanged.",
        "Keep this state folder as it is and compare it with a backup: qverify verify BUNDLE --known-checkpoint FILE",
    ),
    "key-changed": (
        "The hosted service knows this log under another signing key, and no record of the log leads from that key to this one. Nothing was "
        "stored.",
        "A change is followed where the log records it (qverify signing-key). Keep this state folder as it is, and tell whoever runs your "
        "organisation there.",
    ),
    "quota-exhausted": (
        "The plan of your organisation has no room for this. Nothing was stored.",
        "See what is used on the page of the hosted service, or with: qverify hosted usage",
    ),
    "organisation-missing": (
        "This sign-in belongs to no organisation, so the hosted service takes nothing from it.",
        "Ask whoever runs your organisation there to add your account, then sign in again.",
    ),
    "scope-missing": (
        "This sign-in may not do that at the hosted service. Nothing was stored.",
        "Sign in again, and allow what is asked for: qverify hosted sign-in",
    ),
    "wrong-state": (
        "It is past the point where the hosted service could do that. What it has is unchanged.",
        "Look at the list again.",
    ),
}
_ELSEWHERE = (
    "The hosted service pointed to another address, which is never followed: nothing was sent there.",
    "Check its addresses in the settings (hosted_regions).",
)
_FAILED = (
    "The hosted service failed. What arrived there is kept.",
    "Try again later; what stands in the queue is tried again by itself.",
)
PASSING = frozenset((408, 425, 429))


def problem_of(body: bytes) -> dict[str, Any]:
    """The problem details of an answer, empty where it has none."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def refusal(status: int, body: bytes = b"", *, wait_s: float = 0.0) -> HostedFailure:
    """The error for an answer with this status. The service's words are repeated in one printable line of bounded length."""
    problem = problem_of(body)
    named = str(problem.get("type", "")).removeprefix(TYPES)
    kind = named if re.fullmatch("[a-z-]{1,40}", named) else ""
    usual = _SAID.get(status, _FAILED if status >= 500 or status == 408 else _SAID[400])
    if 300 <= status < 400:
        usual = _ELSEWHERE
    sentence, remedy = _NAMED.get(kind, usual)
    words = words_of(problem.get("detail") or problem.get("title"))
    if words:
        sentence = f"{sentence} It says: {words}"
    again = status >= 500 or status in PASSING
    return HostedFailure(sentence, remedy, status=status, wait_s=wait_s, again=again, kind=kind, problem=problem)


#: What may be a token, or a piece of one, in words that are for a person: a JWT's beginning (RFC 7519, section 3), or a long run of the
#: characters of a token (RFC 6750, section 2.1; without those that part an address) with both letters and digits in it.
_TOKENS = re.compile(r"eyJ[\w.~+/=-]*|(?=[\w~+=-]*[0-9])(?=[\w~+=-]*[A-Za-z])[\w~+=-]{20,}", re.ASCII)


def words_of(text: object) -> str:
    """Words of the service that are shown, kept or recorded, as ``said`` gives them: without what may be a token that it echoes."""
    return said(_TOKENS.sub("[left out]", text[: 8 * MOST_WORDS])) if isinstance(text, str) else ""


def said(text: object) -> str:
    """Words of the service as one printable line; empty for what are none."""
    if not isinstance(text, str):
        return ""
    line = " ".join("".join(char if char.isprintable() else " " for char in text[: 4 * MOST_WORDS]).split())
    return line if len(line) <= MOST_WORDS else f"{line[: MOST_WORDS - 1]}…"
