"""A small crate through the whole analysis in real containers, and tests of Rust that mean harm."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Job, JobResult
from qverify_desktop.domain.project import Project, Snapshot
from qverify_desktop.domain.results import Reason, RunResult, TestVerdict
from qverify_desktop.domain.testing import GeneratedTest, Label, MutantStatus, Origin, Status, SuiteResult
from qverify_desktop.languages.rust.language import RustLanguage
from qverify_desktop.sandbox.docker import DockerSandbox
from tests.integration.languages.analysing import BUNDLE, analysed, executed_again
from tests.languages.python.repositories import snapshot_of

pytestmark = pytest.mark.docker

SAMPLE = Path(__file__).parent / "samples" / "rust"


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
    assert (defect.file, defect.symbol, defect.call) == ("src/tariff.rs", "discount", "discount(7)")
    assert (defect.expected, defect.observed) == ("10", "0")
    assert defect.evidence.text == "/// assert_eq!(discount(7), 10);"
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
    flaky = refused["harbour_fees::clock::zone()"]
    assert flaky.reason is Reason.FLAKY and flaky.detail == "It passed 1 of 5 runs."
    outdated = refused["harbour_fees::tariff::stay_fee(10)"]
    assert outdated.reason is Reason.COMPILE and "E0061" in outdated.detail


def test_the_files_are_integration_tests_that_know_nothing_of_the_sandbox(result: RunResult) -> None:
    assert "tests/qverify_harbour_fees_tariff_promises.rs" in result.files
    assert "qv_" not in "".join(result.files.values())
    (marked,) = result.expected_failures.values()
    assert "#[should_panic] // Expected to fail: src/tariff.rs:16 promises 10" in marked


LANGUAGE = RustLanguage(patience_s=4)
CRATE = {
    "Cargo.toml": '[package]\nname = "plain"\nversion = "0.1.0"\nedition = "2021"\n',
    "src/lib.rs": """\
pub fn sign(number: i32) -> i32 {
    if number < 0 {
        -1
    } else {
        1
    }
}

pub const fn double(number: u32) -> u32 {
    number + number
}

#[cfg(test)]
mod tests {
    #[test]
    fn below() {
        assert_eq!(super::sign(-5), -1);
    }
}
""",
}


class Bench:
    """Jobs over one folder in the real image."""

    def __init__(self, sandbox: DockerSandbox, snapshot: Snapshot) -> None:
        self.sandbox = sandbox
        self.snapshot = snapshot
        project = LANGUAGE.detect(snapshot)
        assert project is not None
        self.project: Project = project

    async def run(self, job: Job) -> JobResult:
        image = await self.sandbox.image("rust")
        return await self.sandbox.run(job, image, Path(self.snapshot.root), run="r-test")

    async def suite(self, bodies: dict[str, str]) -> SuiteResult:
        job = LANGUAGE.suite_job(self.project, LANGUAGE.render([written(*item) for item in bodies.items()]))
        return LANGUAGE.read_suite(self.project, await self.run(job))


def written(name: str, body: str) -> GeneratedTest:
    return GeneratedTest(
        path="tests/qverify_plain_promises.rs",
        name=name,
        code=f"#[test]\nfn {name}() {{\n    {body}\n}}",
        target="src/lib.rs::sign",
        label=Label.CHARACTERIZATION,
        origin=Origin.MODEL,
        prelude=("use plain::sign;",),
    )


@pytest.fixture
async def bench(sandbox: DockerSandbox, tmp_path: Path) -> AsyncIterator[Bench]:
    snapshot = snapshot_of(tmp_path / "r", CRATE)
    Path(snapshot.root).chmod(0o755)
    yield Bench(sandbox, snapshot)


async def test_a_test_that_hangs_kills_lies_or_does_not_compile_takes_no_other_with_it(bench: Bench) -> None:
    suite = await bench.suite(
        {
            "good": "assert_eq!(sign(7), 1);",
            "wrong": "assert_eq!(sign(-7), 1);",
            "hangs": "loop { std::hint::black_box(sign(1)); }",
            "leaves": "std::process::exit(0);",
            "aborts": "std::process::abort();",
            "parricide": "let parent = std::os::unix::process::parent_id(); "
            'std::process::Command::new("sh").arg("-c").arg(format!("kill -9 {parent}")).status().unwrap(); '
            "assert_eq!(sign(7), 1);",
            "absent": 'let text = std::fs::read_to_string("absent.txt").unwrap(); assert_eq!(sign(text.len() as i32), 1);',
            "mistyped": 'assert_eq!(sign("x"), 1);',
            "unknown": "assert_eq!(sgn(1), 1);",
            "overflows": "let big = sign(1) + i32::MAX; assert_eq!(big, sign(1));",
        }
    )
    by_name = {outcome.id.partition("::")[2]: outcome for outcome in suite.outcomes}
    assert by_name["good"].status is Status.PASSED
    wrong = by_name["wrong"]
    assert (wrong.status, wrong.raised, wrong.observed, wrong.in_test) == (Status.FAILED, "assertion", "-1", True)
    assert by_name["hangs"].status is Status.ERROR and "4 seconds" in by_name["hangs"].message
    assert by_name["leaves"].status is Status.ERROR
    assert by_name["aborts"].status is Status.ERROR and "signal 6" in by_name["aborts"].message
    assert by_name["parricide"].status is Status.ERROR
    assert by_name["absent"].raised in LANGUAGE.unknown_name_errors, (
        "what the example needs is not there: nobody is accused"
    )
    assert by_name["overflows"].status is Status.FAILED and "overflow" in by_name["overflows"].message
    refused = {key.partition("::")[2]: words for key, words in suite.collection_errors.items()}
    assert set(refused) == {"mistyped", "unknown"}
    assert "E0308" in refused["mistyped"] and "E0425" in refused["unknown"]
    path = "tests/qverify_plain_promises.rs"
    assert suite.footprints[f"{path}::good"].lines["src/lib.rs"] == {1, 2, 5, 7}
    assert suite.coverage["src/lib.rs"].lines == {1, 2, 3, 5, 7, 9, 10, 11}
    assert suite.footprints[f"{path}::good"].branches != suite.footprints[f"{path}::wrong"].branches


async def test_a_crate_that_only_own_tests_need_may_be_missing(sandbox: DockerSandbox, tmp_path: Path) -> None:
    manifest = f'{CRATE["Cargo.toml"]}[dev-dependencies]\nproptest = "1"\n'
    files = {**CRATE, "Cargo.toml": manifest, "tests/own.rs": "use proptest::prelude::*;\n"}
    snapshot = snapshot_of(tmp_path / "r", files)
    Path(snapshot.root).chmod(0o755)
    lacking = Bench(sandbox, snapshot)
    job = LANGUAGE.missing_modules_job(snapshot, lacking.project)
    missing = LANGUAGE.read_missing(lacking.project, await lacking.run(job))
    assert [one.module for one in missing] == ["proptest"]
    own = LANGUAGE.read_suite(
        lacking.project, await lacking.run(LANGUAGE.suite_job(lacking.project, {}, existing=True))
    )
    assert [outcome.status for outcome in own.outcomes] == [Status.PASSED]
    assert "proptest" in own.collection_errors["tests/own.rs"]
    suite = await lacking.suite({"good": "assert_eq!(sign(7), 1);"})
    assert [outcome.status for outcome in suite.outcomes] == [Status.PASSED]


async def test_mutants_share_a_build_and_what_can_not_has_its_own(bench: Bench) -> None:
    targets = {target.symbol: target for target in LANGUAGE.targets(bench.snapshot, bench.project)}
    mutants = [
        mutant
        for target in targets.values()
        for mutant in LANGUAGE.mutants(bench.snapshot, bench.project, target, frozenset(range(1, 13)), 10)
    ]
    tests = [
        written("positive", "assert_eq!(sign(3), 1);"),
        written("doubled", "assert_eq!(plain::double(3), 6);"),
    ]
    own = "src/lib.rs::tests::below"
    named = {mutant.id: [own, *(test.id for test in tests)] for mutant in mutants}
    job = LANGUAGE.mutation_job(bench.project, LANGUAGE.render(tests), mutants, named)
    outcomes = {one.mutant: one for one in LANGUAGE.read_mutation(mutants, await bench.run(job))}
    found = {(mutant.line, mutant.original, mutant.replacement): outcomes[mutant.id] for mutant in mutants}
    assert found[2, "number < 0", "number <= 0"].status is MutantStatus.SURVIVED
    assert found[3, "1", "0"].killed_by == (own,)
    assert found[5, "1", "0"].killed_by == (tests[0].id,)
    # A constant function can't ask which mutant it is.
    doubled = found[10, "number + number", "number - number"]
    assert doubled.status is MutantStatus.KILLED and doubled.killed_by == (tests[1].id,)
    assert all(one.status is not MutantStatus.NOT_RUN for one in outcomes.values())
