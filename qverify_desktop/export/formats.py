"""Every format a run can be written in. ``evidence`` is missing here: the bundle is the evidence room's."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qverify_desktop.domain.results import RunResult
from qverify_desktop.export.csv_table import csv_table
from qverify_desktop.export.html import html
from qverify_desktop.export.junit import junit
from qverify_desktop.export.markdown import markdown
from qverify_desktop.export.sarif import sarif
from qverify_desktop.repository.patch import patch_of


def patch(result: RunResult) -> bytes:
    """The accepted test files as a patch that ``git apply`` takes."""
    return patch_of(result.files).encode("utf-8", "replace")


FORMATS: Mapping[str, Callable[[RunResult], bytes]] = {
    "html": html,
    "junit": junit,
    "sarif": sarif,
    "markdown": markdown,
    "csv": csv_table,
    "patch": patch,
}
