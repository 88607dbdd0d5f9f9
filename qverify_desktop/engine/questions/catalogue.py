"""Joins the subjects into one table of questions and gives them what they need of the engine."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qverify_desktop.analysis.services import Services
from qverify_desktop.domain.errors import QVerifyError
from qverify_desktop.domain.results import AnalysisRequest, RunResult
from qverify_desktop.engine.inquiries import Inquiries
from qverify_desktop.engine.run_log import RunLogs
from qverify_desktop.settings.configuration import Configuration
from qverify_desktop.settings.secrets import ApiKeys
from qverify_desktop.storage.database import Database
from qverify_desktop.storage.decisions import DecisionStore
from qverify_desktop.storage.repositories import RepositoryStore
from qverify_desktop.storage.runs import RunStore

if TYPE_CHECKING:
    from qverify_desktop.engine.anchoring import Anchoring
    from qverify_desktop.engine.hosted_bundle import Make
    from qverify_desktop.engine.hosted_exports import Allow, HostedExports
    from qverify_desktop.engine.model_transfers import ModelTransfers
    from qverify_desktop.engine.parts import Machine
    from qverify_desktop.engine.replay import Analyze
    from qverify_desktop.engine.reproductions import Reproductions
    from qverify_desktop.engine.signing_keys import SigningKeys
    from qverify_desktop.gateway.ollama_models import OllamaModels
    from qverify_desktop.hosted.service import HostedService
    from qverify_desktop.repository.look import Look

Handler = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Context:
    """What questions may use. ``find`` gives the whole name of a run for a prefix, or raises ``BadInput``; ``look`` is
    ``repository.look.look``; ``result`` reads a finished run's result (blocking); ``failure`` why a run ended that did not
    finish; ``stage`` where a live run is; ``changed`` tells windows that a run's listing changed; ``apply`` gives changed
    settings to the rooms that are built (in the loop's thread); ``analyze`` is ``analysis.workflow.analyze``; ``in_doubt`` how many
    calls of an earlier process were open, by end point; ``inquiries`` what runs ask the person; ``check`` refuses a request that must
    not be begun with (blocking); ``models`` manages those of an Ollama server, ``transfers`` are those on their way;
    ``reproductions`` executes bundles again; ``anchoring`` has checkpoints confirmed by others, ``signing_keys`` changes the key of the
    log; ``hosted`` is the hosted service, ``exports`` what is on its way there, ``make_bundle`` writes a run's bundle, ``may_leave`` says
    why a run may not be sent (``None``: it may; both blocking)."""

    home: Path
    services: Services
    machine: Machine
    keys: ApiKeys
    database: Database
    runs: RunStore
    repositories: RepositoryStore
    decisions: DecisionStore
    find: Callable[[str], Awaitable[str]]
    look: Callable[[str], Look]
    logs: RunLogs
    result: Callable[[str], RunResult]
    failure: Callable[[str], QVerifyError | None]
    stage: Callable[[str], str]
    pause: Callable[[str], Awaitable[None]]
    changed: Callable[[str], None]
    apply: Callable[[Configuration], None]
    analyze: Analyze
    in_doubt: Mapping[str, int]
    inquiries: Inquiries
    check: Callable[[AnalysisRequest], None]
    models: OllamaModels
    transfers: ModelTransfers
    hosted: HostedService
    exports: HostedExports
    make_bundle: Make
    may_leave: Allow
    reproductions: Reproductions
    anchoring: Anchoring | None = None
    signing_keys: SigningKeys | None = None


def questions(context: Context) -> Mapping[str, Handler]:
    """All questions of this process by name."""
    from qverify_desktop.engine.questions.anchors import AnchorQuestions
    from qverify_desktop.engine.questions.deciding import DecisionQuestions
    from qverify_desktop.engine.questions.deployments import DeploymentQuestions
    from qverify_desktop.engine.questions.evidence import EvidenceQuestions
    from qverify_desktop.engine.questions.finished import FinishedRuns
    from qverify_desktop.engine.questions.hosted import HostedQuestions
    from qverify_desktop.engine.questions.keys import KeyQuestions
    from qverify_desktop.engine.questions.machine import MachineQuestions
    from qverify_desktop.engine.questions.models import ModelQuestions
    from qverify_desktop.engine.questions.repositories import RepositoryQuestions
    from qverify_desktop.engine.questions.reproducing import ReproductionQuestions
    from qverify_desktop.engine.questions.results import ResultQuestions
    from qverify_desktop.engine.questions.runs import RunQuestions
    from qverify_desktop.engine.questions.usage import UsageQuestions

    finished = FinishedRuns(context.services, context.result)
    subjects = (
        RepositoryQuestions(context),
        RunQuestions(context),
        ResultQuestions(context, finished),
        DecisionQuestions(context, finished),
        EvidenceQuestions(context),
        AnchorQuestions(context),
        MachineQuestions(context),
        KeyQuestions(context),
        DeploymentQuestions(context),
        ModelQuestions(context),
        UsageQuestions(context),
        HostedQuestions(context),
        ReproductionQuestions(context),
    )
    return {name: handler for subject in subjects for name, handler in subject.handlers().items()}
