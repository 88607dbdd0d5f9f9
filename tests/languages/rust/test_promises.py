"""What documentation says: fences of rustdoc, of a README, and examples in prose."""

from __future__ import annotations

from pathlib import Path

import pytest

from qverify_desktop.domain.project import Promise, PromiseRelation
from qverify_desktop.domain.testing import GeneratedTest
from qverify_desktop.languages.rust.language import RustLanguage
from tests.languages.python.repositories import snapshot_of

RUST = RustLanguage()
MANIFEST = '[package]\nname = "words"\nversion = "0.1.0"\nedition = "2021"\n'


def mined(root: Path, source: str, **more: str) -> tuple[list[Promise], list[GeneratedTest]]:
    files = {
        "Cargo.toml": MANIFEST,
        "src/lib.rs": source,
        **{name.replace("__", "."): text for name, text in more.items()},
    }
    snapshot = snapshot_of(root, files)
    project = RUST.detect(snapshot)
    assert project is not None
    targets = RUST.targets(snapshot, project)
    promises = RUST.promises(snapshot, project, targets)
    lines = {path: (root / path).read_text().split("\n") for path in files}
    for promise in promises:
        at = "\n".join(lines[promise.file][promise.line - 1 :]).lstrip()
        assert at.startswith(promise.words), "the quote stands verbatim where it says"
    return promises, RUST.promise_tests(project, targets, promises)


def said(promises: list[Promise]) -> list[tuple[str, str]]:
    return [(promise.call, promise.expected) for promise in promises]


def documented(fence: str, tag: str = "", signature: str = "pub fn twice(n: u32) -> u32 { n * 2 }") -> str:
    lines = [f"```{tag}", *fence.strip("\n").split("\n"), "```"]
    return "".join(f"/// {line}\n" for line in lines) + signature + "\n"


@pytest.mark.parametrize(
    ("fence", "expected"),
    [
        ("assert_eq!(words::twice(2), 4);", [("words::twice(2)", "4")]),
        ('use words::*;\nassert!(twice(2) > 3, "words");', [("twice(2) > 3", "true")]),
        ("assert!(!words::twice(1).is_power_of_two());", [("words::twice(1).is_power_of_two()", "false")]),
        ("# use words::twice;\nlet two = twice(1);\nassert_eq!(two, 2);", [("two", "2")]),
        ("assert_ne!(words::twice(1), 1);", [("words::twice(1)", "anything but 1")]),
        ("words::twice(3); // => 6", [("words::twice(3)", "6")]),
        ("let x = words::twice(3); // 6", [("words::twice(3)", "6")]),
        ("let x = words::twice(3); // a number", []),
        ("for n in 1..4 { assert_eq!(words::twice(n), n + n); }", [("words::twice(n)", "n + n")]),
        ("fn main() {\n    assert_eq!(words::twice(2), 4);\n}", [("words::twice(2)", "4")]),
        ("assert_eq!(words::twice(2), 4", []),
        ("let x = words::twice(2);", []),
    ],
)
def test_what_a_fence_says(tmp_path: Path, fence: str, expected: list[tuple[str, str]]) -> None:
    promises, tests = mined(tmp_path, documented(fence))
    assert said(promises) == expected
    assert len(tests) == len(expected)
    assert all(RUST.static_problem(test) is None for test in tests)


@pytest.mark.parametrize(
    "tag", ["ignore", "no_run", "compile_fail", "text", "toml", "python", "rust,ignore", "console"]
)
def test_fences_that_are_not_meant_to_run(tmp_path: Path, tag: str) -> None:
    assert mined(tmp_path, documented("assert_eq!(words::twice(2), 5);", tag))[0] == []


def test_assertions_before_stay_only_where_they_may_change_something(tmp_path: Path) -> None:
    plain = "assert_eq!(words::twice(1), 2);\nassert_eq!(words::twice(2), 4);"
    promises, tests = mined(tmp_path / "plain", documented(plain))
    assert promises[1].setup == ("assert_eq!(words::twice(2), 4);",)
    stack = "let mut s = vec![1];\nassert_eq!(s.pop(), Some(1));\nassert_eq!(words::twice(s.len() as u32), 0);"
    promises, tests = mined(tmp_path / "stack", documented(stack))
    assert "let _ = s.pop() == Some(1);" in tests[-1].code
    assert tests[-1].code.count("assert") == 1


def test_errors_are_handed_on_as_rustdoc_has_it(tmp_path: Path) -> None:
    fence = '# use words::E;\nlet n = words::read("2")?;\nassert_eq!(n, 2);\n# Ok::<(), E>(())'
    signature = (
        "pub fn read(text: &str) -> Result<u8, E> { text.parse().map_err(|_| E) }\n#[derive(Debug)] pub struct E;"
    )
    (promise,), (test,) = mined(tmp_path, documented(fence, signature=signature))
    assert promise.target == "src/lib.rs::read"
    assert "|| -> Result<(), E> {" in test.code and "example().unwrap();" in test.code
    assert test.code.index("use words::E;") < test.code.index("|| ->")


def test_a_promised_panic(tmp_path: Path) -> None:
    (promise,), (test,) = mined(tmp_path, documented("words::twice(u32::MAX);", "should_panic"))
    assert promise.relation is PromiseRelation.RAISES and promise.expected == "a panic"
    assert "#[should_panic]" in test.code and RUST.static_problem(test) is None


def test_prose_is_spoken_for_the_declared_types(tmp_path: Path) -> None:
    source = """\
        /// joined(["a", "b"], '-') == "a-b"
        pub fn joined(parts: &[String], by: char) -> String { parts.join(&by.to_string()) }

        /// `half(3)` returns 1.5
        /// half(1) == 0.33 roughly
        pub fn half(n: i64) -> f64 { n as f64 / 2.0 }

        /// first([3, 4]) => Some(3)
        /// first([]) => None
        pub fn first(numbers: Vec<u8>) -> Option<u8> { numbers.first().copied() }

        /// far(300) == 1
        /// far(-1) == 2
        /// far("x") == 3
        pub fn far(n: u8) -> u8 { n }
        """
    promises, tests = mined(tmp_path, source)
    snapshot = snapshot_of(tmp_path, {"Cargo.toml": MANIFEST, "src/lib.rs": source})
    project = RUST.detect(snapshot)
    assert project is not None
    unread = RUST.unread_examples(snapshot, project, RUST.targets(snapshot, project))
    assert [words for _, _, words in unread] == ["/// far(300) == 1", "/// far(-1) == 2", '/// far("x") == 3']
    assert said(promises) == [
        ('joined(&["a".to_string(), "b".to_string()], \'-\')', '"a-b".to_string()'),
        ("half(3)", "1.5"),
        ("first(vec![3, 4])", "Some(3)"),
        ("first(vec![])", "None"),
    ]
    assert "use words::{first, half, joined};" in RUST.render(tests)["tests/qverify_words_promises.rs"]


def test_a_readme_speaks_of_what_is_now(tmp_path: Path) -> None:
    readme = """\
        # words

        ```rust
        assert_eq!(words::twice(4), 8);
        ```

        ```
        assert_eq!(words::twice(4), 9);
        ```

        ## Migrating from 0.1

        ```rust
        assert_eq!(words::twice(4), 44);
        ```
        """
    promises, _ = mined(tmp_path, "pub fn twice(n: u32) -> u32 { n * 2 }\n", README__md=readme)
    assert [(one.call, one.expected, one.file, one.line) for one in promises] == [
        ("words::twice(4)", "8", "README.md", 4)
    ]


def test_methods_are_told_apart_by_their_type(tmp_path: Path) -> None:
    source = """\
        /// ```
        /// let b = words::B::new();
        /// assert_eq!(b.size(), 2);
        /// assert_eq!(b.to_string(), "b");
        /// ```
        pub struct B;
        pub struct A;
        impl A { pub fn new() -> A { A } pub fn size(&self) -> u8 { 1 } }
        impl B { pub fn new() -> B { B } pub fn size(&self) -> u8 { 2 } }
        impl std::fmt::Display for B { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, "b") } }
        """
    promises, _ = mined(tmp_path, source)
    assert [one.target for one in promises] == ["src/lib.rs::B.size", "src/lib.rs::B.Display.fmt"]


def test_what_nobody_can_call_is_left_out(tmp_path: Path) -> None:
    assert (
        mined(tmp_path, documented("assert_eq!(twice(2), 4);", signature="fn twice(n: u32) -> u32 { n * 2 }"))[0]
        == []
    )


def test_renaming_changes_nothing_but_names(tmp_path: Path) -> None:
    fence = "let r = words::twice(2);\nassert_eq!(r, 4);"
    promises, tests = mined(tmp_path / "one", documented(fence))
    renamed = documented(
        fence.replace("twice", "xq").replace("r", "r"), signature="pub fn xq(n: u32) -> u32 { n * 2 }"
    )
    others, other_tests = mined(tmp_path / "two", renamed)
    assert [one.expected for one in promises] == [one.expected for one in others]
    assert [one.code.replace("twice", "xq") for one in tests] == [one.code for one in other_tests]


@pytest.mark.parametrize(
    "text",
    ["```\n" * 2000, "assert_eq!(" * 3000, "`" * 5000, "f(" * 4000 + ")" * 4000, "\u202e assert!(twice(1) == 3) \0"],
)
def test_hostile_comments_end(tmp_path: Path, text: str) -> None:
    source = (
        "".join(f"/// {line}\n" for line in text.replace("\0", " ").split("\n"))
        + "pub fn twice(n: u32) -> u32 { n * 2 }\n"
    )
    mined(tmp_path, source)
