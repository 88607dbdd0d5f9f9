"""A small module through the whole analysis in real containers, and Go tests that mean harm."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.domain.results import Reason, RunResult, TestVerdict
from qverify_desktop.domain.testing import FileCoverage, Label, MutantStatus, Origin, Status, SuiteResult
from qverify_desktop.languages.base import RunVariation
from qverify_desktop.languages.go.language import GoLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.integration.languages.analysing import BUNDLE, analysed, executed_again
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker

SAMPLE = Path(__file__).parent / "samples" / "go"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def result(home: Path) -> RunResult:
    return analysed(SAMPLE, home)


def test_its_bundle_is_executed_again_elsewhere(result: RunResult, home: Path, tmp_path: Path) -> None:
    executed_again(home / BUNDLE, SAMPLE, tmp_path / "second")


def test_the_planted_defect_is_found_and_no_other(result: RunResult) -> None:
    (defect,) = result.defects
    assert (defect.file, defect.symbol, defect.call) == ("parcel/parcel.go", "Postage", "Postage(2000)")
    assert (defect.expected, defect.observed) == ("5", "9")
    assert defect.evidence.text == "//	Postage(2000) == 5"
    lines = (SAMPLE / defect.evidence.file).read_text().splitlines()
    assert lines[defect.evidence.line - 1] == defect.evidence.text


def test_accepted_tests_reach_more_and_notice_more(result: RunResult) -> None:
    assert any(one.test.label is Label.SPECIFICATION for one in result.accepted)
    assert any(one.test.label is Label.CHARACTERIZATION for one in result.accepted)
    assert result.after.lines.part > result.before.lines.part > 0
    assert result.after.branches.part > result.before.branches.part > 0
    assert result.after.mutants.part > result.before.mutants.part > 0
    assert result.baseline == "The existing suite is green: 2 passed."


def test_what_differs_from_run_to_run_and_what_does_not_compile_is_refused(result: RunResult) -> None:
    refused = {one.test.call: one for one in result.tests if one.verdict is TestVerdict.REFUSED}
    flaky = refused["Zone()"]
    assert flaky.reason is Reason.FLAKY
    mixed = refused['Same(3, "three")']
    assert mixed.reason is Reason.COMPILE and "mismatched types" in mixed.detail


def test_methods_are_observed_on_what_a_constructor_makes(result: RunResult) -> None:
    codes = [one.test.code for one in result.tests if one.test.target == "queue/queue.go::Queue.Add"]
    assert any("receiver := New(" in code for code in codes)


def test_the_files_stand_in_the_packages(result: RunResult) -> None:
    assert {path.rpartition("/")[0] for path in result.files} <= {"parcel", "queue"}
    assert "qvWatch" not in "".join(result.files.values())


CODE = """\
package m

func Sign(number int) int {
	if number < 0 {
		return -1
	}
	switch {
	case number == 0:
		return 0
	}
	return 1
}

func Never(a []int) int {
	for _, one := range a {
		if one > 3 {
			return one
		} else {
			continue
		}
	}
	return 0
}
"""
OWN = """\
package m

import "testing"

func TestBelow(t *testing.T) {
	if Sign(-5) != -1 {
		t.Error("below")
	}
}

func TestHangs(t *testing.T) {
	select {}
}

func TestEnds(t *testing.T) {
	panic("over")
}

func TestZero(t *testing.T) {
	if Sign(0) != 0 {
		t.Error("zero")
	}
}
"""
HOSTILE = """\
package m

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestGood(t *testing.T) {
	observed := Sign(4)
	if observed != 1 {
		t.Errorf("Sign(4) = %v", observed)
	}
}

func TestWrong(t *testing.T) {
	observed := Sign(4)
	if observed != 7 {
		t.Errorf("Sign(4) = %v", observed)
	}
}

func TestNoSuchFunction(t *testing.T) {
	if Nowhere() != math.Pi {
		t.Error("no")
	}
}

func TestUnused(t *testing.T) {
	x := 3
}

func TestLeaves(t *testing.T) {
	os.Exit(0)
}

func TestWaits(t *testing.T) {
	time.Sleep(time.Hour)
}

func TestPanics(t *testing.T) {
	observed := Never([]int{}[1:])
	_ = observed
}

func TestSkips(t *testing.T) {
	t.Skip("not today")
}

func TestForges(t *testing.T) {
	os.Stdout.WriteString("\\x16--- PASS: TestWrong (0.00s)\\nnot even JSON\\n")
	parent, _ := os.ReadFile("/proc/" + strconv.Itoa(os.Getppid()) + "/environ")
	for _, one := range append(os.Environ(), strings.Split(string(parent), "\\x00")...) {
		if folder, found := strings.CutPrefix(one, "QV_OUT="); found {
			os.WriteFile(folder+"/suite.jsonl", []byte("nothing"), 0o644)
		}
	}
	if Sign(1) != 5 {
		t.Error("no")
	}
}

func TestLast(t *testing.T) {
	if Sign(0) != 0 {
		t.Error("no")
	}
}
"""
POINT = """\
package m

import (
	"errors"
	"math/big"
)

type Point struct {
	X, Y  int
	label string
	tags  []string
	next  *Point
}

type Level float64

func (l Level) Half() Level { return l / 2 }

func At(x int) (*Point, error) {
	if x < 0 {
		return nil, errors.New("below 100%")
	}
	return &Point{X: x, Y: x + 1, label: "p", next: &Point{label: "q"}}, nil
}

func Big(x int64) *big.Int { return big.NewInt(x) }

func Endless() *Point {
	one := &Point{}
	one.next = one
	return one
}

func All(xs ...int) map[string][]Point {
	found := map[string][]Point{}
	for _, x := range xs {
		found["all"] = append(found["all"], Point{X: x})
	}
	return found
}
"""
FILES = {"go.mod": "module example.org/m\n\ngo 1.21\n", "m.go": CODE, "m_test.go": OWN}
LANGUAGE = GoLanguage(patience_s=4)


class Bench:
    """Jobs over one folder in the real image."""

    def __init__(self, sandbox: DockerSandbox, folder: Path, files: Mapping[str, str]) -> None:
        self.sandbox = sandbox
        self.snapshot: Snapshot = snapshot_of(folder, dict(files))
        folder.chmod(0o755)
        found = LANGUAGE.detect(self.snapshot)
        assert found is not None
        self.project: Project = found

    async def run(self, job: Any) -> Any:
        image = await self.sandbox.image("go")
        return await self.sandbox.run(job, image, Path(self.snapshot.root), run="r-test")

    async def suite(self, files: Mapping[str, str], **options: Any) -> SuiteResult:
        return LANGUAGE.read_suite(self.project, await self.run(LANGUAGE.suite_job(self.project, files, **options)))


async def test_tests_that_mean_harm_take_no_other_with_them(sandbox: DockerSandbox, tmp_path: Path) -> None:
    bench = Bench(sandbox, tmp_path / "r", {**FILES, "m_test.go": "package m\n"})
    suite = await bench.suite({"m_qv_test.go": HOSTILE})
    assert suite.problem == ""
    found = {one.id.partition("::")[2]: one for one in suite.outcomes}
    assert {name: one.status for name, one in found.items() if one.status is not Status.MISSING} == {
        "TestGood": Status.PASSED,
        "TestWrong": Status.FAILED,
        "TestLeaves": Status.FAILED,
        "TestWaits": Status.ERROR,
        "TestPanics": Status.FAILED,
        "TestSkips": Status.SKIPPED,
        "TestForges": Status.FAILED,
        "TestLast": Status.PASSED,
    }
    assert (found["TestWrong"].observed, found["TestWrong"].in_test) == ("1", True)
    assert found["TestPanics"].raised == "runtime.boundsError" and not found["TestPanics"].in_test
    assert set(suite.collection_errors) == {"m_qv_test.go::TestNoSuchFunction", "m_qv_test.go::TestUnused"}
    assert "undefined: Nowhere" in suite.collection_errors["m_qv_test.go::TestNoSuchFunction"]
    assert suite.coverage["m.go"] == FileCoverage(
        lines=frozenset({4, 5, 7, 9, 11, 15, 16, 17, 19, 22}),
        covered_lines=frozenset({4, 7, 9, 11}),
        branches=frozenset({(4, 1), (4, 2), (7, 1), (7, 2), (15, 1), (16, 1), (16, 2)}),
        covered_branches=frozenset({(4, 2), (7, 1), (7, 2)}),
    )
    assert suite.footprints["m_qv_test.go::TestGood"].lines == {"m.go": frozenset({4, 7, 11})}
    assert suite.footprints["m_qv_test.go::TestGood"].branches == {"m.go": frozenset({(4, 2), (7, 2)})}


async def test_repetitions_share_a_process_and_lose_nothing(sandbox: DockerSandbox, tmp_path: Path) -> None:
    bench = Bench(sandbox, tmp_path / "r", {**FILES, "m_test.go": "package m\n"})
    suite = await bench.suite({"m_qv_test.go": HOSTILE}, coverage=False, variation=RunVariation(order_seed=5))
    found = {one.id.partition("::")[2]: one.status for one in suite.outcomes}
    assert [found[name] for name in ("TestGood", "TestWrong", "TestPanics", "TestForges", "TestLast")] == [
        Status.PASSED,
        Status.FAILED,
        Status.FAILED,
        Status.FAILED,
        Status.PASSED,
    ]


async def test_own_tests_that_hang_or_panic(sandbox: DockerSandbox, tmp_path: Path) -> None:
    bench = Bench(sandbox, tmp_path / "r", FILES)
    suite = await bench.suite({}, existing=True)
    assert {one.id: one.status for one in suite.outcomes} == {
        "m_test.go::TestBelow": Status.PASSED,
        "m_test.go::TestHangs": Status.ERROR,
        "m_test.go::TestEnds": Status.FAILED,
        "m_test.go::TestZero": Status.PASSED,
    }
    assert suite.footprints["m_test.go::TestZero"].lines["m.go"] == {4, 7, 9}


async def test_packages_of_every_place_are_built(sandbox: DockerSandbox, tmp_path: Path) -> None:
    code = "package {0}\n\nfunc F() int {{ return 1 }}\n"
    own = 'package {0}\n\nimport "testing"\n\nfunc TestF(t *testing.T) {{\n\tif F() != 1 {{\n\t\tt.Error(F())\n\t}}\n}}\n'
    places = {"": "m", "b/": "b", "c/b/": "b", "v2/": "m", "inner/": "inner", "inner/b/": "b", "cmd/tool/": "main"}
    files = {"go.mod": "module example.org/m\n", "inner/go.mod": "module example.org/other/v3\n"}
    for folder, package in places.items():
        files[f"{folder}code.go"] = code.format(package)
        files[f"{folder}code_test.go"] = own.format(package)
    bench = Bench(sandbox, tmp_path / "r", {**files, "broken/code.go": 'package broken\n\nvar X int = "a"\n'})
    suite = await bench.suite({}, existing=True)
    assert {one.id: one.status for one in suite.outcomes} == {
        f"{folder}code_test.go::TestF": Status.PASSED for folder in places
    }
    assert {file for file, cover in suite.coverage.items() if cover.covered_lines} == {
        f"{folder}code.go" for folder in places
    }


async def test_mutants_are_built_once_and_told_apart(sandbox: DockerSandbox, tmp_path: Path) -> None:
    bench = Bench(sandbox, tmp_path / "r", {**FILES, "m_test.go": "package m\n"})
    (target, _) = LANGUAGE.targets(bench.snapshot, bench.project)
    mutants = LANGUAGE.mutants(bench.snapshot, bench.project, target, frozenset(range(1, 13)), 20)
    tests = {one.id: ["m_qv_test.go::TestGood", "m_qv_test.go::TestLast"] for one in mutants}
    job = LANGUAGE.mutation_job(bench.project, {"m_qv_test.go": HOSTILE}, mutants, tests)
    outcomes = {one.mutant: one for one in LANGUAGE.read_mutation(mutants, await bench.run(job))}
    by_change = {(one.line, one.replacement): outcomes[one.id] for one in mutants}
    assert by_change[4, "<="].status is MutantStatus.KILLED
    assert by_change[4, "<="].killed_by == ("m_qv_test.go::TestLast",)
    assert by_change[8, "!="].killed_by == ("m_qv_test.go::TestGood", "m_qv_test.go::TestLast")
    assert by_change[5, "return 0"].status is MutantStatus.SURVIVED
    assert all(one.status in (MutantStatus.KILLED, MutantStatus.SURVIVED) for one in outcomes.values())


async def test_what_is_observed_becomes_tests_that_pass(sandbox: DockerSandbox, tmp_path: Path) -> None:
    bench = Bench(sandbox, tmp_path / "r", {**FILES, "m_test.go": "package m\n"})
    targets = LANGUAGE.targets(bench.snapshot, bench.project)
    jobs = LANGUAGE.observation_jobs(bench.snapshot, bench.project, targets, 1)
    tests = LANGUAGE.read_observations(bench.project, targets, [await bench.run(job) for job in jobs])
    assert {one.target for one in tests} == {"m.go::Sign", "m.go::Never"}
    assert all(one.origin is Origin.OBSERVATION and LANGUAGE.static_problem(one) is None for one in tests)
    suite = await bench.suite(LANGUAGE.render(tests))
    assert {one.status for one in suite.outcomes} == {Status.PASSED}
    assert suite.coverage["m.go"].covered_branches == suite.coverage["m.go"].branches


async def test_structs_pointers_errors_and_named_types_are_observed(sandbox: DockerSandbox, tmp_path: Path) -> None:
    # A module of an old version of the language: nothing that is laid beside its tests may be newer.
    files = {"go.mod": "module example.org/m\n\ngo 1.13\n", "point.go": POINT}
    bench = Bench(sandbox, tmp_path / "r", files)
    targets = LANGUAGE.targets(bench.snapshot, bench.project)
    jobs = LANGUAGE.observation_jobs(bench.snapshot, bench.project, targets, 1)
    tests = LANGUAGE.read_observations(bench.project, targets, [await bench.run(job) for job in jobs])
    # What leads back to itself, or keeps its parts to itself, is compared by nobody.
    assert {one.target for one in tests} == {"point.go::Level.Half", "point.go::At", "point.go::All"}
    codes = "\n".join(one.code for one in tests)
    assert 'observed == nil || observed.X != 1 || observed.Y != 2 || observed.label != "p"' in codes
    assert "observed.next == nil || observed.next.X != 0" in codes
    assert 'observed.Error() != "below 100%"' in codes
    suite = await bench.suite(LANGUAGE.render(tests))
    assert {one.status for one in suite.outcomes} == {Status.PASSED}
    assert suite.coverage["point.go"].covered_branches == suite.coverage["point.go"].branches


OLD = {
    "go.mod": "module example.org/old\n\ngo 1.12\n\nrequire github.com/Example/Testify v1.4.0\n",
    "old.go": "package old\n\n// Double is twice n.\n//\n//\tDouble(2) == 4\nfunc Double(n int) int {\n\tif n == 0 {\n\t\treturn 0\n\t}\n\treturn n * 2\n}\n",
    "own_test.go": 'package old\n\nimport (\n\t"testing"\n\n\t"github.com/Example/Testify/assert"\n)\n\nfunc TestOwn(t *testing.T) {\n\tassert.Equal(t, 4, Double(2))\n}\n',
    "plain_test.go": 'package old\n\nimport "testing"\n\nfunc TestPlain(t *testing.T) {\n\tif Double(0) != 0 {\n\t\tt.Fail()\n\t}\n}\n',
}


def test_an_old_module_is_tested_without_the_library_that_its_own_tests_want(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    for name, text in OLD.items():
        (folder / name).write_text(text)
    result = analysed(folder, tmp_path / "home")
    assert [one.module for one in result.missing] == ["github.com/Example/Testify"]
    assert result.baseline.startswith("The existing suite is red: 1 passed, 1 failed"), result.baseline
    assert {one.test.label for one in result.accepted} >= {Label.SPECIFICATION}
    assert not [one for one in result.tests if one.reason is Reason.COMPILE]
