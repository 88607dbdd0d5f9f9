"""Where generated tests lie: an integration test for each module under test, beside the crate's own ones.

In the sandbox those of a crate become one program, because one is linked in the time of one: the file ``tests/qverify_x.rs`` is the
module ``qverify_x`` there.
"""

from __future__ import annotations

from qverify_desktop.domain.project import Project, Target
from qverify_desktop.languages.rust.crates import folder_of
from qverify_desktop.languages.tree.rendering import file_stem

#: Name of the program that holds the generated tests of a crate in the sandbox.
PROGRAM = "qv_all"


def test_path(project: Project, target: Target, kind: str) -> str:
    """``tests/qverify_<module>_<kind>.rs`` below the crate of the target."""
    folder = folder_of(project.source_roots, target.file)
    name = f"qverify_{file_stem(target.module.replace('::', '_')).lower()}_{kind}.rs"
    return f"{folder}/tests/{name}" if folder else f"tests/{name}"


test_path.__test__ = False  # type: ignore[attr-defined]


def inside(path: str) -> str:
    """Where a generated file lies in the sandbox."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/{PROGRAM}/{name}" if folder else f"{PROGRAM}/{name}"


def root_of(path: str) -> str:
    """The root of the program that a generated file becomes a module of, in the sandbox."""
    return f"{inside(path).rpartition('/')[0]}/main.rs"


def module_of(path: str) -> str:
    """Name of a generated file's module."""
    return path.rpartition("/")[2].removesuffix(".rs")
