"""A small Python project through the whole analysis in real containers."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.results import Reason, RunResult, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.python.language import PythonLanguage
from tests.integration.languages.analysing import BUNDLE, SAMPLES, analysed, executed_again

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def result(home: Path) -> RunResult:
    return analysed(SAMPLES / "python", home)


def test_its_bundle_is_executed_again_elsewhere(result: RunResult, home: Path, tmp_path: Path) -> None:
    executed_again(home / BUNDLE, SAMPLES / "python", tmp_path / "second")


def test_the_planted_defect_is_found_and_no_other(result: RunResult) -> None:
    (defect,) = result.defects
    assert (defect.file, defect.symbol, defect.call) == ("harbour/tariff.py", "discount", "discount(7)")
    assert (defect.expected, defect.observed, defect.reproductions) == ("10", "0", 5)
    lines = (SAMPLES / "python" / defect.evidence.file).read_text().splitlines()
    assert lines[defect.evidence.line - 1].strip() == defect.evidence.text.splitlines()[0] == ">>> discount(7)"


def test_accepted_tests_reach_more_and_notice_more(result: RunResult) -> None:
    assert any(one.test.label is Label.SPECIFICATION for one in result.accepted)
    assert any(one.test.label is Label.CHARACTERIZATION for one in result.accepted)
    assert "pytest.raises(ValueError)" in "".join(result.files.values()), "a statement without an example is held"
    assert result.after.lines.part > result.before.lines.part > 0
    assert result.after.branches.part > result.before.branches.part >= 0
    assert result.after.mutants.part > result.before.mutants.part >= 0
    assert result.baseline == "The existing suite is green: 1 passed."


def test_what_differs_from_run_to_run_and_what_no_longer_fits_is_refused(result: RunResult) -> None:
    refused = {one.test.call: one for one in result.tests if one.verdict is TestVerdict.REFUSED}
    flaky = refused["first_flag()"]
    assert flaky.reason is Reason.FLAKY and flaky.detail == "It passed 1 of 5 runs."
    outdated = refused["stay_fee(10)"]
    assert outdated.reason is Reason.OUT_OF_DATE and "missing 1 required positional argument" in outdated.detail


def test_what_does_not_parse_is_refused_before_it_runs() -> None:
    broken = GeneratedTest(
        "tests/test_x.py", "test_x", "def test_x(:\n    assert 1", "t", Label.CHARACTERIZATION, Origin.MODEL
    )
    problem = PythonLanguage().static_problem(broken)
    assert problem is not None and problem.reason is Reason.SYNTAX
