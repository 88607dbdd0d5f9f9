"""Source files of the sample run with their coverage, mutants and suspected defects. For tests and screenshots."""

from __future__ import annotations

from typing import Any

from tests.ui.samples.defects import DEFECTS, OFFSET_TEXT
from tests.ui.samples.results import CALENDAR, OFFSET, PARSER, RELATIVE, measure, mutant

FORMAT = "tidydate/format.py"
LINES = OFFSET_TEXT.splitlines()


def line_of(words: str) -> int:
    """The number of the line of tidydate/offset.py that holds these words."""
    return next(number for number, line in enumerate(LINES, 1) if words in line)


def file_view(path: str, before: int, after: int, whole: int, suspected: int = 0) -> dict[str, Any]:
    return {
        "path": path,
        "language": "python",
        "lines": measure((before, whole), (after, whole)),
        "branches": measure((before // 3, whole // 3), (after // 3, whole // 3)),
        "tests": (after - before) // 4,
        "suspected": suspected,
    }


def files() -> list[dict[str, Any]]:
    return [
        file_view(FORMAT, 30, 40, 40),
        file_view(OFFSET, 4, 12, 13, suspected=1),
        file_view(CALENDAR, 80, 118, 120, suspected=1),
        file_view(PARSER, 120, 190, 230, suspected=1),
        file_view(RELATIVE, 60, 88, 96, suspected=1),
    ]


def offset() -> dict[str, Any]:
    """The file in which each kind of line, mutant and defect stands."""
    states = {
        "import re": ("covered", "covered", 0),
        "from datetime": ("covered", "covered", 0),
        "OFFSET = ": ("covered", "covered", 0),
        "def parse_offset": ("covered", "covered", 0),
        "match = OFFSET": ("missed", "covered", 7),
        "if match is None": ("missed", "covered", 7),
        "raise ValueError": ("missed", "covered", 2),
        'if match["zulu"]': ("missed", "partial", 5),
        "return timedelta(0)": ("missed", "missed", 0),
        "hours = int": ("missed", "covered", 4),
        "minutes = int": ("missed", "covered", 4),
        "return timedelta(hours": ("missed", "covered", 4),
    }
    return {
        "path": OFFSET,
        "language": "python",
        "text": OFFSET_TEXT,
        "lines": [
            {"line": line_of(words), "before": before, "after": after, "tests": tests}
            for words, (before, after, tests) in states.items()
        ],
        "mutants": [
            mutant(line_of("minutes = int"), "0", "1"),
            mutant(line_of("if match is None"), "is None", "is not None"),
            mutant(line_of("match = OFFSET"), "text.strip()", "text", "survived"),
        ],
        "defects": [DEFECTS[0]],
    }


def answers() -> dict[str, Any]:
    def source(run: str, file: str) -> dict[str, Any]:
        if file == OFFSET:
            return offset()
        text = f'"""{file}"""\n\n\n' + "".join(f"def step_{n}():\n    return {n}\n\n\n" for n in range(60))
        lines = [
            {"line": 4 + 4 * n + at, "before": "missed", "after": "covered" if n % 7 else "missed", "tests": n % 7}
            for n in range(60)
            for at in (0, 1)
        ]
        return {"path": file, "language": "python", "text": text, "lines": lines, "mutants": [], "defects": []}

    return {"run_files": files(), "run_source": source}
