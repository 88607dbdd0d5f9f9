"""Where a generated test lies and how its class is called: in the tests' folder, in the package of what it tests."""

from __future__ import annotations

from qverify_desktop.domain.project import Project, Target
from qverify_desktop.languages.java.layout import test_root
from qverify_desktop.languages.tree.rendering import file_stem


def test_path(project: Project, target: Target, kind: str, ending: str = ".java") -> str:
    """``src/test/java/PACKAGE/CLASSKindTest.java``; the kind keeps it apart from the project's own ``CLASSTest``."""
    stem = file_stem(target.file.rpartition("/")[2].rpartition(".")[0])
    if not stem[0].isalpha():
        stem = f"Of{stem}"
    folder = "/".join(
        part for part in (test_root(project, target.file, target.module), target.module.replace(".", "/")) if part
    )
    name = f"{stem[:1].upper()}{stem[1:]}{kind}Test{ending}"
    return f"{folder}/{name}" if folder else name


def in_class_name(kind: str) -> str:
    """A kind of test files (``pages_model``) as a part of a class's name."""
    return "".join(part[:1].upper() + part[1:] for part in kind.split("_"))


test_path.__test__ = False  # type: ignore[attr-defined]
