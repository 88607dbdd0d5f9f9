"""The four suspected defects of the sample run. For tests and screenshots."""

from __future__ import annotations

from typing import Any

from tests.ui.samples.results import CALENDAR, OFFSET, PARSER, RELATIVE, SOURCE, overview

OFFSET_TEXT = (
    '''"""Offsets of time zones."""

import re
from datetime import timedelta

OFFSET = re.compile(r"(?P<zulu>Z)|(?P<sign>[+-])(?P<hours>\\d\\d):?(?P<minutes>\\d\\d)?")
'''
    + "\n" * 33
    + '''

def parse_offset(text: str) -> timedelta:
    """Read an offset from UTC.

    Accepts ``Z``, ``+HH``, ``+HHMM`` and ``+HH:MM``.
    The sign applies to the minutes as well: ``-03:30`` is three
    and a half hours behind UTC.
    """
    match = OFFSET.fullmatch(text.strip())
    if match is None:
        raise ValueError(text)
    if match["zulu"]:
        return timedelta(0)
    hours = int(match["sign"] + match["hours"])
    minutes = int(match["minutes"] or 0)
    return timedelta(hours=hours, minutes=minutes)
'''
)


def defect(
    id_: str, file: str, symbol: str, line: int, call: str, expected: str, observed: str, words: str, **more: Any
) -> dict[str, Any]:
    return {
        "id": id_,
        "file": file,
        "symbol": symbol,
        "line": line,
        "call": call,
        "expected": expected,
        "observed": observed,
        "words": words,
        "words_file": file,
        "words_line": line + 4,
        "reproductions": 5,
        "confidence": 940,
        "reproducer": f"from tidydate import {symbol}\n\n\ndef test_{symbol}():\n    assert {call} == {expected}\n",
        "command": f"python -m pytest tests/qv/test_{file.rsplit('/', 1)[-1].removesuffix('.py')}_gen.py",
        "history": "",
        "calibration": "",
        "issue": f"## {call} contradicts {file}\n",
        "language": "python",
        "decision": "",
        "note": "",
        "file_on_disk": f"{SOURCE}/{file}",
        **more,
    }


DEFECTS: list[dict[str, Any]] = [
    defect(
        "a41c0ffee0000001",
        OFFSET,
        "parse_offset",
        OFFSET_TEXT[: OFFSET_TEXT.index("def parse_offset")].count("\n") + 1,
        'parse_offset("-03:30")',
        "datetime.timedelta(days=-1, seconds=73800)",
        "datetime.timedelta(days=-1, seconds=77400)",
        "The sign applies to the minutes as well: ``-03:30`` is three and a half hours behind UTC.",
        calibration="In the benchmark 63 of 71 accusations of this form were right.",
        history="Broken since commit 4f1c2ab90e17 (2025-03-02, Read offsets with one pattern).",
        reproducer=(
            "from datetime import timedelta\n\nfrom tidydate import parse_offset\n\n\n"
            "def test_sign_applies_to_minutes():\n"
            '    assert parse_offset("-03:30") == -timedelta(\n        hours=3, minutes=30\n    )\n'
        ),
    ),
    defect(
        "a41c0ffee0000002",
        PARSER,
        "parse_time",
        131,
        'parse_time("12:00 am")',
        "datetime.time(0, 0)",
        "datetime.time(12, 0)",
        "12:00 am is midnight, 12:00 pm is noon.",
        words_file="docs/formats.md",
        words_line=22,
        confidence=910,
    ),
    defect(
        "a41c0ffee0000003",
        CALENDAR,
        "iso_week",
        64,
        "iso_week(date(2021, 1, 3))",
        "(2020, 53)",
        "(2021, 53)",
        "The year is the year of the week's Thursday (ISO 8601).",
        confidence=880,
    ),
    defect(
        "a41c0ffee0000004",
        RELATIVE,
        "parse_relative",
        97,
        'parse_relative("last day of february", today=date(2024, 2, 1))',
        "datetime.date(2024, 2, 29)",
        "datetime.date(2024, 2, 28)",
        "“last day of” knows the length of every month, leap years too.",
        words_file="README.md",
        words_line=61,
        confidence=760,
        file_on_disk="",
    ),
]


def answers(status: str = "finished", defects: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """Answers of a scripted engine. Decisions are kept."""
    held = {one["id"]: one for one in (DEFECTS if defects is None else defects)}

    def decide(run: str, defect: str, decision: str, note: str = "") -> None:
        held[defect] = {**held[defect], "decision": decision, "note": note}

    def source(run: str, file: str) -> dict[str, Any]:
        text = OFFSET_TEXT if file == OFFSET else "".join(f"x = {n}\n" for n in range(200))
        return {"path": file, "language": "python", "text": text, "lines": [], "mutants": [], "defects": []}

    return {
        "run_overview": lambda run: overview(status),
        "run_defects": lambda run: list(held.values()),
        "run_source": source,
        "defect_decide": decide,
        "export": None,
    }
