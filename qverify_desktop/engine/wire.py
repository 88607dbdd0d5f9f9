"""JSON forms of what crosses the control socket and the database: requests, events, lists, errors. Standard library only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from qverify_desktop.domain import errors
from qverify_desktop.domain.errors import BadInput, QVerifyError
from qverify_desktop.domain.execution import SandboxKind
from qverify_desktop.domain.model import CloudPolicy
from qverify_desktop.domain.progress import EventKind, RunEvent, RunStatus, RunSummary, Stage
from qverify_desktop.domain.project import Scope
from qverify_desktop.domain.results import BUDGETS, SEEDS, TARGETS, TIME_BUDGETS, AnalysisRequest

_ERRORS: Mapping[str, type[QVerifyError]] = {
    kind.__name__: kind
    for kind in (
        errors.QVerifyError,
        errors.BadInput,
        errors.WrongPassphrase,
        errors.MissingPrerequisite,
        errors.SandboxFailure,
        errors.ModelFailure,
        errors.HostedFailure,
        errors.EvidenceUnreadable,
        errors.Cancelled,
    )
}
_TEXT_LIMIT = 32 * 1024


def error_to_json(error: QVerifyError) -> dict[str, Any]:
    """``kind``, ``sentence``, ``remedy`` and ``exit_code`` of an error."""
    return {
        "kind": type(error).__name__,
        "sentence": error.sentence,
        "remedy": error.remedy,
        "exit_code": error.exit_code,
    }


def error_from_json(value: Any) -> QVerifyError:
    """The error again; of an unknown kind becomes a plain ``QVerifyError``."""
    if not isinstance(value, dict):
        return QVerifyError("The other QVerify process answered with something that is no answer.")
    kind = _ERRORS.get(str(value.get("kind")), QVerifyError)
    return kind(str(value.get("sentence", "")), str(value.get("remedy", "")))


def request_to_json(request: AnalysisRequest) -> dict[str, Any]:
    return asdict(request)


def request_key(request: AnalysisRequest) -> str:
    """Canonical text of a request; two requests that ask the same have the same."""
    return json.dumps(request_to_json(request), sort_keys=True, separators=(",", ":"))


def request_from_json(value: Any) -> AnalysisRequest:
    """Read a request of unknown origin. Raises ``BadInput`` naming the first field that is wrong."""
    fields = _mapping(value, "request")
    scope = _mapping(fields.get("scope", {}), "scope")
    kind = _text(scope, "kind", "all")
    if kind not in ("all", "changed", "files"):
        raise BadInput(f"The scope's kind {kind!r} is not one of all, changed or files.")
    request = AnalysisRequest(
        source=_text(fields, "source"),
        scope=Scope(kind, ref=_text(scope, "ref", ""), glob=_text(scope, "glob", "")),
        model=_text(fields, "model", "none"),
        api_base=_text(fields, "api_base", ""),
        max_targets=_integer(fields, "max_targets", 200, *TARGETS),
        seed=_integer(fields, "seed", 0, *SEEDS),
        allow_install=_flag(fields, "allow_install"),
        out=_text(fields, "out", ""),
        budget_microusd=_integer(fields, "budget_microusd", 0, *BUDGETS),
        packages=_text(fields, "packages", ""),
        sandbox=_text(fields, "sandbox", SandboxKind.DOCKER.value),
        time_budget_s=_integer(fields, "time_budget_s", 0, *TIME_BUDGETS),
        fresh=_flag(fields, "fresh"),
        cloud=_text(fields, "cloud", CloudPolicy.UNDECIDED.value),
    )
    if request.cloud not in tuple(CloudPolicy):
        raise BadInput("The field cloud is neither local_only nor allowed.")
    if request.sandbox not in ("", *SandboxKind):
        raise BadInput(f"There is no sandbox {request.sandbox[:40]!r}.", "Choose docker or bubblewrap.")
    if not request.source:
        raise BadInput("No folder and no URL was given.", "Name the folder to analyse.")
    return request


def event_to_json(event: RunEvent) -> dict[str, Any]:
    return asdict(event)


def event_from_json(value: Any) -> RunEvent:
    """Raises ``ValueError`` or ``KeyError`` for something that is no event."""
    return RunEvent(
        run=str(value["run"]),
        sequence=int(value["sequence"]),
        kind=EventKind(value["kind"]),
        stage=Stage(value["stage"]) if value.get("stage") else None,
        text=str(value.get("text", "")),
        done=int(value.get("done", 0)),
        total=int(value.get("total", 0)),
        status=RunStatus(value["status"]) if value.get("status") else None,
        at_ms=int(value.get("at_ms", 0)),
        target=str(value.get("target", "")),
    )


def summary_to_json(summary: RunSummary) -> dict[str, Any]:
    return asdict(summary)


def summary_from_json(value: Any) -> RunSummary:
    """Raises ``ValueError``, ``KeyError`` or ``TypeError`` for something that is no summary."""
    return RunSummary(**{**value, "status": RunStatus(value["status"])})


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"The field {name} is missing or no object.")
    return value


def _text(fields: Mapping[str, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or len(value) > _TEXT_LIMIT or "\0" in value:
        raise BadInput(f"The field {name} is missing or no text.")
    return value


def _integer(fields: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    value = fields.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise BadInput(f"The field {name} is no whole number between {least} and {most}.")
    return value


def _flag(fields: Mapping[str, Any], name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise BadInput(f"The field {name} is neither true nor false.")
    return value
