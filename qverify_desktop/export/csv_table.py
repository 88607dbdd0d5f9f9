"""Every judged test as a row of comma-separated values (RFC 4180, UTF-8)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from functools import partial

from qverify_desktop.domain.results import SENTENCES, JudgedTest, RunResult
from qverify_desktop.export.plain_text import readable

COLUMNS = (
    *("run", "path", "name", "target", "label", "origin"),
    *("verdict", "reason", "sentence", "detail"),
    *("lines_gained", "branches_gained", "mutants_gained"),
    *("quoted_words", "quoted_file", "quoted_line"),
)

#: Where a cell may begin with a formula. A program that separates by semicolons or tabs, as many do by their language, and by line
#: ends within quotes that it does not see as such, begins cells within ours.
_FORMULA = re.compile(r"^(?= *[\t\n])|(^|[;\t\n])(?= *[=+\-@＝＋－＠])")


def csv_table(result: RunResult) -> bytes:
    """Header and one row a test, in the order of the run."""
    return table(COLUMNS, map(partial(_row, result.run), result.tests)).encode("utf-8")


def _row(run: str, judged: JudgedTest) -> Sequence[object]:
    test, gain = judged.test, judged.gain
    quote = (test.quote.text, test.quote.file, test.quote.line) if test.quote else ("", "", "")
    return (
        *(run, test.path, test.name, test.target, test.label.value, test.origin.value),
        *(judged.verdict.value, judged.reason.value, SENTENCES[judged.reason], judged.detail),
        *(gain.lines, gain.branches, gain.mutants),
        *quote,
    )


def table(columns: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """A header and lines; texts are guarded, ``None`` is an empty field."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(columns)
    for line in lines:
        writer.writerow([guarded(value) if isinstance(value, str) else value for value in line])
    return target.getvalue()


def guarded(text: str) -> str:
    """An apostrophe before whatever a spreadsheet would take for a formula."""
    return _FORMULA.sub(r"\1'", readable(text))
