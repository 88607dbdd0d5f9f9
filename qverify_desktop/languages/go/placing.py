"""Where generated tests lie and what they are called: beside the file under test, in its package, as Go's own tests are."""

from __future__ import annotations

from qverify_desktop.domain.project import Target
from qverify_desktop.languages.tree.rendering import file_stem, identifier


def test_path(target: Target, kind: str) -> str:
    """``<folder>/<file>_qv_<kind>_test.go``."""
    folder, _, name = target.file.rpartition("/")
    path = f"{file_stem(name.removesuffix('.go'))}_qv_{kind}_test.go"
    return f"{folder}/{path}" if folder else path


def test_stem(target: Target) -> str:
    """The first part of a test's name: ``TestReverse``, ``TestStack_Push``, ``Test_lower``."""
    name = identifier(target.symbol)
    return f"Test{name}" if name[:1].isupper() else f"Test_{name}"


test_path.__test__ = False  # type: ignore[attr-defined]
test_stem.__test__ = False  # type: ignore[attr-defined]
