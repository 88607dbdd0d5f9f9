"""What goes wrong while models are managed, in a sentence each: what happened, what is kept, what to do next."""

from __future__ import annotations

from qverify_desktop.domain.errors import ModelFailure
from qverify_desktop.gateway.errors import CallFailed, failure, shown
from qverify_desktop.gateway.provider import Endpoint

KEPT = "What was fetched is kept."
AGAIN = "Go on with it later; what was fetched is not fetched again."

#: What Ollama's words mean (server/images.go, server/download.go, server/routes.go), by a part of them.
_SAID = (
    (
        ("no space left", "disk quota exceeded", "not enough space", "there is not enough space"),
        "The disk that holds Ollama's models is full. {kept}",
        "Make room there or remove a model, then go on.",
    ),
    (
        ("file does not exist", "manifest unknown", "not found", "pull model manifest: 404"),
        "There is no model {name!r} {where}.",
        "Check its name; the model's page in the library says which sizes there are.",
    ),
    (
        ("newer version of ollama",),
        "This Ollama is too old for the model {name!r}.",
        "Update Ollama, then go on.",
    ),
    (
        ("digest mismatch",),
        "What arrived of {name!r} was damaged (its digest is another), and was thrown away.",
        "Try again; if it happens again, the copy or the network in between is at fault.",
    ),
    (
        (
            "no such host",
            "dial tcp",
            "connection refused",
            "connection reset",
            "network is unreachable",
            "timeout",
            "max retries",
            "tls",
        ),
        "Ollama can't reach the place that it fetches models from. {kept}",
        "Check the network of this machine, or import the model from a file.",
    ),
    (
        ("invalid file magic", "invalid magic", "unknown type", "unsupported"),
        "Ollama can't use the file for {name!r}.",
        "It takes GGUF files (versions 2 and 3) of model families that it knows.",
    ),
    (
        ("'from' or 'files'",),
        "This Ollama is too old to import models.",
        "Update it to 0.5.5 or newer.",
    ),
    (
        ("invalid model name", "is invalid", "model is required"),
        "Ollama can't use the name {name!r} for a model.",
        "Use letters, digits, dots, dashes and underscores, such as my-model:latest",
    ),
)


def said(words: str, name: str, *, fetching: bool) -> ModelFailure:
    """The sentence for an error in the server's own words. ``fetching``: it came while a model was pulled."""
    plain = words.lower()
    where = "in the library that Ollama fetches from" if fetching else "on this server"
    for parts, sentence, remedy in _SAID:
        if any(part in plain for part in parts):
            told = sentence.format(name=name, where=where, kept=KEPT if fetching else "Nothing was changed.")
            return ModelFailure(told, remedy)
    told = shown(words).rstrip(" .") or "nothing that explains it"
    return ModelFailure(f"Ollama could not do it. It said: {told}.", "Look at Ollama's own log, then try again.")


def managing(error: CallFailed, endpoint: Endpoint, name: str, timeout_s: float, *, fetching: bool) -> ModelFailure:
    """The sentence for a call that failed on the wire."""
    place = f"Ollama at {endpoint.base}"
    if error.kind == "cut":
        kept = KEPT if fetching else "Nothing was changed."
        return ModelFailure(
            f"{place} ended or was stopped in the middle. {kept}",
            f"Start it with: ollama serve. {AGAIN}" if fetching else "Start it with: ollama serve, then try again.",
        )
    if error.kind == "timeout":
        return ModelFailure(f"{place} said nothing for {timeout_s:g} seconds.", AGAIN if fetching else "Try again.")
    if (
        error.kind == "status"
        and error.status in (404, 405, 501)
        and "not found" in error.detail
        and "page" in error.detail
    ):
        return ModelFailure(
            f"The server at {endpoint.base} answers, but does not manage models as Ollama does.",
            "Give the address of an Ollama server; one of another kind keeps its models by itself.",
        )
    if error.kind == "status" and error.detail and error.status in (400, 404, 412, 500, 507):
        return said(error.detail, name, fetching=fetching)
    return failure(error, endpoint, timeout_s)
