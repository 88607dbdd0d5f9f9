"""Every format a run can be written in. ``evidence`` is missing here: the bundle is the evidence room's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from qverify_desktop.domain.report import NOTHING_MORE, Supplement
from qverify_desktop.domain.results import RunResult
from qverify_desktop.export.csv_table import csv_table
from qverify_desktop.export.html import html
from qverify_desktop.export.issue import issues
from qverify_desktop.export.junit import junit
from qverify_desktop.export.markdown import markdown
from qverify_desktop.export.sarif import sarif
from qverify_desktop.repository.patch import patch_of


class Format(Protocol):
    """Writes a run down. ``supplement`` is what the records hold beside the result; without it less is shown. Equal values
    give equal bytes."""

    def __call__(self, result: RunResult, supplement: Supplement = NOTHING_MORE) -> bytes: ...


def patch(result: RunResult) -> bytes:
    """The accepted test files as a patch that ``git apply`` takes."""
    return patch_of(result.files).encode("utf-8", "replace")


def expected_failures(result: RunResult) -> bytes:
    """The tests of the suspected defects, marked as expected to fail, as a patch that ``git apply`` takes."""
    return patch_of(result.expected_failures).encode("utf-8", "replace")


def _of_result(write: Callable[[RunResult], bytes]) -> Format:
    """A format that shows nothing but the result."""

    def written(result: RunResult, supplement: Supplement = NOTHING_MORE) -> bytes:
        return write(result)

    return written


#: Formats that show more with a supplement, which takes time: the bundle is verified for it.
SUPPLEMENTED = frozenset({"html", "sarif", "markdown"})

FORMATS: Mapping[str, Format] = {
    "html": html,
    "junit": _of_result(junit),
    "sarif": sarif,
    "markdown": markdown,
    "csv": _of_result(csv_table),
    "patch": _of_result(patch),
    "issues": _of_result(issues),
    "expected-failures": _of_result(expected_failures),
}
