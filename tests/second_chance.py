"""A plug-in for the second run of ``test.sh``: names the tests that passed only now, before pytest's closing line.

``QVERIFY_FAILED_FIRST`` is the file of those that failed in the first run (the ``lastfailed`` of pytest's cache). A test of it
that did not run a second time makes this run fail.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


class SecondChance:
    def __init__(self, failed: set[str]) -> None:
        self._failed = failed
        self._passed: set[str] = set()
        self._again: set[str] = set()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._again.add(report.nodeid)
        elif report.when == "call" and report.passed:
            self._passed.add(report.nodeid)

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if exitstatus == pytest.ExitCode.OK and self._failed - self._unsteady:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._unsteady:
            terminalreporter.write_line(f"unsteady: {', '.join(sorted(self._unsteady))}")
        missing = self._failed - self._passed - self._again
        if missing:
            terminalreporter.write_line(f"not run a second time: {', '.join(sorted(missing))}")

    @property
    def _unsteady(self) -> set[str]:
        return (self._passed - self._again) & self._failed


def pytest_configure(config: pytest.Config) -> None:
    failed = json.loads(Path(os.environ["QVERIFY_FAILED_FIRST"]).read_text())
    config.pluginmanager.register(SecondChance(set(failed)))
