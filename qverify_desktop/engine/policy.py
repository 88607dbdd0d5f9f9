"""Whether prompts made of a repository may leave this machine: asked once, kept with the repository, and a run's own from its
start."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qverify_desktop.domain.errors import BadInput
from qverify_desktop.domain.model import AUTO, CloudPolicy, Purpose
from qverify_desktop.domain.results import AnalysisRequest
from qverify_desktop.engine.questions.views import canonical
from qverify_desktop.gateway.endpoint import host_of, of_deployment, resolve
from qverify_desktop.settings.deployments import load_deployments
from qverify_desktop.storage.repositories import CLOUD, RepositoryStore

NO_MODEL = ("", "none")
ASK = "Answer it in the sheet of a new analysis, or say --cloud to allow it, or --local-only; the answer is kept for this repository."


def hosts_elsewhere(model: str, api_base: str, home: Path) -> tuple[str, ...]:
    """Hosts outside this machine that prompts for this model may go to, in order. Blocking. Raises ``BadInput`` for a model or an
    address that can't be used."""
    if model in NO_MODEL:
        return ()
    if model == AUTO:
        found = [of_deployment(one, purpose) for one in load_deployments(home) for purpose in Purpose]
    else:
        found = [resolve(model, api_base)]
    return tuple(dict.fromkeys(host_of(one.base) for one in found if not one.local))


def order(model: str, home: Path) -> tuple[str, ...]:
    """Names of the person's end points where the model is ``auto``. Blocking. Raises ``BadInput``."""
    return tuple(one.name for one in load_deployments(home)) if model == AUTO else ()


def kept(source: str, repositories: RepositoryStore) -> CloudPolicy:
    """What was decided for a repository. Blocking."""
    value = repositories.get(canonical(source)).choices.get(CLOUD, "")
    return CloudPolicy(value) if value in tuple(CloudPolicy) else CloudPolicy.UNDECIDED


def decided(request: AnalysisRequest, repositories: RepositoryStore, home: Path) -> AnalysisRequest:
    """The request with the policy that its run keeps to; a decision that it brings is kept for the repository first. Blocking.

    A run may ask elsewhere only where that is needed and was allowed; without a model there is nothing to decide. Raises
    ``BadInput`` where a model elsewhere is to be asked and nobody decided, or it was decided against.
    """
    hosts = hosts_elsewhere(request.model, request.api_base, home)
    if request.cloud != CloudPolicy.UNDECIDED:
        repositories.decide(canonical(request.source), CloudPolicy(request.cloud).value)
    if request.model in NO_MODEL:
        return replace(request, cloud=CloudPolicy.UNDECIDED.value)
    if not hosts:
        return replace(request, cloud=CloudPolicy.LOCAL_ONLY.value)
    now = kept(request.source, repositories)
    if now is CloudPolicy.UNDECIDED:
        raise BadInput(
            f"The model {request.model} is not on this machine, and nobody has decided yet whether prompts of this repository may "
            f"go to {', '.join(hosts)}. Nothing was sent.",
            ASK,
        )
    if now is CloudPolicy.LOCAL_ONLY and request.model != AUTO:
        raise BadInput(
            f"Prompts of this repository stay on this machine, and the model {request.model} is at {', '.join(hosts)}. "
            "Nothing was sent.",
            "Choose a model on this machine, or allow it for this repository (--cloud).",
        )
    return replace(request, cloud=now.value)


def check_again(request: AnalysisRequest, repositories: RepositoryStore, home: Path) -> None:
    """Before a run goes on: refuse one that would ask elsewhere against what was decided since, or that nobody ever allowed to
    (a run of an older version). Blocking. Raises ``BadInput``."""
    if request.cloud == CloudPolicy.ALLOWED and kept(request.source, repositories) is CloudPolicy.LOCAL_ONLY:
        raise BadInput(
            "It was decided since that prompts of this repository stay on this machine, and this run may ask a model elsewhere.",
            "Start the analysis again with a model on this machine, or allow it for this repository again.",
        )
    hosts = hosts_elsewhere(request.model, request.api_base, home)
    if hosts and request.model != AUTO and request.cloud != CloudPolicy.ALLOWED:
        raise BadInput(
            f"This run was begun before anybody was asked whether prompts of its repository may go to {', '.join(hosts)}.",
            "Start the analysis again; what it finished stays recorded.",
        )
