"""Where generated tests lie: one integration test a crate, ``tests/qverify``, with a module for each module under test.

One program means one link for all tests of a crate; a crate's other integration tests stay what they are.
"""

from __future__ import annotations

from qverify_desktop.domain.project import Project, Target
from qverify_desktop.languages.rust.crates import folder_of
from qverify_desktop.languages.tree.rendering import file_stem

#: Name of the integration test, and its root below a crate's folder.
NAME = "qverify"
FOLDER = f"tests/{NAME}"
ROOT = f"{FOLDER}/main.rs"


def test_path(project: Project, target: Target, kind: str) -> str:
    """``tests/qverify/<module>_<kind>.rs`` below the crate of the target."""
    folder = folder_of(project.source_roots, target.file)
    stem = f"{file_stem(target.module.replace('::', '_')).lower()}_{kind}"
    return f"{folder}/{FOLDER}/{stem}.rs" if folder else f"{FOLDER}/{stem}.rs"


test_path.__test__ = False  # type: ignore[attr-defined]


def root_of(path: str) -> str:
    """The root file of the integration test that a generated file belongs to."""
    return f"{path.rpartition('/')[0]}/main.rs"


def module_of(path: str) -> str:
    """Name of a generated file's module."""
    return path.rpartition("/")[2].removesuffix(".rs")
