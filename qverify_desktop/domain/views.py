"""What the engine answers to a window's questions. JSON-ready: these cross the control socket as they are.

Times are RFC 3339 UTC, durations milliseconds, money millionths of a US dollar, shares thousandths (``None`` where the
whole is empty). Texts are plain text for a person, in English. Every question is listed in ``docs/questions.md``.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


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


class HistoryEntry(TypedDict):
    """One finished run of a repository. ``scope`` as text, ``model`` a name or ``none``, both empty and the amounts ``None``
    where an older version did not keep them."""

    run: RunView
    commit: str
    scope: str
    model: str
    lines: MeasureView
    branches: MeasureView
    mutants: MeasureView
    cost_microusd: int | None
    duration_ms: int | None


class TrendView(TypedDict):
    """A repository over its finished runs, newest first; ``total`` of them there are, ``sentence`` says how it went."""

    source: str
    name: str
    sentence: str
    total: int
    runs: list[HistoryEntry]


class ComparedTest(TypedDict):
    """A test in two runs; an empty verdict means that the run has no such test."""

    test: str
    before: str
    after: str


class ComparisonView(TypedDict):
    """Two runs side by side: ``a`` is the older one."""

    a: HistoryEntry
    b: HistoryEntry
    sentence: str
    tests: list[ComparedTest]
    defects_gone: list[DefectView]
    defects_new: list[DefectView]
    defects_same: list[DefectView]


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


class TestView(TypedDict):
    """A generated test in a list. ``verdict`` is accepted, refused or suspected; ``decided`` is what a person made of it
    (``accepted``, ``refused`` or empty); ``label`` specification or characterization."""

    id: str
    file: str
    symbol: str
    path: str
    name: str
    verdict: str
    decided: str
    reason: str
    label: str
    origin: str
    lines: int
    branches: int
    mutants: int


class AssertionView(TypedDict):
    """One assertion of a test: its 1-based line in the code, what it rests on, and the quoted words with their place."""

    line: int
    text: str
    label: str
    words: str
    file: str
    place_line: int


class MutantView(TypedDict):
    """A mutant: ``status`` is a ``MutantStatus`` value."""

    id: str
    file: str
    line: int
    operator: str
    original: str
    replacement: str
    status: str


class TestDetail(TypedDict):
    """One test with everything that is known. ``code`` is the whole file it would stand in, ``first_line`` where it begins
    there; ``steps`` are the five judgements (name, state: done, refused or open)."""

    test: TestView
    sentence: str
    detail: str
    code: str
    first_line: int
    last_line: int
    language: str
    assertions: list[AssertionView]
    killed: list[MutantView]
    gained_lines: list[int]
    steps: list[list[str]]


class FileView(TypedDict):
    """A source file with its coverage before and after, and how many tests and defects it has."""

    path: str
    language: str
    lines: MeasureView
    branches: MeasureView
    tests: int
    suspected: int


class SourceLine(TypedDict):
    """State of an executable line: ``covered``, ``partial`` or ``missed``, before and after; ``tests`` reach it."""

    line: int
    before: str
    after: str
    tests: int


class SourceView(TypedDict):
    """A file's text as it was analysed, its executable lines and the mutants on them."""

    path: str
    language: str
    text: str
    lines: list[SourceLine]
    mutants: list[MutantView]
    defects: list[DefectView]


class DefectView(TypedDict):
    """A suspected defect. ``confidence`` in thousandths; ``decision`` is confirmed, dismissed or empty; ``reproducer`` a
    complete program or test with ``command`` that shows it; ``history`` a sentence on its past or empty, ``calibration`` one on how far its form can be trusted; ``issue`` all of it in Markdown; ``file_on_disk`` the user's own file when it is still there."""

    id: str
    file: str
    symbol: str
    line: int
    call: str
    expected: str
    observed: str
    words: str
    words_file: str
    words_line: int
    reproductions: int
    confidence: int
    reproducer: str
    command: str
    history: str
    calibration: str
    issue: str
    language: str
    decision: str
    note: str
    file_on_disk: str


class DiffView(TypedDict):
    """What writing the accepted tests would change, as a unified diff."""

    text: str
    files: list[str]


class WrittenView(TypedDict):
    """What was written where: ``form`` is branch, patch or worktree."""

    form: str
    place: str
    files: list[str]
    sentence: str


class LogLine(TypedDict):
    """One line of a run's log; ``at_ms`` since the run was started. ``kind`` is an ``EventKind`` value, ``target`` the id of
    the target that it tells of."""

    number: int
    at_ms: int
    stage: str
    text: str
    kind: str
    target: str


class LogPage(TypedDict):
    """Lines ``start`` … of a log of ``total`` lines."""

    total: int
    start: int
    lines: list[LogLine]


class LogHits(TypedDict):
    """Numbers of the log's lines in which ``words`` stand; ``complete`` is false when there are more."""

    words: str
    rows: list[int]
    complete: bool


class EventLine(TypedDict):
    """An entry of the evidence log in words."""

    index: int
    run: str
    type: str
    at: str
    words: str


class EventPage(TypedDict):
    """Entries of the log, oldest first, from place ``start`` of ``total`` that match. ``complete`` is false when a search
    looked at the newest entries only."""

    total: int
    start: int
    entries: list[EventLine]
    complete: bool


class ProofStep(TypedDict):
    """A hash beside the way to the root: ``side`` is left or right of the hash that is computed (RFC 6962, 2.1.1)."""

    side: str
    hash: str
    computed: str


class EventView(TypedDict):
    """An entry with its canonical JSON and its inclusion proof against the newest checkpoint that holds it. ``holds``: the
    entry, the path, the root and the signature were checked. Otherwise ``problem`` says what is wrong; it is empty where
    no checkpoint covers the entry yet."""

    line: EventLine
    payload: dict[str, Any]
    leaf: str
    leaf_hash: str
    proof: list[ProofStep]
    size: int
    root: str
    holds: bool
    problem: str


class CheckpointView(TypedDict):
    """A signed checkpoint (C2SP tlog-checkpoint) with the key that verifies it. ``protection`` says how the key is kept."""

    note: str
    origin: str
    size: int
    root: str
    run: str
    signed_at: str
    verifier_key: str
    protection: str


class AnchorView(TypedDict):
    """What somebody else is asked to confirm about a checkpoint. ``kind`` is time_stamp or witness, ``state`` waiting, held or refused;
    ``at`` is the confirmed time (RFC 3339), ``sentence`` why it is not held."""

    kind: str
    by: str
    state: str
    at: str
    sentence: str


class AnchorsView(TypedDict):
    """The anchors of a run's closing checkpoint of ``size`` entries (0: it has none yet). ``asked``: the settings name somebody to ask."""

    size: int
    asked: bool
    anchors: list[AnchorView]


class SigningKeyView(TypedDict):
    """A key that signs the log, or did. ``state`` is in_use, rotated or revoked; ``size`` is that of the log at the last change."""

    verifier_key: str
    id: str
    protection: str
    protected: bool
    state: str
    changed_at: str
    size: int
    reason: str


class SigningKeysView(TypedDict):
    """The log's name and its keys, the one in use first."""

    origin: str
    keys: list[SigningKeyView]


class GradeView(TypedDict):
    """A verified bundle: ``meaning`` says what the grade shows, ``limit`` what it does not. ``reproduced`` is when all of it was
    executed again on this machine and agreed (RFC 3339), empty or left out where it was not;
    ``record`` what it says of a reproduction, where it is the record of one."""

    grade: str
    valid: bool
    meaning: str
    limit: str
    problems: list[str]
    notices: list[str]
    anchors: list[dict[str, Any]]
    events: int
    checkpoint: str
    bundle: str
    run: str
    reproduced: NotRequired[str]
    record: NotRequired[str]


class CheckView(TypedDict):
    """A check of this machine; ``state`` is ok, warning or blocking; ``command`` what a fix would run or do."""

    id: str
    title: str
    state: str
    sentence: str
    remedy: str
    fixable: bool
    command: str


class SettingsView(TypedDict):
    """Settings that a person may change. Air gap, containers and patience count at once, ``docker_host`` at the next start,
    ``sandbox`` (docker or bubblewrap), model and end point are what new analyses are offered. ``switches`` are those of
    ``domain.connections``, by the names of their settings; they count at once. ``keyring`` says in a sentence where an API key is kept."""

    air_gap: bool
    model: str
    api_base: str
    containers: int
    docker_host: str
    sandbox: str
    gvisor: bool
    patience_s: int
    editor: str
    air_gap_allow: str
    failover_refused: bool
    model_timeout_s: int
    model_answer_tokens: int
    model_context_tokens: int
    run_budget_microusd: int
    month_budget_microusd: int
    budget_ask_percent: int
    answer_cache_mb: int
    answer_cache_days: int
    hosted_issuer: str
    hosted_client: str
    hosted_regions: str
    hosted_key: str
    hosted_proxy: str
    hosted_ca_file: str
    time_stamp_authority: str
    time_stamp_certificate: str
    witnesses: str
    switches: dict[str, bool]
    home: str
    keyring: str
    api_key_set: bool


class KeyView(TypedDict):
    """A model's key without the key. ``provider`` is empty for whatever end point is used; ``store`` is environment, session,
    keyring or file; ``ending`` at most its last four characters; ``counts`` whether it is the one that is used."""

    provider: str
    store: str
    ending: str
    counts: bool


class KeyStoreView(TypedDict):
    """A store that takes keys on this machine now."""

    store: str
    sentence: str


class KeysView(TypedDict):
    """All keys that are known. ``usual`` is the store where nothing else is said; ``file`` says whether the key file is none,
    locked or open, ``problem`` why the passphrase of a named file did not open it."""

    keys: list[KeyView]
    stores: list[KeyStoreView]
    usual: str
    file: str
    problem: str


class DeploymentView(TypedDict):
    """An end point of ``models.toml``. ``place`` is local or remote; ``base`` is empty for the provider's own address; ``models``
    are those of single purposes; limits are 0 where none is set."""

    name: str
    wire: str
    model: str
    base: str
    place: str
    models: dict[str, str]
    requests_per_minute: int
    tokens_per_minute: int
    at_once: int
    enabled: bool


class DeploymentsView(TypedDict):
    """The order for the model ``auto``. ``problem`` says what of the file can't be used: then the order before it counts on."""

    path: str
    exists: bool
    deployments: list[DeploymentView]
    problem: str


class CrashView(TypedDict):
    """A local crash report; nothing is ever sent."""

    name: str
    at: str
    sentence: str
    bytes: int


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


class ModelView(TypedDict):
    """A model that can be used now. ``place`` is local or remote."""

    name: str
    provider: str
    api_base: str
    place: str
    bytes: int
    sentence: str


class ModelsView(TypedDict):
    """What answers on this machine; ``sentence`` says what is missing when nothing does."""

    models: list[ModelView]
    sentence: str
    remedy: str
