"""A reproduction as windows and commands see it: where it begins, its document, its exit code, and one that is read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qverify_desktop.domain.reproduction import Outcome, ReproductionRequest, ReproductionView, State

FORMAT_VERSION = 2
#: File of a finished reproduction, in its folder.
DOCUMENT = "reproduction.json"


def empty_view(name: str, request: ReproductionRequest) -> ReproductionView:
    """A reproduction that has just begun."""
    return {
        "id": name,
        "version": 0,
        "state": State.RUNNING.value,
        "stage": "",
        "done": 0,
        "total": 0,
        "grade": "",
        "grades": [],
        "outcome": "",
        "sentence": "",
        "meaning": "",
        "limit": "",
        "problems": [],
        "notices": [],
        "original": {
            "run": "",
            "origin": "",
            "size": 0,
            "application": "",
            "checkpoint_sha256": "",
            "bundle": request.bundle,
            "bundle_sha256": "",
            "source": "",
            "commit": "",
            "tree": "",
        },
        "source": request.source,
        "images": [],
        "packages": [],
        "advice": [],
        "tests": [],
        "agree": 0,
        "differ": 0,
        "not_run": 0,
        "duration_ms": 0,
        "record": {
            "name": "",
            "bundle": "",
            "report": "",
            "verifier_key": "",
            "protection": "",
            "started_at": "",
        },
        "error": {},
    }


def document_of(view: ReproductionView) -> dict[str, Any]:
    """The document of ``docs/reproduce.schema.json``: the view without what says how far it is."""
    left_out = ("version", "stage", "done", "total")
    named = {"format": "qverify-reproduction", "format_version": FORMAT_VERSION}
    return named | {key: value for key, value in view.items() if key not in left_out}


def left_view(place: Path) -> ReproductionView | None:
    """A finished reproduction out of its folder; ``None`` where there is none, or of another version. Blocking."""
    blank = empty_view(place.name, ReproductionRequest(""))
    try:
        document = json.loads((place / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(document, dict) or document.get("format_version") != FORMAT_VERSION:
        return None
    view: dict[str, Any] = {key: document.get(key, value) for key, value in blank.items()}
    return view  # type: ignore[return-value]


def exit_code_of(view: ReproductionView) -> int:
    """0 reproduced, 1 differs or the bundle is not whole, 3 an image is missing, 4 neither; an error's own."""
    if view["error"]:
        return int(view["error"].get("exit_code", 4))
    if view["state"] == State.REFUSED or view["outcome"] == Outcome.DIFFERS:
        return 1
    if view["outcome"] == Outcome.REPRODUCED:
        return 0
    return 3 if any(not image["used"] for image in view["images"]) else 4
