"""What a window is told of a run's results: tests, source, defects, and runs beside each other. The same rules as in ``views``."""

from __future__ import annotations

from typing import TypedDict

from qverify_desktop.domain.views import MeasureView, RunView


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
