"""Every format a run can be written in. ``evidence`` is missing here: the bundle is the evidence room's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qverify_desktop.domain.results import RunResult
from qverify_desktop.export.csv_table import csv_table
from qverify_desktop.export.html import html
from qverify_desktop.export.issue import issues
from qverify_desktop.export.junit import junit
from qverify_desktop.export.markdown import markdown
from qverify_desktop.export.sarif import sarif
from qverify_desktop.repository.patch import patch_of


def patch(result: RunResult) -> bytes:
    """The accepted test files as a patch that ``git apply`` takes."""
    return patch_of(result.files).encode("utf-8", "replace")


def expected_failures(result: RunResult) -> bytes:
    """The tests of the suspected defects, marked as expected to fail, as a patch that ``git apply`` takes."""
    return patch_of(result.expected_failures).encode("utf-8", "replace")


FORMATS: Mapping[str, Callable[[RunResult], bytes]] = {
    "html": html,
    "junit": junit,
    "sarif": sarif,
    "markdown": markdown,
    "csv": csv_table,
    "patch": patch,
    "issues": issues,
    "expected-failures": expected_failures,
}
