"""Source files line by line with the state of each, as the report shows them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from qverify_desktop.domain.details import FileDetails, LineState, line_states
from qverify_desktop.domain.report import Supplement
from qverify_desktop.domain.results import Fraction, RunResult
from qverify_desktop.domain.testing import FileCoverage

#: Lines and characters of source in one report; further files are only counted. A browser still opens it at once.
MOST_LINES, MOST_TEXT = 20_000, 1_000_000
TOO_LONG = "Its source is in the window and not here: the report would be too long."
#: Characters of one line.
MOST_WIDE = 400
#: Files with so many lines all together stand open.
MOST_OPEN = 400

#: Class of a line, its mark (so that nothing is told by colour alone), and what it means.
LEGEND = (
    ("gained", "+", "reached since the kept tests"),
    ("covered", "=", "reached before"),
    ("partial", "~", "a branch of it is never taken"),
    ("missed", "!", "not reached"),
)
_MARKS: Mapping[str, str] = {name: mark for name, mark, _ in LEGEND}


@dataclass(frozen=True)
class Line:
    """``state`` is a name of ``LEGEND``, empty where nothing can run; ``defects`` are suspected at this line, which has an
    ``anchor`` then."""

    number: int
    text: str
    state: str = ""
    defects: tuple[str, ...] = ()
    anchor: str = ""

    @property
    def mark(self) -> str:
        return _MARKS.get(self.state, " ")


@dataclass(frozen=True)
class Source:
    """A file with its coverage; ``lines`` are empty where ``left_out`` says why."""

    path: str
    before: Fraction
    after: Fraction
    branches_before: Fraction
    branches_after: Fraction
    lines: tuple[Line, ...]
    left_out: str
    open: bool


def within_limits(result: RunResult, files: Sequence[FileDetails]) -> tuple[FileDetails, ...]:
    """Files with suspected defects first, then those that gained most, then by path; those that a report has no room for without
    their text."""
    suspected = Counter(defect.file for defect in result.defects)

    def worth(file: FileDetails) -> tuple[int, int, str]:
        gained = len(file.after.covered_lines) - len(file.before.covered_lines)
        return -suspected[file.path], -gained, file.path

    lines_left, text_left = MOST_LINES, MOST_TEXT
    made = []
    for file in sorted(files, key=worth):
        count = file.text.count("\n") + 1
        if file.left_out:
            made.append(file)
        elif count > lines_left or len(file.text) > text_left:
            made.append(replace(file, text="", left_out=TOO_LONG))
        else:
            lines_left, text_left = lines_left - count, text_left - len(file.text)
            made.append(file)
    return tuple(made)


def sources(result: RunResult, supplement: Supplement) -> list[Source]:
    """The files of the run's targets in the order of ``within_limits``."""
    suspected: dict[str, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for defect in result.defects:
        suspected[defect.file][defect.line].append(f"{defect.call} gives {defect.observed}, not {defect.expected}")
    open_left = MOST_OPEN
    made: list[Source] = []
    for file in within_limits(result, supplement.sources):
        lines = () if file.left_out else _lines(file, suspected.get(file.path, {}), len(made))
        open_left -= len(lines)
        made.append(
            Source(
                file.path,
                _lines_reached(file.before),
                _lines_reached(file.after),
                _branches_taken(file.before),
                _branches_taken(file.after),
                lines,
                file.left_out,
                open_left >= 0,
            )
        )
    return made


def _lines_reached(coverage: FileCoverage) -> Fraction:
    return Fraction(len(coverage.covered_lines & coverage.lines), len(coverage.lines))


def _branches_taken(coverage: FileCoverage) -> Fraction:
    return Fraction(len(coverage.covered_branches & coverage.branches), len(coverage.branches))


def _lines(file: FileDetails, suspected: Mapping[int, list[str]], place: int) -> tuple[Line, ...]:
    states = line_states(file)
    # Split as Python counts lines: a form feed is no end of one.
    texts = file.text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    return tuple(
        Line(
            number,
            _cut(text),
            _state(states.get(number)),
            tuple(suspected.get(number, ())),
            f"at-{place}-{number}" if number in suspected else "",
        )
        for number, text in enumerate(texts, 1)
    )


def _cut(text: str) -> str:
    return text if len(text) <= MOST_WIDE else f"{text[:MOST_WIDE]} … {len(text) - MOST_WIDE:,} more"


def _state(states: tuple[LineState, LineState] | None) -> str:
    if states is None:
        return ""
    before, after = states
    return "gained" if after is LineState.COVERED and before is not LineState.COVERED else after.value
