"""What the engine answers to a window's questions. JSON-ready: these cross the control socket as they are.

Times are RFC 3339 UTC, durations milliseconds, money millionths of a US dollar, shares thousandths (``None`` where the
whole is empty). Texts are plain text for a person, in English. Every question is listed in ``docs/questions.md``.
"""

from __future__ import annotations

from typing import Any, TypedDict


class MeasureView(TypedDict):
    """One measure before and after the accepted tests, as parts of their wholes."""

    before_part: int
    before_whole: int
    after_part: int
    after_whole: int


class RunView(TypedDict):
    """A run in a list. ``status`` is a ``RunStatus`` value, ``verdict`` a ``Verdict`` value or empty."""

    run: str
    source: str
    name: str
    status: str
    stage: str
    verdict: str
    sentence: str
    started_at: str
    accepted: int
    refused: int
    suspected: int


class TrendPoint(TypedDict):
    """Line coverage after one finished run, in thousandths."""

    run: str
    started_at: str
    lines: int | None


class RepositoryView(TypedDict):
    """A repository that was analysed or pinned: its newest run and the trend of its finished ones, oldest first."""

    source: str
    name: str
    pinned: bool
    last: RunView | None
    trend: list[TrendPoint]


class RuntimeChoice(TypedDict):
    """A runtime that fits files of a repository. ``sentence`` says why it can't be used where ``ready`` is false.

    Where ``analysable`` is false, nothing can be done with these ``files`` yet: they are named, so that nobody thinks that
    they were looked at."""

    runtime: str
    languages: list[str]
    files: int
    ready: bool
    sentence: str
    analysable: bool


class Choices(TypedDict, total=False):
    """What a person chose for a repository the last time; fields as in ``AnalysisRequest`` (``scope`` as text)."""

    scope: str
    model: str
    api_base: str
    max_targets: int
    seed: int
    allow_install: bool
    runtime: str
    budget_microusd: int
    packages: str
    time_budget_s: int


class CloudView(TypedDict):
    """``cloud`` is the ``CloudPolicy`` of a repository, ``hosts`` those outside this machine that a model's prompts go to;
    ``order`` names the person's end points where the model is ``auto``."""

    cloud: str
    hosts: list[str]
    order: list[str]


class DestinationView(TypedDict):
    """One end point in the order of asking; ``refused`` says why nothing would go there. ``shortened``: it would get less than
    what is shown, because its context is shorter."""

    name: str
    host: str
    provider: str
    model: str
    local: bool
    refused: str
    prompt_tokens: int
    max_tokens: int
    estimate_microusd: int
    price_known: bool
    shortened: bool


class MaskedView(TypedDict):
    """A secret that was taken out of a message (from 0) at a line (from 1); its value is nowhere."""

    rule: str
    message: int
    line: int


class PreviewView(TypedDict):
    """What would be sent first for ``target``. ``targets`` are the functions that would be asked about, in their order, as many as are
    offered by name of ``count`` in all; ``measured`` is the run whose coverage marks lines, ``cloud`` what was decided
    (``CloudPolicy``)."""

    target: str
    targets: list[str]
    count: int
    measured: str
    cloud: str
    purpose: str
    template: str
    destinations: list[DestinationView]
    masked: list[MaskedView]
    messages: list[dict[str, str]]


class InquiryView(TypedDict):
    """What a run waits to be told. ``facts`` of a budget: ``budget`` (run or month), ``spent_microusd``, ``estimate_microusd``,
    ``limit_microusd``."""

    run: str
    name: str
    sentence: str
    facts: dict[str, int | str]


class RepositoryLook(TypedDict):
    """A first look at a folder or URL, before anything is copied. ``problem`` is a sentence when it can't be analysed."""

    source: str
    name: str
    git: bool
    branch: str
    refs: list[str]
    files: int
    source_files: list[str]
    test_files: int
    runtimes: list[RuntimeChoice]
    remembered: Choices
    problem: str


class RunOverview(TypedDict):
    """All of a run but its lists. ``request`` is the request's JSON form; the rest is empty until the run is finished."""

    run: RunView
    request: dict[str, Any]
    commit: str
    tree: str
    languages: list[str]
    image_digest: str
    baseline: str
    notices: list[str]
    targets: int
    lines: MeasureView
    branches: MeasureView
    mutants: MeasureView
    duration_ms: int
    sandbox_ms: int
    model_ms: int
    cost_microusd: int
    bundle: str
    report: str
    tests_folder: str
    grade: str
    failure: dict[str, Any]
