"""Crates, modules, targets, and by which path other crates name them."""

from __future__ import annotations

from pathlib import Path

from qverify_desktop.domain.project import Project, Snapshot, Target
from qverify_desktop.languages.rust.language import RustLanguage
from tests.languages.python.repositories import snapshot_of

RUST = RustLanguage()
MANIFEST = '[package]\nname = "sea-{}"\nversion = "0.1.0"\nedition = "2021"\n'


def seen(root: Path, files: dict[str, str | bytes]) -> tuple[Snapshot, Project, dict[str, Target]]:
    snapshot = snapshot_of(root, files)
    project = RUST.detect(snapshot)
    assert project is not None
    return snapshot, project, {target.symbol: target for target in RUST.targets(snapshot, project)}


def test_the_members_of_a_workspace_are_source_roots(tmp_path: Path) -> None:
    _, project, targets = seen(
        tmp_path,
        {
            "Cargo.toml": '[workspace]\nmembers = ["crates/*"]\n',
            "crates/a/Cargo.toml": MANIFEST.format("a") + '[dependencies]\nserde = "1"\n',
            "crates/a/src/lib.rs": "pub fn f() -> u8 { 1 }\n",
            "crates/a/tests/t.rs": "#[test]\nfn t() {}\n",
            "crates/b/Cargo.toml": MANIFEST.format("b"),
            "crates/b/src/main.rs": "mod inner;\nfn main() { inner::g(); }\n",
            "crates/b/src/inner.rs": "pub fn g() -> u8 { 2 }\n",
            "crates/b/examples/e.rs": "fn main() {}\n",
            "vendor/x/Cargo.toml": MANIFEST.format("x"),
            "vendor/x/src/lib.rs": "pub fn x() -> u8 { 1 }\n",
        },
    )
    assert project.source_roots == ("crates/a", "crates/b")
    assert project.source_files == ("crates/a/src/lib.rs", "crates/b/src/inner.rs", "crates/b/src/main.rs")
    assert project.test_files == ("crates/a/tests/t.rs",)
    assert project.dependencies == ("serde",)
    assert (targets["f"].module, targets["f"].public) == ("sea_a", True)
    assert not targets["g"].public, "nobody can name what a program holds"


def test_a_crate_depends_on_those_that_it_names(tmp_path: Path) -> None:
    snapshot, project, _ = seen(
        tmp_path,
        {
            "a/Cargo.toml": MANIFEST.format("a") + '[dependencies]\nlow = { package = "sea-b", path = "../b" }\n',
            "a/src/lib.rs": "pub fn a() {}\n",
            "b/Cargo.toml": MANIFEST.format("b") + '[dependencies]\nsea-c = { path = "../c" }\n',
            "b/src/lib.rs": "pub fn b() {}\n",
            "c/Cargo.toml": MANIFEST.format("c") + '[dev-dependencies]\nsea-a = { path = "../a" }\n',
            "c/src/lib.rs": "pub fn c() {}\n",
            "d/Cargo.toml": MANIFEST.format("d"),
            "d/src/lib.rs": "pub fn d() {}\n",
        },
    )
    found = RUST.depends_on(snapshot, project, ["a/src/lib.rs", "d/src/lib.rs"])
    assert found["a/src/lib.rs"] == {"a/src/lib.rs", "b/src/lib.rs", "c/src/lib.rs"}
    assert found["d/src/lib.rs"] == {"d/src/lib.rs"}


def test_items_are_named_by_the_way_that_is_open(tmp_path: Path) -> None:
    _, _, targets = seen(
        tmp_path,
        {
            "Cargo.toml": MANIFEST.format("x"),
            "src/lib.rs": """\
                mod hidden;
                pub mod open { pub fn inside() -> u8 { 1 } pub(crate) fn half() -> u8 { 1 } }
                pub use hidden::{shown, Thing};
                pub use hidden::deep::*;
                mod unnamed { pub fn lost() -> u8 { 1 } }
                """,
            "src/hidden/mod.rs": """\
                pub mod deep;
                pub struct Thing;
                pub fn shown() -> u8 { 1 }
                pub fn kept() -> u8 { 1 }
                """,
            "src/hidden/deep.rs": """\
                use super::Thing;
                pub fn below() -> u8 { 1 }
                impl Thing { pub fn new() -> Thing { Thing } fn private(&self) -> u8 { 1 } pub fn size(&self) -> u8 { 2 } }
                impl Default for Thing { fn default() -> Self { Thing::new() } }
                """,
        },
    )
    assert {name: target.module for name, target in targets.items() if target.public} == {
        "inside": "sea_x::open",
        "shown": "sea_x",
        "below": "sea_x",
        "Thing.new": "sea_x",
        "Thing.size": "sea_x",
        "Thing.Default.default": "sea_x",
    }
    assert targets["Thing.size"].callee == "method" and targets["Thing.new"].callee == "staticmethod"
    assert targets["kept"].module == "sea_x::hidden"


def test_tests_inside_of_source_are_no_targets(tmp_path: Path) -> None:
    _, project, targets = seen(
        tmp_path,
        {
            "Cargo.toml": MANIFEST.format("x"),
            "src/lib.rs": """\
                pub fn f(first: &mut Vec<u8>, (a, b): (u8, u8)) -> Option<u8> {
                    if first.is_empty() && a > b { return None; }
                    first.pop()
                }
                #[cfg(test)]
                mod tests { fn helper() -> u8 { 1 } #[test] fn t() { helper(); } }
                #[cfg(test)]
                mod more;
                """,
            "src/more.rs": "fn also() -> u8 { 1 }\n",
        },
    )
    assert set(targets) == {"f"}
    assert [(one.name, one.annotation) for one in targets["f"].parameters] == [
        ("first", "&mut Vec<u8>"),
        ("(a, b)", "(u8, u8)"),
    ]
    assert targets["f"].returns == "Option<u8>" and targets["f"].complexity == 3
    assert project.test_files == ("src/more.rs",)


def test_hostile_source_is_passed_over(tmp_path: Path) -> None:
    deep = "pub fn d() -> u8 { " + "(" * 5000 + "1" + ")" * 5000 + " }\n"
    _, project, targets = seen(
        tmp_path,
        {
            "Cargo.toml": MANIFEST.format("x") + '[lib]\npath = "../../etc/passwd"\n',
            "src/lib.rs": "mod deep; mod bytes; mod nothing; mod r#loop; mod twice; pub use self::twice::*; pub fn ok() -> u8 { 1 }\n",
            "src/deep.rs": deep,
            "src/bytes.rs": b"pub fn \xff() {}\n",
            "src/twice.rs": "pub use crate::*; pub use super::twice::*; pub mod twice { pub use crate::twice::*; }\n",
            "elsewhere.rs": "fn orphan() {}\n",
            "bad/Cargo.toml": "[package\nname = ",
            "bad/src/lib.rs": "pub fn bad() {}\n",
        },
    )
    assert {one.path for one in project.unreadable} == {"src/bytes.rs", "src/deep.rs"}
    assert set(targets) == {"ok"} and targets["ok"].public


def test_no_manifest_no_build(tmp_path: Path) -> None:
    project = RUST.detect(snapshot_of(tmp_path, {"f.rs": "pub fn f() {}\n"}))
    assert project is not None and project.source_files == ()
    assert "Cargo.toml" in project.unreadable[0].reason
    assert RUST.detect(snapshot_of(tmp_path / "none", {"f.py": "pass\n"})) is None


def test_focal_source_has_what_the_function_needs(tmp_path: Path) -> None:
    snapshot, _, targets = seen(
        tmp_path,
        {
            "Cargo.toml": MANIFEST.format("x"),
            "src/lib.rs": """\
                use std::fmt;
                pub struct Berth { length: u32 }
                struct Other;
                fn least() -> u32 { 5 }
                impl Berth {
                    /// Whether it fits.
                    pub fn fits(&self, boat: u32) -> bool { boat.max(least()) < self.length }
                    pub fn beside(&self) -> u32 { 1 }
                }
                """,
        },
    )
    text = RUST.focal_source(snapshot, targets["Berth.fits"])
    for part in (
        "use std::fmt;",
        "struct Berth",
        "fn least() -> u32;",
        "impl Berth {",
        "/// Whether it fits.",
        "self.length",
    ):
        assert part in text
    assert "Other" not in text and "beside" not in text
