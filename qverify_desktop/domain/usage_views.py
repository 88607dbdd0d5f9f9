"""What a window is told of what models took, and of a run that was replayed. The same rules as in ``views``."""

from __future__ import annotations

from typing import TypedDict

from qverify_desktop.domain.views import RunView


class UsageRow(TypedDict):
    """What models took in one run."""

    run: RunView
    model: str
    provider: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_microusd: int
    model_ms: int


class ReplayView(TypedDict):
    """A run that was replayed over the recorded answers of its model. ``same``: the judgement is what it was, and every question
    (``asked``) was in the recording; ``unknown`` were not. ``tests`` is how many the run judged."""

    run: str
    same: bool
    asked: int
    unknown: int
    tests: int
    differences: list[str]
    sentence: str


class UsageView(TypedDict):
    """Model use of all runs, newest first, with sums."""

    rows: list[UsageRow]
    calls: int
    cost_microusd: int


class ModelSumView(TypedDict):
    """What the calls of one group took, by the ledger. ``group`` are the words it is grouped by, ``name`` what a person knows it
    by; ``cached`` calls were answered out of the cache and sent nowhere, ``doubtful`` ones may have been charged with up to
    ``doubtful_microusd`` more than ``cost_microusd``."""

    group: list[str]
    name: str
    first_at: str
    calls: int
    failed: int
    cached: int
    doubtful: int
    prompt_tokens: int
    completion_tokens: int
    cost_microusd: int
    doubtful_microusd: int
    model_ms: int


class ModelUsageView(TypedDict):
    """The ledger by ``call``, ``run``, ``repository``, ``provider`` or ``month``, always by month too, with the sum of all and
    what this month cost (UTC). Rows are newest first; a call's ``group`` is its number, run, source, provider, model, purpose."""

    by: str
    rows: list[ModelSumView]
    months: list[ModelSumView]
    total: ModelSumView
    this_month_microusd: int


class ModelCallView(TypedDict):
    """One call. ``state`` is intended, answered, failed, in_doubt or cached; ``sentence`` says why it failed."""

    call: int
    run: str
    repository: str
    purpose: str
    deployment: str
    provider: str
    model: str
    sent_at: str
    state: str
    estimate_microusd: int
    cost_microusd: int
    prompt_tokens: int
    completion_tokens: int
    model_ms: int
    sentence: str


class CallsInDoubtView(TypedDict):
    """Calls that were open when QVerify ended before: they may have been charged. ``where`` are end points, with a number each."""

    calls: int
    where: dict[str, int]
