"""Every judged test as a row of comma-separated values (RFC 4180, UTF-8)."""

from __future__ import annotations

import csv
import io

from qverify_desktop.domain.results import SENTENCES, RunResult
from qverify_desktop.export.plain_text import readable

COLUMNS = (
    *("run", "path", "name", "target", "label", "origin"),
    *("verdict", "reason", "sentence", "detail"),
    *("lines_gained", "branches_gained", "mutants_gained"),
    *("quoted_words", "quoted_file", "quoted_line"),
)

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def csv_table(result: RunResult) -> bytes:
    """Header and one row a test, in the order of the run."""
    target = io.StringIO(newline="")
    writer = csv.writer(target)
    writer.writerow(COLUMNS)
    for judged in result.tests:
        test, gain = judged.test, judged.gain
        texts = (result.run, test.path, test.name, test.target, test.label.value, test.origin.value)
        reasons = (judged.verdict.value, judged.reason.value, SENTENCES[judged.reason], judged.detail)
        quote = (guarded(test.quote.text), guarded(test.quote.file), test.quote.line) if test.quote else ("", "", "")
        row = [*map(guarded, (*texts, *reasons)), gain.lines, gain.branches, gain.mutants, *quote]
        writer.writerow(row)
    return target.getvalue().encode("utf-8")


def guarded(text: str) -> str:
    """An apostrophe before what a spreadsheet would take for a formula."""
    shown = readable(text)
    return f"'{shown}" if shown.lstrip(" ").startswith(_FORMULA_STARTS) else shown
