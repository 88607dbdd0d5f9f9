"""Every way in which a model's end point fails, said in a sentence."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.gateway.provider import Endpoint, Wire

#: Answers that say "not now": nothing was written and nothing was charged, so the same call may be made again.
PASSING_STATUS = frozenset({408, 429, 500, 502, 503, 504, 529})

#: Variables that hold a provider's own key, by its protocol; an OpenAI-compatible server may be anybody's.
KEY_VARIABLES = {Wire.AZURE: "AZURE_OPENAI_API_KEY", Wire.ANTHROPIC: "ANTHROPIC_API_KEY"}
ANY_KEY = "QVERIFY_API_KEY"

_MOST_DETAIL = 200
_SECRETS = re.compile(r"(sk-|key-|Bearer\s+)[\w.-]{4,}|\b[A-Za-z0-9_-]{32,}\b")


@dataclass(eq=False)
class CallFailed(Exception):
    """One attempt failed. ``status`` is the HTTP status or 0; ``retry_after_s`` what the server asked to wait (0: nothing).

    ``kind`` is one of ``status``, ``unreachable``, ``timeout``, ``cut``, ``broke`` (an error inside the answer), ``html``,
    ``too_large``, ``unreadable``.
    """

    kind: str
    status: int = 0
    retry_after_s: float = 0.0
    detail: str = ""

    @property
    def may_pass(self) -> bool:
        """Whether trying again is free of charge and may help."""
        return self.kind == "status" and self.status in PASSING_STATUS


def shown(text: str) -> str:
    """A server's own words, fit for a person: one short line, no markup, nothing that looks like a key."""
    plain = html.unescape(re.sub(r"<[^>]*>", " ", text[:4000]))
    line = "".join(c for c in " ".join(plain.split()) if c.isprintable())
    line = _SECRETS.sub("…", line)
    return line if len(line) <= _MOST_DETAIL else line[: _MOST_DETAIL - 1] + "…"


def error_words(text: str) -> str:
    """The message in a JSON error answer (``{"error": "…"}`` or ``{"error": {"message": "…"}}``), or nothing."""
    try:
        error = json.loads(text)["error"]
        return str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, KeyError, TypeError):
        return ""


def failure(error: CallFailed, endpoint: Endpoint, timeout_s: float) -> ModelFailure:
    """The sentence for a failed call, and what to do about it."""
    words = shown(error.detail).rstrip(" .")
    said = f" It said: {words}." if words else ""
    place = endpoint.place[0].upper() + endpoint.place[1:]
    if error.kind == "status":
        return _by_status(error, endpoint, place, said)
    if error.kind == "unreachable":
        remedy = (
            "Start it with: ollama serve"
            if endpoint.wire is Wire.OLLAMA
            else "Check the address given as --api-base."
        )
        return ModelFailure(f"{place} can't be reached.", remedy)
    if error.kind == "timeout":
        return ModelFailure(
            f"{place} gave no answer within {timeout_s:g} seconds, so the call was given up.",
            "Take a smaller model, or allow more time with QVERIFY_MODEL_TIMEOUT_S.",
        )
    sentences = {
        "cut": f"{place} closed the connection in the middle of its answer.",
        "broke": f"{place} gave up in the middle of its answer.{said}",
        "html": f"{place} answered with a web page where a model's answer was expected.",
        "too_large": f"{place} sent an answer over the size limit, which was not read to its end.",
        "unreadable": f"{place} sent something that is no model's answer.{said}",
    }
    return ModelFailure(sentences[error.kind], "Check that --api-base is the address of the model's server.")


def _by_status(error: CallFailed, endpoint: Endpoint, place: str, said: str) -> ModelFailure:
    status = error.status
    if status in (401, 403):
        return ModelFailure(
            f"{place} refused the key it was given, or wants one (status {status}).",
            f"Put the right key into the environment variable {KEY_VARIABLES.get(endpoint.wire, ANY_KEY)}.",
        )
    if status == 404:
        remedy = (
            f"Type: ollama pull {endpoint.model}"
            if endpoint.wire is Wire.OLLAMA
            else "Check the model's name and the address given as --api-base."
        )
        return ModelFailure(f"{place} has no model {endpoint.model!r}.{said}", remedy)
    if status == 429:
        wait = f" for {error.retry_after_s:.0f} seconds" if error.retry_after_s else ""
        return ModelFailure(
            f"{place} takes no more requests{wait} (status 429).{said}", "Wait, or look at the quota of your account."
        )
    if status in (400, 413, 422):
        return ModelFailure(f"{place} can't use the request (status {status}).{said}", "Try another model.")
    if 300 <= status < 400:
        return ModelFailure(
            f"{place} points elsewhere (status {status}), and redirects are not followed.", "Give the final address."
        )
    return ModelFailure(f"{place} failed (status {status}).{said}", "Look at the server's own log, then try again.")
