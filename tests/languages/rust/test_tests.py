"""Generated tests: their types, their text, what is refused, what a model's file comes to."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.execution import Execution, JobResult
from qverify_desktop.domain.results import Reason
from qverify_desktop.domain.testing import GeneratedTest, Label, Origin
from qverify_desktop.languages.base import StaticProblem
from qverify_desktop.languages.rust.language import RustLanguage
from qverify_desktop.languages.rust.making import Makers
from qverify_desktop.languages.rust.speaking import spoken, string_text
from qverify_desktop.languages.rust.suite import watched, written_tests
from qverify_desktop.languages.rust.types import generics_of, read_type
from qverify_desktop.languages.values.notation import whole_value
from tests.languages.python.repositories import snapshot_of

RUST = RustLanguage()
MANIFEST = '[package]\nname = "things"\nversion = "0.1.0"\nedition = "2021"\n'


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("&[i32]", "[1, 2]", "&[1, 2]"),
        ("Vec<Vec<f64>>", "[[1], [2.5]]", "vec![vec![1.0], vec![2.5]]"),
        ("Option<&str>", "Some('a')", 'Some("a")'),
        ("Option<u8>", "null", "None"),
        ("Option<u8>", "3", None),
        ("Result<f64, String>", "Err('no')", 'Err("no".to_string())'),
        ("(u8, char)", "(1, 'a')", "(1, 'a')"),
        ("[u8; 2]", "[1, 2, 3]", None),
        ("i8", "128", None),
        ("u64", "-1", None),
        ("f32", "3", "3.0"),
        ("i32", "3.5", None),
        ("bool", "True", "true"),
        ("&'a str", "'x\\ny'", '"x\\ny"'),
        ("HashMap<String, u8>", "{'a': 1}", 'std::collections::HashMap::from([("a".to_string(), 1)])'),
        ("BTreeSet<char>", "{'a'}", "std::collections::BTreeSet::from(['a'])"),
        ("Box<Option<i64>>", "Some(-2)", "Box::new(Some(-2))"),
        ("impl Into<String>", "'x'", '"x"'),
        ("impl Fn(u8) -> u8", "3", None),
        ("&dyn Shape", "3", None),
        ("T", "3", None),
    ],
)
def test_values_for_a_type(kind: str, value: str, expected: str | None) -> None:
    read = whole_value(value)
    assert read is not None
    assert spoken(read, read_type(kind)) == expected


def test_generics_are_known_by_their_bounds() -> None:
    bounds = generics_of("pub fn f<'a, T: Ord + Copy, U>(a: &'a [T], b: U) -> Vec<T> where U: AsRef<str>, T: Copy")
    assert bounds == {"T": "Ord + Copy + Copy", "U": "AsRef<str>"}
    read = whole_value("[2, 1]")
    assert read is not None
    assert spoken(read, read_type("&[T]", bounds)) == "&[2, 1]"


@pytest.mark.parametrize(
    "text", ["<" * 3000, "&" * 3000, "Vec<" * 500 + "u8", "(" * 900, "[u8; ", "impl", "fn(", "'a", ""]
)
def test_hostile_types_are_opaque(text: str) -> None:
    value = whole_value("1")
    assert value is not None
    assert spoken(value, read_type(text)) is None


def test_strings_stay_on_their_line() -> None:
    assert string_text('a"\\\n\u2028\u202e\0') == '"a\\"\\\\\\n\\u{2028}\\u{202e}\\0"'


def test(code: str, name: str = "t") -> GeneratedTest:
    return GeneratedTest(
        "tests/qverify_x_observed.rs",
        name,
        code,
        "src/lib.rs::f",
        Label.CHARACTERIZATION,
        Origin.MODEL,
        ("use x::f;",),
    )


test.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("assert_eq!(f(1), 2);", None),
        ("let x = f(1); assert!(x > 2);", None),
        ("f(1).unwrap();", None),
        ("f(1);", Reason.TRIVIAL),
        ("assert!(true);", Reason.TRIVIAL),
        ("assert_eq!(1, 1);", Reason.TRIVIAL),
        ('assert_eq!("f(1)", "f(1)");', Reason.TRIVIAL),
        ("let x = f(1); assert_eq!(x, x);", Reason.TRIVIAL),
        ("assert_eq!(f(1), 2;", Reason.SYNTAX),
    ],
)
def test_what_is_refused_before_any_run(body: str, reason: Reason | None) -> None:
    problem = RUST.static_problem(test(f"#[test]\nfn t() {{\n    {body}\n}}"))
    assert (problem.reason if problem else None) == reason


def test_a_test_that_skips_itself_and_one_that_is_none() -> None:
    skipped = RUST.static_problem(test("#[test]\n#[ignore]\nfn t() { assert_eq!(f(1), 2); }"))
    assert skipped is not None and skipped.reason is Reason.TRIVIAL
    none = RUST.static_problem(test("fn t() { assert_eq!(f(1), 2); }"))
    assert none is not None and none.reason is Reason.NOT_A_TEST


def test_files_name_their_modules_and_are_found_again() -> None:
    tests = [test(f"#[test]\nfn t{n}() {{\n    assert_eq!(f({n}), {n});\n}}", f"t{n}") for n in range(3)]
    files = RUST.render(tests)
    assert files == RUST.render(tests)
    watching = watched(files)
    assert (
        b"mod qverify_x_observed;" in watching["tests/qv_all/main.rs"]
        and b"qv_watch" not in files.popitem()[1].encode()
    )
    files = RUST.render(tests)
    found = written_tests(files)
    assert [one.name for one in found] == ["t0", "t1", "t2"]
    lines = files["tests/qverify_x_observed.rs"].split("\n")
    assert all(lines[one.first - 1] == "#[test]" and lines[one.last - 1] == "}" for one in found)


def test_a_defects_test_keeps_the_suite_green_until_somebody_mends_the_code() -> None:
    inside = test("#[test]\nfn t() {\n    assert_eq!(f(1), 2);\n}")
    marked = RUST.expected_to_fail(inside, "src/lib.rs:3 promises 2\n// or */")
    assert marked is not None and marked.path == "tests/qverify_x_observed_expected_to_fail.rs"
    assert marked.code.startswith(
        "#[test]\n#[should_panic] // Expected to fail: src/lib.rs:3 promises 2 // or * /\nfn t()"
    )
    assert RUST.command(marked) == "cargo test --test qverify_x_observed_expected_to_fail"
    assert RUST.command(inside) == "cargo test --test qverify_x_observed"
    member = GeneratedTest("crates/a/tests/qverify_x.rs", "t", "", "t", Label.CHARACTERIZATION, Origin.MODEL)
    assert RUST.command(member) == "cargo test --manifest-path crates/a/Cargo.toml --test qverify_x"
    assert RUST.expected_to_fail(test("#[test]\n#[should_panic]\nfn t() {}"), "x") is None


def test_a_models_file_comes_apart(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, {"Cargo.toml": MANIFEST, "src/lib.rs": "pub fn f(n: u8) -> u8 { n }\n"})
    project = RUST.detect(snapshot)
    assert project is not None
    (target,) = RUST.targets(snapshot, project)
    answer = """\
#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    fn helper() -> u8 { 3 }

    #[test]
    fn test_one() {
        assert_eq!(f(1), 1);
    }

    #[test]
    fn two() {
        assert_eq!(f(helper()), 3);
    }

    #[test]
    fn cut() {
        assert_eq!(f(
"""
    complete = answer.partition("    #[test]\n    fn cut")[0] + "}\n"
    tests = RUST.split(complete, "tests/qverify_x_model.rs", target)
    assert not isinstance(tests, StaticProblem)
    assert [one.name for one in tests] == ["f_one", "f_two"]
    assert tests[0].prelude == ("use things::*;", "use std::collections::HashMap;")
    assert "fn helper() -> u8 { 3 }" in tests[1].prelude and tests[0].call == "f(1)"
    assert all(RUST.static_problem(one) is None for one in tests)
    for broken in ("not rust at all", "\0", "x" * 500_000):
        assert isinstance(RUST.split(broken, "tests/qverify_x_model.rs", target), StaticProblem)


def test_assertions_are_shown() -> None:
    code = "#[test]\n#[should_panic]\nfn t() {\n    assert_eq!(\n        f(1),\n        2\n    );\n}"
    assert RUST.assertions(code) == [(2, "#[should_panic]"), (4, "assert_eq!( f(1), 2 )")]
    assert RUST.assertions("fn {") == []


def test_mutants_replace_whole_expressions(tmp_path: Path) -> None:
    source = """\
pub fn f(a: i32, pair: (u8, u8)) -> Option<i32> {
    let mut sum = a + 1;
    if sum < 3 && pair.0 == 2 {
        return None;
    }
    sum += 2;
    println!("{}", a + 1);
    match a { 7 => sum = 9, _ => {} }
    Some(sum)
}
"""
    snapshot = snapshot_of(tmp_path, {"Cargo.toml": MANIFEST, "src/lib.rs": source})
    project = RUST.detect(snapshot)
    assert project is not None
    (target,) = RUST.targets(snapshot, project)
    found = RUST.mutants(snapshot, project, target, frozenset(range(1, 11)), 100)
    changes = {(one.original, one.replacement) for one in found}
    for expected in [("a + 1", "a - 1"), ("sum < 3", "sum <= 3"), ("sum += 2", "sum -= 2"), ("Some(sum)", "None")]:
        assert expected in changes
    assert all(one.original != "0" for one in found), "the number of a tuple's field is no constant"
    assert all(one.line not in (7,) and one.original != "7" for one in found), "macros and patterns stay"
    data = source.encode()
    assert all(data[one.start : one.end].decode() == one.original for one in found)
    assert len(RUST.mutants(snapshot, project, target, frozenset(range(1, 11)), 5)) == 5


SHAPES = """\
#[derive(Debug)]
pub struct Disc { radius: u32 }
impl Disc {
    pub fn new(radius: u32) -> Disc { Disc { radius } }
    pub fn covers(&self, other: &Disc) -> bool { self.radius >= other.radius }
}
pub fn sorted(numbers: &mut Vec<i32>) { numbers.sort(); }
pub fn opaque(call: &dyn Fn(u8) -> u8) -> u8 { call(1) }
"""


def observed(*lines: str) -> JobResult:
    content = "\n".join(lines).encode()
    return JobResult(Execution("observe", "c", "i", "d", (), 0, 1), artefacts={"observations.jsonl": content})


def test_observations_are_read_as_values_and_written_anew(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, {"Cargo.toml": MANIFEST, "src/lib.rs": SHAPES})
    project = RUST.detect(snapshot)
    assert project is not None
    targets = RUST.targets(snapshot, project)
    jobs = RUST.observation_jobs(snapshot, project, targets, 0)
    program = jobs[0].overlay["tests/qv_all/observe.rs"].decode()
    assert "Disc::new(0).covers(&Disc::new(0))" in program and "sorted(&mut changed_0)" in program
    assert "opaque" not in program
    good = (
        '{"test": "t", "kind": "saw", "number": 0, "inputs": {"target": "src/lib.rs::Disc.covers", "values": '
        '[["made", "Disc::new", ["int", "1"]], ["made", "Disc::new", ["int", "2"]]]}, "shown": "false", "fresh": 1}'
    )
    changed = (
        '{"kind": "saw", "number": 0, "inputs": {"target": "src/lib.rs::sorted", "values": [["list", ["int", "2"], ["int", "1"]]]},'
        ' "shown": "((), [1, 2])", "fresh": 1}'
    )
    bad = [
        good.replace('"1"', '"1); std::process::exit(0); ("'),
        good.replace("Disc::new", "std::process::exit"),
        good.replace('"shown": "false"', '"shown": "false); evil("').replace('"number": 0', '"number": 5'),
        good.replace("Disc.covers", "nothing"),
        good.replace('"fresh": 1', '"fresh": "x"').replace('"number": 0', '"number": 6'),
        "[]",
        "{" * 100_000,
    ]
    lines = [good, changed, *bad]
    tests = RUST.read_observations(project, targets, [observed(*lines), observed(*lines)])
    codes = [one.code for one in tests]
    assert any("assert_eq!(Disc::new(1).covers(&Disc::new(2)), false);" in code for code in codes)
    assert any(
        "let mut changed_0 = vec![2, 1];" in code and "assert_eq!(changed_0, vec![1, 2]);" in code for code in codes
    )
    assert all("exit" not in code for code in codes)
    assert all('"false); evil("' in code for code in codes if "evil" in code), "text stays text"
    disagreed = [observed(good), observed(good.replace('"shown": "false"', '"shown": "true"'))]
    assert RUST.read_observations(project, targets, disagreed) == []


def test_types_are_made_by_what_returns_them(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, {"Cargo.toml": MANIFEST, "src/lib.rs": SHAPES})
    project = RUST.detect(snapshot)
    assert project is not None
    makers = Makers.of(RUST.targets(snapshot, project))
    assert [one.symbol for one in makers.named("Disc")] == ["Disc.new"]
    assert makers.named("Nothing") == []
